//! Whether a graph hangs together: names that mean something, and ways that lead somewhere.

mod components;
mod references;
mod ways;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::definition::{EdgeDefinition, GRAPH_DEFINITION, GraphDefinition, NodeDefinition};
use super::expression::Condition;
use super::node_type::NodeType;
use super::violation::{Rule, Violation};
use crate::testkit::nearest::nearest;

pub use references::{Reference, Way};
use ways::Ways;

impl GraphDefinition {
    /// Reads a graph; the settings of its nodes are checked where the nodes are made.
    ///
    /// # Errors
    /// All that is wrong with its fields; where they are right, its [`GraphDefinition::violations`].
    pub fn from_value(value: &Value) -> Result<Self, Vec<Violation>> {
        let graph: Self = GRAPH_DEFINITION.read(value)?;
        match graph.structure() {
            found if found.is_empty() => Ok(graph),
            found => Err(found),
        }
    }

    /// All that is wrong with the graph: its fields first, then names, then ways.
    ///
    /// Names: ids and edges that are there twice; entry points, exit points, protected nodes, ends
    /// of edges and nodes named in settings that are no node; points of the wrong type; edges out
    /// of an exit; conditions that cannot be read. Ways: nodes that nothing leads to, nodes from which nothing leads to an exit,
    /// cycles (one finding for all nodes that lead to one another, at the first of them).
    /// What follows from a wrong name alone is not reported besides: nodes are called unreachable
    /// only where every name that could lead there is right.
    ///
    /// ```
    /// use flakedb::testkit::nodes::{GraphDefinition, Rule};
    /// use serde_json::json;
    ///
    /// let found = GraphDefinition::from_value(&json!({
    ///     "id": "g", "version": "1.0.0", "name": "G",
    ///     "nodes": [{"id": "in", "type": "entry"}, {"id": "out", "type": "exit"}],
    ///     "edges": [{"from_node": "in", "to_node": "oout"}],
    ///     "entry_points": ["in"], "exit_points": ["out"]
    /// }))
    /// .unwrap_err();
    /// assert_eq!((found[0].rule, found[0].at.as_str()), (Rule::UnknownEdgeTo, "edges.0.to_node"));
    /// ```
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = match serde_json::to_value(self) {
            Ok(value) => GRAPH_DEFINITION.violations(&value),
            Err(error) => vec![Violation::new(Rule::WrongType, "", error.to_string())],
        };
        // JSON has no word for what is no number; it would be written as absent.
        let nameless = self.edges.iter().enumerate().filter(|(_, edge)| !edge.weight.is_finite());
        found.extend(nameless.map(|(at, edge)| {
            let at = format!("edges.{at}.weight");
            Violation::new(Rule::WrongType, at, format!("must be a number, is {}", edge.weight))
        }));
        found.extend(self.structure());
        found
    }

    /// The node of an id.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<&NodeDefinition> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// The edges that leave a node, in the graph's order.
    pub fn outgoing(&self, id: &str) -> impl Iterator<Item = &EdgeDefinition> {
        self.edges.iter().filter(move |edge| edge.from_node == id)
    }

    /// The edges that lead to a node, in the graph's order.
    pub fn incoming(&self, id: &str) -> impl Iterator<Item = &EdgeDefinition> {
        self.edges.iter().filter(move |edge| edge.to_node == id)
    }

    fn structure(&self) -> Vec<Violation> {
        let names = Names::of(self);
        let mut found = names.duplicates();
        let entries = names.points("Entry", "entry_points", &self.entry_points, POINT_ENTRY);
        let exits = names.points("Exit", "exit_points", &self.exit_points, POINT_EXIT);
        let protected = names.points("Protected", "protected", &self.protected, POINT_PROTECTED);
        let edges = names.edges();
        let references = names.references();
        let unknown = !edges.is_empty() || !references.is_empty();
        let (begins, ends) = (entries.is_empty(), exits.is_empty());
        for part in [entries, exits, protected, edges, references, names.edges_out_of_exits()] {
            found.extend(part);
        }
        found.extend(self.unreadable_conditions());
        let ways = Ways::of(self, &names.index);
        if begins && !unknown && !self.entry_points.is_empty() {
            found.extend(self.unreachable(&ways));
        }
        if ends && !unknown && !self.exit_points.is_empty() {
            found.extend(self.dead_ends(&ways));
        }
        found.extend(self.cycles(&ways));
        found
    }

    fn unreadable_conditions(&self) -> impl Iterator<Item = Violation> {
        self.edges.iter().enumerate().filter_map(|(at, edge)| {
            let broken = Condition::parse(edge.condition.as_deref()?).err()?;
            Some(broken.below(&format!("edges.{at}.condition")))
        })
    }

    fn unreachable(&self, ways: &Ways) -> Vec<Violation> {
        let reached = ways.reached();
        self.findings(Rule::Unreachable, |at, node| {
            (!reached[at]).then(|| {
                format!("nothing leads from an entry point to '{}': add an edge to it", node.id)
            })
        })
    }

    fn dead_ends(&self, ways: &Ways) -> Vec<Violation> {
        let stuck = ways.stuck();
        self.findings(Rule::DeadEnd, |at, node| {
            stuck[at].then(|| {
                format!("nothing leads from '{}' to an exit: add an edge from it", node.id)
            })
        })
    }

    fn cycles(&self, ways: &Ways) -> Vec<Violation> {
        let mut closed = ways.called_cycles();
        let calls: HashSet<usize> = closed.iter().flatten().copied().collect();
        if !self.allow_cycles {
            let walked = ways.walked_cycles().into_iter();
            closed.extend(walked.filter(|cycle| !cycle.iter().any(|at| calls.contains(at))));
        }
        closed.sort();
        closed
            .iter()
            .filter_map(|cycle| {
                let names: Vec<&str> =
                    cycle.iter().filter_map(|at| Some(self.nodes.get(*at)?.id.as_str())).collect();
                let (first, at) = (names.first()?, cycle.first()?);
                let way = names.join(" -> ");
                let mend = match calls.contains(at) {
                    true => "no node may run itself",
                    false => "`allow_cycles` says that it is meant",
                };
                let message = format!("a cycle: {way} -> {first}; {mend}");
                Some(Violation::new(Rule::Cycle, format!("nodes.{at}"), message))
            })
            .collect()
    }

    fn findings(
        &self,
        rule: Rule,
        judge: impl Fn(usize, &NodeDefinition) -> Option<String>,
    ) -> Vec<Violation> {
        let mut seen = HashSet::new();
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| seen.insert(node.id.as_str()))
            .filter_map(|(at, node)| {
                Some(Violation::new(rule, format!("nodes.{at}"), judge(at, node)?))
            })
            .collect()
    }
}

/// The rule for a name that is no node, and that for a node of another type.
type PointRules = (Rule, Option<(NodeType, Rule)>);

const POINT_ENTRY: PointRules =
    (Rule::UnknownEntryPoint, Some((NodeType::Entry, Rule::EntryPointType)));
const POINT_EXIT: PointRules =
    (Rule::UnknownExitPoint, Some((NodeType::Exit, Rule::ExitPointType)));
const POINT_PROTECTED: PointRules = (Rule::UnknownProtected, None);

/// The names of a graph, and where its nodes stand; of two with one name, the first.
struct Names<'g> {
    graph: &'g GraphDefinition,
    index: HashMap<&'g str, usize>,
}

impl<'g> Names<'g> {
    fn of(graph: &'g GraphDefinition) -> Self {
        let mut index = HashMap::with_capacity(graph.nodes.len());
        for (at, node) in graph.nodes.iter().enumerate() {
            index.entry(node.id.as_str()).or_insert(at);
        }
        Self { graph, index }
    }

    fn duplicates(&self) -> Vec<Violation> {
        let nodes = self.graph.nodes.iter().enumerate();
        let nodes = nodes.filter_map(|(at, node)| {
            let first = self.index.get(node.id.as_str()).filter(|first| **first != at)?;
            let message = format!("'{}' is the id of nodes.{first} already", node.id);
            Some(Violation::new(Rule::DuplicateNode, format!("nodes.{at}.id"), message))
        });
        let mut seen = HashSet::new();
        let edges = self.graph.edges.iter().enumerate().filter_map(|(at, edge)| {
            let EdgeDefinition { from_node, to_node, condition, .. } = edge;
            (!seen.insert((from_node, to_node, condition))).then(|| {
                let message = format!("the edge '{from_node}' -> '{to_node}' is there already");
                Violation::new(Rule::DuplicateEdge, format!("edges.{at}"), message)
            })
        });
        nodes.chain(edges).collect()
    }

    fn points(&self, what: &str, key: &str, ids: &[String], rules: PointRules) -> Vec<Violation> {
        let (unknown, typed) = rules;
        let ids = ids.iter().enumerate();
        ids.filter_map(|(at, id)| {
            let at = format!("{key}.{at}");
            let Some(node) = self.index.get(id.as_str()).and_then(|at| self.graph.nodes.get(*at))
            else {
                let what = match what {
                    "Protected" => "Protected node".to_owned(),
                    what => format!("{what} point"),
                };
                return Some(self.unknown(unknown, at, &what, id));
            };
            let (wanted, rule) = typed.as_ref().filter(|(wanted, _)| *wanted != node.node_type)?;
            let message =
                format!("{what} point '{id}' must be of type {wanted}, is of {}", node.node_type);
            Some(Violation::new(*rule, at, message))
        })
        .collect()
    }

    fn edges(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for (at, edge) in self.graph.edges.iter().enumerate() {
            for (key, id, rule) in [
                ("from_node", &edge.from_node, Rule::UnknownEdgeFrom),
                ("to_node", &edge.to_node, Rule::UnknownEdgeTo),
            ] {
                if !self.index.contains_key(id.as_str()) {
                    let at = format!("edges.{at}.{key}");
                    found.push(self.unknown(rule, at, &format!("Edge {key}"), id));
                }
            }
        }
        found
    }

    fn references(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for (at, node) in self.graph.nodes.iter().enumerate() {
            for reference in node.references() {
                if !self.index.contains_key(reference.node) {
                    let at = format!("nodes.{at}.config.{}", reference.at);
                    let what = format!("The {} that '{}' names,", reference.way.noun(), node.id);
                    found.push(self.unknown(Rule::UnknownReference, at, &what, reference.node));
                }
            }
        }
        found
    }

    fn edges_out_of_exits(&self) -> Vec<Violation> {
        let edges = self.graph.edges.iter().enumerate();
        edges
            .filter_map(|(at, edge)| {
                let from = self.graph.nodes.get(*self.index.get(edge.from_node.as_str())?)?;
                (from.node_type == NodeType::Exit).then(|| {
                    let message = format!("'{}' is an exit: no edge leaves it", from.id);
                    Violation::new(Rule::EdgeOutOfExit, format!("edges.{at}.from_node"), message)
                })
            })
            .collect()
    }

    fn unknown(&self, rule: Rule, at: String, what: &str, id: &str) -> Violation {
        let known = self.graph.nodes.iter().map(|node| node.id.as_str());
        let mend = match nearest(id, known) {
            Some(name) => format!("; did you mean '{name}'?"),
            None => String::new(),
        };
        Violation::new(rule, at, format!("{what} '{id}' not found in nodes{mend}"))
    }
}

#[cfg(test)]
mod tests;
