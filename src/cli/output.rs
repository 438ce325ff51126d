//! The flags that say how a screen is written, and writing it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::report::{Format, Palette, Screen, View, render};

use super::console::Console;

/// How a screen is written.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct FormatArgs {
    /// How to write the result
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = formats())]
    pub format: Format,
    /// Write the result to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|format| PossibleValue::new(format.name()).help(format.summary()));
    PossibleValuesParser::new(values).map(|name| Format::from_name(&name).unwrap_or_default())
}

/// The view as text, laid out for the console.
///
/// # Errors
/// Where the view cannot be written.
pub fn screen(view: View<'_>, format: Format, console: &Console) -> anyhow::Result<String> {
    let palette = if console.is_colored() { Palette::Colour } else { Palette::Plain };
    let mut page = Vec::new();
    render(view, format, Screen { width: console.width(), palette }, &mut page)
        .context("cannot lay out the result")?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
