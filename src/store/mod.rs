//! L2: the history. SQL lives only here.
//!
//! Ingest hands a [`Batch`] to a [`Store`], the judgement reads it back through [`query`] rows;
//! neither sees SQL, a transaction or a segment. Every number in a row ([`query::TestNo`] and its
//! like) belongs to one open file; what travels between files are the content hashes of
//! [`model::hash`](crate::model::hash).

pub mod attempts;
pub mod batch;
pub mod error;
pub mod failure_text;
pub mod query;
pub mod segment;
pub mod sqlite;
pub mod watcher;

use crate::model::hash::{ReportHash, TestId};

pub use batch::{Batch, BatchBuilder, ReportMeta};
pub use error::StoreError;
pub use sqlite::{OpenMode, SqliteStore};
pub use watcher::{Unwatched, Watcher};

use query::{
    BadRow, FailureNo, FailureRow, Modules, ProjectRow, RunRow, RunRows, SignatureRow, TestNo,
    TestRow, Window,
};

/// What an append changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// Runs that were not there before.
    pub runs_new: u64,
    /// Runs that were there and got another report.
    pub runs_extended: u64,
    /// Reports written, counted once for each run that they are part of.
    pub reports_new: u64,
    /// Reports that were there already.
    pub reports_known: u64,
    /// Results written.
    pub results_new: u64,
    /// Tests never seen before.
    pub tests_new: u64,
    /// Failures never seen before.
    pub failures_new: u64,
}

impl Appended {
    /// Adds what another append changed.
    pub fn merge(&mut self, other: &Self) {
        self.runs_new += other.runs_new;
        self.runs_extended += other.runs_extended;
        self.reports_new += other.reports_new;
        self.reports_known += other.reports_known;
        self.results_new += other.results_new;
        self.tests_new += other.tests_new;
        self.failures_new += other.failures_new;
    }
}

/// A history, whatever holds it.
///
/// Reads see only whole appends. Rows come in an order that depends on contents alone.
pub trait Store {
    /// Writes a batch, all of it or nothing; what is there already is left as it is.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be written.
    fn append(&mut self, batch: &Batch) -> Result<Appended, StoreError>;

    /// All projects by name.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read; so for all methods below.
    fn projects(&self) -> Result<Vec<ProjectRow>, StoreError>;

    /// The runs of a window, oldest first, ties broken by key.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn runs(&self, project: &str, window: &Window) -> Result<Vec<RunRow>, StoreError>;

    /// Calls `visit` once for each run with its place in `runs` and one row for each of its tests.
    ///
    /// Rows come in the order of the run's reports and of the documents.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn fold(
        &self,
        runs: &[RunRow],
        visit: &mut dyn FnMut(usize, &RunRows<'_>),
    ) -> Result<(), StoreError>;

    /// The tests of these numbers, in this order.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn tests(&self, tests: &[TestNo]) -> Result<Vec<TestRow>, StoreError>;

    /// All tests of a project by identity.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn all_tests(&self, project: &str) -> Result<Vec<TestRow>, StoreError>;

    /// Which module each test of a project stands in.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn modules(&self, project: &str) -> Result<Modules, StoreError>;

    /// Every bad attempt in these runs, or of one test in them, in the order of `runs`.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn bad_results(
        &self,
        project: &str,
        runs: &[RunRow],
        test: Option<TestNo>,
    ) -> Result<Vec<BadRow>, StoreError>;

    /// What the failures of these runs look like, run by run, attempts in order.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn signatures(
        &self,
        project: &str,
        runs: &[query::RunNo],
    ) -> Result<Vec<SignatureRow>, StoreError>;

    /// The tests with a bad attempt in these runs, by number, each once.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn bad_tests(&self, project: &str, runs: &[RunRow]) -> Result<Vec<TestNo>, StoreError>;

    /// The failures of these numbers, in this order.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn failures(&self, failures: &[FailureNo]) -> Result<Vec<FailureRow>, StoreError>;

    /// The numbers of the tests of these identities, in this order; `None` for one never seen.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn find_tests(
        &self,
        project: &str,
        tests: &[TestId],
    ) -> Result<Vec<Option<TestNo>>, StoreError>;

    /// The runs that have a report of exactly these bytes, by hash in the order given, each report's
    /// runs by their start.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn runs_with(
        &self,
        project: &str,
        reports: &[ReportHash],
    ) -> Result<Vec<(ReportHash, RunRow)>, StoreError>;

    /// Which runners wrote the reports in which these tests failed; a test may have several.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    fn producers(&self, tests: &[TestNo]) -> Result<Vec<(TestNo, String)>, StoreError>;
}
