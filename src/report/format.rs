//! The output formats: one table, one row and one module for each.

use std::io::Write;

use super::{Kind, RenderError, Screen, View};
use super::{csv, github, html, json, junit, markdown, prometheus, terminal};

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
    /// For spreadsheets and data frames.
    Csv,
    /// For dashboards that read test reports.
    Junit,
    /// For a textfile collector.
    Prometheus,
    /// For a step of GitHub Actions.
    Github,
}

type Renderer = fn(&View<'_>, Screen, &mut dyn Write) -> Result<(), RenderError>;

/// The views that a format can write.
#[derive(Debug, Clone, Copy)]
enum Views {
    All,
    Only(&'static [Kind]),
}

struct Row {
    format: Format,
    name: &'static str,
    summary: &'static str,
    views: Views,
    renderer: Renderer,
}

const FORMATS: [Row; Format::ALL.len()] = [
    Row {
        format: Format::Table,
        name: "table",
        summary: "tables and sentences for a terminal",
        views: Views::All,
        renderer: terminal::render,
    },
    Row {
        format: Format::Markdown,
        name: "markdown",
        summary: "GitHub Markdown, within the limits of a comment",
        views: Views::All,
        renderer: markdown::render,
    },
    Row {
        format: Format::Json,
        name: "json",
        summary: "JSON with a `schema` version",
        views: Views::All,
        renderer: json::render,
    },
    Row {
        format: Format::Html,
        name: "html",
        summary: "one page for a browser, complete in itself",
        views: Views::Only(&[Kind::Dashboard]),
        renderer: html::render,
    },
    Row {
        format: Format::Csv,
        name: "csv",
        summary: "CSV, with cells that no spreadsheet takes for a formula",
        views: Views::Only(&[Kind::Report, Kind::Show, Kind::Quarantine, Kind::Question]),
        renderer: csv::render,
    },
    Row {
        format: Format::Junit,
        name: "junit",
        summary: "JUnit XML, flaky tests as flakyFailure, for other dashboards",
        views: Views::Only(&[Kind::Report]),
        renderer: junit::render,
    },
    Row {
        format: Format::Prometheus,
        name: "prometheus",
        summary: "Prometheus text format, for a textfile collector",
        views: Views::Only(&[Kind::Report]),
        renderer: prometheus::render,
    },
    Row {
        format: Format::Github,
        name: "github",
        summary: "annotations of GitHub Actions",
        views: Views::Only(&[Kind::Report, Kind::Gate, Kind::QuarantineLint]),
        renderer: github::render,
    },
];

impl Format {
    /// All formats, in the order in which help lists them.
    pub const ALL: [Self; 8] = [
        Self::Table,
        Self::Markdown,
        Self::Json,
        Self::Html,
        Self::Csv,
        Self::Junit,
        Self::Prometheus,
        Self::Github,
    ];

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

    /// True where views of this kind can be written so.
    #[must_use]
    pub fn writes(self, kind: Kind) -> bool {
        match self.row().views {
            Views::All => true,
            Views::Only(kinds) => kinds.contains(&kind),
        }
    }

    /// The formats that write at least one of these kinds; without any, those that write all.
    ///
    /// ```
    /// use flakedb::report::{Format, Kind};
    /// let every: Vec<&str> = Format::of(&[]).map(Format::name).collect();
    /// assert_eq!(every, ["table", "markdown", "json"]);
    /// assert!(Format::of(&[Kind::Report]).count() > every.len());
    /// ```
    pub fn of(kinds: &[Kind]) -> impl Iterator<Item = Self> + '_ {
        Self::ALL.into_iter().filter(move |format| match format.row().views {
            Views::All => true,
            Views::Only(_) => kinds.iter().any(|kind| format.writes(*kind)),
        })
    }

    /// Refuses a view that this format cannot write.
    ///
    /// # Errors
    /// [`RenderError::Unsupported`], which names the formats that the view has.
    pub fn check(self, kind: Kind) -> Result<(), RenderError> {
        if self.writes(kind) {
            return Ok(());
        }
        let has: Vec<&str> = Self::of(&[kind]).map(Self::name).collect();
        Err(RenderError::Unsupported {
            format: self.name(),
            view: kind.words(),
            has: has.join(", "),
        })
    }

    /// True where it shows how each test last failed.
    #[must_use]
    pub const fn shows_failures(self) -> bool {
        matches!(self, Self::Json | Self::Junit | Self::Github)
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

    #[test]
    fn what_a_view_lacks_is_refused_with_what_it_has() {
        let view = super::super::sample::hunt::flaky();
        let refused = super::super::render(
            View::Hunt(&view),
            Format::Junit,
            Screen::default(),
            &mut Vec::new(),
        );
        assert_eq!(
            refused.unwrap_err().to_string(),
            "a hunt cannot be written as junit; there is table, markdown, json"
        );
        // What the table promises the renderers keep: each refuses what it cannot write itself.
        for format in Format::ALL.into_iter().filter(|format| !format.writes(Kind::Hunt)) {
            let mut out = Vec::new();
            let refused = format.renderer()(&View::Hunt(&view), Screen::default(), &mut out);
            assert!(matches!(refused, Err(RenderError::Unsupported { .. })), "{format:?}");
            assert!(out.is_empty());
        }
    }
}
