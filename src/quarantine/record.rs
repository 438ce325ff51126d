//! A test's record in one matrix cell: how often it flaked, and how long it has not.

use crate::analysis::history::{History, Seen, Unit};
use crate::analysis::interval::FLAKE_RATE_PRIOR;
use crate::analysis::verdict::{Judgement, Verdict};

/// A failure that was a flake with less than this probability does not end a clean row.
const SURELY_NO_FLAKE: f64 = 0.1;
/// A failure that was a flake with at least this probability counts as one.
const LIKELY_FLAKE: f64 = 0.5;
/// Clean runs are not counted beyond this: no history asks for more.
const CLEAN_RUNS_MAX: u32 = 100_000;

/// What counts of a test's results in one cell.
///
/// Outages and skipped runs are left out, and so are failures that the method explains by a
/// breakage of the main line or of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// Runs with a flake.
    pub flakes: u32,
    /// Runs up to the last flake, it included.
    pub runs: u32,
    /// Runs since then, all clean.
    pub clean: u32,
    /// The last run with a flake, as a place in the history.
    pub last: Option<u32>,
}

impl Record {
    /// The record of a unit over those results that `counts` accepts.
    #[must_use]
    pub fn of(
        unit: &Unit,
        verdict: &Verdict,
        judgement: &Judgement,
        counts: &dyn Fn(u32) -> bool,
    ) -> Self {
        let outage = |run: u32| judgement.runs.get(run as usize).is_some_and(|run| run.outage);
        let mut record = Self::default();
        for seen in unit.seen.iter().filter(|seen| seen.executed()) {
            if !counts(seen.run) || outage(seen.run) {
                continue;
            }
            match flake_probability(seen, verdict) {
                None => record.clean += 1,
                Some(flake) if flake < SURELY_NO_FLAKE => {}
                Some(flake) => {
                    record.flakes += u32::from(flake >= LIKELY_FLAKE);
                    record.runs += record.clean + 1;
                    record.clean = 0;
                    record.last = Some(seen.run);
                }
            }
        }
        record
    }

    /// The record of a test that kept no results, as all of them passed.
    #[must_use]
    pub fn clean(runs: u32) -> Self {
        Self { clean: runs, ..Self::default() }
    }

    /// Clean runs that release a test with this record.
    ///
    /// After k flakes in n runs the flake rate is Beta(0.28 + k, 3.87 + n - k), so that m clean
    /// runs follow with the probability Π (b + i) / (a + b + i), i < m. The row must be less
    /// likely than `error` / k²: since Σ 1/k² < 1.65, a test whose rate never changes is ever
    /// released with a probability of at most 1.65 `error`, however long it is watched, and does
    /// not come and go.
    #[must_use]
    pub fn clean_needed(&self, fewest: u32, error: f64) -> u32 {
        if self.flakes == 0 {
            return fewest;
        }
        let k = f64::from(self.flakes);
        let target = (error.clamp(1e-12, 1.0) / (k * k)).ln();
        let a = FLAKE_RATE_PRIOR.0 + f64::from(self.flakes);
        let b = FLAKE_RATE_PRIOR.1 + f64::from(self.runs.saturating_sub(self.flakes));
        let mut log = 0.0;
        for runs in 0..CLEAN_RUNS_MAX {
            if runs >= fewest && log <= target {
                return runs;
            }
            let i = f64::from(runs);
            log += ((b + i) / (a + b + i)).ln();
        }
        CLEAN_RUNS_MAX
    }
}

/// How likely the result was a flake; `None` for one that passed.
fn flake_probability(seen: &Seen, verdict: &Verdict) -> Option<f64> {
    match (seen.retried(), seen.outcome.is_bad()) {
        (true, _) => Some(1.0),
        (false, false) => None,
        (false, true) => Some(verdict.causes(seen.run).map_or(1.0, |causes| causes.flake)),
    }
}

/// The unit that a verdict is on.
#[must_use]
pub fn unit_of<'h>(history: &'h History, verdict: &Verdict) -> Option<&'h Unit> {
    history.unit(verdict.test, &verdict.variant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_often_it_failed_the_fewer_clean_runs_release_it() {
        let needed = |flakes, runs| {
            let record = Record { flakes, runs, ..Record::default() };
            record.clean_needed(30, 0.01)
        };
        assert_eq!(needed(0, 0), 30);
        assert_eq!(
            [needed(2, 20), needed(5, 50), needed(10, 30), needed(20, 40)],
            [290, 174, 42, 30]
        );
    }

    #[test]
    fn a_test_of_which_no_result_is_kept_was_clean() {
        let clean = Record { flakes: 0, runs: 0, clean: 7, last: None };
        assert_eq!(Record::clean(7), clean);
    }

    #[test]
    fn a_row_is_as_likely_as_the_product_says() {
        // By hand: after 1 flake in 1 run, a = 1.28 and b = 3.87; two clean runs follow with
        // 3.87/5.15 · 4.87/6.15 = 0.595, three with that times 5.87/7.15 = 0.4886.
        let record = Record { flakes: 1, runs: 1, ..Record::default() };
        assert_eq!(record.clean_needed(0, 0.60), 2);
        assert_eq!(record.clean_needed(0, 0.59), 3);
        assert_eq!(record.clean_needed(0, 0.4885), 4);
    }
}
