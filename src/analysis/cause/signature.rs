//! Signature: do its failures look alike, or are there several?
//!
//! Counted, not tested: one kind of failure suggests one cause, many kinds suggest several, or one
//! that shows wherever it happens to strike.

use std::collections::BTreeMap;

use super::{Cause, Hint};
use crate::analysis::verdict::Judgement;
use crate::model::{Failure, SignatureId};
use crate::store::query::{BadRow, FailureNo, FailureRow, RunNo, TestNo};

/// From this share on, "almost all" look alike.
const ALIKE: f64 = 0.9;
/// Up to this share, the most frequent one is not what the test fails with.
const MIXED: f64 = 0.5;
/// Fewer kinds than this are a few causes rather than many.
const KINDS_MIN: u32 = 3;

/// Adds what the failures of one test look like to the hints on it; those of runs that do not count
/// are left out, and what a run's last bad attempt says stands for the run.
pub fn add(judgement: &mut Judgement, test: TestNo, bad: &[BadRow], failures: &[FailureRow]) {
    let by_no: BTreeMap<FailureNo, &FailureRow> =
        failures.iter().map(|failure| (failure.no, failure)).collect();
    let mut of_run: BTreeMap<RunNo, &FailureRow> = BTreeMap::new();
    for row in bad.iter().filter(|row| row.test == test) {
        if let Some(failure) = row.failure.and_then(|no| by_no.get(&no)) {
            of_run.insert(row.run, failure);
        }
    }
    let causes = judgement.causes.examined.iter().filter(|examined| examined.test == test);
    for examined in causes {
        let failed = examined.trials.iter().filter(|(_, failed)| *failed);
        let runs = failed.filter_map(|(run, _)| judgement.runs.get(*run as usize));
        let looks = runs.filter_map(|run| of_run.get(&run.no).copied());
        let Some(cause) = looks_of(looks) else { continue };
        let verdict = judgement
            .verdicts
            .iter_mut()
            .find(|one| one.test == test && one.variant == examined.variant);
        if let Some(verdict) = verdict {
            verdict.hints.push(Hint { cause, p: None, q: None });
        }
    }
}

fn looks_of<'a>(looks: impl Iterator<Item = &'a FailureRow>) -> Option<Cause> {
    let mut kinds: BTreeMap<SignatureId, (u32, &FailureRow)> = BTreeMap::new();
    for failure in looks {
        kinds.entry(failure.signature).or_insert((0, failure)).0 += 1;
    }
    let failures: u32 = kinds.values().map(|(count, _)| count).sum();
    // Of equals the first, so that the answer does not depend on anything else.
    let (most, example) = kinds.values().rev().max_by_key(|(count, _)| *count)?;
    let share = f64::from(*most) / f64::from(failures);
    let count = kinds.len() as u32;
    let telling = share >= ALIKE || (share <= MIXED && count >= KINDS_MIN);
    telling.then(|| Cause::Signature {
        failures,
        most: *most,
        kinds: count,
        headline: headline(example),
    })
}

fn headline(row: &FailureRow) -> String {
    let failure =
        Failure { kind: row.kind.clone(), message: row.message.clone(), text: row.text.clone() };
    failure.headline().to_owned()
}
