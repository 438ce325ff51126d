//! JSON Lines: one run on each line, described in `docs/IMPORT.md`.
//!
//! A line that begins with `{"type":"meta"` gives the table of tests that the runs behind it may
//! point into. Lines are read many at a time and handed on as they are done, so that memory follows
//! the document and not its runs.

mod line;
mod results;

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::finding::{Code, Finding, Findings};
use super::lenient::text;
use super::shape::Shape;
use super::{Extent, Format, Run, Sink, Source};
use crate::junit::shortened;
use crate::model::{Facts, Report};

use line::{MetaLine, RunLine};
use results::Tests;

pub(super) const FORMAT: Format = Format {
    name: "jsonl",
    summary: "a history as JSON Lines, one run on each line (docs/IMPORT.md)",
    extent: Extent::History,
    file_names: &[".jsonl", ".ndjson"],
    companion: None,
    sniff: looks_like_it,
    reader: read,
};

/// Lines parsed before the next ones are looked for: enough for all cores, and few to remember.
const LINES_AT_ONCE: usize = 1_024;

fn looks_like_it(shape: &Shape) -> bool {
    let lists = ["results", "passed", "skipped"].iter().any(|key| shape.has_list(key));
    shape.says("type", "meta") || (lists && (shape.is_line || shape.says("type", "run")))
}

/// One line, and where it stands.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: u32,
    bytes: &'a [u8],
    /// True where nothing ends the line but the end of the document.
    is_open: bool,
}

/// What the last meta line said.
#[derive(Default)]
struct Meta {
    tests: Tests,
    facts: Facts,
}

/// The lines of a document that are not blank.
fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut rest = bytes;
    let mut number = 0_u32;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            number = number.saturating_add(1);
            let end = memchr::memchr(b'\n', rest);
            let (line, behind) = rest.split_at(end.unwrap_or(rest.len()));
            rest = behind.get(1..).unwrap_or_default();
            let bytes = line.trim_ascii();
            if !bytes.is_empty() {
                return Some(Line { number, bytes, is_open: end.is_none() });
            }
        }
    })
}

fn read(source: &Source<'_>, findings: &mut Findings, sink: Sink<'_>) -> u64 {
    let mut meta = Meta::default();
    let mut lines = lines(source.bytes).peekable();
    let runs = AtomicU64::new(0);
    let mut met = false;
    while let Some(first) = lines.peek().copied() {
        met = true;
        if is_meta(first.bytes) {
            lines.next();
            meta = match read_meta(first) {
                Ok(meta) => meta,
                Err(finding) => {
                    findings.push(finding);
                    Meta::default()
                }
            };
            continue;
        }
        let mut chunk = Vec::new();
        while chunk.len() < LINES_AT_ONCE
            && let Some(line) = lines.next_if(|line| !is_meta(line.bytes))
        {
            chunk.push(line);
        }
        let one = |line: &Line<'_>| {
            let mut found = Vec::new();
            if let Some(run) = read_run(*line, &meta, &mut found) {
                runs.fetch_add(1, Ordering::Relaxed);
                sink(run);
            }
            found
        };
        let found: Vec<Vec<Finding>> = chunk.par_iter().map(one).collect();
        found.into_iter().flatten().for_each(|finding| findings.push(finding));
    }
    let runs = runs.into_inner();
    if source.truncated && !findings.has(Code::Truncated) {
        let message = "the container of the history was cut off; runs at its end are missing, \
                       so read it again once it is whole";
        findings.add(Code::Truncated, 0, 0, message);
    }
    if runs == 0 && met && !findings.is_invalid() {
        let message = "no line is a run; write one for each run of your tests (docs/IMPORT.md)";
        findings.add(Code::NoRuns, 0, 0, message);
    }
    runs
}

/// True for a line whose first key is `type` and whose type is `meta`.
fn is_meta(line: &[u8]) -> bool {
    let after = |line: &'_ [u8], token: &[u8]| -> Option<usize> {
        let blank = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        line.get(blank..)?.starts_with(token).then_some(blank + token.len())
    };
    let tokens: [&[u8]; 4] = [b"{", b"\"type\"", b":", b"\"meta\""];
    let mut rest = line;
    tokens.iter().all(|token| match after(rest, token) {
        Some(length) => {
            rest = rest.get(length..).unwrap_or_default();
            true
        }
        None => false,
    })
}

fn read_meta(line: Line<'_>) -> Result<Meta, Finding> {
    let meta: MetaLine<'_> =
        serde_json::from_slice(line.bytes).map_err(|error| wrong(line, &error))?;
    let facts = Facts {
        project: text(meta.project),
        branch: text(meta.branch),
        variant: meta.variant.map(|variant| variant.0),
        ..Facts::default()
    };
    Ok(Meta { tests: Tests::of(&meta.tests), facts })
}

fn read_run(line: Line<'_>, meta: &Meta, findings: &mut Vec<Finding>) -> Option<Run> {
    let clean = String::from_utf8_lossy(line.bytes);
    if matches!(clean, std::borrow::Cow::Owned(_)) {
        let message = "bytes that are no UTF-8 were replaced by U+FFFD; write UTF-8";
        findings.push(about(line, Code::InvalidUtf8, message));
    }
    let run: RunLine<'_> = match serde_json::from_str(&clean) {
        Ok(run) => run,
        Err(error) => {
            findings.push(wrong(line, &error));
            return None;
        }
    };
    let kind = run.kind.as_ref().and_then(|kind| kind.0.as_deref()).unwrap_or("run");
    let is_run = run.results.is_some() || run.passed.is_some() || run.skipped.is_some();
    let message = match (kind, is_run) {
        ("run", true) => None,
        ("run", false) => Some("is no run: it has neither results nor passed nor skipped".into()),
        ("meta", _) => Some("is a meta line, whose first key must be \"type\"".into()),
        (kind, _) => Some(format!("has the unknown type \"{}\"; write \"run\"", shortened(kind))),
    };
    if let Some(message) = message {
        findings.push(about(line, Code::BadLine, format!("the line {message}")));
        return None;
    }
    let report = results::report(&run, &meta.tests, line.number, findings);
    let (report, hash) = match report {
        Ok(report) => (report, meta.tests.hash(line.bytes, &run)),
        Err(message) => {
            findings.push(about(line, Code::BadLine, message));
            return None;
        }
    };
    if run.started.or(run.ts).is_none() {
        let message = "the run has no `started`, so its place in the file orders it; add the time";
        findings.push(about(line, Code::NoStart, message));
    }
    Some(finished(run, report, hash, line, meta))
}

fn finished(
    run: RunLine<'_>,
    mut report: Report,
    hash: crate::model::ReportHash,
    line: Line<'_>,
    meta: &Meta,
) -> Run {
    report.host = text(run.host).unwrap_or_default();
    let started = run.started.or(run.ts).map(|when| when.0);
    report.started = started;
    let facts = Facts {
        project: text(run.project),
        revision: text(run.revision).or(text(run.commit)),
        branch: text(run.branch),
        lane: run.lane,
        variant: run.variant.map(|variant| variant.0),
        build: text(run.build),
        attempt: run.attempt.filter(|attempt| *attempt > 0),
        job: text(run.job),
        url: text(run.url),
        started: None,
        shard: None,
        seed: None,
    };
    Run { facts: facts.or(meta.facts.clone()), started, place: line.number, hash, report }
}

fn about(line: Line<'_>, code: Code, message: impl Into<String>) -> Finding {
    Finding { code, line: line.number, column: 0, message: message.into() }
}

/// What is wrong with a line that is no JSON, or not what a run is made of.
fn wrong(line: Line<'_>, error: &serde_json::Error) -> Finding {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let said = error.to_string();
    let said = shortened(said.strip_suffix(&place).unwrap_or(&said));
    let said = if error.is_syntax() { format!("no JSON ({said})") } else { said };
    let before = line.bytes.get(..error.column().saturating_sub(1)).unwrap_or(line.bytes);
    let column = String::from_utf8_lossy(before).chars().count() + 1;
    let (code, message) = if error.is_eof() && line.is_open {
        let message = "the last line was cut off, so its run was left out; read the file again \
                       once it is whole";
        (Code::Truncated, message.to_owned())
    } else {
        (Code::BadLine, format!("{said}; the run was left out, mend the line and read it again"))
    };
    Finding { code, line: line.number, column: u32::try_from(column).unwrap_or(0), message }
}

#[cfg(test)]
mod tests;
