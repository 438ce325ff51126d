//! Writing a batch, inside the one transaction that the caller holds.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::failure::explain;
use super::fill_in::{AROUND, Around, around};
use super::numbers::{KnownTest, Scope};
use crate::model::RunContext;
use crate::store::batch::{Batch, BatchRun, Entry, Names, smaller};
use crate::store::segment::Encoder;
use crate::store::{Appended, StoreError};

/// Why a batch could not be written; the path is added outside.
pub(super) enum AppendError {
    Engine(rusqlite::Error),
    Full(&'static str),
    /// The file that holds what is too much for memory.
    Spill(io::Error),
}

impl AppendError {
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Engine(error) => explain(path, &error),
            Self::Full(what) => StoreError::Full { path: path.to_path_buf(), what },
            Self::Spill(error) => StoreError::Database {
                path: path.to_path_buf(),
                detail: format!("the temporary file of this ingest cannot be read: {error}"),
            },
        }
    }
}

impl From<rusqlite::Error> for AppendError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

pub(super) type Result<T> = std::result::Result<T, AppendError>;

/// Writes what the history lacks.
pub(super) fn append(connection: &Connection, batch: &Batch) -> Result<Appended> {
    let mut writer = Writer {
        connection,
        batch,
        names: None,
        tests: Vec::new(),
        changed: HashMap::new(),
        first_seen: Vec::new(),
        failures: Vec::new(),
        project_is_new: false,
        passed_over: false,
        scope: Scope::default(),
        often: Often::prepare(connection)?,
        encoder: Encoder::default(),
        appended: Appended { reports_known: batch.repeated, ..Appended::default() },
    };
    let mut project = (None, 0);
    for run in &batch.runs {
        let name = run.context.project.as_str();
        if project.0 != Some(name) {
            let (number, is_new) = writer.project(name)?;
            project = (Some(name), number);
            writer.project_is_new = is_new;
            writer.passed_over = false;
            // Numbers of tests and failures belong to a project.
            writer.names = batch.names.get(name);
            let tests = writer.names.map_or(0, Names::len);
            writer.tests = vec![0; tests];
            writer.changed.clear();
            writer.failures = vec![0; batch.failures.len()];
            writer.first_seen = first_seen(batch, name, tests);
        }
        writer.run(project.1, run)?;
    }
    Ok(writer.appended)
}

pub(super) struct Writer<'a> {
    pub(super) connection: &'a Connection,
    pub(super) batch: &'a Batch,
    /// The tests of the present project.
    pub(super) names: Option<&'a Names>,
    /// The number of each test of the batch; 0 where it is not known yet.
    pub(super) tests: Vec<u32>,
    /// What was found of tests of the batch that new reports of it would change.
    pub(super) changed: HashMap<u32, KnownTest>,
    /// When the first report of the batch that has each test started.
    pub(super) first_seen: Vec<i64>,
    pub(super) failures: Vec<u32>,
    /// True where the present project came with this batch, so that nothing of it is known.
    pub(super) project_is_new: bool,
    /// True once the project's tests were looked for all at once, or need not be.
    pub(super) passed_over: bool,
    pub(super) scope: Scope,
    pub(super) often: Often<'a>,
    encoder: Encoder,
    pub(super) appended: Appended,
}

/// Statements that run once for each test, failure or bad attempt: kept at hand, because looking
/// one up by its text costs as much as running it.
pub(super) struct Often<'a> {
    pub(super) select_test: CachedStatement<'a>,
    pub(super) insert_test: CachedStatement<'a>,
    pub(super) select_failure: CachedStatement<'a>,
    pub(super) insert_failure: CachedStatement<'a>,
    insert_bad: CachedStatement<'a>,
}

impl<'a> Often<'a> {
    fn prepare(connection: &'a Connection) -> Result<Self> {
        let prepare = |sql| connection.prepare_cached(sql);
        Ok(Self {
            select_test: prepare(
                "SELECT test_id, first_seen_ms, suite, file FROM test JOIN scope USING (scope_id)
                WHERE test.project_id = ?1 AND identity = ?2",
            )?,
            insert_test: prepare(
                "INSERT INTO test (project_id, identity, scope_id, name, qualified, first_seen_ms)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            select_failure: prepare(
                "SELECT failure_id FROM failure WHERE project_id = ?1 AND identity = ?2",
            )?,
            insert_failure: prepare(
                "INSERT INTO failure (project_id, identity, signature, kind, message, body)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            insert_bad: prepare(
                "INSERT INTO bad (project_id, run_id, report_id, test_id, attempt, outcome,
                failure_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
        })
    }
}

fn first_seen(batch: &Batch, project: &str, tests: usize) -> Vec<i64> {
    let mut first = vec![i64::MAX; tests];
    let runs = batch.runs.iter().filter(|run| run.context.project == project);
    for entry in runs.flat_map(|run| &run.entries) {
        for test in entry.tests.iter() {
            if let Some(slot) = first.get_mut(test as usize) {
                *slot = entry.started.0.min(*slot);
            }
        }
    }
    first
}

/// A run as the history has it.
struct Known {
    no: i64,
    started: i64,
    context: RunContext,
}

impl Writer<'_> {
    fn run(&mut self, project: i64, run: &BatchRun) -> Result<()> {
        match run.context.build {
            Some(_) => self.keyed_run(project, run),
            None => {
                // Nothing says what belongs together, so that a report counts once, wherever it is.
                let mut entries = Vec::with_capacity(run.entries.len());
                for entry in &run.entries {
                    if let Some((report, known)) = self.known_alone(project, &run.context, entry)? {
                        self.appended.reports_known += 1;
                        self.fill_in(report, &known, entry)?;
                    } else {
                        entries.push(entry.clone());
                    }
                }
                if entries.is_empty() {
                    return Ok(());
                }
                self.keyed_run(project, &BatchRun { context: run.context.clone(), entries })
            }
        }
    }

    /// The same report in a run of no build, wherever that is.
    fn known_alone(
        &self,
        project: i64,
        context: &RunContext,
        entry: &Entry,
    ) -> Result<Option<(i64, Around)>> {
        let sql = format!(
            "SELECT {AROUND} FROM report JOIN run USING (run_id)
            JOIN variant USING (variant_id) LEFT JOIN revision USING (revision_id)
            WHERE report.project_id = ?1 AND content_hash = ?2 AND build IS NULL
              AND variant.name = ?3 AND revision.name IS ?4 AND stated_ms IS ?5
            ORDER BY report_id"
        );
        let variant = context.variant.to_string();
        let stated = context.started.map(|time| time.0);
        let values = params![project, entry.hash.0, variant, context.revision, stated];
        Ok(self.connection.prepare_cached(&sql)?.query_row(values, around).optional()?)
    }

    fn keyed_run(&mut self, project: i64, run: &BatchRun) -> Result<()> {
        let key = run.key();
        let known = self.known_run(project, &key.0)?;
        let (no, is_new) = match &known {
            Some(known) => (known.no, false),
            None => (self.insert_run(project, run, &key.0)?, true),
        };
        let mut wrote = false;
        for entry in &run.entries {
            wrote |= self.entry(project, no, entry)?;
        }
        match (is_new, wrote) {
            (true, _) => self.appended.runs_new += 1,
            (false, true) => self.appended.runs_extended += 1,
            (false, false) => {}
        }
        if let Some(known) = known {
            self.update_run(project, known, run)?;
        }
        Ok(())
    }

    fn known_run(&self, project: i64, key: &[u8; 16]) -> Result<Option<Known>> {
        let sql = "SELECT run_id, started_ms, stated_ms, lane, branch.name, job, url FROM run
            LEFT JOIN branch USING (branch_id) WHERE run.project_id = ?1 AND run_key = ?2";
        let known = |row: &rusqlite::Row<'_>| {
            Ok(Known {
                no: row.get(0)?,
                started: row.get(1)?,
                context: RunContext {
                    started: row.get::<_, Option<i64>>(2)?.map(crate::model::Timestamp),
                    lane: crate::model::Lane::from_code(row.get(3)?).unwrap_or_default(),
                    branch: row.get(4)?,
                    job: row.get(5)?,
                    url: row.get(6)?,
                    ..RunContext::default()
                },
            })
        };
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row(params![project, key], known)
            .optional()?)
    }

    fn insert_run(&self, project: i64, run: &BatchRun, key: &[u8; 16]) -> Result<i64> {
        let context = &run.context;
        let revision = self.named_or_none("revision", project, context.revision.as_deref())?;
        let branch = self.named_or_none("branch", project, context.branch.as_deref())?;
        let variant = self.named("variant", project, &context.variant.to_string())?;
        let sql = "INSERT INTO run (project_id, run_key, revision_id, branch_id, variant_id, lane,
            build, attempt, job, url, started_ms, stated_ms, ingested_ms, complete, reports,
            results, suite_failures, cases, passed, failed, errored, skipped, flaky)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
            1, 0, 0, 0, 0, 0, 0, 0, 0, 0)";
        let first = run.entries.iter().map(|entry| entry.started).min();
        let started = context.started.or(first).unwrap_or_default();
        Ok(self.connection.prepare_cached(sql)?.insert(params![
            project,
            key,
            revision,
            branch,
            variant,
            context.lane.code(),
            context.build,
            context.attempt,
            context.job,
            context.url,
            started.0,
            context.started.map(|time| time.0),
            self.batch.ingested.0,
        ])?)
    }

    /// What a later report says about a run that is there: the same result in any order.
    fn update_run(&self, project: i64, known: Known, run: &BatchRun) -> Result<()> {
        let before = known.context.clone();
        let mut merged = BatchRun { context: known.context, entries: Vec::new() };
        merged.absorb(&run.context);
        let context = merged.context;
        let first = run.entries.iter().map(|entry| entry.started.0).min();
        let started = match (context.started, before.started) {
            (Some(stated), _) => stated.0,
            (None, _) => smaller(Some(known.started), first).unwrap_or(known.started),
        };
        if context == before && started == known.started {
            return Ok(());
        }
        let branch = self.named_or_none("branch", project, context.branch.as_deref())?;
        let sql = "UPDATE run SET branch_id = ?2, lane = ?3, job = ?4, url = ?5, started_ms = ?6,
            stated_ms = ?7 WHERE run_id = ?1";
        let stated = context.started.map(|time| time.0);
        self.connection.prepare_cached(sql)?.execute(params![
            known.no,
            branch,
            context.lane.code(),
            context.job,
            context.url,
            started,
            stated,
        ])?;
        Ok(())
    }

    /// Writes one report; false where it is there already.
    fn entry(&mut self, project: i64, run: i64, entry: &Entry) -> Result<bool> {
        if let Some((report, started, known)) = self.known_report(project, run, entry)? {
            self.appended.reports_known += 1;
            self.fill_in(report, &known, entry)?;
            if entry.started.0 < started {
                self.connection
                    .prepare_cached("UPDATE report SET started_ms = ?2 WHERE report_id = ?1")?
                    .execute(params![report, entry.started.0])?;
                self.resolve_tests(project, entry)?;
            }
            return Ok(false);
        }
        let tests = self.resolve_tests(project, entry)?;
        let failures = self.resolve_failures(project, &entry.failures)?;
        let body = self.batch.spill.bytes_of(&entry.body).map_err(AppendError::Spill)?;
        let segment = self.encoder.segment(&tests, &failures, &body);
        let report = self.insert_report(project, run, entry, &segment)?;
        self.insert_bad(project, run, report, entry, &tests, &failures)?;
        self.insert_suite_failures(project, run, report, entry)?;
        self.add_to_run(run, entry)?;
        self.appended.reports_new += 1;
        self.appended.results_new += tests.len() as u64;
        Ok(true)
    }

    /// Its number, its start, and what it ran in.
    fn known_report(
        &self,
        project: i64,
        run: i64,
        entry: &Entry,
    ) -> Result<Option<(i64, i64, Around)>> {
        let sql = format!(
            "SELECT {AROUND}, started_ms FROM report
            WHERE project_id = ?1 AND run_id = ?2 AND content_hash = ?3"
        );
        let known = |row: &rusqlite::Row<'_>| {
            let (report, around) = around(row)?;
            Ok((report, row.get(6)?, around))
        };
        let values = params![project, run, entry.hash.0];
        Ok(self.connection.prepare_cached(&sql)?.query_row(values, known).optional()?)
    }

    fn insert_report(&self, project: i64, run: i64, entry: &Entry, segment: &[u8]) -> Result<i64> {
        let sql = "INSERT INTO report (project_id, run_id, content_hash, started_ms, source,
            producer, warnings, complete, nameless, results, cases, passed, failed, errored,
            skipped, flaky, segment, host, worker, workers, shard, seed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
            ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)";
        let counts = &entry.counts;
        Ok(self.connection.prepare_cached(sql)?.insert(params![
            project,
            run,
            entry.hash.0,
            entry.started.0,
            entry.source,
            entry.producer,
            entry.warnings,
            entry.complete,
            entry.nameless as i64,
            entry.tests.len() as i64,
            counts.cases as i64,
            counts.passed as i64,
            counts.failed as i64,
            counts.errored as i64,
            counts.skipped as i64,
            counts.flaky as i64,
            segment,
            entry.host,
            entry.worker,
            entry.workers,
            entry.shard,
            entry.seed,
        ])?)
    }

    fn insert_bad(
        &mut self,
        project: i64,
        run: i64,
        report: i64,
        entry: &Entry,
        tests: &[u32],
        failures: &[u32],
    ) -> Result<()> {
        let insert = &mut self.often.insert_bad;
        for mark in &entry.bad {
            let Some(test) = tests.get(mark.result as usize) else { continue };
            let failure = mark.failure.and_then(|place| failures.get(place as usize));
            let outcome = mark.outcome.code();
            insert.execute(params![project, run, report, test, mark.attempt, outcome, failure])?;
        }
        Ok(())
    }

    fn insert_suite_failures(
        &mut self,
        project: i64,
        run: i64,
        report: i64,
        entry: &Entry,
    ) -> Result<()> {
        let places: Vec<u32> = entry.suite_failures.iter().map(|(_, place)| *place).collect();
        let failures = self.resolve_failures(project, &places)?;
        let sql = "INSERT INTO suite_failure (project_id, run_id, report_id, place, suite,
            failure_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        for (place, ((suite, _), failure)) in entry.suite_failures.iter().zip(failures).enumerate()
        {
            self.connection.prepare_cached(sql)?.execute(params![
                project,
                run,
                report,
                place as i64,
                suite,
                failure
            ])?;
        }
        Ok(())
    }

    fn add_to_run(&self, run: i64, entry: &Entry) -> Result<()> {
        let sql = "UPDATE run SET reports = reports + 1, complete = min(complete, ?2),
            results = results + ?3, suite_failures = suite_failures + ?4, cases = cases + ?5,
            passed = passed + ?6, failed = failed + ?7, errored = errored + ?8,
            skipped = skipped + ?9, flaky = flaky + ?10 WHERE run_id = ?1";
        let counts = &entry.counts;
        self.connection.prepare_cached(sql)?.execute(params![
            run,
            entry.complete,
            entry.tests.len() as i64,
            entry.suite_failures.len() as i64,
            counts.cases as i64,
            counts.passed as i64,
            counts.failed as i64,
            counts.errored as i64,
            counts.skipped as i64,
            counts.flaky as i64,
        ])?;
        Ok(())
    }
}
