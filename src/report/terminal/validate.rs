//! What is wrong with some reports, on a terminal.

use super::super::limits::{PATH_CHARS_MAX, WARNINGS_SHOWN_MAX};
use super::super::palette::Tone;
use super::super::view::{FileVerdict, FileView, Level, ValidateView, WarningView};
use super::super::{escape, sentence};
use super::ingest::place;
use super::page::Page;

pub(super) fn lay_out(view: &ValidateView, page: &mut Page) {
    if view.files.is_empty() {
        page.prose("No reports were found, so there is nothing to check.");
        return;
    }
    for file in &view.files {
        if file.verdict != FileVerdict::Accept || !file.warnings.is_empty() {
            page.blank();
            lay_out_file(file, page);
        }
    }
    page.blank();
    page.prose(&summary(view, page));
}

fn lay_out_file(file: &FileView, page: &mut Page) {
    let verdict = page.mark(tone(file.verdict), &said(file.verdict));
    let name = page.mark(Tone::Strong, &escape::line(&file.file));
    page.prose(&format!("{name}: {verdict}{}", counts(file)));
    for warning in file.warnings.iter().take(WARNINGS_SHOWN_MAX) {
        lay_out_warning(file, warning, page);
    }
    let more =
        file.warnings.len().saturating_sub(WARNINGS_SHOWN_MAX) as u64 + file.warnings_dropped;
    if more > 0 {
        let text = format!(
            "{} not shown here; --format json has more",
            sentence::count(more, "more warning")
        );
        page.quoted(2, &text);
    }
}

fn lay_out_warning(file: &FileView, warning: &WarningView, page: &mut Page) {
    let tone = match warning.level {
        Level::Invalid => Tone::Bad,
        Level::SubOptimal => Tone::Unsteady,
        Level::Note => Tone::Faint,
    };
    let level =
        page.mark(tone, &format!("{} {}", warning.level.word(), escape::line(&warning.code)));
    page.quoted(2, &format!("{}: {level}", place(&file.file, warning.line, warning.column)));
    page.quoted(6, &escape::line(&warning.message));
    if !warning.path.is_empty() {
        let path = escape::line(&warning.path);
        let path = escape::shortened_inside(&path, PATH_CHARS_MAX);
        let path = page.mark(Tone::Faint, &format!("in {path}"));
        page.quoted(6, &path);
    }
}

fn said(verdict: FileVerdict) -> String {
    match verdict {
        FileVerdict::Accept => "fine",
        FileVerdict::Warn => "readable, with warnings",
        FileVerdict::Salvage => "damaged; its whole cases can be used",
        FileVerdict::Reject => "refused",
    }
    .to_owned()
}

const fn tone(verdict: FileVerdict) -> Tone {
    match verdict {
        FileVerdict::Accept => Tone::Good,
        FileVerdict::Warn | FileVerdict::Salvage => Tone::Unsteady,
        FileVerdict::Reject => Tone::Bad,
    }
}

fn counts(file: &FileView) -> String {
    let Some(cases) = file.cases else { return String::new() };
    let parts: Vec<String> = [
        (file.passed, "passed"),
        (file.failed, "failed"),
        (file.errored, "errored"),
        (file.skipped, "skipped"),
        (file.flaky, "of them flaky"),
    ]
    .into_iter()
    .filter_map(|(count, word)| Some((count.filter(|count| *count > 0)?, word)))
    .map(|(count, word)| format!("{} {word}", sentence::number(count)))
    .collect();
    let producer = match file.producer.as_str() {
        "" | "unknown" => String::new(),
        producer => format!(", written by {}", escape::line(producer)),
    };
    let cases = sentence::count(cases, "case");
    match parts.as_slice() {
        [] => format!(" · {cases}{producer}"),
        parts => format!(" · {cases}: {}{producer}", parts.join(", ")),
    }
}

fn summary(view: &ValidateView, page: &Page) -> String {
    let parts: Vec<String> = [
        (view.accepted, "fine", FileVerdict::Accept),
        (view.warned, "with warnings", FileVerdict::Warn),
        (view.salvaged, "damaged", FileVerdict::Salvage),
        (view.rejected, "refused", FileVerdict::Reject),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, word, verdict)| {
        page.mark(tone(verdict), &format!("{} {word}", sentence::number(count)))
    })
    .collect();
    let files = sentence::count(view.files.len() as u64, "file");
    format!("{files}: {}", parts.join(", "))
}
