//! How the tests of a report last failed: what some formats show beside each verdict.

use std::collections::HashMap;

use crate::analysis::verdict::Verdict;
use crate::model::{Failure, Outcome};
use crate::report::view::LatestFailureView;
use crate::store::query::{BadRow, FailureNo, FailureRow, RunNo, TestNo};
use crate::store::{Store, StoreError};

use super::judge::{Judged, Names};

/// For each verdict how it last failed outside outages: one query over the runs of the window, and
/// one for the texts.
///
/// # Errors
/// Where the history cannot be read.
pub fn latest_failures(
    store: &dyn Store,
    project: &str,
    judged: &Judged,
    names: &Names,
    verdicts: &[&Verdict],
) -> Result<Vec<Option<LatestFailureView>>, StoreError> {
    let bad = store.bad_results(project, &judged.runs, None)?;
    latest_of(store, &bad, judged, names, verdicts)
}

/// The same, of bad results that were read already.
pub(super) fn latest_of(
    store: &dyn Store,
    bad: &[BadRow],
    judged: &Judged,
    names: &Names,
    verdicts: &[&Verdict],
) -> Result<Vec<Option<LatestFailureView>>, StoreError> {
    let cells: HashMap<(TestNo, &str), usize> = verdicts
        .iter()
        .enumerate()
        .map(|(at, verdict)| ((verdict.test, verdict.variant.as_str()), at))
        .collect();
    let runs: HashMap<RunNo, usize> =
        judged.judgement.runs.iter().enumerate().map(|(at, run)| (run.no, at)).collect();
    let mut latest: Vec<Option<(usize, u32, FailureNo, Outcome)>> = vec![None; verdicts.len()];
    for &BadRow { run, test, attempt, outcome, failure } in bad {
        let (Some(&place), Some(failure)) = (runs.get(&run), failure) else { continue };
        let Some(run) = judged.judgement.runs.get(place).filter(|run| !run.outage) else {
            continue;
        };
        let cell = cells.get(&(test, run.variant.as_str()));
        let Some(known) = cell.and_then(|at| latest.get_mut(*at)) else { continue };
        if known.is_none_or(|(at, before, ..)| (place, attempt) >= (at, before)) {
            *known = Some((place, attempt, failure, outcome));
        }
    }
    let mut wanted: Vec<FailureNo> = latest.iter().flatten().map(|one| one.2).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let texts: HashMap<FailureNo, FailureRow> =
        store.failures(&wanted)?.into_iter().map(|row| (row.no, row)).collect();
    let view = |verdict: &&Verdict, latest: Option<(usize, u32, FailureNo, Outcome)>| {
        let (place, _, failure, outcome) = latest?;
        let row = texts.get(&failure)?;
        let failure = Failure {
            kind: row.kind.clone(),
            message: row.message.clone(),
            text: row.text.clone(),
        };
        let started = judged.judgement.runs.get(place)?.started.to_rfc3339();
        let test = names.row(verdict.test)?;
        Some(LatestFailureView::new(&failure, outcome, started, &test.file, &test.classname))
    };
    Ok(verdicts.iter().zip(latest).map(|(verdict, latest)| view(verdict, latest)).collect())
}
