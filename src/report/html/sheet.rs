//! Answers to questions as sections of the page, whatever they are about.

use super::super::sentence;
use super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetTable};
use super::text;
use crate::report::limits::{HEADLINE_CHARS_MAX, HTML_ROWS_MAX};

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The answer in sentences.
    pub lead: Vec<String>,
    /// The answer in detail.
    pub tables: Vec<Table>,
    /// What must be known to read it.
    pub notes: Vec<String>,
}

/// Rows of one kind.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub caption: String,
    pub columns: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
    /// How many rows have no room, in words; empty for none.
    pub left_out: String,
}

/// A cell with the class of its column; the first of a row heads it.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub text: String,
    pub class: &'static str,
}

impl From<Sheet> for Answer {
    fn from(sheet: Sheet) -> Self {
        let told = |line: &String| text(line, 2 * HEADLINE_CHARS_MAX);
        Self {
            lead: sheet.lead.iter().map(told).collect(),
            tables: sheet.tables.iter().map(table).collect(),
            notes: sheet.notes.iter().map(told).collect(),
        }
    }
}

fn table(table: &SheetTable) -> Table {
    let telling = table.telling();
    let class = |place: usize| match table.columns.get(place).map(|column| column.kind) {
        Some(ColumnKind::Number) => "count",
        Some(ColumnKind::Word) => "word",
        _ => "",
    };
    let told = |place: &usize| telling.get(*place).copied().unwrap_or(false);
    let columns = table.columns.iter().enumerate().filter(|(place, _)| told(place));
    let row = |row: &Vec<SheetCell>| {
        let cells = row.iter().enumerate().filter(|(place, _)| told(place));
        cells
            .map(|(place, cell)| Cell {
                text: text(&cell.shown(), HEADLINE_CHARS_MAX),
                class: class(place),
            })
            .collect()
    };
    let more = table.rows.len().saturating_sub(HTML_ROWS_MAX);
    Table {
        caption: text(&table.caption, HEADLINE_CHARS_MAX),
        columns: columns
            .map(|(place, column)| Cell { text: column.title.to_owned(), class: class(place) })
            .collect(),
        rows: table.rows.iter().take(HTML_ROWS_MAX).map(row).collect(),
        left_out: match more {
            0 => String::new(),
            more => sentence::count(more as u64, &format!("more {}", table.noun)),
        },
    }
}
