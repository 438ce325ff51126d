//! What a search for order dependence found, on a terminal.

use super::super::limits::{HEADLINE_CHARS_MAX, TERMINAL_TESTS_MAX};
use super::super::palette::Tone;
use super::super::view::{OrderCaseView, OrderView};
use super::super::{escape, ordered, sentence};
use super::page::Page;

pub(super) fn lay_out(view: &OrderView, page: &mut Page) {
    let (tone, said) = ordered::headline(view);
    let (word, rest) = said.split_once(':').unwrap_or((said.as_str(), ""));
    let colon = if rest.is_empty() { "" } else { ":" };
    let word = page.mark(tone, &format!("{word}{colon}"));
    page.prose(&format!("{word}{rest}"));
    page.prose(&ordered::effort(view));
    for case in view.cases.iter().take(TERMINAL_TESTS_MAX) {
        lay_out_case(case, page);
    }
    let more = view.cases.len().saturating_sub(TERMINAL_TESTS_MAX);
    if more > 0 {
        let more = sentence::count(more as u64, "more test");
        page.prose(&format!("{more} not shown here; --format json has all of them"));
    }
    named("Failed in one order and passed in another, not looked into", &view.open, page);
    named("Failed in every order", &view.failing, page);
    page.blank();
    for note in &view.notes {
        let note = page.mark(Tone::Faint, &escape::line(note));
        page.prose(&note);
    }
    if let Some(history) = &view.history {
        page.prose(&format!("The replays are stored in {}", escape::line(history)));
    }
}

fn lay_out_case(case: &OrderCaseView, page: &mut Page) {
    page.section(&escape::line(&case.test));
    page.prose(&escape::line(&ordered::verdict(case)));
    if let Some(said) = ordered::confirmed(case) {
        page.prose(&said);
    }
    if !case.failure.is_empty() {
        let failure = escape::line(&case.failure);
        page.quoted(2, &escape::shortened(&failure, HEADLINE_CHARS_MAX));
    }
    if !case.needed.is_empty() {
        page.prose("To see it, run these and no others, in this order:");
        for word in &case.words {
            page.whole(&format!("  {}", escape::line(word)));
        }
    }
}

fn named(title: &str, tests: &[String], page: &mut Page) {
    if tests.is_empty() {
        return;
    }
    page.section(title);
    for test in tests.iter().take(TERMINAL_TESTS_MAX) {
        page.whole(&format!("  {}", escape::line(test)));
    }
    let more = tests.len().saturating_sub(TERMINAL_TESTS_MAX);
    if more > 0 {
        page.prose(&format!("and {}", sentence::count(more as u64, "more test")));
    }
}
