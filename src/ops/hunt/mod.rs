//! A command, again and again, until it is known to be flaky, broken or steady enough.
//!
//! Runs beside one another come first, where they were asked for; what fails there is run again
//! alone, until that shows the failure or excludes it. Every run has a directory of its own.

mod counting;
mod one;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::analysis::hunt::{Company, Finding, Goal};
use crate::context::child::StartError;
use crate::report::view::HuntView;
use crate::store::Store;

use super::Watcher;
use super::ingest::{IngestRequest, collect};
use counting::Counting;
use one::{One, one};

pub use one::{DIRECTORY, DIRECTORY_VARIABLE, NUMBER, NUMBER_VARIABLE, has_placeholder};

/// What to hunt in.
pub struct HuntRequest {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// How much to look for.
    pub goal: Goal,
    /// So many runs beside one another.
    pub jobs: u16,
    /// Whether the first flake ends the hunt.
    pub stop: Stop,
    /// After this time a run is ended and has failed.
    pub timeout: Option<Duration>,
    /// Where each run writes its reports.
    pub reports: Vec<PathBuf>,
    /// An empty directory, for the directories of the runs.
    pub workplace: PathBuf,
    /// What is known of the runs, where they are to be stored.
    pub ingest: Option<IngestRequest>,
}

/// When a hunt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// With the first flake.
    AtFlake,
    /// With the last run.
    AtEnd,
}

/// What a hunt came to.
pub struct HuntOutcome {
    /// The screen.
    pub view: HuntView,
    /// What it found.
    pub finding: Finding,
    /// True where its runs are in the history, all of them.
    pub stored: bool,
}

/// Hunts until the goal is met, a flake is shown or `stopped` is set.
///
/// # Errors
/// [`StartError`] where the command cannot be started.
pub fn hunt<'a>(
    request: &'a HuntRequest,
    store: Option<&'a mut dyn Store>,
    stopped: &'a AtomicBool,
    watcher: &'a dyn Watcher,
) -> Result<HuntOutcome, StartError> {
    let mut hunt = Hunt {
        request,
        store,
        stopped,
        watcher,
        counting: Counting::new(request),
        next: 1,
        stored: false,
    };
    watcher.phase("hunting");
    watcher.steps(request.goal.runs.into());
    if request.jobs > 1 {
        hunt.side_by_side()?;
        hunt.verify()?;
    } else {
        hunt.alone(request.goal.runs)?;
    }
    let interrupted = stopped.load(Ordering::Relaxed);
    let stored = hunt.stored && hunt.store.is_some();
    Ok(HuntOutcome { stored, ..hunt.counting.finish(interrupted) })
}

struct Hunt<'a> {
    request: &'a HuntRequest,
    store: Option<&'a mut dyn Store>,
    stopped: &'a AtomicBool,
    watcher: &'a dyn Watcher,
    counting: Counting<'a>,
    /// The number of the next run.
    next: u32,
    /// True once a run was stored.
    stored: bool,
}

impl Hunt<'_> {
    /// At most so many runs, one after the other.
    fn alone(&mut self, runs: u32) -> Result<(), StartError> {
        for _ in 0..runs {
            if self.stopped.load(Ordering::Relaxed) || self.is_over() {
                break;
            }
            let done = one(self.request, self.next, Company::Alone)?;
            self.next += 1;
            self.take(&done);
        }
        Ok(())
    }

    /// Runs side by side, until one fails.
    fn side_by_side(&mut self) -> Result<(), StartError> {
        let request = self.request;
        let (tickets, enough) = (AtomicU32::new(self.next), AtomicBool::new(false));
        let (sender, done) = mpsc::channel();
        let stopped = self.stopped;
        let work = |sender: mpsc::Sender<Result<One, StartError>>| loop {
            let number = tickets.fetch_add(1, Ordering::Relaxed);
            let ended = enough.load(Ordering::Relaxed) || stopped.load(Ordering::Relaxed);
            if ended || number > request.goal.runs {
                break;
            }
            if sender.send(one(request, number, Company::Beside)).is_err() {
                break;
            }
        };
        let mut refused = None;
        thread::scope(|scope| {
            for _ in 0..request.jobs {
                let sender = sender.clone();
                scope.spawn(|| work(sender));
            }
            drop(sender);
            for one in done {
                match one {
                    Ok(one) => self.take(&one),
                    Err(error) => refused = Some(error),
                }
                // With the last run as the end the rest still says how often it fails.
                let until_end = request.stop == Stop::AtEnd && !self.counting.is_broken();
                if refused.is_some() || (self.counting.has_failed() && !until_end) {
                    enough.store(true, Ordering::Relaxed);
                }
            }
        });
        self.next = tickets.into_inner();
        refused.map_or(Ok(()), Err)
    }

    /// What failed beside others, alone.
    fn verify(&mut self) -> Result<(), StartError> {
        if !self.counting.has_failed() || self.counting.is_shown_in_one_run() {
            return Ok(());
        }
        let runs = self.counting.runs_to_verify();
        self.watcher.phase("verifying alone");
        self.watcher.steps(runs.into());
        self.alone(runs)
    }

    fn is_over(&self) -> bool {
        let shown = self.counting.finding() == Finding::Flaky;
        (shown && self.request.stop == Stop::AtFlake) || self.counting.is_broken()
    }

    fn take(&mut self, done: &One) {
        self.watcher.step();
        if done.interrupted {
            return;
        }
        self.store_reports(done);
        self.counting.add(done);
    }

    fn store_reports(&mut self, done: &One) {
        let (Some(store), Some(ingest)) = (self.store.as_deref_mut(), &self.request.ingest) else {
            return;
        };
        if done.reports.is_empty() {
            return;
        }
        let mut ingest = ingest.clone();
        ingest.read.paths.clone_from(&done.reports);
        ingest.overrides.attempt = Some(done.number);
        let stored = collect(&ingest, &super::Unwatched)
            .and_then(|collected| collected.write(store, &super::Unwatched));
        match stored {
            Ok(_) => self.stored = true,
            Err(error) => {
                // What it finds is worth more than its place in the history.
                self.store = None;
                self.counting.note(format!("runs are no longer stored: {error}"));
            }
        }
    }
}
