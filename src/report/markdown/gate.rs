//! The decision on a run, as a job summary or the body of a comment.

use super::super::limits::{GATE_MISSING_SHOWN_MAX, HEADLINE_CHARS_MAX};
use super::super::view::{GateTestView, GateView};
use super::super::{escape, sentence};
use super::document::{Document, code, text};

pub(super) fn write(view: &GateView, document: &mut Document) {
    let title = match view.decision {
        "passed" => "Tests passed",
        "excused" => "Test failures excused",
        _ => "Test failures not excused",
    };
    document.heading(2, title);
    document.paragraph(&format!("**{}**", text(&view.headline)));
    if let Some(first) = view.reasons.first() {
        document.paragraph(&format!("What to do: {}", text(first.mend)));
    }
    if let [_, others @ ..] = view.reasons.as_slice()
        && !others.is_empty()
    {
        document.paragraph("Also:");
        let items: Vec<String> = others.iter().map(|reason| text(&reason.text)).collect();
        document.list(&items);
    }
    tests(view, document);
    missing(view, document);
    document.paragraph(&basis(view));
}

fn tests(view: &GateView, document: &mut Document) {
    let mut tests: Vec<&GateTestView> = view.tests.iter().collect();
    tests.sort_by_key(|test| rank(test));
    let row = |test: &&GateTestView| {
        let mut name = code(&test.name());
        if !test.message.is_empty() {
            let message = escape::line(&test.message).into_owned();
            name += &format!("<br>{}", text(&escape::shortened(&message, HEADLINE_CHARS_MAX)));
        }
        let ticket = test.entry.as_ref().and_then(|entry| entry.ticket.as_deref());
        let mut cover = text(&test.cover_text());
        if let Some(ticket) = ticket {
            cover += &format!("<br>{}", code(ticket));
        }
        let outcome = match rank(test) {
            0 => "**not excused**",
            1 => "quarantined",
            _ => "passed on retry",
        };
        let mut news = text(&test.news_text);
        if test.p.is_some() {
            news += "<br>**worse than its own record**";
        }
        vec![name, outcome.to_owned(), cover, news, code(&test.owners.join(" "))]
    };
    let rows: Vec<Vec<String>> = tests.iter().map(row).collect();
    document.table(&["Test", "Decision", "Entry", "Is it new?", "Owner"], &rows, "test");
}

fn rank(test: &GateTestView) -> u8 {
    match (test.is_blocking(), test.is_excused()) {
        (true, _) => 0,
        (_, true) => 1,
        _ => 2,
    }
}

fn missing(view: &GateView, document: &mut Document) {
    let all = &view.expected.missing;
    if all.is_empty() {
        return;
    }
    document.paragraph(&format!("Did not run ({}):", sentence::number(all.len() as u64)));
    let mut items: Vec<String> = all
        .iter()
        .take(GATE_MISSING_SHOWN_MAX)
        .map(|one| match (one.skipped, one.removed) {
            (_, true) => format!("{} (removed on purpose)", code(&one.test)),
            (true, _) => format!("{} (skipped, always ran before)", code(&one.test)),
            (false, _) => code(&one.test),
        })
        .collect();
    let more = all.len().saturating_sub(GATE_MISSING_SHOWN_MAX);
    items.extend((more > 0).then(|| format!("{} more", sentence::number(more as u64))));
    document.list(&items);
}

fn basis(view: &GateView) -> String {
    let mut parts = vec![code(&view.project)];
    parts.extend((!view.variant.is_empty()).then(|| code(&view.variant)));
    parts.extend(view.branch.as_deref().map(|branch| format!("branch {}", code(branch))));
    parts.extend(
        view.revision
            .as_deref()
            .map(|revision| format!("revision {}", code(&sentence::revision(revision)))),
    );
    parts.push(sentence::count(view.reports.len() as u64, "report"));
    if view.expected.known {
        parts.push(format!(
            "{} expected by the last {}",
            sentence::count(view.expected.tests, "test"),
            sentence::count(view.expected.runs, "run")
        ));
    }
    parts.join(" · ")
}
