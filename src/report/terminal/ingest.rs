//! What an ingest did, on a terminal.

use super::super::limits::{HEADLINE_CHARS_MAX, PROBLEMS_SHOWN_MAX};
use super::super::palette::Tone;
use super::super::view::{FileProblem, FileVerdict, IngestView};
use super::super::{escape, sentence};
use super::page::{Column, Fit, Grid, Page};

pub(super) fn lay_out(view: &IngestView, page: &mut Page) {
    problems(&view.problems, page);
    page.blank();
    if view.files == 0 {
        page.prose("No reports were found, so nothing was stored.");
        page.hints(&[(
            "flakedb ingest 'build/**/*.xml'".to_owned(),
            "takes paths, directories, globs and archives",
        )]);
        return;
    }
    page.prose(&stored(view, page));
    page.prose(&results(view, page));
    let left = left_out(view);
    if !left.is_empty() {
        page.prose(&left.join("; "));
    }
    for note in &view.notes {
        let note = page.mark(Tone::Faint, &escape::line(note));
        page.prose(&note);
    }
    phases(view, page);
    let stored = view.reports_new + view.reports_known > 0;
    let validates = view.formats.is_empty();
    page.hints(&match (stored, view.rejected + view.salvaged + view.warnings) {
        (false, _) if !validates => {
            vec![("flakedb ingest PATHS --format json".to_owned(), "lists all that is wrong")]
        }
        (true, _) if !validates => {
            vec![("flakedb report".to_owned(), "shows what the history says now")]
        }
        (true, 0) => vec![("flakedb report".to_owned(), "shows what the history says now")],
        (true, _) => vec![
            ("flakedb report".to_owned(), "shows what the history says now"),
            ("flakedb validate PATHS".to_owned(), "shows what is wrong with the reports"),
        ],
        (false, _) => {
            vec![("flakedb validate PATHS".to_owned(), "shows what is wrong with the reports")]
        }
    });
}

/// `Stored 12 reports in 3 runs of shop (2 reports were known).`
fn stored(view: &IngestView, page: &Page) -> String {
    let reports = sentence::count(view.reports_new, "report");
    let mut runs = Vec::new();
    if view.runs_new > 0 {
        runs.push(sentence::count(view.runs_new, "new run"));
    }
    if view.runs_extended > 0 {
        runs.push(sentence::count(view.runs_extended, "known run"));
    }
    let projects: Vec<String> = view
        .projects
        .iter()
        .map(|project| page.mark(Tone::Strong, &escape::line(project)))
        .collect();
    let of = if projects.is_empty() {
        String::new()
    } else {
        format!(" of {}", sentence::list(&projects))
    };
    let known = match view.reports_known {
        0 => String::new(),
        known => format!("; {} stored already", sentence::count(known, "report")),
    };
    match (view.reports_new, view.reports_known) {
        (0, 0) => format!("Nothing was stored in {}", escape::line(&view.history)),
        (0, known) => format!(
            "Nothing new{of}: {} stored already in {}",
            sentence::count(known, "report"),
            escape::line(&view.history)
        ),
        _ => format!(
            "Stored {reports} in {}{of} in {}{known}",
            sentence::list(&runs),
            escape::line(&view.history)
        ),
    }
}

/// `1,204 results: 1,190 passed (3 on retry), 10 failed, 4 skipped`.
fn results(view: &IngestView, page: &Page) -> String {
    let counts = &view.results;
    let retried = match counts.flaky {
        0 => String::new(),
        flaky => format!(" ({} on retry)", sentence::number(flaky)),
    };
    let parts: Vec<String> = [
        (counts.passed, "passed", Tone::Good),
        (counts.failed, "failed", Tone::Bad),
        (counts.errored, "errored", Tone::Bad),
        (counts.skipped, "skipped", Tone::Faint),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, word, tone)| {
        let text = page.mark(tone, &format!("{} {word}", sentence::number(count)));
        if word == "passed" { text + &page.mark(Tone::Unsteady, &retried) } else { text }
    })
    .collect();
    let all = sentence::count(counts.cases, "result");
    let new = match view.tests_new {
        0 => String::new(),
        tests => format!("; {}", sentence::count(tests, "new test")),
    };
    match parts.as_slice() {
        [] => format!("{all}{new}"),
        parts => format!("{all}: {}{new}", parts.join(", ")),
    }
}

fn left_out(view: &IngestView) -> Vec<String> {
    [
        (view.rejected, "report", "refused"),
        (view.salvaged, "report", "damaged, whole cases kept"),
        (view.passed_over, "file", "passed over as no JUnit report"),
        (view.warnings, "warning", "about the reports"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, noun, what)| format!("{} {what}", sentence::count(count, noun)))
    .collect()
}

fn problems(problems: &[FileProblem], page: &mut Page) {
    let row = |problem: &FileProblem| {
        let tone = match problem.verdict {
            FileVerdict::Reject => Tone::Bad,
            FileVerdict::Salvage | FileVerdict::Warn => Tone::Unsteady,
            FileVerdict::Accept => Tone::Faint,
        };
        let message = escape::line(&problem.message);
        format!(
            "{}: {}: {}",
            place(&problem.file, problem.line, problem.column),
            page.mark(tone, &escape::line(&problem.code)),
            escape::shortened(&message, HEADLINE_CHARS_MAX),
        )
    };
    let lines: Vec<String> = problems.iter().take(PROBLEMS_SHOWN_MAX).map(row).collect();
    for line in lines {
        page.prose(&line);
    }
    let more = problems.len().saturating_sub(PROBLEMS_SHOWN_MAX);
    if more > 0 {
        page.prose(&format!(
            "{} not shown here; --format json lists them all",
            sentence::count(more as u64, "more problem")
        ));
    }
}

/// A place as editors understand it: `file:line:column`.
pub(super) fn place(file: &str, line: u32, column: u32) -> String {
    let file = escape::line(file);
    match (line, column) {
        (0, _) => file.into_owned(),
        (line, 0) => format!("{file}:{line}"),
        (line, column) => format!("{file}:{line}:{column}"),
    }
}

fn phases(view: &IngestView, page: &mut Page) {
    if view.phases.is_empty() {
        return;
    }
    page.section("Where time went");
    let total: f64 = view.phases.iter().map(|phase| phase.seconds).sum();
    let mut rows: Vec<Vec<String>> = view
        .phases
        .iter()
        .map(|phase| {
            let share = if total > 0.0 { phase.seconds / total } else { 0.0 };
            vec![phase.name.to_owned(), sentence::seconds(phase.seconds), sentence::percent(share)]
        })
        .collect();
    rows.push(vec!["total".to_owned(), sentence::seconds(total), throughput(view, total)]);
    let columns = vec![Column("", Fit::Content), Column("", Fit::Number), Column("", Fit::Content)];
    page.grid(&Grid { columns, rows, indent: 2, ..Grid::default() });
}

fn throughput(view: &IngestView, seconds: f64) -> String {
    if seconds <= 0.0 || view.bytes == 0 {
        return String::new();
    }
    let rate = (view.bytes as f64 / seconds) as u64;
    format!("{}, {}/s", sentence::bytes(view.bytes), sentence::bytes(rate))
}
