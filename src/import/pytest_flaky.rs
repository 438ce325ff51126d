//! `.pytest_flaky_history.json`: the last few outcomes of each test, without the runs they were in.
//!
//! The outcomes are aligned at their end: the last ones of all tests are taken for one run, those
//! before them for the run before, an hour earlier. Nothing in the file says more.

use chrono::TimeDelta;
use serde_json::Value;

use super::draft::{Draft, bare};
use super::finding::{Code, Findings};
use super::lenient;
use super::name::{PYTEST, UNKNOWN, identify_text, is_node_id};
use super::pytest_json;
use super::shape::Shape;
use super::tree::{parse, text};
use super::{Extent, Format, Run, Sink, Source};
use crate::model::limits::SYNTHETIC_RUNS_MAX;
use crate::model::{Facts, Outcome, ReportHash, Started, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "pytest-flaky-history",
    summary: "a .pytest_flaky_history.json: the last outcomes of each test",
    extent: Extent::History,
    file_names: &[".pytest_flaky_history.json"],
    companion: None,
    sniff: looks_like_it,
    reader: read,
};

/// The time between two of the runs that are made up.
const SPACING_HOURS: i64 = 1;
/// Keys under which tools of this family keep outcomes.
const LISTS: [&str; 4] = ["outcomes", "results", "history", "runs"];
/// Keys under which an outcome that is an object has its word.
const WORDS: [&str; 3] = ["outcome", "status", "result"];

fn looks_like_it(shape: &Shape) -> bool {
    shape.has_object("test_results") || shape.any_key(is_node_id)
}

fn read(source: &Source<'_>, findings: &mut Findings, sink: Sink<'_>) -> u64 {
    let (document, _) = parse(source.bytes, source.truncated, findings);
    let classic = document.get("test_results");
    let mut outcomes: Vec<(&str, Vec<Outcome>)> = Vec::new();
    for (name, value) in classic.unwrap_or(&document).as_object().into_iter().flatten() {
        match listed(value) {
            // Beside the tests of the other tools stand dates and settings.
            _ if classic.is_none() && !is_node_id(name) => {}
            Some(Ok(listed)) if !listed.is_empty() => outcomes.push((name, listed)),
            Some(Ok(_)) => {}
            Some(Err(())) | None => not_understood(name, findings),
        }
    }
    let runs = outcomes.iter().map(|(_, outcomes)| outcomes.len()).max().unwrap_or(0);
    if runs == 0 {
        if !findings.is_invalid() {
            let message = "there is no test with outcomes; expected is {\"test_results\": \
                           {\"tests/test_a.py::test_b\": [\"passed\", \"failed\"]}}";
            findings.add(Code::WrongFormat, 1, 1, message);
        }
        return 0;
    }
    let kept = runs.min(SYNTHETIC_RUNS_MAX);
    let newest = last_updated(&document);
    for back in (0..kept).rev() {
        let run = made_up(&outcomes, back, kept, newest, source, findings);
        sink(run);
    }
    let since = if newest.is_some() { "`last_updated`" } else { "the file was written" };
    let message = format!(
        "the history of pytest has no runs: the last outcomes of all tests were taken for one run, \
         those before them for the run before, {kept} in all, {SPACING_HOURS} h apart until {since}; \
         revision and branch are unknown, so only retries and rates count"
    );
    findings.add(Code::MadeUp, 0, 0, message);
    kept as u64
}

fn not_understood(name: &str, findings: &mut Findings) {
    let message = format!(
        "`{}` has no list of outcomes that is understood and was left out; write [\"passed\", \
         \"failed\"], the newest last",
        crate::junit::shortened(name)
    );
    findings.add(Code::BadResult, 0, 0, message);
}

/// The outcomes of one test, the newest last; `None` where there is no list.
fn listed(value: &Value) -> Option<Result<Vec<Outcome>, ()>> {
    let list = match value {
        Value::Array(list) => list,
        Value::Object(entry) => LISTS.iter().find_map(|key| entry.get(*key)?.as_array())?,
        _ => return None,
    };
    Some(list.iter().map(|outcome| one(outcome).ok_or(())).collect())
}

fn one(value: &Value) -> Option<Outcome> {
    match value {
        Value::String(word) => pytest_json::outcome(word).or_else(|| lenient::outcome(word)),
        // Only `true` can be told: a number may count failures or passes.
        Value::Bool(passed) => Some(if *passed { Outcome::Passed } else { Outcome::Failed }),
        Value::Object(entry) => WORDS
            .iter()
            .find_map(|key| entry.get(*key))
            .or_else(|| entry.get("passed"))
            .filter(|value| !value.is_object())
            .and_then(one),
        Value::Null | Value::Number(_) | Value::Array(_) => None,
    }
}

fn last_updated(document: &Value) -> Option<Started> {
    let stated = document.get("last_updated")?;
    match stated {
        Value::Number(number) => lenient::unix(number.as_f64()?).map(Started::At),
        _ => crate::junit::collector::moment(&text(document, "last_updated")?),
    }
}

/// The run that lies `back` runs before the newest.
fn made_up(
    outcomes: &[(&str, Vec<Outcome>)],
    back: usize,
    runs: usize,
    newest: Option<Started>,
    source: &Source<'_>,
    findings: &mut Findings,
) -> Run {
    let is_pytest = outcomes.iter().all(|(name, _)| is_node_id(name));
    let mut draft = Draft::new(if is_pytest { PYTEST } else { UNKNOWN }, 0);
    for (name, outcomes) in outcomes {
        let place = outcomes.len().checked_sub(back + 1);
        let Some(outcome) = place.and_then(|place| outcomes.get(place)) else { continue };
        draft.add(&identify_text(name).identity(), None, vec![bare(*outcome)]);
    }
    let mut found = Vec::new();
    let mut report = draft.finish(&mut found);
    found.into_iter().for_each(|finding| findings.push(finding));
    let hours = SPACING_HOURS.saturating_mul(i64::try_from(back).unwrap_or(i64::MAX));
    let started = newest.map(|newest| match newest {
        Started::At(time) => Started::At(Timestamp(time.0.saturating_sub(hours * 3_600_000))),
        Started::Local(time) => {
            let earlier = TimeDelta::try_hours(hours).and_then(|by| time.checked_sub_signed(by));
            Started::Local(earlier.unwrap_or(time))
        }
    });
    report.started = started;
    // Runs may be alike, so each is what it is by its place in this very document.
    let hash = ReportHash::of(&[source.bytes, &back.to_le_bytes()].concat());
    let place = u32::try_from(runs - back).unwrap_or(u32::MAX);
    Run { facts: Facts::default(), started, place, hash, report }
}
