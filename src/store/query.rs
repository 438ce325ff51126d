//! What the judgement reads: rows in domain terms, without SQL.

use std::collections::HashMap;

use crate::model::hash::{FailureId, RunKey, SignatureId, TestId};
use crate::model::{Counts, Lane, Micros, Outcome, Repeat, TestIdentity, Timestamp};

/// A test's number in one database file; meaningless outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestNo(pub u32);

/// A run's number in one database file; meaningless outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunNo(pub u32);

/// A stored failure's number in one database file; meaningless outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FailureNo(pub u32);

/// Which runs to look at: the last N of those that match everything else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    /// Only the last so many runs.
    pub last_runs: Option<u32>,
    /// Only runs that started at or after this time.
    pub since: Option<Timestamp>,
    /// Only runs that started before this time.
    pub until: Option<Timestamp>,
    /// Only runs on these branches; empty for all.
    pub branches: Vec<String>,
    /// Only runs of this lane.
    pub lane: Option<Lane>,
    /// Only runs of this variant, as printed.
    pub variant: Option<String>,
}

/// One project of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRow {
    /// Its name.
    pub name: String,
    /// How many runs it has.
    pub runs: u64,
    /// When its last run started.
    pub last_started: Option<Timestamp>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its number here.
    pub no: RunNo,
    /// Its natural key.
    pub key: RunKey,
    /// When it started.
    pub started: Timestamp,
    /// The commit under test.
    pub revision: Option<String>,
    /// The branch under test.
    pub branch: Option<String>,
    /// Default branch, change, or other.
    pub lane: Lane,
    /// The matrix cell as printed; empty for none.
    pub variant: String,
    /// The CI build.
    pub build: Option<String>,
    /// The attempt of that build, from 1.
    pub attempt: u32,
    /// The CI job, for people.
    pub job: Option<String>,
    /// Where a person finds its log.
    pub url: Option<String>,
    /// False where one of its reports was cut off.
    pub complete: bool,
    /// How many reports it has.
    pub reports: u32,
    /// Errors of whole suites.
    pub suite_failures: u32,
    /// The cases of its reports, summed.
    pub counts: Counts,
}

#[cfg(test)]
impl RunRow {
    /// A whole run of one report, of which nothing else is known; tests say what matters to them.
    pub(crate) fn bare(no: u32) -> Self {
        Self {
            no: RunNo(no),
            key: RunKey([no as u8; 16]),
            started: Timestamp(0),
            revision: None,
            branch: None,
            lane: Lane::Other,
            variant: String::new(),
            build: None,
            attempt: 1,
            job: None,
            url: None,
            complete: true,
            reports: 1,
            suite_failures: 0,
            counts: Counts::default(),
        }
    }
}

/// What became of one test in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultRow {
    /// The test.
    pub test: TestNo,
    /// The outcome after all attempts.
    pub outcome: Outcome,
    /// How repeated records were understood.
    pub repeat: Repeat,
    /// Executions, at least 1.
    pub attempts: u32,
    /// How many of them failed or errored.
    pub bad_attempts: u32,
    /// The time of the last attempt.
    pub duration: Option<Micros>,
    /// The worker that ran it, as a place in [`RunRows::workers`] plus one; 0 where unknown. Of
    /// several attempts that of the first.
    pub worker: u16,
}

/// Analysis goes through millions of them.
const _: () = assert!(size_of::<ResultRow>() <= 32, "rows have grown");

impl ResultRow {
    /// Passed, but only after a failed attempt in the same run.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        self.repeat.is_pass_on_retry(self.outcome, self.bad_attempts)
    }
}

#[cfg(test)]
impl ResultRow {
    /// One execution, of which nothing else is known; tests say what matters to them.
    pub(crate) fn bare(test: u32, outcome: Outcome) -> Self {
        Self {
            test: TestNo(test),
            outcome,
            repeat: Repeat::Single,
            attempts: 1,
            bad_attempts: u32::from(outcome.is_bad()),
            duration: None,
            worker: 0,
        }
    }

    /// What a letter of a strip stands for; `None` where it stands for no result.
    ///
    /// `.` passed, `F` failed, `E` errored, `s` skipped, `r` passed on retry, `R` failed three times,
    /// `a` failed under a name that tests share.
    pub(crate) fn marked(test: u32, mark: char) -> Option<Self> {
        let (outcome, repeat, attempts, bad_attempts) = match mark {
            '.' => (Outcome::Passed, Repeat::Single, 1, 0),
            'F' => (Outcome::Failed, Repeat::Single, 1, 1),
            'E' => (Outcome::Errored, Repeat::Single, 1, 1),
            's' => (Outcome::Skipped, Repeat::Single, 1, 0),
            'r' => (Outcome::Passed, Repeat::Retried, 2, 1),
            'R' => (Outcome::Failed, Repeat::Retried, 3, 3),
            'a' => (Outcome::Failed, Repeat::Ambiguous, 2, 1),
            _ => return None,
        };
        Some(Self { repeat, attempts, bad_attempts, ..Self::bare(test, outcome) })
    }
}

/// One report of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportRow {
    /// The machine that its tests ran on; empty where unknown.
    pub host: String,
    /// Where it came from, for people.
    pub source: String,
    /// Which part of the suite it is; empty where unknown.
    pub shard: String,
    /// The seed of its random order; empty where unknown.
    pub seed: String,
    /// Where its rows end among those of the run: tests that were first met in it.
    pub end: u32,
}

/// The rows of one run, which are read as a slice, with the reports they come from.
///
/// Rows stand in the order of the reports, and within a report in that of the document, which is
/// the order of execution for most runners.
#[derive(Debug, Clone, Copy)]
pub struct RunRows<'a> {
    /// One row for each test.
    pub rows: &'a [ResultRow],
    /// Its reports, in order.
    pub reports: &'a [ReportRow],
    /// The names of its workers, each once.
    pub workers: &'a [String],
}

impl std::ops::Deref for RunRows<'_> {
    type Target = [ResultRow];

    fn deref(&self) -> &[ResultRow] {
        self.rows
    }
}

impl<'a> IntoIterator for &RunRows<'a> {
    type Item = &'a ResultRow;
    type IntoIter = std::slice::Iter<'a, ResultRow>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

/// One bad attempt of one test in one run, with its failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRow {
    /// The run.
    pub run: RunNo,
    /// The test.
    pub test: TestNo,
    /// Which attempt it was, from 0, within its report.
    pub attempt: u32,
    /// Failed or errored.
    pub outcome: Outcome,
    /// Why, where the report says.
    pub failure: Option<FailureNo>,
}

/// One bad attempt with what its failure shares with those that look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureRow {
    /// The run.
    pub run: RunNo,
    /// The test.
    pub test: TestNo,
    /// See [`FailureRow::signature`].
    pub signature: SignatureId,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRow {
    /// Its number here.
    pub no: TestNo,
    /// Its identity.
    pub id: TestId,
    /// See [`TestIdentity::suite`].
    pub suite: String,
    /// See [`TestIdentity::classname`].
    pub classname: String,
    /// See [`TestIdentity::name`].
    pub name: String,
    /// See [`TestIdentity::file`].
    pub file: String,
    /// See [`TestIdentity::qualified`].
    pub qualified: bool,
    /// When the first run that had it started.
    pub first_seen: Timestamp,
}

impl TestRow {
    /// The identity of this row.
    #[must_use]
    pub fn identity(&self) -> TestIdentity<'_> {
        TestIdentity {
            id: self.id,
            suite: &self.suite,
            classname: &self.classname,
            name: &self.name,
            file: &self.file,
            qualified: self.qualified,
        }
    }

    /// The test as it is printed and typed.
    #[must_use]
    pub fn label(&self) -> String {
        self.identity().label()
    }
}

/// Which module each test of a project stands in.
///
/// A module is a source file where reports name one, else a class, else a suite: what breaks, and
/// loses its machine, together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Modules {
    /// The names of the modules.
    pub names: Vec<String>,
    /// The module of each test, as a place in `names`.
    pub of: HashMap<TestNo, u32>,
}

/// One stored failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRow {
    /// Its number here.
    pub no: FailureNo,
    /// Its identity.
    pub id: FailureId,
    /// What it shares with failures of the same cause.
    pub signature: SignatureId,
    /// The exception or assertion type; may be empty.
    pub kind: String,
    /// The message; may be empty.
    pub message: String,
    /// The text; may be empty.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_a_run_are_gone_through_one_by_one() {
        let row = |test| ResultRow::bare(test, Outcome::Passed);
        let rows = [row(3), row(1)];
        let run = RunRows { rows: &rows, reports: &[], workers: &[] };
        let mut tests = Vec::new();
        for row in &run {
            tests.push(row.test.0);
        }
        assert_eq!(tests, [3, 1]);
    }
}
