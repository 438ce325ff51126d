//! The decision on a run, on a terminal.

use super::super::limits::{
    FIELD_CHARS_MAX, GATE_MISSING_SHOWN_MAX, GATE_TESTS_SHOWN_MAX, HEADLINE_CHARS_MAX,
    NAME_CHARS_MAX,
};
use super::super::palette::Tone;
use super::super::view::{ExpectedView, GateTestView, GateView};
use super::super::{escape, sentence};
use super::page::{Page, typed};

pub(super) fn lay_out(view: &GateView, page: &mut Page) {
    headline(view, page);
    if let Some(first) = view.reasons.first() {
        page.quoted(2, &page.mark(Tone::Faint, first.mend));
    }
    if let [_, others @ ..] = view.reasons.as_slice()
        && !others.is_empty()
    {
        page.section("Also");
        for reason in others {
            page.bullet(&escape::line(&reason.text));
        }
    }
    let of = |pick: fn(&GateTestView) -> bool| -> Vec<&GateTestView> {
        view.tests.iter().filter(|test| pick(test)).collect()
    };
    tests("Not excused", Tone::Bad, &of(GateTestView::is_blocking), page);
    tests("Quarantined", Tone::Unsteady, &of(GateTestView::is_excused), page);
    tests("Passed on retry", Tone::Unsteady, &of(|test| !test.outcome.is_bad()), page);
    missing(&view.expected, page);
    page.blank();
    page.prose(&page.mark(Tone::Faint, &basis(view)));
    hints(view, page);
}

/// Never broken: whoever reads the first line alone must have all of it.
fn headline(view: &GateView, page: &mut Page) {
    let tone = match (view.decision, view.reasons.is_empty()) {
        ("passed", true) => Tone::Good,
        ("kept", _) => Tone::Bad,
        _ => Tone::Unsteady,
    };
    let line = escape::line(&view.headline).into_owned();
    let line = match line.split_once(':') {
        Some((word, rest)) => format!("{}:{rest}", page.mark(tone, word)),
        None => line,
    };
    page.whole(&line);
}

fn tests(title: &str, tone: Tone, tests: &[&GateTestView], page: &mut Page) {
    if tests.is_empty() {
        return;
    }
    page.section(&format!("{title} ({})", sentence::number(tests.len() as u64)));
    for test in tests.iter().take(GATE_TESTS_SHOWN_MAX) {
        let name = escape::line(&test.name()).into_owned();
        let name = escape::shortened(&name, NAME_CHARS_MAX).into_owned();
        page.quoted(2, &page.mark(tone, &name));
        let mut said = vec![field(&test.cover_text())];
        said.extend((!test.owners.is_empty()).then(|| field(&test.owners.join(" "))));
        said.extend(test.entry.as_ref().and_then(|entry| entry.ticket.as_deref()).map(field));
        page.quoted(4, &said.join(" · "));
        page.quoted(4, &news(test));
        if !test.message.is_empty() {
            let message = escape::line(&test.message).into_owned();
            let message = escape::shortened(&message, HEADLINE_CHARS_MAX).into_owned();
            page.quoted(4, &page.mark(Tone::Faint, &message));
        }
    }
    more(tests.len(), GATE_TESTS_SHOWN_MAX, page);
}

fn field(text: &str) -> String {
    escape::shortened(&escape::line(text), FIELD_CHARS_MAX).into_owned()
}

fn news(test: &GateTestView) -> String {
    match test.p {
        None => test.news_text.clone(),
        Some(p) => format!("{}; worse than its own record (p = {p:.1e})", test.news_text),
    }
}

fn missing(expected: &ExpectedView, page: &mut Page) {
    let gone: Vec<String> = expected
        .missing
        .iter()
        .map(|one| {
            let name = escape::line(&one.test).into_owned();
            let name = escape::shortened(&name, NAME_CHARS_MAX).into_owned();
            match (one.skipped, one.removed) {
                (_, true) => format!("{name} (removed on purpose)"),
                (true, _) => format!("{name} (skipped, always ran before)"),
                (false, _) => name,
            }
        })
        .collect();
    if gone.is_empty() {
        return;
    }
    page.section(&format!("Did not run ({})", sentence::number(gone.len() as u64)));
    for name in gone.iter().take(GATE_MISSING_SHOWN_MAX) {
        page.bullet(name);
    }
    more(gone.len(), GATE_MISSING_SHOWN_MAX, page);
}

fn more(all: usize, shown: usize, page: &mut Page) {
    if let Some(more) = all.checked_sub(shown).filter(|more| *more > 0) {
        page.quoted(
            2,
            &format!("{} more; --format json has them all", sentence::number(more as u64)),
        );
    }
}

/// What the decision rests on.
fn basis(view: &GateView) -> String {
    let mut parts = vec![escape::line(&view.project).into_owned()];
    parts.extend((!view.variant.is_empty()).then(|| escape::line(&view.variant).into_owned()));
    parts.push(sentence::count(view.reports.len() as u64, "report"));
    parts.push(match view.expected.known {
        true => format!(
            "{} expected by the last {} of lane {}",
            sentence::count(view.expected.tests, "test"),
            sentence::count(view.expected.runs, "run"),
            view.expected.lane.unwrap_or_default()
        ),
        false => "nothing known of the tests that should run".to_owned(),
    });
    if view.list.state == "read" {
        parts.push(escape::line(&view.list.text).into_owned());
    }
    parts.join(" · ")
}

fn hints(view: &GateView, page: &mut Page) {
    let mut hints = Vec::new();
    if let Some(test) = view.tests.iter().find(|test| test.is_blocking()) {
        hints.push((
            format!("flakedb show {}", page.typed_in_hint(&test.test, &test.id)),
            "its history, and what would change its verdict",
        ));
    }
    let unfit = |code| ["report-unreadable", "report-damaged", "report-counts"].contains(&code);
    if view.reasons.iter().any(|reason| unfit(reason.code))
        && let Some(report) = view.reports.iter().find(|report| !report.flaws.is_empty())
    {
        hints.push((
            format!("flakedb validate {}", typed(&report.file, "REPORT")),
            "what is wrong with the report, and where",
        ));
    }
    page.hints(&hints);
}
