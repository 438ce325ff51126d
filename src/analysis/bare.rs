//! Runs, verdicts and weighings of which nothing is known, for tests that say what matters to them.

use super::direction::Direction;
use super::filter::episode::Attributed;
use super::harm::Harm;
use super::verdict::{JudgedRun, Rate, Status, Verdict, Weighing};
use crate::model::{Lane, Micros, Timestamp};
use crate::store::query::{RunNo, TestNo};

impl JudgedRun {
    /// A green run of the main line of which nothing else is known; tests say what matters to them.
    pub(crate) fn bare(no: u32) -> Self {
        Self {
            no: RunNo(no),
            started: Timestamp(0),
            revision: None,
            branch: None,
            lane: Lane::Default,
            on_main: true,
            variant: String::new(),
            build: None,
            attempt: 1,
            job: None,
            url: None,
            executed: 1,
            bad: 0,
            time: Micros(0),
            suite_failures: 0,
            outage: false,
        }
    }
}

impl Verdict {
    /// A status of which nothing else is known; tests say what matters to them.
    pub(crate) fn bare(test: u32, status: Status) -> Self {
        Self {
            test: TestNo(test),
            variant: String::new(),
            status,
            probability: None,
            broken_probability: None,
            weighing: None,
            score: None,
            quarantine: status == Status::Flaky,
            executions: 0,
            failures: 0,
            retried: 0,
            skipped: 0,
            rate: Rate { value: 0.0, low: 0.0, high: 1.0 },
            flips: 0,
            facts: Vec::new(),
            cells: Vec::new(),
            last_failure: None,
            last_run: Timestamp(0),
            duration_median: None,
            harm: Harm::default(),
            direction: Direction::default(),
            next: Vec::new(),
            hints: Vec::new(),
            trail: None,
        }
    }
}

impl Weighing {
    /// One failure of which nothing is known but what caused it.
    pub(crate) fn bare(failure: Attributed) -> Self {
        Self {
            prior: 0.0,
            time: 0.0,
            total: 0.0,
            entries: Vec::new(),
            proofs: Vec::new(),
            flaky_since: None,
            flakes: 0,
            chances: 1,
            flake_rate: Rate { value: 0.0, low: 0.0, high: 1.0 },
            failures: vec![failure],
        }
    }
}
