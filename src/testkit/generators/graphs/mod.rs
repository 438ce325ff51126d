//! Graphs: in a line, with branches, in parallel, and random ones of any size and shape.

mod plan;
mod spoiled;

use serde_json::{Value, json};

use super::generate::{COUNT_MAX, Generate};
use super::invalid::{Checked, Invalid};
use super::messages::named;
use super::nodes::Nodes;
use super::source::Stream;
use crate::testkit::nodes::{
    EdgeDefinition, GraphDefinition, GraphMetadata, NodeDefinition, NodeType, Violation,
};
use plan::{ENTRY, Plan, Wanted};

/// What routers tell apart.
const TOPICS: [&str; 8] =
    ["code", "math", "general", "translation", "summary", "support", "billing", "search"];

/// Graphs that are valid by construction: every node can be reached, and leads to an exit. No count
/// goes beyond [`COUNT_MAX`].
///
/// ```
/// use flakedb::testkit::generators::{Generate, Graphs, Source};
///
/// let graph = Graphs::random(20).depth(4).diamonds(2).cycles(1).one(&mut Source::seeded(7));
/// assert_eq!(graph.nodes.len(), 22, "an entry, twenty nodes, an exit");
/// assert_eq!(graph.violations(), []);
/// assert!(graph.allow_cycles);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Graphs {
    id: Option<String>,
    form: Form,
    types: Vec<NodeType>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Branching(usize),
    Parallel(usize),
    Random(Wanted),
}

impl Default for Graphs {
    /// Three nodes in a random shape.
    fn default() -> Self {
        Self::random(3)
    }
}

impl Graphs {
    fn of(form: Form) -> Self {
        Self { id: None, form, types: vec![NodeType::Model, NodeType::Transform] }
    }

    /// Three nodes in a random shape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many nodes one after another, between an entry and an exit.
    #[must_use]
    pub fn linear(nodes: usize) -> Self {
        let nodes = nodes.min(COUNT_MAX);
        let line = Wanted { nodes, depth: Some(nodes), max_degree: Some(1), ..Wanted::default() };
        Self::of(Form::Random(line))
    }

    /// A router and so many specialists, at least 1.
    #[must_use]
    pub fn branching(specialists: usize) -> Self {
        Self::of(Form::Branching(specialists.clamp(1, COUNT_MAX)))
    }

    /// A fan-out and so many workers, at least 1, which it runs itself: no edges lead to them, or
    /// each would run twice.
    #[must_use]
    pub fn parallel(workers: usize) -> Self {
        Self::of(Form::Parallel(workers.clamp(1, COUNT_MAX)))
    }

    /// So many nodes in a random shape, between an entry and an exit.
    #[must_use]
    pub fn random(nodes: usize) -> Self {
        Self::of(Form::Random(Wanted { nodes: nodes.min(COUNT_MAX), ..Wanted::default() }))
    }

    /// With this id, an identifier.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// With inner nodes of these types, drawn for each; entries and exits are left out. Models and
    /// transforms, where none is left.
    ///
    /// Loops, timeouts and fan-outs bring the nodes that they run along (`node0.body`), which do
    /// not count as nodes asked for.
    #[must_use]
    pub fn types(mut self, types: impl IntoIterator<Item = NodeType>) -> Self {
        let inner = |node_type: &NodeType| !matches!(node_type, NodeType::Entry | NodeType::Exit);
        let types: Vec<NodeType> = types.into_iter().filter(inner).collect();
        if !types.is_empty() {
            self.types = types;
        }
        self
    }

    /// Changes what a random graph should look like; the other forms have a shape of their own.
    fn wanted(mut self, change: impl FnOnce(&mut Wanted)) -> Self {
        if let Form::Random(wanted) = &mut self.form {
            change(wanted);
        }
        self
    }

    /// Random graphs: with this number of inner nodes along the longest way, 1 to all. Deeper only
    /// where `max_degree` leaves no room.
    #[must_use]
    pub fn depth(self, depth: usize) -> Self {
        self.wanted(|wanted| wanted.depth = Some(depth))
    }

    /// Random graphs: no more edges out of one node, at least 1.
    #[must_use]
    pub fn max_degree(self, edges: usize) -> Self {
        self.wanted(|wanted| wanted.max_degree = Some(edges))
    }

    /// Random graphs: so many edges more than connect it, as far as there is room for them.
    #[must_use]
    pub fn extra_edges(self, edges: usize) -> Self {
        self.wanted(|wanted| wanted.extra_edges = edges.min(COUNT_MAX))
    }

    /// Random graphs: so many pairs of ways that part and meet again, as far as the nodes suffice
    /// (two or three each) and `max_degree` is not 1.
    #[must_use]
    pub fn diamonds(self, diamonds: usize) -> Self {
        self.wanted(|wanted| wanted.diamonds = diamonds.min(COUNT_MAX))
    }

    /// Random graphs: up to so many ways back, at least one where `max_degree` is not 1. They are
    /// taken only while the route is `again`, so that a walk ends.
    #[must_use]
    pub fn cycles(self, cycles: usize) -> Self {
        self.wanted(|wanted| wanted.cycles = cycles.min(COUNT_MAX))
    }

    fn branches(&self, specialists: usize, stream: &mut Stream) -> Parts {
        let topics: Vec<String> = (0..specialists)
            .map(|at| TOPICS.get(at).map_or_else(|| format!("topic{at}"), ToString::to_string))
            .collect();
        let mut parts = Parts::default();
        let next: Vec<_> = topics.iter().map(|topic| format!("{topic}_specialist")).collect();
        let router = NodeDefinition::new("router", NodeType::Router);
        parts.nodes.push(router.config(router_config(&topics, &next)));
        parts.edges.push(EdgeDefinition::new("entry", "router"));
        for (topic, specialist) in topics.iter().zip(&next) {
            parts.edges.push(EdgeDefinition::new("router", specialist).when(topic));
            parts.add(specialist, &NodeType::Model, &[], stream);
        }
        parts.edges.extend(next.iter().map(|specialist| EdgeDefinition::new(specialist, "exit")));
        parts
    }

    fn workers(&self, workers: usize, stream: &mut Stream) -> Parts {
        let mut parts = Parts::default();
        let workers: Vec<_> = (1..=workers).map(|at| format!("worker{at}")).collect();
        let fanout = NodeDefinition::new("fanout", NodeType::DynamicFanout);
        parts.nodes.push(fanout.config(json!({"target_nodes": workers})));
        for worker in &workers {
            let node_type = stream.pick(&self.types).cloned().unwrap_or(NodeType::Model);
            parts.add(worker, &node_type, &[], stream);
        }
        parts.edges =
            vec![EdgeDefinition::new("entry", "fanout"), EdgeDefinition::new("fanout", "exit")];
        parts
    }

    fn random_parts(&self, wanted: Wanted, stream: &mut Stream) -> Parts {
        let plan = Plan::new(wanted, stream);
        let name = |node: usize| match node {
            ENTRY => "entry".to_owned(),
            node if node == plan.exit() => "exit".to_owned(),
            node => format!("node{}", node - 1),
        };
        let mut parts = Parts::default();
        for (from, next) in plan.next.iter().enumerate() {
            let (from_name, next) =
                (name(from), next.iter().map(|to| name(*to)).collect::<Vec<_>>());
            let mut route = None;
            if from != ENTRY {
                let node_type = stream.pick(&self.types).cloned().unwrap_or(NodeType::Model);
                parts.add(&from_name, &node_type, &next, stream);
                route = (node_type == NodeType::Router).then_some("route");
            }
            parts.edges.extend(next.iter().enumerate().map(|(at, to)| {
                let edge = EdgeDefinition::new(&from_name, to);
                match route {
                    Some(route) => edge.when(format!("{route}{at}")),
                    None => edge,
                }
            }));
        }
        let back = plan.back.iter();
        parts.edges.extend(
            back.map(|(from, to)| EdgeDefinition::new(name(*from), name(*to)).when("again")),
        );
        parts.allow_cycles = !plan.back.is_empty();
        parts
    }
}

fn router_config(names: &[String], targets: &[String]) -> Value {
    let routes = names.iter().zip(targets).map(|(name, target)| {
        json!({"name": name, "description": format!("Questions about {name}"), "target": target})
    });
    json!({
        "model": "qwen2.5:0.5b",
        "routes": routes.collect::<Vec<_>>(),
        "default_route": names.last(),
    })
}

/// The nodes between entry and exit, and all edges.
#[derive(Debug, Default)]
struct Parts {
    nodes: Vec<NodeDefinition>,
    edges: Vec<EdgeDefinition>,
    allow_cycles: bool,
}

impl Parts {
    /// Adds a node that leads to `next`, and the nodes that it runs.
    fn add(&mut self, id: &str, node_type: &NodeType, next: &[String], stream: &mut Stream) {
        let names: Vec<String> = (0..next.len()).map(|at| format!("route{at}")).collect();
        let bodies: Vec<String> = match node_type {
            NodeType::Loop | NodeType::Timeout => vec![format!("{id}.body")],
            NodeType::DynamicFanout => (0..2).map(|at| format!("{id}.branch{at}")).collect(),
            _ => Vec::new(),
        };
        let config = match (node_type, next.split_last()) {
            (NodeType::Router, Some(_)) => router_config(&names, next),
            (NodeType::Gate, Some((last, others))) => gate_config(&names, others, last),
            // Without ways on they have nobody to send a message to.
            (NodeType::Router | NodeType::Gate, None) => {
                return self.add(id, &NodeType::Model, next, stream);
            }
            (NodeType::Loop, _) => json!({
                "body_node": bodies.first(), "condition_type": "fixed_count", "fixed_count": 1 + stream.below(3),
            }),
            (NodeType::Timeout, _) => json!({"inner_node": bodies.first(), "timeout_ms": 5_000}),
            (NodeType::DynamicFanout, _) => json!({"target_nodes": bodies}),
            _ => Nodes::default_config(node_type),
        };
        self.nodes.push(NodeDefinition::new(id, node_type.clone()).config(config));
        self.nodes.extend(bodies.into_iter().map(|body| {
            let config = Nodes::default_config(&NodeType::Transform);
            NodeDefinition::new(body, NodeType::Transform).config(config)
        }));
    }
}

/// A gate that sends longer texts further back in the list, and the longest to the last.
fn gate_config(names: &[String], others: &[String], last: &str) -> Value {
    let conditions = names.iter().zip(others).enumerate().map(|(at, (name, target))| {
        json!({"name": name, "expression": format!("len(content) < {}", 40 * (at + 1)), "target": target})
    });
    let mut conditions: Vec<Value> = conditions.collect();
    if conditions.is_empty() {
        conditions.push(json!({"name": "any", "expression": "len(content) > 0", "target": last}));
    }
    json!({"mode": "expression", "conditions": conditions, "default_target": last})
}

impl Generate for Graphs {
    type Output = GraphDefinition;
    const KIND: &'static str = "graph";

    fn generate(&self, stream: &mut Stream) -> GraphDefinition {
        let id = self.id.clone().unwrap_or_else(|| named(stream, "graph.", 8));
        let parts = match self.form {
            Form::Branching(specialists) => self.branches(specialists, stream),
            Form::Parallel(workers) => self.workers(workers, stream),
            Form::Random(wanted) => self.random_parts(wanted, stream),
        };
        let entry = NodeDefinition::new("entry", NodeType::Entry);
        let exit = NodeDefinition::new("exit", NodeType::Exit);
        let exit = exit.config(Nodes::default_config(&NodeType::Exit));
        let inner = parts.nodes.into_iter();
        GraphDefinition {
            name: format!("Generated graph {id}"),
            id,
            version: "1.0.0".to_owned(),
            description: Some("A graph from a seed".to_owned()),
            metadata: GraphMetadata {
                tags: vec!["generated".to_owned()],
                ..GraphMetadata::default()
            },
            nodes: std::iter::once(entry).chain(inner).chain([exit]).collect(),
            edges: parts.edges,
            entry_points: vec!["entry".to_owned()],
            exit_points: vec!["exit".to_owned()],
            protected: Vec::new(),
            allow_cycles: parts.allow_cycles,
        }
    }
}

impl Checked for Graphs {
    /// All that is wrong with the graph; the settings of its nodes are checked where these are made.
    fn violations(&self, value: &Value) -> Vec<Violation> {
        GraphDefinition::from_value(value).err().unwrap_or_default()
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        spoiled::spoiled(good)
    }
}

#[cfg(test)]
mod tests;
