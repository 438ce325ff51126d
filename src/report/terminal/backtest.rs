//! What each of several rules would have done, on a terminal.

use super::super::limits::{BACKTEST_FLAGS_SHOWN_MAX, BACKTEST_HIDDEN_SHOWN_MAX, NAME_CHARS_MAX};
use super::super::palette::Tone;
use super::super::view::{BacktestView, TrialView};
use super::super::{escape, sentence, trial};
use super::page::{Airy, Column, Fit, Grid, Page};
use crate::model::in_variant;

/// Below this width numbers stand in sentences, not in columns.
const TABLE_FROM: u16 = 78;
/// From this width on what went wrong has columns of its own.
const FULL_FROM: u16 = 100;

pub(super) fn lay_out(view: &BacktestView, page: &mut Page) {
    let project = page.mark(Tone::Strong, &escape::line(&view.project));
    page.prose(&format!("{project}: back-test {}", escape::line(&trial::over(view))));
    if view.runs.total == 0 {
        page.blank();
        page.prose("No runs in this window, so there is nothing to replay yet.");
        return;
    }
    page.prose(&trial::window(view));
    if let Some(remark) = trial::without_threshold(view) {
        page.prose(&remark);
    }
    page.blank();
    let in_columns = page.width() >= TABLE_FROM;
    match in_columns {
        true => table(view, page.width() >= FULL_FROM, page),
        false => stacked(view, page),
    }
    page.blank();
    // The first says what a line is; the others say what the columns are.
    let lines = if in_columns { trial::LEGEND.len() } else { 1 };
    for line in trial::LEGEND.iter().take(lines) {
        let line = page.mark(Tone::Faint, line);
        page.bullet(&line);
    }
    if let Some(told) = view.told() {
        tell(told, view, page);
    }
    page.section("How to choose");
    if let Some(alike) = trial::alike(view) {
        page.prose(&format!("{alike}."));
    }
    page.prose(trial::ADVICE);
    page.prose(trial::CAUTION);
    page.hints(&trial::hints(view));
}

fn name(told: &TrialView, page: &Page) -> String {
    let title = trial::title(told);
    if told.in_force { page.mark(Tone::Strong, &title) } else { title }
}

/// Every rule with its sentences below each other.
fn stacked(view: &BacktestView, page: &mut Page) {
    let row = |one: &TrialView| {
        vec![name(one, page).replace(' ', "\n"), trial::sentences(one, view).join("\n")]
    };
    let rows = view.rules.iter().map(row).collect();
    let columns = vec![Column("Rule", Fit::Content), Column("What it would have done", Fit::Wrap)];
    page.grid(&Grid { columns, rows, airy: Airy::Yes, ..Grid::default() });
}

fn table(view: &BacktestView, full: bool, page: &mut Page) {
    let mut columns = vec![Column("Flaky from", Fit::Content)];
    type Cell = fn(&TrialView) -> String;
    let cells: [(&'static str, bool, Cell); 9] = [
        ("Called\nflaky", true, |one| sentence::number(one.tests_flagged)),
        ("Wrong-\nly", true, |one| sentence::number(one.tests_flagged_wrongly)),
        ("Still\nin the end", true, |one| sentence::number(one.tests_flagged_at_end)),
        ("After\nflakes", true, |one| {
            one.flakes_until_flagged_median.map_or("-".to_owned(), |n| sentence::number(n.into()))
        }),
        ("Runs\ngreen", true, |one| sentence::number(one.runs_turned_green.into())),
        ("Wrong-\nly", full, |one| sentence::number(one.runs_turned_green_wrongly.into())),
        ("Hidden\nregressions", true, |one| sentence::number(one.regressions_hidden)),
        ("For runs,\nat most", full, |one| sentence::number(one.regression_runs_hidden_max.into())),
        ("Hidden\nchanges", true, |one| sentence::number(one.change_failures_hidden.into())),
    ];
    let shown: Vec<_> = cells.into_iter().filter(|(_, shown, _)| *shown).collect();
    columns.extend(shown.iter().map(|(title, _, _)| Column(title, Fit::Number)));
    let row = |one: &TrialView| {
        let numbers = shown.iter().map(|(_, _, cell)| cell(one));
        std::iter::once(name(one, page)).chain(numbers).collect()
    };
    let rows = view.rules.iter().map(row).collect();
    page.grid(&Grid { columns, rows, ..Grid::default() });
}

/// More of one rule: in words, what it hid, and what it called flaky when.
fn tell(told: &TrialView, view: &BacktestView, page: &mut Page) {
    let subject = trial::subject(told);
    page.section(&format!("With {subject}"));
    for sentence in trial::sentences(told, view) {
        page.bullet(&sentence);
    }
    if !told.hidden.is_empty() {
        page.section("Regressions that it would have hidden, latest first");
    }
    for hidden in told.hidden.iter().take(BACKTEST_HIDDEN_SHOWN_MAX) {
        let test = shown(&hidden.test, &hidden.variant);
        page.bullet(&format!("{test}: {}", trial::regression(hidden)));
    }
    more(told.hidden.len(), BACKTEST_HIDDEN_SHOWN_MAX, "earlier regression", page);
    if told.flags.is_empty() {
        return;
    }
    page.section("What it would have called flaky, latest first");
    for flag in told.flags.iter().take(BACKTEST_FLAGS_SHOWN_MAX) {
        let test = shown(&flag.test, &flag.variant);
        page.bullet(&format!("{} {test}: {}", trial::minute(&flag.since), trial::flag(flag)));
    }
    more(told.flags.len(), BACKTEST_FLAGS_SHOWN_MAX, "earlier test", page);
}

fn more(all: usize, shown: usize, noun: &str, page: &mut Page) {
    if let more @ 1.. = all.saturating_sub(shown) {
        let more = sentence::count(more as u64, noun);
        page.bullet(&format!("{more} not shown here; --format json has all of them"));
    }
}

fn shown(test: &str, variant: &str) -> String {
    let label = in_variant(test, variant);
    escape::shortened(&escape::line(&label), NAME_CHARS_MAX).into_owned()
}
