//! What each of several rules would have done, as Markdown.

use super::super::limits::{BACKTEST_FLAGS_SHOWN_MAX, BACKTEST_HIDDEN_SHOWN_MAX};
use super::super::view::{BacktestView, FlagView, HiddenView, TrialView};
use super::super::{sentence, trial};
use super::document::{Document, code, text};
use crate::model::in_variant;

pub(super) fn write(view: &BacktestView, document: &mut Document) {
    document.heading(2, &format!("{}: back-test", text(&view.project)));
    if view.runs.total == 0 {
        document.paragraph(&format!(
            "No runs in this window ({}), so there is nothing to replay yet.",
            text(&view.window.text)
        ));
        return;
    }
    document.paragraph(&format!("Back-test {}.", text(&trial::over(view))));
    document.paragraph(&format!("{}.", trial::window(view)));
    if let Some(remark) = trial::without_threshold(view) {
        document.paragraph(&format!("{}.", text(&remark)));
    }
    let rows: Vec<Vec<String>> = view.rules.iter().map(row).collect();
    let titles = [
        "Flaky from",
        "Called flaky",
        "Still in the end",
        "After flakes",
        "Runs green",
        "Hidden regressions",
        "Hidden changes",
    ];
    document.table(&titles, &rows, "rule");
    document.list(&trial::LEGEND.map(|line| format!("<sub>{line}</sub>")));
    if let Some(told) = view.told() {
        tell(told, view, document);
    }
    if let Some(alike) = trial::alike(view) {
        document.paragraph(&format!("{alike}."));
    }
    document.paragraph(trial::ADVICE);
    document.paragraph(trial::CAUTION);
}

fn row(one: &TrialView) -> Vec<String> {
    let wrongly = |n: u64| match n {
        0 => String::new(),
        n => format!(" ({} wrongly)", sentence::number(n)),
    };
    let at_most = match one.regression_runs_hidden_max {
        0 => String::new(),
        runs => format!(" (at most {})", sentence::count(runs, "run")),
    };
    let title = trial::title(one);
    vec![
        if one.in_force { format!("**{title}**") } else { title },
        sentence::number(one.tests_flagged) + &wrongly(one.tests_flagged_wrongly),
        sentence::number(one.tests_flagged_at_end),
        one.flakes_until_flagged_median.map_or("-".to_owned(), |n| sentence::number(n.into())),
        sentence::number(one.runs_turned_green.into())
            + &wrongly(one.runs_turned_green_wrongly.into()),
        sentence::number(one.regressions_hidden) + &at_most,
        sentence::number(one.change_failures_hidden.into()),
    ]
}

fn tell(told: &TrialView, view: &BacktestView, document: &mut Document) {
    document.heading(3, &format!("With {}", trial::subject(told)));
    document.list(&trial::sentences(told, view));
    let hidden = |hidden: &HiddenView| {
        let test = code(&in_variant(&hidden.test, &hidden.variant));
        format!("{test}: {}", text(&trial::regression(hidden)))
    };
    let listed = told.hidden.iter().take(BACKTEST_HIDDEN_SHOWN_MAX).map(hidden);
    list("Regressions that it would have hidden, latest first:", listed, document);
    more(told.hidden.len(), BACKTEST_HIDDEN_SHOWN_MAX, "earlier regression", document);
    let flag = |flag: &FlagView| {
        let test = code(&in_variant(&flag.test, &flag.variant));
        format!("{} {test}: {}", trial::minute(&flag.since), trial::flag(flag))
    };
    let listed = told.flags.iter().take(BACKTEST_FLAGS_SHOWN_MAX).map(flag);
    list("What it would have called flaky, latest first:", listed, document);
    more(told.flags.len(), BACKTEST_FLAGS_SHOWN_MAX, "earlier test", document);
}

fn list(title: &str, items: impl Iterator<Item = String>, document: &mut Document) {
    let items: Vec<String> = items.collect();
    if !items.is_empty() {
        document.paragraph(title);
        document.list(&items);
    }
}

fn more(all: usize, shown: usize, noun: &str, document: &mut Document) {
    if let more @ 1.. = all.saturating_sub(shown) {
        let more = sentence::count(more as u64, noun);
        document.paragraph(&format!("{more} not shown here; the JSON format has all of them."));
    }
}
