//! Merging: another history's runs become batches and take the way that reports take.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::failure::explain;
use super::{SqliteStore, read};
use crate::model::hash::{FailureId, ReportHash, SignatureId, TestId};
use crate::model::{Lane, RunContext, TestIdentity, Timestamp, Variant};
use crate::store::batch::{Batch, BatchRun, Body, Entry, NewFailure};
use crate::store::segment::{self, Columns, Decoder, SegmentError};
use crate::store::watcher::Watcher;
use crate::store::{Appended, Store, StoreError};

/// Runs written in one transaction, and their results: bounds memory and how long others wait.
const RUNS_PER_BATCH: usize = 500;
const RESULTS_PER_BATCH: u64 = 1_000_000;

const RUNS: &str = "SELECT run_id, project.name, revision.name, branch.name, lane, variant.name,
    build, attempt, job, url, stated_ms, ingested_ms, results
    FROM run JOIN project USING (project_id) JOIN variant USING (variant_id)
    LEFT JOIN revision USING (revision_id) LEFT JOIN branch USING (branch_id)
    ORDER BY project.name, started_ms, run_key";
const REPORTS: &str = "SELECT content_hash, report.started_ms, source, producer, warnings,
    report.complete, nameless, report.cases, report.passed, report.failed, report.errored,
    report.skipped, report.flaky, segment, report_id, host, worker,
    workers, shard, seed
    FROM run JOIN report ON report.project_id = run.project_id AND report.run_id = run.run_id
    WHERE run.run_id = ?1 ORDER BY report.started_ms, content_hash";

/// A run of the source, before its reports are read.
struct Source {
    no: i64,
    context: RunContext,
    ingested: i64,
    results: u64,
}

/// Appends everything that `from` has to `into`.
pub(super) fn merge(
    into: &mut SqliteStore,
    from: &SqliteStore,
    watcher: &dyn Watcher,
) -> Result<Appended, StoreError> {
    watcher.phase("joining runs");
    let runs: Vec<Source> = from.told(|connection| {
        let mut select = connection.prepare(RUNS)?;
        select.query_map([], source)?.collect()
    })?;
    watcher.steps(runs.len() as u64);
    let mut total = Appended::default();
    let mut rest = runs.as_slice();
    while let Some((some, behind)) = rest.split_at_checked(piece(rest)).filter(|_| !rest.is_empty())
    {
        rest = behind;
        let batch = load(from, some)?;
        total.merge(&into.append(&batch)?);
        some.iter().for_each(|_| watcher.step());
    }
    Ok(total)
}

/// How many of the runs make one batch: at least one.
fn piece(runs: &[Source]) -> usize {
    let mut results = 0_u64;
    let fits = |run: &&Source| {
        results = results.saturating_add(run.results);
        results <= RESULTS_PER_BATCH
    };
    runs.iter().take(RUNS_PER_BATCH).take_while(fits).count().max(1)
}

fn source(row: &Row<'_>) -> rusqlite::Result<Source> {
    let variant: String = row.get(5)?;
    let pairs = variant.split(',').filter_map(|pair| pair.split_once('='));
    Ok(Source {
        no: row.get(0)?,
        context: RunContext {
            project: row.get(1)?,
            revision: row.get(2)?,
            branch: row.get(3)?,
            lane: Lane::from_code(row.get(4)?).unwrap_or_default(),
            variant: pairs.fold(Variant::default(), |all, (key, value)| all.with(key, value)),
            build: row.get(6)?,
            attempt: row.get(7)?,
            job: row.get(8)?,
            url: row.get(9)?,
            started: row.get::<_, Option<i64>>(10)?.map(Timestamp),
        },
        ingested: row.get(11)?,
        results: read::count(row, 12)?,
    })
}

fn load(from: &SqliteStore, runs: &[Source]) -> Result<Batch, StoreError> {
    let ingested = runs.iter().map(|run| run.ingested).min().unwrap_or_default();
    let mut loader = Loader {
        from,
        batch: Batch { ingested: Timestamp(ingested), ..Batch::default() },
        tests: HashMap::new(),
        failures: HashMap::new(),
        decoder: Decoder::default(),
        columns: Columns::default(),
    };
    for run in runs {
        let mut loaded = BatchRun { context: run.context.clone(), entries: Vec::new() };
        let mut select = loader.engine(from.connection.prepare_cached(REPORTS))?;
        let mut rows = loader.engine(select.query([run.no]))?;
        while let Some(row) = loader.engine(rows.next())? {
            let entry = loader.entry(&run.context.project, row)?;
            loaded.entries.push(entry);
        }
        loader.batch.runs.push(loaded);
    }
    Ok(loader.batch)
}

struct Loader<'a> {
    from: &'a SqliteStore,
    batch: Batch,
    /// Places in the batch by numbers of the source.
    tests: HashMap<u32, u32>,
    failures: HashMap<u32, u32>,
    decoder: Decoder,
    columns: Columns,
}

impl Loader<'_> {
    fn engine<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| explain(&self.from.path, &error))
    }

    fn entry(&mut self, project: &str, row: &Row<'_>) -> Result<Entry, StoreError> {
        let hash = ReportHash(self.engine(row.get(0))?);
        let segment: Vec<u8> = self.engine(row.get(13))?;
        let mut columns = std::mem::take(&mut self.columns);
        let body = self
            .decoder
            .decode(&segment, &mut columns)
            .and_then(|()| segment::split(&segment))
            .map(|parts| parts.body.to_vec())
            .map_err(|source| self.damaged(hash, source))?;
        let workers: Option<Vec<u8>> = self.engine(row.get(17))?;
        // Taken over as it is, so that it has to be sound: damage here would spread.
        if let Some(blob) = &workers {
            self.decoder
                .workers(blob, columns.tests.len())
                .map_err(|source| self.damaged(hash, source))?;
        }
        let report: i64 = self.engine(row.get(14))?;
        let suites = self.engine(suite_failures(&self.from.connection, report))?;
        let entry = Entry {
            hash,
            started: Timestamp(self.engine(row.get(1))?),
            source: self.engine(row.get(2))?,
            producer: self.engine(row.get(3))?,
            host: self.engine(row.get(15))?,
            worker: self.engine(row.get(16))?,
            workers,
            shard: self.engine(row.get(18))?,
            seed: self.engine(row.get(19))?,
            warnings: self.engine(row.get(4))?,
            complete: self.engine(row.get(5))?,
            nameless: self.engine(read::count(row, 6))?,
            counts: self.engine(read::counts(row, 7))?,
            tests: columns
                .tests
                .iter()
                .map(|no| self.test(project, *no))
                .collect::<Result<_, _>>()?,
            failures: columns
                .failures
                .iter()
                .map(|no| self.failure(*no))
                .collect::<Result<_, _>>()?,
            body: Body::Here(body),
            bad: columns.bad_marks(),
            suite_failures: suites
                .into_iter()
                .map(|(suite, no)| Ok((suite, self.failure(no)?)))
                .collect::<Result<_, StoreError>>()?,
        };
        self.columns = columns;
        Ok(entry)
    }

    fn damaged(&self, hash: ReportHash, source: SegmentError) -> StoreError {
        self.from.segment_error(hash, source)
    }

    fn test(&mut self, project: &str, no: u32) -> Result<u32, StoreError> {
        if let Some(&place) = self.tests.get(&no) {
            return Ok(place);
        }
        let sql = "SELECT identity, suite, classname, name, file, qualified
            FROM test JOIN scope USING (scope_id) WHERE test_id = ?1";
        let mut select = self.engine(self.from.connection.prepare_cached(sql))?;
        let mut rows = self.engine(select.query([no]))?;
        let Some(row) = self.engine(rows.next())? else {
            return Err(self.from.corrupt(format!("a segment names test {no}, which is missing")));
        };
        let text = |column: usize| -> Result<&str, StoreError> {
            let value = row.get_ref(column).map_err(|error| explain(&self.from.path, &error))?;
            value.as_str().map_err(|error| self.from.corrupt(error.to_string()))
        };
        let test = TestIdentity {
            id: TestId(self.engine(row.get(0))?),
            suite: text(1)?,
            classname: text(2)?,
            name: text(3)?,
            file: text(4)?,
            qualified: self.engine(row.get(5))?,
        };
        let names = self.batch.names.entry(project.to_owned()).or_default();
        let place = names.intern(&test).map_err(|_| StoreError::Full {
            path: self.from.path.clone(),
            what: "test names in one piece of a merge",
        })?;
        self.tests.insert(no, place);
        Ok(place)
    }

    fn failure(&mut self, no: u32) -> Result<u32, StoreError> {
        if let Some(&place) = self.failures.get(&no) {
            return Ok(place);
        }
        let sql = "SELECT identity, signature, kind, message, body FROM failure
            WHERE failure_id = ?1";
        let failure = |row: &Row<'_>| {
            Ok(NewFailure {
                id: FailureId(row.get(0)?),
                signature: SignatureId(row.get(1)?),
                kind: row.get(2)?,
                message: row.get(3)?,
                text: read::stored_text(row, 4)?,
            })
        };
        let mut select = self.engine(self.from.connection.prepare_cached(sql))?;
        let failure = self.engine(select.query_row(params![no], failure))?;
        // Taken over as it is stored, so that it has to be readable: damage here would spread.
        if failure.text.clone().read().is_err() {
            let which = format!("the text of failure {} cannot be read", failure.id);
            return Err(self.from.corrupt(which));
        }
        let place = self.batch.failures.len() as u32;
        self.batch.failures.push(failure.into());
        self.failures.insert(no, place);
        Ok(place)
    }
}

fn suite_failures(connection: &Connection, report: i64) -> rusqlite::Result<Vec<(String, u32)>> {
    let sql = "SELECT suite, failure_id FROM report JOIN suite_failure
        USING (project_id, run_id, report_id) WHERE report_id = ?1 ORDER BY place";
    let mut select = connection.prepare_cached(sql)?;
    select.query_map([report], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
