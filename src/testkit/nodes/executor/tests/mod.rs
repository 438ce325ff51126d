//! Walks, with nodes whose work is known.

mod bounds;
mod calls;
mod counts;
mod ways;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Executor, GraphError, Limits, Outcome, Step};
use crate::testkit::nodes::{
    Bounds, Environment, ExecutionContext, GraphDefinition, Message, Node, NodeCore,
    NodeDefinition, NodeResult, NodeStats, NodeType, Payload, Registry, Rule, async_trait,
};

/// A node that appends its id to the content. Its settings say what it does besides: `next`
/// (where it goes on), `fail`, `sleep_ms`, `busy_ms` (lets no others go on), `yields`
/// (how often it lets others go on), `said`
/// (messages, 1 at first), `size` (bytes more), `trace` (another trace than it should be).
#[derive(Debug)]
struct Stage {
    core: NodeCore,
    running: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Stage {
    fn setting(&self, name: &str) -> Option<&Value> {
        self.core.definition().config.get(name)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.setting(name).and_then(Value::as_u64)
    }
}

#[async_trait]
impl Node for Stage {
    fn core(&self) -> &NodeCore {
        &self.core
    }

    async fn execute(&self, message: &Message, context: &ExecutionContext) -> NodeResult {
        assert_eq!(context.current_node.as_deref(), Some(self.id()));
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        for _ in 0..self.number("yields").unwrap_or(0) {
            tokio::task::yield_now().await;
        }
        if let Some(delay) = self.number("sleep_ms") {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if let Some(busy) = self.number("busy_ms") {
            std::thread::sleep(Duration::from_millis(busy));
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        if let Some(why) = self.setting("fail").and_then(Value::as_str) {
            return NodeResult { latency_ms: 2, ..NodeResult::failed(why) };
        }
        let more = "x".repeat(self.number("size").unwrap_or(0) as usize);
        let content = format!("{}>{}{more}", message.payload.question(), self.id());
        let mut said = message.child(self.id()).content(content).build();
        if let Some(trace) = self.setting("trace").and_then(Value::as_str) {
            said.trace_id = trace.to_owned();
        }
        said.metadata.tokens_in = Some(3);
        said.metadata.tokens_out = Some(1);
        let count = self.number("said").unwrap_or(1) as usize;
        let next = self.setting("next").and_then(Value::as_array).into_iter().flatten();
        NodeResult {
            success: true,
            output_messages: vec![said; count],
            latency_ms: 1,
            ..NodeResult::default()
        }
        .next(next.filter_map(Value::as_str))
    }
}

/// The built-in types and `stage`; gives also how many stages were running at a time at most.
fn registry() -> (Registry, Arc<AtomicUsize>) {
    let mut registry = Registry::built_in(Environment::default());
    let (running, peak) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let most = peak.clone();
    let make = move |definition: &NodeDefinition, _: &Environment| {
        let core = NodeCore::new(definition.clone());
        let stage = Stage { core, running: running.clone(), peak: peak.clone() };
        Ok(Arc::new(stage) as Arc<dyn Node>)
    };
    registry.register(NodeType::Custom("stage".to_owned()), make).unwrap();
    (registry, most)
}

/// A graph from `in` to `out` with these nodes between; an edge is two or three words: from, to,
/// condition.
fn graph(nodes: &[(&str, Value)], edges: &[&[&str]]) -> GraphDefinition {
    let mut all = vec![json!({"id": "in", "type": "entry"}), json!({"id": "out", "type": "exit"})];
    all.extend(nodes.iter().map(|(id, config)| {
        let mut config = config.clone();
        let node_type = config.as_object_mut().and_then(|config| config.remove("type"));
        json!({"id": id, "type": node_type.unwrap_or("stage".into()), "config": config})
    }));
    let edges: Vec<Value> = edges
        .iter()
        .map(|edge| json!({"from_node": edge[0], "to_node": edge[1], "condition": edge.get(2)}))
        .collect();
    let graph = json!({"id": "g", "version": "1.0.0", "name": "G", "nodes": all, "edges": edges,
        "entry_points": ["in"], "exit_points": ["out"], "allow_cycles": true});
    GraphDefinition::from_value(&graph).unwrap()
}

fn executor(nodes: &[(&str, Value)], edges: &[&[&str]]) -> Executor {
    Executor::new(graph(nodes, edges), &registry().0).unwrap()
}

fn message() -> Message {
    Message::new("trace", "user", Payload::text("q"))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

fn walked(executor: &Executor) -> Outcome {
    let outcome = block_on(executor.run(message()));
    check(executor, &outcome);
    outcome
}

/// What holds for every first walk of an executor, however it ended.
fn check(executor: &Executor, outcome: &Outcome) {
    let (steps, limits) = (&outcome.steps, executor.limits());
    assert!(steps.len() as u64 <= limits.steps);
    assert!(steps.is_sorted_by(|one, next| one.path < next.path), "places differ and are sorted");
    assert!(steps.is_sorted_by_key(|step| step.wave));
    // Counts of the nodes, and the context's, are the trace's.
    let counts = |stats: NodeStats| {
        (stats.last_execution.is_some(), NodeStats { last_execution: None, ..stats })
    };
    let recounted = outcome.stats();
    for (id, stats) in executor.stats() {
        let trace = recounted.get(&id).cloned().unwrap_or_default();
        assert_eq!(counts(stats), counts(trace), "{id}");
    }
    let context = &outcome.context;
    let nodes: Vec<&str> = steps.iter().map(|step| step.node.as_str()).collect();
    assert_eq!(context.visited_nodes(), nodes);
    assert_eq!(context.step_count, nodes.len() as u64);
    assert_eq!(context.total_tokens_in, steps.iter().map(|step| step.tokens_in).sum::<u64>());
    // The context read again is the same, so its bounds hold.
    let written = serde_json::to_value(context).unwrap();
    assert_eq!(ExecutionContext::from_value(&written).as_ref(), Ok(context));
    for node in executor.graph().nodes.iter().map(|node| node.id.as_str()) {
        let visits = steps.iter().filter(|step| step.node == node && !step.is_call()).count();
        assert!(visits as u64 <= limits.visits_per_node);
    }
    assert_eq!(outcome.success(), outcome.error().is_none());
}

fn nodes(outcome: &Outcome) -> Vec<&str> {
    outcome.steps.iter().map(|step: &Step| step.node.as_str()).collect()
}

fn content(outcome: &Outcome) -> &str {
    outcome.answer().and_then(|answer| answer.payload.content.as_deref()).unwrap_or_default()
}

#[test]
fn all_that_is_wrong_with_a_graph_and_its_nodes_is_told_at_once() {
    let mut broken = graph(&[], &[&["in", "out"]]);
    broken.nodes[1].config.insert("status".to_owned(), "done".into());
    broken.nodes.push(NodeDefinition::new("x", NodeType::Custom("unheard".to_owned())));
    let GraphError { violations, graph_id } = Executor::new(broken, &registry().0).unwrap_err();
    let found: Vec<(Rule, &str)> = violations.iter().map(|it| (it.rule, &*it.at)).collect();
    assert_eq!(
        found,
        [
            (Rule::Unreachable, "nodes.2"),
            (Rule::NotAChoice, "nodes.1.config.status"),
            (Rule::NotAChoice, "nodes.2.type"),
        ]
    );
    assert_eq!(graph_id, "g");
}

#[test]
fn an_executor_has_default_limits_and_takes_others() {
    let executor = executor(&[], &[&["in", "out"]]);
    assert_eq!(executor.limits(), &Limits::default());
    let bounds = Bounds { max_messages: 0, max_message_size_bytes: 0, max_total_size_bytes: 0 };
    let executor = executor.with_limits(Limits { steps: 1, bounds, ..Limits::default() });
    assert_eq!(executor.limits().steps, 1);
    let least =
        Bounds { max_messages: 1, max_message_size_bytes: 1_024, max_total_size_bytes: 1_024 };
    assert_eq!(executor.context("trace").bounds(), least);
}
