//! What a server says.

use serde_json::{Map, Value};

use super::OllamaError;

/// Characters of an answer in an error, at most: some of Ollama's refusals are long, and worth it.
const SHOWN_MAX: usize = 500;

/// An answer, whole. Counts and times that a server leaves out are absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The model that wrote it.
    pub model: Option<String>,
    /// The text.
    pub text: String,
    /// What the model thought before.
    pub thinking: String,
    /// The calls of tools that it asks for.
    pub tool_calls: Vec<RequestedCall>,
    /// Why it ends: `stop`, `length`.
    pub done_reason: Option<String>,
    /// Tokens that the model read.
    pub tokens_in: Option<u64>,
    /// Tokens that the model wrote.
    pub tokens_out: Option<u64>,
    /// What all of it took, in nanoseconds.
    pub total_duration_ns: Option<u64>,
    /// What writing took, in nanoseconds.
    pub eval_duration_ns: Option<u64>,
    /// The logarithm of each token's probability, where that was asked for.
    pub logprobs: Vec<f64>,
}

/// A call of a tool that a model asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestedCall {
    /// The tool.
    pub name: String,
    /// What it is given.
    pub arguments: Map<String, Value>,
}

impl Reply {
    /// How likely the text is, 0 to 1: the mean over its tokens; none where the server does not
    /// say.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        let count = self.logprobs.len();
        let sum: f64 = self.logprobs.iter().sum();
        (count > 0).then(|| libm::exp(sum / count as f64).clamp(0.0, 1.0))
    }

    fn add(&mut self, line: &Value) {
        let text = |at: &str| line.pointer(at).and_then(Value::as_str);
        let count = |key: &str| line.get(key).and_then(Value::as_u64);
        let said = text("/response").or_else(|| text("/message/content")).unwrap_or_default();
        self.text.push_str(said);
        let thought = text("/thinking").or_else(|| text("/message/thinking")).unwrap_or_default();
        self.thinking.push_str(thought);
        let calls = line.pointer("/message/tool_calls").and_then(Value::as_array);
        self.tool_calls.extend(calls.into_iter().flatten().filter_map(call));
        let tokens = line.get("logprobs").and_then(Value::as_array).into_iter().flatten();
        self.logprobs.extend(tokens.filter_map(|token| token.get("logprob")?.as_f64()));
        self.model = text("/model").map(str::to_owned).or(self.model.take());
        self.done_reason = text("/done_reason").map(str::to_owned).or(self.done_reason.take());
        self.tokens_in = count("prompt_eval_count").or(self.tokens_in);
        self.tokens_out = count("eval_count").or(self.tokens_out);
        self.total_duration_ns = count("total_duration").or(self.total_duration_ns);
        self.eval_duration_ns = count("eval_duration").or(self.eval_duration_ns);
    }
}

fn call(value: &Value) -> Option<RequestedCall> {
    let function = value.get("function")?;
    let arguments = function.get("arguments").and_then(Value::as_object).cloned();
    Some(RequestedCall {
        name: function.get("name")?.as_str()?.to_owned(),
        arguments: arguments.unwrap_or_default(),
    })
}

/// Reads an answer, one object or one object a line.
pub(super) fn read(bytes: &[u8], url: &str) -> Result<Reply, OllamaError> {
    let not_ollama = |reason: String| OllamaError::NotOllama { url: url.to_owned(), reason };
    let mut reply = Reply::default();
    let mut done = false;
    for line in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        let line = match line {
            Ok(line) if line.is_object() => line,
            Ok(_) => return Err(not_ollama("it is no object".to_owned())),
            Err(error) if error.is_eof() => {
                return Err(OllamaError::Unfinished { url: url.to_owned() });
            }
            Err(error) => return Err(not_ollama(format!("it is no JSON: {error}"))),
        };
        if let Some(message) = line.get("error").and_then(Value::as_str) {
            let message = message.chars().take(SHOWN_MAX).collect();
            return Err(OllamaError::GaveUp { url: url.to_owned(), message });
        }
        if line.get("response").or(line.get("message")).is_none() {
            return Err(not_ollama("it has neither `response` nor `message`".to_owned()));
        }
        reply.add(&line);
        done = line.get("done").and_then(Value::as_bool).unwrap_or(false);
    }
    match done {
        true => Ok(reply),
        false => Err(OllamaError::Unfinished { url: url.to_owned() }),
    }
}

/// The words of an answer that is a refusal.
pub(super) fn refusal(bytes: &[u8]) -> String {
    let json: Option<Value> = serde_json::from_slice(bytes).ok();
    if let Some(message) = json.as_ref().and_then(|json| json.get("error")?.as_str()) {
        return message.chars().take(SHOWN_MAX).collect();
    }
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    match text.is_empty() {
        true => "it says nothing more".to_owned(),
        false => text.chars().take(SHOWN_MAX).collect(),
    }
}
