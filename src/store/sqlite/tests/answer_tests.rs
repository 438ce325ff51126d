//! What a history answers, fact by fact: the other tests compare histories, so that a comparison of
//! nothing with nothing would please them.

use super::*;
use crate::model::{Attempt, Micros, RunKey, SuiteFailure};

fn history(reports: Vec<(ReportMeta, Report)>) -> (Place, SqliteStore) {
    let place = place();
    let mut store = create(&place);
    append(&mut store, reports);
    (place, store)
}

/// A report of passed tests: suite, class, name and file of each.
pub(super) fn named(tests: &[[&str; 4]]) -> Report {
    let mut report = report(&".".repeat(tests.len()));
    report.tests = crate::model::TestTable::default();
    for (place, [suite, classname, name, file]) in tests.iter().enumerate() {
        let hasher = KeyHasher::new("named").part(suite.as_bytes()).part(classname.as_bytes());
        let id = TestId(hasher.part(name.as_bytes()).part(file.as_bytes()).finish());
        let test = TestIdentity { id, suite, classname, name, file, qualified: true };
        report.results[place].test = report.tests.intern(&test).unwrap();
    }
    report
}

fn key_of(build: &str) -> RunKey {
    meta(Some(build), 10, "a").context.key(ReportHash::of(b"a"))
}

#[test]
fn contents_say_every_fact_in_natural_keys() {
    let mut said = report(".F");
    said.results[0].duration = Some(Micros(5));
    let failure = said.failures[0].clone();
    said.suite_failures.push(SuiteFailure { suite: "setup".into(), failure: 0 });
    let tests: Vec<TestId> = said.tests.iter().map(|test| test.id).collect();
    let (_place, store) = history(vec![(meta(Some("1"), 10, "a"), said)]);
    let lines = store.contents().unwrap().0;

    let (run, hash) = (key_of("1"), ReportHash::of(b"a"));
    let (why, signature) = (failure.id(), failure.signature());
    for expected in [
        format!(r#"run "p" {run} "abc" "main" "" 0 "1" 1 - - 10 - 1 1 2 1 2 1 1 0 0 0"#),
        format!(r#"test "p" {} "suite" "class" "test_0" "a.py" 1 10"#, tests[0]),
        format!(r#"failure "p" {why} {signature} "Error" "test_1" {:?}"#, failure.text),
        format!(r#"bad "p" {run} {hash} {} 0 1 {why}"#, tests[1]),
        format!(r#"suite "p" {run} {hash} 0 "setup" {why}"#),
        format!("result {run} {hash} 00000001 {}", tests[1]),
        format!("slot {run} {hash} 00000000 passed 5"),
        format!("slot {run} {hash} 00000001 failed -1"),
        format!("why {run} {hash} 00000001 {why}"),
    ] {
        assert!(lines.contains(&expected), "{expected} is not in\n{}", lines.join("\n"));
    }
    let start = format!(r#"report "p" {run} {hash} 10 "pytest" 0 1 0 2 2 1 1 0 0 0 "#);
    let report: Vec<&String> = lines.iter().filter(|line| line.starts_with("report")).collect();
    assert!(report[0].starts_with(&start), "{}", report[0]);
    // Workers and results have lines of their own: nothing of their blobs stands here.
    assert_eq!((report.len(), report[0].split(' ').count()), (1, 20), "{}", report[0]);
    assert!(lines.is_sorted());
}

#[test]
fn contents_differ_where_one_fact_differs() {
    let plain = || (meta(Some("1"), 10, "a"), report(".F"));
    let changed = |change: fn(&mut ReportMeta, &mut Report)| {
        let (mut meta, mut report) = plain();
        change(&mut meta, &mut report);
        history(vec![(meta, report)]).1.contents().unwrap()
    };
    let all = [
        changed(|_, _| {}),
        changed(|meta, _| meta.started = Timestamp(11)),
        changed(|meta, _| meta.context.branch = None),
        changed(|meta, _| meta.context.lane = Lane::Change),
        changed(|meta, _| meta.context.job = Some("unit".into())),
        changed(|meta, _| meta.context.url = Some("https://ci".into())),
        changed(|meta, _| meta.warnings = 1),
        changed(|meta, _| meta.part.shard = Some("1/2".into())),
        changed(|_, report| report.complete = false),
        changed(|_, report| report.nameless = 1),
        changed(|_, report| report.host = "here".into()),
        changed(|_, report| report.seed = "7".into()),
        changed(|_, report| report.producer = "bats"),
        changed(|_, report| report.results[1].outcome = Outcome::Errored),
        changed(|_, report| report.results[1].failure = None),
        changed(|_, report| report.results[0].duration = Some(Micros(0))),
        changed(|_, report| report.results[0].repeat = Repeat::Repeated),
        changed(|_, report| report.failures[0].text.push('.')),
        changed(|_, report| {
            report.suite_failures.push(SuiteFailure { suite: "s".into(), failure: 0 });
        }),
    ];
    for (place, one) in all.iter().enumerate() {
        assert_eq!(all.iter().position(|other| other == one), Some(place), "no. {place}");
    }
}

#[test]
fn listed_attempts_belong_to_their_own_result() {
    let mut said = report("...");
    let listed = |outcomes: &[Outcome]| -> Vec<Attempt> {
        let attempt = |&outcome| Attempt { outcome, duration: None, failure: None };
        outcomes.iter().map(attempt).collect()
    };
    use Outcome::{Errored, Failed, Passed};
    for (place, outcomes) in [(0, &[Failed, Passed][..]), (2, &[Failed, Errored, Failed, Passed])] {
        said.results[place].attempts = listed(outcomes).into();
        said.results[place].repeat = Repeat::Retried;
    }
    let (_place, store) = history(vec![(meta(Some("1"), 10, "a"), said)]);
    let runs = store.runs("p", &Window::default()).unwrap();
    let mut found = Vec::new();
    store
        .fold(&runs, &mut |_, rows| {
            found = rows.iter().map(|row| (row.repeat, row.attempts, row.bad_attempts)).collect();
        })
        .unwrap();
    let (retried, single) = (Repeat::Retried, Repeat::Single);
    assert_eq!(found, [(retried, 2, 1), (single, 1, 0), (retried, 4, 3)]);
}

#[test]
fn results_that_point_at_nothing_are_left_out() {
    let mut said = report("FFFF.");
    said.results[0].failure = Some(99);
    let attempt = Attempt { outcome: Outcome::Failed, duration: None, failure: Some(4) };
    said.results[1].attempts = vec![attempt].into();
    said.results[2].test.0 = 5;
    let (_place, store) = history(vec![(meta(Some("1"), 10, "a"), said)]);
    assert_eq!(strip(&store, 0), "F.");
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn failures_are_found_by_what_they_look_like() {
    let reports = ["F.", ".E"].into_iter().enumerate().map(|(place, strip)| {
        let build = place.to_string();
        (meta(Some(&build), place as i64, &build), report(strip))
    });
    let wanted: Vec<_> = ["F.", ".E"].map(|strip| report(strip).failures[0].signature()).to_vec();
    let (_place, store) = history(reports.collect());
    let runs = store.runs("p", &Window::default()).unwrap();
    let numbers: Vec<_> = runs.iter().map(|run| run.no).collect();
    let found = store.signatures("p", &numbers).unwrap();
    let said: Vec<_> = found.iter().map(|row| (row.run, row.signature)).collect();
    assert_eq!(said, [(numbers[0], wanted[0]), (numbers[1], wanted[1])]);
    let tests: Vec<_> = found.iter().map(|row| row.test).collect();
    let names: Vec<_> = store.tests(&tests).unwrap().into_iter().map(|test| test.name).collect();
    assert_eq!(names, ["test_0", "test_1"]);
    assert_eq!(store.signatures("p", &numbers[1..]).unwrap(), found[1..]);
    assert!(store.signatures("other", &numbers).unwrap().is_empty());
    assert_eq!(store.bad_tests("p", &runs[..1]).unwrap(), tests[..1]);
}

#[test]
fn a_module_is_the_file_the_class_or_the_suite_of_a_test_in_its_own_project() {
    let tests = [
        ["s", "c", "one", "f"],
        ["s", "d", "two", "f"],
        ["s", "c", "three", ""],
        ["s", "", "four", ""],
    ];
    let other = |mut meta: ReportMeta| {
        meta.context.project = "q".into();
        meta
    };
    let (_place, store) = history(vec![
        (meta(Some("1"), 10, "a"), named(&tests)),
        (other(meta(Some("1"), 10, "b")), named(&tests[3..])),
    ]);
    let modules = |project: &str| -> Vec<(String, String)> {
        let modules = store.modules(project).unwrap();
        let mut said: Vec<_> = store
            .all_tests(project)
            .unwrap()
            .into_iter()
            .map(|test| (test.name, modules.names[modules.of[&test.no] as usize].clone()))
            .collect();
        said.sort();
        said
    };
    let pairs = |said: &[(&str, &str)]| -> Vec<(String, String)> {
        said.iter().map(|(test, module)| ((*test).to_owned(), (*module).to_owned())).collect()
    };
    assert_eq!(modules("p"), pairs(&[("four", "s"), ("one", "f"), ("three", "c"), ("two", "f")]));
    assert_eq!(modules("q"), pairs(&[("four", "s")]));
    assert_eq!(store.modules("p").unwrap().names.len(), 3);
}

#[test]
fn a_merged_history_has_the_failures_of_its_suites() {
    let mut said = report("F");
    said.suite_failures.push(SuiteFailure { suite: "setup".into(), failure: 0 });
    let (from, store) = history(vec![(meta(Some("1"), 10, "a"), said)]);
    let (_place, mut into) = history(Vec::new());
    into.merge_from(&from.path).unwrap();
    assert_eq!(into.contents().unwrap(), store.contents().unwrap());
    assert!(into.contents().unwrap().0.iter().any(|line| line.starts_with("suite ")));
}

#[test]
fn an_empty_file_is_no_history_yet_and_may_become_one() {
    let place = place();
    fs::write(&place.path, b"").unwrap();
    for mode in [OpenMode::ReadOnly, OpenMode::ReadWrite] {
        assert!(matches!(failed_to_open(&place.path, mode), StoreError::Missing { .. }));
    }
    assert!(create(&place).runs("p", &Window::default()).unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn a_path_below_a_file_is_no_history_that_is_missing() {
    let place = place();
    drop(create(&place));
    let error = failed_to_open(&place.path.join("history.db"), OpenMode::ReadOnly);
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
}

#[test]
fn the_producers_are_those_of_reports_in_which_a_test_was_bad() {
    let of = |producer: &'static str, strip: &str| Report { producer, ..report(strip) };
    let (_place, store) = history(vec![
        (meta(Some("1"), 10, "a"), of("pytest", "F.")),
        (meta(Some("2"), 20, "b"), of("bats", "FF")),
        (meta(Some("3"), 30, "c"), of("jest-junit", "..")),
    ]);
    let tests = store.all_tests("p").unwrap();
    let number = |name: &str| tests.iter().find(|test| test.name == name).unwrap().no;
    let mut said = store.producers(&[number("test_0"), number("test_1")]).unwrap();
    said.sort();
    let pair = |name: &str, producer: &str| (number(name), producer.to_owned());
    let mut wanted = vec![pair("test_0", "bats"), pair("test_0", "pytest"), pair("test_1", "bats")];
    wanted.sort();
    assert_eq!(said, wanted);
    assert!(store.producers(&[]).unwrap().is_empty());
}

#[test]
fn what_several_appends_did_adds_up() {
    let of = |times: u64| Appended {
        runs_new: times,
        runs_extended: 2 * times,
        reports_new: 3 * times,
        reports_known: 4 * times,
        results_new: 5 * times,
        tests_new: 6 * times,
        failures_new: 7 * times,
    };
    let mut sum = of(10);
    sum.merge(&of(1));
    assert_eq!(sum, of(11));
}
