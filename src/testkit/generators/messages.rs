//! Messages.

use serde_json::{Value, json};

use super::generate::{COUNT_MAX, Generate, sizes};
use super::hostile::HostileTexts;
use super::invalid::{Checked, Invalid, of_shape};
use super::source::Stream;
use super::words::{TASKS, one_of, words};
use crate::testkit::nodes::message::MESSAGE;
use crate::testkit::nodes::{Message, MessageMetadata, Payload, ToolCall, ToolResult, Violation};

/// Messages: a task, a content of 5 to 20 words, ids of their own.
///
/// ```
/// use flakedb::testkit::generators::{Generate, Messages, Source};
///
/// let mut source = Source::seeded(7);
/// let messages = Messages::new().trace_id("trace-1").words(3, 3).batch(2, &mut source);
/// assert_eq!(messages[0].trace_id, messages[1].trace_id);
/// assert_ne!(messages[0].message_id, messages[1].message_id);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Messages {
    trace_id: Option<String>,
    source_node: Option<String>,
    target_node: Option<String>,
    task: Option<String>,
    content: Option<String>,
    metadata: MessageMetadata,
    words: (usize, usize),
    hostile: Option<HostileTexts>,
    full: bool,
}

impl Default for Messages {
    fn default() -> Self {
        Self {
            trace_id: None,
            source_node: None,
            target_node: None,
            task: None,
            content: None,
            metadata: MessageMetadata::default(),
            words: (5, 20),
            hostile: None,
            full: false,
        }
    }
}

impl Messages {
    /// A task, a content of 5 to 20 words, ids of their own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All of this trace.
    #[must_use]
    pub fn trace_id(mut self, trace_id: impl Into<String>) -> Self {
        self.trace_id = Some(trace_id.into());
        self
    }

    /// All from this node.
    #[must_use]
    pub fn source_node(mut self, node: impl Into<String>) -> Self {
        self.source_node = Some(node.into());
        self
    }

    /// All for this node.
    #[must_use]
    pub fn target_node(mut self, node: impl Into<String>) -> Self {
        self.target_node = Some(node.into());
        self
    }

    /// All with this task.
    #[must_use]
    pub fn task(mut self, task: impl Into<String>) -> Self {
        self.task = Some(task.into());
        self
    }

    /// All with this content.
    #[must_use]
    pub fn content(mut self, content: impl Into<String>) -> Self {
        self.content = Some(content.into());
        self
    }

    /// All with these facts.
    #[must_use]
    pub fn metadata(mut self, metadata: MessageMetadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Contents of so many words, both ends included, at most [`COUNT_MAX`].
    #[must_use]
    pub fn words(mut self, least: usize, greatest: usize) -> Self {
        self.words = sizes(least, greatest, COUNT_MAX);
        self
    }

    /// Contents that programs get wrong.
    #[must_use]
    pub fn hostile(mut self, texts: HostileTexts) -> Self {
        self.hostile = Some(texts);
        self
    }

    /// With something in every field that messages of models and tools have.
    #[must_use]
    pub fn full(mut self) -> Self {
        self.full = true;
        self
    }

    fn content_of(&self, stream: &mut Stream) -> String {
        match (&self.content, &self.hostile) {
            (Some(content), _) => content.clone(),
            (None, Some(hostile)) => hostile.generate(stream),
            (None, None) => {
                let count = stream.size(self.words);
                words(stream, count)
            }
        }
    }
}

/// `trace-` and sixteen hexadecimal digits.
pub(super) fn trace_id(stream: &mut Stream) -> String {
    named(stream, "trace-", 16)
}

/// A prefix and so many hexadecimal digits.
pub(super) fn named(stream: &mut Stream, prefix: &str, digits: usize) -> String {
    let mut text = String::with_capacity(prefix.len() + digits);
    text.push_str(prefix);
    stream.push_hex(&mut text, digits);
    text
}

impl Generate for Messages {
    type Output = Message;
    const KIND: &'static str = "message";

    fn generate(&self, stream: &mut Stream) -> Message {
        let mut message = Message {
            trace_id: self.trace_id.clone().unwrap_or_else(|| trace_id(stream)),
            message_id: stream.uuid(),
            parent_id: None,
            source_node: match &self.source_node {
                Some(node) => node.clone(),
                None => named(stream, "node.", 8),
            },
            target_node: self.target_node.clone(),
            payload: Payload {
                task: Some(match &self.task {
                    Some(task) => task.clone(),
                    None => one_of(stream, &TASKS).to_owned(),
                }),
                content: Some(self.content_of(stream)),
                ..Payload::default()
            },
            metadata: self.metadata.clone(),
            created_at: stream.moment(),
        };
        if self.full {
            fill(&mut message, stream);
        }
        message
    }
}

fn fill(message: &mut Message, stream: &mut Stream) {
    message.parent_id = Some(stream.uuid());
    message.target_node.get_or_insert_with(|| named(stream, "node.", 8));
    let (left, right) = (stream.integer(1, 99), stream.integer(1, 99));
    let call_id = stream.uuid();
    let input = [("expression".to_owned(), json!(format!("{left} * {right}")))];
    let payload = &mut message.payload;
    payload.structured = [("left", left), ("right", right), ("product", left * right)]
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .into_iter()
        .collect::<serde_json::Map<_, _>>()
        .into();
    payload.route = Some("math".to_owned());
    payload.confidence = Some(hundredths(stream));
    payload.tool_call = Some(ToolCall {
        tool_id: "calculator".to_owned(),
        input: input.into_iter().collect(),
        call_id: call_id.clone(),
    });
    payload.tool_result = Some(ToolResult {
        call_id,
        tool_id: "calculator".to_owned(),
        success: true,
        output: Some(json!(left * right)),
        error: None,
        latency_ms: stream.below(50),
    });
    payload.metadata.insert("route".to_owned(), json!("math"));
    message.metadata = MessageMetadata {
        latency_ms: Some(50 + stream.below(950)),
        model_used: Some("qwen2.5:3b".to_owned()),
        tokens_in: Some(10 + stream.below(90)),
        tokens_out: Some(1 + stream.below(200)),
        quality_score: Some(hundredths(stream)),
        iteration: Some(stream.below(3)),
        retry_count: Some(stream.below(3)),
        is_cached: stream.chance(0.25),
    };
}

/// A number from 0 to 1 with two digits after the point.
pub(super) fn hundredths(stream: &mut Stream) -> f64 {
    stream.integer(0, 100) as f64 / 100.0
}

impl Checked for Messages {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        MESSAGE.violations(value)
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        of_shape(&MESSAGE, good)
    }
}
