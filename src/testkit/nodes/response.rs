//! What models answer, as Ollama writes it: generated text, chats, embeddings.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::field::{Extra, Field, Kind, Literal, Shape};
use super::violation::{Rule, Violation};

/// What an answer took. Durations are in nanoseconds, and the parts together are not more than the
/// whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metrics {
    /// From the question to the end of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_duration: Option<u64>,
    /// Loading the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_duration: Option<u64>,
    /// Tokens of the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_eval_count: Option<u64>,
    /// Reading the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_eval_duration: Option<u64>,
    /// Tokens of the answer, the one that ends it included: never 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_count: Option<u64>,
    /// Writing the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_duration: Option<u64>,
}

/// An answer of `/api/generate`, or one line of its stream.
///
/// ```
/// use flakedb::testkit::nodes::response::GenerateResponse;
/// use serde_json::json;
///
/// let answer = json!({
///     "model": "qwen2.5:3b", "created_at": "2026-01-01T00:00:00Z", "response": "4", "done": true,
///     "total_duration": 10, "eval_duration": 20, "eval_count": 2,
/// });
/// let found = GenerateResponse::violations(&answer);
/// assert_eq!(found[0].to_string(), "total_duration: the parts take 20 ns, the whole 10 ns \
///     (parts_exceed_whole)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerateResponse {
    /// The model.
    pub model: String,
    /// When it was written, by RFC 3339.
    pub created_at: String,
    /// The text, or the next piece of it.
    pub response: String,
    /// Whether this is the end.
    pub done: bool,
    /// Why it ended: `stop`, `length`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_reason: Option<String>,
    /// What it took, where it is the end.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// Who speaks in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The application, about how to answer.
    System,
    /// Who asks.
    User,
    /// The model.
    Assistant,
    /// A tool that the model called.
    Tool,
}

/// What one speaker says in a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// The text; empty where a model calls tools instead.
    #[serde(default)]
    pub content: String,
    /// Tools that a model calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ChatToolCall>,
    /// The tool that speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_name: Option<String>,
}

/// A call of a tool, as models write it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatToolCall {
    /// Which function, with what.
    pub function: ChatFunction,
}

/// A function and what it is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatFunction {
    /// Its name.
    pub name: String,
    /// What it is given.
    #[serde(default)]
    pub arguments: Map<String, Value>,
}

/// An answer of `/api/chat`, or one line of its stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatResponse {
    /// The model.
    pub model: String,
    /// When it was written, by RFC 3339.
    pub created_at: String,
    /// What the model says.
    pub message: ChatMessage,
    /// Whether this is the end.
    pub done: bool,
    /// Why it ended: `stop`, `length`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_reason: Option<String>,
    /// What it took, where it is the end.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// An answer of `/api/embed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmbedResponse {
    /// The model.
    pub model: String,
    /// One vector for each text, all of one length.
    pub embeddings: Vec<Vec<f64>>,
    /// What it took.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// What was said in a chat, from the beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// The model.
    pub model: String,
    /// What was said, in order. After a call of tools, each of them speaks once.
    pub messages: Vec<ChatMessage>,
}

const NANOSECONDS: Kind = Kind::Integer(0, i64::MAX);
const TEXT: Kind = Kind::Length(1, usize::MAX);
const TOTAL_DURATION: Field = Field::optional("total_duration", NANOSECONDS);
const LOAD_DURATION: Field = Field::optional("load_duration", NANOSECONDS);
const PROMPT_EVAL_COUNT: Field = Field::optional("prompt_eval_count", Kind::Integer(0, i64::MAX));
const PROMPT_EVAL_DURATION: Field = Field::optional("prompt_eval_duration", NANOSECONDS);
const EVAL_COUNT: Field = Field::optional("eval_count", Kind::Integer(1, i64::MAX));
const EVAL_DURATION: Field = Field::optional("eval_duration", NANOSECONDS);

/// The fields of a [`GenerateResponse`].
pub static GENERATE_RESPONSE: Shape = Shape {
    name: "generate response",
    extra: Extra::Kept,
    fields: &[
        Field::required("model", TEXT),
        Field::required("created_at", Kind::Time),
        Field::required("response", Kind::Text),
        Field::required("done", Kind::Boolean),
        Field::optional("done_reason", Kind::Text),
        TOTAL_DURATION,
        LOAD_DURATION,
        PROMPT_EVAL_COUNT,
        PROMPT_EVAL_DURATION,
        EVAL_COUNT,
        EVAL_DURATION,
    ],
};

/// The lines of a stream of [`GenerateResponse`]s.
pub static GENERATE_STREAM: Kind = Kind::List(1, &Kind::Object(&GENERATE_RESPONSE));

static CHAT_FUNCTION: Shape = Shape {
    name: "function",
    extra: Extra::Kept,
    fields: &[
        Field::required("name", TEXT),
        Field::default("arguments", Kind::Map, Literal::EmptyMap),
    ],
};

static CHAT_TOOL_CALL: Shape = Shape {
    name: "tool call",
    extra: Extra::Kept,
    fields: &[Field::required("function", Kind::Object(&CHAT_FUNCTION))],
};

/// The fields of a [`ChatMessage`].
pub static CHAT_MESSAGE: Shape = Shape {
    name: "chat message",
    extra: Extra::Kept,
    fields: &[
        Field::required("role", Kind::Choice(&["system", "user", "assistant", "tool"])),
        Field::default("content", Kind::Text, Literal::Text("")),
        Field::optional("tool_calls", Kind::List(0, &Kind::Object(&CHAT_TOOL_CALL))),
        Field::optional("tool_name", Kind::Text),
    ],
};

/// The fields of a [`ChatResponse`].
pub static CHAT_RESPONSE: Shape = Shape {
    name: "chat response",
    extra: Extra::Kept,
    fields: &[
        Field::required("model", TEXT),
        Field::required("created_at", Kind::Time),
        Field::required("message", Kind::Object(&CHAT_MESSAGE)),
        Field::required("done", Kind::Boolean),
        Field::optional("done_reason", Kind::Text),
        TOTAL_DURATION,
        LOAD_DURATION,
        PROMPT_EVAL_COUNT,
        PROMPT_EVAL_DURATION,
        EVAL_COUNT,
        EVAL_DURATION,
    ],
};

/// The fields of an [`EmbedResponse`].
pub static EMBED_RESPONSE: Shape = Shape {
    name: "embed response",
    extra: Extra::Kept,
    fields: &[
        Field::required("model", TEXT),
        Field::required(
            "embeddings",
            Kind::List(1, &Kind::List(1, &Kind::Number(f64::MIN, f64::MAX))),
        ),
        TOTAL_DURATION,
        LOAD_DURATION,
        PROMPT_EVAL_COUNT,
    ],
};

/// The fields of a [`Conversation`].
pub static CONVERSATION: Shape = Shape {
    name: "conversation",
    extra: Extra::Refused,
    fields: &[
        Field::required("model", TEXT),
        Field::required("messages", Kind::List(1, &Kind::Object(&CHAT_MESSAGE))),
    ],
};

/// The fields that are parts of `total_duration`.
const PARTS: [&str; 3] = ["load_duration", "prompt_eval_duration", "eval_duration"];

/// Whether the parts of the whole take longer than the whole.
fn duration_violation(answer: &Value) -> Option<Violation> {
    let whole = answer.get("total_duration")?.as_u64()?;
    let parts = PARTS.iter().filter_map(|part| answer.get(*part)?.as_u64());
    let parts = parts.fold(0_u64, u64::saturating_add);
    (parts > whole).then(|| {
        let message = format!("the parts take {parts} ns, the whole {whole} ns");
        Violation::new(Rule::PartsExceedWhole, "total_duration", message)
    })
}

/// What the shape finds; where that is nothing, what `more` finds.
fn all(shape: &Shape, value: &Value, more: impl Fn(&Value) -> Vec<Violation>) -> Vec<Violation> {
    let found = shape.violations(value);
    if found.is_empty() { more(value) } else { found }
}

impl Metrics {
    /// What of the whole is in no part, in nanoseconds; none where the whole is unknown, or the
    /// parts exceed it.
    #[must_use]
    pub fn overhead(&self) -> Option<u64> {
        let parts = [self.load_duration, self.prompt_eval_duration, self.eval_duration];
        let parts = parts.into_iter().flatten().fold(0_u64, u64::saturating_add);
        self.total_duration?.checked_sub(parts)
    }
}

impl GenerateResponse {
    /// All that is wrong with an answer.
    #[must_use]
    pub fn violations(value: &Value) -> Vec<Violation> {
        all(&GENERATE_RESPONSE, value, |value| duration_violation(value).into_iter().collect())
    }

    /// All that is wrong with the lines of a stream: each line for itself, only the last one is the
    /// end, and it counts as many tokens as there are lines.
    #[must_use]
    pub fn stream_violations(value: &Value) -> Vec<Violation> {
        let lines = GENERATE_STREAM.violations(value);
        if !lines.is_empty() {
            return lines;
        }
        let lines = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let last = lines.len().saturating_sub(1);
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let broken = Self::violations(line).into_iter();
            found.extend(broken.map(|violation| violation.below(&at.to_string())));
            let done = line.get("done").and_then(Value::as_bool) == Some(true);
            if done != (at == last) {
                let message = if done { "an end before the last line" } else { "no end" };
                found.push(Violation::new(Rule::Contradiction, format!("{at}.done"), message));
            }
            let count = line.get("eval_count").and_then(Value::as_u64);
            if let Some(count) = count.filter(|count| *count != lines.len() as u64) {
                let message = format!("counts {count} tokens, the stream has {}", lines.len());
                found.push(Violation::new(Rule::WrongCount, format!("{at}.eval_count"), message));
            }
        }
        found
    }
}

impl ChatResponse {
    /// All that is wrong with an answer.
    #[must_use]
    pub fn violations(value: &Value) -> Vec<Violation> {
        all(&CHAT_RESPONSE, value, |value| duration_violation(value).into_iter().collect())
    }
}

impl EmbedResponse {
    /// All that is wrong with an answer.
    #[must_use]
    pub fn violations(value: &Value) -> Vec<Violation> {
        all(&EMBED_RESPONSE, value, |value| {
            let mut found: Vec<Violation> = duration_violation(value).into_iter().collect();
            let vectors = value.get("embeddings").and_then(Value::as_array);
            let lengths = vectors.into_iter().flatten().map(|v| v.as_array().map_or(0, Vec::len));
            let lengths: Vec<usize> = lengths.collect();
            let first = lengths.first().copied().unwrap_or_default();
            for (at, length) in lengths.iter().enumerate().filter(|(_, length)| **length != first) {
                let message = format!("{length} numbers, the first vector has {first}");
                found.push(Violation::new(Rule::WrongCount, format!("embeddings.{at}"), message));
            }
            found
        })
    }
}

impl Conversation {
    /// All that is wrong with a conversation.
    #[must_use]
    pub fn violations(value: &Value) -> Vec<Violation> {
        all(&CONVERSATION, value, |value| {
            let said = value.get("messages").and_then(Value::as_array);
            let said = said.map(Vec::as_slice).unwrap_or_default();
            call_violations(said)
        })
    }
}

/// After a message that calls tools, as many messages of tools follow.
fn call_violations(said: &[Value]) -> Vec<Violation> {
    let is_tool = |message: &Value| message.get("role").and_then(Value::as_str) == Some("tool");
    let calls =
        |message: &Value| message.get("tool_calls").and_then(Value::as_array).map_or(0, Vec::len);
    let mut found = Vec::new();
    let mut at = 0;
    while at < said.len() {
        let called = said.get(at).map_or(0, calls);
        let answers = said.iter().skip(at + 1).take_while(|message| is_tool(message)).count();
        let orphan = at == 0 && said.first().is_some_and(is_tool);
        if called != answers || orphan {
            let message = format!("{called} tools are called, {answers} answer");
            found.push(Violation::new(Rule::WrongCount, format!("messages.{at}"), message));
        }
        at += 1 + answers;
    }
    found
}
