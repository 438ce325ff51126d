//! How long something has taken so far.

use std::time::{Duration, Instant, SystemTime};

/// A beginning, and the time since.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    started: SystemTime,
    since: Instant,
}

impl Stopwatch {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { started: SystemTime::now(), since: Instant::now() }
    }

    /// When it began.
    #[must_use]
    pub const fn started(&self) -> SystemTime {
        self.started
    }

    /// The time since then.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}
