//! CSV for spreadsheets and data frames: a header, then one row for each test, entry or run.
//!
//! RFC 4180: commas, lines that end with CR LF, quotes where a field needs them. Control characters
//! are spelled out, so that a row is one line. Foreign text that a spreadsheet would take for a
//! formula gets an apostrophe in front, as OWASP advises ("CSV Injection"): what begins with
//! `=`, `+`, `-`, `@`, tab or carriage return. Columns are only ever added, at the end.

use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

use super::sheet::{Sheet, SheetCell};
use super::view::{QuarantineEntry, QuarantineView, ShowView, TestView};
use super::{Format, RenderError, Screen, View, escape};

/// The columns of a report: one row for each test and variant.
pub const REPORT_COLUMNS: [&str; 32] = [
    "test",
    "variant",
    "status",
    "probability",
    "broken_probability",
    "certainty",
    "score",
    "quarantine",
    "rate",
    "rate_low",
    "rate_high",
    "executions",
    "failures",
    "retried",
    "skipped",
    "flips",
    "reddened",
    "reddened_alone",
    "reddened_share",
    "lost_seconds",
    "duration_seconds",
    "last_failure",
    "last_run",
    "owners",
    "file",
    "suite",
    "classname",
    "name",
    "id",
    "strip",
    "reason",
    "trend",
];

/// The columns of the quarantine: one row for each entry and rule.
pub const QUARANTINE_COLUMNS: [&str; 23] = [
    "kind",
    "test",
    "variant",
    "pattern",
    "owner",
    "reason",
    "ticket",
    "since",
    "expires",
    "state",
    "age_days",
    "days_left",
    "tests",
    "status",
    "probability",
    "flakes",
    "runs",
    "clean_runs",
    "clean_runs_needed",
    "last_flake",
    "last_run",
    "file",
    "id",
];

/// The columns of one test: one row for each of its runs.
pub const SHOW_COLUMNS: [&str; 18] = [
    "test",
    "variant",
    "started",
    "outcome",
    "retried",
    "outage",
    "flake",
    "regression",
    "change",
    "outage_cause",
    "duration_seconds",
    "revision",
    "branch",
    "lane",
    "build",
    "attempt",
    "url",
    "id",
];

/// Writes a view as CSV.
///
/// # Errors
/// [`RenderError`] where the writer fails, or the view has no rows.
pub fn render(view: &View<'_>, _screen: Screen, out: &mut dyn Write) -> Result<(), RenderError> {
    match view {
        View::Report(view) => write(out, &REPORT_COLUMNS, view.tests.iter().map(test)),
        View::Quarantine(view) => write(out, &QUARANTINE_COLUMNS, quarantine(view)),
        View::Show(view) => write(out, &SHOW_COLUMNS, runs(view)),
        View::Question(view) => sheet(&view.sheet(), out),
        _ => Format::Csv.check(view.kind()),
    }
}

/// Writes an answer: the rows of all its tables below each other, each with the table that it is of.
///
/// A column that tables share stands once; what a table has no column for is empty.
fn sheet(sheet: &Sheet, out: &mut dyn Write) -> Result<(), RenderError> {
    let mut titles: Vec<&str> = Vec::new();
    for column in sheet.tables.iter().flat_map(|table| &table.columns) {
        if !titles.contains(&column.title) {
            titles.push(column.title);
        }
    }
    let rows = sheet.tables.iter().flat_map(|table| {
        let place = |title: &&str| table.columns.iter().position(|column| column.title == *title);
        let places: Vec<Option<usize>> = titles.iter().map(place).collect();
        table.rows.iter().map(move |row| {
            let cell = |place: &Option<usize>| {
                place.and_then(|place| row.get(place)).map(field).unwrap_or_default()
            };
            std::iter::once(table.caption.clone()).chain(places.iter().map(cell)).collect()
        })
    });
    let names = titles.iter().map(|title| title.to_lowercase().replace(' ', "_"));
    let names: Vec<String> = std::iter::once("table".to_owned()).chain(names).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    write(out, &names, rows)
}

/// A cell of an answer: numbers of ours as they are, everything else as foreign text.
fn field(cell: &SheetCell) -> String {
    match cell {
        SheetCell::Name(_) | SheetCell::Words(_) | SheetCell::Revision(_) => text(&cell.raw()),
        _ => cell.raw(),
    }
}

/// Writes a table whose cells have gone through [`text`], or are numbers and words of ours.
///
/// # Errors
/// [`RenderError`] where the writer fails.
pub(super) fn write(
    out: &mut dyn Write,
    columns: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<(), RenderError> {
    let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    let failed = |error: csv::Error| RenderError::Write(io::Error::from(error));
    csv.write_record(columns).map_err(failed)?;
    for row in rows {
        csv.write_record(row).map_err(failed)?;
    }
    csv.flush().map_err(RenderError::Write)
}

/// Foreign text that no spreadsheet takes for a formula, on one line.
pub(super) fn text(foreign: &str) -> String {
    let shown = escape::line(foreign);
    // A tab or a carriage return in front is spelled out by now; the backslash is no formula.
    match shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        true => format!("'{shown}"),
        false => shown.into_owned(),
    }
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn optional_text(value: Option<&str>) -> String {
    text(value.unwrap_or_default())
}

fn test(test: &TestView) -> Vec<String> {
    vec![
        text(&test.test),
        text(&test.variant),
        test.status.word().to_owned(),
        optional(test.probability),
        optional(test.broken_probability),
        optional(test.certainty),
        optional(test.score),
        test.quarantine.to_string(),
        test.rate.value.to_string(),
        test.rate.low.to_string(),
        test.rate.high.to_string(),
        test.executions.to_string(),
        test.failures.to_string(),
        test.retried.to_string(),
        test.skipped.to_string(),
        test.flips.to_string(),
        test.harm.reddened.to_string(),
        test.harm.alone.to_string(),
        test.harm.share.to_string(),
        test.harm.lost_seconds.to_string(),
        optional(test.duration_seconds),
        optional(test.last_failure.as_deref()),
        test.last_run.clone(),
        text(&test.owners.join(" ")),
        text(&test.file),
        text(&test.suite),
        text(&test.classname),
        text(&test.name),
        test.id.clone(),
        test.strip.clone(),
        text(&test.reason),
        test.trend.word().to_owned(),
    ]
}

fn quarantine(view: &QuarantineView) -> impl Iterator<Item = Vec<String>> + '_ {
    let rules = view.rules.iter().map(|rule| {
        let listed = QuarantineEntry {
            test: rule.test.clone(),
            pattern: rule.pattern,
            reason: rule.reason.clone(),
            tests: Some(rule.tests),
            ..QuarantineEntry::default()
        };
        entry(rule.rule, &listed)
    });
    view.entries.iter().map(|listed| entry("entry", listed)).chain(rules)
}

fn entry(kind: &str, entry: &QuarantineEntry) -> Vec<String> {
    let now = entry.now.as_ref();
    vec![
        kind.to_owned(),
        text(&entry.test),
        text(&entry.variant),
        entry.pattern.to_string(),
        optional_text(entry.owner.as_deref()),
        text(&entry.reason),
        optional_text(entry.ticket.as_deref()),
        optional(entry.since.as_deref()),
        optional(entry.expires.as_deref()),
        optional(entry.state),
        optional(entry.age_days),
        optional(entry.days_left),
        optional(entry.tests),
        optional(now.and_then(|now| now.status)),
        optional(now.and_then(|now| now.probability)),
        optional(now.map(|now| now.flakes)),
        optional(now.map(|now| now.runs)),
        optional(now.map(|now| now.clean_runs)),
        optional(now.map(|now| now.clean_runs_needed)),
        optional(now.and_then(|now| now.last_flake.as_deref())),
        optional(now.and_then(|now| now.last_run.as_deref())),
        text(&entry.file),
        entry.id.clone(),
    ]
}

fn runs(view: &ShowView) -> impl Iterator<Item = Vec<String>> + '_ {
    view.variants.iter().flat_map(move |variant| {
        variant.timeline.iter().map(move |run| {
            vec![
                text(&view.test),
                text(&variant.verdict.variant),
                run.started.clone(),
                run.outcome.word().to_owned(),
                run.retried.to_string(),
                run.outage.to_string(),
                optional(run.causes.map(|causes| causes.flake)),
                optional(run.causes.map(|causes| causes.regression)),
                optional(run.causes.map(|causes| causes.change)),
                optional(run.causes.map(|causes| causes.outage)),
                optional(run.duration_seconds),
                optional_text(run.revision.as_deref()),
                optional_text(run.branch.as_deref()),
                run.lane.to_owned(),
                optional_text(run.build.as_deref()),
                run.attempt.to_string(),
                optional_text(run.url.as_deref()),
                view.id.clone(),
            ]
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::view::Listing;
    use super::super::{render, sample, sample_list};
    use super::*;

    fn page(view: View<'_>) -> String {
        let mut out = Vec::new();
        render(view, Format::Csv, Screen::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn read(page: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(page.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn screens() {
        let report = sample::report_of(&sample::usual(), Listing::Attention);
        insta::assert_snapshot!("report_csv", page(View::Report(&report)));
        insta::assert_snapshot!("show_csv", page(View::Show(&sample::show())));
        insta::assert_snapshot!("quarantine_csv", page(View::Quarantine(&sample::quarantine())));
        insta::assert_snapshot!("list_csv", page(View::Quarantine(&sample_list::list())));
        let hostile = page(View::Report(&sample::hostile_report()));
        assert_eq!(read(&hostile).len(), 8);
    }

    #[test]
    fn a_formula_is_text() {
        for (foreign, written) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\\t=1"),
            ("\r=1", "\\r=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(text(foreign), written);
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_back_on_one_line(cells in proptest::collection::vec(any::<String>(), 1..6)) {
            let written: Vec<String> = cells.iter().map(|cell| text(cell)).collect();
            let columns: Vec<&str> = vec!["c"; cells.len()];
            let mut out = Vec::new();
            write(&mut out, &columns, [written.clone()]).unwrap();
            let page = String::from_utf8(out).unwrap();
            prop_assert_eq!(page.matches("\r\n").count(), 2);
            prop_assert_eq!(page.matches(['\r', '\n']).count(), 4);
            prop_assert_eq!(&read(&page)[1], &written);
            for (cell, foreign) in written.iter().zip(&cells) {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
                prop_assert_eq!(cell.strip_prefix('\'').filter(|_| !foreign.starts_with('\'')).unwrap_or(cell), &*escape::line(foreign));
            }
        }
    }
}
