//! What a hunt found, on a terminal.

use super::super::limits::{HEADLINE_CHARS_MAX, NAME_CHARS_MAX, TERMINAL_TESTS_MAX};
use super::super::palette::Tone;
use super::super::view::{FailedRun, HuntView, HuntedTest};
use super::super::{escape, excerpt, hunted, sentence};
use super::page::{Column, Fit, Grid, Page};

pub(super) fn lay_out(view: &HuntView, page: &mut Page) {
    let (tone, said) = hunted::headline(view);
    let (word, rest) = said.split_once(':').unwrap_or((said.as_str(), ""));
    let colon = if rest.is_empty() { "" } else { ":" };
    let word = page.mark(tone, &format!("{word}{colon}"));
    page.prose(&format!("{word}{rest}"));
    for line in [hunted::could_have_found(view), hunted::endings(view)].into_iter().flatten() {
        page.prose(&line);
    }
    if view.tests_seen > 0 {
        let seen = sentence::count(view.tests_seen, "test");
        let failed = match view.tests.len() {
            0 => "none of which ever failed".to_owned(),
            failed => format!("{} of which failed at some time", sentence::number(failed as u64)),
        };
        page.prose(&format!("The reports have {seen}, {failed}."));
    }
    tests(&view.tests, page);
    if let Some(first) = &view.first_failure {
        first_failure(first, page);
    }
    page.blank();
    for note in &view.notes {
        let note = page.mark(Tone::Faint, &escape::line(note));
        page.prose(&note);
    }
    if let Some(history) = &view.history {
        page.prose(&format!("The runs are stored in {}", escape::line(history)));
        page.hints(&[("flakedb report".to_owned(), "what the history says now")]);
    }
}

fn tests(tests: &[HuntedTest], page: &mut Page) {
    if tests.is_empty() {
        return;
    }
    page.blank();
    let row = |test: &HuntedTest| {
        let [word, counts, rate] = hunted::test_cells(test);
        let tone = if test.seen.finding == "always-fails" { Tone::Bad } else { Tone::Unsteady };
        let name = escape::line(&test.test);
        let mut name = escape::shortened(&name, NAME_CHARS_MAX).into_owned();
        if !test.failure.is_empty() {
            let failure = escape::line(&test.failure);
            let failure = escape::shortened(&failure, HEADLINE_CHARS_MAX);
            name += &format!("\n{}", page.mark(Tone::Faint, &failure));
        }
        vec![name, page.mark(tone, &word), counts, rate]
    };
    let rows = tests.iter().take(TERMINAL_TESTS_MAX).map(row).collect();
    let columns = vec![
        Column("Test", Fit::Name),
        Column("Finding", Fit::Content),
        Column("Failed", Fit::Number),
        Column("Rate", Fit::Number),
    ];
    page.grid(&Grid { columns, rows, ..Grid::default() });
    let more = tests.len().saturating_sub(TERMINAL_TESTS_MAX);
    if more > 0 {
        let more = sentence::count(more as u64, "more test");
        page.prose(&format!("{more} not shown here; --format json has all of them"));
    }
}

fn first_failure(first: &FailedRun, page: &mut Page) {
    let beside = if first.alone { "" } else { ", beside others" };
    page.section(&format!("Run {} ({}{beside})", first.run, escape::line(&first.how)));
    let lines = excerpt::of(&first.output, "");
    if lines.is_empty() {
        page.quoted(2, "It wrote nothing.");
    }
    for line in &lines {
        page.quoted(2, line);
    }
    if let Some(log) = &first.log {
        page.whole(&format!("  All of its output is in {}", escape::line(log)));
    }
}
