#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::testkit::generators::{Messages, Source};
use crate::testkit::nodes::executor::End;
use crate::testkit::nodes::{Environment, Executor, Registry};

fn types() -> Vec<NodeType> {
    NodeType::BUILT_IN.to_vec()
}

fn degrees(graph: &GraphDefinition) -> BTreeMap<&str, usize> {
    let mut degrees = BTreeMap::new();
    for edge in &graph.edges {
        *degrees.entry(edge.from_node.as_str()).or_insert(0) += 1;
    }
    degrees
}

/// Inner nodes along the longest way, found apart from the plan.
fn depth(graph: &GraphDefinition) -> usize {
    fn below<'g>(
        graph: &'g GraphDefinition,
        id: &'g str,
        known: &mut BTreeMap<&'g str, usize>,
    ) -> usize {
        if let Some(depth) = known.get(id) {
            return *depth;
        }
        let next: Vec<_> = graph
            .edges
            .iter()
            .filter(|edge| edge.from_node == id && edge.condition.as_deref() != Some("again"))
            .collect();
        let depth =
            next.iter().map(|edge| 1 + below(graph, &edge.to_node, known)).max().unwrap_or(0);
        known.insert(id, depth);
        depth
    }
    below(graph, "entry", &mut BTreeMap::new()) - 1
}

/// Pairs of nodes with two ways of two edges between them.
fn has_diamond(graph: &GraphDefinition) -> bool {
    let next = |id: &str| {
        graph
            .edges
            .iter()
            .filter(|e| e.from_node == *id && e.condition.as_deref() != Some("again"))
            .map(|e| e.to_node.clone())
            .collect::<Vec<_>>()
    };
    graph.nodes.iter().any(|top| {
        let mut met: Vec<String> = next(&top.id).iter().flat_map(|middle| next(middle)).collect();
        met.sort();
        met.windows(2).any(|pair| pair[0] == pair[1])
    })
}

proptest! {
    #[test]
    fn every_random_graph_is_valid_and_as_it_was_asked_for(
        seed: u64, nodes in 0_usize..40, depth_wanted in 1_usize..12, degree in 1_usize..6,
        extra in 0_usize..20, diamonds in 0_usize..4, cycles in 0_usize..4, bounded: bool,
    ) {
        let mut graphs = Graphs::random(nodes).types(types()).depth(depth_wanted)
            .extra_edges(extra).diamonds(diamonds).cycles(cycles);
        if bounded {
            graphs = graphs.max_degree(degree);
        }
        let graph = graphs.one(&mut Source::seeded(seed));
        prop_assert_eq!(graph.violations(), vec![]);
        for node in &graph.nodes {
            let node = serde_json::to_value(node).unwrap();
            prop_assert_eq!(Nodes::new().violations(&node), vec![], "{}", node);
        }
        let inner = graph.nodes.iter().filter(|node| node.id.starts_with("node") && !node.id.contains('.'));
        prop_assert_eq!(inner.count(), nodes);
        if bounded {
            prop_assert!(degrees(&graph).values().all(|edges| *edges <= degree));
        } else if nodes > 0 {
            prop_assert_eq!(depth(&graph), depth_wanted.min(nodes));
        }
        let can = !bounded || degree > 1;
        prop_assert_eq!(graph.allow_cycles, cycles > 0 && nodes > 0 && can);
        if diamonds > 0 && nodes >= depth_wanted + 3 && can {
            prop_assert!(has_diamond(&graph), "{:#?}", graph.edges);
        }
    }

    #[test]
    fn every_other_form_is_valid_at_every_size(seed: u64, size in 0_usize..30) {
        for graphs in [Graphs::linear(size), Graphs::branching(size), Graphs::parallel(size)] {
            let graph = graphs.types(types()).one(&mut Source::seeded(seed));
            prop_assert_eq!(graph.violations(), vec![]);
        }
    }
}

#[test]
fn a_line_is_a_line_and_its_last_node_leads_to_the_exit() {
    for size in 0..6 {
        let graph = Graphs::linear(size).one(&mut Source::seeded(1));
        assert_eq!(graph.nodes.len(), size + 2);
        assert_eq!(graph.edges.len(), size + 1);
        assert_eq!(graph.edges.last().unwrap().to_node, "exit");
    }
}

#[test]
fn branches_and_workers_have_their_router_and_their_fanout() {
    let mut source = Source::seeded(1);
    let branching = Graphs::branching(2).one(&mut source);
    assert_eq!((branching.nodes.len(), branching.edges.len()), (5, 5));
    assert_eq!(branching.node("router").unwrap().node_type, NodeType::Router);
    let parallel = Graphs::parallel(3).one(&mut source);
    assert_eq!(parallel.nodes.len(), 6);
    assert_eq!(parallel.node("fanout").unwrap().node_type, NodeType::DynamicFanout);
}

#[test]
fn ten_thousand_nodes_are_no_trouble() {
    let graph = Graphs::random(10_000).extra_edges(5_000).one(&mut Source::seeded(3));
    assert_eq!(graph.violations(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_graph_can_be_walked_to_its_exit_and_its_counts_are_those_of_the_trace(
        seed: u64, nodes in 0_usize..14, extra in 0_usize..6, diamonds in 0_usize..3,
        cycles in 0_usize..3,
    ) {
        let model_free = [
            NodeType::Transform, NodeType::Gate, NodeType::Loop, NodeType::Timeout,
            NodeType::DynamicFanout,
        ];
        let graphs = Graphs::random(nodes).types(model_free).extra_edges(extra)
            .diamonds(diamonds).cycles(cycles);
        let mut source = Source::seeded(seed);
        let registry = Registry::built_in(Environment::default());
        let executor = Executor::new(graphs.one(&mut source), &registry).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = runtime.block_on(executor.run(Messages::new().one(&mut source)));
        // Ways that part and meet again multiply messages, so that the bounds may end a walk.
        match &outcome.end {
            End::Completed => prop_assert!(outcome.success(), "{:?}", outcome.error()),
            End::Steps(_) | End::Visits { .. } => prop_assert!(outcome.steps.len() > nodes),
            other => prop_assert!(false, "{other}"),
        }
        for (node, counted) in executor.stats() {
            let steps: Vec<_> = outcome.steps.iter().filter(|step| step.node == node).collect();
            let latency: u64 = steps.iter().map(|step| step.latency_ms).sum();
            let successes = steps.iter().filter(|step| step.success).count() as u64;
            prop_assert_eq!(counted.total_executions, steps.len() as u64, "{}", &node);
            prop_assert_eq!(counted.successful_executions, successes, "{}", &node);
            prop_assert_eq!(counted.failed_executions, steps.len() as u64 - successes, "{}", &node);
            prop_assert_eq!(counted.total_latency_ms, latency, "{}", &node);
        }
    }
}
