//! What the filter weighed, on a terminal.

use super::super::palette::Tone;
use super::super::view::WeighingView;
use super::super::{explanation, sentence};
use super::page::{Column, Fit, Grid, NO_BREAK, Page};
use crate::analysis::filter::ledger::Kind;

/// The weights as lines of text, for a cell of a table: the strongest kinds first.
pub(super) fn lines(weighing: &WeighingView, page: &Page) -> Vec<String> {
    rows(weighing)
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
    let rows = rows(weighing).into_iter().map(row).collect();
    let columns = vec![Column("Weight", Fit::Number), Column("What was seen", Fit::Wrap)];
    page.grid(&Grid { columns, rows, indent: 2, ..Grid::default() });
    let legend = page.mark(Tone::Faint, explanation::LEGEND);
    page.quoted(2, &legend);
    if weighing.chances > 0 {
        page.quoted(2, &rate(weighing));
    }
}

fn rows(weighing: &WeighingView) -> Vec<(String, String)> {
    let mut rows =
        vec![(explanation::nats(weighing.prior_nats), explanation::prior(weighing.prior_nats))];
    let nothing = explanation::nats(0.0);
    // What weighs nothing is worth a line only where it explains failures.
    let seen = weighing.evidence.iter().map(|seen| (seen, explanation::nats(seen.nats)));
    let telling = seen.filter(|(seen, weight)| {
        *weight != nothing || (seen.kind != Kind::Passes && seen.count > 0)
    });
    rows.extend(telling.map(|(seen, weight)| (weight, seen.sentence.clone())));
    let time = explanation::nats(weighing.time_nats);
    rows.extend((time != nothing).then(|| (time, explanation::TIME.to_owned())));
    rows.push((explanation::nats(weighing.total_nats), explanation::total(weighing.total_nats)));
    rows
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
