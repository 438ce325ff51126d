//! A whole window on one page.

use serde::Serialize;

use super::super::{sentence, strip};
use super::question::{ClustersView, OwnersView, SlowerView};
use super::{CausesView, Listing, QuarantineView, ReportView};
use crate::analysis::cause::Share;
use crate::analysis::direction::Direction;
use crate::analysis::duration::Distribution;
use crate::analysis::trend::{Halves, Period, Square, Trend};
use crate::analysis::verdict::{Fact, JudgedRun, Judgement, Verdict};
use crate::model::{Micros, Timestamp};

/// Tests with a course of their own: more than fit a page, so that its budget decides.
const COURSES_MAX: usize = 200;
/// Failures of one test that are told run by run.
const LAST_FAILURES_MAX: usize = 5;

/// A window with everything that people look at: `flakedb report --format html`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DashboardView {
    /// The verdicts.
    pub report: ReportView,
    /// The suite over time.
    pub trend: TrendView,
    /// The worst tests over time, in the order of the verdicts.
    pub courses: Vec<CourseView>,
    /// Tests that failed and have no course here.
    pub courses_left_out: usize,
    /// Which failures are one and the same cause.
    pub clusters: ClustersView,
    /// Who owns the tests that fail.
    pub owners: OwnersView,
    /// How long tests take.
    pub durations: DurationsView,
    /// Which tests got slower.
    pub slower: SlowerView,
    /// The quarantine; null where there is no list.
    pub quarantine: Option<QuarantineView>,
}

/// What a dashboard is made of besides the judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct DashboardInput {
    /// The verdicts.
    pub report: ReportView,
    /// The verdicts that the report lists, as places in the judgement.
    pub listed: Vec<usize>,
    /// Which failures are one and the same cause.
    pub clusters: ClustersView,
    /// Who owns the tests that fail.
    pub owners: OwnersView,
    /// Which tests got slower.
    pub slower: SlowerView,
    /// The quarantine, where there is a list.
    pub quarantine: Option<QuarantineView>,
}

/// The suite over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrendView {
    /// The length of a period, in seconds.
    pub period_seconds: i64,
    /// Red runs of the older and the newer half.
    pub red: HalvesView,
    /// Runs with a flaky failure, likewise.
    pub flaky: HalvesView,
    /// The periods, oldest first.
    pub periods: Vec<PeriodView>,
}

/// A share of the runs of the older and of the newer half.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HalvesView {
    /// How many of the older half.
    pub older: u32,
    /// Runs of the older half.
    pub older_runs: u32,
    /// How many of the newer half.
    pub newer: u32,
    /// Runs of the newer half.
    pub newer_runs: u32,
    /// Which way it went: `better`, `worse` or `unclear`.
    pub direction: Direction,
}

impl From<&Halves> for HalvesView {
    fn from(halves: &Halves) -> Self {
        let (Share { failed: older, runs: older_runs }, newer) = (halves.older, halves.newer);
        Self {
            older,
            older_runs,
            newer: newer.failed,
            newer_runs: newer.runs,
            direction: halves.direction(),
        }
    }
}

/// What the runs of one period came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodView {
    /// When it begins.
    pub begins: String,
    /// Its runs, outages among them.
    pub runs: u32,
    /// Runs with a failure, outages left out.
    pub red: u32,
    /// Of these, runs in which nothing failed but flaky tests.
    pub red_for_flakes: u32,
    /// Runs in which many tests failed together, and not before or after.
    pub outages: u32,
    /// Failures of tests that were flakes, passes on retry among them, outages left out.
    pub flakes: u32,
}

impl From<&Period> for PeriodView {
    fn from(period: &Period) -> Self {
        let Period { begins, runs, red, red_for_flakes, outages, flakes } = *period;
        Self { begins: begins.to_rfc3339(), runs, red, red_for_flakes, outages, flakes }
    }
}

/// One test over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CourseView {
    /// The test, as a place in the report's `tests`.
    pub place: usize,
    /// When the first run of its strip started.
    pub first_run: Option<String>,
    /// What it did in each period of the trend.
    pub periods: Vec<SquareView>,
    /// Where it changed, as places in its strip.
    pub changes: Vec<ChangePointView>,
    /// Its last failures, the latest first; outages among them.
    pub last_failures: Vec<FailedRunView>,
}

/// What one test did in one period; outages and skipped results left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SquareView {
    /// Runs in which it passed or failed.
    pub ran: u32,
    /// Of these, runs with a failed attempt.
    pub bad: u32,
}

impl From<Square> for SquareView {
    fn from(Square { ran, bad }: Square) -> Self {
        Self { ran, bad }
    }
}

/// Where a test changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangePointView {
    /// The first mark of the strip after the change.
    pub place: usize,
    /// What it is since then, such as `flaky since 2026-11-12`.
    pub sentence: String,
}

/// A run in which a test failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedRunView {
    /// The outcome's mark in the strip.
    pub mark: char,
    /// When the run started.
    pub started: String,
    /// What caused it, where the filter judged.
    pub causes: Option<CausesView>,
    /// The commit under test.
    pub revision: Option<String>,
    /// The branch under test.
    pub branch: Option<String>,
    /// The CI build.
    pub build: Option<String>,
    /// Where a person finds its log.
    pub url: Option<String>,
}

/// How long the tests of a suite take: medians of passing attempts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DurationsView {
    /// Tests by how long they take, shortest class first.
    pub classes: Vec<DurationClassView>,
    /// Tests whose time is known, counted once for each variant.
    pub tests: u64,
    /// What all of them take together.
    pub total_seconds: f64,
    /// The slowest twentieth of them, rounded up.
    pub slowest_tests: u64,
    /// What these take together.
    pub slowest_seconds: f64,
}

/// Tests that take about as long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DurationClassView {
    /// They take at least so long.
    pub from_seconds: f64,
    /// And less than this; null for the slowest class.
    pub below_seconds: Option<f64>,
    /// How many there are.
    pub tests: u64,
    /// What they take together.
    pub total_seconds: f64,
}

impl From<&Distribution> for DurationsView {
    fn from(found: &Distribution) -> Self {
        Self {
            classes: found
                .classes
                .iter()
                .map(|class| DurationClassView {
                    from_seconds: class.from.as_seconds(),
                    below_seconds: class.below.map(Micros::as_seconds),
                    tests: class.tests,
                    total_seconds: class.total.as_seconds(),
                })
                .collect(),
            tests: found.tests,
            total_seconds: found.total.as_seconds(),
            slowest_tests: found.slowest_tests,
            slowest_seconds: found.slowest_total.as_seconds(),
        }
    }
}

impl DashboardView {
    /// Describes a window.
    #[must_use]
    pub fn new(judgement: &Judgement, input: DashboardInput) -> Self {
        let trend = Trend::new(judgement);
        let verdict = |place: &usize| judgement.verdicts.get(*place);
        let listed = input.listed.iter().enumerate();
        let troubled: Vec<(usize, &Verdict)> = listed
            .filter_map(|(place, of)| Some((place, verdict(of)?)))
            // What failed in outages alone has nothing to tell.
            .filter(|(_, one)| !one.cells.is_empty() && Listing::Attention.shows(one))
            .collect();
        let course = |(place, verdict): &(usize, &Verdict)| {
            CourseView::new(*place, verdict, &judgement.runs, &trend)
        };
        let medians = judgement.verdicts.iter().filter_map(|verdict| verdict.duration_median);
        Self {
            trend: TrendView::new(&trend),
            courses: troubled.iter().take(COURSES_MAX).map(course).collect(),
            courses_left_out: troubled.len().saturating_sub(COURSES_MAX),
            durations: (&Distribution::new(medians)).into(),
            report: input.report,
            clusters: input.clusters,
            owners: input.owners,
            slower: input.slower,
            quarantine: input.quarantine,
        }
    }
}

impl TrendView {
    fn new(trend: &Trend) -> Self {
        Self {
            period_seconds: trend.step_ms / 1_000,
            red: (&trend.red).into(),
            flaky: (&trend.flaky).into(),
            periods: trend.periods.iter().map(PeriodView::from).collect(),
        }
    }
}

impl CourseView {
    fn new(place: usize, verdict: &Verdict, runs: &[JudgedRun], trend: &Trend) -> Self {
        let run = |place: u32| runs.get(place as usize);
        let failed = |cell: &&crate::analysis::verdict::Cell| cell.outcome.is_bad() || cell.retried;
        let last = verdict.cells.iter().rev().filter(failed).take(LAST_FAILURES_MAX);
        Self {
            place,
            first_run: verdict
                .cells
                .first()
                .and_then(|cell| run(cell.run))
                .map(|run| run.started.to_rfc3339()),
            periods: trend.squares(verdict, runs).into_iter().map(SquareView::from).collect(),
            changes: changes(verdict, runs),
            last_failures: last
                .filter_map(|cell| {
                    let run = run(cell.run)?;
                    Some(FailedRunView {
                        mark: strip::mark(cell, runs),
                        started: run.started.to_rfc3339(),
                        causes: verdict.causes(cell.run).map(CausesView::from),
                        revision: run.revision.clone(),
                        branch: run.branch.clone(),
                        build: run.build.clone(),
                        url: run.url.clone(),
                    })
                })
                .collect(),
        }
    }
}

/// Where the test became what it is: called flaky anew, or the first run of its last streak.
fn changes(verdict: &Verdict, runs: &[JudgedRun]) -> Vec<ChangePointView> {
    let started = |run: u32| runs.get(run as usize).map(|run| run.started);
    let since = |word: &str, is_it: &dyn Fn(u32) -> bool, day: Timestamp| {
        let place = verdict.cells.iter().position(|cell| is_it(cell.run))?;
        let sentence = format!("{word} since {}", day.to_date());
        Some(ChangePointView { place, sentence })
    };
    let mut changes = Vec::new();
    let flaky = verdict.weighing.as_ref().and_then(|weighing| weighing.flaky_since);
    if let Some((first, day)) = flaky.and_then(|first| Some((first, started(first)?))) {
        changes.extend(since("flaky", &|run| run >= first, day));
    }
    let streak = verdict.facts.iter().find_map(|fact| match fact {
        Fact::FailsSince { since, .. } => Some(("fails", *since)),
        Fact::PassesSince { since, .. } => Some(("passes", *since)),
        _ => None,
    });
    // The last failures of a flaky test began with nothing.
    let streak = streak.filter(|_| flaky.is_none());
    if let Some((word, day)) = streak {
        changes.extend(since(word, &|run| started(run) >= Some(day), day));
    }
    changes
}

impl HalvesView {
    /// Which way it went, as an answer to "is it getting better?".
    #[must_use]
    pub fn answer(&self) -> &'static str {
        match (self.direction, self.older + self.newer) {
            (Direction::Better, _) => "Yes",
            (Direction::Worse, _) => "No, it gets worse",
            (Direction::Unclear, 0) => "There is nothing to mend",
            (Direction::Unclear, _) => "No clear change",
        }
    }

    /// The two halves in words: `7 of 26 in the older half, 3 of 26 in the newer`.
    #[must_use]
    pub fn words(&self) -> String {
        format!(
            "{} of {} in the older half, {} of {} in the newer",
            sentence::number(self.older.into()),
            sentence::number(self.older_runs.into()),
            sentence::number(self.newer.into()),
            sentence::number(self.newer_runs.into()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample_page;
    use super::*;

    #[test]
    fn courses_are_of_listed_tests_that_failed_and_point_into_their_strips() {
        let view = sample_page::usual();
        assert!(!view.courses.is_empty());
        for course in &view.courses {
            let test = &view.report.tests[course.place];
            let marks = test.strip.chars().count();
            assert!(marks > 0 && course.changes.iter().all(|change| change.place < marks));
            let ran: u32 = course.periods.iter().map(|square| square.ran).sum();
            assert!(ran as usize <= marks);
            assert!(course.last_failures.len() <= LAST_FAILURES_MAX);
        }
        let broken = &view.courses[0];
        assert_eq!(broken.changes[0].place, 49);
        assert!(broken.changes[0].sentence.starts_with("fails since 2026-11-2"));
    }

    #[test]
    fn the_answer_follows_the_numbers() {
        let halves = |older, newer, direction| HalvesView {
            older,
            older_runs: 26,
            newer,
            newer_runs: 26,
            direction,
        };
        assert_eq!(halves(9, 1, Direction::Better).answer(), "Yes");
        assert_eq!(halves(1, 9, Direction::Worse).answer(), "No, it gets worse");
        assert_eq!(halves(2, 3, Direction::Unclear).answer(), "No clear change");
        assert_eq!(halves(0, 0, Direction::Unclear).answer(), "There is nothing to mend");
        assert_eq!(
            halves(7, 3, Direction::Unclear).words(),
            "7 of 26 in the older half, 3 of 26 in the newer"
        );
    }
}
