//! The flags that say how a screen is written, and writing it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::import;
use crate::ops::reading::InputFormat;
use crate::report::{Format, Kind, Palette, RenderError, Screen, View, render};

use super::console::Console;

/// How a screen is written. A command whose views have more formats than every view has says so with
/// `#[command(mut_arg("format", written_as(KINDS)))]`.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct FormatArgs {
    /// How to write the result
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = formats(&[]))]
    pub format: Format,
    /// Write the result to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl FormatArgs {
    /// Writes a view as the flags say.
    ///
    /// # Errors
    /// Where the view cannot be written, or has no such format.
    pub fn deliver(&self, view: View<'_>, console: &Console) -> anyhow::Result<()> {
        let page = screen(view, self.format, console)?;
        console.deliver(&page, self.output.as_deref())
    }
}

/// The formats in which at least one of these kinds of views can be written.
pub(super) fn formats(kinds: &[Kind]) -> impl TypedValueParser<Value = Format> + use<> {
    let value = |format: Format| PossibleValue::new(format.name()).help(format.summary());
    PossibleValuesParser::new(Format::of(kinds).map(value))
        .map(|name| Format::from_name(&name).unwrap_or_default())
}

/// Lets `--format` offer what these kinds of views can be written as.
pub(super) fn written_as(kinds: &'static [Kind]) -> impl FnOnce(clap::Arg) -> clap::Arg {
    move |format| format.value_parser(formats(kinds))
}

/// One of the two things that `--format` of ingest selects.
#[derive(Debug, Clone, Copy)]
enum Chosen {
    Read(InputFormat),
    Write(Format),
}

/// How documents are read, and how the screen is written.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct BothFormatArgs {
    /// How to read all paths [default: as what they look like], or how to write the result
    /// [default: table]; may be given twice
    #[arg(long = "format", short, value_name = "FORMAT", value_parser = both_formats())]
    formats: Vec<Chosen>,
    /// Write the result to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl BothFormatArgs {
    /// How documents are read.
    #[must_use]
    pub fn read(&self) -> InputFormat {
        let read = |chosen: &Chosen| match chosen {
            Chosen::Read(format) => Some(*format),
            Chosen::Write(_) => None,
        };
        self.formats.iter().find_map(read).unwrap_or_default()
    }

    /// How the screen is written; the last one given counts.
    #[must_use]
    pub fn write(&self) -> Format {
        let write = |chosen: &Chosen| match chosen {
            Chosen::Read(_) => None,
            Chosen::Write(format) => Some(*format),
        };
        self.formats.iter().rev().find_map(write).unwrap_or_default()
    }

    /// Refuses two ways to read.
    ///
    /// # Errors
    /// Where two are given.
    pub fn check(&self) -> anyhow::Result<()> {
        let reads = self.formats.iter().filter(|chosen| matches!(chosen, Chosen::Read(_)));
        anyhow::ensure!(
            reads.count() < 2,
            "--format names two ways to read; one holds for all paths, so ingest them one by one \
             or leave it out: each file is read as what it looks like"
        );
        Ok(())
    }
}

fn both_formats() -> impl TypedValueParser<Value = Chosen> {
    let junit = PossibleValue::new(InputFormat::JUNIT).help("read JUnit XML");
    let read = import::FORMATS
        .iter()
        .map(|format| PossibleValue::new(format.name).help(format!("read {}", format.summary)));
    let write = Format::of(&[Kind::Ingest]).map(|format| {
        PossibleValue::new(format.name()).help(format!("write {}", format.summary()))
    });
    let values: Vec<PossibleValue> = std::iter::once(junit).chain(read).chain(write).collect();
    PossibleValuesParser::new(values).map(|name| match import::Format::from_name(&name) {
        Some(format) => Chosen::Read(InputFormat::Import(format)),
        None if name == InputFormat::JUNIT => Chosen::Read(InputFormat::Junit),
        None => Chosen::Write(Format::from_name(&name).unwrap_or_default()),
    })
}

/// The view as text, laid out for the console.
///
/// # Errors
/// Where the view cannot be written, or has no such format.
pub fn screen(view: View<'_>, format: Format, console: &Console) -> anyhow::Result<String> {
    let palette = match (console.is_colored(), console.opens_links()) {
        (false, _) => Palette::Plain,
        (true, false) => Palette::Colour,
        (true, true) => Palette::Links,
    };
    let mut page = Vec::new();
    match render(view, format, Screen { width: console.width(), palette }, &mut page) {
        Ok(()) => Ok(String::from_utf8_lossy(&page).into_owned()),
        // It says everything itself.
        Err(error @ RenderError::Unsupported { .. }) => Err(error.into()),
        Err(error) => Err(error).context("cannot lay out the result"),
    }
}
