//! Nodes and graphs as they are written down.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::field::{Extra, Field, Kind, Literal, Shape};
use super::node_type::NodeType;
use super::violation::Violation;

/// A node as it is written down.
///
/// ```
/// use flakedb::testkit::nodes::{NodeDefinition, NodeType};
/// use serde_json::json;
///
/// let node = NodeDefinition::new("trim", NodeType::Transform)
///     .config(json!({"transforms": [{"type": "strip"}]}));
/// assert_eq!(NodeDefinition::from_value(&serde_json::to_value(&node)?), Ok(node));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeDefinition {
    /// Its id in its graph: an identifier.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub node_type: NodeType,
    /// What people call it; its id where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its settings; which there are depends on the type.
    #[serde(default)]
    pub config: Map<String, Value>,
}

/// A way from a node to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeDefinition {
    /// Where it begins.
    pub from_node: String,
    /// Where it ends.
    pub to_node: String,
    /// How much it counts, 0 to 1.
    #[serde(default = "one")]
    pub weight: f64,
    /// When it is taken: a route's name, or an expression. Always, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

const fn one() -> f64 {
    1.0
}

/// Facts about a graph. Keys of the application's own are kept in `extra`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GraphMetadata {
    /// When it was written, as its author put it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whatever else the application says.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A graph as it is written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphDefinition {
    /// Its id: an identifier.
    pub id: String,
    /// `1.0.0`.
    pub version: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Facts about it.
    #[serde(default)]
    pub metadata: GraphMetadata,
    /// Its nodes.
    pub nodes: Vec<NodeDefinition>,
    /// The ways between them.
    #[serde(default)]
    pub edges: Vec<EdgeDefinition>,
    /// Nodes of type entry where tasks come in.
    pub entry_points: Vec<String>,
    /// Nodes of type exit where answers go out.
    pub exit_points: Vec<String>,
    /// Nodes that tools which change graphs leave alone.
    #[serde(default)]
    pub protected: Vec<String>,
    /// Whether a path may come back to a node.
    #[serde(default)]
    pub allow_cycles: bool,
}

/// The fields of a [`NodeDefinition`]; those of its `config` are the type's own.
pub static NODE_DEFINITION: Shape = Shape {
    name: "node definition",
    extra: Extra::Refused,
    fields: &[
        Field::required("id", Kind::Identifier),
        Field::required("type", Kind::Identifier),
        Field::optional("name", Kind::Text),
        Field::optional("description", Kind::Text),
        Field::default("config", Kind::Map, Literal::EmptyMap),
    ],
};

/// The fields of an [`EdgeDefinition`].
pub static EDGE_DEFINITION: Shape = Shape {
    name: "edge definition",
    extra: Extra::Refused,
    fields: &[
        Field::required("from_node", Kind::Identifier),
        Field::required("to_node", Kind::Identifier),
        Field::default("weight", Kind::Number(0.0, 1.0), Literal::Number(1.0)),
        Field::optional("condition", Kind::Text),
    ],
};

/// The fields of a [`GraphMetadata`].
pub static GRAPH_METADATA: Shape = Shape {
    name: "graph metadata",
    extra: Extra::Kept,
    fields: &[
        Field::optional("created_at", Kind::Text),
        Field::optional("description", Kind::Text),
        Field::optional("author", Kind::Text),
        Field::default("tags", Kind::List(0, &Kind::Text), Literal::EmptyList),
    ],
};

/// The fields of a [`GraphDefinition`]; how its parts hang together is checked by its
/// `violations`.
pub static GRAPH_DEFINITION: Shape = Shape {
    name: "graph definition",
    extra: Extra::Refused,
    fields: &[
        Field::required("id", Kind::Identifier),
        Field::required("version", Kind::Version),
        Field::required("name", Kind::Text),
        Field::optional("description", Kind::Text),
        Field::default("metadata", Kind::Object(&GRAPH_METADATA), Literal::EmptyMap),
        Field::required("nodes", Kind::List(1, &Kind::Object(&NODE_DEFINITION))),
        Field::default("edges", Kind::List(0, &Kind::Object(&EDGE_DEFINITION)), Literal::EmptyList),
        Field::required("entry_points", Kind::List(1, &Kind::Text)),
        Field::required("exit_points", Kind::List(1, &Kind::Text)),
        Field::default("protected", Kind::List(0, &Kind::Text), Literal::EmptyList),
        Field::default("allow_cycles", Kind::Boolean, Literal::Boolean(false)),
    ],
};

impl NodeDefinition {
    /// A node without settings.
    #[must_use]
    pub fn new(id: impl Into<String>, node_type: NodeType) -> Self {
        Self { id: id.into(), node_type, name: None, description: None, config: Map::new() }
    }

    /// The same with these settings; what is no object gives none.
    #[must_use]
    pub fn config(mut self, config: Value) -> Self {
        self.config = match config {
            Value::Object(config) => config,
            _ => Map::new(),
        };
        self
    }

    /// Reads a node; its settings are checked where the node is made.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn from_value(value: &Value) -> Result<Self, Vec<Violation>> {
        NODE_DEFINITION.read(value)
    }
}

impl EdgeDefinition {
    /// A way that is always taken.
    #[must_use]
    pub fn new(from_node: impl Into<String>, to_node: impl Into<String>) -> Self {
        Self { from_node: from_node.into(), to_node: to_node.into(), weight: 1.0, condition: None }
    }

    /// The same, taken only where `condition` holds.
    #[must_use]
    pub fn when(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }
}
