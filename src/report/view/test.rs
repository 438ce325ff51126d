//! One verdict as it is published.

use serde::{Serialize, Serializer};

use super::super::{sentence, strip};
use super::{FactView, HintView, LatestFailureView, NextView, WeighingView, rounded};
use crate::analysis::direction::Direction;
use crate::analysis::harm::Harm;
use crate::analysis::verdict::{JudgedRun, Rate, Status, Verdict};
use crate::model::{Micros, TestId, Timestamp, in_variant};

/// What a test is called, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestLabel {
    /// Its identity.
    pub id: TestId,
    /// As it is printed and typed, without the variant.
    pub label: String,
    /// The nested suites around it; may be empty.
    pub suite: String,
    /// Its class name as reports have it; may be empty.
    pub classname: String,
    /// Its own name.
    pub name: String,
    /// Its source file; empty where unknown.
    pub file: String,
    /// Its owners; empty where unknown.
    pub owners: Vec<String>,
}

/// A rate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RateView {
    /// The share observed.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl RateView {
    /// The rate as analysis has it.
    #[must_use]
    pub const fn rate(self) -> Rate {
        Rate { value: self.value, low: self.low, high: self.high }
    }
}

impl From<Rate> for RateView {
    fn from(rate: Rate) -> Self {
        Self { value: rounded(rate.value), low: rounded(rate.low), high: rounded(rate.high) }
    }
}

/// What the failures of a test cost: in runs of the main line and of changes, outages left out.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HarmView {
    /// Runs that were red, and in which it failed in the end.
    pub reddened: u32,
    /// Of these, how many were red for this test alone.
    pub alone: u32,
    /// The same in equal shares: a run that was red for four tests counts a quarter for each.
    pub share: f64,
    /// Test time that its failures made worthless, in seconds: its share of the time of red runs,
    /// and repeated attempts.
    pub lost_seconds: f64,
}

impl From<Harm> for HarmView {
    fn from(harm: Harm) -> Self {
        Self {
            reddened: harm.reddened,
            alone: harm.alone,
            share: rounded(harm.share),
            lost_seconds: harm.lost.as_seconds(),
        }
    }
}

/// The verdict on one test in one variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TestView {
    /// The test as it is printed and typed.
    pub test: String,
    /// The matrix cell; empty where runs have none.
    pub variant: String,
    /// The test's identity, in hexadecimal.
    pub id: String,
    /// What it is.
    #[serde(serialize_with = "status_word")]
    #[cfg_attr(test, schemars(with = "Status"))]
    pub status: Status,
    /// P(flaky at a rate of 1 % or more), where the method gives a probability.
    pub probability: Option<f64>,
    /// P(broken on the main line), where the method gives a probability.
    pub broken_probability: Option<f64>,
    /// How sure the status is, where the method says.
    pub certainty: Option<f64>,
    /// The method's own number, the higher the flakier, where it has one.
    pub score: Option<f64>,
    /// The method recommends to quarantine it.
    pub quarantine: bool,
    /// It was broken and passes again, so that its failures have no rate.
    #[serde(skip)]
    pub mended: bool,
    /// Why, in one sentence.
    pub reason: String,
    /// Share of executions with a failed attempt.
    pub rate: RateView,
    /// Whether the newer half of its executions failed less often than the older, or more; what may
    /// be chance at the 5 % level is `unclear`.
    pub trend: Direction,
    /// Runs in which it passed or failed, outages left out.
    pub executions: u32,
    /// Of these, how many ended badly.
    pub failures: u32,
    /// Runs in which it passed only after a failed attempt.
    pub retried: u32,
    /// Runs in which it was skipped.
    pub skipped: u32,
    /// Changes of outcome between consecutive runs of one lane.
    pub flips: u32,
    /// What its failures cost.
    pub harm: HarmView,
    /// One mark for each run, the most recent last: see `report::strip`.
    pub strip: String,
    /// Its owners.
    pub owners: Vec<String>,
    /// Its source file; empty where unknown.
    pub file: String,
    /// The nested suites around it; may be empty.
    pub suite: String,
    /// Its class name as reports have it; may be empty.
    pub classname: String,
    /// Its own name.
    pub name: String,
    /// When it last failed.
    pub last_failure: Option<String>,
    /// How it last failed outside outages; null where it did not, or no report says how.
    pub latest_failure: Option<LatestFailureView>,
    /// When it last ran.
    pub last_run: String,
    /// Median time of passing attempts, in seconds.
    pub duration_seconds: Option<f64>,
    /// The facts, strongest first.
    pub facts: Vec<FactView>,
    /// What the filter weighed; null for other methods, and for tests that never failed.
    pub weighing: Option<WeighingView>,
    /// What would change the verdict.
    pub next: Vec<NextView>,
    /// Hints on the cause of its failures, strongest first; no part of the verdict.
    pub hints: Vec<HintView>,
}

/// How often a test fails, in the words that fit its status.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failing {
    /// `flaked` or `failed`.
    pub word: &'static str,
    /// How often.
    pub bad: u32,
    /// In so many runs.
    pub of: u32,
    /// The rate with its interval, where a test fails by chance: a broken one has no rate.
    pub rate: Option<Rate>,
    /// Where the rate goes.
    pub trend: Direction,
}

/// See [`TestView::needs_attention`]; `bad` counts runs in which it failed at least once.
#[must_use]
pub(super) const fn needs_attention(status: Status, bad: u32) -> bool {
    match status {
        Status::Healthy => false,
        Status::New | Status::Stale => bad > 0,
        _ => true,
    }
}

fn status_word<S: Serializer>(status: &Status, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.word())
}

impl TestView {
    /// Describes a verdict among the runs of its judgement.
    #[must_use]
    pub fn new(verdict: &Verdict, runs: &[JudgedRun], label: TestLabel) -> Self {
        Self {
            test: label.label,
            variant: verdict.variant.clone(),
            id: label.id.to_string(),
            status: verdict.status,
            probability: verdict.probability.map(rounded),
            broken_probability: verdict.broken_probability.map(rounded),
            certainty: verdict.certainty().map(rounded),
            score: verdict.score.map(rounded),
            quarantine: verdict.quarantine,
            mended: verdict.is_mended(),
            reason: sentence::reason(verdict, runs),
            rate: verdict.rate.into(),
            trend: verdict.direction,
            executions: verdict.executions,
            failures: verdict.failures,
            retried: verdict.retried,
            skipped: verdict.skipped,
            flips: verdict.flips,
            harm: verdict.harm.into(),
            strip: strip::full(&verdict.cells, runs),
            owners: label.owners,
            file: label.file,
            suite: label.suite,
            classname: label.classname,
            name: label.name,
            latest_failure: None,
            last_failure: verdict.last_failure.map(Timestamp::to_rfc3339),
            last_run: verdict.last_run.to_rfc3339(),
            duration_seconds: verdict.duration_median.map(Micros::as_seconds),
            facts: verdict
                .facts
                .iter()
                .map(|fact| FactView {
                    sentence: sentence::evidence(fact, verdict.status, runs),
                    ..FactView::new(fact, runs)
                })
                .collect(),
            weighing: verdict.weighing.as_ref().map(|weighing| WeighingView::new(weighing, runs)),
            next: verdict.next.iter().copied().map(NextView::new).collect(),
            hints: verdict.hints.iter().map(HintView::new).collect(),
        }
    }

    /// How often it fails: flakes of the runs in which one could have shown, where that is the
    /// question and the filter tells; else failed executions of all.
    #[must_use]
    pub fn failing(&self) -> Failing {
        let by_chance = matches!(self.status, Status::Flaky | Status::Suspect | Status::Recovering)
            && !self.mended;
        match &self.weighing {
            Some(weighing) if by_chance && weighing.flakes > 0 => Failing {
                word: "flaked",
                bad: weighing.flakes,
                of: weighing.chances,
                rate: Some(weighing.flake_rate.rate()),
                trend: self.trend,
            },
            _ => Failing {
                word: "failed",
                bad: self.failures + self.retried,
                of: self.executions,
                // Failures that were no flakes have no rate.
                rate: (by_chance && self.weighing.is_none()).then(|| self.rate.rate()),
                trend: if by_chance { self.trend } else { Direction::Unclear },
            },
        }
    }

    /// True for what a person should look at: neither healthy, nor new or stale without a failure.
    #[must_use]
    pub const fn needs_attention(&self) -> bool {
        needs_attention(self.status, self.failures + self.retried)
    }

    /// The strongest hint on the cause on one line, for a list of tests: `Hint: fails after …`.
    #[must_use]
    pub fn hint_line(&self) -> Option<String> {
        self.hints.first().map(|hint| format!("Hint: {}", hint.short))
    }

    /// The test with its variant behind it, as one prints it.
    #[must_use]
    pub fn label(&self) -> String {
        in_variant(&self.test, &self.variant)
    }
}
