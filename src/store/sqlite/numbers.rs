//! The numbers that one file gives to tests, failures and names, looked up or given out.

use rusqlite::{OptionalExtension, params};

use super::append::{AppendError, Result, Writer};
use crate::store::batch::{Entry, settled};
use crate::store::failure_text::StoredText;

impl Writer<'_> {
    /// The numbers of a report's tests; each test is looked up once for a whole batch.
    pub(super) fn resolve_tests(&mut self, project: i64, entry: &Entry) -> Result<Vec<u32>> {
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

    pub(super) fn resolve_failures(&mut self, project: i64, places: &[u32]) -> Result<Vec<u32>> {
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

    pub(super) fn named_or_none(
        &self,
        table: &'static str,
        project: i64,
        name: Option<&str>,
    ) -> Result<Option<i64>> {
        name.map(|name| self.named(table, Some(project), name)).transpose()
    }

    /// The number of a name in one of the small tables, where it is added if it is new.
    pub(super) fn named(
        &self,
        table: &'static str,
        project: Option<i64>,
        name: &str,
    ) -> Result<i64> {
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
