//! The verdicts of a window as Markdown.

use super::super::limits::STRIP_COLUMN_MAX;
use super::super::view::{ReportView, TestView};
use super::super::{sentence, strip};
use super::document::{Document, code, text};

pub(super) fn write(view: &ReportView, document: &mut Document) {
    document.heading(2, &format!("{}: test verdicts", text(&view.project)));
    if view.runs.total == 0 {
        document.paragraph(&format!(
            "No runs in this window ({}), so there is nothing to judge yet.",
            text(&view.window.text)
        ));
        return;
    }
    document.paragraph(&summary(view));
    document.paragraph(&format!("{}.", sentence::trend(&view.runs)));
    if view.tests.is_empty() {
        document.paragraph(match view.listing {
            "only" => "No test has this status.",
            _ => "No test needs attention.",
        });
        return;
    }
    let rows: Vec<Vec<String>> = view.tests.iter().map(row).collect();
    document.table(
        &["Status", "Test", "Failed", "Runs, latest at the right", "Why"],
        &rows,
        "test",
    );
    document.paragraph(&format!("<sub>{}</sub>", strip::LEGEND.join(" · ")));
    if !view.outages.is_empty() {
        let runs = sentence::count(view.outages.len() as u64, "run");
        document.paragraph(&format!(
            "{runs} set aside, in which many tests failed together, and not before or after: \
             failures there count against no test."
        ));
    }
}

fn summary(view: &ReportView) -> String {
    let counts: Vec<String> = view
        .totals
        .by_status
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| {
            format!("{} {}", sentence::number(*count), sentence::status(*status))
        })
        .collect();
    format!(
        "{} in {} ({}): {}.",
        sentence::count(view.totals.tests, "test"),
        sentence::count(view.runs.total, "run"),
        text(&view.window.text),
        counts.join(", ")
    )
}

fn row(test: &TestView) -> Vec<String> {
    let failing = test.failing();
    let failed = format!(
        "{} of {}{}",
        sentence::number(failing.bad.into()),
        sentence::number(failing.of.into()),
        failing.rate.map(|rate| format!("<br>{}", sentence::rate(rate))).unwrap_or_default()
    );
    let owners = match test.owners.as_slice() {
        [] => String::new(),
        owners => format!("<br>{}", code(&owners.join(" "))),
    };
    let mut why = text(&test.reason);
    if let Some(harm) = sentence::harm(test.reddened_alone) {
        why += &format!("<br>{harm}");
    }
    vec![
        sentence::status(test.status).to_owned(),
        code(&test.label()) + &owners,
        failed,
        code(&strip::folded(&test.strip, STRIP_COLUMN_MAX)),
        why,
    ]
}
