//! What a run of tests came to, before any runner writes it down.

use serde::{Deserialize, Serialize};

use crate::model::{Outcome, Timestamp};

/// One run of the tests of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRun {
    /// The project, in lower case: `shop`.
    pub project: String,
    /// When it started.
    pub started: Timestamp,
    /// The machine that it ran on.
    pub host: String,
    /// A UUID of the run, for the runners that write one.
    pub id: String,
    /// What was tested, module by module.
    pub modules: Vec<Module>,
}

impl TestRun {
    /// All cases with their module, in order.
    pub fn cases(&self) -> impl Iterator<Item = (&Module, &Case)> {
        self.modules.iter().flat_map(|module| module.cases.iter().map(move |case| (module, case)))
    }
}

/// The tests of one part of a project: a file, a class, a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// In lower case: `cart`.
    pub name: String,
    /// Its tests in the order in which they ran.
    pub cases: Vec<Case>,
}

/// One test and its attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What is tested, in words: `adds up`.
    pub behaviour: String,
    /// The line of the test in its file, from 1.
    pub line: u32,
    /// The attempts that failed and were tried again, in order.
    pub earlier: Vec<Attempt>,
    /// The attempt that decides.
    pub last: Attempt,
}

impl Case {
    /// All attempts in order.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.earlier.iter().chain([&self.last])
    }

    /// The outcome of the attempt that decides.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.last.outcome
    }

    /// The time of all attempts, in milliseconds.
    #[must_use]
    pub fn total_ms(&self) -> u64 {
        self.attempts().map(|attempt| attempt.duration_ms).sum()
    }
}

/// One attempt at a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took.
    pub duration_ms: u64,
    /// Why it failed or was skipped, on one line; empty where it passed.
    pub message: String,
}

/// How many cases of a suite came to what.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) tests: usize,
    pub(super) failures: usize,
    pub(super) errors: usize,
    pub(super) skipped: usize,
    /// All attempts, in milliseconds.
    pub(super) total_ms: u64,
}

impl Sums {
    /// The sums of cases.
    pub(super) fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        cases.into_iter().fold(Self::default(), |sums, case| Self {
            tests: sums.tests + 1,
            failures: sums.failures + usize::from(case.outcome() == Outcome::Failed),
            errors: sums.errors + usize::from(case.outcome() == Outcome::Errored),
            skipped: sums.skipped + usize::from(case.outcome() == Outcome::Skipped),
            total_ms: sums.total_ms + case.total_ms(),
        })
    }

    /// Failures and errors together, for runners that know no difference.
    pub(super) const fn bad(self) -> usize {
        self.failures + self.errors
    }
}
