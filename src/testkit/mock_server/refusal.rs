//! A request turned down, before it has the shape of any API's error.

/// The statuses that an answer can have.
pub(crate) const STATUSES: std::ops::RangeInclusive<u16> = 200..=999;

/// Status and text of an error; each surface gives it its own shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The text, as the real server has it.
    pub message: String,
    /// It stands in place of a stream: the real native API then leaves the charset out of its type.
    pub in_stream: bool,
}

impl Refusal {
    /// A refusal with this status and text.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), in_stream: false }
    }

    /// The same in place of a stream, where one was asked for.
    #[must_use]
    pub fn in_stream(self, stream: bool) -> Self {
        Self { in_stream: stream, ..self }
    }

    /// 400, the request is wrong.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 404, there is no such model.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }
}
