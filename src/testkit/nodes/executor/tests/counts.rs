//! Random walks, counted twice.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{block_on, check, graph, message, registry};
use crate::testkit::generators::{Generate, Graphs, Source};
use crate::testkit::mock_server::MockOllama;
use crate::testkit::nodes::{
    Bounds, Environment, Executor, GraphDefinition, Limits, NodeType, Outcome, Registry, Step,
};

/// A stage that may fail, let others go on, and say nothing, one thing or two.
fn stage() -> impl Strategy<Value = Value> {
    (0_u64..4, 0_u64..4, prop::bool::weighted(0.2)).prop_map(|(yields, said, fails)| match fails {
        true => json!({"yields": yields, "fail": "at random"}),
        false => json!({"yields": yields, "said": said.min(2), "size": said * 200}),
    })
}

/// One that runs stages.
fn caller() -> impl Strategy<Value = Value> {
    let stages = prop::collection::vec(prop::sample::select(vec!["s0", "s1", "s2"]), 1..4);
    prop_oneof![
        (stages, any::<bool>(), 1_u64..3, 0_u64..2).prop_map(|(targets, parallel, most, tries)| {
            json!({"type": "dynamic_fanout", "target_nodes": targets, "parallel": parallel,
                "max_parallel_branches": most, "retry_count": tries, "retry_delay_ms": 0})
        }),
        (1_u64..5, any::<bool>()).prop_map(|(count, go_on)| {
            json!({"type": "loop", "body_node": "c0", "fixed_count": count,
                "continue_on_error": go_on})
        }),
        Just(json!({"type": "timeout", "inner_node": "s1"})),
    ]
}

/// Stages s0 to s2, which others run and which stand in ways too, callers c0 and c1, and edges
/// between any of them, so that all hang together.
fn walkable() -> impl Strategy<Value = GraphDefinition> {
    let names = ["s0", "s1", "s2", "c0", "c1"];
    let edges = prop::collection::vec((0_usize..5, 0_usize..5), 0..6);
    (prop::collection::vec(stage(), 3), caller(), edges).prop_map(move |(stages, caller, edges)| {
        let mut between: Vec<(&str, Value)> = names.into_iter().zip(stages).collect();
        let fan = json!({"type": "dynamic_fanout", "target_nodes": ["s0", "s2"]});
        between.extend([("c0", fan), ("c1", caller)]);
        let mut ways: Vec<[&str; 2]> = Vec::new();
        for name in names {
            ways.extend([["in", name], [name, "out"]]);
        }
        ways.extend(edges.iter().map(|(from, to)| [names[*from], names[*to]]));
        ways.sort_unstable();
        ways.dedup();
        let ways: Vec<&[&str]> = ways.iter().map(|way| &way[..]).collect();
        graph(&between, &ways)
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    (1_u64..200, 1_u64..6, 1_usize..9, 1_usize..9, 1_024_usize..4_000).prop_map(
        |(steps, visits_per_node, concurrency, max_messages, bytes)| Limits {
            steps,
            visits_per_node,
            concurrency,
            bounds: Bounds {
                max_messages,
                max_message_size_bytes: bytes,
                max_total_size_bytes: 2 * bytes,
            },
            ..Limits::default()
        },
    )
}

fn walk(graph: &GraphDefinition, limits: &Limits) -> (Executor, Outcome) {
    let executor = Executor::new(graph.clone(), &registry().0).unwrap();
    let executor = executor.with_limits(limits.clone());
    let outcome = block_on(executor.run(message()));
    (executor, outcome)
}

/// A trace without its ids and times.
fn shape(outcome: &Outcome) -> Vec<(Vec<u64>, String, bool, usize)> {
    let steps = outcome.steps.iter();
    steps.map(|it| (it.path.clone(), it.node.clone(), it.success, it.said.len())).collect()
}

#[test]
fn generated_graphs_of_every_type_are_walked_to_their_exits() {
    let ollama = MockOllama::start().unwrap();
    let environment = Environment { ollama_url: ollama.url(), ..Environment::default() };
    let registry = Registry::built_in(environment);
    let limits = Limits { steps: 60, visits_per_node: 3, ..Limits::default() };
    let mut source = Source::seeded(7);
    let mut seen: BTreeMap<NodeType, bool> = BTreeMap::new();
    let (mut at_exit, mut answered) = (0, 0);
    for nodes in (0..30).map(|at| 1 + at % 10) {
        let shape = Graphs::random(nodes).types(NodeType::BUILT_IN).cycles(nodes % 2);
        let graph = shape.one(&mut source);
        let executor = Executor::new(graph, &registry).unwrap().with_limits(limits.clone());
        let outcome = block_on(executor.run(message()));
        check(&executor, &outcome);
        for step in &outcome.steps {
            *seen.entry(step.node_type.clone()).or_default() |= step.success;
        }
        at_exit += u32::from(!outcome.answers.is_empty());
        answered += u32::from(outcome.success());
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), NodeType::BUILT_IN.iter().collect::<Vec<_>>());
    // `q` is no sum, and the server's own answers are no steps of a reasoning.
    let failed: Vec<_> = seen.into_iter().filter(|(_, success)| !success).collect();
    assert_eq!(failed, [(NodeType::Reasoning, false), (NodeType::Tool, false)]);
    assert!(answered > 0 && at_exit >= answered, "{at_exit} at an exit, {answered} answered");
}

#[test]
fn a_trace_read_again_is_the_same() {
    let graph = graph(&[("a", json!({"fail": "broken"}))], &[&["in", "a"], &["a", "out"]]);
    let (_, outcome) = walk(&graph, &Limits::default());
    let written = serde_json::to_string(&outcome.steps).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Step>>(&written).unwrap(), outcome.steps);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_of_nodes_are_those_of_the_trace_and_bounds_hold(
        graph in walkable(), limits in limits(),
    ) {
        let (executor, outcome) = walk(&graph, &limits);
        check(&executor, &outcome);
    }

    #[test]
    fn a_walk_is_the_same_however_many_nodes_run_at_a_time(graph in walkable()) {
        // Times are written in messages, so their sizes are not the same to the byte.
        let bounds = Bounds { max_message_size_bytes: 1 << 30, ..Bounds::default() };
        let all = Limits { concurrency: 64, visits_per_node: 3, bounds, ..Limits::default() };
        let one = Limits { concurrency: 1, ..all.clone() };
        let (together, alone) = (walk(&graph, &all).1, walk(&graph, &one).1);
        prop_assert_eq!(shape(&together), shape(&alone));
        prop_assert_eq!(together.end, alone.end);
    }
}
