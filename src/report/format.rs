//! The output formats: one table, one row and one module for each.

use std::io::Write;

use super::{RenderError, Screen, View};
use super::{html, json, markdown, terminal};

/// A way to write a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Table,
    /// For pull requests and job summaries.
    Markdown,
    /// For programs; the schema only grows.
    Json,
    /// For a browser.
    Html,
}

type Renderer = fn(&View<'_>, Screen, &mut dyn Write) -> Result<(), RenderError>;

struct Row {
    format: Format,
    name: &'static str,
    summary: &'static str,
    renderer: Renderer,
}

const FORMATS: [Row; Format::ALL.len()] = [
    Row {
        format: Format::Table,
        name: "table",
        summary: "tables and sentences for a terminal",
        renderer: terminal::render,
    },
    Row {
        format: Format::Markdown,
        name: "markdown",
        summary: "GitHub Markdown, within the limits of a comment",
        renderer: markdown::render,
    },
    Row {
        format: Format::Json,
        name: "json",
        summary: "JSON with a `schema` version",
        renderer: json::render,
    },
    Row {
        format: Format::Html,
        name: "html",
        summary: "one page for a browser, complete in itself",
        renderer: html::render,
    },
];

impl Format {
    /// All formats, in the order in which help lists them.
    pub const ALL: [Self; 4] = [Self::Table, Self::Markdown, Self::Json, Self::Html];

    /// The word that selects it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What it is for, in one line.
    #[must_use]
    pub fn summary(self) -> &'static str {
        self.row().summary
    }

    /// The format of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    pub(super) fn renderer(self) -> Renderer {
        self.row().renderer
    }

    fn row(self) -> &'static Row {
        FORMATS.iter().find(|row| row.format == self).unwrap_or(&FORMATS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_has_a_row_and_a_name_of_its_own() {
        for (place, format) in Format::ALL.into_iter().enumerate() {
            assert_eq!(FORMATS[place].format, format);
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
        assert_eq!(Format::from_name("xml"), None);
    }
}
