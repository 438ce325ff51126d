//! Sheets: the answer to a question as a few sentences and tables, whatever it is about.
//!
//! A view makes a [`Sheet`] of itself, and each format knows how to write any sheet: a new question
//! needs no new renderer. Text in a sheet may hold foreign parts as reports gave them; renderers
//! escape all of it.

use super::{phrase, sentence};
use crate::analysis::verdict::Status;

/// An answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// The question in a few words.
    pub title: String,
    /// The project.
    pub project: String,
    /// Which runs were looked at.
    pub window: String,
    /// The answer in sentences, the most important first.
    pub lead: Vec<String>,
    /// The answer in detail, the same tables whether there are rows or not.
    pub tables: Vec<SheetTable>,
    /// What must be known to read it.
    pub notes: Vec<String>,
    /// What to type next.
    pub hints: Vec<SheetHint>,
}

/// Rows of one kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SheetTable {
    /// What the rows are.
    pub caption: String,
    /// The columns; the first names what a row is about.
    pub columns: Vec<SheetColumn>,
    /// A cell for each column.
    pub rows: Vec<Vec<SheetCell>>,
    /// What one row is, to count those that do not fit.
    pub noun: &'static str,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SheetColumn {
    /// Its title.
    pub title: &'static str,
    /// What its cells are.
    pub kind: ColumnKind,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// The name of a test.
    Name,
    /// Text that may wrap.
    Words,
    /// A word or a time, which never wraps.
    Word,
    /// A number.
    Number,
}

/// A cell: a value with its meaning, so that each format writes it in its own way.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum SheetCell {
    /// Nothing.
    #[default]
    Empty,
    /// The name of a test, or another foreign name.
    Name(String),
    /// Text.
    Words(String),
    /// A revision.
    Revision(String),
    /// A status.
    Status(Status),
    /// A number of things.
    Count(u64),
    /// A number of things that are shared, such as builds.
    Parts(f64),
    /// A share between 0 and 1.
    Share(f64),
    /// A duration in seconds.
    Seconds(f64),
    /// How many times as much.
    Times(f64),
    /// A time, RFC 3339 in UTC.
    Time(String),
    /// The same, of which the day is enough.
    Day(String),
    /// A p-value or q-value.
    Chance(f64),
}

/// A command to type next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetHint {
    /// The command, without the test that it is about.
    pub command: String,
    /// The test, by name and by identity.
    pub test: Option<(String, String)>,
    /// What it is good for.
    pub purpose: &'static str,
}

impl SheetHint {
    /// A command that stands for itself.
    #[must_use]
    pub fn new(command: &str, purpose: &'static str) -> Self {
        Self { command: command.to_owned(), test: None, purpose }
    }

    /// `flakedb show` of a test.
    #[must_use]
    pub fn show(test: &str, id: &str) -> Self {
        Self {
            command: "flakedb show".to_owned(),
            test: Some((test.to_owned(), id.to_owned())),
            purpose: "the evidence on the first of them",
        }
    }
}

impl SheetTable {
    /// An empty table of these columns.
    #[must_use]
    pub fn new(caption: &str, columns: &[(&'static str, ColumnKind)], noun: &'static str) -> Self {
        let columns = columns.iter().map(|&(title, kind)| SheetColumn { title, kind }).collect();
        Self { caption: caption.to_owned(), columns, rows: Vec::new(), noun }
    }

    /// Whether a column says anything, for each of them; what says nothing only takes room.
    #[must_use]
    pub fn telling(&self) -> Vec<bool> {
        let tells = |place: usize| {
            self.rows.iter().filter_map(|row| row.get(place)).any(|cell| !cell.is_blank())
        };
        (0..self.columns.len()).map(tells).collect()
    }

    /// The same with these rows.
    #[must_use]
    pub fn with(self, rows: impl IntoIterator<Item = Vec<SheetCell>>) -> Self {
        Self { rows: rows.into_iter().collect(), ..self }
    }
}

impl SheetCell {
    /// A revision or nothing.
    #[must_use]
    pub fn revision(revision: Option<&String>) -> Self {
        revision.cloned().map_or(Self::Empty, Self::Revision)
    }

    fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Name(text) | Self::Words(text) => text.is_empty(),
            _ => false,
        }
    }

    /// The cell for people. Names and words are as reports gave them.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Name(text) | Self::Words(text) => text.clone(),
            Self::Revision(revision) => sentence::revision(revision),
            Self::Status(status) => sentence::status(*status).to_owned(),
            Self::Count(count) => sentence::number(*count),
            Self::Parts(parts) => phrase::parts(*parts),
            Self::Share(share) => sentence::percent(*share),
            Self::Seconds(seconds) => sentence::rough(*seconds),
            Self::Times(times) => format!("{times:.1}×"),
            Self::Time(time) => phrase::minute(time),
            Self::Day(time) => phrase::day(time).to_owned(),
            Self::Chance(chance) if *chance < 1e-4 => format!("{chance:.0e}"),
            Self::Chance(chance) => format!("{chance:.4}"),
        }
    }

    /// The cell for programs: numbers in full, nothing rounded or shortened.
    #[must_use]
    pub fn raw(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Name(text)
            | Self::Words(text)
            | Self::Revision(text)
            | Self::Time(text)
            | Self::Day(text) => text.clone(),
            Self::Status(status) => status.word().to_owned(),
            Self::Count(count) => count.to_string(),
            Self::Parts(value)
            | Self::Share(value)
            | Self::Seconds(value)
            | Self::Times(value)
            | Self::Chance(value) => value.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_short_for_people_and_whole_for_programs() {
        let revision = "1f3a9c0a11b2c3d4e5f60718293a4b5c6d7e8f90".to_owned();
        for (cell, shown, raw) in [
            (SheetCell::Empty, "", ""),
            (SheetCell::Count(12_345), "12,345", "12345"),
            (SheetCell::Parts(3.26), "3.3", "3.26"),
            (SheetCell::Parts(3.0), "3", "3"),
            (SheetCell::Share(0.125), "13 %", "0.125"),
            (SheetCell::Times(2.04), "2.0×", "2.04"),
            (SheetCell::Chance(0.012_34), "0.0123", "0.01234"),
            (SheetCell::Chance(3.2e-7), "3e-7", "0.00000032"),
            (SheetCell::Status(Status::NewlyBroken), "newly broken", "newly-broken"),
            (SheetCell::Revision(revision.clone()), "1f3a9c0a11", &revision),
            (
                SheetCell::Time("2026-11-22T08:22:01Z".into()),
                "2026-11-22 08:22",
                "2026-11-22T08:22:01Z",
            ),
        ] {
            assert_eq!((cell.shown().as_str(), cell.raw().as_str()), (shown, raw));
        }
    }
}
