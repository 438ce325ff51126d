//! Executions, and how nodes run others in a walk.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::Utc;

use super::step::{Place, Step};
use super::{Limits, Plan};
use crate::testkit::nodes::context::ExecutionContext;
use crate::testkit::nodes::message::Message;
use crate::testkit::nodes::node::Node;
use crate::testkit::nodes::peers::{Peers, too_deep};
use crate::testkit::nodes::result::NodeResult;

/// What all executions of a walk share.
pub(super) struct Log {
    pub(super) plan: Arc<Plan>,
    pub(super) limits: Limits,
    begun: AtomicU64,
    is_full: AtomicBool,
    done: Mutex<Vec<Step>>,
}

impl Log {
    pub(super) fn new(plan: Arc<Plan>, limits: Limits) -> Self {
        Self {
            plan,
            limits,
            begun: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
            done: Mutex::default(),
        }
    }

    /// Begins a step; false where there were as many as there may be.
    pub(super) fn begin(&self) -> bool {
        let more = |begun: u64| (begun < self.limits.steps).then_some(begun + 1);
        let begun = self.begun.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok();
        if !begun {
            self.is_full.store(true, Ordering::SeqCst);
        }
        begun
    }

    /// Whether a step was not begun because there were as many as there may be.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::SeqCst)
    }

    /// Steps that may still be begun.
    pub(super) fn left(&self) -> u64 {
        self.limits.steps.saturating_sub(self.begun.load(Ordering::SeqCst))
    }

    /// Takes the steps that ended, sorted by their places.
    pub(super) fn take(&self) -> Vec<Step> {
        let mut done = std::mem::take(&mut *self.done());
        done.sort_by(|one, other| one.path.cmp(&other.path));
        done
    }

    fn done(&self) -> MutexGuard<'_, Vec<Step>> {
        // Nothing but a push happens under the lock.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes a node whose step was begun, counts it and writes it down.
    pub(super) async fn execute(
        self: &Arc<Self>,
        node: &Arc<dyn Node>,
        message: &Message,
        context: &ExecutionContext,
        (path, wave): (Vec<u64>, u64),
    ) -> NodeResult {
        let calls = Calls { log: self.clone(), path: path.clone(), wave, next: AtomicU64::new(0) };
        let mut own = context.clone().with_peers(Arc::new(calls));
        own.current_node = Some(node.id().to_owned());
        let place = Place {
            path,
            wave,
            node: node.id().to_owned(),
            node_type: node.node_type().clone(),
            started_at: Utc::now(),
        };
        let result = node.execute(message, &own).await;
        // Counted and written down without an await between: a walk that is dropped does both or
        // neither.
        node.update_stats(result.success, result.latency_ms);
        self.done().push(Step::of(place, message, &result));
        result
    }
}

/// The nodes of the graph, as one execution sees them.
struct Calls {
    log: Arc<Log>,
    path: Vec<u64>,
    wave: u64,
    next: AtomicU64,
}

#[async_trait]
impl Peers for Calls {
    async fn run(
        &self,
        node: &str,
        message: &Message,
        context: &ExecutionContext,
    ) -> Option<NodeResult> {
        let node = self.log.plan.nodes.get(node)?;
        let mut path = self.path.clone();
        path.push(self.next.fetch_add(1, Ordering::SeqCst));
        if path.len() > self.log.limits.call_depth.saturating_add(1) {
            return Some(too_deep(self.log.limits.call_depth));
        }
        if !self.log.begin() {
            let most = self.log.limits.steps;
            return Some(NodeResult::failed(format!(
                "The walk may take no more than {most} steps"
            )));
        }
        Some(self.log.execute(node, message, context, (path, self.wave)).await)
    }
}
