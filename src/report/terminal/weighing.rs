//! What the filter weighed, on a terminal.

use super::super::palette::Tone;
use super::super::view::WeighingView;
use super::super::{explanation, sentence};
use super::page::{Column, Fit, Grid, Page};

/// The weights as lines of text, for a cell of a table: the strongest kinds first.
pub(super) fn lines(weighing: &WeighingView, page: &Page) -> Vec<String> {
    rows(weighing)
        .into_iter()
        .map(|(weight, words)| page.mark(Tone::Faint, &format!("{weight:>6}  {words}")))
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
    let seen = weighing.evidence.iter();
    rows.extend(seen.map(|kind| (explanation::nats(kind.nats), kind.sentence.clone())));
    rows.push((explanation::nats(weighing.time_nats), explanation::TIME.to_owned()));
    rows.push((explanation::nats(weighing.total_nats), explanation::total(weighing.total_nats)));
    rows
}

fn rate(weighing: &WeighingView) -> String {
    format!(
        "Flaked in {} of {} in which it could: {}",
        sentence::number(weighing.flakes.into()),
        sentence::count(weighing.chances, "run"),
        sentence::rate(weighing.flake_rate.rate()),
    )
}
