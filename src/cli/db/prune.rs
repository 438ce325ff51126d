//! `flakedb db prune`: the oldest runs go.

use std::path::Path;

use serde::Serialize;

use super::{Plain, Said, exit, said};
use crate::cli::failure::Failure;
use crate::cli::global::{Global, Settled};
use crate::cli::progress::Progress;
use crate::cli::window::parse_time;
use crate::model::Timestamp;
use crate::report::sentence;
use crate::store::sqlite::{Keep, OpenMode, PrunePlan, Pruned, Share, SqliteStore};

/// Remove the oldest runs, with the failures that only they had
///
/// A run goes only where every rule that is given lets it go. All projects are pruned, each by its
/// own runs, or the one that --project or flakedb.toml names. Tests keep the day they were first
/// seen. It works in pieces: other commands read and write meanwhile, and where it is stopped,
/// running it again finishes it. What becomes free in the file is used by later ingests; --shrink
/// gives it back to the system. Reports that are ingested again, and histories that are merged, bring their runs back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb db prune --keep-days 365 --dry-run     what would go
  flakedb db prune --keep-days 365
  flakedb db prune --keep-runs 5000 --project shop
  flakedb db prune --keep-days 90 --keep-runs 500   keep what either rule keeps
  flakedb db prune --before 2026-01-01 --shrink
  flakedb db prune --shrink                      only give free space back

Exit codes:
  0  done, or nothing to do
  2  wrong usage
  4  the history could not be used")]
pub(super) struct Args {
    /// Keep the runs of the last so many days, counted back from the last run of each project
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    keep_days: Option<u32>,
    /// Keep the last so many runs of each project
    #[arg(long, value_name = "RUNS", value_parser = clap::value_parser!(u32).range(1..))]
    keep_runs: Option<u32>,
    /// Remove only runs that started before this time (2026-11-22, or 2026-11-22T08:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    before: Option<Timestamp>,
    /// Show what would go, and change nothing
    #[arg(long, conflicts_with = "shrink")]
    dry_run: bool,
    /// Write the file anew, without its free space; needs room for it twice more, and others wait
    #[arg(long)]
    shrink: bool,
}

/// What `db prune --format json` prints.
#[derive(Debug, Serialize)]
struct PruneView {
    schema: &'static str,
    history: String,
    dry_run: bool,
    projects: Vec<ProjectView>,
    /// What went in truth; none in a dry run. Others may have added old runs since the plan.
    removed: Option<RemovedView>,
    shrunk: bool,
    bytes_before: u64,
    bytes: u64,
    bytes_free: u64,
}

#[derive(Debug, Serialize)]
struct ProjectView {
    name: String,
    goes: ShareView,
    stays: ShareView,
}

#[derive(Debug, Serialize)]
struct ShareView {
    runs: u64,
    reports: u64,
    results: u64,
    first_started: Option<String>,
    last_started: Option<String>,
}

#[derive(Debug, Serialize)]
struct RemovedView {
    runs: u64,
    failures: u64,
    names: u64,
}

impl Args {
    fn keep(&self) -> Result<Keep, Failure> {
        let keep = Keep { runs: self.keep_runs, days: self.keep_days, since: self.before };
        if keep == Keep::default() && !self.shrink {
            return Err(Failure::usage(anyhow::anyhow!("nothing says which runs to keep"))
                .hint("give --keep-days, --keep-runs or --before; --dry-run shows what would go"));
        }
        Ok(keep)
    }
}

pub(super) fn prune(
    args: &Args,
    global: &Global,
    settled: &Settled,
    format: Plain,
    progress: &Progress,
) -> Result<Said, Failure> {
    let keep = args.keep()?;
    // Opened to read first: what is not there is not made.
    let reader = settled.open_to_read()?;
    let named = global.project.is_some() || settled.file.project.is_some();
    let project = named.then(|| settled.project(global, &reader)).transpose()?;
    let before = reader.info().map_err(Failure::history)?;
    let plans = reader.plan_prune(project.as_deref(), keep).map_err(Failure::history)?;
    drop(reader);
    let removed = match args.dry_run {
        true => None,
        false => Some(carry_out(args, settled, keep, &plans, progress)?),
    };
    let after = settled.open_to_read()?.info().map_err(Failure::history)?;
    let view = PruneView {
        schema: "flakedb.db-prune.v1",
        history: settled.db.display().to_string(),
        dry_run: args.dry_run,
        projects: plans.iter().map(project_view).collect(),
        removed: removed.map(|Pruned { runs, failures, names }| RemovedView {
            runs,
            failures,
            names,
        }),
        shrunk: args.shrink,
        bytes_before: before.file_bytes,
        bytes: after.file_bytes,
        bytes_free: after.free_bytes,
    };
    let text = text(&view);
    said(format, &view, text, exit::FINE)
}

fn carry_out(
    args: &Args,
    settled: &Settled,
    keep: Keep,
    plans: &[PrunePlan],
    progress: &Progress,
) -> Result<Pruned, Failure> {
    let path: &Path = &settled.db;
    let mut store = SqliteStore::open(path, OpenMode::ReadWrite).map_err(Failure::history)?;
    let pruned = match keep == Keep::default() {
        true => Pruned::default(),
        false => store.prune(plans, progress).map_err(Failure::history)?,
    };
    if args.shrink {
        use crate::ops::Watcher as _;
        progress.phase("writing the file anew");
        store.shrink().map_err(Failure::history)?;
    }
    Ok(pruned)
}

fn project_view(plan: &PrunePlan) -> ProjectView {
    let share = |share: &Share| ShareView {
        runs: share.runs,
        reports: share.reports,
        results: share.results,
        first_started: share.first.map(Timestamp::to_rfc3339),
        last_started: share.last.map(Timestamp::to_rfc3339),
    };
    ProjectView { name: plan.project.clone(), goes: share(&plan.goes), stays: share(&plan.stays) }
}

fn text(view: &PruneView) -> String {
    let mut text = format!("{}\n", view.history);
    let verb = if view.dry_run { "would go" } else { "gone" };
    for project in &view.projects {
        let ShareView { runs, results, first_started, last_started, .. } = &project.goes;
        let share = |runs: u64, results: u64, first: &Option<String>, last: &Option<String>| {
            let day = |time: &Option<String>| {
                time.as_deref().unwrap_or("?").chars().take(10).collect::<String>()
            };
            let count = format!(
                "{} with {}",
                sentence::count(runs, "run"),
                sentence::count(results, "result")
            );
            if runs == 0 {
                "no run".to_owned()
            } else {
                format!("{count}, {} to {}", day(first), day(last))
            }
        };
        let goes = share(*runs, *results, first_started, last_started);
        let ShareView { runs, results, first_started, last_started, .. } = &project.stays;
        let stays = share(*runs, *results, first_started, last_started);
        text += &format!("  {}\n    {verb:9} {goes}\n    {:9} {stays}\n", project.name, "kept");
    }
    if let Some(removed) = &view.removed {
        let failures = sentence::count(removed.failures, "failure");
        text += &format!("  with them {failures} that nothing else had\n");
    }
    let size = format!("  size      {} bytes", sentence::number(view.bytes));
    text += &match (view.dry_run, view.shrunk) {
        (true, _) => format!("{size}; nothing was changed\n"),
        (false, true) => format!("{size}, {} before\n", sentence::number(view.bytes_before)),
        (false, false) => {
            let free = sentence::number(view.bytes_free);
            format!("{size}, {free} of them free for later runs; --shrink gives them back\n")
        }
    };
    text
}
