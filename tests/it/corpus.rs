//! The reader against documents of every producer we know, and against hostile ones.
//!
//! `fixtures/junit` always; the whole corpus too where `FLAKEDB_CORPUS` names it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use flakedb::junit::identity::{RawIdentity, identify};
use flakedb::junit::{ReadOptions, Reading, Verdict, read};
use flakedb::model::{Counts, Outcome, Timestamp};
use serde_json::Value;

/// 2026-11-23, the day after the corpus was made: 2099 lies in the future of it.
pub(crate) const NOW: Timestamp = Timestamp(1_795_392_000_000);

/// Documents that a dialect rule reads otherwise than the oracle, which knows no dialects.
const DIALECT: &[(&str, &str)] = &[
    (
        "ctest/ctest.xml",
        "`Unable to find executable` is an error for ctest, though written as skipped",
    ),
    ("eunit/TEST-alpha_tests.xml", "EUnit writes a test that timed out as skipped"),
    ("testng/TEST-demo.AlphaTest.xml", "TestNG writes a skip as an error of type SkipException"),
    ("jenkinsci__testcase3.junit-xml.xml", "`0,014` is a decimal comma; the oracle reads 14"),
    (
        "testData__junit__nestedSuites.xml",
        "the class stands in `class`, which the oracle leaves out",
    ),
    ("data__class_not_classname.xml", "the class stands in `class`, which the oracle leaves out"),
    (
        "xunit-viewer/data__test.xml",
        "a test in a suite in a test counts; the oracle stops at the case",
    ),
    ("report_template.xml.erb.xml", "a template, not a report: nothing whole is in it"),
    ("trainer__lib__assets__junit.xml.erb.xml", "a template: its code is read as elements"),
    ("reporters__junit.xml.ejs.xml", "a template: its code is read as elements"),
];

/// Suite (where it counts), class and name.
type Names = (String, String, String);

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/junit")
}

/// The files below `fixtures/junit` that are wanted, in order.
pub(crate) fn documents(is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let (mut open, mut found) = (vec![fixtures()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if is_wanted(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn corpus() -> Option<PathBuf> {
    std::env::var_os("FLAKEDB_CORPUS").map(PathBuf::from).filter(|path| path.is_dir())
}

fn options() -> ReadOptions<'static> {
    ReadOptions { now: Some(NOW), ..ReadOptions::default() }
}

fn counts_of(row: &Value) -> Counts {
    let count = |key: &str| row[key].as_u64().unwrap_or(0);
    Counts {
        cases: count("cases"),
        passed: count("passed"),
        failed: count("failed"),
        errored: count("errored"),
        skipped: count("skipped"),
        flaky: count("flaky"),
    }
}

/// What is wrong with the reading of one document, by the oracle's row for it.
fn against_oracle(row: &Value, reading: &Reading) -> Vec<String> {
    let is_junit = row["is_junit"].as_bool().unwrap_or(false);
    if !is_junit {
        let wrong = reading.verdict != Verdict::Reject;
        return wrong
            .then(|| format!("not a report, but {:?}", reading.verdict))
            .into_iter()
            .collect();
    }
    let mut wrong = Vec::new();
    let expected = counts_of(row);
    if reading.report.counts != expected {
        wrong.push(format!("counts {:?}, oracle {expected:?}", reading.report.counts));
    }
    let suite_errors = row["suite_level_errors"].as_u64().unwrap_or(0);
    if reading.report.suite_failures.len() as u64 != suite_errors {
        wrong.push(format!(
            "{} suite failures, oracle {suite_errors}",
            reading.report.suite_failures.len()
        ));
    }
    if row["parse_ok"].as_bool() == Some(true)
        && !matches!(reading.verdict, Verdict::Accept | Verdict::Warn)
    {
        wrong.push(format!("well formed, but {:?} {:?}", reading.verdict, reading.warnings));
    }
    wrong.extend(names_against_oracle(row, reading));
    wrong
}

/// Suite, class, name, outcome and time of every test that the oracle saw once.
fn names_against_oracle(row: &Value, reading: &Reading) -> Vec<String> {
    let report = &reading.report;
    let mut results: HashMap<Names, Vec<usize>> = HashMap::new();
    for (place, result) in report.results.iter().enumerate() {
        let test = report.tests.get(result.test).expect("a test of this report");
        let suite = if test.qualified { "" } else { test.suite };
        let key = (suite.replace('\u{1f}', "/"), test.classname.to_owned(), test.name.to_owned());
        results.entry(key).or_default().push(place);
    }
    let mut seen: HashMap<Names, Vec<(&str, Option<f64>)>> = HashMap::new();
    for case in row["tests"].as_array().into_iter().flatten() {
        let text = |index: usize| case[index].as_str().unwrap_or("");
        let replaced: Vec<String> =
            [0, 1, 2].iter().map(|&i| text(i).replace('\u{fffd}', "")).collect();
        let raw = RawIdentity {
            producer: report.producer,
            suites: &[&replaced[0]],
            classname: &replaced[1],
            name: &replaced[2],
            ..RawIdentity::default()
        };
        let test = identify(&raw);
        if test.name.is_empty() {
            continue;
        }
        let suite = if test.qualified { String::new() } else { test.suite };
        seen.entry((suite, test.classname, test.name))
            .or_default()
            .push((text(3), case[4].as_f64()));
    }
    let mut wrong = Vec::new();
    for (key, cases) in &seen {
        let clean = |text: &str| text.replace('\u{fffd}', "");
        let found = results.iter().find(|(known, _)| {
            *known == key
                || (clean(&known.0) == key.0
                    && clean(&known.1) == key.1
                    && clean(&known.2) == key.2)
        });
        let Some((_, places)) = found else {
            wrong.push(format!("no result for {key:?}"));
            continue;
        };
        let ([place], [(outcome, time)]) = (places.as_slice(), cases.as_slice()) else { continue };
        let result = &report.results[*place];
        let flaky = if result.is_flaky() { "*" } else { "" };
        let got = format!("{}{flaky}", result.outcome.word());
        if got != *outcome {
            wrong.push(format!("{key:?} {got}, oracle {outcome}"));
        }
        let got = result.duration.map(flakedb::model::Micros::as_seconds);
        let same = match (got, time) {
            (Some(got), Some(time)) => (got - time).abs() < 1e-6,
            (None, Some(time)) => *time <= 0.0 || *time > 31_536_000.0,
            (got, None) => got.is_none(),
        };
        if !same && result.attempts.is_empty() {
            wrong.push(format!("{key:?} took {got:?}, oracle {time:?}"));
        }
    }
    if results.len() > seen.len() {
        wrong.push(format!("{} distinct tests, oracle {}", results.len(), seen.len()));
    }
    wrong
}

fn check_oracle(root: &Path, oracle: &Path) {
    let rows = std::fs::read_to_string(oracle).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let file = row["file"].as_str().unwrap();
        let bytes = std::fs::read(root.join(file)).unwrap();
        let reading = read(&bytes, &options());
        check_invariants(&reading);
        count += 1;
        let problems = against_oracle(&row, &reading);
        let excused = DIALECT.iter().any(|(known, _)| file.ends_with(known));
        if excused == problems.is_empty() {
            let note = if excused { "is listed as a dialect, but agrees" } else { "" };
            wrong.push(format!(
                "{file} [{}] {note}\n    {}",
                reading.report.producer,
                problems.join("\n    ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether files of this name are unpacked or judged by `context::input`, not by the reader.
fn is_container(file: &str) -> bool {
    let kinds = [".gz", ".bz2", ".xz", ".zip", "gzip_named_xml.xml"];
    kinds.iter().any(|kind| file.ends_with(kind)) || file.starts_with("filenames/")
}

fn check_hostile(root: &Path) {
    let expect = std::fs::read_to_string(root.join("EXPECT.tsv")).unwrap();
    let mut wrong = Vec::new();
    for line in expect.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, verdict, code, numbers @ ..] = fields.as_slice() else { continue };
        if is_container(file) || file.starts_with("gen_big") || file.starts_with('"') {
            continue;
        }
        let bytes = std::fs::read(root.join(file)).unwrap();
        let reading = read(&bytes, &options());
        check_invariants(&reading);
        let counts = &reading.report.counts;
        let found = [
            counts.cases,
            counts.passed,
            counts.failed,
            counts.errored,
            counts.skipped,
            counts.flaky,
        ];
        let same = numbers.iter().zip(found).all(|(expected, found)| {
            expected.parse().map_or(found == 0, |expected: u64| expected == found)
        });
        let found_code = reading.code().map_or("", |code| code.as_str());
        if reading.verdict.word() != *verdict || found_code != *code || !same {
            wrong.push(format!(
                "{file}: {verdict} {code} {numbers:?}, but {} {found_code} {found:?} {:?}",
                reading.verdict.word(),
                reading.warnings
            ));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What holds for every reading.
fn check_invariants(reading: &Reading) {
    let report = &reading.report;
    let counts = &report.counts;
    assert_eq!(counts.cases, counts.passed + counts.failed + counts.errored + counts.skipped);
    for result in &report.results {
        assert!(report.tests.get(result.test).is_some());
        let places =
            result.attempts.iter().filter_map(|attempt| attempt.failure).chain(result.failure);
        assert!(places.into_iter().all(|place| (place as usize) < report.failures.len()));
        assert!(result.variant.is_none_or(|variant| variant.place() < report.variants.len()));
        assert!(!(result.outcome == Outcome::Passed && result.failure.is_some()));
    }
    assert_eq!(
        reading.verdict == Verdict::Accept,
        reading.code().is_none() && reading.verdict <= Verdict::Warn
    );
}

#[test]
fn fixtures_of_every_producer_are_read_as_the_oracle_says() {
    check_oracle(&fixtures(), &fixtures().join("oracle.jsonl"));
}

#[test]
fn hostile_fixtures_are_judged_as_expected() {
    check_hostile(&fixtures().join("hostile"));
}

#[test]
fn the_whole_corpus_is_read_as_the_oracle_says() {
    if let Some(root) = corpus() {
        check_oracle(&root, &root.join("oracle.jsonl"));
    }
}

#[test]
fn the_whole_hostile_corpus_is_judged_as_expected() {
    if let Some(root) = corpus() {
        check_hostile(&root.join("nasty"));
    }
}
