//! An answer as bytes in time: what faults change, and what the server plays.

use std::time::Duration;

use bytes::Bytes;

/// Bytes that go out together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When, after the request was read, in nominal time.
    pub at: Duration,
    /// What; one line of NDJSON, one event of SSE.
    pub bytes: Bytes,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Known before the head goes out: `Content-Length`.
    Whole(Bytes),
    /// Chunked, each frame a chunk of its own.
    Stream(Vec<Frame>),
}

/// How the exchange ends once the body is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// As HTTP has it; the connection stays.
    #[default]
    Complete,
    /// The connection closes (FIN); a chunked body stays without its end.
    Close,
    /// The connection is reset (RST).
    Reset,
    /// Nothing more comes; the connection stays open until the client leaves.
    Stall,
}

/// An HTTP answer as it will be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The status.
    pub status: u16,
    /// The headers, in order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// When the head goes out, in nominal time.
    pub head_at: Duration,
    /// The body.
    pub body: Body,
    /// The end.
    pub end: End,
}

impl Script {
    /// An answer known whole.
    #[must_use]
    pub fn whole(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            head_at: Duration::ZERO,
            body: Body::Whole(body.into()),
            end: End::Complete,
        }
    }

    /// An answer with headers of one's own.
    #[must_use]
    pub fn raw(status: u16, headers: Vec<(String, String)>, body: Bytes) -> Self {
        Self {
            status,
            headers,
            head_at: Duration::ZERO,
            body: Body::Whole(body),
            end: End::Complete,
        }
    }

    /// An answer without anything, for what takes its place.
    #[must_use]
    pub fn nothing() -> Self {
        Self::raw(200, Vec::new(), Bytes::new())
    }

    /// An answer that streams.
    #[must_use]
    pub fn stream(content_type: &str, frames: Vec<Frame>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            head_at: frames.first().map_or(Duration::ZERO, |frame| frame.at),
            body: Body::Stream(frames),
            end: End::Complete,
        }
    }

    /// The same answer, its head and all frames later by `delay`.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.head_at += delay;
        if let Body::Stream(frames) = &mut self.body {
            for frame in frames {
                frame.at += delay;
            }
        }
        self
    }

    /// The same answer with these headers, each in place of those of its name.
    #[must_use]
    pub fn with_headers(mut self, headers: Vec<(String, String)>) -> Self {
        self.headers.retain(|(name, _)| headers.iter().all(|(more, _)| more != name));
        self.headers.extend(headers);
        self
    }

    /// When its last bytes go out, in nominal time.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        match &self.body {
            Body::Whole(_) => self.head_at,
            Body::Stream(frames) => frames.last().map_or(self.head_at, |frame| frame.at),
        }
    }

    /// All bytes of the body.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Whole(bytes) => bytes.to_vec(),
            Body::Stream(frames) => {
                frames.iter().flat_map(|frame| frame.bytes.iter().copied()).collect()
            }
        }
    }
}

/// What the server does with a connection that has sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Answers.
    Http(Script),
    /// Writes these bytes, HTTP or not, and ends.
    Raw {
        /// When, in nominal time.
        at: Duration,
        /// The bytes, perhaps none.
        bytes: Bytes,
        /// `Complete` means `Close` here.
        end: End,
    },
    /// Resets the connection, and refuses new ones for so long.
    Refuse(Duration),
}
