//! What was salvaged becomes a whole history: what nothing belongs to goes, what can be worked out
//! again is, and what is gone gets a name that says so.

use std::collections::{BTreeSet, HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::super::check::Finding;
use super::super::derived::{self, hex};
use super::salvage::Salvaged;
use crate::model::hash::{KeyHasher, ReportHash};
use crate::model::{Failure, Lane, RunContext, counted};
use crate::store::segment::{Columns, Decoder};

/// The class of a test whose own is lost.
const LOST_CLASS: &str = "(class lost)";

/// Makes the salvaged rows agree; names what is lost.
pub(super) fn settle(
    connection: &Connection,
    salvaged: &Salvaged,
    lost: &mut Vec<Finding>,
) -> Result<()> {
    let mut settler = Settler { connection, salvaged, lost, dropped: HashMap::new() };
    settler.name_lost_rows();
    settler.failures()?;
    settler.scopes()?;
    settler.names()?;
    settler.runs()?;
    settler.placeholder_runs()?;
    settler.reports()?;
    settler.suite_failures()?;
    settler.sums()?;
    settler.keys()?;
    settler.classes()
}

struct Settler<'a> {
    connection: &'a Connection,
    salvaged: &'a Salvaged,
    lost: &'a mut Vec<Finding>,
    /// The keys of runs that could be read, and are of no use.
    dropped: HashMap<i64, Vec<u8>>,
}

/// One report, as far as its segment has to fit.
struct Row {
    no: i64,
    project: i64,
    run: i64,
    hash: Vec<u8>,
    started: i64,
    segment: Vec<u8>,
    workers: Option<Vec<u8>>,
}

impl Settler<'_> {
    fn find(&mut self, place: String, problem: &str) {
        self.lost.push(Finding { place, problem: problem.to_owned() });
    }

    fn run_all(&self, sql: &str) -> Result<usize> {
        self.connection.prepare_cached(sql)?.execute([])
    }

    /// Runs and reports that only an index still knows.
    fn name_lost_rows(&mut self) {
        for table in ["run", "report"] {
            let mut keys: Vec<&Vec<u8>> = self
                .salvaged
                .remembered
                .get(table)
                .into_iter()
                .flat_map(|keys| keys.values())
                .collect();
            keys.sort_unstable();
            for key in keys {
                let place = format!("{table} {}", hex(key));
                self.lost.push(Finding {
                    place,
                    problem: "its row cannot be read, or differs from its index".to_owned(),
                });
            }
        }
    }

    /// A failure whose key is not that of its text is kept as it reads, under a key that is.
    fn failures(&mut self) -> Result<()> {
        for odd in derived::odd_failures(self.connection)? {
            let place = format!("failure {}", hex(&odd.key));
            let taken = match &odd.read {
                Some(failure) => {
                    let sql = "UPDATE OR IGNORE failure SET identity = ?2, signature = ?3
                        WHERE failure_id = ?1";
                    let (id, signature) = (failure.id().0, failure.signature().0);
                    self.connection.execute(sql, params![odd.no, id, signature])?
                }
                None => 0,
            };
            if let (1, Some(failure)) = (taken, &odd.read) {
                self.find(
                    place,
                    &format!("its text was changed; kept as it reads, as {}", failure.id()),
                );
            } else {
                self.connection.execute("DELETE FROM failure WHERE failure_id = ?1", [odd.no])?;
                self.find(place, "its text cannot be read");
            }
        }
        Ok(())
    }

    fn scopes(&mut self) -> Result<()> {
        for no in derived::odd_scopes(self.connection)? {
            self.connection.execute("DELETE FROM scope WHERE scope_id = ?1", [no])?;
        }
        let orphans = "DELETE FROM test WHERE project_id NOT IN (SELECT project_id FROM project)";
        let gone = self.run_all(orphans)?;
        if gone > 0 {
            let tests = counted(gone as u64, "test");
            self.find("test".to_owned(), &format!("{tests} of no project, left out"));
        }
        self.run_all("DELETE FROM scope WHERE project_id NOT IN (SELECT project_id FROM project)")?;
        self.run_all(
            "DELETE FROM failure WHERE project_id NOT IN (SELECT project_id FROM project)",
        )?;
        Ok(())
    }

    /// Where a name and its index differ, the keys of runs say which of both is right.
    fn names(&mut self) -> Result<()> {
        for (table, no, name) in &self.salvaged.doubtful {
            let select = format!("SELECT name FROM {table} WHERE {table}_id = ?1");
            let kept: String = self.connection.query_row(&select, [no], |row| row.get(0))?;
            let update = format!("UPDATE OR IGNORE {table} SET name = ?2 WHERE {table}_id = ?1");
            let before = self.odd_runs()?;
            self.connection.execute(&update, params![no, name])?;
            if self.odd_runs()? >= before {
                self.connection.execute(&update, params![no, kept])?;
            }
            self.find(format!("{table} {no}"), "its name and its index differ");
        }
        Ok(())
    }

    fn odd_runs(&self) -> Result<usize> {
        let runs = derived::keyed_runs(self.connection)?;
        Ok(runs.iter().filter(|run| run.should.0.as_slice() != run.key).count())
    }

    /// Runs that cannot be told from others are of no use; a lost branch is one word less.
    fn runs(&mut self) -> Result<()> {
        // Of an empty table SQL says that NULL is not in it.
        let sql = "UPDATE run SET branch_id = NULL WHERE branch_id IS NOT NULL
            AND branch_id NOT IN (SELECT branch_id FROM branch) RETURNING run_key";
        for key in self.blobs(sql)? {
            self.find(format!("run {}", hex(&key)), "the name of its branch is lost");
        }
        let sql = "DELETE FROM run WHERE project_id NOT IN (SELECT project_id FROM project)
            OR variant_id NOT IN (SELECT variant_id FROM variant)
            OR (revision_id IS NOT NULL
              AND revision_id NOT IN (SELECT revision_id FROM revision))
            RETURNING run_id, run_key";
        let gone: Vec<(i64, Vec<u8>)> = self
            .connection
            .prepare(sql)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_>>()?;
        for (no, key) in gone {
            self.find(format!("run {}", hex(&key)), "its project, revision or variant is lost");
            self.dropped.insert(no, key);
        }
        for run in derived::keyed_runs(self.connection)? {
            if (run.has_build || !run.is_short) && run.should.0.as_slice() != run.key {
                self.connection.execute("DELETE FROM run WHERE run_id = ?1", [run.no])?;
                self.find(format!("run {}", hex(&run.key)), "its key is not that of what it says");
                self.dropped.insert(run.no, run.key);
            }
        }
        Ok(())
    }

    fn blobs(&self, sql: &str) -> Result<Vec<Vec<u8>>> {
        self.connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    /// Results whose run is lost are kept as of one of which nothing is known but when it was.
    fn placeholder_runs(&mut self) -> Result<()> {
        let sql = "SELECT report.project_id, report.run_id, project.name, min(content_hash),
            min(started_ms) FROM report JOIN project USING (project_id)
            WHERE run_id NOT IN (SELECT run_id FROM run) GROUP BY 1, 2 ORDER BY 1, 2";
        let orphans: Vec<(i64, i64, String, [u8; 32], i64)> = self
            .connection
            .prepare(sql)?
            .query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?
            .collect::<Result<_>>()?;
        for (project, no, name, first, started) in orphans {
            let context = RunContext { project: name, ..RunContext::default() };
            let key = context.key(ReportHash(first));
            self.connection.execute(
                "INSERT OR IGNORE INTO variant (project_id, name) VALUES (?1, '')",
                [project],
            )?;
            let sql = "INSERT OR IGNORE INTO run (run_id, project_id, run_key, variant_id, lane,
                attempt, started_ms, ingested_ms, complete, reports, results, suite_failures,
                cases, passed, failed, errored, skipped, flaky)
                SELECT ?1, ?2, ?3, variant_id, ?4, 1, ?5, ?5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
                FROM variant WHERE project_id = ?2 AND name = ''";
            let lane = Lane::Other.code();
            if self.connection.execute(sql, params![no, project, key.0, lane, started])? == 1 {
                let remembered = self.salvaged.remembered.get("run");
                let was = remembered.and_then(|keys| keys.get(&no)).or(self.dropped.get(&no));
                let was = was.map_or_else(|| no.to_string(), |key| hex(key));
                let problem = format!(
                    "what it was a run of is lost; its reports are kept as {key}, without \
                     revision, branch, variant and build"
                );
                self.find(format!("run {was}"), &problem);
            }
        }
        Ok(())
    }

    fn reports(&mut self) -> Result<()> {
        let sql = "DELETE FROM report WHERE NOT EXISTS (SELECT 1 FROM run
            WHERE run.run_id = report.run_id AND run.project_id = report.project_id)
            RETURNING content_hash";
        for hash in self.blobs(sql)? {
            self.find(format!("report {}", hex(&hash)), "its run is lost");
        }
        let numbers: Vec<i64> = self
            .connection
            .prepare("SELECT report_id FROM report ORDER BY report_id")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_>>()?;
        let mut tests = self.numbers("test")?;
        let mut failures = self.numbers("failure")?;
        let (mut decoder, mut columns) = (Decoder::default(), Columns::default());
        for no in numbers {
            let row = self.row(no)?;
            if let Err(error) = decoder.decode(&row.segment, &mut columns) {
                self.connection.execute("DELETE FROM report WHERE report_id = ?1", [no])?;
                self.find(format!("report {}", hex(&row.hash)), &format!("its segment {error}"));
                continue;
            }
            if let Some(blob) = &row.workers
                && let Err(error) = decoder.workers(blob, columns.tests.len())
            {
                let sql = "UPDATE report SET workers = NULL WHERE report_id = ?1";
                self.connection.execute(sql, [no])?;
                let problem = format!("the list of its workers {error}; left out");
                self.find(format!("report {}", hex(&row.hash)), &problem);
            }
            let missing = columns.tests.iter().copied().filter(|test| !tests.contains(test));
            for test in missing.collect::<BTreeSet<_>>() {
                self.placeholder_test(&row, test)?;
                tests.insert(test);
            }
            for failure in columns.failures.iter().copied() {
                if failures.insert(failure) {
                    self.placeholder_failure(row.project, i64::from(failure))?;
                }
            }
            self.derive(&row, &columns)?;
        }
        Ok(())
    }

    fn numbers(&self, table: &str) -> Result<HashSet<u32>> {
        let sql =
            format!("SELECT {table}_id FROM {table} WHERE {table}_id BETWEEN 1 AND 4294967295");
        self.connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
    }

    fn row(&self, no: i64) -> Result<Row> {
        let sql = "SELECT project_id, run_id, content_hash, started_ms, segment, workers
            FROM report WHERE report_id = ?1";
        self.connection.prepare_cached(sql)?.query_row([no], |row| {
            Ok(Row {
                no,
                project: row.get(0)?,
                run: row.get(1)?,
                hash: row.get(2)?,
                started: row.get(3)?,
                segment: row.get(4)?,
                workers: row.get(5)?,
            })
        })
    }

    /// A test of which no more than its number, and with luck its identity, is known.
    fn placeholder_test(&mut self, report: &Row, no: u32) -> Result<()> {
        let known = self.salvaged.remembered.get("test").and_then(|keys| keys.get(&i64::from(no)));
        let made: [u8; 16] = KeyHasher::new("lost.1").part(&no.to_le_bytes()).finish();
        let name = format!("lost-{no}");
        for identity in known.map(Vec::as_slice).into_iter().chain([made.as_slice()]) {
            let sql = "INSERT OR IGNORE INTO test (test_id, project_id, identity, scope_id, name,
                qualified, first_seen_ms) VALUES (?1, ?2, ?3, 0, ?4, 1, ?5)";
            let values = params![no, report.project, identity, name, report.started];
            if self.connection.prepare_cached(sql)?.execute(values)? == 1 {
                self.find(
                    format!("test {}", hex(identity)),
                    &format!("its name is lost; kept as {name}"),
                );
                return Ok(());
            }
        }
        Ok(())
    }

    /// A failure that says that its text is lost, under the key of just that.
    fn placeholder_failure(&mut self, project: i64, no: i64) -> Result<()> {
        let known = self.salvaged.remembered.get("failure").and_then(|keys| keys.get(&no));
        let was = known.map_or_else(|| no.to_string(), |key| hex(key));
        let failure = Failure {
            message: format!("(the text of failure {was} is lost)"),
            ..Failure::default()
        };
        let sql = "INSERT INTO failure (failure_id, project_id, identity, signature, kind, message,
            body) VALUES (?1, ?2, ?3, ?4, '', ?5, '')";
        let (id, signature) = (failure.id().0, failure.signature().0);
        self.connection.prepare_cached(sql)?.execute(params![
            no,
            project,
            id,
            signature,
            failure.message
        ])?;
        self.find(format!("failure {was}"), &format!("its text is lost; kept as {}", failure.id()));
        Ok(())
    }

    /// The number of the report's results and the rows of its bad attempts, from its segment.
    fn derive(&self, row: &Row, columns: &Columns) -> Result<()> {
        let sql = "UPDATE report SET results = ?2 WHERE report_id = ?1";
        let results = columns.tests.len() as i64;
        self.connection.prepare_cached(sql)?.execute(params![row.no, results])?;
        let sql = "INSERT INTO bad (project_id, run_id, report_id, test_id, attempt, outcome,
            failure_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut insert = self.connection.prepare_cached(sql)?;
        for (test, attempt, outcome, failure) in derived::bad_rows(columns) {
            insert.execute(params![
                row.project,
                row.run,
                row.no,
                test,
                attempt,
                outcome,
                failure
            ])?;
        }
        Ok(())
    }

    fn suite_failures(&mut self) -> Result<()> {
        self.run_all(
            "DELETE FROM suite_failure WHERE NOT EXISTS (SELECT 1 FROM report
             WHERE report.report_id = suite_failure.report_id AND report.run_id = suite_failure.run_id
             AND report.project_id = suite_failure.project_id)",
        )?;
        let sql = "SELECT DISTINCT project_id, failure_id FROM suite_failure
            WHERE failure_id NOT IN (SELECT failure_id FROM failure)";
        let missing: Vec<(i64, i64)> = self
            .connection
            .prepare(sql)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_>>()?;
        for (project, failure) in missing {
            self.placeholder_failure(project, failure)?;
        }
        Ok(())
    }

    /// The sums of each run; a run of which no report is left goes.
    fn sums(&mut self) -> Result<()> {
        self.name_lost_of_runs(
            "report",
            "SELECT run_key, reports - (SELECT count(*) FROM report
              WHERE report.project_id = run.project_id AND report.run_id = run.run_id) AS gone,
              reports FROM run WHERE gone > 0 ORDER BY run_key",
        )?;
        self.name_lost_of_runs(
            "suite error",
            "SELECT run_key, suite_failures - (SELECT count(*) FROM suite_failure s
              WHERE s.project_id = run.project_id AND s.run_id = run.run_id) AS gone,
              suite_failures FROM run WHERE gone > 0 AND reports = (SELECT count(*) FROM report
              WHERE report.project_id = run.project_id AND report.run_id = run.run_id)
              ORDER BY run_key",
        )?;
        let sql = "SELECT run_key FROM run WHERE
            (results, cases, passed, failed, errored, skipped, flaky) IS NOT
            (SELECT sum(r.results), sum(r.cases), sum(r.passed), sum(r.failed), sum(r.errored),
              sum(r.skipped), sum(r.flaky) FROM report r
             WHERE r.project_id = run.project_id AND r.run_id = run.run_id)
            AND reports = (SELECT count(*) FROM report r
             WHERE r.project_id = run.project_id AND r.run_id = run.run_id)";
        for key in self.blobs(sql)? {
            self.find(format!("run {}", hex(&key)), "its sums were wrong; added up anew");
        }
        self.run_all(
            "DELETE FROM run WHERE NOT EXISTS (SELECT 1 FROM report
             WHERE report.project_id = run.project_id AND report.run_id = run.run_id)",
        )?;
        self.run_all(
            "UPDATE run SET (complete, reports, results, cases, passed, failed, errored, skipped, flaky) =
               (SELECT min(complete), count(*), sum(results), sum(cases), sum(passed), sum(failed),
                  sum(errored), sum(skipped), sum(flaky) FROM report
                WHERE report.project_id = run.project_id AND report.run_id = run.run_id),
             started_ms = coalesce(stated_ms, (SELECT min(started_ms) FROM report
                WHERE report.project_id = run.project_id AND report.run_id = run.run_id)),
             suite_failures = (SELECT count(*) FROM suite_failure s
                WHERE s.project_id = run.project_id AND s.run_id = run.run_id)",
        )?;
        Ok(())
    }

    /// Names what is gone by a query for runs, the number that each lacks and that of all it had.
    fn name_lost_of_runs(&mut self, noun: &str, sql: &str) -> Result<()> {
        let short: Vec<(Vec<u8>, i64, i64)> = self
            .connection
            .prepare(sql)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_>>()?;
        for (key, gone, all) in short {
            let problem = match (gone, all) {
                (_, 1) => format!("its only {noun} is lost"),
                (1, _) => format!("1 of its {all} {noun}s is lost"),
                _ if gone == all => format!("all its {all} {noun}s are lost"),
                _ => format!("{gone} of its {all} {noun}s are lost"),
            };
            self.find(format!("run {}", hex(&key)), &problem);
        }
        Ok(())
    }

    /// A run of no build is known by the first of its reports, which may be another one now.
    fn keys(&mut self) -> Result<()> {
        for run in derived::keyed_runs(self.connection)? {
            if run.should.0.as_slice() != run.key {
                let sql = "UPDATE run SET run_key = ?2 WHERE run_id = ?1";
                self.connection.execute(sql, params![run.no, run.should.0])?;
                let problem = format!("known as {} now, as its first report is lost", run.should);
                self.find(format!("run {}", hex(&run.key)), &problem);
            }
        }
        Ok(())
    }

    /// Tests whose class is lost share one that says so.
    fn classes(&mut self) -> Result<()> {
        // No class has this number; a class that is added may have that of one that is lost.
        self.run_all(
            "UPDATE test SET scope_id = 0 WHERE scope_id NOT IN (SELECT scope_id FROM scope)",
        )?;
        let projects: Vec<i64> = self
            .connection
            .prepare("SELECT DISTINCT project_id FROM test WHERE scope_id = 0")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_>>()?;
        for project in projects {
            let key = derived::scope_key("", LOST_CLASS, "");
            let known: Option<i64> = self
                .connection
                .query_row(
                    "SELECT scope_id FROM scope WHERE project_id = ?1 AND scope_key = ?2",
                    params![project, key],
                    |row| row.get(0),
                )
                .optional()?;
            let scope = match known {
                Some(scope) => scope,
                None => {
                    let sql = "INSERT INTO scope (project_id, scope_key, suite, classname, file)
                        VALUES (?1, ?2, '', ?3, '')";
                    self.connection.execute(sql, params![project, key, LOST_CLASS])?;
                    self.connection.last_insert_rowid()
                }
            };
            let sql = "UPDATE test SET scope_id = ?2 WHERE project_id = ?1 AND scope_id = 0";
            let many = self.connection.execute(sql, params![project, scope])?;
            let tests = counted(many as u64, "test");
            self.find("test".to_owned(), &format!("the class of {tests} is lost"));
        }
        Ok(())
    }
}
