//! The suite over time: what its runs came to, period by period, and whether it gets better.

use super::cause::Share;
use super::direction::Direction;
use super::verdict::{Cell, JudgedRun, Judgement, Status, Verdict};
use crate::model::{Outcome, Timestamp};

/// More periods than this are too narrow to tell apart on a page.
pub const PERIODS_MAX: usize = 90;

const HOUR_MS: i128 = 3_600_000;
const DAY_MS: i128 = Timestamp::DAY_MS as i128;
const WEEK_MS: i128 = 7 * DAY_MS;
/// Weeks start on Monday; the first Monday after the epoch is 1970-01-05.
const MONDAY_MS: i128 = 4 * DAY_MS;
/// Up to so many hours a period is an hour, up to so many quarters of a day a quarter.
const HOURS_MAX: i128 = 48;
const QUARTERS_MAX: i128 = 40;

/// The runs of a window, period by period.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// How long each period is, in milliseconds.
    pub step_ms: i64,
    /// From the first run to the last, those without a run among them.
    pub periods: Vec<Period>,
    /// Red runs of the older and the newer half.
    pub red: Halves,
    /// Runs with a flaky failure, likewise.
    pub flaky: Halves,
}

/// What the runs of one period came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// When it begins.
    pub begins: Timestamp,
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

/// What one test did in one period; outages and skipped results left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Square {
    /// Runs in which it passed or failed.
    pub ran: u32,
    /// Of these, runs with a failed attempt.
    pub bad: u32,
}

/// A share of the runs in the older and in the newer half of a window, outages left out.
///
/// A middle run counts as newer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Halves {
    /// Of the older half.
    pub older: Share,
    /// Of the newer half.
    pub newer: Share,
}

impl Halves {
    /// Which way the share went, where chance alone does not explain it.
    #[must_use]
    pub fn direction(&self) -> Direction {
        let share = |share: Share| (share.failed, share.runs);
        Direction::between(share(self.older), share(self.newer))
    }

    /// The red ones of these runs, oldest first.
    #[must_use]
    pub fn of_red(runs: &[JudgedRun]) -> Self {
        let usual = runs.iter().filter(|run| !run.outage);
        Self::new(&usual.map(JudgedRun::is_red).collect::<Vec<bool>>())
    }

    /// Splits the marks of runs, oldest first.
    fn new(marks: &[bool]) -> Self {
        let (older, newer) = marks.split_at(marks.len() / 2);
        let share = |marks: &[bool]| Share {
            failed: marks.iter().filter(|mark| **mark).count() as u32,
            runs: marks.len() as u32,
        };
        Self { older: share(older), newer: share(newer) }
    }
}

impl Trend {
    /// The runs of a judgement over time.
    #[must_use]
    pub fn new(judgement: &Judgement) -> Self {
        let runs = &judgement.runs;
        let flakes = flakes(judgement);
        let mut trend = Self::empty(runs);
        for (run, flaky) in runs.iter().zip(&flakes) {
            let place = trend.place(run.started);
            let Some(period) = trend.periods.get_mut(place) else { continue };
            period.runs += 1;
            if run.outage {
                period.outages += 1;
                continue;
            }
            period.red += u32::from(run.is_red());
            let flakes_alone = run.suite_failures == 0 && flaky.failed == run.bad;
            period.red_for_flakes += u32::from(run.is_red() && flakes_alone);
            period.flakes += flaky.failed + flaky.retried;
        }
        let usual = runs.iter().zip(&flakes).filter(|(run, _)| !run.outage);
        let flaky: Vec<bool> = usual.map(|(_, flaky)| flaky.failed + flaky.retried > 0).collect();
        Self { red: Halves::of_red(runs), flaky: Halves::new(&flaky), ..trend }
    }

    /// The period of a time.
    #[must_use]
    pub fn place(&self, time: Timestamp) -> usize {
        let first = self.periods.first().map_or(0, |period| period.begins.0);
        let after = i128::from(time.0) - i128::from(first);
        usize::try_from(after / i128::from(self.step_ms.max(1))).unwrap_or(0)
    }

    /// What one test did in each period.
    #[must_use]
    pub fn squares(&self, verdict: &Verdict, runs: &[JudgedRun]) -> Vec<Square> {
        let mut squares = vec![Square::default(); self.periods.len()];
        for cell in &verdict.cells {
            let Some(run) = runs.get(cell.run as usize) else { continue };
            if run.outage || cell.outcome == Outcome::Skipped {
                continue;
            }
            if let Some(square) = squares.get_mut(self.place(run.started)) {
                square.ran += 1;
                square.bad += u32::from(cell.outcome.is_bad() || cell.retried);
            }
        }
        squares
    }

    /// Periods of a fitting length without anything in them.
    fn empty(runs: &[JudgedRun]) -> Self {
        let started = || runs.iter().map(|run| i128::from(run.started.0));
        let (Some(first), Some(last)) = (started().min(), started().max()) else {
            let none = Halves::new(&[]);
            return Self { step_ms: DAY_MS as i64, periods: Vec::new(), red: none, flaky: none };
        };
        let (step, anchor) = step(last - first);
        let begins = (first - anchor).div_euclid(step) * step + anchor;
        let count = (last - begins) / step + 1;
        let period = |place: i128| Period {
            begins: Timestamp(clamped(begins + place * step)),
            ..Period::default()
        };
        Self {
            step_ms: clamped(step),
            periods: (0..count).map(period).collect(),
            red: Halves::new(&[]),
            flaky: Halves::new(&[]),
        }
    }
}

fn clamped(value: i128) -> i64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// The length of a period for so long a window, and a time at which one begins.
fn step(span_ms: i128) -> (i128, i128) {
    // One less, as the first and the last period are cut.
    let most = PERIODS_MAX as i128 - 1;
    match span_ms {
        span if span <= HOURS_MAX * HOUR_MS => (HOUR_MS, 0),
        span if span <= QUARTERS_MAX * 6 * HOUR_MS => (6 * HOUR_MS, 0),
        span if span <= most * DAY_MS => (DAY_MS, 0),
        span => {
            let weeks = (span + most * WEEK_MS - 1) / (most * WEEK_MS);
            // Four weeks are a month to the eye; two or three are nothing.
            let weeks = if weeks == 1 { 1 } else { (weeks + 3) / 4 * 4 };
            (weeks * WEEK_MS, MONDAY_MS)
        }
    }
}

/// Flaky failures of one run.
#[derive(Debug, Clone, Copy, Default)]
struct Flakes {
    /// Tests that failed in the end.
    failed: u32,
    /// Tests that passed on retry.
    retried: u32,
}

/// Flaky failures of each run of a judgement.
fn flakes(judgement: &Judgement) -> Vec<Flakes> {
    let mut flakes = vec![Flakes::default(); judgement.runs.len()];
    for verdict in &judgement.verdicts {
        for cell in &verdict.cells {
            let Some(run) = flakes.get_mut(cell.run as usize) else { continue };
            run.retried += u32::from(cell.retried);
            run.failed += u32::from(failed_as_flake(verdict, cell));
        }
    }
    flakes
}

/// True where a failure was a flake: more likely than not where the filter judged, else where the
/// test is called flaky, or was until now.
pub(super) fn failed_as_flake(verdict: &Verdict, cell: &Cell) -> bool {
    if !cell.outcome.is_bad() {
        return false;
    }
    match (&verdict.weighing, verdict.status) {
        (Some(_), _) => verdict.causes(cell.run).is_some_and(|causes| causes.flake >= 0.5),
        (None, Status::Flaky | Status::Recovering) => true,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::cause::Causes;
    use proptest::prelude::*;

    fn run(started: i64, bad: u32, outage: bool) -> JudgedRun {
        JudgedRun { started: Timestamp(started), executed: 40, bad, outage, ..JudgedRun::bare(1) }
    }

    fn verdict(status: Status, cells: &[(u32, Outcome, bool)]) -> Verdict {
        let cell = |&(run, outcome, retried)| Cell { run, outcome, retried, duration: None };
        Verdict { cells: cells.iter().map(cell).collect(), ..Verdict::bare(1, status) }
    }

    fn judgement(runs: Vec<JudgedRun>, verdicts: Vec<Verdict>) -> Judgement {
        Judgement {
            method: "evidence",
            runs,
            verdicts,
            events: Vec::new(),
            causes: Causes::default(),
        }
    }

    const DAY: i64 = Timestamp::DAY_MS;

    #[test]
    fn red_runs_are_told_apart_by_what_failed_there() {
        use Outcome::{Failed, Passed, Skipped};
        let runs = vec![
            run(0, 1, false),        // a flake alone
            run(DAY, 2, false),      // a flake and a breakage
            run(DAY, 0, false),      // a pass on retry
            run(3 * DAY, 30, true),  // an outage
            run(20 * DAY, 0, false), // green
        ];
        let flaky = verdict(
            Status::Flaky,
            &[
                (0, Failed, false),
                (1, Failed, false),
                (2, Passed, true),
                (3, Failed, false),
                (4, Skipped, false),
            ],
        );
        let broken = verdict(Status::Broken, &[(1, Failed, false)]);
        let judged = judgement(runs, vec![flaky, broken]);
        let trend = Trend::new(&judged);
        assert_eq!((trend.step_ms, trend.periods.len()), (DAY, 21));
        let seen: Vec<_> = [0, 1, 3, 20]
            .map(|day: usize| trend.periods[day])
            .map(|p| [p.runs, p.red, p.red_for_flakes, p.outages, p.flakes])
            .to_vec();
        assert_eq!(seen, [[1, 1, 1, 0, 1], [2, 1, 0, 0, 2], [1, 0, 0, 1, 0], [1, 0, 0, 0, 0]]);
        let squares = trend.squares(&judged.verdicts[0], &judged.runs);
        assert_eq!(squares.iter().map(|square| square.ran).sum::<u32>(), 3);
        assert_eq!(squares[1], Square { ran: 2, bad: 2 });
        assert_eq!((trend.red.older.failed, trend.red.newer.failed), (2, 0));
        assert_eq!((trend.flaky.older.failed, trend.flaky.newer.failed), (2, 1));
    }

    #[test]
    fn a_suite_that_failed_as_a_whole_is_not_red_for_flakes() {
        let mut broken = run(0, 0, false);
        broken.suite_failures = 1;
        let trend = Trend::new(&judgement(vec![broken], Vec::new()));
        assert_eq!((trend.periods[0].red, trend.periods[0].red_for_flakes), (1, 0));
    }

    #[test]
    fn weeks_begin_on_monday() {
        let trend =
            Trend::new(&judgement(vec![run(0, 0, false), run(300 * DAY, 0, false)], Vec::new()));
        assert_eq!(trend.step_ms, 7 * DAY);
        assert_eq!(trend.periods[0].begins.to_date(), "1969-12-29");
    }

    #[test]
    fn a_period_is_as_long_as_the_window_asks() {
        const HOUR: i64 = DAY / 24;
        let step = |span: i64| {
            let runs = vec![run(0, 0, false), run(span, 0, false)];
            Trend::new(&judgement(runs, Vec::new())).step_ms
        };
        assert_eq!([step(24 * HOUR), step(48 * HOUR), step(48 * HOUR + 1)], [HOUR, HOUR, 6 * HOUR]);
        // Up to 89 weeks a week each, and from there on months.
        let weeks = |count: i64| step(count * 7 * DAY) / (7 * DAY);
        assert_eq!([weeks(89), weeks(90), weeks(200), weeks(356), weeks(357)], [1, 4, 4, 4, 8]);
    }

    #[test]
    fn a_suite_that_is_red_less_often_gets_better() {
        let runs = |share: [u32; 2]| -> Vec<JudgedRun> {
            let half = |red: u32| (0..60).map(move |no| run(0, u32::from(no < red), false));
            share.into_iter().flat_map(half).collect()
        };
        let direction = |share| Halves::of_red(&runs(share)).direction();
        assert_eq!(direction([12, 2]), Direction::Better);
        assert_eq!(direction([2, 12]), Direction::Worse);
        assert_eq!(direction([3, 2]), Direction::Unclear);
    }

    proptest! {
        #[test]
        fn every_run_has_its_period(times in prop::collection::vec(any::<i64>(), 1..20), scale in 0_u32..60) {
            let runs: Vec<JudgedRun> =
                times.iter().map(|time| run(time >> scale, 0, false)).collect();
            let count = runs.len() as u32;
            let trend = Trend::new(&judgement(runs, Vec::new()));
            prop_assert!(trend.periods.len() <= PERIODS_MAX);
            prop_assert_eq!(trend.periods.iter().map(|period| period.runs).sum::<u32>(), count);
        }
    }

    #[test]
    fn of_no_run_there_is_no_period() {
        let trend = Trend::new(&judgement(Vec::new(), Vec::new()));
        assert_eq!((trend.periods.len(), trend.place(Timestamp(5))), (0, 0));
    }
}
