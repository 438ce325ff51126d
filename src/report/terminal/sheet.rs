//! An answer on a terminal: sentences, then tables, or facts below names where it is narrow.

use super::super::limits::{HEADLINE_CHARS_MAX, SHEET_ROWS_MAX};
use super::super::palette::Tone;
use super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetColumn, SheetHint, SheetTable};
use super::super::{escape, sentence};
use super::page::{Column, Fit, Grid, NO_BREAK, Page};

/// Columns that a name or a text needs at least to be read beside others.
const TEXT_MIN: usize = 22;
/// Columns between two columns.
const GAP: usize = 2;

pub(super) fn lay_out(sheet: &Sheet, page: &mut Page) {
    let project = page.mark(Tone::Strong, &escape::line(&sheet.project));
    page.prose(&format!("{project}: {}", escape::line(&sheet.window)));
    page.section(&sheet.title);
    for line in &sheet.lead {
        page.prose(&escape::line(line));
    }
    let mut cut = false;
    for part in sheet.tables.iter().filter(|part| !part.rows.is_empty()) {
        page.section(&part.caption);
        cut |= table(part, page);
    }
    if cut {
        page.blank();
        page.prose("--format json has all of them");
    }
    page.blank();
    for note in &sheet.notes {
        let note = page.mark(Tone::Faint, &escape::line(note));
        page.prose(&note);
    }
    let hints: Vec<(String, &str)> =
        sheet.hints.iter().map(|hint| (command(hint, page), hint.purpose)).collect();
    page.hints(&hints);
}

fn command(hint: &SheetHint, page: &Page) -> String {
    match &hint.test {
        Some((name, id)) => format!("{} {}", hint.command, page.typed_in_hint(name, id)),
        None => hint.command.clone(),
    }
}

/// Writes a table; true where rows were left out.
fn table(part: &SheetTable, page: &mut Page) -> bool {
    let shown = match (part.rows.get(..SHEET_ROWS_MAX), page.is_piped()) {
        (Some(first), false) => first,
        _ => part.rows.as_slice(),
    };
    let columns: Vec<(usize, SheetColumn)> = part
        .telling()
        .into_iter()
        .zip(part.columns.iter().copied().enumerate())
        .filter_map(|(telling, column)| telling.then_some(column))
        .collect();
    let cells: Vec<Vec<String>> = shown
        .iter()
        .map(|row| columns.iter().map(|(place, _)| cell(row.get(*place))).collect())
        .collect();
    if needed(&columns, &cells) > usize::from(page.width()) && !page.is_piped() {
        stacked(&columns, &cells, page);
    } else {
        side_by_side(&columns, shown, cells, page);
    }
    let left = part.rows.len() - shown.len();
    if left > 0 {
        page.prose(&format!(
            "and {}",
            sentence::count(left as u64, &format!("more {}", part.noun))
        ));
    }
    left > 0
}

fn cell(cell: Option<&SheetCell>) -> String {
    let text = cell.map(SheetCell::shown).unwrap_or_default();
    let text = escape::line(&text);
    let text = escape::shortened(&text, HEADLINE_CHARS_MAX);
    match cell {
        Some(SheetCell::Words(_) | SheetCell::Name(_)) => text.into_owned(),
        // A number stays with its unit.
        _ => text.replace(' ', NO_BREAK),
    }
}

/// The columns of a terminal that the table needs to be readable.
fn needed(columns: &[(usize, SheetColumn)], cells: &[Vec<String>]) -> usize {
    let width = |place: usize, column: &SheetColumn| {
        let content =
            cells.iter().filter_map(|row| row.get(place)).map(|cell| cell.chars().count());
        let content = content.max().unwrap_or(0).max(column.title.chars().count());
        match column.kind {
            ColumnKind::Name | ColumnKind::Words => content.min(TEXT_MIN),
            ColumnKind::Word | ColumnKind::Number => content,
        }
    };
    columns.iter().enumerate().map(|(place, (_, column))| width(place, column) + GAP).sum()
}

fn side_by_side(
    columns: &[(usize, SheetColumn)],
    rows: &[Vec<SheetCell>],
    cells: Vec<Vec<String>>,
    page: &mut Page,
) {
    let fit = |kind| match kind {
        ColumnKind::Name => Fit::Name,
        ColumnKind::Words => Fit::Wrap,
        ColumnKind::Word => Fit::Content,
        ColumnKind::Number => Fit::Number,
    };
    let titles = columns.iter().map(|(_, column)| Column(column.title, fit(column.kind))).collect();
    let rows = rows.iter().zip(cells).map(|(row, cells)| {
        let marked = columns.iter().zip(cells).map(|((place, _), text)| match row.get(*place) {
            Some(SheetCell::Status(status)) => page.mark(sentence::tone(*status), &text),
            _ => text,
        });
        marked.collect()
    });
    let rows = rows.collect();
    page.grid(&Grid { columns: titles, rows, ..Grid::default() });
}

/// Each row as its name with the other cells below it.
fn stacked(columns: &[(usize, SheetColumn)], cells: &[Vec<String>], page: &mut Page) {
    for row in cells {
        let mut parts = columns.iter().zip(row);
        let Some((_, name)) = parts.next() else { continue };
        let name = page.mark(Tone::Strong, name);
        page.prose(&name);
        let said: Vec<String> = parts
            .filter(|(_, text)| !text.is_empty())
            .map(|((_, column), text)| {
                let title = column.title.to_lowercase().replace(' ', NO_BREAK);
                let title = page.mark(Tone::Faint, &title);
                match column.kind {
                    ColumnKind::Words | ColumnKind::Name => format!("{title}: {text}"),
                    _ => format!("{title}{NO_BREAK}{text}"),
                }
            })
            .collect();
        page.quoted(2, &said.join(", "));
    }
}
