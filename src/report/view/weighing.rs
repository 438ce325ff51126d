//! What the filter weighed, as it is published.

use serde::Serialize;

use super::super::explanation;
use super::{RateView, rounded};
use crate::analysis::filter::episode::Attribution;
use crate::analysis::filter::ledger::Kind;
use crate::analysis::verdict::{EventKind, JudgedRun, Judgement, RunEvent, Weighing};
use crate::model::Timestamp;

/// What the filter weighed to come to a verdict; weights are nats, natural logarithms of odds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WeighingView {
    /// Before anything was seen.
    pub prior_nats: f64,
    /// What time alone changed.
    pub time_nats: f64,
    /// Everything together: ln P(flaky) / P(healthy), for flakiness at any rate.
    pub total_nats: f64,
    /// Each kind of observation, strongest kinds first.
    pub evidence: Vec<EvidenceView>,
    /// When it was last called flaky anew, whether it still is or not.
    pub flaky_since: Option<String>,
    /// Failures that were flakes, more likely than not.
    pub flakes: u32,
    /// Runs in which a flake could have shown: neither broken nor in an outage.
    pub chances: u32,
    /// How often it flakes: posterior mean and central 95 %.
    pub flake_rate: RateView,
}

/// What observations of one kind weigh.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EvidenceView {
    /// The kind: `proof`, `recovered`, `branches`, `fails-now`, `lasting`, `bad-commit`, `outage`,
    /// `passes`.
    pub kind: Kind,
    /// What they were, in words.
    pub sentence: String,
    /// How many there were.
    pub count: u32,
    /// What they weigh together.
    pub nats: f64,
}

impl WeighingView {
    /// Describes a weighing.
    #[must_use]
    pub fn new(weighing: &Weighing, runs: &[JudgedRun]) -> Self {
        let started = |run: u32| runs.get(run as usize).map(|run| run.started.to_rfc3339());
        let evidence = weighing.entries.iter().map(|(kind, entry)| EvidenceView {
            kind: *kind,
            sentence: explanation::entry(*kind, *entry, weighing, runs),
            count: entry.count,
            nats: rounded(entry.nats),
        });
        Self {
            prior_nats: rounded(weighing.prior),
            time_nats: rounded(weighing.time),
            total_nats: rounded(weighing.total),
            evidence: evidence.collect(),
            flaky_since: weighing.flaky_since.and_then(started),
            flakes: weighing.flakes,
            chances: weighing.chances,
            flake_rate: weighing.flake_rate.into(),
        }
    }
}

/// What caused a failure: probabilities that sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CausesView {
    /// The test itself.
    pub flake: f64,
    /// The main line was broken.
    pub regression: f64,
    /// The change on whose branch it ran.
    pub change: f64,
    /// The machine.
    pub outage: f64,
}

impl From<Attribution> for CausesView {
    fn from(causes: Attribution) -> Self {
        Self {
            flake: rounded(causes.flake),
            regression: rounded(causes.regression),
            change: rounded(causes.change),
            outage: rounded(causes.outage),
        }
    }
}

impl CausesView {
    /// The likeliest one, as it is printed.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { flake, regression, change, outage } = *self;
        explanation::cause(&Attribution { flake, regression, change, outage })
    }
}

/// Something that happened to many tests of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventView {
    /// What: `outage`, `bad-commit`, `systemic-group`.
    pub kind: EventKind,
    /// The module that it happened to; null for the whole run.
    pub module: Option<String>,
    /// How probable this explanation is.
    pub probability: f64,
    /// Tests that ran there.
    pub executed: u32,
    /// Tests whose first attempt failed there.
    pub failed: u32,
    /// When the run started.
    pub started: String,
    /// The commit under test.
    pub revision: Option<String>,
    /// The branch under test.
    pub branch: Option<String>,
    /// The matrix cell; empty where runs have none.
    pub variant: String,
    /// The CI build.
    pub build: Option<String>,
    /// The attempt of that build.
    pub attempt: u32,
    /// Where a person finds its log.
    pub url: Option<String>,
}

impl EventView {
    /// The events of a judgement; `modules` names them.
    #[must_use]
    pub fn all(judgement: &Judgement, modules: &[String]) -> Vec<Self> {
        let view = |event: &RunEvent| {
            let run = judgement.runs.get(event.run as usize)?;
            let module = event.module.and_then(|module| modules.get(module as usize)).cloned();
            Some(Self {
                kind: event.kind,
                module,
                probability: rounded(event.probability),
                executed: event.executed,
                failed: event.failed,
                started: Timestamp::to_rfc3339(run.started),
                revision: run.revision.clone(),
                branch: run.branch.clone(),
                variant: run.variant.clone(),
                build: run.build.clone(),
                attempt: run.attempt,
                url: run.url.clone(),
            })
        };
        judgement.events.iter().filter_map(view).collect()
    }
}
