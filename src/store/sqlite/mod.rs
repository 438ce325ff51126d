//! The history in one SQLite file.

mod append;
mod check;
mod contents;
mod derived;
mod failure;
mod fill_in;
mod merge;
mod numbers;
mod open;
mod prune;
mod read;
pub mod repair;
mod same_file;
mod schema;
mod workers_of;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use check::Finding;
pub use contents::Contents;
pub use open::{Journal, OpenMode};
pub use prune::{Keep, PrunePlan, Pruned, Share};
pub use schema::{APPLICATION_ID, SCHEMA};

use crate::model::hash::{ReportHash, TestId};

use super::query::{
    BadRow, FailureNo, FailureRow, Modules, ProjectRow, RunNo, RunRow, RunRows, SignatureRow,
    TestNo, TestRow, Window,
};
use super::segment::SegmentError;
use super::watcher::{Unwatched, Watcher};
use super::{Appended, Batch, Store, StoreError};
use failure::explain;
use same_file::{FileId, file_id};
use schema::Mark;

/// A history in one SQLite file.
///
/// ```no_run
/// use flakedb::store::{OpenMode, SqliteStore, Store};
/// # fn main() -> Result<(), flakedb::store::StoreError> {
/// let store = SqliteStore::open(".flakedb/history.db".as_ref(), OpenMode::ReadOnly)?;
/// for project in store.projects()? {
///     let runs = store.runs(&project.name, &Default::default())?;
///     store.fold(&runs, &mut |run, rows| assert!(rows.len() as u64 <= runs[run].counts.cases))?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    connection: Connection,
    file: Option<FileId>,
}

/// How large a history is, and how it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The schema of the file.
    pub schema: u32,
    /// How changes become permanent.
    pub journal: Journal,
    /// The size of the file, in bytes, without a log that is still open.
    pub file_bytes: u64,
    /// How many of them are free for what is ingested next, as after a prune.
    pub free_bytes: u64,
    /// Projects.
    pub projects: u64,
    /// Runs.
    pub runs: u64,
    /// Reports.
    pub reports: u64,
    /// Results: one for each test in each report.
    pub results: u64,
    /// Tests.
    pub tests: u64,
    /// Distinct failures.
    pub failures: u64,
    /// Attempts that failed or errored.
    pub bad_attempts: u64,
}

impl SqliteStore {
    /// Opens the history at `path`.
    ///
    /// # Errors
    /// [`StoreError`], one kind for each thing that can be wrong with the file.
    pub fn open(path: &Path, mode: OpenMode) -> Result<Self, StoreError> {
        Self::open_within(path, mode, failure::WAIT_MS)
    }

    /// The same, waiting at most `wait_ms` milliseconds for others who write.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_within(path: &Path, mode: OpenMode, wait_ms: u64) -> Result<Self, StoreError> {
        let before = file_id(path);
        let connection = open::open_within(path, mode, wait_ms)?;
        let file = file_id(path);
        if before.is_some() && before != file {
            return Err(StoreError::Replaced { path: path.to_path_buf() });
        }
        Ok(Self { path: path.to_path_buf(), connection, file })
    }

    /// Where the history is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds everything that the history at `source` has and this one lacks.
    ///
    /// Written in pieces that can be repeated, so that an interrupted merge is finished by another.
    ///
    /// # Errors
    /// [`StoreError`] where either cannot be used; `source` is never changed.
    pub fn merge_from(&mut self, source: &Path) -> Result<Appended, StoreError> {
        self.merge_watched(source, &Unwatched)
    }

    /// The same, followed run by run.
    ///
    /// # Errors
    /// As [`merge_from`](Self::merge_from).
    pub fn merge_watched(
        &mut self,
        source: &Path,
        watcher: &dyn Watcher,
    ) -> Result<Appended, StoreError> {
        let source = Self::open(source, OpenMode::ReadOnly)?;
        merge::merge(self, &source, watcher)
    }

    /// Which runs of one project, or of all, do not stand under these rules; changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    pub fn plan_prune(
        &self,
        project: Option<&str>,
        keep: Keep,
    ) -> Result<Vec<PrunePlan>, StoreError> {
        self.told(|connection| prune::plan(connection, project, keep))
    }

    /// Takes away what plans name, and then the failures and names that no run needs any more.
    ///
    /// Written in pieces, each of which leaves a whole history behind: others write in between, and
    /// a prune that was cut off is finished by another. Tests stay with the day they were first
    /// seen. What is free in the file is used by later ingests; [`shrink`](Self::shrink) gives it back.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be written.
    pub fn prune(
        &mut self,
        plans: &[PrunePlan],
        watcher: &dyn Watcher,
    ) -> Result<Pruned, StoreError> {
        prune::prune(self, plans, prune::PIECE, watcher)
    }

    /// Writes the file anew without what is free in it. Others cannot write meanwhile, and the disk
    /// needs room for the file twice more.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be written; it is whole as it was then.
    pub fn shrink(&mut self) -> Result<(), StoreError> {
        self.told(|connection| {
            connection.execute_batch("VACUUM")?;
            // The file itself shrinks when the log is folded into it.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })
    }

    /// Everything wrong with the file: its pages, its references, its segments and its sums.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read at all.
    pub fn check(&self) -> Result<Vec<Finding>, StoreError> {
        self.check_watched(&Unwatched)
    }

    /// The same, followed report by report.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_watched(&self, watcher: &dyn Watcher) -> Result<Vec<Finding>, StoreError> {
        check::check(self, watcher)
    }

    /// All that the history says, in natural keys and sorted: equal for equal histories, whatever
    /// order their reports came in.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    pub fn contents(&self) -> Result<Contents, StoreError> {
        contents::contents(self)
    }

    /// How large the history is.
    ///
    /// # Errors
    /// [`StoreError`] where the history cannot be read.
    pub fn info(&self) -> Result<Info, StoreError> {
        let file_bytes = fs::metadata(&self.path).map_err(|error| open::io(&self.path, error))?;
        self.told(|connection| {
            let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            let count = |sql: &str| number(sql).map(i64::unsigned_abs);
            Ok(Info {
                schema: count("PRAGMA user_version")? as u32,
                journal: open::journal(connection)?,
                file_bytes: file_bytes.len(),
                free_bytes: count("PRAGMA freelist_count")? * count("PRAGMA page_size")?,
                projects: count("SELECT count(*) FROM project")?,
                runs: count("SELECT count(*) FROM run")?,
                reports: count("SELECT coalesce(sum(reports), 0) FROM run")?,
                results: count("SELECT coalesce(sum(results), 0) FROM run")?,
                tests: count("SELECT count(*) FROM test")?,
                failures: count("SELECT count(*) FROM failure")?,
                bad_attempts: count("SELECT count(*) FROM bad")?,
            })
        })
    }

    /// Writes a compact copy to a new file, while others may go on writing.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where the target is there; else what reading or writing says.
    pub fn backup(&self, target: &Path) -> Result<(), StoreError> {
        if target.exists() {
            return Err(StoreError::Exists { path: target.to_path_buf() });
        }
        let guarded: bool = self
            .told(|connection| connection.query_row("PRAGMA query_only", [], |row| row.get(0)))?;
        // The engine counts the copy as a write; the history itself is not touched.
        self.told(|connection| connection.pragma_update(None, "query_only", false))?;
        self.told(schema::step_aside)?;
        // Under another name until it is whole: half a copy must not pass for a backup.
        let partial = open::beside(target, "partial");
        let copied = self.connection.execute("VACUUM INTO ?1", [partial.to_string_lossy()]);
        self.told(schema::stand_in)?;
        self.told(|connection| connection.pragma_update(None, "query_only", guarded))?;
        let placed = copied.map_err(|error| explain(target, &error)).and_then(|_| {
            let flushed =
                File::options().write(true).open(&partial).and_then(|file| file.sync_all());
            flushed.and_then(|()| fs::rename(&partial, target)).map_err(|why| open::io(target, why))
        });
        if placed.is_err() {
            let _ = fs::remove_file(&partial);
        }
        placed
    }

    /// Takes the write lock, and makes sure that what is written then will be found: the file is still
    /// the one at its path, and of the schema that this flakedb writes.
    fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        let path = &self.path;
        let engine = |error| explain(path, &error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(engine)?;
        if file_id(path) != self.file {
            return Err(StoreError::Replaced { path: path.clone() });
        }
        match schema::mark(&transaction).map_err(engine)? {
            Mark::History(SCHEMA) => Ok(transaction),
            Mark::History(found) => {
                Err(StoreError::Newer { path: path.clone(), found, known: SCHEMA })
            }
            Mark::Blank | Mark::Foreign(_) => Err(StoreError::Replaced { path: path.clone() }),
        }
    }

    /// Runs a step against the engine and explains its error.
    fn told<T>(
        &self,
        step: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        step(&self.connection).map_err(|error| explain(&self.path, &error))
    }

    fn segment_error(&self, report: ReportHash, source: SegmentError) -> StoreError {
        StoreError::Segment { path: self.path.clone(), report: report.to_string(), source }
    }

    fn corrupt(&self, detail: impl Into<String>) -> StoreError {
        StoreError::Corrupt { path: self.path.clone(), detail: detail.into() }
    }
}

impl Store for SqliteStore {
    fn append(&mut self, batch: &Batch) -> Result<Appended, StoreError> {
        let path = self.path.clone();
        let transaction = self.begin()?;
        let appended = append::append(&transaction, batch).map_err(|error| error.at(&path))?;
        transaction.commit().map_err(|error| explain(&path, &error))?;
        Ok(appended)
    }

    fn projects(&self) -> Result<Vec<ProjectRow>, StoreError> {
        self.told(read::projects)
    }

    fn runs(&self, project: &str, window: &Window) -> Result<Vec<RunRow>, StoreError> {
        self.told(|connection| read::runs(connection, project, window))
    }

    fn fold(
        &self,
        runs: &[RunRow],
        visit: &mut dyn FnMut(usize, &RunRows<'_>),
    ) -> Result<(), StoreError> {
        read::fold(self, runs, visit)
    }

    fn tests(&self, tests: &[TestNo]) -> Result<Vec<TestRow>, StoreError> {
        self.told(|connection| read::tests(connection, tests))
    }

    fn all_tests(&self, project: &str) -> Result<Vec<TestRow>, StoreError> {
        self.told(|connection| read::all_tests(connection, project))
    }

    fn modules(&self, project: &str) -> Result<Modules, StoreError> {
        self.told(|connection| read::modules(connection, project))
    }

    fn bad_results(
        &self,
        project: &str,
        runs: &[RunRow],
        test: Option<TestNo>,
    ) -> Result<Vec<BadRow>, StoreError> {
        self.told(|connection| read::bad_results(connection, project, runs, test))
    }

    fn signatures(&self, project: &str, runs: &[RunNo]) -> Result<Vec<SignatureRow>, StoreError> {
        self.told(|connection| read::signatures(connection, project, runs))
    }

    fn bad_tests(&self, project: &str, runs: &[RunRow]) -> Result<Vec<TestNo>, StoreError> {
        self.told(|connection| read::bad_tests(connection, project, runs))
    }

    fn failures(&self, failures: &[FailureNo]) -> Result<Vec<FailureRow>, StoreError> {
        self.told(|connection| read::failures(connection, failures))
    }

    fn find_tests(
        &self,
        project: &str,
        tests: &[TestId],
    ) -> Result<Vec<Option<TestNo>>, StoreError> {
        self.told(|connection| read::find_tests(connection, project, tests))
    }

    fn runs_with(
        &self,
        project: &str,
        reports: &[ReportHash],
    ) -> Result<Vec<(ReportHash, RunRow)>, StoreError> {
        self.told(|connection| read::runs_with(connection, project, reports))
    }

    fn producers(&self, tests: &[TestNo]) -> Result<Vec<(TestNo, String)>, StoreError> {
        self.told(|connection| read::producers(connection, tests))
    }
}

#[cfg(test)]
mod tests;
