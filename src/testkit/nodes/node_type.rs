//! What a node is: one of eleven types, or one of the application's own.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::field::is_identifier;
use crate::testkit::shown::cut;

/// The type of a node. Its text is what definitions hold (`"dynamic_fanout"`); types are equal and sort
/// by it, so `Custom("exit")` is [`NodeType::Exit`].
///
/// ```
/// use flakedb::testkit::nodes::NodeType;
///
/// assert_eq!("dynamic_fanout".parse::<NodeType>(), Ok(NodeType::DynamicFanout));
/// assert_eq!("my.own".parse::<NodeType>(), Ok(NodeType::Custom("my.own".to_owned())));
/// assert!("My Own".parse::<NodeType>().is_err());
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NodeType {
    /// Where a graph begins; checks what a task must have.
    Entry,
    /// Where a graph ends.
    Exit,
    /// Sends a message on by what a model says it is about.
    Router,
    /// Asks a model.
    Model,
    /// Asks a model step by step, and verifies before it concludes.
    Reasoning,
    /// Calls a tool.
    Tool,
    /// Sends a message on by conditions.
    Gate,
    /// Changes a text.
    Transform,
    /// Runs another node again and again.
    Loop,
    /// Runs several nodes on one message, and makes one answer of theirs.
    DynamicFanout,
    /// Runs another node for so long and no longer.
    Timeout,
    /// A type of the application's own; an identifier.
    Custom(String),
}

/// A text that is no type of a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no type of a node; types are lower case: a letter, then letters, digits, `_`, `.`"
)]
pub struct NodeTypeError(String);

impl NodeType {
    /// The eleven types that every registry knows, sorted by their text.
    pub const BUILT_IN: [Self; 11] = [
        Self::DynamicFanout,
        Self::Entry,
        Self::Exit,
        Self::Gate,
        Self::Loop,
        Self::Model,
        Self::Reasoning,
        Self::Router,
        Self::Timeout,
        Self::Tool,
        Self::Transform,
    ];

    /// The text of definitions.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Entry => "entry",
            Self::Exit => "exit",
            Self::Router => "router",
            Self::Model => "model",
            Self::Reasoning => "reasoning",
            Self::Tool => "tool",
            Self::Gate => "gate",
            Self::Transform => "transform",
            Self::Loop => "loop",
            Self::DynamicFanout => "dynamic_fanout",
            Self::Timeout => "timeout",
            Self::Custom(name) => name,
        }
    }
}

impl fmt::Display for NodeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for NodeType {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for NodeType {}

impl Hash for NodeType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Ord for NodeType {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for NodeType {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for NodeType {
    type Err = NodeTypeError;

    fn from_str(text: &str) -> Result<Self, NodeTypeError> {
        match Self::BUILT_IN.into_iter().find(|known| known.as_str() == text) {
            Some(known) => Ok(known),
            None if is_identifier(text) => Ok(Self::Custom(text.to_owned())),
            None => Err(NodeTypeError(cut(text).into_owned())),
        }
    }
}

impl TryFrom<String> for NodeType {
    type Error = NodeTypeError;

    fn try_from(text: String) -> Result<Self, NodeTypeError> {
        text.parse()
    }
}

impl From<NodeType> for String {
    fn from(node_type: NodeType) -> Self {
        node_type.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn types_are_their_texts_and_sort_by_them() {
        let texts: Vec<&str> = NodeType::BUILT_IN.iter().map(NodeType::as_str).collect();
        assert!(texts.is_sorted(), "{texts:?}");
        for node_type in NodeType::BUILT_IN {
            assert_eq!(node_type.as_str().parse(), Ok(node_type.clone()));
            let written = serde_json::to_string(&node_type).unwrap();
            assert_eq!(serde_json::from_str::<NodeType>(&written).unwrap(), node_type);
        }
        assert!(serde_json::from_str::<NodeType>("\"No Type\"").is_err());
        assert!(NodeType::Custom("a".into()) < NodeType::Entry);
    }

    #[test]
    fn what_sorts_alike_is_equal_and_hashes_alike() {
        let named = NodeType::Custom("exit".into());
        assert_eq!(named.cmp(&NodeType::Exit), std::cmp::Ordering::Equal);
        assert_eq!(named, NodeType::Exit);
        assert_eq!(HashSet::from([named, NodeType::Exit]).len(), 1);
    }
}
