//! What a node is to those who run it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::Utc;

use super::config::NodeConfig;
use super::context::ExecutionContext;
use super::definition::NodeDefinition;
use super::field::Shape;
use super::message::Message;
use super::node_type::NodeType;
use super::result::NodeResult;
use super::stats::NodeStats;

/// A node of a graph.
///
/// A type of your own has a [`NodeCore`] and says what it does; [`Behavior`](super::Behavior) is
/// the shorter way, which brings timeouts and retries along. Whether it keeps its promises,
/// [`contracts`](crate::testkit::contracts) tell.
///
/// An execution never panics and changes neither the message nor the node, but for its statistics;
/// whoever runs the node counts them, with [`Node::update_stats`]. Dropping the future of an
/// execution ends it.
///
/// ```
/// use async_trait::async_trait;
/// use flakedb::testkit::nodes::{
///     ExecutionContext, Message, Node, NodeCore, NodeDefinition, NodeResult, NodeType,
/// };
///
/// #[derive(Debug)]
/// struct Shout(NodeCore);
///
/// #[async_trait]
/// impl Node for Shout {
///     fn core(&self) -> &NodeCore {
///         &self.0
///     }
///
///     async fn execute(&self, message: &Message, _: &ExecutionContext) -> NodeResult {
///         let loud = message.payload.question().to_uppercase();
///         NodeResult::said(message.child(self.id()).content(loud).build())
///     }
/// }
/// # let definition = NodeDefinition::new("shout", NodeType::Custom("shout".to_owned()));
/// # assert_eq!(Shout(NodeCore::new(definition)).id(), "shout");
/// ```
#[async_trait]
pub trait Node: fmt::Debug + Send + Sync {
    /// What all nodes have.
    fn core(&self) -> &NodeCore;

    /// Does what the node is for.
    async fn execute(&self, message: &Message, context: &ExecutionContext) -> NodeResult;

    /// Its id in its graph.
    fn id(&self) -> &str {
        &self.core().definition.id
    }

    /// What it is.
    fn node_type(&self) -> &NodeType {
        &self.core().definition.node_type
    }

    /// What people call it: the definition's name, or the id.
    fn name(&self) -> &str {
        let definition = &self.core().definition;
        definition.name.as_deref().unwrap_or(&definition.id)
    }

    /// What it is for.
    fn description(&self) -> Option<&str> {
        self.core().definition.description.as_deref()
    }

    /// The settings that every node has.
    fn config(&self) -> &NodeConfig {
        &self.core().config
    }

    /// The settings that it takes, with their ranges.
    fn shape(&self) -> &'static Shape {
        &super::config::NODE_CONFIG
    }

    /// The name of the Rust type behind it: what tells two implementations apart.
    fn implementation(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Its counts as they are now.
    fn stats(&self) -> NodeStats {
        self.core().stats().clone()
    }

    /// Counts one execution.
    fn update_stats(&self, success: bool, latency_ms: u64) {
        self.core().stats().record(success, latency_ms, Utc::now());
    }
}

/// What all nodes have: the definition, the common settings, the counts.
pub struct NodeCore {
    definition: NodeDefinition,
    config: NodeConfig,
    stats: Mutex<NodeStats>,
}

impl NodeCore {
    /// The core of a node with the settings of its definition; those that are absent or out of
    /// range are the defaults ([`NODE_CONFIG`](super::config::NODE_CONFIG) checks them).
    #[must_use]
    pub fn new(definition: NodeDefinition) -> Self {
        let fields = super::config::NODE_CONFIG.fields.iter();
        let valid = fields.filter_map(|field| {
            let value = definition.config.get(field.name)?;
            let is_valid = field.kind.violations(value).is_empty();
            is_valid.then(|| (field.name.to_owned(), value.clone()))
        });
        let config = NodeConfig::of(&serde_json::Value::Object(valid.collect()));
        Self::with_config(definition, config)
    }

    /// The core of a node with settings that were read already.
    #[must_use]
    pub fn with_config(definition: NodeDefinition, config: NodeConfig) -> Self {
        Self { definition, config, stats: Mutex::default() }
    }

    /// What the node was made from.
    #[must_use]
    pub fn definition(&self) -> &NodeDefinition {
        &self.definition
    }

    /// The counts, locked.
    fn stats(&self) -> MutexGuard<'_, NodeStats> {
        // Counts are whole after every step, so a panic elsewhere did not break them.
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for NodeCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NodeDefinition { id, node_type, .. } = &self.definition;
        write!(f, "id={id} type={node_type}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testkit::nodes::NodeType;

    #[derive(Debug)]
    struct Plain(NodeCore);

    #[async_trait]
    impl Node for Plain {
        fn core(&self) -> &NodeCore {
            &self.0
        }

        async fn execute(&self, message: &Message, _: &ExecutionContext) -> NodeResult {
            NodeResult::said(message.child(self.id()).build())
        }
    }

    fn plain(config: serde_json::Value) -> Plain {
        let definition = NodeDefinition::new("plain", NodeType::Custom("plain".to_owned()));
        Plain(NodeCore::new(definition.config(config)))
    }

    #[test]
    fn a_core_keeps_the_common_settings_beside_those_of_the_type() {
        let node = plain(json!({"timeout_ms": 500, "own": true}));
        assert_eq!(node.config().timeout_ms, 500);
        assert_eq!(node.config().retry_count, 0);
        assert_eq!(plain(json!({"timeout_ms": 1})).config(), &NodeConfig::default());
        // One that is out of range takes no other with it.
        let node = plain(json!({"timeout_ms": 500, "retry_count": 99, "retry_delay_ms": "x"}));
        assert_eq!(node.config(), &NodeConfig { timeout_ms: 500, ..NodeConfig::default() });
        assert_eq!(node.name(), "plain");
        assert_eq!(node.description(), None);
    }

    #[test]
    fn counting_from_many_threads_loses_nothing() {
        let node = plain(json!({}));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1_000).for_each(|at| node.update_stats(at % 4 != 0, 2)));
            }
        });
        let stats = node.stats();
        assert_eq!(stats.total_executions, 8_000);
        assert_eq!(stats.failed_executions, 2_000);
        assert_eq!(stats.total_latency_ms, 16_000);
    }
}
