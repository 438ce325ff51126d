//! The report of pytest-json-report: one run of pytest as JSON.
//!
//! Outcomes, names and messages become those of pytest's own JUnit XML.

use serde_json::Value;

use super::draft::Draft;
use super::finding::{Code, Findings};
use super::lenient::{seconds, unix};
use super::name::{PYTEST, identify_node_id};
use super::tree::{at, list, number, parse, text};
use super::{Extent, Format, Run, Sink, Source};
use crate::junit::collector::Execution;
use crate::model::{Facts, Failure, Micros, Outcome, ReportHash, Started};

pub(super) const FORMAT: Format = Format {
    name: "pytest-json",
    summary: "a report of pytest-json-report",
    extent: Extent::Report,
    file_names: &[".report.json"],
    companion: None,
    sniff: |shape| {
        shape.has("created") && (shape.has_list("tests") || shape.has_list("collectors"))
    },
    reader: read,
};

/// The stages of one test, in the order in which they run.
const STAGES: [&str; 3] = ["setup", "call", "teardown"];

fn read(source: &Source<'_>, findings: &mut Findings, sink: Sink<'_>) -> u64 {
    let (document, is_whole) = parse(source.bytes, source.truncated, findings);
    let some = ["tests", "collectors"].iter().any(|key| !list(&document, key).is_empty());
    let is_report = document.get("created").is_some_and(Value::is_number)
        && (document.get("tests").is_some_and(Value::is_array) || some);
    if !is_report || !(is_whole || some) {
        if !findings.has(Code::Truncated) && !is_report {
            let message = "there is no list `tests` with a time `created`, so this is no report of \
                           pytest-json-report; leave out `--json-report-summary` where it is written";
            findings.add(Code::WrongFormat, 1, 1, message);
        }
        return 0;
    }
    let mut draft = Draft::new(PYTEST, 0);
    for collector in list(&document, "collectors") {
        let outcome = text(collector, "outcome").and_then(|word| outcome(&word));
        // What cannot be imported fails as a test of its own.
        let (outcome, message) = match outcome {
            Some(Outcome::Failed | Outcome::Errored) => (Outcome::Errored, "collection failure"),
            Some(Outcome::Skipped) => (Outcome::Skipped, "collection skipped"),
            Some(Outcome::Passed) | None => continue,
        };
        let node_id = text(collector, "nodeid").unwrap_or_default();
        let text = text(collector, "longrepr").unwrap_or_default();
        let failure = Failure { kind: String::new(), message: message.to_owned(), text };
        let execution = Execution { outcome, duration: None, failure: Some(failure) };
        draft.add(&identify_node_id(&node_id).identity(), None, vec![execution]);
    }
    for test in list(&document, "tests") {
        let node_id = text(test, "nodeid").unwrap_or_default();
        match executions(test) {
            Some(executions) => draft.add(&identify_node_id(&node_id).identity(), None, executions),
            None => {
                let message = format!("`{node_id}` has no outcome of pytest and was left out");
                findings.add(Code::BadResult, 0, 0, message);
            }
        }
    }
    let mut found = Vec::new();
    let mut report = draft.finish(&mut found);
    found.into_iter().for_each(|finding| findings.push(finding));
    report.complete = is_whole;
    // It was created when all was over.
    let took = number(&document, "duration").unwrap_or(0.0);
    let started = number(&document, "created").and_then(|created| unix(created - took));
    report.started = started.map(Started::At);
    let hash = ReportHash::of(source.bytes);
    sink(Run { facts: Facts::default(), started: report.started, place: 0, hash, report });
    1
}

/// What JUnit XML makes of an outcome of pytest.
pub(super) fn outcome(word: &str) -> Option<Outcome> {
    match word.to_ascii_lowercase().as_str() {
        "passed" | "xpassed" => Some(Outcome::Passed),
        "failed" => Some(Outcome::Failed),
        "error" => Some(Outcome::Errored),
        "skipped" | "xfailed" => Some(Outcome::Skipped),
        _ => None,
    }
}

fn executions(test: &Value) -> Option<Vec<Execution>> {
    let word = text(test, "outcome")?;
    let duration = duration(test);
    let failure = failure(test);
    let last = |outcome| Execution { outcome, duration, failure: failure.clone() };
    match (word.as_str(), outcome(&word)) {
        // It was run again; only the stages of the last attempt are there.
        ("rerun", _) => {
            let failed = Execution { outcome: Outcome::Failed, duration: None, failure: None };
            Some(vec![failed, last(of_stages(test))])
        }
        // A failed call is a failure, whatever its teardown adds to it.
        (_, Some(Outcome::Errored)) if stage_failed(test, "call") => {
            Some(vec![last(Outcome::Failed)])
        }
        (_, Some(outcome)) => Some(vec![last(outcome)]),
        (_, None) => None,
    }
}

fn stage_failed(test: &Value, stage: &str) -> bool {
    at(test, &[stage]).and_then(|stage| text(stage, "outcome")).as_deref() == Some("failed")
}

fn of_stages(test: &Value) -> Outcome {
    let skipped = STAGES.iter().any(|stage| {
        at(test, &[stage]).and_then(|stage| text(stage, "outcome")).as_deref() == Some("skipped")
    });
    match (stage_failed(test, "call"), stage_failed(test, "setup"), skipped) {
        (true, _, _) => Outcome::Failed,
        (false, true, _) => Outcome::Errored,
        (false, false, _) if stage_failed(test, "teardown") => Outcome::Errored,
        (false, false, true) => Outcome::Skipped,
        (false, false, false) => Outcome::Passed,
    }
}

fn duration(test: &Value) -> Option<Micros> {
    let stages = STAGES.iter().filter_map(|stage| number(at(test, &[stage])?, "duration"));
    let mut stages = stages.peekable();
    stages.peek()?;
    seconds(stages.sum()).ok()
}

/// The first stage that failed, in the words of JUnit XML.
fn failure(test: &Value) -> Option<Failure> {
    let name = STAGES.iter().find(|stage| stage_failed(test, stage))?;
    let stage = at(test, &[name])?;
    let longrepr = text(stage, "longrepr").unwrap_or_default();
    let crash = at(stage, &["crash"]).and_then(|crash| text(crash, "message"));
    let reason = crash.unwrap_or_else(|| longrepr.clone());
    let message = match *name {
        "call" => reason,
        stage => format!("failed on {stage} with \"{reason}\""),
    };
    Some(Failure { kind: String::new(), message, text: longrepr })
}
