//! Execution contexts.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::generate::{COUNT_MAX, Generate, sizes};
use super::invalid::{Checked, Invalid, of_shape, with};
use super::messages::{Messages, named, trace_id};
use super::source::Stream;
use crate::testkit::nodes::context::{Bounds, EXECUTION_CONTEXT};
use crate::testkit::nodes::{ExecutionContext, Message, Rule, Violation};

/// Contexts of traces that are on their way: each message answers the one before it, was said by
/// the node that was visited then, and counts in the totals.
///
/// ```
/// use flakedb::testkit::generators::{Contexts, Generate, Source};
///
/// let context = Contexts::new().messages(3, 3).one(&mut Source::seeded(7));
/// assert_eq!(context.messages().len(), 3);
/// assert_eq!(context.step_count, 3);
/// assert_eq!(context.messages()[1].parent_id, Some(context.messages()[0].message_id.clone()));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Contexts {
    trace_id: Option<String>,
    graph_id: Option<String>,
    variables: Map<String, Value>,
    config: Map<String, Value>,
    messages: (usize, usize),
    bounds: Bounds,
    content: Messages,
}

impl Default for Contexts {
    /// No messages to five, the usual bounds, no variables.
    fn default() -> Self {
        Self {
            trace_id: None,
            graph_id: None,
            variables: Map::new(),
            config: Map::new(),
            messages: (0, 5),
            bounds: Bounds::default(),
            content: Messages::new(),
        }
    }
}

impl Contexts {
    /// No messages to five, the usual bounds, no variables.
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

    /// All of this graph.
    #[must_use]
    pub fn graph_id(mut self, graph_id: impl Into<String>) -> Self {
        self.graph_id = Some(graph_id.into());
        self
    }

    /// With a variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// With a setting of the application.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.config.insert(name.into(), value.into());
        self
    }

    /// With so many messages, both ends included, at most [`COUNT_MAX`], as far as the bounds let
    /// them in.
    #[must_use]
    pub fn messages(mut self, least: usize, greatest: usize) -> Self {
        self.messages = sizes(least, greatest, COUNT_MAX);
        self
    }

    /// With messages that this generator makes; their traces and nodes are the context's.
    #[must_use]
    pub fn like(mut self, messages: Messages) -> Self {
        self.content = messages;
        self
    }

    /// Within these bounds; where one is less than it may be, within the usual ones.
    #[must_use]
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Says one more message, as the node that is visited now.
    fn say(&self, context: &mut ExecutionContext, at: usize, stream: &mut Stream) {
        let node = format!("node{at}");
        let mut message = self.content.generate(stream);
        message.trace_id.clone_from(&context.trace_id);
        message.source_node.clone_from(&node);
        message.parent_id = context.latest_message().map(|before| before.message_id.clone());
        let before = context.latest_message().map_or(context.start_time, |last| last.created_at);
        message.created_at = before + TimeDelta::milliseconds(1 + stream.below(500) as i64);
        let (tokens_in, tokens_out) = (10 + stream.below(90), 1 + stream.below(200));
        message.metadata.tokens_in = Some(tokens_in);
        message.metadata.tokens_out = Some(tokens_out);
        // What the bounds do not let in is not said: a context never exceeds them.
        if context.keep_message(message).is_ok() {
            context.visit_node(node);
            context.add_tokens(tokens_in, tokens_out);
        }
    }
}

impl Generate for Contexts {
    type Output = ExecutionContext;
    const KIND: &'static str = "context";

    fn generate(&self, stream: &mut Stream) -> ExecutionContext {
        let trace = self.trace_id.clone().unwrap_or_else(|| trace_id(stream));
        let graph = self.graph_id.clone().unwrap_or_else(|| named(stream, "graph.", 8));
        let mut context = ExecutionContext::new(trace, graph);
        context.start_time = stream.moment();
        context.variables.clone_from(&self.variables);
        context.config.clone_from(&self.config);
        let mut context = context.clone().with_bounds(self.bounds).unwrap_or(context);
        for at in 0..stream.size(self.messages) {
            self.say(&mut context, at, stream);
        }
        context
    }
}

impl Checked for Contexts {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        ExecutionContext::from_value(value).err().unwrap_or_default()
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        let mut found = of_shape(&EXECUTION_CONTEXT, good);
        let said = good.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
        let trace = good.get("trace_id").and_then(Value::as_str).unwrap_or_default();
        let more = |trace: &str, contents: &[String]| {
            let more = contents.iter().enumerate().map(|(at, content)| message(trace, at, content));
            with(good, "messages", said.iter().cloned().chain(more).collect())
        };
        let mut add = |rule, at: String, value| found.push(Invalid::new(rule, at, value));
        // Of the bounds, one is too tight at most.
        let bounded = |value: &Value, bound: &str, most: usize| {
            BOUNDS.iter().fold(value.clone(), |value, name| {
                with(&value, name, json!(if *name == bound { most } else { WIDE }))
            })
        };
        let next = said.len();
        let foreign = more(&format!("not-{trace}"), &["text".to_owned()]);
        add(Rule::ForeignTrace, format!("messages.{next}.trace_id"), bounded(&foreign, "", WIDE));
        let size = |message: &Value| message.to_string().len();
        let largest = said.iter().map(size).max().unwrap_or_default().max(LEAST_BYTES);
        let larger = more(trace, &["x".repeat(largest)]);
        let larger = bounded(&larger, "max_message_size_bytes", largest);
        add(Rule::MessageSize, format!("messages.{next}"), larger);
        let (one, another) = ("x".repeat(LEAST_BYTES / 2), "y".repeat(LEAST_BYTES / 2));
        let both = more(trace, &[one, another]);
        let total = bounded(&both, "max_total_size_bytes", LEAST_BYTES);
        add(Rule::TotalSize, "messages".to_owned(), total);
        let count = bounded(&both, "max_messages", next + 1);
        add(Rule::MessageCount, "messages".to_owned(), count);
        found
    }
}

/// The least that a bound on bytes may be.
const LEAST_BYTES: usize = 1_024;
/// A bound that nothing generated exceeds.
const WIDE: usize = i32::MAX as usize;
const BOUNDS: [&str; 3] = ["max_messages", "max_message_size_bytes", "max_total_size_bytes"];

fn message(trace: &str, at: usize, content: &str) -> Value {
    let message = Message {
        trace_id: trace.to_owned(),
        message_id: format!("00000000-0000-4000-8000-{at:012}"),
        parent_id: None,
        source_node: "spoiler".to_owned(),
        target_node: None,
        payload: crate::testkit::nodes::Payload::text(content),
        metadata: crate::testkit::nodes::MessageMetadata::default(),
        created_at: chrono::DateTime::UNIX_EPOCH,
    };
    serde_json::to_value(message).unwrap_or_default()
}
