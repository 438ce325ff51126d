//! One answer of a real server, kept as bytes in time; and what was asked.

use std::time::Duration;

use base64::Engine as _;
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::script::{Body, End, Frame, Script};
use crate::testkit::mock_server::timing::Time;

/// Headers of an answer that belong to its connection or its moment, or hold a secret.
const HEADERS_LEFT_OUT: [&str; 7] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "set-cookie",
    "transfer-encoding",
    "trailer",
];

/// What was asked, as far as it tells requests apart for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// The method.
    pub method: String,
    /// The path, without namespace and query.
    pub path: String,
    /// The model, spelt as in the request.
    pub model: Option<String>,
    /// The last text of the user: prompt, message or input.
    pub user: Option<String>,
    /// The last result of a tool, where nothing of the user comes after it.
    pub tool_result: Option<String>,
    /// Texts to embed, where there are several.
    pub inputs: Option<Vec<String>>,
    /// Whether the answer is to stream, on the routes that can.
    pub stream: Option<bool>,
}

/// Routes whose answers stream unless the request says otherwise.
const STREAMING: [&str; 5] =
    ["/api/generate", "/api/chat", "/api/pull", "/api/push", "/api/create"];
/// Routes whose answers stream where the request says so.
const STREAMING_ON_DEMAND: [&str; 4] =
    ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"];

/// A real server's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tape {
    /// The status.
    pub status: u16,
    /// The headers, in order, without those of the connection; written as an object.
    #[serde(default, with = "header_object")]
    pub headers: Vec<(String, String)>,
    /// When the head came, after the request was sent.
    #[serde(default)]
    pub head_at: Time,
    /// Whether the body came chunked.
    #[serde(default)]
    pub stream: bool,
    /// Whether it is played again without waiting.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instant: bool,
    /// The body: lines of NDJSON, events of SSE, or one frame.
    #[serde(default)]
    pub frames: Vec<TapeFrame>,
}

/// Headers as an object; several of one name as one with commas, which HTTP takes for the same.
mod header_object {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use serde_json::{Map, Value};

    pub(super) fn serialize<S: Serializer>(
        headers: &[(String, String)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut object = Map::new();
        for (name, value) in headers {
            let joined = match object.get(name).and_then(Value::as_str) {
                Some(before) => format!("{before}, {value}"),
                None => value.clone(),
            };
            object.insert(name.clone(), joined.into());
        }
        object.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, String)>, D::Error> {
        let object = Map::deserialize(deserializer)?;
        let text = |(name, value): (String, Value)| match value {
            Value::String(text) => Ok((name, text)),
            other => {
                let wrong = format!("the header `{name}` is a text, not {other}");
                Err(serde::de::Error::custom(wrong))
            }
        };
        object.into_iter().map(text).collect()
    }
}

/// Bytes that came together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeFrame {
    /// When the last of them came, after the request was sent.
    #[serde(default)]
    pub at: Time,
    /// The bytes.
    #[serde(flatten)]
    pub wording: Wording,
}

/// Bytes as people read them, where they can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wording {
    /// UTF-8.
    Text(String),
    /// Anything else, in base64.
    Base64(String),
}

impl Said {
    /// What a request asks.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Self {
        let field = |name| exchange.json.as_ref().and_then(|json: &Value| json.get(name));
        let model = field("model").or_else(|| field("name")).and_then(Value::as_str);
        let messages = field("messages").or_else(|| field("input")).and_then(Value::as_array);
        let prompt = field("prompt").or_else(|| field("input")).and_then(Value::as_str);
        let inputs: Option<Vec<String>> = messages
            .and_then(|inputs| {
                inputs.iter().map(|input| input.as_str().map(str::to_owned)).collect()
            })
            .filter(|inputs: &Vec<String>| !inputs.is_empty());
        let last = messages.into_iter().flatten().rev().find_map(spoken);
        let (user, tool_result) = match last {
            Some(Spoken::User(text)) => (Some(text), None),
            Some(Spoken::Tool(text)) => (None, Some(text)),
            None => (prompt.map(str::to_owned), None),
        };
        let wanted = field("stream").and_then(Value::as_bool);
        let path = exchange.path.as_str();
        let stream = match (STREAMING.contains(&path), STREAMING_ON_DEMAND.contains(&path)) {
            (false, false) => None,
            (by_default, _) => Some(wanted.unwrap_or(by_default)),
        };
        Self {
            stream,
            method: exchange.method.clone(),
            path: exchange.path.clone(),
            model: model.map(str::to_owned),
            user,
            tool_result,
            inputs,
        }
    }
}

enum Spoken {
    User(String),
    Tool(String),
}

/// A message of the user or of a tool, in the shape of any of the APIs.
fn spoken(message: &Value) -> Option<Spoken> {
    if message.get("type").and_then(Value::as_str) == Some("function_call_output") {
        return Some(Spoken::Tool(text_of(message.get("output")?)));
    }
    let content = message.get("content")?;
    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let result = parts
        .iter()
        .rev()
        .find(|part| part.get("type").and_then(Value::as_str) == Some("tool_result"));
    match (message.get("role").and_then(Value::as_str)?, result) {
        (_, Some(result)) => Some(Spoken::Tool(text_of(result.get("content")?))),
        ("tool", None) => Some(Spoken::Tool(text_of(content))),
        ("user", None) => Some(Spoken::User(text_of(content))),
        _ => None,
    }
}

/// A text, or the texts among parts, joined.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        _ => String::new(),
    }
}

impl TapeFrame {
    /// A frame of these bytes.
    #[must_use]
    pub fn new(at: Duration, bytes: &[u8]) -> Self {
        let wording = match std::str::from_utf8(bytes) {
            Ok(text) => Wording::Text(text.to_owned()),
            Err(_) => Wording::Base64(base64::engine::general_purpose::STANDARD.encode(bytes)),
        };
        Self { at: Time(at), wording }
    }

    /// Its bytes; `None` where what stands for them is no base64.
    #[must_use]
    pub fn bytes(&self) -> Option<Bytes> {
        match &self.wording {
            Wording::Text(text) => Some(text.clone().into()),
            Wording::Base64(text) => {
                let decoded = base64::engine::general_purpose::STANDARD.decode(text);
                decoded.ok().map(Bytes::from)
            }
        }
    }
}

impl Tape {
    /// A tape of an answer: the head, and the pieces of the body as they came.
    #[must_use]
    pub fn new(
        status: u16,
        headers: Vec<(String, String)>,
        head_at: Duration,
        stream: bool,
        pieces: &[Frame],
    ) -> Self {
        let kind = headers.iter().find(|(name, _)| name == "content-type");
        let kind = kind.map_or("", |(_, value)| value.as_str());
        let end: &[u8] = match kind {
            _ if kind.starts_with("application/x-ndjson") => b"\n",
            _ if kind.starts_with("text/event-stream") => b"\n\n",
            _ => b"",
        };
        let frames = framed(pieces, end);
        let frames = frames.iter().map(|frame| TapeFrame::new(frame.at, &frame.bytes)).collect();
        let kept = |(name, _): &(String, String)| !HEADERS_LEFT_OUT.contains(&name.as_str());
        let headers = headers.into_iter().filter(kept).collect();
        Self { status, headers, head_at: Time(head_at), stream, instant: false, frames }
    }

    /// The answer as it is played again, with its times or, where it is to be
    /// [instant](Self::instant), without. Frames without readable bytes are left out.
    #[must_use]
    pub fn script(&self) -> Script {
        if self.instant { self.instant_script() } else { self.timed_script() }
    }

    fn timed_script(&self) -> Script {
        let frames: Vec<Frame> = self
            .frames
            .iter()
            .filter_map(|frame| Some(Frame { at: frame.at.0, bytes: frame.bytes()? }))
            .collect();
        let body = if self.stream {
            Body::Stream(frames)
        } else {
            Body::Whole(frames.iter().flat_map(|frame| frame.bytes.iter().copied()).collect())
        };
        Script {
            status: self.status,
            headers: self.headers.clone(),
            head_at: self.head_at.0,
            body,
            end: End::Complete,
        }
    }

    /// The answer as it is played again, without waiting.
    #[must_use]
    pub fn instant_script(&self) -> Script {
        let mut script = self.timed_script();
        script.head_at = Duration::ZERO;
        if let Body::Stream(frames) = &mut script.body {
            for frame in frames {
                frame.at = Duration::ZERO;
            }
        }
        script
    }
}

/// Pieces cut anew so that each frame ends where a line or an event does; what comes after the last
/// such end is a frame of its own. Without an `end`, all is one frame.
fn framed(pieces: &[Frame], end: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut open = BytesMut::new();
    for piece in pieces {
        open.extend_from_slice(&piece.bytes);
        while !end.is_empty()
            && let Some(at) = memchr::memmem::find(&open, end)
        {
            frames.push(Frame { at: piece.at, bytes: open.split_to(at + end.len()).freeze() });
        }
    }
    if !open.is_empty() {
        let at = pieces.last().map_or(Duration::ZERO, |piece| piece.at);
        frames.push(Frame { at, bytes: open.freeze() });
    }
    frames
}
