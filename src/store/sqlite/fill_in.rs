//! What a report that is there lacks: it was read by a flakedb that did not look yet, or nobody had
//! said it.

use rusqlite::{OptionalExtension as _, params};

use super::append::{Result, Writer};
use crate::model::hash::TestId;
use crate::store::batch::{Entry, settled};
use crate::store::segment::{Columns, Decoder};

/// What a report as the history has it ran in.
#[derive(PartialEq)]
pub(super) struct Around {
    host: String,
    worker: String,
    shard: String,
    seed: String,
    workers: Option<Vec<u8>>,
}

/// A report's number, and the columns of [`Around`].
pub(super) const AROUND: &str = "report.report_id, host, worker, shard, seed, workers";

/// Reads [`AROUND`].
pub(super) fn around(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Around)> {
    let around = Around {
        host: row.get(1)?,
        worker: row.get(2)?,
        shard: row.get(3)?,
        seed: row.get(4)?,
        workers: row.get(5)?,
    };
    Ok((row.get(0)?, around))
}

impl Writer<'_> {
    /// Adds what the report lacks and the entry has.
    pub(super) fn fill_in(&self, report: i64, known: &Around, entry: &Entry) -> Result<()> {
        // Who ran what is said in one way or the other, never half of it anew.
        let told = !known.worker.is_empty() || known.workers.is_some();
        let (worker, workers) = match &entry.workers {
            _ if told => (known.worker.clone(), known.workers.clone()),
            Some(list) if self.has_the_same_results(report, entry)? => {
                (String::new(), Some(list.clone()))
            }
            Some(_) => (String::new(), None),
            None => (entry.worker.clone(), None),
        };
        let better = Around {
            host: settled(&known.host, &entry.host).to_owned(),
            worker,
            shard: settled(&known.shard, &entry.shard).to_owned(),
            seed: settled(&known.seed, &entry.seed).to_owned(),
            workers,
        };
        if better == *known {
            return Ok(());
        }
        let sql = "UPDATE report SET host = ?2, worker = ?3, shard = ?4, seed = ?5, workers = ?6
            WHERE report_id = ?1";
        let Around { host, worker, shard, seed, workers } = better;
        self.connection
            .prepare_cached(sql)?
            .execute(params![report, host, worker, shard, seed, workers])?;
        Ok(())
    }

    /// True where the report as it is there has the same tests in the same places: another flakedb
    /// may have read the same bytes otherwise, and a list of workers for other results is damage.
    fn has_the_same_results(&self, report: i64, entry: &Entry) -> Result<bool> {
        let segment: Vec<u8> = self
            .connection
            .prepare_cached("SELECT segment FROM report WHERE report_id = ?1")?
            .query_row([report], |row| row.get(0))?;
        let mut columns = Columns::default();
        let is_read = Decoder::default().decode(&segment, &mut columns).is_ok();
        if !is_read || columns.tests.len() != entry.tests.len() {
            return Ok(false);
        }
        let sql = "SELECT identity FROM test WHERE test_id = ?1";
        let mut select = self.connection.prepare_cached(sql)?;
        for (number, place) in columns.tests.iter().zip(entry.tests.iter()) {
            let stored = select.query_row([number], |row| row.get(0).map(TestId)).optional()?;
            let read = self.names.and_then(|names| names.test(place)).map(|test| test.id);
            if stored != read {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
