//! Where messages can go in a graph.

use std::collections::{HashMap, HashSet};

use super::components;
use super::references::Way;
use crate::testkit::nodes::definition::GraphDefinition;
use crate::testkit::nodes::node_type::NodeType;

/// Where messages can go: nodes by their places in the graph, names without a node left out.
pub(super) struct Ways {
    /// Where a message goes on to from a node: along edges, or to a target that the node names.
    on: Vec<Vec<usize>>,
    /// Which nodes a node runs.
    runs: Vec<Vec<usize>>,
    entries: Vec<usize>,
    /// Nodes where a message may stop.
    ends: Vec<usize>,
}

impl Ways {
    pub(super) fn of(graph: &GraphDefinition, index: &HashMap<&str, usize>) -> Self {
        let place = |id: &str| index.get(id).copied();
        let places = |ids: &[String]| ids.iter().filter_map(|id| place(id)).collect::<Vec<_>>();
        let mut named = vec![Vec::new(); graph.nodes.len()];
        let mut runs = vec![Vec::new(); graph.nodes.len()];
        let mut ends = places(&graph.exit_points);
        for node in &graph.nodes {
            let Some(at) = place(&node.id) else { continue };
            for reference in node.references() {
                let ways = match reference.way {
                    Way::GoesOn => &mut named,
                    Way::Runs => &mut runs,
                };
                ways[at].extend(place(reference.node));
            }
            if node.node_type == NodeType::Exit {
                ends.push(at);
            }
        }
        let mut on = named.clone();
        for (at, node) in graph.nodes.iter().enumerate() {
            // A timeout goes on where the node that it watches over would.
            if node.node_type == NodeType::Timeout {
                on[at] = through_timeouts(graph, &named, &runs, at);
            }
        }
        for edge in &graph.edges {
            if let (Some(from), Some(to)) = (place(&edge.from_node), place(&edge.to_node)) {
                on[from].push(to);
            }
        }
        Self { on, runs, entries: places(&graph.entry_points), ends }
    }

    /// Which nodes something leads to: the walk itself, or a node that runs them.
    pub(super) fn reached(&self) -> Vec<bool> {
        let walked = closure(&self.on, self.entries.iter().copied());
        let begun = walked.iter().enumerate().filter(|(_, there)| **there).map(|(at, _)| at);
        let run = closure(&self.runs, begun);
        run.into_iter().zip(walked).map(|(run, walked)| run || walked).collect()
    }

    /// Which nodes the walk comes to and finds no exit from. A node that is only run by another one
    /// needs no exit: its answer goes back.
    pub(super) fn stuck(&self) -> Vec<bool> {
        let mut back = vec![Vec::new(); self.on.len()];
        for (from, nexts) in self.on.iter().enumerate() {
            for next in nexts {
                back[*next].push(from);
            }
        }
        let walked = closure(&self.on, self.entries.iter().copied());
        let ending = closure(&back, self.ends.iter().copied());
        walked.into_iter().zip(ending).map(|(walked, ending)| walked && !ending).collect()
    }

    /// Cycles of messages that go on.
    pub(super) fn walked_cycles(&self) -> Vec<Vec<usize>> {
        components::cycles(&self.on)
    }

    /// Cycles of nodes that run one another: such a graph would never end, cycles allowed or not.
    pub(super) fn called_cycles(&self) -> Vec<Vec<usize>> {
        components::cycles(&self.runs)
    }
}

/// The targets of the node that a timeout watches over, through timeouts within timeouts.
fn through_timeouts(
    graph: &GraphDefinition,
    named: &[Vec<usize>],
    runs: &[Vec<usize>],
    timeout: usize,
) -> Vec<usize> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut at = Some(timeout);
    while let Some(node) = at.filter(|node| seen.insert(*node)) {
        found.extend(&named[node]);
        let is_timeout = graph.nodes[node].node_type == NodeType::Timeout;
        at = runs[node].first().copied().filter(|_| is_timeout);
    }
    found
}

/// All nodes that one comes to from `starts`, these included.
pub(super) fn closure(
    successors: &[Vec<usize>],
    starts: impl IntoIterator<Item = usize>,
) -> Vec<bool> {
    let mut seen = vec![false; successors.len()];
    let mut open: Vec<usize> = starts.into_iter().collect();
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut seen[node], true) {
            open.extend(&successors[node]);
        }
    }
    seen
}
