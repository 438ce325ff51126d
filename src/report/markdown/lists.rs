//! What is a summary and a list: an ingest, a validation.

use super::super::sentence;
use super::super::view::{FileView, IngestView, ValidateView};
use super::document::{Document, code, text};

pub(super) fn ingest(view: &IngestView, document: &mut Document) {
    document.heading(2, "Test reports");
    let counts = &view.results;
    document.paragraph(&format!(
        "{}, {} new in {}: {} ({} passed, {} failed, {} errored, {} skipped, {} passed on retry).",
        sentence::count(view.files, "report"),
        sentence::number(view.reports_new),
        sentence::count(view.runs_new + view.runs_extended, "run"),
        sentence::count(counts.cases, "result"),
        sentence::number(counts.passed),
        sentence::number(counts.failed),
        sentence::number(counts.errored),
        sentence::number(counts.skipped),
        sentence::number(counts.flaky),
    ));
    let rows: Vec<Vec<String>> = view
        .problems
        .iter()
        .map(|problem| {
            vec![
                problem.verdict.word().to_owned(),
                place(&problem.file, problem.line, problem.column),
                code(&problem.code),
                text(&problem.message),
            ]
        })
        .collect();
    document.table(&["Verdict", "Place", "Code", "What is wrong"], &rows, "problem");
    if !view.notes.is_empty() {
        let notes: Vec<String> = view.notes.iter().map(|note| text(note)).collect();
        document.list(&notes);
    }
}

pub(super) fn validate(view: &ValidateView, document: &mut Document) {
    document.heading(2, "Test reports checked");
    document.paragraph(&format!(
        "{}: {} fine, {} with warnings, {} damaged, {} refused.",
        sentence::count(view.files.len() as u64, "file"),
        sentence::number(view.accepted),
        sentence::number(view.warned),
        sentence::number(view.salvaged),
        sentence::number(view.rejected),
    ));
    let rows: Vec<Vec<String>> = view.files.iter().flat_map(warnings).collect();
    document.table(&["Level", "Place", "Code", "What is wrong"], &rows, "warning");
}

fn warnings(file: &FileView) -> impl Iterator<Item = Vec<String>> + '_ {
    file.warnings.iter().map(|warning| {
        vec![
            warning.level.word().to_owned(),
            place(&file.file, warning.line, warning.column),
            code(&warning.code),
            text(&warning.message),
        ]
    })
}

fn place(file: &str, line: u32, column: u32) -> String {
    match (line, column) {
        (0, _) => code(file),
        (line, column) => code(&format!("{file}:{line}:{column}")),
    }
}
