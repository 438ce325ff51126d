//! The reader of JUnit XML.

use std::collections::BTreeSet;

use flakedb::junit::merge::{Part, merge};
use flakedb::junit::{Level, ReadOptions, Reading, Verdict, read};
use flakedb::model::{Outcome, Report, TestId, TestResult, limits};

/// Reads the bytes and checks every promise of the reader.
pub(crate) fn check(bytes: &[u8]) -> Reading {
    let reading = read(bytes, &ReadOptions::default());
    let report = &reading.report;
    let counts = &report.counts;
    check_report(report);
    assert!(reading.warnings.iter().all(|w| w.line > 0 && w.column > 0 && !w.message.is_empty()));
    assert!(reading.warnings.len() <= limits::WARNINGS_MAX);
    let loud = reading.warnings.iter().any(|warning| warning.code.level() != Level::Note);
    match reading.verdict {
        Verdict::Accept => assert!(!loud && report.complete),
        Verdict::Warn => assert!((loud || reading.warnings_dropped > 0) && report.complete),
        Verdict::Salvage => assert!(loud && !report.complete),
        Verdict::Reject => assert!(loud && counts.cases == 0 && report.results.is_empty()),
    }
    reading
}

/// What holds for every report, wherever it was read from.
pub(crate) fn check_report(report: &Report) {
    let counts = &report.counts;
    assert_eq!(counts.cases, counts.passed + counts.failed + counts.errored + counts.skipped);
    assert!(counts.flaky <= counts.passed);
    assert!(report.results.len() as u64 + report.nameless <= counts.cases);
    let known = |place: u32| (place as usize) < report.failures.len();
    for result in &report.results {
        assert!(report.tests.get(result.test).is_some());
        assert!(result.failure.is_none_or(known));
        assert!(result.attempts.iter().all(|attempt| attempt.failure.is_none_or(known)));
        assert!(result.variant.is_none_or(|variant| variant.place() < report.variants.len()));
        assert!(result.attempts.len() <= limits::ATTEMPTS_MAX);
        assert!(!(result.outcome == Outcome::Passed && result.failure.is_some()));
    }
    assert!(report.suite_failures.iter().all(|suite| known(suite.failure)));
}

/// The same, and what two copies of a document become is read as well; a sound one loses no test.
pub(crate) fn check_twice(bytes: &[u8]) {
    let alone = check(bytes);
    let part = || Part { bytes: bytes.to_vec(), properties: vec![("worker".into(), "<1&".into())] };
    let both = check(&merge(&[part(), part()]));
    if alone.verdict == Verdict::Accept {
        assert_eq!(tests(&alone.report), tests(&both.report));
    }
}

fn tests(report: &Report) -> BTreeSet<TestId> {
    let id = |result: &TestResult| report.tests.get(result.test).map(|test| test.id);
    report.results.iter().filter_map(id).collect()
}
