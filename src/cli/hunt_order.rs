//! `flakedb hunt --order`: which test depends on which other one, proven by replays.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use crate::context::child;
use crate::listing::Listing;
use crate::ops::judge::JudgeRequest;
use crate::ops::order::{OrderError, OrderRequest, order};
use crate::ops::parallel::today::runner;
use crate::report::View;
use crate::report::view::WindowText;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::gate::words;
use super::global::{Global, Settled};
use super::hunt::Args;
use super::progress::Progress;
use super::workers::listed;

/// How to search for order dependence.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Order")]
pub(super) struct OrderArgs {
    /// Search for tests that depend on what ran before them
    #[arg(long, conflicts_with_all = ["runs", "rate", "confidence", "jobs", "keep_going", "junit"])]
    pub(super) order: bool,
    /// The test in question, or part of its name [default: whichever shows itself]
    #[arg(long, value_name = "NAME", requires = "order")]
    test: Option<String>,
    /// Replays at most
    #[arg(long, value_name = "N", default_value = "30", requires = "order", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    replays: u32,
    /// The seed of orders by chance
    #[arg(long, value_name = "S", default_value = "1", requires = "order")]
    seed: u64,
    /// Search among the tests of this file, one a line or as their runner lists them; - is standard input [default: those that the runner lists]
    #[arg(long, value_name = "FILE", requires = "order")]
    tests: Option<PathBuf>,
    /// Store the replays in the history, where they count as runs: those of parts of the suite, too
    #[arg(long, requires = "order", conflicts_with = "no_store")]
    store: bool,
    /// The runner that the command starts [default: by its words]
    #[arg(long, value_name = "NAME", requires = "order")]
    runner: Option<String>,
}

/// How the history is asked for suspects: as `flakedb report` judges it.
fn judging(project: String, settled: &Settled) -> JudgeRequest {
    let configured = settled.file.window;
    JudgeRequest {
        project,
        window: WindowText {
            last_runs: configured.runs,
            last_days: configured.days,
            ..WindowText::default()
        },
        settings: settled.file.judging.clone().unwrap_or_default(),
    }
}

impl OrderArgs {
    /// The tests that a file lists, where one was named.
    fn listing(&self, args: &Args, settled: &Settled) -> Result<Option<Listing>, Failure> {
        let Some(file) = &self.tests else { return Ok(None) };
        let runner = runner_of(args, self, settled);
        let read = listed(file, runner.as_deref());
        read.map(Some).map_err(|why| Failure::usage(anyhow::anyhow!(why)))
    }
}

/// The runner that the command starts, in whose words a file lists tests.
fn runner_of(args: &Args, search: &OrderArgs, settled: &Settled) -> Option<String> {
    let configured = settled.file.gate.clone().unwrap_or_default().runners;
    runner(&args.command, search.runner.as_deref(), &configured)
}

fn directory() -> String {
    std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned()
}

/// Searches and shows what was found.
///
/// # Errors
/// A runner whose tests cannot be listed or chosen, a test that is not there.
pub(super) fn run(
    args: &Args,
    search: &OrderArgs,
    global: &Global,
    console: &Console,
) -> Result<u8, Failure> {
    let settled = global.settle()?;
    let workplace = tempfile::Builder::new().prefix("flakedb-order-").tempdir()?;
    let mut notes = Vec::new();
    let mut store = None;
    if !search.store {
        // What it knows is of use all the same.
        store = settled.db.exists().then(|| settled.open_to_read().ok()).flatten();
    } else {
        match settled.open_to_write() {
            Ok(opened) => store = Some(opened),
            Err(failure) => notes.push(format!("the replays are not stored: {}", words(&failure))),
        }
    }
    let project = store.as_ref().and_then(|store| settled.project(global, store).ok());
    let judging = project.map(|project| judging(project, &settled));
    let listing = search.listing(args, &settled)?;
    let request = OrderRequest {
        command: args.command.clone(),
        runner: search.runner.clone(),
        configured: settled.file.gate.clone().unwrap_or_default().runners,
        test: search.test.clone(),
        replays: search.replays,
        seed: search.seed,
        timeout: args.timeout,
        workplace: std::path::absolute(workplace.path())?,
        listing,
        directory: directory(),
        judging,
        ingest: if store.is_some() && search.store {
            Some(args.ingest(global, &settled)?)
        } else {
            None
        },
        variable: &|name| std::env::var_os(name),
    };
    let (stopped, signal) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI32::new(0)));
    let flags = (Arc::clone(&stopped), Arc::clone(&signal));
    let listening = child::OnSignal::call(move |number| {
        flags.1.store(number, Ordering::Relaxed);
        flags.0.store(true, Ordering::Relaxed);
    })?;
    let progress = Progress::new(console);
    let opened: Option<&mut dyn Store> = store.as_mut().map(|store: &mut SqliteStore| store as _);
    let outcome = order(&request, opened, &stopped, &progress);
    progress.finish(console);
    drop(listening);
    let outcome = outcome.map_err(|error| match error {
        error @ OrderError::Unknown { .. } => Failure::usage(error)
            .hint("the command itself lists them; --test takes a part of a name"),
        error => Failure::usage(error),
    })?;
    let mut view = outcome.view;
    view.history = outcome.stored.then(|| settled.db.display().to_string());
    view.notes.append(&mut notes);
    args.output.deliver(View::Order(&view), console)?;
    Ok(match (outcome.found, view.interrupted) {
        (true, _) => exit::FINDINGS,
        (false, true) => child::How::Signalled(signal.load(Ordering::Relaxed)).code(),
        (false, false) => exit::FINE,
    })
}
