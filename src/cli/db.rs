//! `flakedb db`: looking after the history file.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::store::sqlite::{OpenMode, SqliteStore};

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
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what is in the history and how large it is
    #[command(after_help = "Examples:\n  flakedb db info\n  flakedb db info --format json")]
    Info {
        /// How to write the result
        #[arg(long, short, value_enum, default_value_t)]
        format: Plain,
    },
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
    match &args.command {
        Command::Info { format } => info(&settled.open_to_read()?, &settled.db, *format, console),
        Command::Check => check(&settled.open_to_read()?, &settled.db, console),
        Command::Merge { sources } => {
            merge(&mut settled.open_to_write()?, sources, &settled.db, console)
        }
        Command::Backup { target } => backup(&settled.open_to_read()?, target, console),
    }
}

/// What `db info --format json` prints.
#[derive(Debug, Serialize)]
struct InfoView {
    schema: &'static str,
    history: String,
    database_version: u32,
    bytes: u64,
    runs: u64,
    reports: u64,
    results: u64,
    tests: u64,
    failures: u64,
    projects: Vec<ProjectView>,
}

#[derive(Debug, Serialize)]
struct ProjectView {
    name: String,
    runs: u64,
    last_started: Option<String>,
}

fn info(store: &SqliteStore, db: &Path, format: Plain, console: &Console) -> Result<u8, Failure> {
    use crate::store::Store as _;
    let info = store.info().map_err(Failure::history)?;
    let projects = store.projects().map_err(Failure::history)?;
    let view = InfoView {
        schema: "flakedb.db-info.v1",
        history: db.display().to_string(),
        database_version: info.schema,
        bytes: info.file_bytes,
        runs: info.runs,
        reports: info.reports,
        results: info.results,
        tests: info.tests,
        failures: info.failures,
        projects: projects
            .into_iter()
            .map(|project| ProjectView {
                name: project.name,
                runs: project.runs,
                last_started: project.last_started.map(crate::model::Timestamp::to_rfc3339),
            })
            .collect(),
    };
    let text = match format {
        Plain::Json => serde_json::to_string_pretty(&view).map_err(Failure::usage)? + "\n",
        Plain::Text => info_text(&view),
    };
    console.print(&text)?;
    Ok(exit::FINE)
}

fn info_text(view: &InfoView) -> String {
    let per_result = match view.results {
        0 => String::new(),
        results => format!(", {:.1} bytes per result", view.bytes as f64 / results as f64),
    };
    let mut text = format!(
        "{}\n  version   {}\n  size      {} bytes{per_result}\n  runs      {}\n  reports   {}\n  \
         results   {}\n  tests     {}\n  failures  {} distinct\n",
        view.history,
        view.database_version,
        view.bytes,
        view.runs,
        view.reports,
        view.results,
        view.tests,
        view.failures
    );
    for project in &view.projects {
        let last = project.last_started.as_deref().unwrap_or("never");
        text += &format!("  project   {}: {} runs, last {last}\n", project.name, project.runs);
    }
    text
}

fn check(store: &SqliteStore, db: &Path, console: &Console) -> Result<u8, Failure> {
    let findings = store.check().map_err(Failure::history)?;
    if findings.is_empty() {
        console.print(&format!("{}: whole\n", db.display()))?;
        return Ok(exit::FINE);
    }
    let mut text = String::new();
    for finding in &findings {
        text += &format!("{}: {}: {}\n", db.display(), finding.place, finding.problem);
    }
    console.print(&text)?;
    console.note("restore a backup, or start anew and ingest the reports again");
    Ok(exit::FINDINGS)
}

fn merge(
    store: &mut SqliteStore,
    sources: &[PathBuf],
    db: &Path,
    console: &Console,
) -> Result<u8, Failure> {
    for source in sources {
        let appended = store.merge_from(source).map_err(Failure::history)?;
        console.print(&format!(
            "{}: {} new runs, {} new reports, {} known reports into {}\n",
            source.display(),
            appended.runs_new,
            appended.reports_new,
            appended.reports_known,
            db.display()
        ))?;
    }
    Ok(exit::FINE)
}

fn backup(store: &SqliteStore, target: &Path, console: &Console) -> Result<u8, Failure> {
    if target.exists() {
        return Err(Failure::usage(anyhow::anyhow!("{} exists already", target.display()))
            .hint("name a file that does not exist yet"));
    }
    store.backup(target).map_err(Failure::history)?;
    // What was copied is worth nothing if it cannot be opened.
    SqliteStore::open(target, OpenMode::ReadOnly).map_err(Failure::history)?;
    console.print(&format!("wrote {}\n", target.display()))?;
    Ok(exit::FINE)
}
