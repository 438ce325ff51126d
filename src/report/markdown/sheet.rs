//! An answer as Markdown.

use super::super::escape;
use super::super::limits::HEADLINE_CHARS_MAX;
use super::super::sheet::{Sheet, SheetCell, SheetTable};
use super::document::{Document, code, text};

pub(super) fn write(sheet: &Sheet, document: &mut Document) {
    document.heading(2, &format!("{}: {}", text(&sheet.project), text(&sheet.title)));
    document.paragraph(&text(&sheet.window));
    for line in &sheet.lead {
        document.paragraph(&text(line));
    }
    for part in sheet.tables.iter().filter(|part| !part.rows.is_empty()) {
        document.heading(3, &text(&part.caption));
        table(part, document);
    }
    if !sheet.notes.is_empty() {
        let notes: Vec<String> = sheet.notes.iter().map(|note| text(note)).collect();
        document.paragraph(&format!("<sub>{}</sub>", notes.join("<br>")));
    }
}

fn table(part: &SheetTable, document: &mut Document) {
    let telling = part.telling();
    let titles: Vec<&str> = part
        .columns
        .iter()
        .zip(&telling)
        .filter_map(|(column, telling)| telling.then_some(column.title))
        .collect();
    let rows: Vec<Vec<String>> = part
        .rows
        .iter()
        .map(|row| {
            row.iter()
                .zip(&telling)
                .filter(|(_, telling)| **telling)
                .map(|(one, _)| cell(one))
                .collect()
        })
        .collect();
    document.table(&titles, &rows, part.noun);
}

fn cell(cell: &SheetCell) -> String {
    match cell {
        SheetCell::Name(name) => code(name),
        SheetCell::Revision(_) => code(&cell.shown()),
        SheetCell::Words(words) => {
            text(&escape::shortened(&escape::line(words), HEADLINE_CHARS_MAX))
        }
        other => text(&other.shown()),
    }
}
