//! Who ran what: written, read back, filled in, and never made worse.

use super::*;

/// The worker of each row of the first run; `-` for none.
fn workers(store: &SqliteStore) -> Vec<String> {
    let runs = store.runs("p", &Window::default()).unwrap();
    let mut workers = Vec::new();
    store
        .fold(&runs[..1], &mut |_, rows| {
            let name = |worker: u16| match usize::from(worker).checked_sub(1) {
                Some(place) => rows.workers[place].clone(),
                None => "-".to_owned(),
            };
            workers = rows.iter().map(|row| name(row.worker)).collect();
        })
        .unwrap();
    workers
}

pub(super) fn worked(outcomes: &str, workers: &[&str]) -> Report {
    let mut report = report(outcomes);
    for (result, name) in workers.iter().enumerate() {
        let number = report.workers.number(name);
        report.workers.set(result, number);
    }
    report
}

#[test]
fn each_result_keeps_its_worker_through_append_merge_and_check() {
    let place = place();
    let mut store = create(&place);
    let several = worked(".F..", &["gw1", "", "gw0", "gw1"]);
    append(&mut store, vec![(meta(Some("1"), 10, "a"), several)]);
    assert_eq!(workers(&store), ["gw1", "-", "gw0", "gw1"]);
    // Another report of the run numbers its workers anew; a test keeps the first of its attempts.
    append(
        &mut store,
        vec![(meta(Some("1"), 20, "b"), worked("EE..", &["gw0", "gw0", "gw0", "gw0"]))],
    );
    assert_eq!(workers(&store)[..4], ["gw1", "-", "gw0", "gw1"]);
    assert_eq!(store.check().unwrap(), []);
    let other = self::place();
    let mut copy = create(&other);
    copy.merge_from(&place.path).unwrap();
    assert_eq!(copy.contents().unwrap(), store.contents().unwrap());
    assert_eq!(workers(&copy), workers(&store));
    // A list for another number of results is no list of this report.
    copy.connection
        .execute("UPDATE report SET workers = x'0104010061' WHERE workers IS NOT NULL", [])
        .unwrap();
    let found = copy.check().unwrap();
    assert!(found[0].problem.starts_with("the list of its workers"), "{found:?}");
}

#[test]
fn damage_of_another_history_is_an_error_and_does_not_spread() {
    let [place, other] = [place(), self::place()];
    let mut store = create(&place);
    append(&mut store, vec![(meta(Some("1"), 10, "a"), worked("..", &["gw1", "gw0"]))]);
    store.connection.execute("UPDATE report SET workers = x'0104010061'", []).unwrap();
    drop(store);
    let mut into = create(&other);
    let error = into.merge_from(&place.path).unwrap_err();
    assert!(matches!(error, StoreError::Segment { .. }), "{error}");
    assert!(error.to_string().contains("history.db"), "{error}");
    assert!(into.runs("p", &Window::default()).unwrap().is_empty());
}

#[test]
fn a_report_that_is_read_again_gets_its_workers_whether_a_build_is_known_or_not() {
    for build in [Some("1"), None] {
        let place = place();
        let mut store = create(&place);
        append(&mut store, vec![(meta(build, 10, "a"), report(".F.."))]);
        assert_eq!(workers(&store), ["-", "-", "-", "-"]);
        let again = worked(".F..", &["gw1", "", "gw0", "gw1"]);
        let appended = append(&mut store, vec![(meta(build, 10, "a"), again)]);
        assert_eq!((appended.reports_known, appended.reports_new), (1, 0), "{build:?}");
        assert_eq!(workers(&store), ["gw1", "-", "gw0", "gw1"], "{build:?}");
        // What is known is not lost again, nor changed by a flakedb that reads it otherwise.
        append(&mut store, vec![(meta(build, 10, "a"), report(".F.."))]);
        append(&mut store, vec![(meta(build, 10, "a"), worked(".F..", &["gw7"; 4]))]);
        assert_eq!(workers(&store), ["gw1", "-", "gw0", "gw1"], "{build:?}");
        assert_eq!(store.check().unwrap(), []);
    }
}

#[test]
fn workers_of_other_results_than_those_that_are_there_are_left_out() {
    // The same bytes as an older flakedb read them: with a result less, or in another order.
    let mut turned = report("..");
    turned.results.reverse();
    for before in [report("."), turned] {
        let place = place();
        let mut store = create(&place);
        let count = before.results.len();
        append(&mut store, vec![(meta(Some("1"), 10, "a"), before)]);
        let again = worked("..", &["gw1", "gw0"]);
        append(&mut store, vec![(meta(Some("1"), 10, "a"), again)]);
        assert_eq!(workers(&store), vec!["-"; count]);
        assert_eq!(store.check().unwrap(), []);
    }
}
