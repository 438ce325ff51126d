//! Everything that can be wrong with a file, found without changing it.

use rusqlite::Connection;

use super::{SqliteStore, derived, schema};
use crate::model::hash::ReportHash;
use crate::store::StoreError;
use crate::store::segment::{Columns, Decoder};
use crate::store::watcher::Watcher;

/// One thing that is wrong with a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: `file`, or `report` and its hash, or `run` and its key.
    pub place: String,
    /// What.
    pub problem: String,
}

/// Queries that must return no row: what they look for, and the row's place.
const LAWS: [(&str, &str); 12] = [
    (
        "the sums of the run differ from those of its reports",
        "SELECT 'run ' || lower(hex(run_key)) FROM run WHERE
         (reports, results, cases, passed, failed, errored, skipped, flaky) IS NOT
         (SELECT count(*), coalesce(sum(r.results), 0), coalesce(sum(r.cases), 0),
            coalesce(sum(r.passed), 0), coalesce(sum(r.failed), 0), coalesce(sum(r.errored), 0),
            coalesce(sum(r.skipped), 0), coalesce(sum(r.flaky), 0) FROM report r
          WHERE r.project_id = run.project_id AND r.run_id = run.run_id)",
    ),
    (
        "the start of the run, or its errors of suites, differ from those of its reports",
        "SELECT 'run ' || lower(hex(run_key)) FROM run WHERE
         suite_failures <> (SELECT count(*) FROM suite_failure s
           WHERE s.project_id = run.project_id AND s.run_id = run.run_id)
         OR started_ms <> coalesce(stated_ms, (SELECT min(r.started_ms) FROM report r
           WHERE r.project_id = run.project_id AND r.run_id = run.run_id))",
    ),
    (
        "the run names a revision that is missing",
        "SELECT 'run ' || lower(hex(run_key)) FROM run
         WHERE revision_id IS NOT NULL AND revision_id NOT IN (SELECT revision_id FROM revision)",
    ),
    (
        "the run names a branch that is missing",
        "SELECT 'run ' || lower(hex(run_key)) FROM run
         WHERE branch_id IS NOT NULL AND branch_id NOT IN (SELECT branch_id FROM branch)",
    ),
    (
        "the run belongs to no project or variant",
        "SELECT 'run ' || lower(hex(run_key)) FROM run WHERE
         project_id NOT IN (SELECT project_id FROM project)
         OR variant_id NOT IN (SELECT variant_id FROM variant)",
    ),
    (
        "the report belongs to no run",
        "SELECT 'report ' || lower(hex(content_hash)) FROM report
         WHERE run_id NOT IN (SELECT run_id FROM run)",
    ),
    (
        "a bad result belongs to no report",
        "SELECT 'report ' || report_id FROM bad
         WHERE report_id NOT IN (SELECT report_id FROM report) GROUP BY report_id",
    ),
    (
        "a bad result names a test that is missing",
        "SELECT 'test ' || test_id FROM bad
         WHERE test_id NOT IN (SELECT test_id FROM test) GROUP BY test_id",
    ),
    (
        "a test names a class that is missing",
        "SELECT 'test ' || test_id FROM test
         WHERE scope_id NOT IN (SELECT scope_id FROM scope)",
    ),
    (
        "a bad result names a failure that is missing",
        "SELECT 'failure ' || failure_id FROM bad WHERE failure_id IS NOT NULL
         AND failure_id NOT IN (SELECT failure_id FROM failure) GROUP BY failure_id",
    ),
    (
        "the error of a suite belongs to no report",
        "SELECT 'report ' || report_id FROM suite_failure s WHERE NOT EXISTS
         (SELECT 1 FROM report r WHERE r.report_id = s.report_id AND r.run_id = s.run_id
           AND r.project_id = s.project_id) GROUP BY report_id",
    ),
    (
        "the error of a suite names a failure that is missing",
        "SELECT 'failure ' || failure_id FROM suite_failure
         WHERE failure_id NOT IN (SELECT failure_id FROM failure) GROUP BY failure_id",
    ),
];

pub(super) fn check(
    store: &SqliteStore,
    watcher: &dyn Watcher,
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    watcher.phase("checking pages");
    let mut find = |place: String, problem: &str| {
        findings.push(Finding { place, problem: problem.to_owned() });
    };
    for problem in store.told(|connection| texts(connection, "PRAGMA integrity_check"))? {
        if problem != "ok" {
            find("file".to_owned(), &problem);
        }
    }
    let strange = store.told(schema::strange)?;
    for problem in strange.planted.iter().chain(&strange.changed) {
        find("file".to_owned(), problem);
    }
    // What follows asks tables that may not be there.
    if !strange.changed.is_empty() {
        return Ok(findings);
    }
    watcher.phase("checking references");
    for (problem, sql) in LAWS {
        for place in store.told(|connection| texts(connection, sql))? {
            find(place, problem);
        }
    }
    store.told(|connection| derived::check(connection, &mut find))?;
    watcher.phase("checking reports");
    watcher.steps(store.told(|connection| {
        connection.query_row("SELECT coalesce(sum(reports), 0) FROM run", [], |row| {
            row.get::<_, i64>(0).map(i64::unsigned_abs)
        })
    })?);
    store.told(|connection| segments(connection, &mut find, watcher))?;
    Ok(findings)
}

fn texts(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn segments(
    connection: &Connection,
    find: &mut dyn FnMut(String, &str),
    watcher: &dyn Watcher,
) -> rusqlite::Result<()> {
    let tests = numbers(connection, "SELECT test_id FROM test")?;
    let failures = numbers(connection, "SELECT failure_id FROM failure")?;
    let known = |all: &[u32], some: &[u32]| some.iter().all(|no| all.binary_search(no).is_ok());
    let mut select = connection.prepare(
        "SELECT content_hash, results, segment, project_id, run_id,
        report_id, workers FROM report ORDER BY report_id",
    )?;
    let mut rows = select.query([])?;
    let (mut decoder, mut columns) = (Decoder::default(), Columns::default());
    while let Some(row) = rows.next()? {
        watcher.step();
        let place = format!("report {}", ReportHash(row.get(0)?));
        if let Err(error) =
            decoder.decode(row.get_ref(2)?.as_blob().unwrap_or_default(), &mut columns)
        {
            find(place, &format!("its segment {error}"));
            continue;
        }
        if let Some(blob) = row.get::<_, Option<Vec<u8>>>(6)?
            && let Err(error) = decoder.workers(&blob, columns.tests.len())
        {
            find(place.clone(), &format!("the list of its workers {error}"));
        }
        let key: [i64; 3] = [row.get(3)?, row.get(4)?, row.get(5)?];
        for (holds, problem) in [
            (
                row.get::<_, i64>(1)? == columns.tests.len() as i64,
                "its segment has another number of results than its row",
            ),
            (known(&tests, &columns.tests), "its segment names a test that is missing"),
            (known(&failures, &columns.failures), "its segment names a failure that is missing"),
            (
                derived::stored_bad(connection, key).ok() == Some(derived::bad_rows(&columns)),
                "its bad results differ from its segment",
            ),
        ] {
            if !holds {
                find(place.clone(), problem);
            }
        }
    }
    Ok(())
}

/// All numbers of a table in ascending order.
fn numbers(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<u32>> {
    let mut all: Vec<u32> =
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    all.sort_unstable();
    Ok(all)
}
