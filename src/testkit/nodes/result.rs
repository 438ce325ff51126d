//! What an execution of a node gives.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::field::{Extra, Field, Kind, Literal, Shape};
use super::message::{MESSAGE, Message};

/// What an execution of a node gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeResult {
    /// Whether the node did what it is for.
    pub success: bool,
    /// What it says to the nodes after it.
    #[serde(default)]
    pub output_messages: Vec<Message>,
    /// Where to go on; where empty, along the edges.
    #[serde(default)]
    pub next_nodes: Vec<String>,
    /// Facts about the execution.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Why it failed; never empty where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it took, in milliseconds, rounded up: 0 only where nothing was done.
    #[serde(default)]
    pub latency_ms: u64,
}

/// The fields of a [`NodeResult`].
pub static NODE_RESULT: Shape = Shape {
    name: "node result",
    extra: Extra::Refused,
    fields: &[
        Field::required("success", Kind::Boolean),
        Field::default(
            "output_messages",
            Kind::List(0, &Kind::Object(&MESSAGE)),
            Literal::EmptyList,
        ),
        Field::default("next_nodes", Kind::List(0, &Kind::Text), Literal::EmptyList),
        Field::default("metadata", Kind::Map, Literal::EmptyMap),
        Field::optional("error", Kind::Length(1, usize::MAX)),
        Field::default("latency_ms", Kind::Integer(0, i64::MAX), Literal::Integer(0)),
    ],
};

impl NodeResult {
    /// A success that says `message`.
    #[must_use]
    pub fn said(message: Message) -> Self {
        Self { success: true, output_messages: vec![message], ..Self::default() }
    }

    /// A failure, and why.
    #[must_use]
    pub fn failed(error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), ..Self::default() }
    }

    /// The same with a fact about the execution.
    #[must_use]
    pub fn fact(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// The same, going on at `nodes`.
    #[must_use]
    pub fn next(mut self, nodes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.next_nodes = nodes.into_iter().map(Into::into).collect();
        self
    }
}
