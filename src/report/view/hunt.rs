//! What a hunt found.

use serde::Serialize;

use super::test::RateView;
use crate::analysis::hunt::{Finding, Ledger, Tally};

/// Passes and failures of a command or test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TallyView {
    /// Runs in which it ran.
    pub runs: u32,
    /// Runs in which it failed, if only at first.
    pub failed: u32,
}

impl From<Tally> for TallyView {
    fn from(tally: Tally) -> Self {
        Self { runs: tally.runs(), failed: tally.failed }
    }
}

/// What was seen of the command, or of one test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SightingView {
    /// `flaky`, `under-load`, `always-fails` or `clean`.
    pub finding: &'static str,
    /// All runs.
    pub all: TallyView,
    /// Runs with nothing of ours beside them.
    pub alone: TallyView,
    /// Runs beside others.
    pub beside: TallyView,
    /// The failure rate with its exact interval, where it failed; alone, if it failed there.
    pub rate: Option<RateView>,
    /// The failure rate above which its runs exclude a flake, where it never failed.
    pub excluded_above: Option<f64>,
}

impl SightingView {
    /// What a ledger says at a confidence.
    #[must_use]
    pub fn new(ledger: &Ledger, confidence: f64) -> Self {
        let clean = ledger.finding() == Finding::Clean;
        let excluded = crate::analysis::interval::excluded_rate(ledger.runs(), confidence);
        Self {
            finding: ledger.finding().word(),
            all: TallyView { runs: ledger.runs(), failed: ledger.failed() },
            alone: ledger.alone.into(),
            beside: ledger.beside.into(),
            rate: (!clean).then(|| ledger.rate(confidence).into()),
            excluded_above: clean.then(|| super::rounded(excluded)),
        }
    }
}

/// How likely a flake of some rate is to be met.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChanceView {
    /// The share of runs in which it fails.
    pub rate: f64,
    /// The chance that so many runs meet it at least once.
    pub chance: f64,
}

impl ChanceView {
    /// A rate and the chance to meet it.
    #[must_use]
    pub fn new(rate: f64, chance: f64) -> Self {
        Self { rate, chance: super::rounded(chance) }
    }
}

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HuntedTest {
    /// The test as it is printed and typed.
    pub test: String,
    /// What was seen of it.
    #[serde(flatten)]
    pub seen: SightingView,
    /// Why it failed the first time, in one line.
    pub failure: String,
}

/// So many runs that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EndingView {
    /// How, such as `exit code 1` or `signal 11`.
    pub how: String,
    /// So many runs.
    pub runs: u32,
}

/// The first run that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedRun {
    /// Its number, from 1.
    pub run: u32,
    /// How it ended.
    pub how: String,
    /// True where nothing of ours ran beside it.
    pub alone: bool,
    /// The last lines that it wrote.
    pub output: String,
    /// Where all that it wrote was kept.
    pub log: Option<String>,
}

/// What a hunt found: `flakedb hunt`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HuntView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The command, as it can be typed.
    pub command: String,
    /// Runs that were to be made.
    pub planned: u32,
    /// How sure what is excluded is.
    pub confidence: f64,
    /// Flake rates, each with the chance that as many runs would have shown it.
    pub could_find: Vec<ChanceView>,
    /// `flaky`, `under-load`, `always-fails` or `clean`: of the command or of any test, the first
    /// of these that holds.
    pub finding: &'static str,
    /// True where somebody ended the hunt before it was over.
    pub interrupted: bool,
    /// What was seen of the command.
    pub seen: SightingView,
    /// How its runs ended, the most frequent first.
    pub endings: Vec<EndingView>,
    /// The tests that failed, by name; empty where no report was read.
    pub tests: Vec<HuntedTest>,
    /// Tests in the reports; 0 where none was read.
    pub tests_seen: u64,
    /// The first run that failed.
    pub first_failure: Option<FailedRun>,
    /// The history that the runs were stored in.
    pub history: Option<String>,
    /// What people should know.
    pub notes: Vec<String>,
}

impl HuntView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.hunt.v1";
}
