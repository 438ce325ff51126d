//! All that a history says, in natural keys: the proof that order of arrival leaves no trace.

use rusqlite::{Row, params};

use super::{SqliteStore, read};
use crate::model::Workers;
use crate::model::hash::{FailureId, ReportHash, RunKey, TestId};
use crate::store::StoreError;
use crate::store::segment::{Columns, Decoder};

/// One sorted line for each fact of a history.
///
/// Left out is what says how the facts came in rather than what they are: numbers that belong to
/// one file, times of ingest, and the paths that reports were read from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents(pub Vec<String>);

const RUNS: &str = "SELECT project.name, run_key, revision.name, branch.name, variant.name, lane,
    build, attempt, job, url, started_ms, stated_ms, complete, reports, results, suite_failures,
    cases, passed, failed, errored, skipped, flaky
    FROM run JOIN project USING (project_id) JOIN variant USING (variant_id)
    LEFT JOIN revision USING (revision_id) LEFT JOIN branch USING (branch_id)";
const REPORTS: &str = "SELECT project.name, run_key, content_hash, report.started_ms, producer,
    warnings, report.complete, nameless, report.results, report.cases, report.passed,
    report.failed, report.errored, report.skipped, report.flaky, host, worker, shard,
    seed, workers, segment
    FROM report JOIN run USING (run_id) JOIN project ON project.project_id = run.project_id";
const TESTS: &str = "SELECT project.name, identity, suite, classname, test.name, file, qualified,
    first_seen_ms FROM test JOIN scope USING (scope_id)
    JOIN project ON project.project_id = test.project_id";
const FAILURES: &str = "SELECT project.name, identity, signature, kind, message, body
    FROM failure JOIN project USING (project_id)";
const BAD: &str = "SELECT project.name, run_key, content_hash, test.identity, bad.attempt, outcome,
    failure.identity FROM bad JOIN project ON project.project_id = bad.project_id
    JOIN run USING (run_id) JOIN report USING (report_id) JOIN test USING (test_id)
    LEFT JOIN failure USING (failure_id)";
const SUITES: &str = "SELECT project.name, run_key, content_hash, place, suite, failure.identity
    FROM suite_failure JOIN project ON project.project_id = suite_failure.project_id
    JOIN run USING (run_id) JOIN report USING (report_id) JOIN failure USING (failure_id)";

pub(super) fn contents(store: &SqliteStore) -> Result<Contents, StoreError> {
    let mut lines = Vec::new();
    for (word, sql) in
        [("run", RUNS), ("test", TESTS), ("failure", FAILURES), ("bad", BAD), ("suite", SUITES)]
    {
        store.told(|connection| {
            let mut select = connection.prepare_cached(sql)?;
            let columns = select.column_count();
            for line in select.query_map([], |row| line(word, row, columns))? {
                lines.push(line?);
            }
            Ok(())
        })?;
    }
    reports(store, &mut lines)?;
    lines.sort_unstable();
    Ok(Contents(lines))
}

fn line(word: &str, row: &Row<'_>, columns: usize) -> rusqlite::Result<String> {
    use std::fmt::Write as _;
    let mut line = String::from(word);
    for column in 0..columns {
        let value = row.get_ref(column)?;
        // Texts are compared as they read, whether they were squeezed or not.
        let written = match value {
            rusqlite::types::ValueRef::Blob(bytes) => match bytes.len() {
                16 => write!(line, " {}", TestId::from_slice(bytes).unwrap_or(TestId([0; 16]))),
                32 => write!(line, " {}", ReportHash(row.get(column)?)),
                _ => {
                    let text = read::stored_text(row, column)?.read().unwrap_or_default();
                    write!(line, " {text:?}")
                }
            },
            rusqlite::types::ValueRef::Text(_) => {
                write!(line, " {:?}", row.get::<_, String>(column)?)
            }
            rusqlite::types::ValueRef::Integer(number) => write!(line, " {number}"),
            rusqlite::types::ValueRef::Real(number) => write!(line, " {number}"),
            rusqlite::types::ValueRef::Null => write!(line, " -"),
        };
        written.unwrap_or_default();
    }
    Ok(line)
}

fn reports(store: &SqliteStore, lines: &mut Vec<String>) -> Result<(), StoreError> {
    let mut decoder = Decoder::default();
    let mut columns = Columns::default();
    let mut damaged = None;
    store.told(|connection| {
        let mut select = connection.prepare_cached(REPORTS)?;
        let last = select.column_count() - 1;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            lines.push(line("report", row, last - 1)?);
            let hash = ReportHash(row.get(2)?);
            let segment: Vec<u8> = row.get(last)?;
            if let Err(source) = decoder.decode(&segment, &mut columns) {
                damaged = Some(store.segment_error(hash, source));
                break;
            }
            let run = RunKey(row.get(1)?);
            results(connection, run, hash, &columns, lines)?;
            let blob: Option<Vec<u8>> = row.get(last - 1)?;
            let read = blob.map(|blob| decoder.workers(&blob, columns.tests.len())).transpose();
            match read {
                Ok(workers) => lines.extend(worker_lines(run, hash, workers.as_ref())),
                Err(source) => damaged = Some(store.segment_error(hash, source)),
            }
        }
        Ok(())
    })?;
    damaged.map_or(Ok(()), Err)
}

fn worker_lines(run: RunKey, report: ReportHash, workers: Option<&Workers>) -> Vec<String> {
    let numbered = |workers: &Workers| {
        let of = |(place, name)| format!("worker {run} {report} {place:08} {name:?}");
        let named = (0..workers.len()).filter_map(|place| Some((place, workers.of(place)?)));
        named.map(of).collect()
    };
    workers.map(numbered).unwrap_or_default()
}

fn results(
    connection: &rusqlite::Connection,
    run: RunKey,
    report: ReportHash,
    columns: &Columns,
    lines: &mut Vec<String>,
) -> rusqlite::Result<()> {
    let mut test = connection.prepare_cached("SELECT identity FROM test WHERE test_id = ?1")?;
    let mut failure =
        connection.prepare_cached("SELECT identity FROM failure WHERE failure_id = ?1")?;
    for (place, number) in columns.tests.iter().enumerate() {
        let id = TestId(test.query_row(params![number], |row| row.get(0))?);
        lines.push(format!("result {run} {report} {place:08} {id}"));
    }
    for (slot, (outcome, duration)) in columns.outcomes.iter().zip(&columns.durations).enumerate() {
        let duration = duration.map_or(-1, |micros| micros.0 as i128);
        lines.push(format!("slot {run} {report} {slot:08} {} {duration}", outcome.word()));
    }
    for mark in &columns.repeats {
        lines.push(format!("repeat {run} {report} {mark:?}"));
    }
    for (slot, number) in columns.failure_slots.iter().zip(&columns.failures) {
        let id = FailureId(failure.query_row(params![number], |row| row.get(0))?);
        lines.push(format!("why {run} {report} {slot:08} {id}"));
    }
    Ok(())
}
