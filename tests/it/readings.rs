//! Everything that the reader says of every fixture, as recorded: no change of it goes unseen.
//!
//! `FLAKEDB_REWRITE_DOCS=1 cargo test readings` records anew; the difference is then there to read.

use std::fmt::Write as _;
use std::path::Path;

use flakedb::junit::{ReadOptions, Reading, read};
use flakedb::model::{Attempt, Micros, Report, ReportHash, TestResult};

use crate::corpus::{NOW, documents, fixtures};

const REWRITE: &str = "FLAKEDB_REWRITE_DOCS";
/// Results, and properties, of a document that are written out; of the others there is a hash.
const LISTED_MAX: usize = 12;
/// Bytes of a text that are written out.
const TEXT_BYTES_MAX: usize = 60;

fn is_document(path: &Path) -> bool {
    let is_note = path.extension().is_none_or(|end| end == "tsv" || end == "jsonl");
    !is_note && path.file_name() != Some("readings.txt".as_ref())
}

/// A text in quotes; of a long one the beginning, its length and its hash.
fn quoted(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(TEXT_BYTES_MAX / 2).collect();
    format!("{head:?}…{}#{}", text.len(), hash(text))
}

fn hash(text: &str) -> String {
    ReportHash::of(text.as_bytes()).to_string().chars().take(8).collect()
}

fn took(duration: Option<Micros>) -> String {
    duration.map_or_else(|| "-".to_owned(), |Micros(micros)| format!("{micros}us"))
}

fn failure(report: &Report, place: Option<u32>) -> String {
    let Some(place) = place else { return String::new() };
    let failure = &report.failures[place as usize];
    let [kind, message, text] = [&failure.kind, &failure.message, &failure.text].map(|t| quoted(t));
    format!(" failure {kind} {message} {text}")
}

fn result(report: &Report, place: usize, result: &TestResult) -> String {
    let test = report.tests.get(result.test).unwrap();
    let TestResult { outcome, repeat, duration, .. } = result;
    let variant =
        result.variant.map_or_else(String::new, |variant| format!(" [{}]", variant.place()));
    let worker =
        report.workers.of(place).map_or_else(String::new, |name| format!(" worker {name:?}"));
    let [suite, class, name, file] = [test.suite, test.classname, test.name, test.file].map(quoted);
    let qualified = if test.qualified { "" } else { " unqualified" };
    let mut out = format!(
        "  {} {repeat:?} {}{variant}{worker} {class} {name} suite {suite} file {file}{qualified}{}\n",
        outcome.word(),
        took(*duration),
        failure(report, result.failure),
    );
    for Attempt { outcome, duration, failure: place } in &result.attempts {
        let (took, failure) = (took(*duration), failure(report, *place));
        writeln!(out, "    attempt {} {took}{failure}", outcome.word()).unwrap();
    }
    out
}

/// All that was read of one document.
fn recorded(file: &str, reading: &Reading) -> String {
    let Reading { report, warnings, warnings_dropped, verdict } = reading;
    let counts = &report.counts;
    let mut out = format!("{file}\n {} by {}", verdict.word(), report.producer);
    for (word, text) in [
        ("name", &report.name),
        ("host", &report.host),
        ("shard", &report.shard),
        ("seed", &report.seed),
    ] {
        if !text.is_empty() {
            write!(out, " {word} {}", quoted(text)).unwrap();
        }
    }
    let numbers = [counts.cases, counts.passed, counts.failed, counts.errored, counts.skipped];
    let whole = if report.complete { "" } else { " incomplete" };
    writeln!(out, " started {:?}{whole}", report.started).unwrap();
    writeln!(out, " counts {numbers:?} flaky {} nameless {}", counts.flaky, report.nameless)
        .unwrap();
    for variant in &report.variants {
        writeln!(out, " variant {variant}").unwrap();
    }
    let property = |(name, value): &(String, String)| {
        format!(" property {} {}\n", quoted(name), quoted(value))
    };
    out += &listed(report.properties.iter().map(property).collect());
    for one in warnings {
        let (line, column) = (one.line, one.column);
        let path = quoted(&one.path);
        writeln!(out, " {} {line}:{column} +{} {path} {}", one.code, one.offset, one.message)
            .unwrap();
    }
    if *warnings_dropped > 0 {
        writeln!(out, " and {warnings_dropped} more").unwrap();
    }
    for suite in &report.suite_failures {
        let failure = failure(report, Some(suite.failure));
        writeln!(out, " suite {}{failure}", quoted(&suite.suite)).unwrap();
    }
    let results = report.results.iter().enumerate();
    out += &listed(results.map(|(place, one)| result(report, place, one)).collect());
    out
}

/// The first lines, and a hash of the others.
fn listed(mut lines: Vec<String>) -> String {
    let rest = lines.split_off(lines.len().min(LISTED_MAX));
    let more = || format!("  and {} more #{}\n", rest.len(), hash(&rest.concat()));
    lines.extend((!rest.is_empty()).then(more));
    lines.concat()
}

#[test]
fn every_fixture_reads_as_recorded() {
    let mut now = String::from("Written by `FLAKEDB_REWRITE_DOCS=1 cargo test readings`.\n");
    for path in documents(is_document) {
        let name = path.strip_prefix(fixtures()).unwrap().to_string_lossy().replace('\\', "/");
        let options =
            ReadOptions { now: Some(NOW), source_path: Some(&name), ..ReadOptions::default() };
        let reading = read(&std::fs::read(&path).unwrap(), &options);
        now += "\n";
        now += &recorded(&name, &reading);
    }
    let record = fixtures().join("readings.txt");
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&record, &now).unwrap();
    }
    let before = std::fs::read_to_string(&record).unwrap();
    for (one, other) in before.split("\n\n").zip(now.split("\n\n")) {
        assert_eq!(one, other);
    }
    assert_eq!(before.len(), now.len());
}
