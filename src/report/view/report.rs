//! The verdicts of a window.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::super::sentence;
use super::test::needs_attention;
use super::{EventView, TestLabel, TestView, WindowText, WindowView};
use crate::analysis::direction::Direction;
use crate::analysis::trend::Halves;
use crate::analysis::verdict::{JudgedRun, Judgement, Status, Verdict};
use crate::model::Timestamp;

/// Which verdicts a report lists; its totals always count all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listing {
    /// What needs a person: neither healthy, nor new or stale without a failure.
    #[default]
    Attention,
    /// Everything.
    All,
    /// These statuses.
    Only(StatusSet),
}

/// Some of the statuses.
///
/// ```
/// use flakedb::analysis::verdict::Status;
/// use flakedb::report::view::StatusSet;
/// let wanted: StatusSet = [Status::Flaky, Status::Suspect].into_iter().collect();
/// assert!(wanted.has(Status::Flaky) && !wanted.has(Status::Healthy));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusSet(u16);

impl StatusSet {
    /// True where the status is one of them.
    #[must_use]
    pub const fn has(self, status: Status) -> bool {
        self.0 & (1 << status as u16) != 0
    }
}

impl FromIterator<Status> for StatusSet {
    fn from_iter<I: IntoIterator<Item = Status>>(statuses: I) -> Self {
        Self(statuses.into_iter().fold(0, |set, status| set | (1 << status as u16)))
    }
}

impl Listing {
    const fn word(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::All => "all",
            Self::Only(_) => "only",
        }
    }

    /// True where this listing shows the verdict.
    #[must_use]
    pub const fn shows(self, verdict: &Verdict) -> bool {
        match (self, verdict.status) {
            (Self::All, _) => true,
            (Self::Only(statuses), status) => statuses.has(status),
            (Self::Attention, status) => {
                needs_attention(status, verdict.failures + verdict.retried)
            }
        }
    }
}

/// What a report is made of besides the judgement.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// The project.
    pub project: &'a str,
    /// The question that selected the runs.
    pub window: &'a WindowText,
    /// Which verdicts to list.
    pub listing: Listing,
    /// The names of modules, as events number them.
    pub modules: &'a [String],
    /// Whether pages for people show what weighed how much; JSON always does.
    pub explain: Explain,
}

/// Whether a page shows what weighed how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Explain {
    /// The reason alone.
    #[default]
    No,
    /// Every weight.
    Yes,
}

/// How many verdicts there are of each status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalsView {
    /// Distinct tests.
    pub tests: u64,
    /// Tests counted once for each variant: the sum over all statuses.
    pub verdicts: u64,
    /// Verdicts that recommend quarantine.
    pub quarantine: u64,
    /// Verdicts of each status, in order of alarm.
    pub by_status: [(Status, u64); Status::ALL.len()],
}

impl TotalsView {
    fn new(verdicts: &[Verdict]) -> Self {
        let count = |status| verdicts.iter().filter(|verdict| verdict.status == status).count();
        let mut tests: Vec<_> = verdicts.iter().map(|verdict| verdict.test).collect();
        tests.sort_unstable();
        tests.dedup();
        Self {
            tests: tests.len() as u64,
            verdicts: verdicts.len() as u64,
            quarantine: verdicts.iter().filter(|verdict| verdict.quarantine).count() as u64,
            by_status: Status::ALL.map(|status| (status, count(status) as u64)),
        }
    }

    /// How many verdicts have this status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        self.by_status.iter().find(|(other, _)| *other == status).map_or(0, |(_, count)| *count)
    }
}

impl Serialize for TotalsView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let numbers =
            [("tests", self.tests), ("verdicts", self.verdicts), ("quarantine", self.quarantine)];
        let statuses = self.by_status.iter().map(|(status, count)| (key(*status), *count));
        serializer.collect_map(
            numbers.into_iter().map(|(key, count)| (key.to_owned(), count)).chain(statuses),
        )
    }
}

fn key(status: Status) -> String {
    status.word().replace('-', "_")
}

/// The runs of the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunsView {
    /// All of them.
    pub total: u64,
    /// Runs in which far more tests failed than their own rates explain.
    pub outages: u64,
    /// Runs with a failed test or an error of a whole suite, outages left out.
    pub red: u64,
    /// Of the older half of the runs, outages left out, how many were red.
    pub red_older_half: u64,
    /// Of the newer half, how many were red; a middle run counts as newer.
    pub red_newer_half: u64,
    /// Whether the newer half has fewer red runs than chance explains, or more.
    pub direction: Direction,
    /// When the first started.
    pub first_started: Option<String>,
    /// When the last started.
    pub last_started: Option<String>,
    /// Runs of each variant.
    pub variants: BTreeMap<String, u64>,
}

impl RunsView {
    /// Counts the runs of a judgement.
    #[must_use]
    pub fn new(runs: &[JudgedRun]) -> Self {
        let Halves { older, newer } = Halves::of_red(runs);
        let started = || runs.iter().map(|run| run.started);
        let mut variants = BTreeMap::new();
        for run in runs {
            *variants.entry(run.variant.clone()).or_insert(0) += 1;
        }
        Self {
            total: runs.len() as u64,
            outages: runs.iter().filter(|run| run.outage).count() as u64,
            red: u64::from(older.failed) + u64::from(newer.failed),
            red_older_half: older.failed.into(),
            red_newer_half: newer.failed.into(),
            direction: Halves { older, newer }.direction(),
            first_started: started().min().map(Timestamp::to_rfc3339),
            last_started: started().max().map(Timestamp::to_rfc3339),
            variants,
        }
    }
}

/// A run in which far more tests failed than their own rates explain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutageView {
    /// When it started.
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
    /// Tests that ran.
    pub executed: u32,
    /// Tests that failed.
    pub failed: u32,
}

impl OutageView {
    fn new(run: &JudgedRun) -> Self {
        Self {
            started: Timestamp::to_rfc3339(run.started),
            revision: run.revision.clone(),
            branch: run.branch.clone(),
            variant: run.variant.clone(),
            build: run.build.clone(),
            attempt: run.attempt,
            url: run.url.clone(),
            executed: run.executed,
            failed: run.bad,
        }
    }
}

/// The verdicts of a window: `flakedb report`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReportView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// Which runs were looked at.
    pub window: WindowView,
    /// The method that judged.
    pub method: &'static str,
    /// Verdicts of each status.
    pub totals: TotalsView,
    /// The runs of the window.
    pub runs: RunsView,
    /// What `tests` lists: `attention`, `all`, or `only` some statuses.
    pub listing: &'static str,
    /// Verdicts that `tests` leaves out.
    pub left_out: u64,
    /// The verdicts, most harmful first.
    pub tests: Vec<TestView>,
    /// Runs whose failures count against no test, oldest first.
    pub outages: Vec<OutageView>,
    /// What happened to many tests of one run, oldest first, where the method tells.
    pub events: Vec<EventView>,
    /// Remarks, such as what is taken for the default branch.
    pub notes: Vec<String>,
    /// Whether pages for people show what weighed how much.
    #[serde(skip)]
    pub explain: Explain,
}

impl ReportView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.report.v1";

    /// Describes a judgement, in the order of its verdicts; `names` gives each test its label.
    #[must_use]
    pub fn new(
        judgement: &Judgement,
        names: &dyn Fn(&Verdict) -> TestLabel,
        input: ReportInput<'_>,
    ) -> Self {
        let runs = &judgement.runs;
        let tests: Vec<TestView> = judgement
            .verdicts
            .iter()
            .filter(|verdict| input.listing.shows(verdict))
            .map(|verdict| TestView::new(verdict, runs, names(verdict)))
            .collect();
        Self {
            schema: Self::SCHEMA,
            project: input.project.to_owned(),
            window: WindowView::new(input.window),
            method: judgement.method,
            totals: TotalsView::new(&judgement.verdicts),
            runs: RunsView::new(runs),
            listing: input.listing.word(),
            left_out: (judgement.verdicts.len() - tests.len()) as u64,
            tests,
            outages: runs.iter().filter(|run| run.outage).map(OutageView::new).collect(),
            events: EventView::all(judgement, input.modules),
            notes: sentence::assumed_default_branch(runs).into_iter().collect(),
            explain: input.explain,
        }
    }
}

impl ReportView {
    /// What happened to many tests of a module; whole runs stand in [`outages`](Self::outages).
    pub fn groups(&self) -> impl DoubleEndedIterator<Item = &EventView> {
        self.events.iter().filter(|event| event.module.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    #[test]
    fn attention_is_for_what_failed_and_totals_count_everything() {
        let judgement = sample::usual();
        let view = sample::report_of(&judgement, Listing::Attention);
        let all = sample::report_of(&judgement, Listing::All);
        assert_eq!(view.totals, all.totals);
        assert_eq!(view.tests.len() as u64 + view.left_out, view.totals.verdicts);
        assert_eq!((all.tests.len(), all.left_out), (judgement.verdicts.len(), 0));
        let fixed = [Status::Fixed, Status::New].into_iter().collect();
        assert_eq!(sample::report_of(&judgement, Listing::Only(fixed)).tests.len(), 3);
        let quiet = |test: &&TestView| test.failures + test.retried == 0;
        assert_eq!(view.tests.iter().find(quiet), None);
        assert_eq!(view.totals.by_status.iter().map(|(_, count)| count).sum::<u64>(), 38);
    }

    #[test]
    fn red_runs_are_counted_by_halves_without_outages() {
        let judgement = sample::usual();
        let runs = RunsView::new(&judgement.runs);
        let red = judgement.runs.iter().filter(|run| run.bad > 0 && !run.outage).count() as u64;
        assert_eq!(runs.red, red);
        assert_eq!((runs.total, runs.outages), (52, 1));
        assert_eq!(RunsView::new(&judgement.runs[3..4]).red_newer_half, 1);
    }

    #[test]
    fn a_run_whose_suite_failed_as_a_whole_is_red_without_a_failed_test() {
        let mut run = sample::usual().runs.swap_remove(0);
        run.bad = 0;
        assert_eq!(RunsView::new(std::slice::from_ref(&run)).red, 0);
        run.suite_failures = 1;
        assert_eq!(RunsView::new(&[run]).red, 1);
    }
}
