//! `flakedb hunt`: a command again and again, until it is known to be flaky or not.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use crate::analysis::hunt::{Finding, Goal};
use crate::context::{child, places};
use crate::model::{Lane, Timestamp};
use crate::ops::hunt::{DIRECTORY, HuntRequest, NUMBER, Stop, has_placeholder, hunt};
use crate::ops::ingest::IngestRequest;
use crate::ops::reading::ReadRequest;
use crate::report::{HuntView, View};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::gate::words;
use super::global::{Global, Settled};
use super::hunt_order::{self, OrderArgs};
use super::output::FormatArgs;
use super::progress::Progress;
use super::run_context::RunArgs;
use super::span::parse_span;

/// Run a command again and again until it is known to be flaky, or not
///
/// Stops at the first flake (it failed and passed), or when so many runs have passed that a flake
/// rate above --rate is excluded at --confidence: n = ln(1 - confidence) / ln(1 - rate), which is
/// 299 runs by default. What fails beside others (--jobs) is run again alone. Where reports are
/// read, every test is looked at by itself. Ctrl-C ends the hunt and shows what was learnt.
///
/// With --order the tests of the command are replayed in parts and in other orders instead, until it
/// is known which test depends on which other one: a victim that fails behind its polluter, a
/// brittle test that passes only behind its state-setter.
///
/// In the command and in --junit, {n} stands for the number of the run and {dir} for a directory
/// of its own; the command finds them in FLAKEDB_HUNT_RUN and FLAKEDB_HUNT_DIR, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb hunt -- pytest -q tests/test_checkout.py
  flakedb hunt --rate 0.05 -- cargo nextest run checkout
  flakedb hunt --runs 50 --junit report.xml -- pytest --junitxml=report.xml
  flakedb hunt --jobs 4 -- pytest --junitxml={dir}/report.xml
  flakedb hunt --order -- pytest -q
  flakedb hunt --order --test test_total -- pytest -q

Exit codes: 0 nothing found · 1 a flake, or a command that always fails · 2 wrong usage, or the
command cannot be started · 128 + signal where it was ended before it found anything")]
pub struct Args {
    /// Run it N times at most [default: as often as --rate and --confidence need]
    #[arg(long, value_name = "N", conflicts_with = "rate", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// Exclude flakes that fail in more than this share of the runs
    #[arg(long, value_name = "SHARE", default_value = "0.01", value_parser = inside)]
    rate: f64,
    /// How sure what is excluded is to be
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = inside)]
    confidence: f64,
    /// Runs side by side
    #[arg(long, short, value_name = "J", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
    /// Do not stop at the first flake, to learn how often it fails
    #[arg(long)]
    keep_going: bool,
    /// End a run after this time, as 90s or 5m; it has failed then
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub(super) timeout: Option<Duration>,
    /// Where each run writes its reports (may be repeated) [default: as the command says]
    #[arg(long, value_name = "GLOB")]
    junit: Vec<PathBuf>,
    /// Do not store the runs in the history
    #[arg(long)]
    pub(super) no_store: bool,
    #[command(flatten)]
    order: OrderArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) output: FormatArgs,
    /// The command, behind --
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(super) command: Vec<OsString>,
}

fn inside(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| "a share lies between 0 and 1, such as 0.01".to_owned())
}

/// Hunts and shows what was found.
///
/// # Errors
/// A command that cannot be started, reports that would overwrite each other.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    if args.order.order {
        return hunt_order::run(args, &args.order, global, console);
    }
    let settled = global.settle()?;
    let (reports, mut notes) = args.reports()?;
    let workplace = tempfile::Builder::new().prefix("flakedb-hunt-").tempdir()?;
    let stores = !args.no_store && !reports.is_empty();
    let request = HuntRequest {
        command: args.command.clone(),
        goal: args.goal(),
        jobs: args.jobs,
        stop: if args.keep_going { Stop::AtEnd } else { Stop::AtFlake },
        timeout: args.timeout,
        reports,
        workplace: workplace.path().to_path_buf(),
        ingest: if stores { Some(args.ingest(global, &settled)?) } else { None },
    };
    let mut store = None;
    if stores {
        match settled.open_to_write() {
            Ok(opened) => store = Some(opened),
            Err(failure) => notes.push(format!("the runs are not stored: {}", words(&failure))),
        }
    }
    let (stopped, signal) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI32::new(0)));
    let flags = (Arc::clone(&stopped), Arc::clone(&signal));
    let listening = child::OnSignal::call(move |number| {
        flags.1.store(number, Ordering::Relaxed);
        flags.0.store(true, Ordering::Relaxed);
    })?;
    let progress = Progress::new(console);
    let opened: Option<&mut dyn Store> = store.as_mut().map(|store: &mut SqliteStore| store as _);
    let outcome = hunt(&request, opened, &stopped, &progress);
    progress.finish(console);
    drop(listening);
    let outcome = outcome.map_err(Failure::usage)?;
    let mut view = outcome.view;
    view.history = outcome.stored.then(|| settled.db.display().to_string());
    view.notes.append(&mut notes);
    if view.first_failure.is_some() {
        // Its whole output is worth more than a tidy directory.
        let _ = workplace.keep();
    }
    show(&view, args, console)?;
    Ok(match (outcome.finding, view.interrupted) {
        (Finding::Clean, true) => child::How::Signalled(signal.load(Ordering::Relaxed)).code(),
        (Finding::Clean, false) => exit::FINE,
        _ => exit::FINDINGS,
    })
}

fn show(view: &HuntView, args: &Args, console: &Console) -> Result<(), Failure> {
    Ok(args.output.deliver(View::Hunt(view), console)?)
}

impl Args {
    fn goal(&self) -> Goal {
        match self.runs {
            Some(runs) => Goal { runs, confidence: self.confidence },
            None => Goal::excluding(self.rate, self.confidence),
        }
    }

    /// Where reports are looked for, and why they are not.
    fn reports(&self) -> Result<(Vec<PathBuf>, Vec<String>), Failure> {
        let variable = |name: &str| std::env::var(name).ok();
        let told = || places::told(&self.command, &variable);
        let reports = if self.junit.is_empty() { told() } else { self.junit.clone() };
        let shared = reports.iter().find(|place| !has_placeholder(place.as_os_str()));
        let Some(shared) = shared.filter(|_| self.jobs > 1) else {
            return Ok((reports, Vec::new()));
        };
        let clash = format!("runs side by side would overwrite {}", shared.display());
        if self.junit.is_empty() {
            let note = format!(
                "no report was read: {clash}; write to {DIRECTORY} or put {NUMBER} into its name"
            );
            return Ok((Vec::new(), vec![note]));
        }
        Err(Failure::usage(anyhow::anyhow!("{clash}")).hint(format!(
            "put {NUMBER} or {DIRECTORY} into the path, here and in the command, as in {DIRECTORY}/report.xml"
        )))
    }

    /// Each run is an attempt of one build of its own, and none of the main line's.
    pub(super) fn ingest(
        &self,
        global: &Global,
        settled: &Settled,
    ) -> Result<IngestRequest, Failure> {
        let around = self.run.around(global, settled)?;
        let now = Timestamp::from(chrono::Utc::now());
        let root = around.repository_root();
        let mut overrides = around.overrides;
        overrides.lane = overrides.lane.or(Some(Lane::Other));
        overrides.build = overrides
            .build
            .or_else(|| Some(format!("hunt-{}-{}", now.to_rfc3339(), std::process::id())));
        Ok(IngestRequest {
            read: ReadRequest { repository_root: root, now: Some(now), ..ReadRequest::default() },
            overrides,
            surroundings: around.surroundings,
            now,
            retried: None,
        })
    }
}
