//! flakedb's own reader reads every dialect back to the generated truth.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::junit::{ReadOptions, Reading, read};
use crate::model::{Outcome, Started};
use crate::testkit::generators::{Generate, Source};

fn read_file(file: &File) -> Reading {
    read(file.content.as_bytes(), &ReadOptions::default())
}

/// The results of all files by the test as flakedb prints it.
fn told(readings: &[Reading]) -> BTreeMap<String, (Outcome, bool, usize, Option<u64>)> {
    let mut told = BTreeMap::new();
    for reading in readings {
        for result in &reading.report.results {
            let test = reading.report.tests.get(result.test).expect("a known test").label();
            let attempts = &result.attempts;
            let flaky = result.outcome == Outcome::Passed
                && attempts.iter().any(|attempt| attempt.outcome.is_bad());
            let duration = result.duration.map(|duration| duration.0 / 1000);
            let fresh = told.insert(test, (result.outcome, flaky, attempts.len().max(1), duration));
            assert!(fresh.is_none(), "a test was told twice: {fresh:?}");
        }
    }
    told
}

fn reports(dialect: &'static Dialect) -> Reports {
    Reports::of(dialect).tests(60).modules(4).failed(0.15).errored(0.15).skipped(0.15).retried(0.5)
}

/// Reads the files of a report, and holds what they tell against the truth.
fn assert_reads_back(dialect: &Dialect, report: &Report) {
    let readings: Vec<Reading> = report.files.iter().map(read_file).collect();
    let told = told(&readings);
    let mut shown = 0;
    for truth in &report.truth {
        let Some(expected) = truth.shown else {
            assert!(!told.contains_key(&truth.test), "{}: {}", dialect.name, truth.test);
            continue;
        };
        shown += 1;
        let context = format!("{}: {} {:?}", dialect.name, truth.test, truth.attempts);
        let &(outcome, flaky, attempts, duration) =
            told.get(&truth.test).unwrap_or_else(|| panic!("{context} is not in {told:#?}"));
        assert_eq!(
            (outcome, flaky, attempts),
            (expected.outcome, expected.flaky, expected.attempts),
            "{context}"
        );
        if outcome != Outcome::Skipped {
            assert_eq!(duration, Some(expected.duration_ms), "{context}");
        }
    }
    assert_eq!(told.len(), shown, "{}", dialect.name);
}

#[test]
fn every_dialect_reads_back_to_the_truth() {
    for dialect in DIALECTS {
        for report in reports(dialect).batch(5, &mut Source::seeded(7)) {
            assert_reads_back(dialect, &report);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn reports_of_any_size_and_fate_read_back(
        dialect in prop::sample::select(DIALECTS),
        tests in 0_usize..40,
        modules in 1_usize..6,
        rates in prop::array::uniform4(0.0..1.0),
        seed: u64,
    ) {
        let [failed, errored, skipped, retried] = rates;
        let reports = Reports::of(dialect).tests(tests).modules(modules);
        let reports = reports.failed(failed).errored(errored).skipped(skipped).retried(retried);
        assert_reads_back(dialect, &reports.one(&mut Source::seeded(seed)));
    }
}

#[test]
fn readers_know_who_wrote_it_when_and_where() {
    for dialect in DIALECTS {
        let report = reports(dialect).one(&mut Source::seeded(7));
        for reading in report.files.iter().map(read_file) {
            assert_eq!(reading.report.producer, dialect.producer, "{}", dialect.name);
            let (seconds, millis) = (report.started.0 / 1000 * 1000, report.started.0);
            match (dialect.clock, reading.report.started) {
                (Clock::Utc, Some(Started::At(at))) => {
                    assert!(at.0 == seconds || at.0 == millis, "{}: {at:?}", dialect.name);
                }
                (Clock::Local, Some(Started::Local(at))) => {
                    assert_eq!(
                        at.and_utc().timestamp_millis() / 1000 * 1000,
                        seconds,
                        "{}",
                        dialect.name
                    );
                }
                (Clock::None, None) => {}
                other => panic!("{}: {other:?}", dialect.name),
            }
            let host = &reading.report.host;
            assert!(host.is_empty() || *host == report.host, "{}: {host}", dialect.name);
        }
    }
}

#[test]
fn sound_reports_are_read_without_a_complaint() {
    for dialect in DIALECTS {
        let reports = reports(dialect).retried(0.0);
        for report in reports.batch(3, &mut Source::seeded(11)) {
            for file in &report.files {
                let reading = read_file(file);
                let loud: Vec<_> = reading
                    .warnings
                    .iter()
                    .filter(|warning| warning.code.level() != crate::junit::Level::Note)
                    .collect();
                assert!(loud.is_empty(), "{}: {loud:#?}\n{}", dialect.name, file.content);
            }
        }
    }
}

#[test]
fn reports_are_well_formed_to_a_strict_parser() {
    for dialect in DIALECTS {
        let report = reports(dialect).one(&mut Source::seeded(3));
        for file in &report.files {
            let parsed = roxmltree::Document::parse(&file.content);
            assert!(parsed.is_ok(), "{}: {parsed:?}\n{}", dialect.name, file.content);
        }
    }
}

#[test]
fn failures_carry_their_messages() {
    for dialect in DIALECTS {
        let report = reports(dialect).retried(0.0).one(&mut Source::seeded(5));
        for reading in report.files.iter().map(read_file) {
            for result in &reading.report.results {
                let Some(failure) = result.failure else { continue };
                let test = reading.report.tests.get(result.test).expect("a known test").label();
                let truth = report.truth.iter().find(|truth| truth.test == test).expect("a truth");
                let failure = &reading.report.failures[failure as usize];
                let said = format!("{}\n{}", failure.message, failure.text);
                // CTest puts the words into the output of the test.
                assert!(
                    said.contains(&truth.message) || dialect.name == "ctest",
                    "{}: {said} without {}",
                    dialect.name,
                    truth.message
                );
            }
        }
    }
}

/// Reports as they are usual, and some that are hard to damage.
fn damaged(dialect: &'static Dialect) -> impl Iterator<Item = (Reports, u64)> {
    let reports = Reports::of(dialect);
    let small = (0..4).map({
        let reports = reports.clone();
        move |tests| reports.clone().tests(tests).modules(3).failed(1.0)
    });
    let usual = (0..12).map(move |seed| (reports.clone(), seed));
    usual.chain(small.map(|reports| (reports, 1)))
}

#[test]
fn every_flaw_is_named_by_the_reader() {
    for (dialect, (reports, seed)) in
        DIALECTS.iter().flat_map(|dialect| damaged(dialect).map(move |given| (dialect, given)))
    {
        let mut stream = Source::seeded(seed).item("flaws", 0);
        let flawed = reports.invalid(&mut stream);
        assert_eq!(flawed.len(), FLAWS.len());
        for flawed in flawed {
            let reading = read(&flawed.bytes, &ReadOptions::default());
            let code = reading.code().map(|code| code.as_str());
            assert_eq!(
                (reading.verdict.word(), code),
                (flawed.verdict, flawed.code),
                "{} {}: {:#?}\n{}",
                dialect.name,
                flawed.flaw,
                reading.warnings,
                String::from_utf8_lossy(&flawed.bytes)
            );
            // What flakedb reads without a word must be one that others refuse.
            if flawed.code.is_none() {
                let text = String::from_utf8(flawed.bytes).expect("UTF-8");
                assert!(roxmltree::Document::parse(&text).is_err(), "{}", flawed.flaw);
            }
        }
    }
}

#[test]
fn one_seed_gives_the_same_bytes_and_others_do_not_shift_them() {
    let reports = Reports::of(DIALECTS[0]);
    let three = reports.batch(3, &mut Source::seeded(7));
    assert_eq!(three, reports.batch(3, &mut Source::seeded(7)));
    assert_eq!(three[..1], reports.batch(1, &mut Source::seeded(7)));
    assert_ne!(three, reports.batch(3, &mut Source::seeded(8)));
}

#[test]
fn dialects_write_as_their_runners_do() {
    for dialect in DIALECTS {
        let reports = Reports::of(dialect)
            .tests(5)
            .modules(1)
            .failed(0.2)
            .errored(0.2)
            .skipped(0.2)
            .retried(0.5);
        let report = reports.one(&mut Source::seeded(1));
        insta::with_settings!({ description => dialect.runner, omit_expression => true }, {
            insta::assert_snapshot!(dialect.name, report.files[0].content);
        });
    }
}

/// As in a report of November 2025 with `rerunFailingTestsCount`: jenkinsci/junit-plugin, gh-237.
#[test]
fn surefire_counts_attempts_and_names_no_time_of_those_that_failed() {
    let dialect = Dialect::named("surefire").expect("a dialect");
    let reports = Reports::of(dialect).tests(1).failed(0.0).errored(0.0).skipped(0.0).retried(1.0);
    for report in reports.batch(4, &mut Source::seeded(7)) {
        let document = roxmltree::Document::parse(&report.files[0].content).expect("XML");
        let suite = document.root_element();
        let attempts = report.truth[0].attempts.len();
        assert!(attempts > 1);
        let counts = ["tests", "errors", "skipped", "failures"].map(|name| suite.attribute(name));
        let (tests, failures) = (attempts.to_string(), (attempts - 1).to_string());
        assert_eq!(counts, [Some(&*tests), Some("0"), Some("0"), Some(&*failures)]);
        let names: Vec<&str> =
            suite.attributes().map(|attribute| attribute.name()).skip(1).collect();
        assert_eq!(names, ["version", "name", "time", "tests", "errors", "skipped", "failures"]);
        for failure in suite.descendants().filter(|node| node.has_tag_name("flakyFailure")) {
            let names: Vec<&str> = failure.attributes().map(|given| given.name()).collect();
            assert_eq!(names, ["message", "type"]);
        }
    }
}

#[test]
fn the_variant_of_a_browser_is_told_apart() {
    let dialect = Dialect::named("playwright").expect("a dialect");
    let report = Reports::of(dialect).one(&mut Source::seeded(7));
    let reading = read_file(&report.files[0]);
    let variants: Vec<String> = reading.report.variants.iter().map(ToString::to_string).collect();
    assert_eq!(variants, ["project=chromium"]);
}
