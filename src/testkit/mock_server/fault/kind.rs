//! The ways to break, and how they are spelt in JSON and TOML.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::ends::{Ending, Last, Place};
use crate::testkit::mock_server::timing::Time;

/// A way to break. In JSON and TOML `kind` names it, in snake case.
///
/// A frame is what goes out together: a line of NDJSON or an event of SSE, mostly one token. An
/// answer that does not stream is one frame. Bytes are those of the body, without the head and
/// without what chunked encoding adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// Another answer, known whole: by default the API's own error of that status.
    Status {
        /// The status, from 200 to 999.
        status: u16,
        /// The text of the API's own error; by default the real server's for that status.
        #[serde(default, alias = "error", skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The body in place of the API's error: a text goes out as it is, anything else as JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        /// The body in place of the API's error, bytes in base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body_base64: Option<String>,
        /// `Retry-After`: seconds, or a date as HTTP writes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
        /// More headers; they replace those of the same name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// The connection is reset, and new ones are refused for a time.
    Refuse {
        /// For how long; 1 s by default. It concerns all clients of the server.
        #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
        lasting: Option<Time>,
    },
    /// The connection is reset (RST): before anything, or after so much of the answer.
    #[serde(alias = "rst", alias = "connection_reset")]
    Reset {
        /// After so many bytes of the body; 0 is right after the head.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_bytes: Option<u64>,
        /// After so many frames.
        #[serde(
            default,
            alias = "after_tokens",
            alias = "after_chunks",
            skip_serializing_if = "Option::is_none"
        )]
        after_frames: Option<u64>,
        /// So long after the request was read.
        #[serde(default, alias = "after_ms", skip_serializing_if = "Option::is_none")]
        after_time: Option<Time>,
    },
    /// Nothing more comes: from the start, or after so much of the answer.
    #[serde(alias = "hang")]
    Stall {
        /// After so many bytes of the body; 0 is right after the head.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_bytes: Option<u64>,
        /// After so many frames.
        #[serde(
            default,
            alias = "after_tokens",
            alias = "after_chunks",
            skip_serializing_if = "Option::is_none"
        )]
        after_frames: Option<u64>,
        /// So long after the request was read.
        #[serde(default, alias = "after_ms", skip_serializing_if = "Option::is_none")]
        after_time: Option<Time>,
        /// The answer goes on after so long; without it, never.
        #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
        lasting: Option<Time>,
    },
    /// The connection closes (FIN) amid the answer: after its first frame, or where it says.
    #[serde(alias = "disconnect", alias = "truncate")]
    Cut {
        /// After so many bytes of the body; 0 is right after the head.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_bytes: Option<u64>,
        /// After so many frames.
        #[serde(
            default,
            alias = "after_tokens",
            alias = "after_chunks",
            skip_serializing_if = "Option::is_none"
        )]
        after_frames: Option<u64>,
        /// So long after the request was read.
        #[serde(default, alias = "after_ms", skip_serializing_if = "Option::is_none")]
        after_time: Option<Time>,
    },
    /// The connection closes without a byte.
    #[serde(alias = "empty_reply", alias = "empty_response")]
    Empty {},
    /// Bytes that are not HTTP, then the connection closes.
    #[serde(alias = "random_data_then_close")]
    Garbage {
        /// How many, from 1; 64 by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        /// What they derive from; drawn for each request where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seed: Option<u64>,
    },
    /// The right body under the wrong `Content-Type`.
    #[serde(alias = "wrong_content_type")]
    ContentType {
        /// The type; `text/html; charset=utf-8` by default.
        #[serde(default, alias = "value", skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
    },
    /// One frame's JSON breaks off in its middle; the frames after it are whole.
    #[serde(alias = "malformed")]
    MalformedJson {
        /// After so many whole frames, 1 by default; the last frame where there are fewer.
        #[serde(default, alias = "after_tokens", skip_serializing_if = "Option::is_none")]
        after_frames: Option<u64>,
    },
    /// An error in mid-stream, after which the stream ends. An answer that does not stream becomes
    /// the API's own error of status 500.
    #[serde(alias = "mid_stream_error")]
    ErrorLine {
        /// After so many frames, 1 by default; before the last frame where there are fewer.
        #[serde(default, alias = "after_tokens", skip_serializing_if = "Option::is_none")]
        after_frames: Option<u64>,
        /// The text.
        #[serde(default, alias = "error", skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Whose shape it has.
        #[serde(default, skip_serializing_if = "ErrorStyle::is_real")]
        style: ErrorStyle,
    },
    /// A stream ends, as HTTP has it, without the frames that say that it is done.
    #[serde(alias = "without_done")]
    NoDone {
        /// So many frames are missing at the end; by default all that only end the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        frames: Option<u64>,
    },
    /// The last frame of a stream comes again.
    DuplicateDone {
        /// So many times more, 1 by default, at most 1000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        copies: Option<u64>,
    },
    /// A stream goes on after its last frame.
    #[serde(alias = "after_done")]
    DataAfterDone {
        /// With these bytes; by default with its first frame again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    },
    /// One line is very long: white space inside its JSON, which changes no data.
    LongLine {
        /// How long at least, in bytes, up to [`LINE_BYTES_MAX`]; 9,000,000 by default, which is
        /// over the 8 MB that the Go client reads.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        /// Which frame: after so many others, 1 by default; the last where there are fewer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_frames: Option<u64>,
    },
    /// Lines end in CR LF.
    Crlf {},
    /// The body starts with a byte order mark (EF BB BF).
    Bom {},
    /// The last line has no end.
    NoLastNewline {},
    /// Each frame goes out in slices of so many bytes, each a chunk of its own, wherever that
    /// falls: inside a line, inside a character. Also for an answer that does not stream.
    Slice {
        /// The length of each, from 1; the last may be shorter.
        bytes: u64,
        /// So long between them; nothing by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pause: Option<Time>,
        /// Only so many; what comes after them goes out as it would. All by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slices: Option<u64>,
    },
    /// Frames go out together, at the time of the last of them.
    Merge {
        /// How many, from 2; 2 by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        frames: Option<u64>,
    },
    /// The body trickles: so many chunks of like length, spread evenly over a time.
    #[serde(alias = "slow", alias = "chunked_dribble")]
    Dribble {
        /// How many, from 1; 10 by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chunks: Option<u64>,
        /// From the head to the last of them; 1 s by default.
        #[serde(default, alias = "duration", skip_serializing_if = "Option::is_none")]
        over: Option<Time>,
    },
}

/// The longest line that [`Fault::LongLine`] makes: 64 MiB.
pub const LINE_BYTES_MAX: u64 = 64 << 20;
/// The most repetitions of [`Fault::DuplicateDone`].
pub(super) const COPIES_MAX: u64 = 1000;
/// The most bytes of [`Fault::Garbage`]: 16 MiB.
pub(super) const GARBAGE_BYTES_MAX: u64 = 16 << 20;

/// When to try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RetryAfter {
    /// After so many seconds.
    Seconds(Number),
    /// Whatever the header is to say.
    Text(String),
}

impl std::fmt::Display for RetryAfter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Seconds(seconds) => seconds.fmt(formatter),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

/// The shape of an error in mid-stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorStyle {
    /// What the real server sends on this route; on `/v1` that hides the text.
    #[default]
    #[serde(alias = "api", alias = "ollama")]
    Real,
    /// `{"error":"…"}` and a line end.
    Native,
    /// `data: {"error":{"message":"…",…}}`, as OpenAI's own server has it.
    Openai,
}

impl ErrorStyle {
    fn is_real(&self) -> bool {
        *self == Self::Real
    }
}

impl Fault {
    /// The API's own error of this status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status {
            status,
            message: None,
            body: None,
            body_base64: None,
            retry_after: None,
            headers: BTreeMap::new(),
        }
    }

    /// 429 in the API's own shape, with `Retry-After`.
    #[must_use]
    pub fn rate_limited(retry_after_seconds: u64) -> Self {
        Self::status(429).retry_after(retry_after_seconds)
    }

    /// 503 as the real server sends it when its queue is full.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::status(503)
    }

    /// The same, with `Retry-After` where it is a status.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let Self::Status { retry_after, .. } = &mut self {
            *retry_after = Some(RetryAfter::Seconds(seconds.into()));
        }
        self
    }

    /// The same, with this text where it is a status or an error line.
    #[must_use]
    pub fn message(mut self, text: impl Into<String>) -> Self {
        if let Self::Status { message, .. } | Self::ErrorLine { message, .. } = &mut self {
            *message = Some(text.into());
        }
        self
    }

    /// A reset before anything.
    #[must_use]
    pub fn reset() -> Self {
        Self::Reset { after_bytes: None, after_frames: None, after_time: None }
    }

    /// A reset after so many bytes of the body.
    #[must_use]
    pub fn reset_after_bytes(bytes: u64) -> Self {
        Self::Reset { after_bytes: Some(bytes), after_frames: None, after_time: None }
    }

    /// A reset after so many frames.
    #[must_use]
    pub fn reset_after_frames(frames: u64) -> Self {
        Self::Reset { after_bytes: None, after_frames: Some(frames), after_time: None }
    }

    /// Nothing comes, ever.
    #[must_use]
    pub fn stall() -> Self {
        Self::Stall { after_bytes: None, after_frames: None, after_time: None, lasting: None }
    }

    /// Nothing comes after so many frames.
    #[must_use]
    pub fn stall_after_frames(frames: u64) -> Self {
        Self::Stall {
            after_bytes: None,
            after_frames: Some(frames),
            after_time: None,
            lasting: None,
        }
    }

    /// The connection closes after so many frames.
    #[must_use]
    pub fn cut_after_frames(frames: u64) -> Self {
        Self::Cut { after_bytes: None, after_frames: Some(frames), after_time: None }
    }

    /// The connection closes after so many bytes of the body.
    #[must_use]
    pub fn cut_after_bytes(bytes: u64) -> Self {
        Self::Cut { after_bytes: Some(bytes), after_frames: None, after_time: None }
    }

    /// The connection closes so long after the request was read.
    #[must_use]
    pub fn cut_after(time: std::time::Duration) -> Self {
        Self::Cut { after_bytes: None, after_frames: None, after_time: Some(Time(time)) }
    }

    /// The body in slices of so many bytes.
    #[must_use]
    pub fn slice(bytes: u64) -> Self {
        Self::Slice { bytes, pause: None, slices: None }
    }

    /// An error after so many frames, as the real server sends it.
    #[must_use]
    pub fn error_line(after_frames: u64) -> Self {
        Self::ErrorLine { after_frames: Some(after_frames), message: None, style: ErrorStyle::Real }
    }

    /// Whether it answers in place of the answer.
    pub(in crate::testkit::mock_server) fn replaces(&self) -> bool {
        matches!(
            self,
            Self::Status { .. } | Self::Refuse { .. } | Self::Empty {} | Self::Garbage { .. }
        )
    }

    /// How and where it ends the answer early, where it does.
    pub(super) fn ending(&self) -> Option<Ending> {
        let (last, bytes, frames, time) = match *self {
            Self::Reset { after_bytes, after_frames, after_time } => {
                (Last::Reset, after_bytes, after_frames, after_time)
            }
            Self::Stall { after_bytes, after_frames, after_time, lasting } => {
                let lasting = lasting.map(|time| time.0);
                (Last::Stall(lasting), after_bytes, after_frames, after_time)
            }
            Self::Cut { after_bytes, after_frames, after_time } => {
                let place = (after_bytes, after_frames, after_time);
                let after_frames = if place == (None, None, None) { Some(1) } else { after_frames };
                (Last::Close, after_bytes, after_frames, after_time)
            }
            _ => return None,
        };
        let place = match (bytes, frames, time) {
            (Some(bytes), ..) => Place::Bytes(bytes),
            (_, Some(frames), _) => Place::Frames(frames),
            (.., Some(time)) => Place::Time(time.0),
            (None, None, None) => Place::Start,
        };
        Some(Ending { last, place })
    }
}
