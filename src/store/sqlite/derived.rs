//! What a file says twice: keys that are hashes of what stands beside them, and rows and sums that
//! follow from the segments. `check` compares both, `repair` makes one from the other.

use rusqlite::{Connection, Result, params};

use super::read;
use crate::model::hash::{FailureId, KeyHasher, ReportHash, RunKey};
use crate::model::{Failure, RunContext, Timestamp, Variant};
use crate::store::segment::{BadMark, Columns};

/// Texts that must read as UTF-8, by table.
const TEXTS: [(&str, &str); 10] = [
    ("project", "name"),
    ("revision", "name"),
    ("branch", "name"),
    ("variant", "name"),
    ("run", "coalesce(build, '') || coalesce(job, '') || coalesce(url, '')"),
    ("report", "source || producer || host || worker || shard || seed"),
    ("scope", "suite || classname || file"),
    ("test", "name"),
    ("failure", "kind || message"),
    ("suite_failure", "suite"),
];

/// The row of a bad attempt: test, attempt, outcome, failure.
pub(super) type BadRow = (u32, u32, u8, Option<u32>);

/// The rows of a report's bad attempts, in the order of their key.
pub(super) fn bad_rows(columns: &Columns) -> Vec<BadRow> {
    let row = |mark: &BadMark| {
        let failure = mark.failure.and_then(|place| columns.failures.get(place as usize).copied());
        let test = *columns.tests.get(mark.result as usize)?;
        Some((test, mark.attempt, mark.outcome.code(), failure))
    };
    let mut rows: Vec<_> = columns.bad_marks().iter().filter_map(row).collect();
    rows.sort_unstable();
    rows
}

/// The key of a class's, a file's and suites' row.
pub(super) fn scope_key(suite: &str, classname: &str, file: &str) -> [u8; 16] {
    KeyHasher::new("scope.1")
        .part(suite.as_bytes())
        .part(classname.as_bytes())
        .part(file.as_bytes())
        .finish()
}

/// A run with the key that it has and the one that it should have.
pub(super) struct KeyedRun {
    pub(super) no: i64,
    pub(super) key: Vec<u8>,
    pub(super) should: RunKey,
    pub(super) has_build: bool,
    /// True where fewer reports are there than it counts.
    pub(super) is_short: bool,
}

/// Every run of a project, a variant and, where it has one, a revision that are there.
pub(super) fn keyed_runs(connection: &Connection) -> Result<Vec<KeyedRun>> {
    let sql = "SELECT run_id, run_key, project.name, revision.name, variant.name, build, attempt,
        stated_ms, (SELECT min(content_hash) FROM report WHERE report.project_id = run.project_id
          AND report.run_id = run.run_id),
        run.reports > (SELECT count(*) FROM report WHERE report.project_id = run.project_id
          AND report.run_id = run.run_id)
        FROM run JOIN project USING (project_id) JOIN variant USING (variant_id)
        LEFT JOIN revision USING (revision_id)
        WHERE run.revision_id IS NULL OR revision.name IS NOT NULL";
    let mut select = connection.prepare(sql)?;
    let runs = select.query_map([], |row| {
        let variant: String = row.get(4)?;
        let pairs = variant.split(',').filter_map(|pair| pair.split_once('='));
        let context = RunContext {
            project: row.get(2)?,
            revision: row.get(3)?,
            variant: pairs.fold(Variant::default(), |all, (key, value)| all.with(key, value)),
            build: row.get(5)?,
            attempt: row.get(6)?,
            started: row.get::<_, Option<i64>>(7)?.map(Timestamp),
            ..RunContext::default()
        };
        let first = row.get::<_, Option<[u8; 32]>>(8)?.unwrap_or([0; 32]);
        Ok(KeyedRun {
            no: row.get(0)?,
            key: row.get(1)?,
            should: context.key(ReportHash(first)),
            has_build: context.build.is_some(),
            is_short: row.get(9)?,
        })
    })?;
    runs.collect()
}

/// A failure whose key is not that of its text.
pub(super) struct OddFailure {
    pub(super) no: i64,
    pub(super) key: Vec<u8>,
    /// The failure as it reads, where its text does.
    pub(super) read: Option<Failure>,
}

/// Every failure whose key is not that of its text.
pub(super) fn odd_failures(connection: &Connection) -> Result<Vec<OddFailure>> {
    let mut select =
        connection.prepare("SELECT failure_id, identity, kind, message, body FROM failure")?;
    let mut rows = select.query([])?;
    let mut odd = Vec::new();
    while let Some(row) = rows.next()? {
        let text = read::stored_text(row, 4).ok().and_then(|text| text.read().ok());
        let read = text.and_then(|text| {
            let (kind, message) = (row.get(2).ok()?, row.get(3).ok()?);
            Some(Failure { kind, message, text })
        });
        let key: Vec<u8> = row.get(1)?;
        if read.as_ref().map(Failure::id) != FailureId::from_slice(&key) || read.is_none() {
            odd.push(OddFailure { no: row.get(0)?, key, read });
        }
    }
    Ok(odd)
}

/// Every class whose key is not that of its names.
pub(super) fn odd_scopes(connection: &Connection) -> Result<Vec<i64>> {
    let mut select =
        connection.prepare("SELECT scope_id, scope_key, suite, classname, file FROM scope")?;
    let mut rows = select.query([])?;
    let mut odd = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column: usize| row.get_ref(column).map(|value| value.as_str().ok());
        let should = match (text(2)?, text(3)?, text(4)?) {
            (Some(suite), Some(classname), Some(file)) => Some(scope_key(suite, classname, file)),
            _ => None,
        };
        if should.as_ref().map(|key| key.as_slice()) != row.get_ref(1)?.as_blob().ok() {
            odd.push(row.get(0)?);
        }
    }
    Ok(odd)
}

/// Finds what does not agree with what it follows from.
pub(super) fn check(connection: &Connection, find: &mut dyn FnMut(String, &str)) -> Result<()> {
    for (table, texts) in TEXTS {
        let mut select = connection.prepare(&format!("SELECT {texts} FROM {table}"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            if row.get_ref(0)?.as_str().is_err() {
                find(table.to_owned(), "it has a text that is no UTF-8");
                break;
            }
        }
    }
    // Each of these reads texts, which the step above may have found to be none.
    if let Ok(runs) = keyed_runs(connection) {
        for run in runs.iter().filter(|run| run.should.0.as_slice() != run.key) {
            find(format!("run {}", hex(&run.key)), "its key is not that of what it says");
        }
    }
    for failure in odd_failures(connection)? {
        find(format!("failure {}", hex(&failure.key)), "its key is not that of its text");
    }
    for scope in odd_scopes(connection)? {
        find(format!("class {scope}"), "its key is not that of its names");
    }
    Ok(())
}

/// The rows of the bad attempts of one report as they stand there.
pub(super) fn stored_bad(connection: &Connection, report: [i64; 3]) -> Result<Vec<BadRow>> {
    let sql = "SELECT test_id, attempt, outcome, failure_id FROM bad
        WHERE project_id = ?1 AND run_id = ?2 AND report_id = ?3 ORDER BY test_id, attempt";
    let mut select = connection.prepare_cached(sql)?;
    let [project, run, no] = report;
    select
        .query_map(params![project, run, no], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect()
}

/// Bytes as people see keys.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
