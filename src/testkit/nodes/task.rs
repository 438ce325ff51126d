//! Tasks and answers, as those outside of a graph see them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::field::{Extra, Field, Kind, Literal, Shape};
use super::message::{Message, Payload};
use super::violation::{Violation, joined};

/// A task from outside. Other keys are left out, as whoever asks may know of more.
///
/// ```
/// use flakedb::testkit::nodes::TaskPayload;
///
/// assert!(TaskPayload::new("2 + 2?").message().is_ok());
/// assert!(TaskPayload::new("").message().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskPayload {
    /// What is asked, 1 to 50,000 characters.
    pub content: String,
    /// Data that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
    /// How it is to be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Map<String, Value>>,
}

/// The fields of a [`TaskPayload`].
pub static TASK_PAYLOAD: Shape = Shape {
    name: "task",
    extra: Extra::Kept,
    fields: &[
        Field::required("content", Kind::Length(1, 50_000)),
        Field::optional("context", Kind::Map),
        Field::optional("options", Kind::Map),
    ],
};

/// What a graph answers. Other keys are left out where it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskResponse {
    /// The trace; empty where the task was refused before there was one.
    pub trace_id: String,
    /// Whether it is an answer.
    pub success: bool,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured: Option<Map<String, Value>>,
    /// Why there is no answer; never empty where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it took, in milliseconds, rounded up.
    pub total_latency_ms: u64,
    /// Executions of nodes.
    pub nodes_executed: u64,
    /// Tokens that models read and wrote.
    #[serde(default)]
    pub tokens_used: u64,
}

const COUNT: Kind = Kind::Integer(0, i64::MAX);

/// The fields of a [`TaskResponse`].
pub static TASK_RESPONSE: Shape = Shape {
    name: "answer to a task",
    extra: Extra::Kept,
    fields: &[
        Field::required("trace_id", Kind::Text),
        Field::required("success", Kind::Boolean),
        Field::optional("content", Kind::Text),
        Field::optional("structured", Kind::Map),
        Field::optional("error", Kind::Length(1, usize::MAX)),
        Field::required("total_latency_ms", COUNT),
        Field::required("nodes_executed", COUNT),
        Field::default("tokens_used", COUNT, Literal::Integer(0)),
    ],
};

impl TaskPayload {
    /// A task without data and options.
    #[must_use]
    pub fn new(content: impl Into<String>) -> Self {
        Self { content: content.into(), context: None, options: None }
    }

    /// Reads a task.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn from_value(value: &Value) -> Result<Self, Vec<Violation>> {
        TASK_PAYLOAD.read(value)
    }

    /// The task as a message of a new trace: what is asked is its content, the data that belongs to
    /// it its structured part; the options are in its metadata under `options`.
    ///
    /// # Errors
    /// Where the content is too short or too long.
    pub fn message(&self) -> Result<Message, Vec<Violation>> {
        let kind = TASK_PAYLOAD.field("content").map(|field| field.kind);
        let content = Value::from(self.content.as_str());
        let found = kind.map(|kind| kind.violations(&content)).unwrap_or_default();
        if !found.is_empty() {
            return Err(found.into_iter().map(|broken| broken.below("content")).collect());
        }
        let mut payload = Payload::text(&self.content);
        payload.structured = self.context.clone();
        if let Some(options) = &self.options {
            payload.metadata.insert("options".to_owned(), Value::Object(options.clone()));
        }
        Ok(Message::new(Uuid::new_v4().to_string(), "user", payload))
    }
}

impl TaskResponse {
    /// The answer to a task that is none.
    #[must_use]
    pub fn refused(violations: &[Violation]) -> Self {
        let why = joined(violations);
        Self {
            trace_id: String::new(),
            success: false,
            content: None,
            structured: None,
            error: Some(format!("not a task: {why}")),
            total_latency_ms: 0,
            nodes_executed: 0,
            tokens_used: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tasks_and_answers_may_say_more_than_is_known() {
        let task = TaskPayload::from_value(&json!({"content": "2 + 2?", "priority": 1})).unwrap();
        assert_eq!(task, TaskPayload::new("2 + 2?"));
        let answer = json!({
            "trace_id": "t", "success": true, "content": "4", "total_latency_ms": 1,
            "nodes_executed": 3, "cost": 0.1,
        });
        assert_eq!(TASK_RESPONSE.violations(&answer), []);
        let answer: TaskResponse = serde_json::from_value(answer).unwrap();
        assert_eq!((answer.content.as_deref(), answer.tokens_used), (Some("4"), 0));
    }
}
