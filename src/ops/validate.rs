//! What is wrong with some reports.

use crate::context::input::{Document, InputProblem, Severity};
use crate::import::Format;
use crate::junit::{Code, Level as JunitLevel, Reading, Verdict};
use crate::report::view::{FileVerdict, FileView, Level, ValidateView, WarningView};

use super::Watcher;
use super::reading::{Input, ReadRequest, read_all};

/// Reads everything and describes what is wrong with it.
#[must_use]
pub fn validate(request: &ReadRequest, watcher: &dyn Watcher) -> ValidateView {
    ValidateView::new(read_all(request, watcher, &|input| match input {
        Input::Problem(problem) => unread(&problem),
        Input::Read(read) => described(&read.0, &read.1),
        Input::Import(import) => of_another_format(&import.document, import.format),
    }))
}

/// The reader's verdict in the words of a view.
#[must_use]
pub const fn verdict_of(verdict: Verdict) -> FileVerdict {
    match verdict {
        Verdict::Accept => FileVerdict::Accept,
        Verdict::Warn => FileVerdict::Warn,
        Verdict::Salvage => FileVerdict::Salvage,
        Verdict::Reject => FileVerdict::Reject,
    }
}

const fn level_of(level: JunitLevel) -> Level {
    match level {
        JunitLevel::Invalid => Level::Invalid,
        JunitLevel::Suboptimal => Level::SubOptimal,
        JunitLevel::Note => Level::Note,
    }
}

/// Codes of files that are something else, and no damaged report.
const FOREIGN: [Code; 3] = [Code::NotJunit, Code::NotXml, Code::Html];

/// True for a file that is no report and was found, not named: coverage reports and configurations
/// lie beside reports.
#[must_use]
pub fn is_passed_over(document: &Document, reading: &Reading) -> bool {
    reading.verdict == Verdict::Reject
        && !document.named
        && reading.code().is_some_and(|code| FOREIGN.contains(&code))
}

fn unread(problem: &InputProblem) -> FileView {
    let (verdict, level) = match problem.severity {
        Severity::Reject => (FileVerdict::Reject, Level::Invalid),
        Severity::Warn => (FileVerdict::Warn, Level::SubOptimal),
    };
    let counts = (verdict == FileVerdict::Warn).then(Default::default);
    let mut view = FileView::new(problem.name.clone(), verdict, counts);
    view.code = problem.code.as_str().to_owned();
    view.warnings.push(WarningView {
        code: view.code.clone(),
        level,
        line: 0,
        column: 0,
        offset: 0,
        path: String::new(),
        message: problem.message.clone(),
    });
    view
}

/// A document that ingest reads and this command does not judge.
fn of_another_format(document: &Document, format: &Format) -> FileView {
    let verdict = if document.named { FileVerdict::Reject } else { FileVerdict::Warn };
    let mut view = FileView::new(document.name.clone(), verdict, None);
    view.code = Code::NotXml.as_str().to_owned();
    view.warnings.push(WarningView {
        code: view.code.clone(),
        level: if document.named { Level::Invalid } else { Level::Note },
        line: 0,
        column: 0,
        offset: 0,
        path: String::new(),
        message: format!(
            "is no JUnit XML but {}; `flakedb ingest --dry-run` says what is wrong with it",
            format.name
        ),
    });
    view
}

fn described(document: &Document, reading: &Reading) -> FileView {
    // What a walk or a glob brings along may be something else; what was named may not.
    let is_passed_over = is_passed_over(document, reading);
    let verdict = if is_passed_over { FileVerdict::Warn } else { verdict_of(reading.verdict) };
    let counts = (verdict != FileVerdict::Reject).then_some(reading.report.counts);
    let mut view = FileView::new(document.name.clone(), verdict, counts);
    view.producer = reading.report.producer.to_owned();
    view.warnings_dropped = reading.warnings_dropped;
    // What only notes leave a report fine, and a fine report has no code.
    let code = reading.code().filter(|_| verdict != FileVerdict::Accept);
    view.code = code.map_or_else(String::new, |code| code.as_str().to_owned());
    view.warnings = reading
        .warnings
        .iter()
        .map(|warning| WarningView {
            code: warning.code.as_str().to_owned(),
            level: level_of(warning.code.level()),
            line: warning.line,
            column: warning.column,
            offset: warning.offset,
            path: warning.path.clone(),
            message: warning.message.clone(),
        })
        .collect();
    view
}
