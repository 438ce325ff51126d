//! Who ran what in a run with several workers.

use serde::Serialize;

/// What one worker did.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WorkerView {
    /// Its number, from 0.
    pub worker: u32,
    /// Tests that it ran.
    pub tests: u64,
    /// Of these failed.
    pub failed: u64,
    /// Processes that it started.
    pub batches: u32,
    /// Processes that died.
    pub crashes: u32,
    /// What its tests took, as their reports say.
    pub test_seconds: f64,
    /// What its processes took besides: starting, collecting, ending.
    pub start_seconds: f64,
    /// What is left of the time of the run.
    pub idle_seconds: f64,
    /// Where what it had is kept.
    pub kept: Option<String>,
}

/// A test and its time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SlowTestView {
    /// The test as it is printed and typed.
    pub test: String,
    /// Who ran it.
    pub worker: u32,
    /// What it took.
    pub seconds: f64,
}

/// A test that took its process with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CrashedView {
    /// The test as it is printed and typed.
    pub test: String,
    /// Who ran it.
    pub worker: u32,
    /// How the process ended, such as `signal 11`.
    pub how: String,
}

/// Something that tests share which fail beside others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SharedView {
    /// What it likely is, such as `one Redis database`.
    pub resource: String,
    /// What speaks for it, the strongest first: variables that are the same for all workers, words
    /// of the failures.
    pub evidence: Vec<String>,
    /// The tests whose failures it explains.
    pub tests: Vec<String>,
    /// How many of these passed when they were run alone; `None` where none was.
    pub passed_alone: Option<u64>,
    /// What to do about it.
    pub mend: String,
}

/// Who ran what: `flakedb run --workers`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WorkersView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// What stayed together: `load`, `loadscope`, `loadfile`, `loadgroup`.
    pub dist: &'static str,
    /// Tests that were to be run.
    pub tests: u64,
    /// What the run took.
    pub seconds: f64,
    /// What all tests took together.
    pub test_seconds: f64,
    /// The workers, by number.
    pub workers: Vec<WorkerView>,
    /// The slowest tests, the slowest first.
    pub slowest: Vec<SlowTestView>,
    /// Tests that took their process with them.
    pub crashed: Vec<CrashedView>,
    /// Tests that have no result.
    pub without_result: Vec<String>,
    /// Why the run ended before all tests had run.
    pub stopped: Option<String>,
    /// What tests that failed beside others likely share.
    pub shared: Option<SharedView>,
    /// What people should know.
    pub notes: Vec<String>,
}

impl WorkersView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.workers.v1";

    /// The same with times that carry no digits that mean nothing.
    #[must_use]
    pub fn rounded(mut self) -> Self {
        self.seconds = super::rounded(self.seconds);
        self.test_seconds = super::rounded(self.test_seconds);
        for worker in &mut self.workers {
            worker.test_seconds = super::rounded(worker.test_seconds);
            worker.start_seconds = super::rounded(worker.start_seconds);
            worker.idle_seconds = super::rounded(worker.idle_seconds);
        }
        self
    }
}
