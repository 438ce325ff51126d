//! Where nodes run: one trace through one graph, within bounds.

mod bounds;
mod written;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::message::Message;
use super::peers::Peers;
use super::violation::Violation;

pub use bounds::{Bounds, ContextError, Limit, MemoryUsage};
pub use written::EXECUTION_CONTEXT;
use written::Written;

/// One trace through one graph: what was visited, what was said, within bounds.
///
/// Nodes see it and do not change it; whoever walks the graph does. A copy shares the messages and
/// the visits until one of the two changes; `config` and `variables` are copied whole, once for
/// every execution, so keep those small.
///
/// ```
/// use flakedb::testkit::nodes::{Bounds, ExecutionContext, Message, Payload};
///
/// let bounds = Bounds { max_messages: 2, ..Bounds::default() };
/// let mut context = ExecutionContext::new("trace-1", "graph").with_bounds(bounds)?;
/// for text in ["one", "two", "three"] {
///     context.add_message(Message::new("trace-1", "user", Payload::text(text)))?;
/// }
/// assert_eq!(context.messages().len(), 2);
/// assert_eq!(context.latest_message().and_then(|m| m.payload.content.as_deref()), Some("three"));
/// # Ok::<(), flakedb::testkit::nodes::ContextError>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct ExecutionContext {
    /// The trace.
    pub trace_id: String,
    /// The graph.
    pub graph_id: String,
    /// When the trace began.
    pub start_time: DateTime<Utc>,
    /// Where it is.
    pub current_node: Option<String>,
    visited_nodes: Arc<Vec<String>>,
    said: Arc<Said>,
    /// Settings of the application.
    pub config: Map<String, Value>,
    /// What expressions find under `variables`.
    pub variables: Map<String, Value>,
    /// Visits so far.
    pub step_count: u64,
    /// Tokens that models read.
    pub total_tokens_in: u64,
    /// Tokens that models wrote.
    pub total_tokens_out: u64,
    bounds: Bounds,
    peers: Option<Arc<dyn Peers>>,
    /// Nodes within whose executions this is.
    depth: usize,
}

/// Messages, and the bytes of each and of all: always the same ones.
#[derive(Clone, Default)]
struct Said {
    messages: Vec<Message>,
    sizes: Vec<usize>,
    total: usize,
}

impl Said {
    fn push(&mut self, message: Message, size: usize) {
        self.messages.push(message);
        self.sizes.push(size);
        self.total += size;
    }

    /// Drops the oldest `count`.
    fn drop_oldest(&mut self, count: usize) {
        self.messages.drain(..count);
        self.total -= self.sizes.drain(..count).sum::<usize>();
    }
}

impl ExecutionContext {
    /// A trace that begins now, with the usual bounds.
    #[must_use]
    pub fn new(trace_id: impl Into<String>, graph_id: impl Into<String>) -> Self {
        Self {
            trace_id: trace_id.into(),
            graph_id: graph_id.into(),
            start_time: Utc::now(),
            current_node: None,
            visited_nodes: Arc::default(),
            said: Arc::default(),
            config: Map::new(),
            variables: Map::new(),
            step_count: 0,
            total_tokens_in: 0,
            total_tokens_out: 0,
            bounds: Bounds::default(),
            peers: None,
            depth: 0,
        }
    }

    /// The same for bounds that no one has checked: those that are too low are raised.
    pub(in crate::testkit::nodes) fn bounded(
        trace_id: impl Into<String>,
        graph_id: impl Into<String>,
        bounds: Bounds,
    ) -> Self {
        Self { bounds: bounds.raised(), ..Self::new(trace_id, graph_id) }
    }

    /// Reads a context.
    ///
    /// # Errors
    /// All that is wrong with it: its fields, messages of another trace, and bounds that do not
    /// hold. Sizes are counted, not believed.
    pub fn from_value(value: &Value) -> Result<Self, Vec<Violation>> {
        EXECUTION_CONTEXT.read::<Written>(value)?.checked()
    }

    /// The same, with nodes that its nodes can reach: a loop its body, a fan-out its targets.
    #[must_use]
    pub fn with_peers(mut self, peers: Arc<dyn Peers>) -> Self {
        self.peers = Some(peers);
        self
    }

    /// The same for a node that another one runs.
    pub(in crate::testkit::nodes) fn deeper(mut self) -> Self {
        self.depth = self.depth.saturating_add(1);
        self
    }

    /// How many nodes run each other down to here.
    pub(in crate::testkit::nodes) const fn depth(&self) -> usize {
        self.depth
    }

    /// The same within other bounds.
    ///
    /// # Errors
    /// [`ContextError::BadBounds`] where a bound is less than it may be, or
    /// [`ContextError::Exceeded`] where the messages that there are do not fit.
    pub fn with_bounds(mut self, bounds: Bounds) -> Result<Self, ContextError> {
        bounds.check()?;
        bounds.hold(&self.said.sizes, self.said.total)?;
        self.bounds = bounds;
        Ok(self)
    }

    /// The bounds.
    #[must_use]
    pub const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The nodes that a node can reach.
    #[must_use]
    pub fn peers(&self) -> Option<&dyn Peers> {
        self.peers.as_deref()
    }

    /// What was said, the oldest first.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.said.messages
    }

    /// What was said last.
    #[must_use]
    pub fn latest_message(&self) -> Option<&Message> {
        self.said.messages.last()
    }

    /// What a node said, the oldest first.
    pub fn messages_from(&self, node: &str) -> impl Iterator<Item = &Message> {
        self.said.messages.iter().filter(move |message| message.source_node == node)
    }

    /// Keeps a message; where it does not fit, the oldest fifth of the others goes, as often as it
    /// takes. Gives back how many went.
    ///
    /// # Errors
    /// Where the message is of another trace, larger than one message may be, or larger than all
    /// together may be. Nothing is changed then.
    pub fn add_message(&mut self, message: Message) -> Result<usize, ContextError> {
        let size = self.fitting(&message)?;
        let Bounds { max_messages, max_total_size_bytes, .. } = self.bounds;
        let said = Arc::make_mut(&mut self.said);
        let before = said.messages.len();
        while !said.messages.is_empty()
            && (said.messages.len() >= max_messages || said.total + size > max_total_size_bytes)
        {
            said.drop_oldest((said.messages.len() / 5).max(1));
        }
        let dropped = before - said.messages.len();
        said.push(message, size);
        Ok(dropped)
    }

    /// Keeps a message, and never drops another for it.
    ///
    /// # Errors
    /// As [`ExecutionContext::add_message`], and where the message does not fit beside the others.
    pub fn keep_message(&mut self, message: Message) -> Result<(), ContextError> {
        let size = self.fitting(&message)?;
        Limit::TotalSize.check(self.said.total + size, self.bounds.max_total_size_bytes)?;
        Limit::MessageCount.check(self.said.messages.len() + 1, self.bounds.max_messages)?;
        Arc::make_mut(&mut self.said).push(message, size);
        Ok(())
    }

    /// The bytes of a message that fits by itself.
    fn fitting(&self, message: &Message) -> Result<usize, ContextError> {
        if message.trace_id != self.trace_id {
            return Err(ContextError::ForeignTrace {
                found: message.trace_id.clone(),
                wanted: self.trace_id.clone(),
            });
        }
        let size = message.size_bytes();
        Limit::MessageSize.check(size, self.bounds.max_message_size_bytes)?;
        Limit::TotalSize.check(size, self.bounds.max_total_size_bytes)?;
        Ok(size)
    }

    /// Drops the oldest messages until `keep` are left; gives back how many went.
    pub fn prune_old_messages(&mut self, keep: usize) -> usize {
        let excess = self.said.messages.len().saturating_sub(keep);
        if excess > 0 {
            Arc::make_mut(&mut self.said).drop_oldest(excess);
        }
        excess
    }

    /// What the messages take.
    #[must_use]
    pub fn memory_usage(&self) -> MemoryUsage {
        MemoryUsage::of(&self.said.sizes, self.said.total, self.bounds)
    }

    /// Where it was, in order, each as often as it was there.
    #[must_use]
    pub fn visited_nodes(&self) -> &[String] {
        &self.visited_nodes
    }

    /// Comes to a node.
    pub fn visit_node(&mut self, node: impl Into<String>) {
        let node = node.into();
        Arc::make_mut(&mut self.visited_nodes).push(node.clone());
        self.current_node = Some(node);
        self.step_count = self.step_count.saturating_add(1);
    }

    /// Whether it was at a node.
    #[must_use]
    pub fn has_visited(&self, node: &str) -> bool {
        self.visited_nodes.iter().any(|visited| visited == node)
    }

    /// How often it was at a node.
    #[must_use]
    pub fn visit_count(&self, node: &str) -> usize {
        self.visited_nodes.iter().filter(|visited| *visited == node).count()
    }

    /// Counts tokens that a model read and wrote.
    pub fn add_tokens(&mut self, tokens_in: u64, tokens_out: u64) {
        self.total_tokens_in = self.total_tokens_in.saturating_add(tokens_in);
        self.total_tokens_out = self.total_tokens_out.saturating_add(tokens_out);
    }

    /// Tokens read and written.
    #[must_use]
    pub const fn total_tokens(&self) -> u64 {
        self.total_tokens_in.saturating_add(self.total_tokens_out)
    }

    /// Milliseconds from the trace's begin to `now`; 0 where it has not begun by then.
    #[must_use]
    pub fn elapsed_ms(&self, now: DateTime<Utc>) -> u64 {
        u64::try_from((now - self.start_time).num_milliseconds()).unwrap_or(0)
    }
}

impl PartialEq for ExecutionContext {
    /// Whether two contexts are written the same: what their nodes can reach does not count.
    fn eq(&self, other: &Self) -> bool {
        Written::from(self.clone()) == Written::from(other.clone())
    }
}

impl fmt::Debug for ExecutionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecutionContext")
            .field("trace_id", &self.trace_id)
            .field("graph_id", &self.graph_id)
            .field("step_count", &self.step_count)
            .field("messages", &self.said.messages.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
