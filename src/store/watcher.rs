//! Who follows a long piece of work.

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
