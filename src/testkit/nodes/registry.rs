//! Which types of nodes there are, and how a definition becomes a node.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::definition::NodeDefinition;
use super::node::Node;
use super::node_type::NodeType;
use super::tool::ToolRegistry;
use super::types::{BUILT_IN, BuiltIn};
use super::violation::{Violation, joined};

/// What nodes need from outside of their graph.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The Ollama server that models are asked at: `http://127.0.0.1:11434`.
    pub ollama_url: String,
    /// The tools that tool nodes can call.
    pub tools: Arc<ToolRegistry>,
    /// System prompts by `prompt_id`.
    pub prompts: BTreeMap<String, String>,
}

impl Default for Environment {
    /// Ollama on this machine, the built-in tools, no prompts.
    fn default() -> Self {
        Self {
            ollama_url: "http://127.0.0.1:11434".to_owned(),
            tools: Arc::new(ToolRegistry::built_in()),
            prompts: BTreeMap::new(),
        }
    }
}

/// A definition that no node can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Nobody registered the type.
    #[error("Unknown node type: {node_type}; the registry knows: {}", names(known))]
    UnknownType {
        /// The type asked for.
        node_type: NodeType,
        /// Those that there are.
        known: Vec<NodeType>,
    },
    /// The type was registered before.
    #[error("node type {0} is registered already; `replace` says that it is meant")]
    AlreadyRegistered(NodeType),
    /// The settings are wrong.
    #[error("node `{id}`: {}", joined(violations))]
    Invalid {
        /// The node's id.
        id: String,
        /// All that is wrong.
        violations: Vec<Violation>,
    },
}

fn names(types: &[NodeType]) -> String {
    types.iter().map(NodeType::as_str).collect::<Vec<_>>().join(", ")
}

/// Makes a node of a definition.
pub type Factory =
    Arc<dyn Fn(&NodeDefinition, &Environment) -> Result<Arc<dyn Node>, NodeError> + Send + Sync>;

/// The types of nodes that there are. A value like any other: no two tests share one by accident.
#[derive(Clone, Default)]
pub struct Registry {
    factories: BTreeMap<NodeType, Factory>,
    environment: Environment,
}

impl Registry {
    /// A registry without any type.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self { factories: BTreeMap::new(), environment }
    }

    /// A registry with the types that come along, [`BUILT_IN`].
    ///
    /// ```
    /// use flakedb::testkit::nodes::{Environment, NodeDefinition, NodeType, Registry};
    ///
    /// let registry = Registry::built_in(Environment::default());
    /// let node = registry.create(&NodeDefinition::new("in", NodeType::Entry))?;
    /// assert_eq!(node.config().timeout_ms, 30_000);
    /// # Ok::<(), flakedb::testkit::nodes::NodeError>(())
    /// ```
    #[must_use]
    pub fn built_in(environment: Environment) -> Self {
        let mut registry = Self::new(environment);
        for BuiltIn { node_type, make, .. } in &BUILT_IN {
            registry.replace(node_type.clone(), make);
        }
        registry
    }

    /// Adds a type.
    ///
    /// # Errors
    /// [`NodeError::AlreadyRegistered`] where it is there already.
    pub fn register<F>(&mut self, node_type: NodeType, factory: F) -> Result<(), NodeError>
    where
        F: Fn(&NodeDefinition, &Environment) -> Result<Arc<dyn Node>, NodeError>
            + Send
            + Sync
            + 'static,
    {
        if self.factories.contains_key(&node_type) {
            return Err(NodeError::AlreadyRegistered(node_type));
        }
        self.replace(node_type, factory);
        Ok(())
    }

    /// Adds a type, or puts another factory in the place of the one that it has.
    pub fn replace<F>(&mut self, node_type: NodeType, factory: F)
    where
        F: Fn(&NodeDefinition, &Environment) -> Result<Arc<dyn Node>, NodeError>
            + Send
            + Sync
            + 'static,
    {
        self.factories.insert(node_type, Arc::new(factory));
    }

    /// Makes the node of a definition.
    ///
    /// # Errors
    /// Where its type is unknown or its settings are wrong.
    pub fn create(&self, definition: &NodeDefinition) -> Result<Arc<dyn Node>, NodeError> {
        match self.factories.get(&definition.node_type) {
            Some(factory) => factory(definition, &self.environment),
            None => Err(NodeError::UnknownType {
                node_type: definition.node_type.clone(),
                known: self.types().cloned().collect(),
            }),
        }
    }

    /// Whether there is such a type.
    #[must_use]
    pub fn is_registered(&self, node_type: &NodeType) -> bool {
        self.factories.contains_key(node_type)
    }

    /// The types, sorted by their text.
    pub fn types(&self) -> impl Iterator<Item = &NodeType> {
        self.factories.keys()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("types", &self.factories.keys().collect::<Vec<_>>())
            .field("environment", &self.environment)
            .finish()
    }
}
