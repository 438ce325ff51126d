//! The results of one test in one variant that say something of its failures.

use crate::analysis::evidence::Evidence;
use crate::analysis::history::{History, Run, Seen, Unit};
use crate::analysis::streak::StreakKind;

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
        Self { place, unit, all }
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
        Self { place: self.place, unit: self.unit, all }
    }

    /// The first and the last run.
    #[must_use]
    pub fn span(&self) -> Option<(u32, u32)> {
        Some((self.all.first()?.seen.run, self.all.last()?.seen.run))
    }
}

/// A row of failures is a breakage where fewer than so many as long are to be expected.
const BROKEN: f64 = 0.01;

/// How many rows of so many failures to expect of a test that fails as often as this one.
///
/// A verdict takes a long row for a breakage before it is known how often the test fails. A test
/// that fails in every other run, as one does that depends on a random order, fails in long rows.
fn streaks_by_chance(evidence: &Evidence, failures: u32) -> f64 {
    let executions = f64::from(evidence.executions.max(1));
    let rate = f64::from(evidence.failures) / executions;
    executions * rate.min(1.0).powf(failures.into())
}

/// True where a failure of the unit in this run says nothing of the test itself: the run is an
/// outage, or the test was broken at the time.
#[must_use]
pub fn explained(evidence: &Evidence, outages: &[bool], run: u32) -> bool {
    let broken = evidence.streaks.iter().any(|streak| {
        (streak.first..streak.ended_by.unwrap_or(u32::MAX)).contains(&run)
            && streak.kind == StreakKind::Breakage
            && streaks_by_chance(evidence, streak.runs) < BROKEN
    });
    broken || outages.get(run as usize).copied().unwrap_or(false)
}
