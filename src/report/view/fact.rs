//! Facts and next steps as they are published: the kind, its numbers, and the sentence.

use serde::Serialize;

use super::super::sentence;
use crate::analysis::verdict::{Fact, JudgedRun, NextStep};
use crate::model::Timestamp;

/// One fact behind a verdict. Only the numbers that its kind has are written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FactView {
    /// What kind of fact, such as `both-on-one-revision`.
    pub kind: &'static str,
    /// The fact in words.
    pub sentence: String,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How many runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<u32>,
    /// One failure in so many runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_in: Option<u32>,
    /// How many pairs of consecutive runs were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<u32>,
    /// How many revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revisions: Option<u32>,
    /// How many branches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branches: Option<u32>,
    /// How many failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<u32>,
    /// How many runs in a row it failed before it passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_runs: Option<u32>,
    /// The last revision the fact speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_revision: Option<String>,
    /// The first failing revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<String>,
    /// The last passing revision before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_good: Option<String>,
    /// The first passing revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_good: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

impl FactView {
    /// Describes a fact; `runs` give dates to the runs it names.
    #[must_use]
    pub fn new(fact: &Fact, runs: &[JudgedRun]) -> Self {
        let view = Self { sentence: sentence::fact(fact, runs), ..Self::default() };
        match fact.clone() {
            Fact::PassedOnRetry { times, .. } => {
                Self { kind: "passed-on-retry", times: Some(times), ..view }
            }
            Fact::BothOnOneRevision { revisions, last } => Self {
                kind: "both-on-one-revision",
                revisions: Some(revisions),
                last_revision: Some(last),
                ..view
            },
            Fact::RecoveredByItself { times } => {
                Self { kind: "recovered-by-itself", times: Some(times), ..view }
            }
            Fact::UnrelatedBranches { branches } => {
                Self { kind: "unrelated-branches", branches: Some(branches), ..view }
            }
            Fact::Flips { flips, pairs } => {
                Self { kind: "flips", times: Some(flips), pairs: Some(pairs), ..view }
            }
            Fact::FailsSince { runs, first_bad, last_good, since } => Self {
                kind: "fails-since",
                runs: Some(runs),
                first_bad,
                last_good,
                since: Some(Timestamp::to_rfc3339(since)),
                ..view
            },
            Fact::PassesSince { runs, failed_runs, first_good, since } => Self {
                kind: "passes-since",
                runs: Some(runs),
                failed_runs: Some(failed_runs),
                first_good,
                since: Some(Timestamp::to_rfc3339(since)),
                ..view
            },
            Fact::IgnoredOutages { failures } => {
                Self { kind: "ignored-outages", failures: Some(failures), ..view }
            }
            Fact::IgnoredChanges { failures } => {
                Self { kind: "ignored-changes", failures: Some(failures), ..view }
            }
            Fact::Ambiguous { runs } => Self { kind: "ambiguous", runs: Some(runs), ..view },
            Fact::RateExcluded { runs, one_in } => {
                Self { kind: "rate-excluded", runs: Some(runs), one_in: Some(one_in), ..view }
            }
            Fact::Rule { .. } => Self { kind: "rule", ..view },
        }
    }
}

/// What would change a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NextView {
    /// What kind of step: `more-results`, `no-longer-flaky`, `clean-runs`,
    /// `rerun-revision`, `passing-runs`, `a-failure`, `any-result`.
    pub kind: &'static str,
    /// How many runs, results or repetitions.
    pub count: u32,
    /// The step in words.
    pub sentence: String,
}

impl NextView {
    /// Describes a step.
    #[must_use]
    pub fn new(step: NextStep) -> Self {
        let (kind, count) = match step {
            NextStep::MoreResults { runs } => ("more-results", runs),
            NextStep::NoLongerFlaky { runs } => ("no-longer-flaky", runs),
            NextStep::CleanRuns { runs } => ("clean-runs", runs),
            NextStep::RerunRevision { times } => ("rerun-revision", times),
            NextStep::PassingRuns { runs } => ("passing-runs", runs),
            NextStep::AFailure => ("a-failure", 1),
            NextStep::AnyResult => ("any-result", 1),
        };
        Self { kind, count, sentence: sentence::next(step) }
    }
}
