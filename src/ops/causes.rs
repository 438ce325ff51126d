//! A closer look at the causes of a few tests: what needs more than the fold of the judgement.

use std::collections::BTreeMap;

use crate::analysis::cause::{polluter, signature};
use crate::store::query::{FailureNo, RunRow, TestNo, TestRow};
use crate::store::{Store, StoreError};

use super::judge::Judged;

/// Adds to the hints on these tests what their other results say: which test ran before them when
/// they failed, and whether their failures look alike.
///
/// Costs one more fold, over the runs of those tests alone whose order changes.
///
/// # Errors
/// Where the history cannot be read.
pub fn deepen(
    store: &dyn Store,
    project: &str,
    judged: &mut Judged,
    tests: &[TestNo],
) -> Result<(), StoreError> {
    let mut search = polluter::Search::new(&judged.judgement.causes, tests);
    let places: Vec<u32> = search.runs().collect();
    let row = |place: &u32| judged.runs.get(*place as usize).cloned();
    let rows: Vec<RunRow> = places.iter().filter_map(row).collect();
    if rows.len() == places.len() {
        store.fold(&rows, &mut |at, rows| {
            if let Some(place) = places.get(at) {
                search.add(*place, rows);
            }
        })?;
    }
    search.settle(&mut judged.judgement);
    for test in tests {
        let examined = &judged.judgement.causes.examined;
        if !examined.iter().any(|examined| examined.test == *test) {
            continue;
        }
        let bad = store.bad_results(project, &judged.runs, Some(*test))?;
        let mut wanted: Vec<FailureNo> = bad.iter().filter_map(|row| row.failure).collect();
        wanted.sort_unstable();
        wanted.dedup();
        signature::add(&mut judged.judgement, *test, &bad, &store.failures(&wanted)?);
    }
    name(store, judged)
}

/// Gives the tests that hints name their names.
///
/// # Errors
/// Where the history cannot be read.
pub(super) fn name(store: &dyn Store, judged: &mut Judged) -> Result<(), StoreError> {
    let hints = judged.judgement.verdicts.iter().flat_map(|verdict| &verdict.hints);
    let mut wanted: Vec<TestNo> = hints.flat_map(|hint| hint.cause.tests()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let names: BTreeMap<TestNo, TestRow> =
        store.tests(&wanted)?.into_iter().map(|row| (row.no, row)).collect();
    let verdicts = judged.judgement.verdicts.iter_mut();
    verdicts.flat_map(|verdict| &mut verdict.hints).for_each(|hint| hint.cause.name(&names));
    Ok(())
}
