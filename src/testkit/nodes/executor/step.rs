//! What was done in a walk, step by step.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::testkit::nodes::message::Message;
use crate::testkit::nodes::node_type::NodeType;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::stats::NodeStats;

/// One execution of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its place: `[4]` is the fifth delivery of the walk, `[4, 0]` the first node that this one
    /// ran. Steps are sorted by it, so that a node stands before those that it ran.
    pub path: Vec<u64>,
    /// The wave, from 0.
    pub wave: u64,
    /// The node.
    pub node: String,
    /// What it is.
    pub node_type: NodeType,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// The id of the message that it was given.
    pub received: String,
    /// The ids of the messages that it said.
    pub said: Vec<String>,
    /// Whether it did what it is for.
    pub success: bool,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where it wanted to go on.
    pub next_nodes: Vec<String>,
    /// Facts about the execution.
    pub metadata: Map<String, Value>,
    /// What it took, in milliseconds.
    pub latency_ms: u64,
    /// Tokens that models read for what it said.
    pub tokens_in: u64,
    /// Tokens that models wrote for it.
    pub tokens_out: u64,
}

impl Step {
    /// Whether another node ran it.
    #[must_use]
    pub fn is_call(&self) -> bool {
        self.path.len() > 1
    }
}

/// Where and when a step was done.
pub(super) struct Place {
    pub(super) path: Vec<u64>,
    pub(super) wave: u64,
    pub(super) node: String,
    pub(super) node_type: NodeType,
    pub(super) started_at: DateTime<Utc>,
}

impl Step {
    pub(super) fn of(place: Place, received: &Message, result: &NodeResult) -> Self {
        let tokens = |count: fn(&Message) -> Option<u64>| {
            let said = result.output_messages.iter().filter_map(count);
            said.fold(0, u64::saturating_add)
        };
        Self {
            path: place.path,
            wave: place.wave,
            node: place.node,
            node_type: place.node_type,
            started_at: place.started_at,
            ended_at: Utc::now(),
            received: received.message_id.clone(),
            said: result.output_messages.iter().map(|said| said.message_id.clone()).collect(),
            success: result.success,
            error: result.error.clone(),
            next_nodes: result.next_nodes.clone(),
            metadata: result.metadata.clone(),
            latency_ms: result.latency_ms,
            tokens_in: tokens(|said| said.metadata.tokens_in),
            tokens_out: tokens(|said| said.metadata.tokens_out),
        }
    }
}

/// Counts steps anew, node by node.
#[must_use]
pub fn recount(steps: &[Step]) -> BTreeMap<String, NodeStats> {
    let mut stats: BTreeMap<String, NodeStats> = BTreeMap::new();
    for step in steps {
        let counts = stats.entry(step.node.clone()).or_default();
        let last = counts.last_execution.max(Some(step.ended_at));
        counts.record(step.success, step.latency_ms, step.ended_at);
        counts.last_execution = last;
    }
    stats
}
