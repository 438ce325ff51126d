//! What a request asks for, whichever API it came by.

use serde_json::{Map, Value};

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Its text.
    pub content: String,
    /// What the assistant thought.
    pub thinking: Option<String>,
    /// Decoded images.
    pub images: Vec<Vec<u8>>,
    /// Tools that the assistant called.
    pub tool_calls: Vec<super::reply::ToolCall>,
    /// Which tool a result is of.
    pub tool_name: Option<String>,
    /// Which call a result is of.
    pub tool_call_id: Option<String>,
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// The name of the function.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Value,
}

/// The shape that an answer must have.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Format {
    /// Any text.
    #[default]
    None,
    /// Any JSON object.
    Json,
    /// An instance of this JSON Schema.
    Schema(Value),
}

/// Whether, and how hard, the model is to think.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Think {
    /// Not at all.
    Off,
    /// As it does by itself.
    On,
    /// `low`, `medium`, `high` or `max`.
    Level(String),
}

/// A request that the model answers with text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ask {
    /// The model, spelt as in the request.
    pub model: String,
    /// The conversation; a prompt is one message of the user, its `system` one before it.
    pub messages: Vec<Message>,
    /// What comes after the gap to fill.
    pub suffix: Option<String>,
    /// The tools on offer.
    pub tools: Vec<Tool>,
    /// The shape wanted.
    pub format: Format,
    /// Thinking, where the request says.
    pub think: Option<Think>,
    /// Whether the model thinks: `think`, or what its capabilities say where that is absent.
    pub thinks: bool,
    /// Options under their native names (`num_predict`, `stop`, `temperature`, …).
    pub options: Map<String, Value>,
    /// Whether a prompt that is too long is cut; it is where the request does not say.
    pub truncate: Option<bool>,
    /// Whether the answer may go on where it fills the context, in place of the oldest tokens; it may
    /// where the request does not say.
    pub shift: Option<bool>,
    /// Tokens that the model attends to, prompt and answer together, where the model is known.
    pub room: Option<u64>,
    /// Whether the answer streams.
    pub stream: bool,
    /// Whether a stream of the OpenAI API ends with its usage.
    pub include_usage: bool,
    /// `raw` of generate: no template, no context.
    pub raw: bool,
    /// `template` of generate, in place of the model's own.
    pub template: Option<String>,
    /// `context` of generate.
    pub context: Vec<i64>,
    /// The answer carries the `context` so far: generate, unless `raw`.
    pub keeps_context: bool,
    /// Log probabilities wanted, with so many alternatives.
    pub logprobs: Option<u8>,
    /// The model had to be loaded for this request.
    pub loads: bool,
    /// A model that cannot think is not told to, and the request passes (`/v1/messages`).
    pub relaxed_think: bool,
    /// What only the API that read the request knows of it, for its own answer.
    pub echo: Map<String, Value>,
}

impl Ask {
    /// The last text of the user; empty where there is none. Messages in a row are one thing that
    /// the user says: an API may make one of each part, and the last part may be an image.
    #[must_use]
    pub fn last_user(&self) -> &str {
        self.last_said().find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// All texts of what the user said last, joined by line ends.
    #[must_use]
    pub fn last_user_whole(&self) -> String {
        let mut texts: Vec<&str> = self.last_said().filter(|text| !text.is_empty()).collect();
        texts.reverse();
        texts.join("\n")
    }

    /// The texts of the last messages of the user in a row, newest first.
    fn last_said(&self) -> impl Iterator<Item = &str> {
        self.messages
            .iter()
            .rev()
            .skip_while(|message| message.role != "user")
            .take_while(|message| message.role == "user")
            .map(|message| message.content.as_str())
    }

    /// The texts of the system, joined by line ends.
    #[must_use]
    pub fn system(&self) -> String {
        let texts: Vec<&str> = self
            .messages
            .iter()
            .filter(|message| message.role == "system")
            .map(|message| message.content.as_str())
            .collect();
        texts.join("\n")
    }

    /// How often the user has spoken: 1 in a conversation's first turn. Messages in a row are one.
    #[must_use]
    pub fn turn(&self) -> usize {
        let starts = |index: usize| {
            let before = index.checked_sub(1).and_then(|before| self.messages.get(before));
            before.is_none_or(|before| before.role != "user")
        };
        let said = self.messages.iter().enumerate().filter(|(_, message)| message.role == "user");
        said.filter(|(index, _)| starts(*index)).count()
    }

    /// The last result of a tool, where it is the newest message of tool or user.
    #[must_use]
    pub fn tool_result(&self) -> Option<&Message> {
        self.messages
            .iter()
            .rev()
            .find(|message| message.role == "tool" || message.role == "user")
            .filter(|message| message.role == "tool")
    }

    /// `num_predict`, where it limits.
    #[must_use]
    pub fn num_predict(&self) -> Option<u64> {
        self.options.get("num_predict").and_then(Value::as_i64).and_then(|n| u64::try_from(n).ok())
    }
}

/// A request for vectors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmbedAsk {
    /// The model, spelt as in the request.
    pub model: String,
    /// The texts.
    pub inputs: Vec<String>,
    /// Whether an input that is too long is cut; it is where the request does not say.
    pub truncate: Option<bool>,
    /// The length of the model's vectors, where the model is known.
    pub length: Option<usize>,
    /// The length wanted.
    pub dimensions: Option<usize>,
    /// Options under their native names.
    pub options: Map<String, Value>,
    /// The model had to be loaded for this request.
    pub loads: bool,
    /// Vectors as base64 of little-endian 32-bit floats (OpenAI's `encoding_format`).
    pub base64: bool,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// Text.
    Text(Box<Ask>),
    /// Vectors.
    Vectors(EmbedAsk),
    /// Nothing of the model: this is the answer (a listing, a pull, a load).
    Done(super::script::Script),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(messages: &[(&str, &str)]) -> Ask {
        let messages = messages.iter().map(|(role, content)| Message {
            role: (*role).to_owned(),
            content: (*content).to_owned(),
            ..Message::default()
        });
        Ask { messages: messages.collect(), ..Ask::default() }
    }

    #[test]
    fn messages_in_a_row_are_one_thing_said() {
        let asked = ask(&[
            ("user", "Hi"),
            ("assistant", "Hello."),
            ("user", "What is this?"),
            ("user", "Look:"),
            ("user", ""),
        ]);
        assert_eq!((asked.last_user(), asked.turn()), ("Look:", 2));
        assert_eq!(asked.last_user_whole(), "What is this?\nLook:");
        let answered = ask(&[("user", "Hi"), ("assistant", "Hello.")]);
        assert_eq!((answered.last_user(), answered.turn()), ("Hi", 1));
        assert_eq!((ask(&[]).last_user(), ask(&[]).turn()), ("", 0));
    }
}
