//! What passes from node to node.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::field::{Extra, Field, Kind, Literal, Shape};
use super::violation::Violation;

/// A message: what it says, where it comes from, and the trace that it belongs to.
///
/// ```
/// use flakedb::testkit::nodes::{Message, Payload};
///
/// let asked = Message::new("trace-1", "user", Payload::text("2 + 2?"));
/// let answer = asked.child("calculator").content("4").build();
/// assert_eq!(answer.trace_id, "trace-1");
/// assert_eq!(answer.parent_id, Some(asked.message_id));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// What the message belongs to, the same from the task to the answer.
    pub trace_id: String,
    /// Its own id, never used twice: a UUID. A new one where it is read without.
    #[serde(default = "new_id")]
    pub message_id: String,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The node that made it.
    pub source_node: String,
    /// The node that it is for, where it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_node: Option<String>,
    /// What it says.
    pub payload: Payload,
    /// Facts about it.
    #[serde(default)]
    pub metadata: MessageMetadata,
    /// When it was made. Now, where it is read without.
    #[serde(default = "Utc::now")]
    pub created_at: DateTime<Utc>,
}

/// What a message says. Keys of the application's own are kept in `extra`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// What is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured: Option<Map<String, Value>>,
    /// What a router said that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// How sure the node is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// A tool to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call: Option<ToolCall>,
    /// What a tool said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_result: Option<ToolResult>,
    /// Tools that were called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<Map<String, Value>>>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// Facts that nodes leave for those after them.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Whatever else the application says.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Facts about a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageMetadata {
    /// What it took to make, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// The model that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_used: Option<String>,
    /// Tokens that the model read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_in: Option<u64>,
    /// Tokens that the model wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_out: Option<u64>,
    /// How good a judge found it, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_score: Option<f64>,
    /// The how manieth turn of a loop, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration: Option<u64>,
    /// Tries before the one that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u64>,
    /// Whether it was made before.
    #[serde(default)]
    pub is_cached: bool,
}

/// A tool to be called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool.
    pub tool_id: String,
    /// What it is given.
    #[serde(default)]
    pub input: Map<String, Value>,
    /// The call's id: a UUID. A new one where it is read without.
    #[serde(default = "new_id")]
    pub call_id: String,
}

/// What a tool said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call.
    pub call_id: String,
    /// The tool.
    pub tool_id: String,
    /// Whether it did what it was asked for.
    pub success: bool,
    /// What it gives back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it took, in milliseconds.
    #[serde(default)]
    pub latency_ms: u64,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorInfo {
    /// What kind of trouble.
    pub code: ErrorCode,
    /// In words.
    pub message: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Map<String, Value>>,
    /// Whether another try may help.
    #[serde(default = "recoverable")]
    pub recoverable: bool,
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

const fn recoverable() -> bool {
    true
}

/// Kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// An input is not what it must be.
    ValidationError,
    /// A model failed.
    ModelError,
    /// A tool failed.
    ToolError,
    /// It took too long.
    Timeout,
    /// No way on was found.
    RoutingError,
    /// No condition held.
    GateFailed,
    /// Anything else.
    Unknown,
}

const COUNT: Kind = Kind::Integer(0, i64::MAX);

/// The fields of a [`ToolCall`]. An id that is absent is made.
pub static TOOL_CALL: Shape = Shape {
    name: "tool call",
    extra: Extra::Kept,
    fields: &[
        Field::required("tool_id", Kind::Text),
        Field::default("input", Kind::Map, Literal::EmptyMap),
        Field::optional("call_id", Kind::Text),
    ],
};

/// The fields of a [`ToolResult`].
pub static TOOL_RESULT: Shape = Shape {
    name: "tool result",
    extra: Extra::Kept,
    fields: &[
        Field::required("call_id", Kind::Text),
        Field::required("tool_id", Kind::Text),
        Field::required("success", Kind::Boolean),
        Field::optional("output", Kind::Any),
        Field::optional("error", Kind::Text),
        Field::default("latency_ms", COUNT, Literal::Integer(0)),
    ],
};

/// The fields of an [`ErrorInfo`].
pub static ERROR_INFO: Shape = Shape {
    name: "error",
    extra: Extra::Kept,
    fields: &[
        Field::required(
            "code",
            Kind::Choice(&[
                "VALIDATION_ERROR",
                "MODEL_ERROR",
                "TOOL_ERROR",
                "TIMEOUT",
                "ROUTING_ERROR",
                "GATE_FAILED",
                "UNKNOWN",
            ]),
        ),
        Field::required("message", Kind::Text),
        Field::optional("details", Kind::Map),
        Field::default("recoverable", Kind::Boolean, Literal::Boolean(true)),
    ],
};

/// The fields of a [`Payload`].
pub static PAYLOAD: Shape = Shape {
    name: "payload",
    extra: Extra::Kept,
    fields: &[
        Field::optional("task", Kind::Text),
        Field::optional("content", Kind::Text),
        Field::optional("structured", Kind::Map),
        Field::optional("route", Kind::Text),
        Field::optional("confidence", Kind::Number(0.0, 1.0)),
        Field::optional("tool_call", Kind::Object(&TOOL_CALL)),
        Field::optional("tool_result", Kind::Object(&TOOL_RESULT)),
        Field::optional("tool_calls", Kind::List(0, &Kind::Map)),
        Field::optional("error", Kind::Object(&ERROR_INFO)),
        Field::default("metadata", Kind::Map, Literal::EmptyMap),
    ],
};

/// The fields of a [`MessageMetadata`].
pub static MESSAGE_METADATA: Shape = Shape {
    name: "message metadata",
    extra: Extra::Kept,
    fields: &[
        Field::optional("latency_ms", COUNT),
        Field::optional("model_used", Kind::Text),
        Field::optional("tokens_in", COUNT),
        Field::optional("tokens_out", COUNT),
        Field::optional("quality_score", Kind::Number(0.0, 1.0)),
        Field::optional("iteration", COUNT),
        Field::optional("retry_count", COUNT),
        Field::default("is_cached", Kind::Boolean, Literal::Boolean(false)),
    ],
};

/// The fields of a [`Message`]. An id or a time that is absent is made.
pub static MESSAGE: Shape = Shape {
    name: "message",
    extra: Extra::Refused,
    fields: &[
        Field::required("trace_id", Kind::Length(1, usize::MAX)),
        Field::optional("message_id", Kind::Length(1, usize::MAX)),
        Field::optional("parent_id", Kind::Text),
        Field::required("source_node", Kind::Length(1, usize::MAX)),
        Field::optional("target_node", Kind::Text),
        Field::required("payload", Kind::Object(&PAYLOAD)),
        Field::default("metadata", Kind::Object(&MESSAGE_METADATA), Literal::EmptyMap),
        Field::optional("created_at", Kind::Time),
    ],
};

impl Payload {
    /// A payload with a content and nothing else.
    #[must_use]
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: Some(content.into()), ..Self::default() }
    }

    /// A payload with a task and nothing else.
    #[must_use]
    pub fn task(task: impl Into<String>) -> Self {
        Self { task: Some(task.into()), ..Self::default() }
    }

    /// What a model is asked: the task, else the content, else nothing.
    #[must_use]
    pub fn question(&self) -> &str {
        self.task.as_deref().or(self.content.as_deref()).unwrap_or_default()
    }
}

impl Message {
    /// A message of its own, made now, with a random id.
    #[must_use]
    pub fn new(
        trace_id: impl Into<String>,
        source_node: impl Into<String>,
        payload: Payload,
    ) -> Self {
        Self {
            trace_id: trace_id.into(),
            message_id: new_id(),
            parent_id: None,
            source_node: source_node.into(),
            target_node: None,
            payload,
            metadata: MessageMetadata::default(),
            created_at: Utc::now(),
        }
    }

    /// An answer to this message by `source_node`: the same trace, this message as its parent, and
    /// a copy of the payload that shares nothing with this one.
    #[must_use]
    pub fn child(&self, source_node: impl Into<String>) -> Child {
        let mut message = Self::new(&self.trace_id, source_node, self.payload.clone());
        message.parent_id = Some(self.message_id.clone());
        Child { message }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn from_value(value: &Value) -> Result<Self, Vec<Violation>> {
        MESSAGE.read(value)
    }

    /// The bytes of its JSON form.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let mut counted = Counted(0);
        // Writing to a counter cannot fail, and a message has no key that is no text.
        match serde_json::to_writer(&mut counted, self) {
            Ok(()) | Err(_) => counted.0,
        }
    }
}

struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An answer to a message, being made.
#[derive(Debug, Clone)]
pub struct Child {
    message: Message,
}

impl Child {
    /// Says which node it is for.
    #[must_use]
    pub fn target(mut self, node: impl Into<String>) -> Self {
        self.message.target_node = Some(node.into());
        self
    }

    /// Says something else altogether.
    #[must_use]
    pub fn payload(mut self, payload: Payload) -> Self {
        self.message.payload = payload;
        self
    }

    /// Says this, and keeps the rest.
    #[must_use]
    pub fn content(mut self, content: impl Into<String>) -> Self {
        self.message.payload.content = Some(content.into());
        self
    }

    /// Leaves a fact for the nodes after it.
    #[must_use]
    pub fn fact(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.message.payload.metadata.insert(key.into(), value.into());
        self
    }

    /// Facts about the message itself.
    #[must_use]
    pub fn metadata(mut self, metadata: MessageMetadata) -> Self {
        self.message.metadata = metadata;
        self
    }

    /// The message.
    #[must_use]
    pub fn build(self) -> Message {
        self.message
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_and_times_that_are_absent_are_made() {
        let written = json!({
            "trace_id": "trace-1", "source_node": "user",
            "payload": {"tool_call": {"tool_id": "calculator"}},
        });
        let before = Utc::now();
        let [one, other] = [0, 1].map(|_| Message::from_value(&written).unwrap());
        assert!(Uuid::parse_str(&one.message_id).is_ok());
        assert_ne!(one.message_id, other.message_id);
        assert!(one.created_at >= before && one.created_at <= Utc::now());
        let call = one.payload.tool_call.unwrap();
        assert!(Uuid::parse_str(&call.call_id).is_ok());
        let serde: Message = serde_json::from_value(written).unwrap();
        assert_ne!(serde.message_id, one.message_id);
    }
}
