//! One test with everything that is known about it in a window.

use serde::Serialize;

use super::super::strip;
use super::{
    CausesView, FailureView, ListedView, TestLabel, TestView, TrailView, WindowText, WindowView,
};
use crate::analysis::filter::episode::Attribution;
use crate::analysis::trail::{Trail, Whereabouts};
use crate::analysis::verdict::{Cell, FailureCluster, JudgedRun, Judgement, Verdict};
use crate::model::{Micros, Outcome};

/// What one run says about the test.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TimelineRow {
    /// When the run started.
    pub started: String,
    /// The outcome after all attempts.
    pub outcome: Outcome,
    /// The outcome's mark in the strip.
    pub mark: char,
    /// Passed only after a failed attempt.
    pub retried: bool,
    /// The run was an outage: its failures do not count.
    pub outage: bool,
    /// What caused its failure, where the filter judged.
    pub causes: Option<CausesView>,
    /// The time of the last attempt, in seconds.
    pub duration_seconds: Option<f64>,
    /// The commit under test.
    pub revision: Option<String>,
    /// The branch under test.
    pub branch: Option<String>,
    /// Default branch, change, or other.
    pub lane: &'static str,
    /// The CI build.
    pub build: Option<String>,
    /// The attempt of that build.
    pub attempt: u32,
    /// The CI job.
    pub job: Option<String>,
    /// How often the test was tried within the run.
    pub tries: u32,
    /// Where a person finds its log.
    pub url: Option<String>,
    /// The machine, where its report says.
    pub host: Option<String>,
    /// The worker that ran it, where its report says.
    pub worker: Option<String>,
    /// Which part of the suite its report is, such as `2/4`, where somebody said so.
    pub shard: Option<String>,
    /// The seed of the random order, where its report says.
    pub seed: Option<String>,
    /// How many tests ran before it in its report, those of the same worker where that is known.
    pub tests_before: Option<u32>,
    /// How many tests the report has, those of the same worker where that is known.
    pub tests: Option<u32>,
}

impl TimelineRow {
    /// True for a run that did not simply pass or skip the test.
    #[must_use]
    pub const fn is_telling(&self) -> bool {
        self.retried || self.outcome.is_bad()
    }

    fn new(cell: &Cell, verdict: &Verdict, run: &JudgedRun, runs: &[JudgedRun]) -> Self {
        let causes: Option<Attribution> = verdict.causes(cell.run);
        let places = verdict.trail.as_ref().map_or(&[][..], |trail| &trail.places);
        let place = places.binary_search_by_key(&cell.run, |place| place.run).ok();
        let place = place.and_then(|at| places.get(at));
        let said = |of: fn(&Whereabouts) -> &Option<String>| place.and_then(|one| of(one).clone());
        Self {
            started: run.started.to_rfc3339(),
            outcome: cell.outcome,
            mark: strip::mark(cell, runs),
            retried: cell.retried,
            outage: run.outage,
            causes: causes.map(CausesView::from),
            duration_seconds: cell.duration.map(Micros::as_seconds),
            revision: run.revision.clone(),
            branch: run.branch.clone(),
            lane: run.lane.word(),
            build: run.build.clone(),
            attempt: run.attempt,
            job: run.job.clone(),
            tries: tries(verdict.trail.as_deref(), cell),
            url: run.url.clone(),
            host: said(|place| &place.host),
            worker: said(|place| &place.worker),
            shard: said(|place| &place.shard),
            seed: said(|place| &place.seed),
            tests_before: place.map(|place| place.before),
            tests: place.map(|place| place.tests),
        }
    }

    /// Its place in the order, where something says that the order matters: `14 of 38`.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let (before, tests) = (self.tests_before?, self.tests?);
        let ordered = self.worker.is_some() || self.seed.is_some();
        ordered.then(|| format!("{} of {tests}", before.saturating_add(1)))
    }
}

/// Attempts of the test within one run: those of a retry, else one where it ran at all.
fn tries(trail: Option<&Trail>, cell: &Cell) -> u32 {
    let retried = trail.map_or(&[][..], |trail| &trail.retried);
    match retried.binary_search_by_key(&cell.run, |tried| tried.run) {
        Ok(place) => {
            retried.get(place).map_or(0, |tried| u32::from(tried.failed) + u32::from(tried.passed))
        }
        Err(_) => u32::from(cell.outcome != Outcome::Skipped),
    }
}

/// The verdict in one variant, with its runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VariantView {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: TestView,
    /// Its runs, oldest first; only for tests that were bad at least once.
    pub timeline: Vec<TimelineRow>,
    /// What led to the verdict.
    pub trail: TrailView,
    /// For each point of the trail, its place in the strip.
    #[serde(skip)]
    pub places: Vec<usize>,
}

impl VariantView {
    fn new(verdict: &Verdict, runs: &[JudgedRun], label: &TestLabel) -> Self {
        let trail = verdict.trail.as_deref().map(|trail| TrailView::new(trail, runs));
        let trail = trail.unwrap_or_default();
        let place = |run: u32| verdict.cells.binary_search_by_key(&run, |cell| cell.run);
        Self {
            verdict: TestView::new(verdict, runs, label.clone()),
            timeline: timeline(verdict, runs),
            // A point without a cell would stand beyond the strip, where nothing is drawn.
            places: trail.points.iter().map(|p| place(p.run).unwrap_or(usize::MAX)).collect(),
            trail,
        }
    }
}

/// What the view of one test is made of besides the judgement.
#[derive(Debug, Clone)]
pub struct ShowInput<'a> {
    /// The project.
    pub project: &'a str,
    /// The question that selected the runs.
    pub window: &'a WindowText,
    /// The test.
    pub label: &'a TestLabel,
    /// Its verdicts, one for each variant.
    pub verdicts: &'a [&'a Verdict],
    /// Its failures, grouped.
    pub failures: &'a [FailureCluster],
    /// Other tests that what was typed could mean.
    pub others: &'a [String],
    /// What the quarantine list says of it; `None` where there is no list.
    pub listed: Option<ListedView>,
}

/// A test's results by the clock.
fn timeline(verdict: &Verdict, runs: &[JudgedRun]) -> Vec<TimelineRow> {
    let ran = |cell: &'_ Cell| runs.get(cell.run as usize);
    let cells = verdict.cells.iter();
    let mut results: Vec<_> = cells.filter_map(|cell| Some((cell, ran(cell)?))).collect();
    results.sort_by_key(|(_, run)| run.started);
    let row = |(cell, run): (&Cell, &JudgedRun)| TimelineRow::new(cell, verdict, run, runs);
    results.into_iter().map(row).collect()
}

/// One test: `flakedb show`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShowView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// Which runs were looked at.
    pub window: WindowView,
    /// The method that judged.
    pub method: &'static str,
    /// The test as it is printed and typed.
    pub test: String,
    /// Its identity, in hexadecimal.
    pub id: String,
    /// Its source file; empty where unknown.
    pub file: String,
    /// Its owners.
    pub owners: Vec<String>,
    /// Its verdicts, one for each variant, in order of alarm.
    pub variants: Vec<VariantView>,
    /// Its failures by signature.
    pub failures: Vec<FailureView>,
    /// The share of all hints on causes that may be chance.
    pub false_discovery_rate: f64,
    /// Other tests that what was typed could mean, best first.
    pub others: Vec<String>,
    /// What the quarantine list says of it; null where there is no list.
    pub listed: Option<ListedView>,
    /// Texts are wanted whole, on screens too.
    #[serde(skip)]
    pub full: bool,
}

impl ShowView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.show.v1";

    /// Describes one test of a judgement.
    #[must_use]
    pub fn new(judgement: &Judgement, input: ShowInput<'_>) -> Self {
        let runs = &judgement.runs;
        let variant = |verdict: &&Verdict| VariantView::new(verdict, runs, input.label);
        Self {
            schema: Self::SCHEMA,
            project: input.project.to_owned(),
            window: WindowView::new(input.window),
            method: judgement.method,
            test: input.label.label.clone(),
            id: input.label.id.to_string(),
            file: input.label.file.clone(),
            owners: input.label.owners.clone(),
            variants: input.verdicts.iter().map(variant).collect(),
            failures: input.failures.iter().map(FailureView::new).collect(),
            false_discovery_rate: judgement.causes.false_discovery_rate,
            others: input.others.to_vec(),
            listed: input.listed,
            full: false,
        }
    }
}
