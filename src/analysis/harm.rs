//! Harm: what a test's failures cost, in builds and in time.

use super::history::{Run, Seen};
use crate::model::{Lane, Micros};

/// What the failures of one test in one variant cost.
///
/// Only runs count that somebody waits for: of the main line and of changes. Outages, failures that
/// only one change has, and failures of a shared name are left out, as everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Harm {
    /// Runs that were red, and in which the test failed in the end.
    pub reddened: u32,
    /// Of these, how many were red for this test alone.
    pub alone: u32,
    /// The same in equal shares: a run that was red for four tests counts a quarter for each.
    pub share: f64,
    /// Test time that its failures made worthless: of each red run the test's share of the time of
    /// all its results, and the time of repeated attempts, each as long as the last one.
    pub lost: Micros,
}

impl Harm {
    /// Adds one executed result.
    pub(super) fn add(&mut self, seen: &Seen, run: &Run) {
        if !run.is_waited_for() || !seen.troubled() {
            return;
        }
        let bad = seen.outcome.is_bad();
        // The last attempt is part of the run's own time.
        let repeated = u64::from(seen.bad_attempts).saturating_sub(u64::from(bad));
        let each = seen.duration().map_or(0, |duration| duration.0);
        self.lose(repeated.saturating_mul(each));
        if !bad {
            return;
        }
        // A suite that failed before its tests could is one more reason.
        let reasons = u64::from(run.bad).max(1) + u64::from(run.suite_failures);
        self.reddened += 1;
        self.alone += u32::from(reasons == 1);
        self.share += 1.0 / reasons as f64;
        self.lose(run.time.0 / reasons);
    }

    fn lose(&mut self, micros: u64) {
        self.lost = Micros(self.lost.0.saturating_add(micros));
    }

    /// The order of harm, the least first: by builds, then by time.
    #[must_use]
    pub fn compared_to(&self, other: &Self) -> std::cmp::Ordering {
        self.share.total_cmp(&other.share).then(self.lost.cmp(&other.lost))
    }
}

impl Run {
    /// Somebody waits for its result: it belongs to the main line, or to a change.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        self.on_main || matches!(self.lane, Lane::Default | Lane::Change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::history::HistoryBuilder;
    use crate::analysis::{Settings, judge};
    use crate::model::{Outcome, Repeat};
    use crate::store::query::{ResultRow, RunRow, TestNo};

    const SECOND: u64 = 1_000_000;

    fn row(test: u32, outcome: Outcome, attempts: (u32, u32), seconds: u64) -> ResultRow {
        let repeat = if attempts.0 > 1 { Repeat::Retried } else { Repeat::Single };
        ResultRow {
            repeat,
            attempts: attempts.0,
            bad_attempts: attempts.1,
            duration: Some(Micros(seconds * SECOND)),
            ..ResultRow::bare(test, outcome)
        }
    }

    /// What a failure of 4 s costs in a run of 10 s that was red for it alone.
    fn cost_in(run: RunRow) -> Harm {
        let main = RunRow { lane: Lane::Default, ..RunRow::bare(1) };
        let keep = [TestNo(1)].into_iter().collect();
        let mut builder = HistoryBuilder::new(&[main, run], keep, &Settings::default().outage);
        let passed = |test, seconds| row(test, Outcome::Passed, (1, 0), seconds);
        builder.add(0, &[passed(1, 4), passed(2, 6)]);
        builder.add(1, &[row(1, Outcome::Failed, (1, 1), 4), passed(2, 6)]);
        let history = builder.finish();
        let mut harm = Harm::default();
        harm.add(&history.units[0].seen[1], &history.runs[1]);
        harm
    }

    #[test]
    fn a_failure_costs_where_somebody_waits_for_the_run() {
        let on = |lane| cost_in(RunRow { lane, ..RunRow::bare(2) });
        let cost = Harm { reddened: 1, alone: 1, share: 1.0, lost: Micros(10 * SECOND) };
        assert_eq!((on(Lane::Default), on(Lane::Change)), (cost, cost));
        assert_eq!(on(Lane::Other), Harm::default(), "nobody waits for a branch of one's own");
    }

    #[test]
    fn a_suite_that_failed_as_a_whole_takes_its_part_of_the_blame() {
        let cost = cost_in(RunRow { lane: Lane::Default, suite_failures: 1, ..RunRow::bare(2) });
        let half = Harm { reddened: 1, alone: 0, share: 0.5, lost: Micros(5 * SECOND) };
        assert_eq!(cost, half);
    }

    #[test]
    fn builds_are_shared_and_time_is_that_of_the_run() {
        use Outcome::{Failed, Passed};
        let runs: Vec<RunRow> = (1..=8)
            .map(|no| RunRow {
                started: crate::model::Timestamp(i64::from(no) * 3_600_000),
                lane: Lane::Default,
                revision: Some(format!("r{no}")),
                ..RunRow::bare(no)
            })
            .collect();
        let settings = Settings::default();
        let keep = [1, 2].map(TestNo).into_iter().collect();
        let mut builder = HistoryBuilder::new(&runs, keep, &settings.outage);
        for run in 0..8 {
            let rows = match run {
                // Red for test 1 alone: a run of 10 s.
                1 => [row(1, Failed, (1, 1), 4), row(2, Passed, (1, 0), 6)],
                // Red for both after two attempts of test 1, 3 s each: 12 s, halved, and 3 s more.
                3 => [row(1, Failed, (2, 2), 3), row(2, Failed, (1, 1), 9)],
                // A retry helped: two failed attempts of 2 s.
                5 => [row(1, Passed, (3, 2), 2), row(2, Passed, (1, 0), 6)],
                _ => [row(1, Passed, (1, 0), 4), row(2, Passed, (1, 0), 6)],
            };
            builder.add(run, &rows);
        }
        let judgement = judge(&builder.finish(), &settings).unwrap();
        let harm = |test| {
            let of = |verdict: &&crate::analysis::verdict::Verdict| verdict.test == TestNo(test);
            judgement.verdicts.iter().find(of).unwrap().harm
        };
        let lost = Micros((10 + 6 + 3 + 4) * SECOND);
        assert_eq!(harm(1), Harm { reddened: 2, alone: 1, share: 1.5, lost });
        let lost = Micros(6 * SECOND);
        assert_eq!(harm(2), Harm { reddened: 1, alone: 0, share: 0.5, lost });
        assert!(harm(1).compared_to(&harm(2)).is_gt());
        assert_eq!(judgement.verdicts[0].test, TestNo(1));
    }
}
