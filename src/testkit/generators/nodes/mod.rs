//! Node definitions with valid settings, of each of the eleven types.

mod spoiled;
mod varied;

use serde_json::{Value, json};

use super::generate::Generate;
use super::invalid::{Checked, Invalid};
use super::messages::named;
use super::source::Stream;
use super::words::words;
use crate::testkit::nodes::{NodeDefinition, NodeType, Violation};

/// Node definitions, each of a random type where none is asked for.
///
/// ```
/// use flakedb::testkit::generators::{Generate, Nodes, Source};
/// use flakedb::testkit::nodes::NodeType;
///
/// let node = Nodes::of(NodeType::Loop).one(&mut Source::seeded(7));
/// assert!(node.id.starts_with("loop."));
/// assert_eq!(node.config["fixed_count"], 3);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Nodes {
    node_type: Option<NodeType>,
    id: Option<String>,
    config: Option<Value>,
    varied: bool,
}

impl Nodes {
    /// Each of a random one of the eleven types.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All of this type.
    #[must_use]
    pub fn of(node_type: NodeType) -> Self {
        Self { node_type: Some(node_type), ..Self::default() }
    }

    /// All with this id, an identifier.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// All with these settings, whether they are valid or not.
    #[must_use]
    pub fn config(mut self, config: Value) -> Self {
        self.config = Some(config);
        self
    }

    /// With random settings over the whole of their ranges, not only the usual ones, and with names
    /// and descriptions.
    #[must_use]
    pub fn varied(mut self) -> Self {
        self.varied = true;
        self
    }

    /// The usual settings of a type: valid, and such that a node with them can do its work. Of a
    /// type of the application's own: none.
    ///
    /// The nodes that loops, fan-outs, timeouts, routers and gates name have to be there:
    /// `test.body`, `node1` and `node2`, `test.inner`, `code.specialist` and
    /// `general.specialist`, `next`.
    #[must_use]
    pub fn default_config(node_type: &NodeType) -> Value {
        match node_type {
            NodeType::Entry | NodeType::Custom(_) => json!({}),
            NodeType::Exit => json!({"status": "success"}),
            NodeType::Model => {
                json!({"model": "qwen2.5:3b", "temperature": 0.7, "max_tokens": 1_000})
            }
            NodeType::Router => json!({
                "model": "qwen2.5:0.5b",
                "routes": [
                    {"name": "code", "description": "Code and programs", "target": "code.specialist"},
                    {"name": "general", "description": "All the rest", "target": "general.specialist"},
                ],
            }),
            NodeType::Reasoning => json!({"model": "qwen2.5:3b", "max_steps": 10}),
            NodeType::Tool => json!({"tool_id": "calculator"}),
            NodeType::Gate => json!({
                "mode": "expression",
                "conditions": [{"name": "any", "expression": "len(content) > 0", "target": "next"}],
            }),
            NodeType::Transform => json!({"transforms": [{"type": "strip"}]}),
            NodeType::Loop => json!({
                "body_node": "test.body", "condition_type": "fixed_count", "fixed_count": 3,
            }),
            NodeType::DynamicFanout => json!({"target_nodes": ["node1", "node2"]}),
            NodeType::Timeout => json!({"inner_node": "test.inner", "timeout_ms": 5_000}),
        }
    }
}

impl Generate for Nodes {
    type Output = NodeDefinition;
    const KIND: &'static str = "node";

    fn generate(&self, stream: &mut Stream) -> NodeDefinition {
        let node_type = match &self.node_type {
            Some(node_type) => node_type.clone(),
            None => stream.pick(&NodeType::BUILT_IN).cloned().unwrap_or(NodeType::Entry),
        };
        let id = match &self.id {
            Some(id) => id.clone(),
            None => named(stream, &format!("{node_type}."), 8),
        };
        let config = match &self.config {
            Some(config) => config.clone(),
            None if self.varied => varied::config(&node_type, stream),
            None => Self::default_config(&node_type),
        };
        let mut node = NodeDefinition::new(id, node_type).config(config);
        if self.varied {
            node.name = stream.chance(0.5).then(|| words(stream, 2));
            node.description = stream.chance(0.5).then(|| words(stream, 8));
        }
        node
    }
}

impl Checked for Nodes {
    /// All that is wrong with the definition, and with its settings where its type comes along.
    fn violations(&self, value: &Value) -> Vec<Violation> {
        spoiled::violations(value)
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        spoiled::spoiled(good)
    }
}
