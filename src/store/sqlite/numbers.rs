//! The numbers that one file gives to tests, failures and names, looked up or given out.

use rusqlite::{OptionalExtension, Row, params};

use super::append::{AppendError, Result, Writer};
use super::derived::scope_key;
use crate::model::{TestId, TestIdentity};
use crate::store::batch::{Entry, settled};
use crate::store::failure_text::StoredText;

/// A pass over all tests of a file costs less than looking up one of so many of them.
const TESTS_PASSED_PER_LOOKUP: usize = 4;

/// A test that the history has.
pub(super) struct KnownTest {
    no: u32,
    first_seen: i64,
    /// The suite and file that it should have, where they differ from what it has.
    moved: Option<(String, String)>,
}

impl KnownTest {
    /// A row of number, first seen, suite and file, beside what a batch says of the test.
    fn of(row: &Row<'_>, test: &TestIdentity<'_>) -> rusqlite::Result<Self> {
        let (suite, file) = (row.get_ref(2)?.as_str(), row.get_ref(3)?.as_str());
        let (suite, file) = (suite.unwrap_or_default(), file.unwrap_or_default());
        let best = (settled(suite, test.suite), settled(file, test.file));
        let moved = (best != (suite, file)).then(|| (best.0.to_owned(), best.1.to_owned()));
        Ok(Self { no: row.get(0)?, first_seen: row.get(1)?, moved })
    }
}

/// Where the last test that was written is, which is mostly where the next one is.
#[derive(Default)]
pub(super) struct Scope {
    no: i64,
    project: i64,
    suite: String,
    classname: String,
    file: String,
}

impl Writer<'_> {
    /// The numbers of a report's tests; each test is looked up once for a whole batch.
    pub(super) fn resolve_tests(&mut self, project: i64, entry: &Entry) -> Result<Vec<u32>> {
        let mut numbers = Vec::with_capacity(entry.tests.len());
        for stretch in entry.tests.stretches() {
            for place in stretch.clone() {
                if self.tests.get(place as usize).is_none_or(|known| *known == 0) {
                    let number = self.resolve_test(project, place)?;
                    if let Some(slot) = self.tests.get_mut(place as usize) {
                        *slot = number;
                    }
                }
            }
            let known = self.tests.get(stretch.start as usize..stretch.end as usize);
            numbers.extend_from_slice(known.unwrap_or_default());
        }
        Ok(numbers)
    }

    fn resolve_test(&mut self, project: i64, place: u32) -> Result<u32> {
        let Some(test) = self.names.and_then(|names| names.test(place)) else {
            return Err(AppendError::Full("tests"));
        };
        let started = self.first_seen.get(place as usize).copied().unwrap_or_default();
        if !self.project_is_new {
            if self.pass_over_known_tests(project)?
                && let Some(known) = self.tests.get(place as usize).filter(|known| **known != 0)
            {
                return Ok(*known);
            }
            let known = match self.changed.remove(&place) {
                Some(known) => Some(known),
                None => self.known_test(project, &test)?,
            };
            if let Some(known) = known {
                self.update_test(project, &known, &test, started)?;
                return Ok(known.no);
            }
        }
        self.appended.tests_new += 1;
        let scope = self.scope(project, &test)?;
        let values = params![project, test.id.0, scope, test.name, test.qualified, started];
        let number = self.often.insert_test.insert(values)?;
        u32::try_from(number).map_err(|_| AppendError::Full("tests"))
    }

    /// Finds the numbers of all tests of a batch that has many of the history's, once; true where
    /// it did so now. It reads the rows where they lie, which for each is much less than a lookup.
    fn pass_over_known_tests(&mut self, project: i64) -> Result<bool> {
        let Some(names) = self.names.filter(|_| !self.passed_over) else { return Ok(false) };
        self.passed_over = true;
        let count = "SELECT coalesce(max(test_id), 0) FROM test";
        let all: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        if ((names.len() * TESTS_PASSED_PER_LOOKUP) as i64) < all {
            return Ok(false);
        }
        // The index would lead to the rows in the order of their hashes.
        let sql = "SELECT test_id, first_seen_ms, suite, file, identity
            FROM test NOT INDEXED CROSS JOIN scope USING (scope_id) WHERE test.project_id = ?1";
        let mut select = self.connection.prepare_cached(sql)?;
        let mut rows = select.query([project])?;
        while let Some(row) = rows.next()? {
            let Some(place) = names.place_of(TestId(row.get(4)?)) else { continue };
            let Some(test) = names.test(place) else { continue };
            let known = KnownTest::of(row, &test)?;
            let started = self.first_seen.get(place as usize).copied().unwrap_or_default();
            if known.moved.is_some() || started < known.first_seen {
                // A report that is there already changes nothing: a new one has to name the test.
                self.changed.insert(place, known);
            } else if let Some(slot) = self.tests.get_mut(place as usize) {
                *slot = known.no;
            }
        }
        Ok(true)
    }

    fn known_test(&mut self, project: i64, test: &TestIdentity<'_>) -> Result<Option<KnownTest>> {
        let mut rows = self.often.select_test.query(params![project, test.id.0])?;
        Ok(rows.next()?.map(|row| KnownTest::of(row, test)).transpose()?)
    }

    /// What reports disagree about becomes the same in any order.
    fn update_test(
        &mut self,
        project: i64,
        known: &KnownTest,
        test: &TestIdentity<'_>,
        started: i64,
    ) -> Result<()> {
        if let Some((suite, file)) = &known.moved {
            // The scope it leaves may stay behind without tests, which costs little and harms none.
            let scope = self.scope(project, &TestIdentity { suite, file, ..*test })?;
            let sql = "UPDATE test SET scope_id = ?2 WHERE test_id = ?1";
            self.connection.prepare_cached(sql)?.execute(params![known.no, scope])?;
        }
        if started < known.first_seen {
            let sql = "UPDATE test SET first_seen_ms = ?2 WHERE test_id = ?1";
            self.connection.prepare_cached(sql)?.execute(params![known.no, started])?;
        }
        Ok(())
    }

    /// The number of a test's class, suites and file, which neighbours share.
    fn scope(&mut self, project: i64, test: &TestIdentity<'_>) -> Result<i64> {
        let (suite, classname, file) = (test.suite, test.classname, test.file);
        let last = &self.scope;
        if (last.suite.as_str(), last.classname.as_str(), last.file.as_str())
            == (suite, classname, file)
            && last.project == project
        {
            return Ok(last.no);
        }
        let key = scope_key(suite, classname, file);
        let sql = "SELECT scope_id FROM scope WHERE project_id = ?1 AND scope_key = ?2";
        let mut select = self.connection.prepare_cached(sql)?;
        let found = select.query_row(params![project, key], |row| row.get(0)).optional()?;
        let no = match found {
            Some(no) => no,
            None => {
                let sql = "INSERT INTO scope (project_id, scope_key, suite, classname, file)
                    VALUES (?1, ?2, ?3, ?4, ?5)";
                let values = params![project, key, suite, classname, file];
                self.connection.prepare_cached(sql)?.insert(values)?
            }
        };
        self.scope = Scope {
            no,
            project,
            suite: suite.to_owned(),
            classname: classname.to_owned(),
            file: file.to_owned(),
        };
        Ok(no)
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
        let batch = self.batch;
        let held = batch.failures.get(place as usize).ok_or(AppendError::Full("failures"))?;
        let failure = batch.spill.failure_of(held).map_err(AppendError::Spill)?;
        let found: Option<i64> = match self.project_is_new {
            true => None,
            false => {
                let values = params![project, failure.id.0];
                self.often.select_failure.query_row(values, |row| row.get(0)).optional()?
            }
        };
        let number = match found {
            Some(number) => number,
            None => {
                self.appended.failures_new += 1;
                let insert = &mut self.often.insert_failure;
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
        name.map(|name| self.named(table, project, name)).transpose()
    }

    /// The number of a project, and whether it was added just now.
    pub(super) fn project(&self, name: &str) -> Result<(i64, bool)> {
        let sql = "SELECT project_id FROM project WHERE name = ?1";
        let mut select = self.connection.prepare_cached(sql)?;
        match select.query_row([name], |row| row.get(0)).optional()? {
            Some(number) => Ok((number, false)),
            None => {
                let sql = "INSERT INTO project (name) VALUES (?1)";
                Ok((self.connection.prepare_cached(sql)?.insert([name])?, true))
            }
        }
    }

    /// The number of a name in one of the small tables, where it is added if it is new.
    pub(super) fn named(&self, table: &'static str, project: i64, name: &str) -> Result<i64> {
        let select = format!("SELECT {table}_id FROM {table} WHERE project_id = ?1 AND name = ?2");
        let mut select = self.connection.prepare_cached(&select)?;
        match select.query_row(params![project, name], |row| row.get(0)).optional()? {
            Some(number) => Ok(number),
            None => {
                let insert = format!("INSERT INTO {table} (project_id, name) VALUES (?1, ?2)");
                Ok(self.connection.prepare_cached(&insert)?.insert(params![project, name])?)
            }
        }
    }
}
