//! Pruning: the oldest runs go, piece by piece, and with them what nothing else needs.
//!
//! Tests stay with the day they were first seen. Every piece is one transaction that leaves a whole
//! history behind, so that others write in between and a prune that was cut off is finished by the
//! next one.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Result, Transaction, params};

use super::SqliteStore;
use super::failure::explain;
use crate::model::Timestamp;
use crate::model::hash::ReportHash;
use crate::store::StoreError;
use crate::store::segment::{self, SegmentError};
use crate::store::watcher::Watcher;

/// Which runs a history keeps. A run goes only where every rule that is set lets it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// The last so many runs of each project.
    pub runs: Option<u32>,
    /// Those of the last so many days, counted back from the last run of each project.
    pub days: Option<u32>,
    /// Those that started at this time or later.
    pub since: Option<Timestamp>,
}

/// Sums over some runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Runs.
    pub runs: u64,
    /// Their reports.
    pub reports: u64,
    /// Their results.
    pub results: u64,
    /// When the first of them started.
    pub first: Option<Timestamp>,
    /// When the last of them started.
    pub last: Option<Timestamp>,
}

/// What of one project goes, and what stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunePlan {
    /// The project.
    pub project: String,
    /// What goes.
    pub goes: Share,
    /// What stays.
    pub stays: Share,
    number: i64,
    bound: Option<Bound>,
}

/// The first run that stays, as a place in the order of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    started: i64,
    key: [u8; 16],
}

/// What a prune took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Runs.
    pub runs: u64,
    /// Failures, with their texts, that no run names any more.
    pub failures: u64,
    /// Revisions, branches and variants that no run has any more.
    pub names: u64,
}

/// How much one transaction takes away: bounds how long others wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) runs: u32,
    pub(super) failures: usize,
}

pub(super) const PIECE: Piece = Piece { runs: 100, failures: 20_000 };

/// The plan for one project, or for all of them by name.
pub(super) fn plan(
    connection: &Connection,
    project: Option<&str>,
    keep: Keep,
) -> Result<Vec<PrunePlan>> {
    let sql = "SELECT project_id, name FROM project WHERE ?1 IS NULL OR name = ?1 ORDER BY name";
    let mut select = connection.prepare_cached(sql)?;
    let projects: Vec<(i64, String)> = select
        .query_map([project], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_>>()?;
    let plan = |(number, project)| {
        let bound = bound(connection, number, keep)?;
        let before = bound.unwrap_or(Bound { started: i64::MIN, key: [0; 16] });
        let goes = share(connection, number, "<", before)?;
        let stays = share(connection, number, ">=", before)?;
        Ok(PrunePlan { project, goes, stays, number, bound })
    };
    projects.into_iter().map(plan).collect()
}

/// The lowest of the bounds that the rules give; `None` where nothing goes.
fn bound(connection: &Connection, project: i64, keep: Keep) -> Result<Option<Bound>> {
    let mut bounds = Vec::new();
    if let Some(runs) = keep.runs {
        let sql = "SELECT started_ms, run_key FROM run WHERE project_id = ?1
            ORDER BY started_ms DESC, run_key DESC LIMIT 1 OFFSET ?2";
        let oldest_kept =
            |row: &rusqlite::Row<'_>| Ok(Bound { started: row.get(0)?, key: row.get(1)? });
        let values = params![project, i64::from(runs) - 1];
        bounds.push(connection.prepare_cached(sql)?.query_row(values, oldest_kept).optional()?);
    }
    let at = |time: Timestamp| Bound { started: time.0, key: [0; 16] };
    if let Some(days) = keep.days {
        let sql = "SELECT max(started_ms) FROM run WHERE project_id = ?1";
        let mut select = connection.prepare_cached(sql)?;
        let newest: Option<i64> = select.query_row([project], |row| row.get(0))?;
        bounds.push(newest.map(|newest| at(Timestamp(newest).minus_days(days))));
    }
    bounds.extend(keep.since.map(|time| Some(at(time))));
    // No bound of one rule means that it keeps everything.
    let all: Option<Vec<Bound>> = bounds.into_iter().collect();
    Ok(all.and_then(|all| all.into_iter().min()))
}

fn share(connection: &Connection, project: i64, side: &str, bound: Bound) -> Result<Share> {
    let sql = format!(
        "SELECT count(*), coalesce(sum(reports), 0), coalesce(sum(results), 0), min(started_ms),
         max(started_ms) FROM run WHERE project_id = ?1 AND (started_ms, run_key) {side} (?2, ?3)"
    );
    let values = params![project, bound.started, bound.key];
    connection.prepare_cached(&sql)?.query_row(values, |row| {
        let count = |column| super::read::count(row, column);
        let time =
            |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
        Ok(Share {
            runs: count(0)?,
            reports: count(1)?,
            results: count(2)?,
            first: time(3)?,
            last: time(4)?,
        })
    })
}

/// Carries plans out. Runs that came since and are older than a plan's bound go as well.
pub(super) fn prune(
    store: &mut SqliteStore,
    plans: &[PrunePlan],
    piece: Piece,
    watcher: &dyn Watcher,
) -> std::result::Result<Pruned, StoreError> {
    let mut pruned = Pruned::default();
    watcher.phase("removing runs");
    watcher.steps(plans.iter().map(|plan| plan.goes.runs).sum());
    for plan in plans {
        let Some(bound) = plan.bound else { continue };
        loop {
            let runs = written(store, |one| Ok(remove_runs(one, plan.number, bound, piece.runs)?))?;
            (0..runs).for_each(|_| watcher.step());
            pruned.runs += runs;
            if runs < u64::from(piece.runs) {
                break;
            }
        }
    }
    watcher.phase("removing names");
    pruned.names = written(store, |one| Ok(remove_names(one)?))?;
    watcher.phase("removing failures");
    let mut orphans = Orphans::default();
    loop {
        let removed = written(store, |one| orphans.remove(one, piece.failures, watcher))?;
        (0..removed).for_each(|_| watcher.step());
        pruned.failures += removed;
        if removed == 0 {
            return Ok(pruned);
        }
    }
}

/// Why a piece could not be written; the path is added outside.
enum PieceError {
    Engine(rusqlite::Error),
    Segment(ReportHash, SegmentError),
}

impl From<rusqlite::Error> for PieceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

type Piecewise<T> = std::result::Result<T, PieceError>;

/// One piece in one transaction.
fn written<T>(
    store: &mut SqliteStore,
    step: impl FnOnce(&Transaction<'_>) -> Piecewise<T>,
) -> std::result::Result<T, StoreError> {
    let transaction = store.begin()?;
    let done = step(&transaction).and_then(|done| Ok(transaction.commit().map(|()| done)?));
    done.map_err(|error| match error {
        PieceError::Engine(error) => explain(&store.path, &error),
        PieceError::Segment(report, source) => store.segment_error(report, source),
    })
}

/// Removes the oldest runs of a project, and returns how many there were.
fn remove_runs(one: &Transaction<'_>, project: i64, bound: Bound, most: u32) -> Result<u64> {
    let sql = "SELECT run_id FROM run WHERE project_id = ?1 AND (started_ms, run_key) < (?2, ?3)
        ORDER BY started_ms, run_key LIMIT ?4";
    let mut select = one.prepare_cached(sql)?;
    let values = params![project, bound.started, bound.key, most];
    let runs: Vec<i64> = select.query_map(values, |row| row.get(0))?.collect::<Result<_>>()?;
    // Nothing follows references by itself here.
    for table in ["bad", "suite_failure", "report", "run"] {
        let sql = format!("DELETE FROM {table} WHERE project_id = ?1 AND run_id = ?2");
        let mut delete = one.prepare_cached(&sql)?;
        for run in &runs {
            delete.execute([project, *run])?;
        }
    }
    Ok(runs.len() as u64)
}

fn remove_names(one: &Transaction<'_>) -> Result<u64> {
    let used = |table: &str| {
        format!(
            "DELETE FROM {table} WHERE {table}_id NOT IN
             (SELECT {table}_id FROM run WHERE {table}_id IS NOT NULL)"
        )
    };
    let mut removed = 0;
    for table in ["revision", "branch", "variant"] {
        removed += one.execute(&used(table), [])? as u64;
    }
    Ok(removed)
}

/// The failures that nothing names, as of the last look.
#[derive(Default)]
struct Orphans {
    failures: Vec<u32>,
    /// What the engine counts up whenever others write.
    seen: Option<i64>,
}

impl Orphans {
    /// Removes some of them; looks again where others wrote since, who may name one by now.
    fn remove(
        &mut self,
        one: &Transaction<'_>,
        most: usize,
        watcher: &dyn Watcher,
    ) -> Piecewise<u64> {
        let version: i64 = one.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        if self.seen != Some(version) {
            self.failures = find(one)?;
            self.seen = Some(version);
            watcher.steps(self.failures.len() as u64);
        }
        let rest = self.failures.len().saturating_sub(most);
        let some = self.failures.split_off(rest);
        let mut delete = one.prepare_cached("DELETE FROM failure WHERE failure_id = ?1")?;
        for failure in &some {
            delete.execute([failure])?;
        }
        Ok(some.len() as u64)
    }
}

/// All failures that no result, bad or skipped, and no suite names.
fn find(one: &Transaction<'_>) -> Piecewise<Vec<u32>> {
    let mut named: HashSet<u32> = HashSet::new();
    let mut select = one.prepare("SELECT content_hash, segment FROM report")?;
    let mut rows = select.query([])?;
    let mut some = Vec::new();
    while let Some(row) = rows.next()? {
        some.clear();
        let segment = row.get_ref(1)?.as_blob().unwrap_or_default();
        if let Err(error) = segment::failures(segment, &mut some) {
            return Err(PieceError::Segment(ReportHash(row.get(0)?), error));
        }
        named.extend(&some);
    }
    for sql in [
        "SELECT failure_id FROM suite_failure",
        "SELECT failure_id FROM bad WHERE failure_id IS NOT NULL",
    ] {
        for failure in one.prepare(sql)?.query_map([], |row| row.get::<_, u32>(0))? {
            named.insert(failure?);
        }
    }
    let mut select = one.prepare("SELECT failure_id FROM failure ORDER BY failure_id DESC")?;
    let all = select.query_map([], |row| row.get::<_, u32>(0))?;
    Ok(all.filter(|no| !no.as_ref().is_ok_and(|no| named.contains(no))).collect::<Result<_>>()?)
}
