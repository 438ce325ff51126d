//! What a server is asked.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::reply::RequestedCall;

/// How a model is to write. What is absent is the model's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Options {
    /// 0 is always the likeliest token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Tokens, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_predict: Option<u64>,
}

/// A prompt to be completed, as `POST /api/generate` takes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Generate {
    /// The model.
    pub model: String,
    /// The prompt.
    pub prompt: String,
    /// What the model is told before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Whether the server sends the answer while it is made. It comes back whole in any case.
    pub stream: bool,
    /// `"json"` or a JSON schema that the answer must fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Value>,
    /// How to write.
    pub options: Options,
    /// Whether to say how likely each token was (Ollama 0.12.11 and later).
    #[serde(skip_serializing_if = "is_false")]
    pub logprobs: bool,
}

/// A conversation to be gone on with, as `POST /api/chat` takes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Chat {
    /// The model.
    pub model: String,
    /// What was said, the oldest first.
    pub messages: Vec<ChatMessage>,
    /// The tools on offer, as `{"type": "function", "function": {...}}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Value>,
    /// As for [`Generate::stream`].
    pub stream: bool,
    /// How to write.
    pub options: Options,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatMessage {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: &'static str,
    /// The text.
    pub content: String,
    /// The calls that an assistant asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Value>,
    /// Whose result a tool's message is.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(truth: &bool) -> bool {
    !truth
}

impl ChatMessage {
    fn of(role: &'static str, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), tool_calls: Vec::new(), tool_name: None }
    }

    /// What the model is told before all.
    #[must_use]
    pub fn system(content: impl Into<String>) -> Self {
        Self::of("system", content)
    }

    /// What the user says.
    #[must_use]
    pub fn user(content: impl Into<String>) -> Self {
        Self::of("user", content)
    }

    /// What the model said, and the calls that it asked for.
    #[must_use]
    pub fn assistant(content: impl Into<String>, calls: &[RequestedCall]) -> Self {
        let calls = calls.iter().map(
            |RequestedCall { name, arguments }| json!({"function": {"name": name, "arguments": arguments}}),
        );
        Self { tool_calls: calls.collect(), ..Self::of("assistant", content) }
    }

    /// What a tool gave back.
    #[must_use]
    pub fn tool(name: impl Into<String>, content: impl Into<String>) -> Self {
        Self { tool_name: Some(name.into()), ..Self::of("tool", content) }
    }
}

impl Chat {
    /// The same with a tool on offer.
    #[must_use]
    pub fn offer(mut self, name: &str, description: &str, parameters: &Value) -> Self {
        let function = Map::from_iter([
            ("name".to_owned(), json!(name)),
            ("description".to_owned(), json!(description)),
            ("parameters".to_owned(), parameters.clone()),
        ]);
        self.tools.push(json!({"type": "function", "function": function}));
        self
    }
}
