//! What an append changes of what is there, and what it leaves.

use super::*;
use crate::model::{TestIndex, TestTable};

/// A report of the tests of a strip but the first.
pub(super) fn without_first(text: &str) -> Report {
    let mut report = report(text);
    report.results.remove(0);
    report
}

/// A report of one test that stands in this suite and file.
fn placed(suite: &str, file: &str) -> Report {
    let mut report = report(".");
    let tests = std::mem::take(&mut report.tests);
    let test = tests.get(TestIndex(0)).unwrap();
    let mut own = TestTable::default();
    own.intern(&TestIdentity { suite, file, ..test }).unwrap();
    Report { tests: own, ..report }
}

#[test]
fn a_report_that_comes_twice_in_one_batch_is_known_the_second_time() {
    let place = place();
    let mut store = create(&place);
    let twice = || (meta(Some("1"), 10, "a"), report("."));
    let appended = append(&mut store, vec![twice(), twice()]);
    assert_eq!((appended.reports_new, appended.reports_known), (1, 1));
}

#[test]
fn a_report_of_no_build_that_came_alone_is_known_among_others_of_its_folder() {
    let place = place();
    let mut store = create(&place);
    append(&mut store, vec![(meta(None, 10, "a"), report("."))]);
    let grouped = |hash: &str, report| {
        (ReportMeta { group: Some("folder".into()), ..meta(None, 10, hash) }, report)
    };
    let both = vec![grouped("a", report(".")), grouped("b", without_first(".."))];
    let both = append(&mut store, both);
    assert_eq!((both.reports_known, both.reports_new, both.runs_new), (1, 1, 1));
    let runs = store.runs("p", &Window::default()).unwrap();
    assert_eq!(runs.iter().map(|run| run.reports).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn what_one_report_says_of_a_run_stays_where_another_does_not_say_it() {
    let place = place();
    let mut store = create(&place);
    let mut first = meta(Some("1"), 10, "a");
    first.context.job = Some("unit".into());
    append(&mut store, vec![(first, report("."))]);
    let mut second = meta(Some("1"), 20, "b");
    second.context.url = Some("https://ci.example/7".into());
    append(&mut store, vec![(second, report("."))]);
    let run = &store.runs("p", &Window::default()).unwrap()[0];
    let said = (run.job.as_deref(), run.url.as_deref());
    assert_eq!(said, (Some("unit"), Some("https://ci.example/7")));
}

#[test]
fn a_report_that_comes_again_brings_an_earlier_start_and_nothing_else() {
    let place = place();
    let mut store = create(&place);
    append(&mut store, vec![(meta(Some("1"), 20, "a"), report("."))]);
    let before = store.contents().unwrap();
    // At the same time or later, and read otherwise: with a test more.
    for started in [20, 30] {
        let again = append(&mut store, vec![(meta(Some("1"), started, "a"), report(".."))]);
        assert_eq!(again, Appended { reports_known: 1, ..Appended::default() });
        assert_eq!(store.contents().unwrap(), before, "again at {started}");
    }
    append(&mut store, vec![(meta(Some("1"), 10, "a"), report("."))]);
    assert_eq!(store.runs("p", &Window::default()).unwrap()[0].started, Timestamp(10));
    assert_eq!(store.all_tests("p").unwrap()[0].first_seen, Timestamp(10));
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn suite_and_file_of_a_known_test_are_the_smallest_that_reports_say_each_for_itself() {
    for (before, after) in [(("a", "z.py"), ("b", "y.py")), (("b", "y.py"), ("a", "z.py"))] {
        let place = place();
        let mut store = create(&place);
        append(&mut store, vec![(meta(Some("1"), 10, "a"), placed(before.0, before.1))]);
        append(&mut store, vec![(meta(Some("2"), 20, "b"), placed(after.0, after.1))]);
        let tests = store.all_tests("p").unwrap();
        let said: Vec<_> = tests.iter().map(|test| (&*test.suite, &*test.file)).collect();
        assert_eq!(said, [("a", "y.py")]);
    }
}

#[test]
fn a_known_report_changes_no_test_whatever_comes_with_it() {
    // The tests of two are passed over all at once; of nine, two are looked up one by one.
    for tests in [2, 9] {
        let place = place();
        let mut store = create(&place);
        append(&mut store, vec![(meta(Some("1"), 20, "a"), report(&".".repeat(tests)))]);
        let again = (meta(Some("1"), 20, "a"), placed("suite", "0.py"));
        let new = (meta(Some("2"), 30, "b"), without_first(".."));
        let appended = append(&mut store, vec![again, new]);
        assert_eq!((appended.reports_known, appended.reports_new), (1, 1));
        let all = store.all_tests("p").unwrap();
        assert!(all.iter().all(|test| test.file == "a.py"), "{tests} tests");
    }
}

#[test]
fn the_key_of_a_run_of_no_build_counts_the_start_that_somebody_stated() {
    let place = place();
    let mut store = create(&place);
    let mut stated = meta(None, 10, "a");
    stated.context.started = Some(Timestamp(5));
    append(&mut store, vec![(stated, report("."))]);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn a_merge_keeps_when_runs_were_ingested() {
    let [place, other] = [place(), self::place()];
    let mut store = create(&place);
    append(&mut store, vec![(meta(Some("1"), 10, "a"), report("."))]);
    let mut copy = create(&other);
    copy.merge_from(&place.path).unwrap();
    let ingested = |store: &SqliteStore| -> i64 {
        let sql = "SELECT ingested_ms FROM run";
        store.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((ingested(&store), ingested(&copy)), (99, 99));
}
