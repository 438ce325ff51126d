//! Reports as people and machines read them.

use flakedb::junit::{ReadOptions, Verdict as ReadVerdict, read};
use flakedb::testkit::contracts::{Report, Verdict, clauses};

use crate::echo::echo_report;

/// A report with every verdict in it, made of a real one.
fn mixed() -> Report {
    let mut report = echo_report();
    report.judgements.truncate(4);
    for (judgement, verdict) in report.judgements.iter_mut().zip(Verdict::ALL) {
        judgement.verdict = verdict;
        judgement.evidence = format!("evidence of <{verdict}>");
    }
    report
}

#[test]
fn a_report_is_a_table_for_people() {
    insta::assert_snapshot!(mixed());
}

#[test]
fn a_report_is_json_for_machines() {
    insta::assert_json_snapshot!(mixed().to_json());
}

#[test]
fn a_report_is_junit_for_test_tools() {
    let mut xml = Vec::new();
    Report::write_junit(&[mixed()], &mut xml).unwrap();
    insta::assert_snapshot!(String::from_utf8(xml).unwrap());
}

#[test]
fn flakedb_reads_a_report_back() {
    let mut report = mixed();
    report.judgements[1].evidence = "said `a\u{0}b` & <c>\nin two lines".to_owned();
    let mut xml = Vec::new();
    Report::write_junit(&[report], &mut xml).unwrap();
    let reading = read(&xml, &ReadOptions::default());
    assert_eq!(reading.verdict, ReadVerdict::Accept, "{:?}", reading.warnings);
    let counts = reading.report.counts;
    assert_eq!((counts.passed, counts.failed, counts.skipped), (1, 1, 2));
    let tests = reading.report.results.iter();
    let names: Vec<_> = tests
        .map(|result| {
            let test = reading.report.tests.get(result.test).unwrap();
            (test.suite, test.classname, test.name)
        })
        .collect();
    assert_eq!(names[0], ("echo", "contracts.echo", "NC-01 registered"));
}

#[test]
fn every_clause_has_an_id_a_name_and_its_reasons() {
    let mut ids: Vec<&str> = clauses().map(|clause| clause.id).collect();
    let mut names: Vec<&str> = clauses().map(|clause| clause.name).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    names.sort_unstable();
    names.dedup();
    assert_eq!((ids.len(), names.len(), count), (59, 59, 59));
    for clause in clauses() {
        for text in [clause.promise, clause.reason, clause.violation] {
            assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", clause.id);
        }
    }
}

#[test]
fn the_macros_list_every_clause_by_its_own_name() {
    let source = include_str!("../../src/testkit/contracts/macros.rs");
    for clause in clauses().filter(|clause| !clause.id.starts_with("NT")) {
        let test = format!(
            "{}_{} = \"{}\",",
            clause.id.to_lowercase().replace('-', "_"),
            clause.name,
            clause.id
        );
        assert!(source.contains(&test), "macros.rs lacks `{test}`");
    }
}
