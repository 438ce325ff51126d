//! Reading: rows in domain terms from prepared statements.

use std::collections::{HashMap, HashSet};

use rusqlite::types::{ToSql, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, Transaction, params};

use super::failure::explain;
use super::{SqliteStore, workers_of};
use crate::model::hash::{FailureId, ReportHash, RunKey, SignatureId, TestId};
use crate::model::{Counts, Lane, Outcome, Repeat, Timestamp};
use crate::store::StoreError;
use crate::store::attempts::combine_reports;
use crate::store::failure_text::StoredText;
use crate::store::query::{
    BadRow, FailureNo, FailureRow, Modules, ProjectRow, ReportRow, ResultRow, RunNo, RunRow,
    RunRows, SignatureRow, TestNo, TestRow, Window,
};
use crate::store::segment::{Columns, Decoder};

const RUN_COLUMNS: &str = "run_id, run_key, started_ms, revision.name, branch.name, lane,
    variant.name, build, attempt, job, url, complete, reports, suite_failures, cases, passed,
    failed, errored, skipped, flaky";
const TESTS: &str = "SELECT test_id, identity, suite, classname, name, file, qualified,
    first_seen_ms FROM test JOIN scope USING (scope_id)";

pub(super) fn projects(connection: &Connection) -> Result<Vec<ProjectRow>> {
    let sql = "SELECT name,
            (SELECT count(*) FROM run WHERE run.project_id = project.project_id),
            (SELECT max(started_ms) FROM run WHERE run.project_id = project.project_id)
        FROM project ORDER BY name";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map([], |row| {
        Ok(ProjectRow {
            name: row.get(0)?,
            runs: count(row, 1)?,
            last_started: row.get::<_, Option<i64>>(2)?.map(Timestamp),
        })
    })?;
    rows.collect()
}

pub(super) fn runs(connection: &Connection, project: &str, window: &Window) -> Result<Vec<RunRow>> {
    let lane = window.lane.map(Lane::code);
    let since = window.since.map(|time| time.0);
    let until = window.until.map(|time| time.0);
    let limit = window.last_runs.map_or(-1, i64::from);
    let mut values: Vec<&dyn ToSql> = vec![&project, &limit];
    let mut sql = format!(
        "SELECT {RUN_COLUMNS} FROM run JOIN variant USING (variant_id)
         LEFT JOIN revision USING (revision_id) LEFT JOIN branch USING (branch_id)
         WHERE run.project_id = (SELECT project_id FROM project WHERE name = ?1)"
    );
    let mut narrow = |condition: &str, value| {
        values.push(value);
        sql.push_str(&condition.replace('#', &format!("?{}", values.len())));
    };
    if let Some(since) = &since {
        narrow(" AND started_ms >= #", since);
    }
    if let Some(until) = &until {
        narrow(" AND started_ms < #", until);
    }
    if let Some(lane) = &lane {
        narrow(" AND lane = #", lane);
    }
    if let Some(variant) = &window.variant {
        narrow(" AND variant.name = #", variant);
    }
    for (place, branch) in window.branches.iter().enumerate() {
        narrow(if place == 0 { " AND branch.name IN (#" } else { ", #" }, branch);
    }
    if !window.branches.is_empty() {
        sql.push(')');
    }
    sql.push_str(" ORDER BY started_ms DESC, run_key DESC LIMIT ?2");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query_map(values.as_slice(), run_row)?.collect::<Result<Vec<_>>>()?;
    rows.reverse();
    rows.sort_by(by_time);
    Ok(rows)
}

/// By time; of one build at one time, attempt by attempt: clocks of file systems tick slowly, and
/// which outcome came last matters. The sort is stable, so that keys order the rest.
fn by_time(one: &RunRow, other: &RunRow) -> std::cmp::Ordering {
    one.started
        .cmp(&other.started)
        .then_with(|| one.build.cmp(&other.build))
        .then(one.attempt.cmp(&other.attempt))
}

fn run_row(row: &Row<'_>) -> Result<RunRow> {
    Ok(RunRow {
        no: RunNo(row.get(0)?),
        key: RunKey(row.get(1)?),
        started: Timestamp(row.get(2)?),
        revision: row.get(3)?,
        branch: row.get(4)?,
        lane: Lane::from_code(row.get(5)?).unwrap_or_default(),
        variant: row.get(6)?,
        build: row.get(7)?,
        attempt: row.get(8)?,
        job: row.get(9)?,
        url: row.get(10)?,
        complete: row.get(11)?,
        reports: row.get(12)?,
        suite_failures: row.get(13)?,
        counts: counts(row, 14)?,
    })
}

/// Six columns of counts from `first` on.
pub(super) fn counts(row: &Row<'_>, first: usize) -> Result<Counts> {
    Ok(Counts {
        cases: count(row, first)?,
        passed: count(row, first + 1)?,
        failed: count(row, first + 2)?,
        errored: count(row, first + 3)?,
        skipped: count(row, first + 4)?,
        flaky: count(row, first + 5)?,
    })
}

pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    row.get::<_, i64>(column).map(|value| value.max(0) as u64)
}

pub(super) fn fold(
    store: &SqliteStore,
    runs: &[RunRow],
    visit: &mut dyn FnMut(usize, &RunRows<'_>),
) -> std::result::Result<(), StoreError> {
    let engine = |error: rusqlite::Error| explain(&store.path, &error);
    let sql =
        "SELECT report.content_hash, segment, host, source, shard, seed, worker, workers FROM run
        JOIN report ON report.project_id = run.project_id AND report.run_id = run.run_id
        WHERE run.run_id = ?1 ORDER BY report.started_ms, report.content_hash";
    let mut select = store.connection.prepare_cached(sql).map_err(engine)?;
    let mut last_test = store.told(last_test_no)?;
    let mut decoder = Decoder::default();
    let mut columns = Columns::default();
    let mut rows_of_run = Vec::new();
    let mut about = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        let mut earlier: Vec<Vec<ResultRow>> = Vec::new();
        let mut reports = select.query([run.no.0]).map_err(engine)?;
        rows_of_run.clear();
        about.clear();
        names.clear();
        let mut first = true;
        while let Some(report) = reports.next().map_err(engine)? {
            if !std::mem::take(&mut first) {
                earlier.push(std::mem::take(&mut rows_of_run));
            }
            let segment = report.get_ref(1).map_err(engine)?;
            let segment = segment.as_blob().map_err(|error| store.corrupt(error.to_string()))?;
            decoder.decode(segment, &mut columns).map_err(|source| {
                let hash: [u8; 32] = report.get(0).unwrap_or_default();
                store.segment_error(ReportHash(hash), source)
            })?;
            if columns.tests.iter().max().is_some_and(|most| *most > last_test) {
                // Somebody may have added tests meanwhile.
                last_test = store.told(last_test_no)?;
            }
            // Whoever counts by test makes room up to the largest number.
            if columns.tests.iter().any(|test| *test > last_test) {
                return Err(store.corrupt("a segment names a test that is missing"));
            }
            result_rows(&columns, &mut rows_of_run);
            workers_of::workers(store, report, &mut decoder, &mut names, &mut rows_of_run)?;
            about.push(ReportRow {
                host: report.get(2).map_err(engine)?,
                source: report.get(3).map_err(engine)?,
                shard: report.get(4).map_err(engine)?,
                seed: report.get(5).map_err(engine)?,
                end: rows_of_run.len() as u32,
            });
        }
        if earlier.is_empty() {
            visit(place, &RunRows { rows: &rows_of_run, reports: &about, workers: &names });
            continue;
        }
        earlier.push(std::mem::take(&mut rows_of_run));
        let (rows, ends) = combine_reports(earlier);
        about.iter_mut().zip(ends).for_each(|(report, end)| report.end = end);
        visit(place, &RunRows { rows: &rows, reports: &about, workers: &names });
    }
    Ok(())
}

fn last_test_no(connection: &Connection) -> Result<u32> {
    connection.query_row("SELECT coalesce(max(test_id), 0) FROM test", [], |row| row.get(0))
}

/// One row for each result of a segment.
fn result_rows(columns: &Columns, out: &mut Vec<ResultRow>) {
    let slots = columns.tests.iter().zip(&columns.outcomes).zip(&columns.durations);
    out.extend(slots.map(|((&test, &outcome), &duration)| ResultRow {
        test: TestNo(test),
        outcome,
        repeat: Repeat::Single,
        attempts: 1,
        bad_attempts: u32::from(outcome.is_bad()),
        duration,
        worker: 0,
    }));
    let mut slot = columns.tests.len();
    for mark in &columns.repeats {
        let listed = columns.outcomes.get(slot..slot + mark.attempts as usize).unwrap_or_default();
        slot += mark.attempts as usize;
        let Some(row) = out.get_mut(mark.result as usize) else { continue };
        row.repeat = mark.repeat;
        if !listed.is_empty() {
            row.attempts = mark.attempts;
            row.bad_attempts = listed.iter().filter(|outcome| outcome.is_bad()).count() as u32;
        }
    }
}

/// Locks the file once for many questions: thousands of locks take longer than their answers.
fn one_view(connection: &Connection) -> Result<Option<Transaction<'_>>> {
    connection.is_autocommit().then(|| connection.unchecked_transaction()).transpose()
}

pub(super) fn tests(connection: &Connection, tests: &[TestNo]) -> Result<Vec<TestRow>> {
    let _view = one_view(connection)?;
    let sql = format!("{TESTS} WHERE test_id = ?1");
    let mut select = connection.prepare_cached(&sql)?;
    tests.iter().map(|test| select.query_row([test.0], test_row)).collect()
}

pub(super) fn find_tests(
    connection: &Connection,
    project: &str,
    tests: &[TestId],
) -> Result<Vec<Option<TestNo>>> {
    let _view = one_view(connection)?;
    let sql = "SELECT test_id FROM test
        WHERE project_id = (SELECT project_id FROM project WHERE name = ?1) AND identity = ?2";
    let mut select = connection.prepare_cached(sql)?;
    let number = |test: &TestId| {
        select.query_row(params![project, test.0], |row| row.get(0).map(TestNo)).optional()
    };
    tests.iter().map(number).collect()
}

pub(super) fn runs_with(
    connection: &Connection,
    project: &str,
    reports: &[ReportHash],
) -> Result<Vec<(ReportHash, RunRow)>> {
    let sql = format!(
        "SELECT {RUN_COLUMNS} FROM run JOIN variant USING (variant_id)
         LEFT JOIN revision USING (revision_id) LEFT JOIN branch USING (branch_id)
         WHERE run_id IN (SELECT run_id FROM report
            WHERE project_id = (SELECT project_id FROM project WHERE name = ?1)
              AND content_hash = ?2)
         ORDER BY started_ms, run_key"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut out = Vec::new();
    for report in reports {
        for run in select.query_map(params![project, report.0], run_row)? {
            out.push((*report, run?));
        }
    }
    Ok(out)
}

pub(super) fn all_tests(connection: &Connection, project: &str) -> Result<Vec<TestRow>> {
    let sql = format!(
        "{TESTS}
         WHERE test.project_id = (SELECT project_id FROM project WHERE project.name = ?1)
         ORDER BY identity"
    );
    let mut select = connection.prepare_cached(&sql)?;
    select.query_map([project], test_row)?.collect()
}

pub(super) fn modules(connection: &Connection, project: &str) -> Result<Modules> {
    const OF_PROJECT: &str =
        "WHERE project_id = (SELECT project_id FROM project WHERE project.name = ?1)";
    let mut modules = Modules::default();
    let mut places: HashMap<String, u32> = HashMap::new();
    let mut of_scope: HashMap<i64, u32> = HashMap::new();
    let sql = format!("SELECT scope_id, file, classname, suite FROM scope {OF_PROJECT}");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([project])?;
    while let Some(row) = rows.next()? {
        let [file, classname, suite]: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
        let name = [file, classname, suite].into_iter().find(|name| !name.is_empty());
        let name = name.unwrap_or_default();
        let next = modules.names.len() as u32;
        let place = *places.entry(name.clone()).or_insert(next);
        if place == next {
            modules.names.push(name);
        }
        of_scope.insert(row.get(0)?, place);
    }
    let sql = format!("SELECT test_id, scope_id FROM test {OF_PROJECT}");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([project])?;
    while let Some(row) = rows.next()? {
        if let Some(module) = of_scope.get(&row.get(1)?) {
            modules.of.insert(TestNo(row.get(0)?), *module);
        }
    }
    Ok(modules)
}

fn test_row(row: &Row<'_>) -> Result<TestRow> {
    Ok(TestRow {
        no: TestNo(row.get(0)?),
        id: TestId(row.get(1)?),
        suite: row.get(2)?,
        classname: row.get(3)?,
        name: row.get(4)?,
        file: row.get(5)?,
        qualified: row.get(6)?,
        first_seen: Timestamp(row.get(7)?),
    })
}

pub(super) fn bad_results(
    connection: &Connection,
    project: &str,
    runs: &[RunRow],
    test: Option<TestNo>,
) -> Result<Vec<BadRow>> {
    match test {
        None => bad_of_runs(connection, project, runs),
        Some(test) => bad_of_test(connection, project, runs, test),
    }
}

/// Reads nothing but the key of `bad`, a stretch for each run.
pub(super) fn bad_tests(
    connection: &Connection,
    project: &str,
    runs: &[RunRow],
) -> Result<Vec<TestNo>> {
    let sql = "SELECT test_id FROM bad
        WHERE project_id = (SELECT project_id FROM project WHERE name = ?1) AND run_id = ?2";
    let mut select = connection.prepare_cached(sql)?;
    let mut tests = HashSet::new();
    for run in runs {
        for test in select.query_map(params![project, run.no.0], |row| row.get(0))? {
            tests.insert(TestNo(test?));
        }
    }
    let mut tests: Vec<TestNo> = tests.into_iter().collect();
    tests.sort_unstable();
    Ok(tests)
}

/// The failures of these runs by what they look like, attempts in order.
pub(super) fn signatures(
    connection: &Connection,
    project: &str,
    runs: &[RunNo],
) -> Result<Vec<SignatureRow>> {
    let sql = "SELECT test_id, signature FROM bad JOIN failure USING (failure_id)
        WHERE bad.project_id = (SELECT project_id FROM project WHERE name = ?1) AND run_id = ?2
        ORDER BY report_id, test_id, attempt";
    let mut select = connection.prepare_cached(sql)?;
    let mut out = Vec::new();
    for run in runs {
        let row = |row: &Row<'_>| {
            let (test, signature) = (TestNo(row.get(0)?), SignatureId(row.get(1)?));
            Ok(SignatureRow { run: *run, test, signature })
        };
        for row in select.query_map(params![project, run.0], row)? {
            out.push(row?);
        }
    }
    Ok(out)
}

fn bad_of_runs(connection: &Connection, project: &str, runs: &[RunRow]) -> Result<Vec<BadRow>> {
    let sql = "SELECT bad.run_id, test_id, attempt, outcome, failure_id
        FROM bad JOIN report USING (report_id)
        WHERE bad.project_id = (SELECT project_id FROM project WHERE name = ?1)
          AND bad.run_id = ?2
        ORDER BY report.started_ms, report.content_hash, test_id, attempt";
    let mut select = connection.prepare_cached(sql)?;
    let mut out = Vec::new();
    for run in runs {
        for row in select.query_map(params![project, run.no.0], bad_row)? {
            out.push(row?);
        }
    }
    Ok(out)
}

fn bad_of_test(
    connection: &Connection,
    project: &str,
    runs: &[RunRow],
    test: TestNo,
) -> Result<Vec<BadRow>> {
    // One look-up for each run of the window, so that a long history costs no more than a short.
    let sql = "SELECT bad.run_id, test_id, attempt, outcome, failure_id
        FROM bad JOIN report USING (report_id)
        WHERE bad.project_id = (SELECT project_id FROM project WHERE name = ?1)
          AND test_id = ?2 AND bad.run_id = ?3
        ORDER BY report.started_ms, report.content_hash, attempt";
    let mut select = connection.prepare_cached(sql)?;
    let mut out = Vec::new();
    for run in runs {
        for row in select.query_map(params![project, test.0, run.no.0], bad_row)? {
            out.push(row?);
        }
    }
    Ok(out)
}

fn bad_row(row: &Row<'_>) -> Result<BadRow> {
    Ok(BadRow {
        run: RunNo(row.get(0)?),
        test: TestNo(row.get(1)?),
        attempt: row.get(2)?,
        outcome: Outcome::from_code(row.get(3)?).unwrap_or(Outcome::Failed),
        failure: row.get::<_, Option<u32>>(4)?.map(FailureNo),
    })
}

pub(super) fn failures(connection: &Connection, failures: &[FailureNo]) -> Result<Vec<FailureRow>> {
    let _view = one_view(connection)?;
    let sql = "SELECT failure_id, identity, signature, kind, message, body FROM failure
        WHERE failure_id = ?1";
    let mut select = connection.prepare_cached(sql)?;
    failures.iter().map(|failure| select.query_row([failure.0], failure_row)).collect()
}

pub(super) fn producers(
    connection: &Connection,
    tests: &[TestNo],
) -> Result<Vec<(TestNo, String)>> {
    let sql = "SELECT DISTINCT producer FROM bad JOIN report USING (report_id)
        WHERE bad.project_id = (SELECT project_id FROM test WHERE test_id = ?1) AND test_id = ?1
        ORDER BY producer";
    let mut select = connection.prepare_cached(sql)?;
    let mut out = Vec::new();
    for test in tests {
        for producer in select.query_map([test.0], |row| row.get(0))? {
            out.push((*test, producer?));
        }
    }
    Ok(out)
}

fn failure_row(row: &Row<'_>) -> Result<FailureRow> {
    let text = stored_text(row, 5)?.read().map_err(|error| {
        let kind = rusqlite::types::Type::Blob;
        rusqlite::Error::FromSqlConversionFailure(5, kind, Box::new(error))
    })?;
    Ok(FailureRow {
        no: FailureNo(row.get(0)?),
        id: FailureId(row.get(1)?),
        signature: SignatureId(row.get(2)?),
        kind: row.get(3)?,
        message: row.get(4)?,
        text,
    })
}

/// A failure's text as the column holds it: text, or a zstd frame.
pub(super) fn stored_text(row: &Row<'_>, column: usize) -> Result<StoredText> {
    Ok(match row.get_ref(column)? {
        ValueRef::Blob(frame) => StoredText::Squeezed(frame.to_vec()),
        _ => StoredText::Plain(row.get(column)?),
    })
}
