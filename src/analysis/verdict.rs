//! What the judgement says: one verdict for each test and variant, with its evidence.

use serde::Serialize;

use super::cause::{Causes, Hint};
use super::direction::Direction;
use super::filter::episode::{Attributed, Attribution};
use super::filter::ledger::{Entry, Kind};
use super::harm::Harm;
use super::trail::Trail;
use crate::model::{Lane, Micros, Outcome, SignatureId, Timestamp};
use crate::store::query::{RunNo, TestNo};

/// What a test is, in a window.
///
/// The order is that of alarm: a list sorted by status starts with what needs a person first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Fails now on the default branch, and passed before in this window.
    NewlyBroken,
    /// Fails now on the default branch, as long as the window reaches.
    Broken,
    /// Passes and fails on the same code.
    Flaky,
    /// Something points to flakiness, but not enough to say so.
    Suspect,
    /// Was flaky or broken and passes now, but not yet often enough.
    Recovering,
    /// Was broken and passes now.
    Fixed,
    /// Not enough results to say anything.
    New,
    /// Did not run in the recent part of the window.
    Stale,
    /// Passes.
    Healthy,
}

impl Status {
    /// All statuses in order of alarm.
    pub const ALL: [Self; 9] = [
        Self::NewlyBroken,
        Self::Broken,
        Self::Flaky,
        Self::Suspect,
        Self::Recovering,
        Self::Fixed,
        Self::New,
        Self::Stale,
        Self::Healthy,
    ];

    /// The word used in JSON and in sentences.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NewlyBroken => "newly-broken",
            Self::Broken => "broken",
            Self::Flaky => "flaky",
            Self::Suspect => "suspect",
            Self::Recovering => "recovering",
            Self::Fixed => "fixed",
            Self::New => "new",
            Self::Stale => "stale",
            Self::Healthy => "healthy",
        }
    }
}

/// An estimate with its 95 % interval, all between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// The share observed.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// One fact behind a verdict; renderers turn it into a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Fact {
    /// Failed and then passed within one run.
    PassedOnRetry {
        /// In how many runs.
        times: u32,
        /// The last of these runs.
        #[serde(skip)]
        last: RunNo,
    },
    /// Passed and failed on one revision.
    BothOnOneRevision {
        /// How many revisions.
        revisions: u32,
        /// The last such revision.
        last: String,
    },
    /// Failed on the default branch and passed again within two revisions.
    RecoveredByItself {
        /// How often.
        times: u32,
    },
    /// Failed on changes of several branches that have nothing else in common.
    UnrelatedBranches {
        /// How many branches.
        branches: u32,
    },
    /// The outcome changed between consecutive runs.
    Flips {
        /// How often.
        flips: u32,
        /// Of how many pairs of consecutive runs.
        pairs: u32,
    },
    /// Fails without interruption until now.
    FailsSince {
        /// How many runs in a row.
        runs: u32,
        /// The first failing revision, where known.
        first_bad: Option<String>,
        /// The last passing revision before it, where known.
        last_good: Option<String>,
        /// When the first failing run started.
        since: Timestamp,
    },
    /// Failed in a row, then passes without interruption until now.
    PassesSince {
        /// How many runs in a row.
        runs: u32,
        /// How many runs in a row it failed before.
        failed_runs: u32,
        /// The first passing revision, where known.
        first_good: Option<String>,
        /// When the first passing run started.
        since: Timestamp,
    },
    /// Failures that do not count because far more failed in these runs than tests explain.
    IgnoredOutages {
        /// Failures of this test in such runs.
        failures: u32,
    },
    /// Failures that do not count because only a change's own branch has them.
    IgnoredChanges {
        /// Failures of this test there.
        failures: u32,
    },
    /// Failures that are no evidence: different tests share the name.
    Ambiguous {
        /// In how many runs.
        runs: u32,
    },
    /// It never failed, so that a test which fails more often than this would have shown itself
    /// with 95 % probability.
    RateExcluded {
        /// In how many runs.
        runs: u32,
        /// One in so many runs.
        one_in: u32,
    },
    /// The rule of a named method and how it came out.
    Rule {
        /// The rule in words with its numbers.
        text: String,
    },
}

/// What a test did in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The run, as a place in [`Judgement::runs`].
    pub run: u32,
    /// The outcome after all attempts.
    pub outcome: Outcome,
    /// Passed only after a failed attempt.
    pub retried: bool,
    /// The time of the last attempt.
    pub duration: Option<Micros>,
}

/// One run of the window as the judgement saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedRun {
    /// Its number in the history.
    pub no: RunNo,
    /// When it started.
    pub started: Timestamp,
    /// The commit under test.
    pub revision: Option<String>,
    /// The branch under test.
    pub branch: Option<String>,
    /// Default branch, change, or other.
    pub lane: Lane,
    /// It belongs to the main line: the default branch, or what is taken for it.
    pub on_main: bool,
    /// The matrix cell as printed.
    pub variant: String,
    /// The CI build.
    pub build: Option<String>,
    /// The attempt of that build.
    pub attempt: u32,
    /// The CI job, for people.
    pub job: Option<String>,
    /// Where a person finds its log.
    pub url: Option<String>,
    /// Tests that ran, skipped ones left out.
    pub executed: u32,
    /// Tests that failed or errored in the end.
    pub bad: u32,
    /// The time of the last attempt of every test, summed.
    pub time: Micros,
    /// Errors of whole suites, which belong to no single test.
    pub suite_failures: u32,
    /// Failed attempts all told count as an outage here.
    pub outage: bool,
}

impl JudgedRun {
    /// True where anything failed: a test, or a whole suite before its tests could.
    #[must_use]
    pub const fn is_red(&self) -> bool {
        self.bad > 0 || self.suite_failures > 0
    }
}

/// The verdict on one test in one variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The test.
    pub test: TestNo,
    /// The matrix cell as printed; empty where runs have none.
    pub variant: String,
    /// What it is.
    pub status: Status,
    /// P(flaky at a rate of 1 % or more), where the method gives a probability.
    pub probability: Option<f64>,
    /// P(broken on the main line), where the method gives a probability.
    pub broken_probability: Option<f64>,
    /// What the filter weighed, where it judged and the test failed.
    pub weighing: Option<Box<Weighing>>,
    /// The method's own number, the higher the flakier, where it has one: a share, a count, a
    /// probability. Numbers of different methods cannot be compared.
    pub score: Option<f64>,
    /// The method recommends to quarantine it.
    pub quarantine: bool,
    /// Runs in which it passed or failed; outages, failures of one change alone and failures of a
    /// name that tests share left out.
    pub executions: u32,
    /// Of these, how many ended badly.
    pub failures: u32,
    /// Runs in which it passed only after a failed attempt.
    pub retried: u32,
    /// Runs in which it was skipped.
    pub skipped: u32,
    /// Share of executions with a failed attempt, flaky passes included.
    pub rate: Rate,
    /// Changes of outcome between consecutive runs of one lane.
    pub flips: u32,
    /// The facts, strongest first.
    pub facts: Vec<Fact>,
    /// What it did, oldest run first; only for tests that were bad at least once outside outages.
    /// [`Unit::cells`](super::history::Unit::cells) has those of any test that was kept.
    pub cells: Vec<Cell>,
    /// When it last failed.
    pub last_failure: Option<Timestamp>,
    /// When it last ran.
    pub last_run: Timestamp,
    /// Median time of passing attempts.
    pub duration_median: Option<Micros>,
    /// What its failures cost.
    pub harm: Harm,
    /// Whether the newer half of its executions failed less often than the older, or more.
    pub direction: Direction,
    /// What would change the verdict.
    pub next: Vec<NextStep>,
    /// Hints on the cause of its failures, strongest first; no part of the verdict.
    pub hints: Vec<Hint>,
    /// What led here, run by run; only for tests that the history was asked about.
    pub trail: Option<Box<Trail>>,
}

impl Verdict {
    /// How sure the status is: of a breakage for the broken ones, of flakiness for those that are
    /// or may be flaky; `None` where the method gives no probability, or the status asks for none.
    #[must_use]
    pub fn certainty(&self) -> Option<f64> {
        match self.status {
            Status::NewlyBroken | Status::Broken => self.broken_probability,
            _ if self.is_mended() => None,
            Status::Flaky | Status::Suspect | Status::Recovering => self.probability,
            Status::Fixed | Status::New | Status::Stale | Status::Healthy => None,
        }
    }

    /// It was broken and passes again: fixed, or on the way there. A test that recovers from
    /// flakiness is not.
    #[must_use]
    pub fn is_mended(&self) -> bool {
        is_mended(self.status, self.weighing.as_deref())
    }

    /// What caused its failure in a run, where the filter says.
    #[must_use]
    pub fn causes(&self, run: u32) -> Option<Attribution> {
        let failures = &self.weighing.as_ref()?.failures;
        let place = failures.binary_search_by_key(&run, |failure| failure.run).ok()?;
        failures.get(place).map(|failure| failure.causes)
    }
}

/// See [`Verdict::is_mended`]; without the filter's word, who recovers recovers from flakiness.
#[must_use]
pub fn is_mended(status: Status, weighing: Option<&Weighing>) -> bool {
    let was_flaky = weighing.is_none_or(|weighing| weighing.flaky_since.is_some());
    status == Status::Fixed || (status == Status::Recovering && !was_flaky)
}

/// What the filter weighed to come to a verdict.
///
/// All weights are in nats, the natural logarithm of odds: +2.3 makes flakiness ten times as
/// likely. `prior + time + Σ weights` is ln P(flaky) / P(healthy), for flakiness at any rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighing {
    /// Before anything was seen.
    pub prior: f64,
    /// What time alone changed: with each revision a test may become flaky, or healthy.
    pub time: f64,
    /// Everything together.
    pub total: f64,
    /// What each kind of observation weighs; kinds without any are left out.
    pub entries: Vec<(Kind, Entry)>,
    /// The latest runs whose failure was proved to be a flake, oldest first, as places in
    /// [`Judgement::runs`].
    pub proofs: Vec<u32>,
    /// The run with which it was last called flaky anew, whether it still is or not, as a place in
    /// [`Judgement::runs`].
    pub flaky_since: Option<u32>,
    /// Failures that were flakes, more likely than not.
    pub flakes: u32,
    /// Runs in which a flake could have shown: neither broken nor in an outage.
    pub chances: u32,
    /// How often it flakes: the mean and the central 95 % of Beta(0.28 + flakes, 3.87 + chances -
    /// flakes).
    pub flake_rate: Rate,
    /// What caused each failure, oldest first.
    pub failures: Vec<Attributed>,
}

/// Something that happened to many tests of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEvent {
    /// The run, as a place in [`Judgement::runs`].
    pub run: u32,
    /// What happened.
    pub kind: EventKind,
    /// The module that it happened to; `None` for the whole run.
    pub module: Option<u32>,
    /// Tests that ran there.
    pub executed: u32,
    /// Tests whose first attempt failed there.
    pub failed: u32,
    /// How probable this explanation is: at least one half, but for a bad commit that the tests which
    /// failed point to, where it is more probable than any other cause.
    pub probability: f64,
}

/// What happens to many tests of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The machine failed, not the tests.
    Outage,
    /// The revision broke a group of tests.
    BadCommit,
    /// Tests that flake together.
    SystemicGroup,
}

/// What would change a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum NextStep {
    /// So many results more are needed to say anything.
    MoreResults {
        /// How many.
        runs: u32,
    },
    /// After so many runs without a failure it is no longer called flaky, but watched.
    NoLongerFlaky {
        /// How many.
        runs: u32,
    },
    /// So many runs without a failure clear it.
    CleanRuns {
        /// How many.
        runs: u32,
    },
    /// Re-running one failing revision so many times would settle it.
    RerunRevision {
        /// How many times.
        times: u32,
    },
    /// So many passing runs in a row on the main line make a broken test fixed.
    PassingRuns {
        /// How many.
        runs: u32,
    },
    /// The next failure on the main line makes it suspect, or worse.
    AFailure,
    /// A result in a new run: nobody knows how it does now.
    AnyResult,
}

/// Failures of one test that look alike.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureCluster {
    /// What they share.
    pub signature: SignatureId,
    /// How many attempts failed so.
    pub count: u32,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// The type of an example; may be empty.
    pub kind: String,
    /// The headline of an example.
    pub headline: String,
    /// The text of the latest example.
    pub text: String,
    /// Everything that the latest example says: its text, and its message where that is not in it.
    pub whole: String,
    /// The same with numbers, addresses, paths and times masked, to be compared with others.
    pub masked: String,
    /// How many attempts failed so in each variant, as printed, most first.
    pub variants: Vec<(String, u32)>,
    /// How many distinct texts there are.
    pub texts: u32,
    /// Another text, to see what differs; `None` where all are the same.
    pub other: Option<OtherText>,
}

/// A text that is shown against the latest of the same signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherText {
    /// When it was seen last.
    pub last: Timestamp,
    /// Everything that it says.
    pub text: String,
    /// Masked, no text that was compared says anything else than the latest.
    pub alike: bool,
}

/// Everything that was judged in one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The name of the method, such as `evidence` or `threshold`.
    pub method: &'static str,
    /// The runs of the window, oldest first.
    pub runs: Vec<JudgedRun>,
    /// A verdict for each test and variant that has results, in order of alarm.
    pub verdicts: Vec<Verdict>,
    /// What happened to many tests of one run, oldest run first, where the method tells.
    pub events: Vec<RunEvent>,
    /// What the hints on causes come from.
    pub causes: Causes,
}
