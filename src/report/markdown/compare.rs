//! Several methods side by side as Markdown.

use super::super::limits::STRIP_COLUMN_MAX;
use super::super::view::{CompareView, DisputeView, MethodView};
use super::super::{sentence, strip};
use super::document::{Document, code, text};

pub(super) fn write(view: &CompareView, document: &mut Document) {
    document.heading(2, &format!("{}: methods compared", text(&view.project)));
    if view.runs.total == 0 {
        document.paragraph(&format!(
            "No runs in this window ({}), so there is nothing to judge yet.",
            text(&view.window.text)
        ));
        return;
    }
    document.paragraph(&format!(
        "{} in {} ({}), judged by {}; the others are compared with {}.",
        sentence::count(view.verdicts, "test"),
        sentence::count(view.runs.total, "run"),
        text(&view.window.text),
        sentence::count(view.methods.len() as u64, "method"),
        code(&view.reference),
    ));
    let rows: Vec<Vec<String>> =
        view.methods.iter().map(|method| row(method, &view.reference)).collect();
    let only = format!("Only {}", text(&view.reference));
    let titles = [
        "Method",
        "Flaky",
        "Suspect",
        "Broken",
        "Quarantine",
        "Flaky in both",
        "Only here",
        &only,
        "What it looks for",
    ];
    document.table(&titles, &rows, "method");
    if view.disputes.is_empty() {
        document.paragraph("They call the same tests flaky and the same tests broken.");
        return;
    }
    let count = sentence::count(view.disputes.len() as u64, "test");
    document.heading(3, &format!("Where they differ: {count}"));
    let rows: Vec<Vec<String>> = view.disputes.iter().map(dispute).collect();
    document.table(&["Test", "Runs, latest at the right", "What they say, and why"], &rows, "test");
    document.paragraph(&format!("<sub>{}</sub>", strip::LEGEND.join(" · ")));
}

fn row(method: &MethodView, reference: &str) -> Vec<String> {
    let mut row = vec![code(method.method)];
    let counts = [method.flaky, method.suspect, method.broken, method.quarantine];
    row.extend(counts.map(sentence::number));
    let compared = [method.both, method.only_this, method.only_reference];
    row.extend(compared.map(|count| match method.method == reference {
        true => String::new(),
        false => sentence::number(count),
    }));
    row.push(text(method.summary));
    row
}

fn dispute(dispute: &DisputeView) -> Vec<String> {
    let said: Vec<String> = dispute
        .said()
        .into_iter()
        .map(|said| {
            let methods: Vec<String> = said.methods.iter().map(|name| code(name)).collect();
            let why: Vec<String> = said.why.iter().map(|why| text(why)).collect();
            format!(
                "**{}**: {}: {}",
                sentence::status(said.status),
                methods.join(", "),
                why.join("; ")
            )
        })
        .collect();
    let bad = u64::from(dispute.failures) + u64::from(dispute.retried);
    let mut name = code(&dispute.label());
    name += &format!(
        "<br>failed in {} of {}",
        sentence::number(bad),
        sentence::count(dispute.executions, "run")
    );
    if let Some(harm) = sentence::reddened_alone(dispute.reddened_alone) {
        name += &format!("<br>{harm}");
    }
    vec![name, code(&strip::folded(&dispute.strip, STRIP_COLUMN_MAX)), said.join("<br>")]
}
