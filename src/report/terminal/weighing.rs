//! What the filter weighed, on a terminal.

use super::super::palette::Tone;
use super::super::view::WeighingView;
use super::super::{explanation, sentence};
use super::page::{Column, Fit, Grid, NO_BREAK, Page};

/// The weights as lines of text, for a cell of a table: the strongest kinds first.
pub(super) fn lines(weighing: &WeighingView, page: &Page) -> Vec<String> {
    explanation::rows(weighing)
        .into_iter()
        .map(|(weight, words)| {
            let weight = format!("{weight:>6}  ").replace(' ', NO_BREAK);
            page.mark(Tone::Faint, &(weight + &words))
        })
        .collect()
}

/// The weights as a table of their own, with how to read them.
pub(super) fn lay_out(weighing: &WeighingView, page: &mut Page) {
    let row = |(weight, words): (String, String)| vec![weight, words];
    let rows = explanation::rows(weighing).into_iter().map(row).collect();
    let columns = vec![Column("Weight", Fit::Number), Column("What was seen", Fit::Wrap)];
    page.grid(&Grid { columns, rows, indent: 2, ..Grid::default() });
    let legend = page.mark(Tone::Faint, explanation::LEGEND);
    page.quoted(2, &legend);
    if let Some(set_off) = explanation::set_off(weighing) {
        let set_off = page.mark(Tone::Faint, &set_off);
        page.quoted(2, &set_off);
    }
    if weighing.chances > 0 {
        page.quoted(2, &rate(weighing));
    }
}

fn rate(weighing: &WeighingView) -> String {
    let flakes = match weighing.flakes {
        0 => "none".to_owned(),
        flakes => sentence::number(flakes.into()),
    };
    format!(
        "Flaked in {flakes} of {} in which it could: {}",
        sentence::count(weighing.chances, "run"),
        sentence::rate(weighing.flake_rate.rate()),
    )
}
