//! What a walk came to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::step::{Step, recount};
use crate::testkit::nodes::context::{ContextError, ExecutionContext};
use crate::testkit::nodes::message::Message;
use crate::testkit::nodes::stats::NodeStats;
use crate::testkit::nodes::task::TaskResponse;

/// What a walk came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// What the exits said, in the order in which they were reached.
    pub answers: Vec<Answer>,
    /// Every execution that ended, sorted by its place.
    pub steps: Vec<Step>,
    /// Conditions of edges that could not be evaluated and so did not hold: which, and why.
    pub condition_errors: Vec<String>,
    /// The context as the walk left it.
    pub context: ExecutionContext,
    /// What the walk took, in milliseconds, rounded up.
    pub total_latency_ms: u64,
}

/// What an exit said.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The exit.
    pub node: String,
    /// Whether it is one for success.
    pub success: bool,
    /// What it said.
    pub message: Message,
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum End {
    /// Everything was done, and an exit was reached.
    #[error("completed")]
    Completed,
    /// Everything was done, and no exit was reached.
    #[error("no exit was reached")]
    NoExit,
    /// It was about to take more steps than it may.
    #[error("more than {0} steps")]
    Steps(u64),
    /// A node was about to be visited more often than it may.
    #[error("more than {most} visits of '{node}'")]
    Visits {
        /// The node.
        node: String,
        /// Visits that there may be.
        most: u64,
    },
    /// Its time ran out.
    #[error("Timeout after {0}ms")]
    Deadline(u64),
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A node wants to go on at one that there is none of.
    #[error("'{node}' wants to go on at '{next}', which the graph has not")]
    UnknownNext {
        /// The node.
        node: String,
        /// Where it wants to go on.
        next: String,
    },
    /// The context does not take a message.
    #[error("a message of '{node}': {reason}")]
    Refused {
        /// Who said it.
        node: String,
        /// Why it is not taken.
        reason: String,
    },
}

impl End {
    pub(super) fn refused(message: &Message, error: &ContextError) -> Self {
        Self::Refused { node: message.source_node.clone(), reason: error.to_string() }
    }
}

impl Outcome {
    /// Whether everything was done and an exit for success was reached. Branches that failed on the
    /// way are in the trace.
    #[must_use]
    pub fn success(&self) -> bool {
        self.end == End::Completed && self.answers.iter().any(|answer| answer.success)
    }

    /// What the first exit for success said, else what the first exit said.
    #[must_use]
    pub fn answer(&self) -> Option<&Message> {
        let successful = self.answers.iter().find(|answer| answer.success);
        successful.or(self.answers.first()).map(|answer| &answer.message)
    }

    /// Why it is no success.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        if self.success() {
            return None;
        }
        let mut failed = self.steps.iter().filter(|step| !step.success && !step.is_call());
        let first = failed
            .next()
            .map(|step| format!("{}: {}", step.node, step.error.as_deref().unwrap_or("it failed")));
        Some(match (&self.end, first) {
            (End::Completed, Some(first)) => first,
            (end, Some(first)) => format!("{end}; {first}"),
            (end, None) => end.to_string(),
        })
    }

    /// What was counted of every node that was run: the trace, counted anew.
    #[must_use]
    pub fn stats(&self) -> BTreeMap<String, NodeStats> {
        recount(&self.steps)
    }

    /// The same for those outside of the graph.
    #[must_use]
    pub fn response(&self) -> TaskResponse {
        let payload = self.answer().map(|message| &message.payload);
        TaskResponse {
            trace_id: self.context.trace_id.clone(),
            success: self.success(),
            content: payload.and_then(|payload| payload.content.clone()),
            structured: payload.and_then(|payload| payload.structured.clone()),
            error: self.error(),
            total_latency_ms: self.total_latency_ms,
            nodes_executed: self.steps.len() as u64,
            tokens_used: self.context.total_tokens(),
        }
    }
}
