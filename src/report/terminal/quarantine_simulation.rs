//! What the policy would have done, on a terminal.

use super::super::limits::{BACKTEST_FLAGS_SHOWN_MAX, BACKTEST_HIDDEN_SHOWN_MAX, NAME_CHARS_MAX};
use super::super::palette::Tone;
use super::super::view::SimulationView;
use super::super::{escape, sentence, simulation};
use super::page::Page;

pub(super) fn lay_out(view: &SimulationView, page: &mut Page) {
    let project = page.mark(Tone::Strong, &escape::line(&view.project));
    page.prose(&format!("{project}: quarantine simulated over {}", simulation::subject(view)));
    page.blank();
    for sentence in simulation::sentences(view) {
        page.bullet(&sentence);
    }
    if !view.hidden.is_empty() {
        page.section("Regressions that it would have hidden, the longest first");
    }
    for hidden in view.hidden.iter().take(BACKTEST_HIDDEN_SHOWN_MAX) {
        let test = shown(&hidden.test, &hidden.variant);
        page.bullet(&format!("{test}: {}", simulation::regression(hidden)));
    }
    more(view.hidden.len(), BACKTEST_HIDDEN_SHOWN_MAX, "more regression", page);
    if !view.terms.is_empty() {
        page.section("What it would have listed, latest first");
    }
    for term in view.terms.iter().take(BACKTEST_FLAGS_SHOWN_MAX) {
        page.bullet(&format!("{}: {}", shown(&term.test, &term.variant), simulation::term(term)));
    }
    more(view.terms.len(), BACKTEST_FLAGS_SHOWN_MAX, "earlier stay", page);
    page.blank();
    let caution = page.mark(Tone::Faint, simulation::CAUTION);
    page.prose(&caution);
}

fn shown(test: &str, variant: &str) -> String {
    escape::shortened(&simulation::label(test, variant), NAME_CHARS_MAX).into_owned()
}

fn more(all: usize, shown: usize, noun: &str, page: &mut Page) {
    if let more @ 1.. = all.saturating_sub(shown) {
        let more = sentence::count(more as u64, noun);
        page.bullet(&format!("{more} not shown here; --format json has all of them"));
    }
}
