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
        Command::Info => info(&settled.open_to_read()?, db, format)?,
        Command::Check => check(&settled.open_to_read()?, db, format)?,
        Command::Merge { sources } => merge(&mut settled.open_to_write()?, sources, db, format)?,
        Command::Backup { target } => backup(&settled.open_to_read()?, target, format)?,
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

fn info(store: &SqliteStore, db: &Path, format: Plain) -> Result<Said, Failure> {
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
    let text = info_text(&view);
    said(format, &view, text, exit::FINE)
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

/// What `db check --format json` prints.
#[derive(Debug, Serialize)]
struct CheckView {
    schema: &'static str,
    history: String,
    findings: Vec<FindingView>,
}

#[derive(Debug, Serialize)]
struct FindingView {
    place: String,
    problem: String,
}

fn check(store: &SqliteStore, db: &Path, format: Plain) -> Result<Said, Failure> {
    let findings = store.check().map_err(Failure::history)?.into_iter();
    let findings = findings
        .map(|finding| FindingView { place: finding.place, problem: finding.problem })
        .collect();
    let history = db.display().to_string();
    let view = CheckView { schema: "flakedb.db-check.v1", history, findings };
    if view.findings.is_empty() {
        let text = format!("{}: whole\n", view.history);
        return said(format, &view, text, exit::FINE);
    }
    let line = |finding: &FindingView| {
        format!("{}: {}: {}\n", view.history, finding.place, finding.problem)
    };
    let text = view.findings.iter().map(line).collect();
    said(format, &view, text, exit::FINDINGS)
}

/// What `db merge --format json` prints.
#[derive(Debug, Serialize)]
struct MergeView {
    schema: &'static str,
    history: String,
    sources: Vec<MergedView>,
}

#[derive(Debug, Serialize)]
struct MergedView {
    history: String,
    runs_new: u64,
    reports_new: u64,
    reports_known: u64,
}

fn merge(
    store: &mut SqliteStore,
    sources: &[PathBuf],
    db: &Path,
    format: Plain,
) -> Result<Said, Failure> {
    let mut merged = Vec::new();
    for source in sources {
        let appended = store.merge_from(source).map_err(Failure::history)?;
        merged.push(MergedView {
            history: source.display().to_string(),
            runs_new: appended.runs_new,
            reports_new: appended.reports_new,
            reports_known: appended.reports_known,
        });
    }
    let history = db.display().to_string();
    let view = MergeView { schema: "flakedb.db-merge.v1", history, sources: merged };
    let line = |one: &MergedView| {
        let MergedView { history, runs_new, reports_new, reports_known } = one;
        format!(
            "{history}: {runs_new} new runs, {reports_new} new reports, {reports_known} known \
             reports into {}\n",
            view.history
        )
    };
    let text = view.sources.iter().map(line).collect();
    said(format, &view, text, exit::FINE)
}

/// What `db backup --format json` prints.
#[derive(Debug, Serialize)]
struct BackupView {
    schema: &'static str,
    written: String,
}

fn backup(store: &SqliteStore, target: &Path, format: Plain) -> Result<Said, Failure> {
    if target.exists() {
        return Err(Failure::usage(anyhow::anyhow!("{} exists already", target.display()))
            .hint("name a file that does not exist yet"));
    }
    store.backup(target).map_err(Failure::history)?;
    // What was copied is worth nothing if it cannot be opened.
    SqliteStore::open(target, OpenMode::ReadOnly).map_err(Failure::history)?;
    let view = BackupView { schema: "flakedb.db-backup.v1", written: target.display().to_string() };
    let text = format!("wrote {}\n", view.written);
    said(format, &view, text, exit::FINE)
}
