//! One revision: what its runs show that the runs before did not.

use std::collections::BTreeSet;

use super::history::{History, Unit};
use super::verdict::{Cell, Fact, JudgedRun, Judgement, Verdict};
use crate::model::Outcome;
use crate::store::query::TestNo;

/// What a failure on a revision is, in the light of everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The test began to fail with this revision.
    Began,
    /// It may have begun to fail here; one failure alone does not tell.
    Unclear,
    /// It failed before already.
    Continued,
    /// The test passes and fails on the same code.
    Flake,
    /// Far more tests failed in these runs than tests explain.
    Outage,
}

/// A test that failed on a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedHere {
    /// Its verdict, as a place among those of the judgement.
    pub verdict: usize,
    /// What its failures here are.
    pub kind: FailureKind,
    /// Runs of the revision in which it failed in the end.
    pub failed: u32,
    /// Runs in which it passed only after a failed attempt.
    pub retried: u32,
    /// Runs in which it ran.
    pub ran: u32,
}

/// What a revision brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AtRevision {
    /// Its runs, as places in the judgement.
    pub runs: Vec<u32>,
    /// The revision before it on its branch, or else on the main line.
    pub previous: Option<String>,
    /// The runs of that revision.
    pub previous_runs: Vec<u32>,
    /// Tests that failed in its runs, what began first.
    pub failed: Vec<FailedHere>,
    /// Tests that ran in it and in no earlier run of the window.
    pub appeared: Vec<TestNo>,
    /// Tests and variants that the revision before executed, and this one did not in runs of the
    /// same variant.
    pub vanished: Vec<(TestNo, String)>,
    /// Tests that passed in all its runs.
    pub passed: u32,
}

/// Looks at all runs of one revision.
#[must_use]
pub fn at_revision(judgement: &Judgement, history: &History, revision: &str) -> AtRevision {
    let of = |revision: &str| -> Vec<u32> {
        let is = |run: &JudgedRun| run.revision.as_deref() == Some(revision);
        (0..).zip(&judgement.runs).filter(|(_, run)| is(run)).map(|(place, _)| place).collect()
    };
    let runs = of(revision);
    let previous = previous(&judgement.runs, &runs);
    let previous_runs = previous.as_deref().map(of).unwrap_or_default();
    let mut failed: Vec<FailedHere> = judgement
        .verdicts
        .iter()
        .enumerate()
        .filter_map(|(place, verdict)| {
            // The cells of the unit: a verdict has none of a test that failed in outages alone.
            let cells = unit_of(history, verdict)?.cells();
            failed_here(judgement, (place, verdict), &cells, &runs, revision)
        })
        .collect();
    failed.sort_by_key(|one| (one.kind, one.verdict));
    let executed = |unit: &Unit, runs: &[u32]| {
        runs.iter().any(|run| {
            let same = history.run(*run).is_some_and(|about| about.variant == unit.variant);
            same && history.executed.get(*run as usize).is_some_and(|set| set.has(unit.place))
        })
    };
    let first = runs.first().copied().unwrap_or(u32::MAX);
    let here: BTreeSet<TestNo> =
        history.units.iter().filter(|unit| executed(unit, &runs)).map(|unit| unit.test).collect();
    let known: BTreeSet<TestNo> = history
        .units
        .iter()
        .filter(|unit| unit.tally.executed > 0 && unit.tally.first_executed < first)
        .map(|unit| unit.test)
        .collect();
    let appeared = match previous_runs.is_empty() {
        true => Vec::new(),
        false => here.difference(&known).copied().collect(),
    };
    let variants: BTreeSet<u32> =
        runs.iter().filter_map(|run| history.run(*run)).map(|run| run.variant).collect();
    let vanished = history.units.iter().filter(|unit| {
        variants.contains(&unit.variant) && executed(unit, &previous_runs) && !executed(unit, &runs)
    });
    let name = |unit: &Unit| {
        let variant = history.variants.get(unit.variant as usize).cloned().unwrap_or_default();
        (unit.test, variant)
    };
    let bad: BTreeSet<TestNo> = failed
        .iter()
        .filter_map(|one| judgement.verdicts.get(one.verdict))
        .map(|verdict| verdict.test)
        .collect();
    AtRevision {
        passed: here.difference(&bad).count() as u32,
        vanished: vanished.map(name).collect(),
        runs,
        previous,
        previous_runs,
        failed,
        appeared,
    }
}

fn unit_of<'a>(history: &'a History, verdict: &Verdict) -> Option<&'a Unit> {
    let variant = history.variants.binary_search(&verdict.variant).ok()? as u32;
    let key = |unit: &Unit| (unit.variant, unit.test);
    let place = history.units.binary_search_by_key(&(variant, verdict.test), key).ok()?;
    history.units.get(place)
}

/// The revision before these runs on their branch, or else on the main line.
fn previous(all: &[JudgedRun], runs: &[u32]) -> Option<String> {
    let first = *runs.first()? as usize;
    let about = all.get(first)?;
    let earlier = all.get(..first)?;
    // No run before the first one has its revision.
    let named = |run: &&JudgedRun| run.revision.is_some();
    let line = |run: &&JudgedRun| match about.on_main {
        true => run.on_main,
        false => run.lane == about.lane && run.branch == about.branch,
    };
    let on_line = earlier.iter().rev().filter(named).find(line);
    let on_main = || earlier.iter().rev().filter(named).find(|run| run.on_main);
    on_line.or_else(on_main).and_then(|run| run.revision.clone())
}

fn failed_here(
    judgement: &Judgement,
    (place, verdict): (usize, &Verdict),
    cells: &[Cell],
    runs: &[u32],
    revision: &str,
) -> Option<FailedHere> {
    let executed = |cell: &&Cell| cell.outcome != Outcome::Skipped;
    let here: Vec<&Cell> = cells
        .iter()
        .filter(executed)
        .filter(|cell| runs.binary_search(&cell.run).is_ok())
        .collect();
    let failed = here.iter().filter(|cell| cell.outcome.is_bad()).count() as u32;
    let retried = here.iter().filter(|cell| cell.retried).count() as u32;
    if failed + retried == 0 {
        return None;
    }
    let kind = kind(judgement, verdict, &here, revision);
    Some(FailedHere { verdict: place, kind, failed, retried, ran: here.len() as u32 })
}

fn kind(judgement: &Judgement, verdict: &Verdict, here: &[&Cell], revision: &str) -> FailureKind {
    let run = |cell: &Cell| judgement.runs.get(cell.run as usize);
    let outage = |cell: &Cell| run(cell).is_some_and(|run| run.outage);
    let bad: Vec<&Cell> =
        here.iter().copied().filter(|cell| cell.outcome.is_bad() && !outage(cell)).collect();
    let retried = here.iter().any(|cell| cell.retried && !outage(cell));
    if bad.is_empty() && !retried {
        return FailureKind::Outage;
    }
    let passed = here.iter().any(|cell| !cell.outcome.is_bad() && !outage(cell));
    if retried || passed {
        return FailureKind::Flake;
    }
    let causes: Vec<_> = bad.iter().filter_map(|cell| verdict.causes(cell.run)).collect();
    let mean = |of: fn(&super::filter::episode::Attribution) -> f64| {
        causes.iter().map(of).sum::<f64>() / causes.len().max(1) as f64
    };
    if mean(|causes| causes.flake) >= 0.5 {
        return FailureKind::Flake;
    }
    if failed_before(judgement, verdict, bad.first().copied()) {
        return FailureKind::Continued;
    }
    let since = verdict.facts.iter().any(
        |fact| matches!(fact, Fact::FailsSince { first_bad: Some(first), .. } if first == revision),
    );
    if since || mean(|causes| causes.regression + causes.change) >= 0.5 {
        return FailureKind::Began;
    }
    FailureKind::Unclear
}

/// The result before this one on its line was bad already. A change stands on the main line where
/// it has no result of its own.
fn failed_before(judgement: &Judgement, verdict: &Verdict, first: Option<&Cell>) -> bool {
    let run = |cell: &Cell| judgement.runs.get(cell.run as usize);
    let Some((first, about)) = first.and_then(|cell| Some((cell, run(cell)?))) else {
        return false;
    };
    let earlier = verdict.cells.iter().rev().filter(|cell| {
        cell.run < first.run
            && cell.outcome != Outcome::Skipped
            && run(cell).is_some_and(|run| !run.outage)
    });
    let earlier: Vec<&Cell> = earlier.collect();
    let own = |cell: &&&Cell| {
        run(cell).is_some_and(|run| match about.on_main {
            true => run.on_main,
            false => run.lane == about.lane && run.branch == about.branch,
        })
    };
    let main = |cell: &&&Cell| run(cell).is_some_and(|run| run.on_main);
    let before = earlier.iter().find(own).or_else(|| earlier.iter().find(main));
    before.is_some_and(|cell| cell.outcome.is_bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::cause::Causes;
    use crate::analysis::filter::episode::{Attributed, Attribution};
    use crate::analysis::verdict::{Status, Weighing};
    use crate::model::Lane;

    /// A failure in this run.
    const fn failed(run: u32) -> Cell {
        Cell { run, outcome: Outcome::Failed, retried: false, duration: None }
    }

    const fn passed(run: u32) -> Cell {
        Cell { outcome: Outcome::Passed, ..failed(run) }
    }

    const fn retried(run: u32) -> Cell {
        Cell { retried: true, ..passed(run) }
    }

    /// What these cells of a revision are, in runs of the main line of which the first is an outage.
    fn told(here: &[Cell]) -> FailureKind {
        told_of(main(4), &Verdict::bare(0, Status::Suspect), here)
    }

    fn told_of(runs: Vec<JudgedRun>, verdict: &Verdict, here: &[Cell]) -> FailureKind {
        let (events, causes) = (Vec::new(), Causes::default());
        let verdicts = Vec::new();
        let judgement = Judgement { method: "filter", runs, verdicts, events, causes };
        kind(&judgement, verdict, &here.iter().collect::<Vec<_>>(), "r")
    }

    fn main(runs: u32) -> Vec<JudgedRun> {
        (0..runs).map(|no| JudgedRun { outage: no == 0, ..JudgedRun::bare(no) }).collect()
    }

    #[test]
    fn failures_and_retries_in_an_outage_are_no_fault_of_the_test() {
        assert_eq!(told(&[failed(0)]), FailureKind::Outage);
        assert_eq!(told(&[retried(0)]), FailureKind::Outage);
        assert_eq!(told(&[failed(0), passed(1)]), FailureKind::Outage);
        assert_eq!(told(&[failed(0), failed(1)]), FailureKind::Unclear);
    }

    #[test]
    fn a_retry_or_both_outcomes_are_a_flake() {
        assert_eq!(told(&[retried(1)]), FailureKind::Flake);
        assert_eq!(told(&[failed(1), passed(2)]), FailureKind::Flake);
    }

    #[test]
    fn a_failure_that_a_broken_main_line_explains_began_there() {
        let failure = |regression: f64, change: f64| {
            let causes = Attribution { flake: 0.1, regression, change, outage: 0.0 };
            let weighing = Weighing::bare(Attributed { run: 1, causes });
            let verdict = Verdict {
                weighing: Some(Box::new(weighing)),
                ..Verdict::bare(0, Status::NewlyBroken)
            };
            told_of(main(2), &verdict, &[failed(1)])
        };
        assert_eq!(failure(0.9, 0.0), FailureKind::Began);
        assert_eq!(failure(0.3, 0.3), FailureKind::Began);
        assert_eq!(failure(0.2, 0.2), FailureKind::Unclear);
    }

    #[test]
    fn only_a_failure_before_makes_it_go_on() {
        let after = |before: Cell| {
            let cells = vec![before, failed(2)];
            told_of(main(3), &Verdict { cells, ..Verdict::bare(0, Status::Suspect) }, &[failed(2)])
        };
        assert_eq!(after(failed(1)), FailureKind::Continued);
        assert_eq!(after(passed(1)), FailureKind::Unclear);
    }

    #[test]
    fn a_new_change_stands_on_the_main_line_and_not_on_other_changes() {
        let change = |no: u32, branch: &str| JudgedRun {
            lane: Lane::Change,
            on_main: false,
            branch: Some(branch.to_owned()),
            ..JudgedRun::bare(no)
        };
        let told = |on_main: Cell, on_other: Cell| {
            let runs = vec![JudgedRun::bare(0), change(1, "other"), change(2, "own")];
            let cells = vec![on_main, on_other, failed(2)];
            told_of(runs, &Verdict { cells, ..Verdict::bare(0, Status::Suspect) }, &[failed(2)])
        };
        assert_eq!(told(passed(0), failed(1)), FailureKind::Unclear);
        assert_eq!(told(failed(0), passed(1)), FailureKind::Continued);
    }
}
