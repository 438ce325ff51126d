//! What got well: tests that were broken or flaky in a window and pass now.

use super::trend::failed_as_flake;
use super::verdict::{Cell, Fact, Judgement, Status, Verdict};
use crate::model::{Outcome, Timestamp};

/// How a test got well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Healing {
    /// It was broken and passes.
    Fixed,
    /// It was flaky and has passed often enough not to be called so any more.
    NoLongerFlaky,
    /// It was broken or flaky and passes, but not yet often enough.
    Recovering,
}

/// A test that got well.
#[derive(Debug, Clone, PartialEq)]
pub struct Healed {
    /// Its verdict, as a place among those of the judgement.
    pub verdict: usize,
    /// How.
    pub healing: Healing,
    /// Runs in which it failed, or passed only on retry, in its last bad time.
    pub failed_runs: u32,
    /// When the first of these started, as far back as the window reaches.
    pub bad_since: Timestamp,
    /// When the last of these started.
    pub bad_until: Timestamp,
    /// When the first run since without a failure started.
    pub well_since: Timestamp,
    /// The first passing revision, where the test was broken and it is known: a flaky test that
    /// passes says nothing of the revision it passes on.
    pub revision: Option<String>,
    /// Runs since that it passed.
    pub clean_runs: u32,
}

/// The tests that got well, those for certain first, of each the latest first.
#[must_use]
pub fn healed(judgement: &Judgement) -> Vec<Healed> {
    let mut found: Vec<Healed> = judgement
        .verdicts
        .iter()
        .enumerate()
        .filter_map(|(place, verdict)| of(judgement, place, verdict))
        .collect();
    found.sort_by_key(|one| (one.healing, std::cmp::Reverse(one.well_since), one.verdict));
    found
}

fn of(judgement: &Judgement, place: usize, verdict: &Verdict) -> Option<Healed> {
    let was_flaky =
        verdict.weighing.as_deref().is_some_and(|weighing| weighing.flaky_since.is_some());
    let healing = match verdict.status {
        Status::Fixed => Healing::Fixed,
        Status::Recovering => Healing::Recovering,
        Status::Healthy if was_flaky => Healing::NoLongerFlaky,
        _ => return None,
    };
    let mended = verdict.is_mended();
    let run = |cell: &Cell| judgement.runs.get(cell.run as usize);
    let cells: Vec<&Cell> = verdict
        .cells
        .iter()
        .filter(|cell| cell.outcome != Outcome::Skipped)
        // What was broken was the main line.
        .filter(|cell| run(cell).is_some_and(|run| !run.outage && (run.on_main || !mended)))
        .collect();
    // Failures of a change alone are none of a flaky test's own.
    let troubled = |cell: &&Cell| {
        cell.retried || if mended { cell.outcome.is_bad() } else { failed_as_flake(verdict, cell) }
    };
    let last_bad = cells.iter().rposition(troubled)?;
    let passes = verdict.facts.iter().find_map(|fact| match fact {
        Fact::PassesSince { first_good, failed_runs, since, runs } if mended => {
            Some((first_good.clone(), *failed_runs, *since, *runs))
        }
        _ => None,
    });
    // Of a broken test the last row of failures is the bad time; of a flaky one all of them are.
    let first_bad = match passes {
        Some((_, failed, ..)) => {
            let failed = failed.max(1) as usize;
            let of_row = cells.iter().take(last_bad + 1).enumerate().rev();
            of_row.filter(|(_, cell)| troubled(cell)).nth(failed - 1).map(|(place, _)| place)
        }
        None => None,
    };
    let first_bad = first_bad.or_else(|| cells.iter().position(troubled))?;
    let bad = cells.get(first_bad..=last_bad)?;
    let clean = cells.get(last_bad + 1..)?;
    let started = |cell: &Cell| run(cell).map(|run| run.started);
    let well_since = match &passes {
        Some((_, _, since, _)) => *since,
        None => clean.first().and_then(|cell| started(cell))?,
    };
    Some(Healed {
        verdict: place,
        healing,
        failed_runs: bad.iter().filter(|cell| troubled(cell)).count() as u32,
        bad_since: bad.first().and_then(|cell| started(cell))?,
        bad_until: bad.last().and_then(|cell| started(cell))?,
        well_since,
        clean_runs: passes.as_ref().map_or(clean.len() as u32, |(.., runs)| *runs),
        revision: passes.and_then(|(revision, ..)| revision),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::cause::Causes;
    use crate::analysis::filter::episode::{Attributed, Attribution};
    use crate::analysis::verdict::{JudgedRun, Rate, Weighing};

    /// What is said of one test that failed so; each run started at its place.
    fn of_strip(strip: &str, verdict: Verdict) -> Vec<Healed> {
        let cell = |(run, letter)| {
            let outcome = if letter == 'F' { Outcome::Failed } else { Outcome::Passed };
            Cell { run, outcome, retried: false, duration: None }
        };
        let cells: Vec<Cell> = (0..).zip(strip.chars()).map(cell).collect();
        let run = |no| JudgedRun { started: Timestamp(i64::from(no)), ..JudgedRun::bare(no) };
        healed(&Judgement {
            method: "filter",
            runs: (0..cells.len() as u32).map(run).collect(),
            verdicts: vec![Verdict { cells, ..verdict }],
            events: Vec::new(),
            causes: Causes::default(),
        })
    }

    /// Its failures were flakes; it was called flaky with that run, if it ever was.
    fn weighed(flaky_since: Option<u32>, failed: &[u32]) -> Option<Box<Weighing>> {
        let causes = Attribution { flake: 1.0, regression: 0.0, change: 0.0, outage: 0.0 };
        Some(Box::new(Weighing {
            prior: 0.0,
            time: 0.0,
            total: 0.0,
            entries: Vec::new(),
            proofs: Vec::new(),
            flaky_since,
            flakes: failed.len() as u32,
            chances: 8,
            flake_rate: Rate { value: 0.0, low: 0.0, high: 1.0 },
            failures: failed.iter().map(|run| Attributed { run: *run, causes }).collect(),
        }))
    }

    fn passes_since(run: i64, failed_runs: u32, runs: u32) -> Vec<Fact> {
        let first_good = Some(format!("r{run}"));
        vec![Fact::PassesSince { runs, failed_runs, first_good, since: Timestamp(run) }]
    }

    #[test]
    fn a_healthy_test_got_well_only_where_it_was_called_flaky() {
        let healthy = |flaky_since| {
            let weighing = weighed(flaky_since, &[1, 3]);
            of_strip(".F.F..", Verdict { weighing, ..Verdict::bare(1, Status::Healthy) })
        };
        assert_eq!(healthy(None), []);
        let wanted = Healed {
            verdict: 0,
            healing: Healing::NoLongerFlaky,
            failed_runs: 2,
            bad_since: Timestamp(1),
            bad_until: Timestamp(3),
            well_since: Timestamp(4),
            revision: None,
            clean_runs: 2,
        };
        assert_eq!(healthy(Some(3)), [wanted]);
    }

    #[test]
    fn a_breakage_of_old_is_not_what_a_flaky_test_got_well_from() {
        let weighing = weighed(Some(5), &[1, 5]);
        let facts = passes_since(4, 1, 1);
        let verdict = Verdict { weighing, facts, ..Verdict::bare(1, Status::Healthy) };
        let found = of_strip(".F.F.F..", verdict);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].revision.as_deref(), found[0].clean_runs), (None, 2));
        assert_eq!((found[0].bad_since, found[0].well_since), (Timestamp(1), Timestamp(6)));
    }

    #[test]
    fn the_bad_time_of_a_broken_test_is_its_last_row_of_failures() {
        let verdict = Verdict { facts: passes_since(5, 2, 2), ..Verdict::bare(1, Status::Fixed) };
        let wanted = Healed {
            verdict: 0,
            healing: Healing::Fixed,
            failed_runs: 2,
            bad_since: Timestamp(3),
            bad_until: Timestamp(4),
            well_since: Timestamp(5),
            revision: Some("r5".to_owned()),
            clean_runs: 2,
        };
        assert_eq!(of_strip(".F.FF..", verdict), [wanted]);
    }
}
