//! The journal.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Call, Problem};
use crate::testkit::mock_server::journal::{Answer as Source, Entry};
use crate::testkit::mock_server::models::Name;
use crate::testkit::nearest;

/// By what the journal can be filtered.
pub(super) const FILTERS: [&str; 8] =
    ["path", "method", "model", "matched", "answer", "status", "after", "limit"];

/// What a listing shows.
struct Filter {
    path: Option<String>,
    method: Option<String>,
    model: Option<String>,
    matched: Option<bool>,
    answer: Option<&'static str>,
    status: Option<u64>,
    /// Only entries with a higher index.
    after: Option<u64>,
    /// Only so many, the first of them.
    limit: Option<u64>,
}

impl Filter {
    fn read(call: &Call<'_>) -> Result<Self, Problem> {
        let number = |name: &str| match call.query(name) {
            None => Ok(None),
            Some(text) => text
                .parse::<u64>()
                .map(Some)
                .map_err(|_| Problem::wrong(format!("?{name}={text}: {name} is a whole number"))),
        };
        Ok(Self {
            path: call.query("path"),
            method: call.query("method"),
            model: call.query("model"),
            matched: call.flag("matched")?,
            answer: call.query("answer").map(|answer| read_answer(&answer)).transpose()?,
            status: number("status")?,
            after: number("after")?,
            limit: number("limit")?,
        })
    }

    fn shows(&self, entry: &Entry) -> bool {
        let exchange = &entry.exchange;
        self.path.as_ref().is_none_or(|path| match path.strip_suffix('*') {
            Some(start) => exchange.path.starts_with(start),
            None => *path == exchange.path,
        }) && self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(&exchange.method))
            && self
                .model
                .as_ref()
                .is_none_or(|own| entry.model().is_some_and(|model| same(own, &model)))
            && self.matched.is_none_or(|matched| matched == entry.matched.is_some())
            && self.answer.is_none_or(|own| own == entry.decision.answer.name())
            && self.status.is_none_or(|own| entry.status.map(u64::from) == Some(own))
            && self.after.is_none_or(|after| entry.index > after)
    }
}

fn read_answer(answer: &str) -> Result<&'static str, Problem> {
    let known = Source::ALL.map(Source::name);
    known.into_iter().find(|name| *name == answer).ok_or_else(|| {
        let hint = nearest::hint(answer, known);
        let known = known.join(", ");
        Problem::wrong(format!(
            "?answer={answer}: there is no such answer{hint}; known are {known}"
        ))
    })
}

/// Whether two names are of one model: `llama3.2` is `llama3.2:latest`.
fn same(one: &str, other: &str) -> bool {
    match (Name::parse(one), Name::parse(other)) {
        (Ok(one), Ok(other)) => one.key() == other.key(),
        _ => one == other,
    }
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let filter = Filter::read(call)?;
    let (entries, dropped) = read(call);
    let limit = filter.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let shown: Vec<Value> = entries
        .iter()
        .filter(|entry| filter.shows(entry))
        .take(limit)
        .map(|entry| entry.to_json())
        .collect();
    Answer::ok(json!({ "requests": shown, "dropped": dropped }))
}

/// The entries and how many were dropped; they are shown after the lock is released.
fn read(call: &Call<'_>) -> (Vec<Arc<Entry>>, u64) {
    let state = call.namespace.state();
    (state.journal.snapshot(), state.journal.dropped())
}

pub(super) fn show(call: &Call<'_>) -> Result<Answer, Problem> {
    let (entries, _) = read(call);
    let index = call.parameter.parse::<u64>().ok();
    match entries.iter().find(|entry| Some(entry.index) == index) {
        Some(entry) => Answer::ok(entry.to_json()),
        None => Err(Problem::missing(match (entries.first(), entries.last()) {
            (Some(first), Some(last)) => format!(
                "there is no request {:?}; there are {} to {}",
                call.parameter, first.index, last.index
            ),
            _ => format!("there is no request {:?}; the journal is empty", call.parameter),
        })),
    }
}

pub(super) fn clear(call: &Call<'_>) -> Result<Answer, Problem> {
    call.namespace.state().journal.clear();
    Answer::ok(json!({ "requests": [], "dropped": 0 }))
}

/// The notes of all requests, those of one code and place together.
pub(super) fn audit(call: &Call<'_>) -> Result<Answer, Problem> {
    let (entries, _) = read(call);
    let mut notes: Vec<(Value, Vec<u64>)> = Vec::new();
    for entry in &entries {
        for note in entry.notes() {
            let shown = json!(note);
            match notes.iter_mut().find(|(known, _)| *known == shown) {
                Some((_, requests)) => requests.push(entry.index),
                None => notes.push((shown, vec![entry.index])),
            }
        }
    }
    let shown: Vec<Value> = notes
        .into_iter()
        .map(|(mut note, requests)| {
            note["requests"] = json!(requests);
            note
        })
        .collect();
    Answer::ok(json!({ "notes": shown }))
}
