//! One test as Markdown.

use super::super::limits::{
    BREAKAGES_SHOWN_MAX, DIFFERENCE_LINES_MAX, FAILURE_LINE_CHARS_MAX, FAILURES_SHOWN_MAX,
    LIST_EVENTS_SHOWN_MAX, STATUS_CHANGES_MAX, TIMELINE_ROWS_MAX,
};
use super::super::timeline::{by_revision, outcome, telling};
use super::super::view::{FailureView, ShowView, TimelineRow, VariantView};
use super::super::{course, differing, excerpt, hint, listed, phrase, sentence, strip};
use super::document::{Document, code, link, text};

/// Marks of a strip: about a line of a comment; of longer ones the recent runs keep a mark each.
const STRIP_MARKS_MAX: usize = 100;

pub(super) fn write(view: &ShowView, document: &mut Document) {
    document.heading(2, &code(&view.test));
    let mut origin = vec![text(&view.project), text(&view.window.text)];
    origin.extend([&view.file, &view.owners.join(" ")].into_iter().map(|part| code(part)));
    origin.retain(|part| !part.is_empty());
    document.paragraph(&origin.join(" · "));
    if view.variants.is_empty() {
        document.paragraph("It has no results in this window.");
    }
    if view.variants.len() > 1 {
        variants(&view.variants, document);
    }
    for variant in &view.variants {
        verdict(variant, document);
        changes(variant, document);
        breakages(variant, document);
        timeline(&variant.timeline, document);
        hints(variant, view.false_discovery_rate, document);
    }
    failures(view, document);
    quarantine(view, document);
}

/// The variants side by side.
fn variants(variants: &[VariantView], document: &mut Document) {
    let row = |variant: &VariantView| {
        let test = &variant.verdict;
        let failing = test.failing();
        vec![
            code(&test.variant),
            sentence::status(test.status).to_owned(),
            format!(
                "{} of {}",
                sentence::number(failing.bad.into()),
                sentence::count(failing.of, "run")
            ),
            failing.rate.map(sentence::rate).unwrap_or_default(),
            test.last_failure.as_deref().map_or("never", phrase::day).to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = variants.iter().map(row).collect();
    document.table(&["Variant", "Verdict", "Failed", "Rate", "Last failure"], &rows, "variant");
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
    let strip = match test.strip.as_str() {
        "" => String::new(),
        strip => format!(" {}", code(&strip::folded(strip, STRIP_MARKS_MAX))),
    };
    document.paragraph(&format!(
        "{variant_name}**{}**{sure}, {}{}.{}",
        sentence::status(test.status),
        phrase::failed_runs(test),
        failing.rate.map(|rate| format!(", {}", sentence::rate(rate))).unwrap_or_default(),
        strip,
    ));
    let facts: Vec<String> = test
        .facts
        .iter()
        .map(|fact| text(&fact.sentence))
        .chain(sentence::harm(test.harm))
        .chain(course::retries(&variant.trail.retries))
        .chain(test.next.iter().map(|step| text(&step.sentence)))
        .collect();
    if !facts.is_empty() {
        document.list(&facts);
    }
}

/// The changes of the verdict, latest first, as a short table.
fn changes(variant: &VariantView, document: &mut Document) {
    let changes = &variant.trail.changes;
    let row = |change: &crate::report::view::StatusChange| {
        vec![
            phrase::minute(&change.started),
            code(&change.revision.as_deref().map(sentence::revision).unwrap_or_default()),
            change.from.replace('-', " "),
            change.to.replace('-', " "),
            sentence::percent(change.flaky),
            sentence::percent(change.broken),
        ]
    };
    let rows: Vec<Vec<String>> = changes.iter().rev().take(STATUS_CHANGES_MAX).map(row).collect();
    let titles = ["After the run of", "Revision", "Was", "Became", "P(flaky)", "P(broken)"];
    document.table(&titles, &rows, "change");
    not_shown(changes.len().saturating_sub(rows.len()), "earlier change", document);
}

fn breakages(variant: &VariantView, document: &mut Document) {
    let all = &variant.trail.breakages;
    let shown = all.iter().rev().take(BREAKAGES_SHOWN_MAX);
    let lines: Vec<String> = shown
        .map(|breakage| {
            let commands = course::commands(breakage).into_iter();
            let commands: Vec<String> =
                commands.map(|(command, use_)| format!("{} ({use_})", code(&command))).collect();
            let colon = if commands.is_empty() { "" } else { ": " };
            format!("{}{colon}{}", text(&course::breakage(breakage)), commands.join(", "))
        })
        .collect();
    if !lines.is_empty() {
        document.list(&lines);
    }
    not_shown(all.len().saturating_sub(lines.len()), "earlier breakage", document);
}

fn timeline(rows: &[TimelineRow], document: &mut Document) {
    let telling = telling(rows);
    let revisions = by_revision(rows);
    if telling.len() > TIMELINE_ROWS_MAX && revisions.len() < telling.len() {
        let row = |row: &super::super::timeline::RevisionRow<'_>| {
            vec![
                phrase::minute(&row.latest.started),
                revision(row.latest),
                sentence::number(row.runs.into()),
                sentence::number(row.failed.into()),
                sentence::number(row.retried.into()),
                build(row.latest),
            ]
        };
        let cells: Vec<Vec<String>> = revisions.iter().take(TIMELINE_ROWS_MAX).map(row).collect();
        let titles = ["Last failed", "Revision", "Runs", "Failed", "On retry", "Build"];
        document.table(&titles, &cells, "revision");
        return not_shown(
            revisions.len().saturating_sub(cells.len()),
            "earlier revision",
            document,
        );
    }
    let row = |row: &&TimelineRow| {
        vec![
            phrase::minute(&row.started),
            outcome(row),
            revision(row),
            code(row.branch.as_deref().unwrap_or_default()),
            build(row),
        ]
    };
    let cells: Vec<Vec<String>> = telling.iter().take(TIMELINE_ROWS_MAX).map(row).collect();
    document.table(&["Started", "Outcome", "Revision", "Branch", "Build"], &cells, "run");
    not_shown(telling.len().saturating_sub(cells.len()), "earlier run", document);
}

fn revision(row: &TimelineRow) -> String {
    code(&row.revision.as_deref().map(sentence::revision).unwrap_or_default())
}

/// The build, which leads to its log where that is on the web.
fn build(row: &TimelineRow) -> String {
    let name = row.build.as_deref().or(row.url.as_ref().map(|_| "log"));
    link(&code(name.unwrap_or_default()), row.url.as_deref())
}

fn not_shown(count: usize, noun: &str, document: &mut Document) {
    if count > 0 {
        document.paragraph(&format!("{} not shown.", sentence::count(count as u64, noun)));
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

fn failures(view: &ShowView, document: &mut Document) {
    if view.failures.is_empty() {
        return;
    }
    document.heading(3, "Failures that look alike, together");
    let most = if view.full { view.failures.len() } else { FAILURES_SHOWN_MAX };
    for one in view.failures.iter().take(most) {
        failure(one, view.full, document);
    }
    not_shown(view.failures.len().saturating_sub(most), "rarer failure", document);
}

fn failure(failure: &FailureView, full: bool, document: &mut Document) {
    let variants = differing::variants(failure).map(|variants| format!(", {}", text(&variants)));
    document.paragraph(&format!(
        "{}{}: {}",
        differing::when(failure),
        variants.unwrap_or_default(),
        code(&failure.headline)
    ));
    let lines = match full {
        true => excerpt::whole(&failure.text, &failure.headline),
        false => excerpt::of(&failure.text, &failure.headline),
    };
    if !lines.is_empty() {
        document.fenced(&lines);
    }
    let Some(difference) = &failure.difference else { return };
    document.paragraph(&differing::title(failure, difference));
    let most = if full { difference.lines.len() } else { DIFFERENCE_LINES_MAX };
    let shown = difference.lines.iter().take(most);
    let mut lines: Vec<String> =
        shown.map(|line| differing::line(line, FAILURE_LINE_CHARS_MAX)).collect();
    let more = difference.lines.len().saturating_sub(most);
    if more > 0 {
        lines.push(format!("[{} not shown]", sentence::count(more as u64, "more line")));
    }
    if !lines.is_empty() {
        document.fenced(&lines);
    }
}

fn quarantine(view: &ShowView, document: &mut Document) {
    let recommendations = listed::recommendations(view);
    if recommendations.is_empty() {
        return;
    }
    document.heading(3, "Quarantine");
    let said = view.listed.as_ref().map(listed::now).unwrap_or_default();
    let events = view.listed.as_ref().map_or(&[][..], |listed| &listed.events);
    let shown = events.iter().rev().take(LIST_EVENTS_SHOWN_MAX).map(listed::event);
    let lines: Vec<String> =
        said.into_iter().chain(recommendations).chain(shown).map(|line| text(&line)).collect();
    document.list(&lines);
    not_shown(events.len().saturating_sub(LIST_EVENTS_SHOWN_MAX), "earlier change", document);
}
