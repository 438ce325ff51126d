//! The report of a retry: what had failed is a further attempt; what ran besides is not.

use std::collections::BTreeSet;

use crate::model::tests::TableFull;
use crate::model::{Counts, Report, ReportHash, TestId, TestResult};
use crate::store::batch::{BatchBuilder, ReportMeta};

/// Tells the two parts of one document apart.
const REST: &[u8] = b"besides what was retried";

/// Adds the report of a retry of `tests` as two: the retried tests alone, which the history takes
/// for further attempts, and the rest, if there is any.
///
/// # Errors
/// [`TableFull`] as of [`BatchBuilder::add`].
pub(super) fn add(
    builder: &BatchBuilder,
    meta: ReportMeta,
    report: &Report,
    tests: &BTreeSet<TestId>,
) -> Result<(), TableFull> {
    let rest_hash = ReportHash::of(&[&meta.hash.0[..], REST].concat());
    let rest = part(report, tests, false);
    if !rest.results.is_empty() || !rest.suite_failures.is_empty() {
        builder.add(ReportMeta { hash: rest_hash, ..meta.clone() }, &rest)?;
    }
    let retried = part(report, tests, true);
    if retried.results.is_empty() {
        return Ok(());
    }
    builder.add(meta, &retried)
}

/// The results of the retried tests, or those of all others.
fn part(report: &Report, tests: &BTreeSet<TestId>, retried: bool) -> Report {
    let mut part = report.clone();
    let wanted = |result: &TestResult| {
        let test = report.tests.get(result.test);
        test.is_some_and(|test| tests.contains(&test.id)) == retried
    };
    part.results.retain(wanted);
    let places = report.results.iter().enumerate().filter(|(_, result)| wanted(result));
    part.workers = report.workers.pick(places.map(|(place, _)| place));
    part.counts = Counts::default();
    for result in &part.results {
        part.counts.add(result.outcome, result.is_flaky());
    }
    if retried {
        part.suite_failures.clear();
        part.nameless = 0;
    }
    part
}
