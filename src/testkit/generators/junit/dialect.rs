//! The dialects: a table with one entry for each runner, and what all of them need.

use std::io::{self, Write};

use serde::Serialize;

use super::dialects;
use super::names::Names;
use super::report::{Attempt, Case, Module, TestRun};
use crate::model::{Outcome, Timestamp};
use crate::testkit::nearest;

/// How a runner writes the attempts of a test that it tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Retries {
    /// Only the last attempt is written.
    LastOnly,
    /// `<flakyFailure>` where the last attempt passed, `<rerunFailure>` where it failed.
    Nested,
    /// One record for each attempt, of one name.
    Records,
    /// Failed attempts are records without a child, as if they had passed
    /// (pytest-rerunfailures from 16.6.1 on).
    EmptyRecords,
    /// One `<failure>` for each attempt where all failed, nothing where the last one passed.
    FailuresOnly,
    /// One record for each attempt, marked by a property.
    Marked,
}

/// The clock of the times in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Clock {
    /// UTC, or a time with its offset.
    Utc,
    /// The machine's, without an offset; generated machines run on UTC.
    Local,
    /// No time is written.
    None,
}

/// How one runner writes JUnit XML.
#[derive(Debug)]
pub struct Dialect {
    /// The name under which it is asked for, such as `pytest`.
    pub name: &'static str,
    /// The runner, and what has to be switched on for its report.
    pub runner: &'static str,
    /// What [`Report::producer`](crate::model::Report::producer) calls it.
    pub producer: &'static str,
    /// How it writes retries.
    pub retries: Retries,
    /// True where it tells errors from failures.
    pub tells_errors: bool,
    /// True where it writes tests that were skipped.
    pub writes_skips: bool,
    /// True where it writes one file for each module.
    pub file_per_module: bool,
    /// The clock of its times.
    pub clock: Clock,
    /// The milliseconds that its durations are whole multiples of.
    pub step_ms: u64,
    /// True where class and name alone tell a test from all others.
    pub(super) qualified: bool,
    /// What it calls a failed assertion and an error.
    pub(super) types: [&'static str; 2],
    pub(super) names: fn(project: &str, module: &str, behaviour: &str) -> Names,
    pub(super) file: fn(project: &str, module: &str) -> String,
    pub(super) write: fn(&TestRun, &mut dyn Write) -> io::Result<()>,
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// All dialects.
pub static DIALECTS: &[&Dialect] = dialects::ALL;

/// A dialect that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no dialect {name}{hint}; write one of {known}")]
pub struct UnknownDialect {
    name: String,
    hint: String,
    known: String,
}

impl Dialect {
    /// The dialect of a name.
    ///
    /// # Errors
    /// [`UnknownDialect`], which names those that there are.
    ///
    /// ```
    /// use flakedb::testkit::generators::junit::Dialect;
    ///
    /// assert_eq!(Dialect::named("pytest")?.producer, "pytest");
    /// let error = Dialect::named("pytets").unwrap_err().to_string();
    /// assert!(error.starts_with("there is no dialect pytets; did you mean pytest?"));
    /// # Ok::<(), flakedb::testkit::generators::junit::UnknownDialect>(())
    /// ```
    pub fn named(name: &str) -> Result<&'static Self, UnknownDialect> {
        let known = || DIALECTS.iter().map(|dialect| dialect.name);
        DIALECTS.iter().find(|dialect| dialect.name == name).copied().ok_or_else(|| {
            UnknownDialect {
                name: name.to_owned(),
                hint: nearest::hint(name, known()),
                known: known().collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// The names of a test.
    pub(in crate::testkit::generators) fn names(
        &self,
        run: &TestRun,
        module: &Module,
        case: &Case,
    ) -> Names {
        (self.names)(&run.project, &module.name, &case.behaviour)
    }

    /// The test as flakedb prints it, `classname::name` in most dialects.
    #[must_use]
    pub fn label(&self, project: &str, module: &str, behaviour: &str) -> String {
        (self.names)(project, module, behaviour).label(self.qualified)
    }

    /// The type of a failure.
    pub(in crate::testkit::generators) const fn kind(&self, attempt: &Attempt) -> &'static str {
        self.types[matches!(attempt.outcome, Outcome::Errored) as usize]
    }

    /// An outcome as a report in this dialect tells it.
    const fn told(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Errored if !self.tells_errors => Outcome::Failed,
            outcome => outcome,
        }
    }

    /// The attempts at a case as a report in this dialect tells them, where it tells all of them.
    pub(in crate::testkit::generators) fn attempts<'a>(
        &'a self,
        case: &'a Case,
    ) -> impl Iterator<Item = Outcome> + 'a {
        let earlier = case.earlier.iter().map(|attempt| match self.retries {
            // A record without a child does not say how the attempt failed.
            Retries::EmptyRecords => Outcome::Failed,
            _ => self.told(attempt.outcome),
        });
        earlier.chain([self.told(case.outcome())])
    }

    /// What a report in this dialect tells of a case; `None` where the case is not in it.
    #[must_use]
    pub fn shown(&self, case: &Case) -> Option<Shown> {
        let outcome = match case.outcome() {
            Outcome::Skipped if !self.writes_skips => return None,
            outcome => self.told(outcome),
        };
        let attempts = case.earlier.len() + 1;
        let attempts = match (self.retries, outcome) {
            (Retries::LastOnly, _) | (Retries::FailuresOnly, Outcome::Passed) => 1,
            // An empty record in front of an error is what a failed teardown looks like, too.
            (Retries::EmptyRecords, Outcome::Errored) if attempts == 2 => 1,
            _ => attempts,
        };
        let step = self.step_ms.max(1);
        // Records with retries inside show the first attempt where all failed.
        let timed = match (self.retries, case.earlier.first()) {
            (Retries::Nested, Some(first)) if outcome.is_bad() => first,
            _ => &case.last,
        };
        Some(Shown {
            outcome,
            flaky: outcome == Outcome::Passed && attempts > 1,
            attempts,
            duration_ms: timed.duration_ms / step * step,
        })
    }
}

/// What a report tells of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The outcome of the attempt that decides.
    pub outcome: Outcome,
    /// True where an earlier attempt failed and the last one passed.
    pub flaky: bool,
    /// The attempts that can be told.
    pub attempts: usize,
    /// The time that the report gives for the test, as coarse as the dialect writes it: the last
    /// attempt's, but the first one's where retries are [nested](Retries::Nested) and all failed.
    pub duration_ms: u64,
}

/// A time in the pattern of chrono; empty beyond the years of its calendar.
pub(super) fn clock(time: Timestamp, pattern: &str) -> String {
    time.to_utc().map_or_else(String::new, |time| time.format(pattern).to_string())
}

/// Seconds with three digits: `0.120`.
pub(super) fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// Seconds as JavaScript prints a number: `0.12`.
pub(super) fn number(millis: u64) -> String {
    let text = seconds(millis);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
