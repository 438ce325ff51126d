//! One test on a terminal.

use super::super::limits::{
    BREAKAGES_SHOWN_MAX, FIELD_CHARS_MAX, HEADLINE_CHARS_MAX, LIST_EVENTS_SHOWN_MAX,
    OTHERS_SHOWN_MAX, STATUS_CHANGES_MAX,
};
use super::super::palette::Tone;
use super::super::view::{BreakageView, ShowView, TestView, TrailView, VariantView};
use super::super::{course, escape, explanation, hint, listed, phrase, sentence};
use super::page::{Column, Fit, Grid, NO_BREAK, Page, typed};
use super::{show_failures, show_runs, weighing};
use crate::analysis::verdict::Status;

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
    if view.variants.len() > 1 {
        variants(&view.variants, page);
    }
    for variant in &view.variants {
        verdict(variant, view.false_discovery_rate, page);
    }
    show_failures::failures(&view.failures, view.full, page);
    quarantine(view, page);
    others(view, page);
}

/// The variants side by side, before each is looked at.
fn variants(variants: &[VariantView], page: &mut Page) {
    page.section("Its variants");
    let columns = vec![
        Column("Variant", Fit::Wrap),
        Column("Verdict", Fit::Content),
        Column("Failed", Fit::Number),
        Column("Of", Fit::Number),
        Column("Rate", Fit::Content),
        Column("Last failure", Fit::Content),
    ];
    let row = |variant: &VariantView| {
        let test = &variant.verdict;
        let failing = test.failing();
        let name = match test.variant.as_str() {
            "" => "none".into(),
            name => escape::line(name),
        };
        vec![
            escape::shortened(&name, FIELD_CHARS_MAX).into_owned(),
            page.mark(sentence::tone(test.status), sentence::status(test.status)),
            sentence::number(failing.bad.into()),
            sentence::number(failing.of.into()),
            failing.rate.map(sentence::rate).unwrap_or_default(),
            test.last_failure.as_deref().map_or("never", phrase::day).to_owned(),
        ]
    };
    let rows = variants.iter().map(row).collect();
    page.grid(&Grid { columns, rows, indent: 2, ..Grid::default() });
}

fn verdict(variant: &VariantView, false_discovery_rate: f64, page: &mut Page) {
    let test = &variant.verdict;
    page.blank();
    page.prose(&headline(test, page));
    if !test.strip.is_empty() {
        page.blank();
        show_runs::strip(variant, page);
    }
    let besides = [sentence::harm(test.harm), course::retries(&variant.trail.retries)];
    if !test.facts.is_empty() || besides.iter().any(Option::is_some) {
        page.section("Evidence");
    }
    test.facts.iter().for_each(|fact| page.bullet(&fact.sentence));
    besides.iter().flatten().for_each(|sentence| page.bullet(sentence));
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
    changes(&variant.trail, page);
    breakages(&variant.trail.breakages, page);
    hints(test, false_discovery_rate, page);
    show_runs::timeline(&variant.timeline, page);
}

/// The changes of the verdict, latest first.
fn changes(trail: &TrailView, page: &mut Page) {
    if trail.changes.is_empty() {
        return;
    }
    page.section("How the verdict changed, latest first");
    for change in trail.changes.iter().rev().take(STATUS_CHANGES_MAX) {
        let words = course::change(change);
        page.bullet(&page.mark(sentence::tone(change.status), &words));
    }
    let more = trail.changes.len().saturating_sub(STATUS_CHANGES_MAX);
    if more > 0 {
        let more = sentence::count(more as u64, "earlier change");
        page.quoted(2, &format!("{more} not shown here; --format json has all of them"));
    }
}

/// Where the main line broke, latest first, with the commands that show what changed there.
fn breakages(breakages: &[BreakageView], page: &mut Page) {
    if breakages.is_empty() {
        return;
    }
    page.section(match breakages {
        [_] => "Where it broke",
        _ => "Where it broke, latest first",
    });
    for breakage in breakages.iter().rev().take(BREAKAGES_SHOWN_MAX) {
        page.bullet(&course::breakage(breakage));
        for (command, purpose) in course::commands(breakage) {
            let command = page.mark(Tone::Command, &command);
            let purpose = page.mark(Tone::Faint, &purpose);
            page.quoted(4, &format!("{command}  {purpose}"));
        }
    }
    let more = breakages.len().saturating_sub(BREAKAGES_SHOWN_MAX);
    if more > 0 {
        let more = sentence::count(more as u64, "earlier breakage");
        page.quoted(2, &format!("{more} not shown here; --format json has all of them"));
    }
}

/// What the quarantine list says of the test, what the method would have it say, and its past.
fn quarantine(view: &ShowView, page: &mut Page) {
    let recommendations = listed::recommendations(view);
    if recommendations.is_empty() {
        return;
    }
    page.section("Quarantine");
    let said = view.listed.as_ref().map(listed::now).unwrap_or_default();
    said.iter().chain(&recommendations).for_each(|said| page.bullet(said));
    let Some(listed) = &view.listed else { return };
    for event in listed.events.iter().rev().take(LIST_EVENTS_SHOWN_MAX) {
        page.bullet(&listed::event(event));
    }
    let more = listed.events.len().saturating_sub(LIST_EVENTS_SHOWN_MAX);
    if more > 0 {
        let more = sentence::count(more as u64, "earlier change");
        page.quoted(2, &format!("{more} not shown here; --format json has all of them"));
    }
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
        parts.push(phrase::failed_runs(test) + &rate.unwrap_or_default());
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
