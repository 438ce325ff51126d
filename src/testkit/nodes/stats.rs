//! What is counted of a node.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Counts of one node's executions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeStats {
    /// All executions.
    pub total_executions: u64,
    /// Those that succeeded.
    pub successful_executions: u64,
    /// Those that failed.
    pub failed_executions: u64,
    /// What all of them took, in milliseconds.
    pub total_latency_ms: u64,
    /// When the last one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_execution: Option<DateTime<Utc>>,
    /// How often the node was split into several.
    pub expansion_count: u64,
}

impl NodeStats {
    /// Counts one execution that ended at `now`.
    pub fn record(&mut self, success: bool, latency_ms: u64, now: DateTime<Utc>) {
        self.total_executions = self.total_executions.saturating_add(1);
        let counted =
            if success { &mut self.successful_executions } else { &mut self.failed_executions };
        *counted = counted.saturating_add(1);
        self.total_latency_ms = self.total_latency_ms.saturating_add(latency_ms);
        self.last_execution = Some(now);
    }

    /// Successes over executions, 0 to 1; none where nothing ran.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        self.per_execution(self.successful_executions)
    }

    /// Failures over executions, 0 to 1; none where nothing ran: what never ran has not failed.
    #[must_use]
    pub fn failure_rate(&self) -> Option<f64> {
        self.per_execution(self.failed_executions)
    }

    /// Milliseconds per execution; none where nothing ran.
    #[must_use]
    pub fn avg_latency_ms(&self) -> Option<f64> {
        self.per_execution(self.total_latency_ms)
    }

    fn per_execution(&self, count: u64) -> Option<f64> {
        (self.total_executions > 0).then(|| count as f64 / self.total_executions as f64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_said_of_what_never_ran() {
        let stats = NodeStats::default();
        assert_eq!(stats.success_rate(), None);
        assert_eq!(stats.failure_rate(), None);
        assert_eq!(stats.avg_latency_ms(), None);
        assert_eq!(
            serde_json::to_string(&stats).unwrap(),
            r#"{"total_executions":0,"successful_executions":0,"failed_executions":0,"total_latency_ms":0,"expansion_count":0}"#
        );
    }

    proptest! {
        #[test]
        fn counts_are_those_of_the_executions(
            ran in proptest::collection::vec((any::<bool>(), 0_u64..10_000), 1..50)
        ) {
            let mut stats = NodeStats::default();
            let now = DateTime::UNIX_EPOCH;
            for (success, latency) in &ran {
                stats.record(*success, *latency, now);
            }
            let succeeded = ran.iter().filter(|(success, _)| *success).count();
            prop_assert_eq!(stats.total_executions as usize, ran.len());
            prop_assert_eq!(stats.successful_executions as usize, succeeded);
            prop_assert_eq!(stats.failed_executions as usize, ran.len() - succeeded);
            prop_assert_eq!(stats.total_latency_ms, ran.iter().map(|(_, ms)| ms).sum::<u64>());
            prop_assert_eq!(stats.last_execution, Some(now));
            let both = stats.success_rate().unwrap() + stats.failure_rate().unwrap();
            prop_assert!((both - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn counts_end_at_their_greatest_and_do_not_begin_again() {
        let mut stats = NodeStats { total_latency_ms: u64::MAX - 1, ..NodeStats::default() };
        stats.record(true, 5, DateTime::UNIX_EPOCH);
        assert_eq!(stats.total_latency_ms, u64::MAX);
    }
}
