//! Where a command writes: standard output and error, with colour only where it is welcome.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

use crate::context::draft::write_whole;
use crate::report::escape;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal that can, unless NO_COLOR is set
    #[default]
    Auto,
    /// Even into a pipe
    Always,
    /// Never
    Never,
}

/// How much a command says on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors, warnings and hints.
    Normal,
    /// Where the time went, too.
    Verbose,
}

/// Standard output and error of one command.
///
/// On Windows, [`AutoStream`] switches the console to process terminal sequences before it writes
/// any (`anstyle_query::windows::enable_ansi_colors`); on a console too old for that it sets colours
/// by the console's own calls and drops all other sequences, links among them.
pub struct Console {
    choice: ColorChoice,
    /// What standard error may carry.
    error_choice: ColorChoice,
    /// How much goes to standard error.
    pub verbosity: Verbosity,
}

impl Console {
    /// A console that follows the user's wishes and the environment (NO_COLOR, CLICOLOR, TERM).
    #[must_use]
    pub fn new(color: Color, verbosity: Verbosity) -> Self {
        let (choice, error_choice) = match color {
            Color::Auto => (AutoStream::choice(&io::stdout()), AutoStream::choice(&io::stderr())),
            Color::Always => (ColorChoice::Always, ColorChoice::Always),
            Color::Never => (ColorChoice::Never, ColorChoice::Never),
        };
        Self { choice, error_choice, verbosity }
    }

    /// True where standard output may carry colour.
    #[must_use]
    pub fn is_colored(&self) -> bool {
        matches!(self.choice, ColorChoice::Always | ColorChoice::AlwaysAnsi)
    }

    /// Columns of the terminal on standard output; `None` where it is not a terminal.
    ///
    /// `COLUMNS` wins, so that screens can be reproduced.
    #[must_use]
    pub fn width(&self) -> Option<u16> {
        let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let terminal = || {
            let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
            io::stdout().is_terminal().then_some(width.0)
        };
        told.or_else(terminal).filter(|width| *width > 0)
    }

    /// True where a person watches standard error, at a terminal that can move its cursor.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        io::stderr().is_terminal() && self.verbosity > Verbosity::Quiet && term() != "dumb"
    }

    /// True where a person, not a program, reads standard output.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// True where standard output is a terminal that takes links in its text: those that know none
    /// pass over them, but for the Linux console and dumb ones, which print what they do not know.
    #[must_use]
    pub fn opens_links(&self) -> bool {
        io::stdout().is_terminal() && !matches!(term().as_str(), "dumb" | "linux")
    }

    /// Writes a finished screen to standard output.
    ///
    /// # Errors
    /// What the system says; a closed pipe among it.
    pub fn print(&self, text: &str) -> io::Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.choice);
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Writes to standard error what belongs there although it is no message of ours alone.
    pub fn say(&self, text: &str) {
        let mut out = AutoStream::new(io::stderr().lock(), self.error_choice);
        // Standard error may be closed; there is nobody left to tell.
        let _ = out.write_all(text.as_bytes());
    }

    /// Writes `text` to the file, whole or not at all, or to standard output where there is none.
    ///
    /// # Errors
    /// What the system says, with the file's name.
    pub fn deliver(&self, text: &str, file: Option<&Path>) -> anyhow::Result<()> {
        use anyhow::Context as _;
        let Some(path) = file else { return Ok(self.print(text)?) };
        let plain = anstream::adapter::strip_str(text).to_string();
        let written = write_whole(path, |out| out.write_all(plain.as_bytes()));
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    /// An error, and what to do about it.
    pub fn error(&self, message: &str, hint: Option<&str>) {
        self.line("error", AnsiColor::Red, message);
        if let Some(hint) = hint {
            self.line("hint", AnsiColor::Cyan, hint);
        }
    }

    /// A warning.
    pub fn warn(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.line("warning", AnsiColor::Yellow, message);
        }
    }

    /// Something worth knowing that asks for nothing.
    pub fn note(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.line("note", AnsiColor::Cyan, message);
        }
    }

    /// A detail for `--verbose`.
    pub fn detail(&self, message: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.line("time", AnsiColor::BrightBlack, message);
        }
    }

    /// Standard error may be closed; there is nobody left to tell.
    fn line(&self, label: &str, color: AnsiColor, message: &str) {
        let style = Style::new().bold().fg_color(Some(color.into()));
        // Messages name files, and what others wrote into them; lines are ours.
        let lines: Vec<_> = message.split('\n').map(escape::line).collect();
        let message = lines.join("\n");
        let mut out = AutoStream::new(io::stderr().lock(), self.error_choice);
        let _ = writeln!(out, "{style}{label}:{style:#} {message}");
    }
}

/// What the terminal calls itself; empty where it does not, as on Windows.
fn term() -> String {
    std::env::var("TERM").unwrap_or_default()
}

/// The colour that arguments ask for before they are parsed, for what the parser itself prints.
#[must_use]
pub fn asked_for(arguments: impl Iterator<Item = std::ffi::OsString>) -> clap::ColorChoice {
    let mut asked = std::env::var("FLAKEDB_COLOR").unwrap_or_default();
    // What stands behind `--` is another command's.
    let mut arguments = arguments.take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        let Some(argument) = argument.to_str() else { continue };
        let value = match argument.strip_prefix("--color") {
            Some("") => arguments.next().and_then(|next| next.into_string().ok()),
            Some(value) => value.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        asked = value.unwrap_or(asked);
    }
    match asked.as_str() {
        "always" => clap::ColorChoice::Always,
        "never" => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}
