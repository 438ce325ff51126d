//! L5: use cases. A request, a store and the time in; an outcome out. No printing, no clap.

pub mod backtest;
pub mod causes;
pub mod compare;
pub mod dashboard;
pub mod gate;
pub mod hunt;
pub mod ingest;
pub mod judge;
pub mod latest_failure;
pub mod order;
pub mod parallel;
pub mod part;
pub mod quarantine;
pub mod quarantine_edit;
pub mod quarantine_file;
pub mod quarantine_ground;
pub mod quarantine_lint;
mod quarantine_list;
pub mod quarantine_simulate;
pub mod quarantine_update;
pub mod question;
pub mod reading;
pub mod run;
pub mod show;
pub mod split;
pub mod validate;

/// Follows a long operation.
pub trait Watcher: Sync {
    /// The operation enters a phase.
    fn phase(&self, name: &'static str);
    /// The phase has so many steps.
    fn steps(&self, all: u64);
    /// One step is done; called from many threads.
    fn step(&self);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn phase(&self, _name: &'static str) {}
    fn steps(&self, _all: u64) {}
    fn step(&self) {}
}
