//! The types of nodes, each run as a graph would run it.

mod fanout;
mod points;
mod repeat;
mod timeout;
mod transform;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::BUILT_IN;
use crate::testkit::nodes::{
    Environment, ExecutionContext, Message, Node, NodeCore, NodeDefinition, NodeError, NodeResult,
    NodeTable, NodeType, Payload, Registry, Rule, async_trait,
};

fn definition(node_type: NodeType, config: Value) -> NodeDefinition {
    NodeDefinition::new("under.test", node_type).config(config)
}

fn made(node_type: NodeType, config: Value) -> Arc<dyn Node> {
    let registry = Registry::built_in(Environment::default());
    registry.create(&definition(node_type, config)).unwrap()
}

/// What is wrong with the settings of a node.
fn refused(node_type: NodeType, config: Value) -> Vec<(Rule, String)> {
    let registry = Registry::built_in(Environment::default());
    match registry.create(&definition(node_type, config)) {
        Err(NodeError::Invalid { violations, .. }) => {
            violations.into_iter().map(|found| (found.rule, found.at)).collect()
        }
        other => panic!("should be refused: {other:?}"),
    }
}

/// Adds settings to others.
fn with(settings: &mut Value, more: Value) {
    let Value::Object(more) = more else { unreachable!() };
    settings.as_object_mut().unwrap().extend(more);
}

fn content(text: &str) -> Message {
    Message::new("trace", "user", Payload::text(text))
}

/// Runs a node alone.
fn run(node: &Arc<dyn Node>, message: &Message, peers: Vec<Arc<dyn Node>>) -> NodeResult {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let context =
        ExecutionContext::new("trace", "graph").with_peers(Arc::new(NodeTable::new(peers)));
    let before = message.clone();
    let result = runtime.block_on(node.execute(message, &context));
    assert_eq!(*message, before, "the message was left alone");
    for said in &result.output_messages {
        assert_eq!((said.trace_id.as_str(), said.source_node.as_str()), ("trace", "under.test"));
        assert_eq!(said.parent_id.as_ref(), Some(&message.message_id));
    }
    assert_eq!(result.success, result.error.is_none());
    result
}

fn said(result: &NodeResult) -> Option<&str> {
    assert_eq!(result.error, None);
    result.output_messages.last()?.payload.content.as_deref()
}

/// A peer that does what a closure says, and counts how often it was asked and is done.
struct Peer<F> {
    core: NodeCore,
    delay: Duration,
    /// The first turn that takes the delay.
    slow_from: usize,
    begun: AtomicUsize,
    does: F,
}

impl<F> std::fmt::Debug for Peer<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<Peer {:?}>", self.core)
    }
}

impl<F: Fn(usize, &Message) -> NodeResult + Send + Sync + 'static> Peer<F> {
    fn slow(id: &str, delay: Duration, does: F) -> Arc<Self> {
        Self::slow_from(1, id, delay, does)
    }

    fn slow_from(slow_from: usize, id: &str, delay: Duration, does: F) -> Arc<Self> {
        let definition = NodeDefinition::new(id, NodeType::Custom("peer".to_owned()));
        let core = NodeCore::new(definition);
        Arc::new(Self { core, delay, slow_from, begun: AtomicUsize::new(0), does })
    }

    fn new(id: &str, does: F) -> Arc<Self> {
        Self::slow(id, Duration::ZERO, does)
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl<F: Fn(usize, &Message) -> NodeResult + Send + Sync + 'static> Node for Peer<F> {
    fn core(&self) -> &NodeCore {
        &self.core
    }

    async fn execute(&self, message: &Message, _: &ExecutionContext) -> NodeResult {
        let turn = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        if turn >= self.slow_from && !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        (self.does)(turn, message)
    }
}

/// A peer's answer.
fn answer(message: &Message, content: &str) -> NodeResult {
    NodeResult::said(message.child("peer").content(content).build())
}

/// Longer than any limit of these tests; nothing waits for it.
const NEVER: Duration = Duration::from_secs(3_600);

#[test]
fn every_type_makes_a_node_of_its_own_type_and_shows_its_settings() {
    let registry = Registry::built_in(Environment::default());
    let types: Vec<&NodeType> = registry.types().collect();
    assert_eq!(types, BUILT_IN.iter().map(|built_in| &built_in.node_type).collect::<Vec<_>>());
    let shapes: BTreeSet<&str> = BUILT_IN.iter().map(|built_in| built_in.shape.name).collect();
    assert_eq!(shapes.len(), BUILT_IN.len(), "no two types share a shape");
    for built_in in &BUILT_IN {
        for common in ["timeout_ms", "retry_count", "retry_delay_ms"] {
            assert!(built_in.shape.field(common).is_some(), "{common} of {}", built_in.node_type);
        }
        let node = definition(built_in.node_type.clone(), json!({"no_such_setting": 1}));
        let error = registry.create(&node).unwrap_err().to_string();
        assert!(error.contains("(unknown_key)"), "{error}");
    }
}

#[test]
fn a_node_that_runs_others_fails_for_good_where_there_are_none() {
    for (node_type, config) in [
        (NodeType::Loop, json!({"body_node": "peer", "fixed_count": 1, "retry_count": 3})),
        (NodeType::DynamicFanout, json!({"target_nodes": ["peer"], "retry_count": 3})),
        (NodeType::Timeout, json!({"inner_node": "peer", "retry_count": 3})),
    ] {
        let node = made(node_type, config);
        let result = run(&node, &content("x"), Vec::new());
        assert_eq!(result.error.as_deref(), Some("Node 'peer' cannot be run: there is none"));
        assert_eq!(result.metadata.get("attempts"), None);
    }
}

#[test]
fn a_node_that_runs_itself_fails_at_some_depth() {
    for (node_type, config) in [
        (NodeType::Loop, json!({"body_node": "under.test", "fixed_count": 1})),
        (NodeType::DynamicFanout, json!({"target_nodes": ["under.test"]})),
        (NodeType::Timeout, json!({"inner_node": "under.test"})),
    ] {
        let node = made(node_type, config);
        let error = run(&node, &content("x"), vec![node.clone()]).error.unwrap_or_default();
        assert!(error.ends_with("Nodes run nodes more than 16 deep"), "{error}");
        assert_eq!(node.stats().total_executions, 16, "and the one that the test runs");
    }
}
