//! How a node reaches the others of its graph: a loop its body, a fan-out its targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::context::ExecutionContext;
use super::message::Message;
use super::node::Node;
use super::result::NodeResult;

/// The other nodes of a graph, as a node sees them.
#[async_trait]
pub trait Peers: Send + Sync {
    /// Runs a node and counts the execution; none where there is no such node. Dropping the future
    /// ends the execution, and nothing is counted.
    async fn run(
        &self,
        node: &str,
        message: &Message,
        context: &ExecutionContext,
    ) -> Option<NodeResult>;
}

/// So deep nodes run nodes that run nodes, where nothing else is said: each is within the stack of
/// the one that runs it, and one that runs itself would never end.
pub(in crate::testkit::nodes) const CALL_DEPTH: usize = 16;

/// Peers from a table: what a test gives a node that it runs alone. Nodes run nodes 16 deep at
/// most; deeper ones fail and say so.
#[derive(Debug, Clone, Default)]
pub struct NodeTable(BTreeMap<String, Arc<dyn Node>>);

impl NodeTable {
    /// The table of these nodes, by their ids.
    pub fn new(nodes: impl IntoIterator<Item = Arc<dyn Node>>) -> Self {
        Self(nodes.into_iter().map(|node| (node.id().to_owned(), node)).collect())
    }

    /// The node of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<dyn Node>> {
        self.0.get(id)
    }

    /// Every node, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Node>> {
        self.0.values()
    }
}

/// What comes of a node that others would run deeper than they may.
pub(super) fn too_deep(most: usize) -> NodeResult {
    NodeResult::failed(format!("Nodes run nodes more than {most} deep"))
}

#[async_trait]
impl Peers for NodeTable {
    async fn run(
        &self,
        node: &str,
        message: &Message,
        context: &ExecutionContext,
    ) -> Option<NodeResult> {
        let node = self.get(node)?;
        let deeper = context.clone().deeper();
        if deeper.depth() > CALL_DEPTH {
            return Some(too_deep(CALL_DEPTH));
        }
        let result = node.execute(message, &deeper).await;
        node.update_stats(result.success, result.latency_ms);
        Some(result)
    }
}
