//! The results of one test in one variant that say something of its failures.

use crate::analysis::evidence::Evidence;
use crate::analysis::history::{History, Run, Seen, Unit};
use crate::analysis::statistics::counts::Table;
use crate::analysis::streak::{Streak, StreakKind};
use crate::analysis::verdict::Weighing;

/// One result that counts.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// What was seen.
    pub seen: &'a Seen,
    /// The run.
    pub run: &'a Run,
    /// It failed, or passed only after a failed attempt.
    pub failed: bool,
}

/// The results of one unit that count, oldest first.
#[derive(Debug, Clone)]
pub struct Trials<'a> {
    /// The unit's place in the history.
    pub place: usize,
    /// The test in its variant.
    pub unit: &'a Unit,
    /// The results.
    pub all: Vec<Trial<'a>>,
    /// The runs that count, one bit for each of the history.
    ran: Vec<u64>,
    /// The runs in which it failed.
    failed: Vec<u64>,
}

impl<'a> Trials<'a> {
    /// Those of a unit: executions under a name of its own, in runs for which `counts` holds.
    #[must_use]
    pub fn of(
        history: &'a History,
        place: usize,
        unit: &'a Unit,
        counts: &dyn Fn(u32) -> bool,
    ) -> Self {
        let all = unit
            .seen
            .iter()
            .filter(|seen| seen.executed() && !seen.unclear() && counts(seen.run))
            .filter_map(|seen| {
                Some(Trial { seen, run: history.run(seen.run)?, failed: seen.troubled() })
            })
            .collect();
        Self::new(place, unit, all)
    }

    fn new(place: usize, unit: &'a Unit, all: Vec<Trial<'a>>) -> Self {
        let words = all.last().map_or(0, |last| last.seen.run as usize / 64 + 1);
        let bits = |wanted: &dyn Fn(&Trial<'_>) -> bool| {
            let mut bits = vec![0; words];
            for trial in all.iter().filter(|trial| wanted(trial)) {
                if let Some(word) = bits.get_mut(trial.seen.run as usize / 64) {
                    *word |= 1_u64 << (trial.seen.run % 64);
                }
            }
            bits
        };
        Self { place, unit, ran: bits(&|_| true), failed: bits(&|trial| trial.failed), all }
    }

    /// Both tests over the runs that count for both: hits where both failed, among the failures of
    /// this one and those of the other.
    #[must_use]
    pub fn table_with(&self, other: &Self) -> Table {
        Table::of_both((&self.ran, &self.failed), (&other.ran, &other.failed))
    }

    /// How many failed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.all.iter().filter(|trial| trial.failed).count() as u32
    }

    /// From the first failure to the last.
    #[must_use]
    pub fn spell(&self) -> Self {
        let failed = |trial: &Trial<'_>| trial.failed;
        let first = self.all.iter().position(failed).unwrap_or(0);
        let end = self.all.iter().rposition(failed).map_or(0, |last| last + 1);
        let all = self.all.get(first..end).unwrap_or_default().to_vec();
        Self::new(self.place, self.unit, all)
    }

    /// The first and the last run.
    #[must_use]
    pub fn span(&self) -> Option<(u32, u32)> {
        Some((self.all.first()?.seen.run, self.all.last()?.seen.run))
    }
}

/// A failure is a flake from this probability on.
const FLAKE: f64 = 0.5;
/// A row of failures is ordinary for a test where at least so many as long are to be expected.
const ORDINARY: f64 = 0.1;

/// True where what the unit did in this run says nothing of the test itself: the run is an outage,
/// or the failure is the code's.
///
/// Where the filter weighed the test, a failure is its own if it is a flake more likely than not;
/// elsewhere it is the code's in a row of failures that the evidence takes for a breakage. Neither
/// waits until it is known how often the test fails: one that depends on a random order fails in
/// every other run, and so in long rows. Rows that are ordinary for a test are its own.
#[must_use]
pub fn explained(
    evidence: &Evidence,
    weighing: Option<&Weighing>,
    outages: &[bool],
    run: u32,
) -> bool {
    if outages.get(run as usize).copied().unwrap_or(false) {
        return true;
    }
    let row = evidence
        .streaks
        .iter()
        .find(|row| (row.first..row.ended_by.unwrap_or(u32::MAX)).contains(&run));
    let ordinary = row.is_some_and(|row| row.runs > 1 && expected(evidence, row) >= ORDINARY);
    let Some(weighing) = weighing else {
        return row.is_some_and(|row| row.kind == StreakKind::Breakage) && !ordinary;
    };
    let place = weighing.failures.binary_search_by_key(&run, |failure| failure.run).ok();
    let failure = place.and_then(|place| weighing.failures.get(place));
    failure.is_some_and(|failure| {
        let causes = failure.causes;
        let broken = causes.regression >= causes.change.max(causes.outage);
        causes.flake < FLAKE && !(broken && ordinary)
    })
}

/// How many rows as long to expect of a test that fails as often as this one.
fn expected(evidence: &Evidence, row: &Streak) -> f64 {
    let executions = f64::from(evidence.executions.max(1));
    let rate = f64::from(evidence.failures) / executions;
    executions * rate.min(1.0).powf(row.runs.into())
}
