//! What the model says, before it has the shape of any API.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A call of a tool, as the model makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The name of the function.
    pub name: String,
    /// Its arguments by name.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// `call_` and 8 characters; derived from the request where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It had said everything, or met a stop text.
    #[default]
    Stop,
    /// It reached `num_predict` (`max_tokens`).
    Length,
}

/// Everything that one request is answered with, whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// The answer.
    pub text: String,
    /// What was thought before it.
    pub thinking: Option<String>,
    /// The tools called after it.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ends; `None`: as `num_predict` and `stop` of the request have it.
    pub finish: Option<Finish>,
    /// Tokens of the prompt; `None`: counted.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer; `None`: counted.
    pub completion_tokens: Option<u64>,
    /// The pieces in which `text` streams; `None`: token by token.
    pub chunks: Option<Vec<String>>,
    /// Vectors in place of text, one for each input.
    pub embeddings: Option<Vec<Vec<f32>>>,
}

/// One step of a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// What comes.
    pub part: Part,
    /// When, after the request was read, in nominal time.
    pub at: std::time::Duration,
    /// The tokens of it, where the request asked for log probabilities.
    pub logprobs: Vec<TokenLogprob>,
}

/// What one step brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Thinking.
    Thinking(String),
    /// Text.
    Text(String),
    /// A whole tool call, its id given.
    Call(ToolCall),
}

/// A token and how likely it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenLogprob {
    /// The token.
    pub token: String,
    /// Natural logarithm of its probability, at most 0.
    pub logprob: f64,
    /// Its bytes in UTF-8.
    pub bytes: Vec<u8>,
    /// The likeliest tokens in its place, itself first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub top_logprobs: Vec<TokenLogprob>,
}

/// What the model's work took, in nominal time; the parts add up to the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metrics {
    /// Everything, in nanoseconds.
    pub total_duration: u64,
    /// Loading the model.
    pub load_duration: u64,
    /// Tokens of the prompt.
    pub prompt_eval_count: u64,
    /// Reading the prompt.
    pub prompt_eval_duration: u64,
    /// Tokens of the answer, thinking and calls among them.
    pub eval_count: u64,
    /// Writing the answer.
    pub eval_duration: u64,
}

/// A reply as it is played: steps in time, and what they took.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Performance {
    /// The steps, in order of time.
    pub pieces: Vec<Piece>,
    /// Why it ends.
    pub finish: Finish,
    /// When its last line comes, in nominal time.
    pub ends_at: std::time::Duration,
    /// What it took.
    pub metrics: Metrics,
    /// `context` of the native API: ids of the tokens so far.
    pub context: Vec<i64>,
}

impl Performance {
    /// All text of it, joined.
    #[must_use]
    pub fn text(&self) -> String {
        self.pieces
            .iter()
            .filter_map(|piece| match &piece.part {
                Part::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// All thinking of it, joined.
    #[must_use]
    pub fn thinking(&self) -> String {
        self.pieces
            .iter()
            .filter_map(|piece| match &piece.part {
                Part::Thinking(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The tool calls of it.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.pieces.iter().filter_map(|piece| match &piece.part {
            Part::Call(call) => Some(call),
            _ => None,
        })
    }

    /// All log probabilities of it, joined.
    #[must_use]
    pub fn logprobs(&self) -> Vec<TokenLogprob> {
        self.pieces.iter().flat_map(|piece| piece.logprobs.iter().cloned()).collect()
    }
}
