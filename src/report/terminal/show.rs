//! One test on a terminal.

use super::super::limits::{
    FAILURES_SHOWN_MAX, HEADLINE_CHARS_MAX, OTHERS_SHOWN_MAX, TIMELINE_ROWS_MAX,
};
use super::super::palette::Tone;
use super::super::view::{FailureView, ShowView, TestView, TimelineRow, VariantView};
use super::super::{escape, excerpt, explanation, hint, sentence, strip};
use super::page::{Column, Fit, Grid, NO_BREAK, Page, typed};
use super::report;
use super::weighing;
use crate::analysis::verdict::Status;
use crate::model::Outcome;

pub(super) fn lay_out(view: &ShowView, page: &mut Page) {
    let name = page.mark(Tone::Strong, &escape::line(&view.test));
    page.whole(&name);
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
        verdict(variant, view.false_discovery_rate, page);
    }
    failures(&view.failures, page);
    others(view, page);
}

fn verdict(variant: &VariantView, false_discovery_rate: f64, page: &mut Page) {
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
    if let Some(harm) = sentence::harm(test.harm) {
        page.bullet(&harm);
    }
    if let Some(command) = what_changed(test) {
        page.bullet(&format!("What changed: {}", page.mark(Tone::Command, &command)));
    }
    if let Some(weights) = &test.weighing {
        page.section("How much each speaks for or against flakiness");
        if let Some(besides) = explanation::besides(test.status) {
            page.quoted(2, besides);
        }
        weighing::lay_out(weights, page);
    }
    if !test.next.is_empty() {
        page.section("What would change the verdict");
        test.next.iter().for_each(|step| page.bullet(&step.sentence));
    }
    hints(test, false_discovery_rate, page);
    timeline(&variant.timeline, page);
}

/// The command that lists the commits between which a broken test broke.
fn what_changed(test: &TestView) -> Option<String> {
    let is_broken = matches!(test.status, Status::Broken | Status::NewlyBroken);
    let hash = |revision: &&String| revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut ranges = test.facts.iter().filter(|_| is_broken).filter_map(|fact| {
        let good = fact.last_good.as_ref().filter(hash)?;
        let bad = fact.first_bad.as_ref().filter(hash).filter(|bad| *bad != good)?;
        Some(format!("git log {}..{}", sentence::revision(good), sentence::revision(bad)))
    });
    ranges.next()
}

fn hints(test: &TestView, false_discovery_rate: f64, page: &mut Page) {
    if test.hints.is_empty() {
        return;
    }
    page.section("Hints on the cause");
    test.hints.iter().for_each(|hint| page.bullet(&hint.sentence));
    let caution = page.mark(Tone::Faint, &hint::caution(&test.hints, false_discovery_rate));
    page.quoted(2, &caution);
}

fn headline(test: &TestView, page: &Page) -> String {
    let status = page.mark(sentence::tone(test.status), sentence::status(test.status));
    let variant = match test.variant.as_str() {
        "" => String::new(),
        variant => format!("[{}] ", escape::line(variant)),
    };
    let sure =
        sentence::certainty(test.certainty).map_or(String::new(), |sure| format!(" ({sure})"));
    let mut parts = vec![format!("{variant}{status}{sure}")];
    if test.executions > 0 {
        let rate = test.failing().rate.map(sentence::rate);
        let rate = rate.map(|rate| format!(", {}", rate.replace(' ', NO_BREAK)));
        parts.push(report::failed_runs(test) + &rate.unwrap_or_default());
    }
    if test.retried > 0 {
        parts.push(format!("{} of them passed on retry", sentence::number(test.retried.into())));
    }
    if test.skipped > 0 && test.executions > 0 {
        parts.push(format!("skipped in {}", sentence::count(test.skipped, "run")));
    }
    if let Some(seconds) = test.duration_seconds {
        parts.push(format!("takes {}", sentence::seconds(seconds)).replace(' ', NO_BREAK));
    }
    if test.facts.is_empty() && (test.executions == 0 || test.status == Status::Stale) {
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
    let legend = page.mark(Tone::Faint, &strip::LEGEND.join("   "));
    page.quoted(2, &legend);
}

/// The runs that say something: the strip above has those that simply passed.
fn timeline(rows: &[TimelineRow], page: &mut Page) {
    let telling: Vec<&TimelineRow> = rows.iter().rev().filter(|row| row.is_telling()).collect();
    let Some(latest) = telling.iter().find(|row| row.outcome.is_bad()).or(telling.first()) else {
        return;
    };
    page.section("Runs that did not simply pass, latest first");
    let (columns, cells): (Vec<Column>, CellsOf) = match page.width() {
        ..NARROW => (vec![STARTED, OUTCOME, REVISION], |row, page| {
            vec![started(row), outcome(row, page), revision(row)]
        }),
        _ => (vec![STARTED, OUTCOME, CAUSE, REVISION, BRANCH, BUILD, TOOK], |row, page| {
            vec![
                started(row),
                outcome(row, page),
                row.causes.map(|causes| causes.words()).unwrap_or_default(),
                revision(row),
                escape::line(row.branch.as_deref().unwrap_or_default()).into_owned(),
                build(row),
                row.duration_seconds.map(sentence::seconds).unwrap_or_default(),
            ]
        }),
    };
    let rows = telling.iter().take(TIMELINE_ROWS_MAX).map(|row| cells(row, page)).collect();
    page.grid(&Grid { columns, rows, indent: 2, ..Grid::default() });
    let more = telling.len().saturating_sub(TIMELINE_ROWS_MAX);
    if more > 0 {
        let more = sentence::count(more as u64, "earlier run");
        page.quoted(2, &format!("{more} not shown here; --format json has all of them"));
    }
    if let Some(url) = &latest.url {
        page.quoted(2, &format!("Log of the latest: {}", escape::line(url)));
    }
}

type CellsOf = fn(&TimelineRow, &Page) -> Vec<String>;

/// Below this width the timeline has only what identifies a run.
const NARROW: u16 = 72;
const STARTED: Column = Column("Started", Fit::Content);
const OUTCOME: Column = Column("Outcome", Fit::Content);
const CAUSE: Column = Column("Likely cause", Fit::Content);
const REVISION: Column = Column("Revision", Fit::Content);
const BRANCH: Column = Column("Branch", Fit::Wrap);
const BUILD: Column = Column("Build", Fit::Wrap);
const TOOK: Column = Column("Took", Fit::Number);

fn started(row: &TimelineRow) -> String {
    row.started.get(..16).unwrap_or(&row.started).replace('T', " ")
}

fn revision(row: &TimelineRow) -> String {
    row.revision.as_deref().map(sentence::revision).unwrap_or_default()
}

fn outcome(row: &TimelineRow, page: &Page) -> String {
    let text = match (row.outcome, row.retried, row.outage) {
        (Outcome::Passed, true, _) => "passed on retry".to_owned(),
        (outcome, _, true) if outcome.is_bad() => format!("{} with many", outcome.word()),
        (outcome, ..) => outcome.word().to_owned(),
    };
    page.mark(report::tone(row.mark), &text)
}

/// The build, with its attempt where it was not the first.
fn build(row: &TimelineRow) -> String {
    let build = escape::line(row.build.as_deref().unwrap_or_default());
    match row.attempt {
        0 | 1 => build.into_owned(),
        attempt => format!("{build} ({attempt})"),
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
    for line in excerpt::of(&failure.text, &failure.headline) {
        page.quoted(4, &line);
    }
}

fn often(count: u32) -> String {
    match count {
        1 => "Once".to_owned(),
        count => format!("{} times", sentence::number(count.into())),
    }
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
        let command = page.mark(
            Tone::Command,
            &typed(other, &escape::shortened(&escape::line(other), HEADLINE_CHARS_MAX)),
        );
        page.bullet(&command);
    }
    let more = view.others.len().saturating_sub(OTHERS_SHOWN_MAX);
    if more > 0 {
        page.bullet(&sentence::count(more as u64, "other"));
    }
}
