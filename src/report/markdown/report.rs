//! The verdicts of a window as Markdown.

use super::super::limits::{OUTAGES_SHOWN_MAX, STRIP_COLUMN_MAX};
use super::super::view::{Explain, ReportView, TestView, WeighingView};
use super::super::{explanation, phrase, sentence, strip};
use super::document::{Document, code, text};
use crate::analysis::verdict::Status;

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
    for note in &view.notes {
        document.paragraph(&text(note));
    }
    if view.tests.is_empty() {
        document.paragraph(match view.listing {
            "only" => "No test has this status.",
            _ => "No test needs attention.",
        });
        return;
    }
    let row = |test: &TestView| row(test, view.explain);
    let rows: Vec<Vec<String>> = view.tests.iter().map(row).collect();
    document.table(
        &["Status", "Test", "Failed", "Runs, latest at the right", "Why"],
        &rows,
        "test",
    );
    document.paragraph(&format!(
        "<sub>{}</sub><br><sub>{}</sub>",
        sentence::ORDER,
        strip::LEGEND.join(" · ")
    ));
    if !view.outages.is_empty() {
        let runs = sentence::count(view.outages.len() as u64, "run");
        document.paragraph(&format!(
            "{runs} set aside, in which many tests failed together, and not before or after: \
             failures there count against no test."
        ));
    }
    let groups: Vec<String> =
        view.groups().rev().map(|event| text(&explanation::group(event))).collect();
    if !groups.is_empty() {
        document.paragraph("Tests that failed together:");
        document.list(groups.get(..OUTAGES_SHOWN_MAX).unwrap_or(&groups));
        if let more @ 1.. = groups.len().saturating_sub(OUTAGES_SHOWN_MAX) {
            let more = sentence::count(more as u64, "earlier group");
            document.paragraph(&format!("{more} not shown here; the JSON format has all of them."));
        }
    }
}

fn summary(view: &ReportView) -> String {
    format!(
        "{} in {} ({}): {}.",
        sentence::count(view.totals.tests, "test"),
        sentence::count(view.runs.total, "run"),
        text(&view.window.text),
        phrase::statuses(&view.totals)
    )
}

fn row(test: &TestView, explain: Explain) -> Vec<String> {
    let failing = test.failing();
    let failed = format!(
        "{} of {}{}",
        sentence::number(failing.bad.into()),
        sentence::number(failing.of.into()),
        failing.rate.map(|rate| format!("<br>{}", sentence::rate(rate))).unwrap_or_default()
    ) + &sentence::trend_of(failing.trend)
        .map(|words| format!("<br>{words}"))
        .unwrap_or_default();
    let owners = match test.owners.as_slice() {
        [] => String::new(),
        owners => format!("<br>{}", code(&owners.join(" "))),
    };
    let mut why = text(&test.reason);
    let doubt = sentence::may_be_broken(test.status, test.broken_probability);
    for more in doubt.into_iter().chain(sentence::harm(test.harm)) {
        why += &format!("<br>{more}");
    }
    if let (Explain::Yes, Some(weighing)) = (explain, &test.weighing) {
        why += &weights(weighing, test.status);
    }
    vec![
        sentence::status(test.status).to_owned(),
        code(&test.label()) + &owners,
        failed,
        code(&strip::folded(&test.strip, STRIP_COLUMN_MAX)),
        why,
    ]
}

/// What weighed how much, folded away below the reason.
fn weights(weighing: &WeighingView, status: Status) -> String {
    let lines = explanation::rows(weighing);
    let lines = lines.iter().map(|(weight, words)| format!("<br>{weight} {}", text(words)));
    let besides = explanation::besides(status).map(|line| format!("<br>{line}"));
    let all: String = besides.into_iter().chain(lines).collect();
    format!("<details><summary>weights</summary>{}{all}</details>", explanation::LEGEND)
}
