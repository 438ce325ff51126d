//! One test as Markdown.

use super::super::limits::{FAILURES_SHOWN_MAX, TIMELINE_ROWS_MAX};
use super::super::view::{ShowView, TimelineRow, VariantView};
use super::super::{excerpt, hint, sentence};
use super::document::{Document, code, text};

pub(super) fn write(view: &ShowView, document: &mut Document) {
    document.heading(2, &code(&view.test));
    let mut origin = vec![text(&view.project), text(&view.window.text)];
    origin.extend([&view.file, &view.owners.join(" ")].into_iter().map(|part| code(part)));
    origin.retain(|part| !part.is_empty());
    document.paragraph(&origin.join(" · "));
    if view.variants.is_empty() {
        document.paragraph("It has no results in this window.");
    }
    for variant in &view.variants {
        verdict(variant, document);
        hints(variant, view.false_discovery_rate, document);
    }
    if !view.failures.is_empty() {
        document.heading(3, "Failures that look alike, together");
    }
    for failure in view.failures.iter().take(FAILURES_SHOWN_MAX) {
        let day = failure.last.get(..10).unwrap_or(&failure.last);
        document.paragraph(&format!(
            "{}, last on {day}: {}",
            sentence::count(failure.count, "failure"),
            code(&failure.headline)
        ));
        let lines = excerpt::of(&failure.text, &failure.headline);
        if !lines.is_empty() {
            document.fenced(&lines);
        }
    }
    if let more @ 1.. = view.failures.len().saturating_sub(FAILURES_SHOWN_MAX) {
        let more = sentence::count(more as u64, "rarer failure");
        document.paragraph(&format!("{more} not shown here; the JSON format has all of them."));
    }
}

fn verdict(variant: &VariantView, document: &mut Document) {
    let test = &variant.verdict;
    let sure =
        sentence::certainty(test.certainty).map_or(String::new(), |sure| format!(" ({sure})"));
    let failing = test.failing();
    let variant_name = match test.variant.as_str() {
        "" => String::new(),
        name => format!("{}: ", code(name)),
    };
    document.paragraph(&format!(
        "{variant_name}**{}**{sure}, {} in {} of {}{}. {}",
        sentence::status(test.status),
        failing.word,
        sentence::number(failing.bad.into()),
        sentence::count(failing.of, "run"),
        failing.rate.map(|rate| format!(", {}", sentence::rate(rate))).unwrap_or_default(),
        code(&test.strip),
    ));
    let facts: Vec<String> = test
        .facts
        .iter()
        .map(|fact| text(&fact.sentence))
        .chain(sentence::harm(test.harm))
        .chain(test.next.iter().map(|step| text(&step.sentence)))
        .collect();
    if !facts.is_empty() {
        document.list(&facts);
    }
    let rows: Vec<Vec<String>> =
        variant.timeline.iter().rev().filter(|row| row.is_telling()).map(row).collect();
    let shown = rows.get(..TIMELINE_ROWS_MAX).unwrap_or(&rows);
    document.table(&["Started", "Outcome", "Revision", "Branch", "Build"], shown, "run");
    if let more @ 1.. = rows.len() - shown.len() {
        document.paragraph(&format!("{} not shown.", sentence::count(more as u64, "earlier run")));
    }
}

fn hints(variant: &VariantView, false_discovery_rate: f64, document: &mut Document) {
    let hints = &variant.verdict.hints;
    if hints.is_empty() {
        return;
    }
    document.paragraph(&format!("{}:", hint::caution(hints, false_discovery_rate)));
    document.list(&hints.iter().map(|hint| text(&hint.sentence)).collect::<Vec<_>>());
}

fn row(row: &TimelineRow) -> Vec<String> {
    let outcome = match (row.outage, row.retried) {
        (true, _) => format!("{}, with many others", row.outcome.word()),
        (false, true) => format!("{} on retry", row.outcome.word()),
        (false, false) => row.outcome.word().to_owned(),
    };
    vec![
        row.started.get(..16).unwrap_or(&row.started).replace('T', " "),
        outcome,
        code(&row.revision.as_deref().map(sentence::revision).unwrap_or_default()),
        code(row.branch.as_deref().unwrap_or_default()),
        code(row.build.as_deref().unwrap_or_default()),
    ]
}
