//! A test command as many processes side by side, each with some of the tests.
//!
//! ```text
//! tests of today ─► deal ─► batch ─► part (a command, a report of its own) ─► process
//!                    ▲                                                          │
//!                    └── crash (what is to be run again) ◄── report, code ◄─────┘
//!                                                                │
//!                                     merge ─► one document ─► gate, history
//! ```
//!
//! | module | knows |
//! | --- | --- |
//! | [`today`] | asking a runner for its tests |
//! | `deal` | which tests a worker gets next; pure |
//! | `batch`, `telling` | one process: starting it, what it says of itself and of its tests |
//! | `crash` | what becomes of the tests of a process that died; pure |
//! | `crew` | the workers, side by side |
//! | `account` | one report, one code and one screen of all batches |
//! | [`shared`] | what tests have in common that fail beside others; pure |
//! | [`home`] | what a worker lives in |

mod account;
mod batch;
mod crash;
mod crew;
mod deal;
pub mod home;
pub mod shared;
mod telling;
pub mod today;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::context::child::Ended;
use crate::listing::ListedTest;
use crate::model::TestName;
use crate::ops::part::{PartError, Whole};
use crate::quarantine::gate::runners::Runner;
use crate::report::view::WorkersView;

pub(in crate::ops) use crew::work;
pub use deal::Dist;

/// How a command is run by several workers.
pub struct Setting<'a> {
    /// The tests of today, in the order of the runner.
    pub tests: Vec<ListedTest>,
    /// The seconds that each of them takes, where the history knows.
    pub seconds: Vec<Option<f64>>,
    /// What starting a process takes, as far as is known yet.
    pub start_up: Duration,
    /// What stays together.
    pub dist: Dist,
    /// The runner of the command.
    pub runner: Runner,
    /// What each worker has; so many workers there are.
    pub lodgings: Vec<Lodging>,
    /// So many failed tests end the run.
    pub max_fail: Option<u32>,
    /// Names the run to its processes.
    pub run_id: String,
    /// The part of the suite that this run is, such as `2/4`.
    pub shard: Option<String>,
    /// An empty directory, for the directories of the batches.
    pub directory: PathBuf,
    /// Follows the workers.
    pub follower: &'a dyn Follower,
}

/// What one worker's processes find around them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lodging {
    /// Variables, over those that flakedb itself has.
    pub variables: Vec<(OsString, OsString)>,
    /// What it shares with all other workers, in words such as `REDIS_DB=0`.
    pub shared: Vec<String>,
}

/// Follows the workers while they work; called from many threads.
pub trait Follower: Sync {
    /// A worker begins with so many tests.
    fn begins(&self, worker: u32, tests: usize);
    /// So many of them have ended, and this one runs.
    fn runs(&self, worker: u32, ended: usize, test: Option<&str>);
    /// A worker has done its batch.
    fn ends(&self, batch: &BatchEnd<'_>);
}

/// A batch that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchEnd<'a> {
    /// The worker, from 0.
    pub worker: u32,
    /// The number of the batch, from 1.
    pub number: usize,
    /// So many tests it had.
    pub tests: usize,
    /// So many of them failed.
    pub failed: usize,
    /// How it ended, in words.
    pub how: String,
    /// True where its output is worth reading: something failed in it, and not because we ended it.
    pub has_failed: bool,
    /// Where all that it wrote is.
    pub log: &'a Path,
}

/// What all workers together came to.
pub struct Worked {
    /// The end of the command, as if it had been one process.
    pub ended: Ended,
    /// The merged report.
    pub document: Vec<u8>,
    /// Who did what.
    pub view: WorkersView,
    /// The failures of tests that failed beside others: name and text.
    pub failures: Vec<(TestName, String)>,
}

impl Setting<'_> {
    /// How many workers there are.
    #[must_use]
    pub fn workers(&self) -> u32 {
        u32::try_from(self.lodgings.len()).unwrap_or(u32::MAX)
    }

    /// The variables of a process that runs alone, as worker 0.
    #[must_use]
    pub fn alone(&self) -> Vec<(OsString, OsString)> {
        let mut all = worker_variables(0, 1, &self.run_id);
        all.extend(self.lodgings.iter().take(1).flat_map(|one| one.variables.iter().cloned()));
        all
    }

    /// Tries whether the command can be told to run only some tests, with a report of its own.
    ///
    /// # Errors
    /// [`PartError`], which says why not.
    pub fn try_out(
        &self,
        command: &[OsString],
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<(), PartError> {
        let known: Vec<TestName> = self.tests.iter().map(|test| test.test.clone()).collect();
        let whole = Whole { command, runner: &self.runner.name, known: &known, variable };
        let directory = self.directory.join("trial");
        let refused = |why| PartError::File { path: directory.clone(), why };
        std::fs::create_dir_all(&directory).map_err(refused)?;
        whole.part(known.get(..1).unwrap_or_default(), &directory).map(drop)
    }
}

/// What every process of a worker is told.
fn worker_variables(worker: u32, workers: u32, run_id: &str) -> Vec<(OsString, OsString)> {
    vec![
        batch::pair("FLAKEDB_WORKER", worker.to_string()),
        batch::pair("FLAKEDB_WORKERS", workers.to_string()),
        batch::pair("FLAKEDB_RUN_ID", run_id),
    ]
}
