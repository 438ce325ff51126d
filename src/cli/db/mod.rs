//! `flakedb db`: looking after the history file, one file a subcommand.

mod backup;
mod check;
mod info;
mod merge;
mod prune;
mod repair;

use std::path::PathBuf;

use serde::Serialize;

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::Global;
use super::progress::Progress;

/// Look after the history: what is in it, is it whole, join others to it, copy it, prune it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb db info
  flakedb db check
  flakedb db merge shard-1.db shard-2.db     join other histories to this one
  flakedb db backup nightly.db
  flakedb db prune --keep-days 365           remove what is older than a year
  flakedb db repair                          what is whole in a damaged history")]
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
    Prune(prune::Args),
    /// Put what is whole in a damaged history into a new file, and name what is lost
    ///
    /// The new file takes the place of the damaged one, which is kept beside it as FILE.damaged-1.
    /// Results of every report whose segment is whole are kept; what can be worked out again from
    /// them is. Exit with 1 where anything is lost.
    #[command(after_help = "\
Examples:
  flakedb db repair --dry-run      say what would be kept and lost
  flakedb db repair
  flakedb db repair --to new.db    leave the damaged file in its place")]
    Repair {
        /// Write the new file here and leave the damaged one alone
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Only say what would be kept and lost
        #[arg(long, conflicts_with = "to")]
        dry_run: bool,
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
    let progress = Progress::new(console);
    progress.draw_soon();
    let done = match &args.command {
        Command::Info => info::info(&settled.open_to_read()?, db, format),
        Command::Check => check::check(&settled.open_to_read()?, db, format, &progress),
        Command::Merge { sources } => {
            merge::merge(&mut settled.open_to_write()?, sources, db, format, &progress)
        }
        Command::Backup { target } => {
            backup::backup(&settled.open_to_read()?, target, format, &progress)
        }
        Command::Repair { to, dry_run } => {
            let wanted = repair::Wanted { to: to.as_deref(), dry_run: *dry_run };
            repair::repair(db, &wanted, format)
        }
        Command::Prune(args) => prune::prune(args, global, &settled, format, &progress),
    };
    progress.finish(console);
    let (text, code) = done?;
    console.print(&text)?;
    match &args.command {
        Command::Check if code == exit::FINDINGS => {
            console.note("`flakedb db repair` keeps what is whole; or restore a backup");
        }
        Command::Repair { .. } if code == exit::FINDINGS => {
            console.note("ingest the reports of what is lost again, where they are still there");
        }
        _ => {}
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
