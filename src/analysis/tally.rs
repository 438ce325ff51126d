//! Counters: what is known of a test that never failed.

use super::duration::RecentDurations;
use crate::model::{Lane, Outcome};
use crate::store::query::ResultRow;

/// Stands for the main line among the bits of the lanes.
const MAIN_BIT: u8 = 7;

/// What is counted for every test and variant, whatever it did.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Runs in which it passed or failed.
    pub executed: u32,
    /// Runs in which it was skipped.
    pub skipped: u32,
    /// The first run with a result of it.
    pub first: u32,
    /// The last run with a result of it.
    pub last: u32,
    /// The first run in which it was executed, where it ever was.
    pub first_executed: u32,
    /// The last run in which it was executed, where it ever was.
    pub last_executed: u32,
    /// The lanes in which it was executed, one bit for each [`Lane::code`]; the highest bit for the
    /// main line.
    pub lanes: u8,
    /// One more than the place of its results, or 0.
    pub(super) kept: u32,
    /// How long it takes when it passes.
    pub durations: RecentDurations,
}

impl Tally {
    /// The bits of a lane, and of the main line.
    pub(super) const fn lines_of(lane: Lane, on_main: bool) -> u8 {
        1 << lane.code() | (on_main as u8) << MAIN_BIT
    }

    /// It was executed on the main line.
    #[must_use]
    pub const fn ran_on_main(&self) -> bool {
        self.lanes >> MAIN_BIT & 1 == 1
    }

    pub(super) const fn is_new(&self) -> bool {
        self.executed == 0 && self.skipped == 0
    }

    pub(super) fn count(&mut self, run: u32, lines: u8, row: &ResultRow) {
        if self.is_new() {
            self.first = run;
        }
        self.last = run;
        if row.outcome == Outcome::Skipped {
            self.skipped += 1;
            return;
        }
        if self.executed == 0 {
            self.first_executed = run;
        }
        self.executed += 1;
        self.last_executed = run;
        self.lanes |= lines;
        if let (Outcome::Passed, Some(duration)) = (row.outcome, row.duration) {
            self.durations.add(duration);
        }
    }
}
