//! How far a walk may go.

use std::time::Duration;

use crate::testkit::nodes::context::Bounds;
use crate::testkit::nodes::peers::CALL_DEPTH;

/// How far a walk may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Executions of nodes, at most, those that nodes run among them. 1,000 at first. Where they run
    /// out among nodes that run others at the same time, it is a matter of time which go without.
    pub steps: u64,
    /// Deliveries to one node, at most; what ends cycles. 100 at first.
    pub visits_per_node: u64,
    /// Nodes of one wave that run at the same time, at most; 0 counts as 1. 8 at first.
    pub concurrency: usize,
    /// Nodes run by nodes run by nodes: so deep, at most. 16 at first.
    pub call_depth: usize,
    /// Time for the whole walk; none at first. A step that waits is dropped when it is over; one that
    /// only computes is not interrupted, and nothing is begun after it.
    pub deadline: Option<Duration>,
    /// What the context may hold; a bound below its least counts as that.
    pub bounds: Bounds,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 1_000,
            visits_per_node: 100,
            concurrency: 8,
            call_depth: CALL_DEPTH,
            deadline: None,
            bounds: Bounds::default(),
        }
    }
}
