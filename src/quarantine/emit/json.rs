//! JSON: everything that is known of each entry, for scripts.

use serde::Serialize;

use super::request::Request;
use super::{EmitEntry, Emitted, Format};
use crate::model::Timestamp;
use crate::model::tests::SUITE_SEPARATOR;

pub(super) const FORMAT: Format = Format {
    name: "json",
    aliases: &[],
    summary: "every entry with all that is known of it",
    usage: "flakedb quarantine --emit json | jq '.entries[].test'",
    producers: &[],
    emit,
    only: None,
};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    entries: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    test: &'a str,
    suites: Vec<&'a str>,
    classname: &'a str,
    name: &'a str,
    file: Option<&'a str>,
    variant: Option<&'a str>,
    owner: Option<&'a str>,
    reason: &'a str,
    since: Option<String>,
    expires: Option<String>,
}

impl<'a> Line<'a> {
    fn new(entry: &'a EmitEntry) -> Self {
        let some = |text: &'a str| (!text.is_empty()).then_some(text);
        let suites = entry.test.suite.split(SUITE_SEPARATOR).filter(|name| !name.is_empty());
        Self {
            test: &entry.test.label,
            suites: suites.collect(),
            classname: &entry.test.classname,
            name: &entry.test.name,
            file: some(&entry.test.file),
            variant: some(&entry.variant),
            owner: entry.owner.as_deref(),
            reason: &entry.reason,
            since: entry.since.map(Timestamp::to_rfc3339),
            expires: entry.expires.map(Timestamp::to_rfc3339),
        }
    }
}

fn emit(request: &Request<'_>) -> Emitted {
    let entries = request.entries.iter().map(|entry| Line::new(entry)).collect();
    let document = Document { schema: "flakedb.quarantine-list.v1", entries };
    match serde_json::to_string_pretty(&document) {
        Ok(text) => Emitted { text: text + "\n", notes: Vec::new() },
        // Strings and options always serialise; if that ever changes, say so instead of lying.
        Err(error) => Emitted { text: String::new(), notes: vec![error.to_string()] },
    }
}
