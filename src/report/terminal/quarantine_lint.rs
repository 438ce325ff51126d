//! What is wrong with the quarantine list, on a terminal: a line each, as compilers print it.

use super::super::limits::{HEADLINE_CHARS_MAX, NAME_CHARS_MAX};
use super::super::palette::Tone;
use super::super::view::LintView;
use super::super::{escape, sentence};
use super::page::Page;

pub(super) fn lay_out(view: &LintView, page: &mut Page) {
    let list = escape::line(&view.list);
    for finding in &view.findings {
        let place = page.mark(Tone::Strong, &format!("{list}:{}", finding.line));
        let code = page.mark(Tone::Unsteady, finding.code);
        let message =
            escape::shortened(&escape::line(&finding.message), HEADLINE_CHARS_MAX).into_owned();
        page.prose(&format!("{place}: {code}: {message}"));
        if !finding.test.is_empty() {
            let test = escape::shortened(&escape::line(&finding.test), NAME_CHARS_MAX).into_owned();
            page.quoted(4, &test);
        }
        let mend = page.mark(Tone::Faint, &escape::line(&finding.mend));
        page.quoted(4, &format!("-> {mend}"));
    }
    page.blank();
    let all =
        format!("{} and {}", counted(view.entries, "entry"), sentence::count(view.rules, "rule"));
    page.prose(&match view.findings.len() {
        0 => format!("{list}: {all}, nothing to mend"),
        n => format!("{list}: {all}, {}", sentence::count(n as u64, "finding")),
    });
    for note in &view.notes {
        page.prose(&escape::line(note));
    }
}

fn counted(n: u64, noun: &str) -> String {
    sentence::count(n, noun)
}
