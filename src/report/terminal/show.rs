//! One test on a terminal.

use super::super::limits::{
    FAILURE_LINE_CHARS_MAX, FAILURE_LINES_MAX, FAILURES_SHOWN_MAX, HEADLINE_CHARS_MAX,
    OTHERS_SHOWN_MAX, TIMELINE_ROWS_MAX,
};
use super::super::palette::Tone;
use super::super::view::{FailureView, ShowView, TestView, TimelineRow, VariantView};
use super::super::{escape, sentence, strip};
use super::page::{Column, Fit, Grid, Page, typed};
use super::report;
use crate::model::Outcome;

pub(super) fn lay_out(view: &ShowView, page: &mut Page) {
    let name = page.mark(Tone::Strong, &escape::line(&view.test));
    page.prose(&name);
    let mut origin = vec![escape::line(&view.project).into_owned()];
    origin.push(escape::line(&view.window.text).into_owned());
    if !view.file.is_empty() {
        origin.push(escape::line(&view.file).into_owned());
    }
    if !view.owners.is_empty() {
        origin.push(format!("owned by {}", escape::line(&view.owners.join(" "))));
    }
    let origin = page.mark(Tone::Faint, &origin.join(" · "));
    page.prose(&origin);
    if view.variants.is_empty() {
        page.blank();
        page.prose("It has no results in this window; a longer one may have some.");
    }
    for variant in &view.variants {
        verdict(variant, page);
    }
    failures(&view.failures, page);
    others(view, page);
}

fn verdict(variant: &VariantView, page: &mut Page) {
    let test = &variant.verdict;
    page.blank();
    page.prose(&headline(test, page));
    if !test.strip.is_empty() {
        page.blank();
        runs(test, page);
    }
    if !test.facts.is_empty() {
        page.section("Evidence");
        test.facts.iter().for_each(|fact| page.bullet(&fact.sentence));
    }
    if let Some(harm) = sentence::harm(test.reddened_alone) {
        page.bullet(&harm);
    }
    if !test.next.is_empty() {
        page.section("What would change the verdict");
        test.next.iter().for_each(|step| page.bullet(&step.sentence));
    }
    timeline(&variant.timeline, page);
}

fn headline(test: &TestView, page: &Page) -> String {
    let status = page.mark(sentence::tone(test.status), sentence::status(test.status));
    let variant = match test.variant.as_str() {
        "" => String::new(),
        variant => format!("[{}] ", escape::line(variant)),
    };
    let sure =
        sentence::certainty(test.probability).map_or(String::new(), |sure| format!(" ({sure})"));
    let mut parts = vec![format!("{variant}{status}{sure}")];
    if test.executions > 0 {
        let bad = u64::from(test.failures) + u64::from(test.retried);
        parts.push(format!(
            "failed in {} of {}: {}",
            sentence::number(bad),
            sentence::count(test.executions, "run"),
            sentence::rate(test.rate.rate())
        ));
    }
    if test.retried > 0 {
        parts.push(format!("{} passed on retry", sentence::number(test.retried.into())));
    }
    if test.skipped > 0 {
        parts.push(format!("skipped in {}", sentence::count(test.skipped, "run")));
    }
    if let Some(seconds) = test.duration_seconds {
        parts.push(format!("takes {}", sentence::seconds(seconds)));
    }
    if test.facts.is_empty() {
        parts.push(test.reason.clone());
    }
    parts.join(" · ")
}

/// The whole strip, in lines of the page's width.
fn runs(test: &TestView, page: &mut Page) {
    let marks: Vec<char> = test.strip.chars().collect();
    let width = usize::from(page.width()).saturating_sub(2).max(1);
    for line in marks.chunks(width) {
        let line: String =
            line.iter().map(|mark| page.mark(report::tone(*mark), &mark.to_string())).collect();
        page.quoted(2, &line);
    }
    let legend = page.mark(Tone::Faint, strip::LEGEND);
    page.quoted(2, &legend);
}

fn timeline(rows: &[TimelineRow], page: &mut Page) {
    if rows.is_empty() {
        return;
    }
    page.section("Runs, latest first");
    let shown = rows.iter().rev().take(TIMELINE_ROWS_MAX);
    let has_build = rows.iter().any(|row| row.build.is_some());
    let narrow = page.width() < 72;
    let mut columns = vec![
        Column("Started", Fit::Content),
        Column("Outcome", Fit::Content),
        Column("Revision", Fit::Content),
    ];
    match (narrow, has_build) {
        (true, _) => {}
        (false, true) => columns.extend([
            Column("Branch", Fit::Wrap),
            Column("Build", Fit::Wrap),
            Column("Took", Fit::Number),
        ]),
        (false, false) => {
            columns.extend([Column("Branch", Fit::Wrap), Column("Took", Fit::Number)])
        }
    }
    let row = |row: &TimelineRow| {
        let mut cells = vec![
            row.started.get(..16).unwrap_or(&row.started).replace('T', " "),
            outcome(row, page),
            row.revision.as_deref().map(sentence::revision).unwrap_or_default(),
        ];
        if !narrow {
            cells.push(escape::line(row.branch.as_deref().unwrap_or_default()).into_owned());
            if has_build {
                cells.push(build(row));
            }
            cells.push(row.duration_seconds.map(sentence::seconds).unwrap_or_default());
        }
        cells
    };
    let rows_shown = shown.map(row).collect();
    page.grid(&Grid { columns, rows: rows_shown, indent: 2, ..Grid::default() });
    let more = rows.len().saturating_sub(TIMELINE_ROWS_MAX);
    if more > 0 {
        let more = sentence::count(more as u64, "earlier run");
        page.quoted(2, &format!("{more} not shown here; --format json has all of them"));
    }
    if let Some(url) =
        rows.iter().rev().find(|row| is_bad(row.outcome)).and_then(|row| row.url.as_ref())
    {
        page.quoted(2, &format!("Log of the last failure: {}", escape::line(url)));
    }
}

const fn is_bad(outcome: Outcome) -> bool {
    outcome.is_bad()
}

fn outcome(row: &TimelineRow, page: &Page) -> String {
    let text = match (row.outcome, row.retried, row.outage) {
        (Outcome::Passed, true, _) => "passed on retry".to_owned(),
        (outcome, _, true) if outcome.is_bad() => format!("{} in an outage", outcome.word()),
        (outcome, ..) => outcome.word().to_owned(),
    };
    page.mark(report::tone(row.mark), &text)
}

fn build(row: &TimelineRow) -> String {
    let build = escape::line(row.build.as_deref().unwrap_or_default());
    match row.attempt {
        0 | 1 => build.into_owned(),
        attempt => format!("{build}, attempt {attempt}"),
    }
}

fn failures(failures: &[FailureView], page: &mut Page) {
    if failures.is_empty() {
        return;
    }
    page.section(match failures {
        [_] => "Every failure looks like this",
        _ => "Failures that look alike, together",
    });
    for failure in failures.iter().take(FAILURES_SHOWN_MAX) {
        cluster(failure, page);
    }
    let more = failures.len().saturating_sub(FAILURES_SHOWN_MAX);
    if more > 0 {
        let more = sentence::count(more as u64, "rarer failure");
        page.quoted(2, &format!("{more} not shown here; --format json has all of them"));
    }
}

fn cluster(failure: &FailureView, page: &mut Page) {
    let (first, last) = (day(&failure.first), day(&failure.last));
    let days = if first == last { format!("on {first}") } else { format!("{first} to {last}") };
    let kind = match failure.kind.as_str() {
        "" => String::new(),
        kind => format!("{}: ", escape::line(kind)),
    };
    let headline = match failure.headline.as_str() {
        "" => "no message".to_owned(),
        headline => escape::shortened(&escape::line(headline), HEADLINE_CHARS_MAX).into_owned(),
    };
    // Many runners repeat the type at the start of the message.
    let kind = if headline.starts_with(kind.trim_end()) { String::new() } else { kind };
    let title = page.mark(Tone::Bad, &format!("{kind}{headline}"));
    page.bullet(&format!("{} ({days}): {title}", often(failure.count)));
    let lines: Vec<String> = escape::lines(&failure.text)
        .map(|line| escape::shortened(&line, FAILURE_LINE_CHARS_MAX).into_owned())
        .collect();
    if lines.len() <= 1 && lines.first().is_none_or(|line| line.trim() == headline) {
        return;
    }
    for line in both_ends(&lines) {
        page.quoted(6, &line);
    }
}

fn often(count: u32) -> String {
    match count {
        1 => "Once".to_owned(),
        count => format!("{} times", sentence::number(count.into())),
    }
}

/// The first and last lines of a text: the call that failed is at either end.
fn both_ends(lines: &[String]) -> Vec<String> {
    let half = FAILURE_LINES_MAX / 2;
    let (Some(first), Some(last)) =
        (lines.get(..half), lines.len().checked_sub(half).and_then(|from| lines.get(from..)))
    else {
        return lines.to_vec();
    };
    if lines.len() <= FAILURE_LINES_MAX {
        return lines.to_vec();
    }
    let hidden = sentence::count((lines.len() - 2 * half) as u64, "line");
    let gap = [format!("[{hidden} not shown]")];
    first.iter().chain(&gap).chain(last).cloned().collect()
}

fn day(rfc3339: &str) -> &str {
    rfc3339.get(..10).unwrap_or(rfc3339)
}

fn others(view: &ShowView, page: &mut Page) {
    if view.others.is_empty() {
        return;
    }
    page.section("What you typed could also mean");
    for other in view.others.iter().take(OTHERS_SHOWN_MAX) {
        let command = page.mark(Tone::Command, &typed(other, &escape::line(other)));
        page.bullet(&command);
    }
    let more = view.others.len().saturating_sub(OTHERS_SHOWN_MAX);
    if more > 0 {
        page.bullet(&sentence::count(more as u64, "other"));
    }
}
