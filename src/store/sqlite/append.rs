//! Writing a batch, inside the one transaction that the caller holds.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::failure::explain;
use crate::model::RunContext;
use crate::store::batch::{Batch, BatchRun, Entry, Names, settled, smaller};
use crate::store::failure_text::StoredText;
use crate::store::segment::Encoder;
use crate::store::{Appended, StoreError};

/// Why a batch could not be written; the path is added outside.
pub(super) enum AppendError {
    Engine(rusqlite::Error),
    Full(&'static str),
}

impl AppendError {
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Engine(error) => explain(path, &error),
            Self::Full(what) => StoreError::Full { path: path.to_path_buf(), what },
        }
    }
}

impl From<rusqlite::Error> for AppendError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

type Result<T> = std::result::Result<T, AppendError>;

/// Writes what the history lacks.
pub(super) fn append(connection: &Connection, batch: &Batch) -> Result<Appended> {
    let mut writer = Writer {
        connection,
        batch,
        names: None,
        tests: Vec::new(),
        first_seen: Vec::new(),
        failures: Vec::new(),
        encoder: Encoder::default(),
        appended: Appended { reports_known: batch.repeated, ..Appended::default() },
    };
    let mut project = (None, 0);
    for run in &batch.runs {
        let name = run.context.project.as_str();
        if project.0 != Some(name) {
            project = (Some(name), writer.named("project", None, name)?);
            // Numbers of tests and failures belong to a project.
            writer.names = batch.names.get(name);
            let tests = writer.names.map_or(0, Names::len);
            writer.tests = vec![0; tests];
            writer.failures = vec![0; batch.failures.len()];
            writer.first_seen = first_seen(batch, name, tests);
        }
        writer.run(project.1, run)?;
    }
    Ok(writer.appended)
}

struct Writer<'a> {
    connection: &'a Connection,
    batch: &'a Batch,
    /// The tests of the present project.
    names: Option<&'a Names>,
    /// The number of each test of the batch; 0 where it is not known yet.
    tests: Vec<u32>,
    /// When the first report of the batch that has each test started.
    first_seen: Vec<i64>,
    failures: Vec<u32>,
    encoder: Encoder,
    appended: Appended,
}

fn first_seen(batch: &Batch, project: &str, tests: usize) -> Vec<i64> {
    let mut first = vec![i64::MAX; tests];
    let runs = batch.runs.iter().filter(|run| run.context.project == project);
    for entry in runs.flat_map(|run| &run.entries) {
        for &test in &entry.tests {
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
                    if self.is_known_alone(project, &run.context, entry)? {
                        self.appended.reports_known += 1;
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

    fn is_known_alone(&self, project: i64, context: &RunContext, entry: &Entry) -> Result<bool> {
        let sql = "SELECT 1 FROM report JOIN run USING (run_id)
            JOIN variant USING (variant_id) LEFT JOIN revision USING (revision_id)
            WHERE report.project_id = ?1 AND content_hash = ?2 AND build IS NULL
              AND variant.name = ?3 AND revision.name IS ?4";
        let variant = context.variant.to_string();
        Ok(self.connection.prepare_cached(sql)?.exists(params![
            project,
            entry.hash.0,
            variant,
            context.revision
        ])?)
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
        let variant = self.named("variant", Some(project), &context.variant.to_string())?;
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
        if let Some((report, started)) = self.known_report(project, run, entry)? {
            self.appended.reports_known += 1;
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
        let segment = self.encoder.segment(&tests, &failures, &entry.body);
        let report = self.insert_report(project, run, entry, &segment)?;
        self.insert_bad(project, run, report, entry, &tests, &failures)?;
        self.insert_suite_failures(project, run, report, entry)?;
        self.add_to_run(run, entry)?;
        self.appended.reports_new += 1;
        self.appended.results_new += tests.len() as u64;
        Ok(true)
    }

    fn known_report(&self, project: i64, run: i64, entry: &Entry) -> Result<Option<(i64, i64)>> {
        let sql = "SELECT report_id, started_ms FROM report
            WHERE project_id = ?1 AND run_id = ?2 AND content_hash = ?3";
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row(params![project, run, entry.hash.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    fn insert_report(&self, project: i64, run: i64, entry: &Entry, segment: &[u8]) -> Result<i64> {
        let sql = "INSERT INTO report (project_id, run_id, content_hash, started_ms, source,
            producer, warnings, complete, nameless, results, cases, passed, failed, errored,
            skipped, flaky, segment)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
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
        ])?)
    }

    fn insert_bad(
        &self,
        project: i64,
        run: i64,
        report: i64,
        entry: &Entry,
        tests: &[u32],
        failures: &[u32],
    ) -> Result<()> {
        let sql = "INSERT INTO bad (project_id, run_id, report_id, test_id, attempt, outcome,
            failure_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut insert = self.connection.prepare_cached(sql)?;
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

    /// The numbers of a report's tests; each test is looked up once for a whole batch.
    fn resolve_tests(&mut self, project: i64, entry: &Entry) -> Result<Vec<u32>> {
        let mut numbers = Vec::with_capacity(entry.tests.len());
        for &place in &entry.tests {
            let known = self.tests.get(place as usize).copied().unwrap_or(0);
            let number = if known == 0 {
                let number = self.resolve_test(project, place)?;
                if let Some(slot) = self.tests.get_mut(place as usize) {
                    *slot = number;
                }
                number
            } else {
                known
            };
            numbers.push(number);
        }
        Ok(numbers)
    }

    fn resolve_test(&mut self, project: i64, place: u32) -> Result<u32> {
        let Some(test) = self.names.and_then(|names| names.test(place)) else {
            return Err(AppendError::Full("tests"));
        };
        let started = self.first_seen.get(place as usize).copied().unwrap_or_default();
        let found = {
            let sql = "SELECT test_id, first_seen_ms, suite, file FROM test
                WHERE project_id = ?1 AND identity = ?2";
            let mut select = self.connection.prepare_cached(sql)?;
            let mut rows = select.query(params![project, test.id.0])?;
            match rows.next()? {
                None => None,
                Some(row) => {
                    let first_seen: i64 = row.get(1)?;
                    let (suite, file) = (row.get_ref(2)?.as_str(), row.get_ref(3)?.as_str());
                    let (suite, file) = (suite.unwrap_or_default(), file.unwrap_or_default());
                    let best = (settled(suite, test.suite), settled(file, test.file));
                    let changed = first_seen > started || best != (suite, file);
                    let update = changed
                        .then(|| (first_seen.min(started), best.0.to_owned(), best.1.to_owned()));
                    Some((row.get::<_, i64>(0)?, update))
                }
            }
        };
        let number = match found {
            Some((number, None)) => number,
            Some((number, Some((first_seen, suite, file)))) => {
                let sql = "UPDATE test SET first_seen_ms = ?2, suite = ?3, file = ?4
                    WHERE test_id = ?1";
                let values = params![number, first_seen, suite, file];
                self.connection.prepare_cached(sql)?.execute(values)?;
                number
            }
            None => {
                self.appended.tests_new += 1;
                let sql = "INSERT INTO test (project_id, identity, suite, classname, name, file,
                    qualified, first_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
                self.connection.prepare_cached(sql)?.insert(params![
                    project,
                    test.id.0,
                    test.suite,
                    test.classname,
                    test.name,
                    test.file,
                    test.qualified,
                    started,
                ])?
            }
        };
        u32::try_from(number).map_err(|_| AppendError::Full("tests"))
    }

    fn resolve_failures(&mut self, project: i64, places: &[u32]) -> Result<Vec<u32>> {
        let mut numbers = Vec::with_capacity(places.len());
        for &place in places {
            let known = self.failures.get(place as usize).copied().unwrap_or(0);
            let number = if known == 0 {
                let number = self.resolve_failure(project, place)?;
                if let Some(slot) = self.failures.get_mut(place as usize) {
                    *slot = number;
                }
                number
            } else {
                known
            };
            numbers.push(number);
        }
        Ok(numbers)
    }

    fn resolve_failure(&mut self, project: i64, place: u32) -> Result<u32> {
        let Some(failure) = self.batch.failures.get(place as usize) else {
            return Err(AppendError::Full("failures"));
        };
        let sql = "SELECT failure_id FROM failure WHERE project_id = ?1 AND identity = ?2";
        let found: Option<i64> = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![project, failure.id.0], |row| row.get(0))
            .optional()?;
        let number = match found {
            Some(number) => number,
            None => {
                self.appended.failures_new += 1;
                let sql = "INSERT INTO failure (project_id, identity, signature, kind, message,
                    body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let mut insert = self.connection.prepare_cached(sql)?;
                let (id, signature) = (failure.id.0, failure.signature.0);
                let (kind, message) = (&failure.kind, &failure.message);
                match &failure.text {
                    StoredText::Plain(text) => {
                        insert.insert(params![project, id, signature, kind, message, text])?
                    }
                    StoredText::Squeezed(frame) => {
                        insert.insert(params![project, id, signature, kind, message, frame])?
                    }
                }
            }
        };
        u32::try_from(number).map_err(|_| AppendError::Full("failures"))
    }

    fn named_or_none(
        &self,
        table: &'static str,
        project: i64,
        name: Option<&str>,
    ) -> Result<Option<i64>> {
        name.map(|name| self.named(table, Some(project), name)).transpose()
    }

    /// The number of a name in one of the small tables, where it is added if it is new.
    fn named(&self, table: &'static str, project: Option<i64>, name: &str) -> Result<i64> {
        let (select, insert) = match project {
            Some(_) => (
                format!("SELECT {table}_id FROM {table} WHERE project_id = ?2 AND name = ?1"),
                format!("INSERT INTO {table} (project_id, name) VALUES (?2, ?1)"),
            ),
            None => (
                format!("SELECT {table}_id FROM {table} WHERE ?2 IS NULL AND name = ?1"),
                format!("INSERT INTO {table} (name) SELECT ?1 WHERE ?2 IS NULL"),
            ),
        };
        let found: Option<i64> = self
            .connection
            .prepare_cached(&select)?
            .query_row(params![name, project], |row| row.get(0))
            .optional()?;
        match found {
            Some(number) => Ok(number),
            None => Ok(self.connection.prepare_cached(&insert)?.insert(params![name, project])?),
        }
    }
}
