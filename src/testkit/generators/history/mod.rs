//! Whole CI histories with known truth: what each test really is, and what each run really was.
//!
//! [`Histories`] makes them; [`History::files`] writes one as a directory that `flakedb ingest`
//! reads, [`History::lines`] as JSON Lines.

mod builder;
mod fate;
mod flaws;
mod play;
#[cfg(test)]
mod tests;
mod written;

pub use builder::Histories;
pub(super) use builder::{RETRIES_MAX, RUNS_MAX};
pub use fate::{Fate, TestFate};
pub use flaws::{FLAWS, Flaw, Flawed};
pub use written::{History, Run, RunTruth, Sidecar, Truth};
