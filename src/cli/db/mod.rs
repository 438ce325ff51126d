//! `flakedb db`: looking after the history file, one file a subcommand.

mod backup;
mod check;
mod info;
mod merge;

use std::path::PathBuf;

use serde::Serialize;

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::Global;

/// Look after the history: what is in it, is it whole, join others to it, copy it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb db info
  flakedb db check
  flakedb db merge shard-1.db shard-2.db     join other histories to this one
  flakedb db backup nightly.db")]
pub struct Args {
    /// How to write the result
    #[arg(long, short, value_enum, default_value_t, global = true)]
    format: Plain,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what is in the history and how large it is
    #[command(after_help = "Examples:\n  flakedb db info\n  flakedb db info --format json")]
    Info,
    /// Check every page, reference and segment; exit with 1 where something is wrong
    #[command(after_help = "Examples:\n  flakedb db check\n  flakedb db check --db old.db")]
    Check,
    /// Join the runs of other histories to this one; running it again changes nothing
    #[command(after_help = "Examples:\n  flakedb db merge shard-1.db shard-2.db --db all.db")]
    Merge {
        /// The other histories
        #[arg(value_name = "FILE", required = true)]
        sources: Vec<PathBuf>,
    },
    /// Copy the history, whole even while others write to it
    #[command(after_help = "Examples:\n  flakedb db backup nightly.db")]
    Backup {
        /// The copy, which must not exist yet
        #[arg(value_name = "FILE")]
        target: PathBuf,
    },
}

/// The formats of what is no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Plain {
    /// Lines for people
    #[default]
    Text,
    /// JSON with a `schema` version
    Json,
}

/// Carries out the subcommand.
///
/// # Errors
/// Where a history cannot be used.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let settled = global.settle()?;
    let (db, format) = (&settled.db, args.format);
    let (text, code) = match &args.command {
        Command::Info => info::info(&settled.open_to_read()?, db, format)?,
        Command::Check => check::check(&settled.open_to_read()?, db, format)?,
        Command::Merge { sources } => merge::merge(&mut settled.open_to_write()?, sources, db, format)?,
        Command::Backup { target } => backup::backup(&settled.open_to_read()?, target, format)?,
    };
    console.print(&text)?;
    if code == exit::FINDINGS {
        console.note("restore a backup, or start anew and ingest the reports again");
    }
    Ok(code)
}

/// What a subcommand prints, and its exit code.
type Said = (String, u8);

/// A view as JSON, or the text for people.
fn said(format: Plain, view: &impl Serialize, text: String, code: u8) -> Result<Said, Failure> {
    match format {
        Plain::Text => Ok((text, code)),
        Plain::Json => {
            Ok((serde_json::to_string_pretty(view).map_err(Failure::usage)? + "\n", code))
        }
    }
}

