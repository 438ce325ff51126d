//! Histories from elsewhere: a file that is damaged, or made to do harm, is refused or read, and
//! what is merged out of it leaves the own history whole.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use flakedb::junit::{ReadOptions, read};
use flakedb::model::{PartFacts, ReportHash, RunContext, Timestamp};
use flakedb::store::query::Window;
use flakedb::store::segment::Encoder;
use flakedb::store::{BatchBuilder, OpenMode, ReportMeta, SqliteStore, Store as _};
use rusqlite::{Connection, params};

/// The project of the history that is edited.
pub(crate) const PROJECT: &str = "acme/shop";
/// Runs in it.
const RUNS: i64 = 8;
/// Small, so that a change of a few bytes hits something.
const PAGE_BYTES: u32 = 1024;

/// Columns that an edit may set; texts, numbers and blobs alike.
const COLUMNS: &[(&str, &str)] = &[
    ("run", "started_ms"),
    ("run", "attempt"),
    ("run", "variant_id"),
    ("run", "project_id"),
    ("run", "cases"),
    ("run", "failed"),
    ("run", "reports"),
    ("run", "url"),
    ("run", "build"),
    ("run", "stated_ms"),
    ("run", "revision_id"),
    ("run", "branch_id"),
    ("run", "suite_failures"),
    ("report", "run_id"),
    ("report", "results"),
    ("report", "cases"),
    ("report", "nameless"),
    ("report", "producer"),
    ("report", "warnings"),
    ("report", "started_ms"),
    ("report", "segment"),
    ("report", "workers"),
    ("report", "worker"),
    ("report", "shard"),
    ("report", "content_hash"),
    ("report", "project_id"),
    ("report", "flaky"),
    ("report", "passed"),
    ("report", "failed"),
    ("test", "name"),
    ("test", "identity"),
    ("test", "scope_id"),
    ("test", "first_seen_ms"),
    ("scope", "classname"),
    ("scope", "suite"),
    ("scope", "file"),
    ("scope", "scope_key"),
    ("failure", "body"),
    ("failure", "message"),
    ("failure", "identity"),
    ("failure", "kind"),
    ("failure", "signature"),
    ("variant", "name"),
    ("project", "name"),
    ("branch", "name"),
    ("bad", "test_id"),
    ("bad", "failure_id"),
    ("bad", "attempt"),
    ("bad", "outcome"),
    ("suite_failure", "failure_id"),
    ("suite_failure", "suite"),
];

/// What somebody who means harm puts into a file.
pub(crate) const PLANTED: &[&str] = &[
    "CREATE TRIGGER planted AFTER INSERT ON test BEGIN DELETE FROM run; END",
    "CREATE TRIGGER planted BEFORE INSERT ON run BEGIN SELECT RAISE(ABORT, 'no'); END",
    "CREATE TRIGGER planted AFTER UPDATE ON run BEGIN UPDATE run SET cases = 0; END",
    "ALTER TABLE report RENAME TO hidden; CREATE VIEW report AS WITH RECURSIVE n(x) AS \
     (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT hidden.* FROM hidden, n",
    "ALTER TABLE test RENAME TO hidden; CREATE VIEW test AS SELECT * FROM hidden",
    "CREATE INDEX planted ON test (replace(hex(zeroblob(100)), '0', name))",
    "DROP TABLE failure",
    "DROP VIEW run_readable; ALTER TABLE run DROP COLUMN url",
    "ALTER TABLE test ADD COLUMN planted TEXT GENERATED ALWAYS AS (hex(zeroblob(1000))) VIRTUAL",
    "PRAGMA application_id = 1",
    "PRAGMA user_version = 99",
    "PRAGMA user_version = 1",
    "DELETE FROM scope",
    "DELETE FROM variant",
    "PRAGMA encoding = 'UTF-16'",
];

/// The bytes of a file, or edits of a history that is whole.
pub(crate) fn check(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    match bytes.split_first() {
        Some((0xff, raw)) => fs::write(&path, [b"SQLite format 3\0", raw].concat()).unwrap(),
        Some(_) => {
            copy_seed(&path);
            Edits(bytes).apply(&path);
        }
        None => return,
    }
    holds(&path, folder.path());
}

/// Not by one call of the system, which the fuzzer's alarm may interrupt.
fn copy_seed(path: &Path) {
    fs::write(path, fs::read(seed()).unwrap()).unwrap();
}

/// What holds for the file of somebody else.
pub(crate) fn holds(theirs: &Path, folder: &Path) {
    let before = fs::read(theirs).unwrap();
    let own = folder.join("own.db");
    copy_seed(&own);
    let mut store = SqliteStore::open(&own, OpenMode::ReadWrite).unwrap();
    let ours = store.contents().unwrap();
    let merged = store.merge_from(theirs);
    assert_eq!(store.check().unwrap(), [], "what was merged did harm: {merged:?}");
    // What was here is still here, whatever came.
    let runs = store.runs(PROJECT, &Window::default()).unwrap();
    assert!(runs.len() >= RUNS as usize, "runs were lost");
    // Runs and reports may have got what they lacked; what failed, and why, stands.
    let now = store.contents().unwrap();
    let stands =
        |line: &&String| ["failure", "bad", "suite"].iter().any(|word| line.starts_with(word));
    for line in ours.0.iter().filter(stands) {
        assert!(now.0.binary_search(line).is_ok(), "lost: {line}");
    }
    drop(store);
    if let Ok(store) = SqliteStore::open(theirs, OpenMode::ReadOnly) {
        read_through(&store);
        let whole = store.check().is_ok_and(|findings| findings.is_empty());
        if whole {
            let mut fresh = SqliteStore::open(&folder.join("fresh.db"), OpenMode::Create).unwrap();
            // Whole or with a message; never half a report.
            let _ = fresh.merge_from(theirs);
            assert_eq!(fresh.check().unwrap(), []);
        }
    }
    // Reading may replay a log that was left; nothing else of the file changes.
    if !theirs.with_extension("db-wal").exists() && before == fs::read(theirs).unwrap() {
        return;
    }
    panic!("a file that was only read was changed");
}

/// Every question that commands ask.
fn read_through(store: &SqliteStore) {
    let _ = store.info();
    let _ = store.contents();
    let Ok(projects) = store.projects() else { return };
    for project in projects {
        let Ok(runs) = store.runs(&project.name, &Window::default()) else { continue };
        let _ = store.fold(&runs, &mut |place, rows| {
            assert!(place < runs.len());
            let _ = rows.len();
        });
        let tests = store.all_tests(&project.name).unwrap_or_default();
        let numbers: Vec<_> = tests.iter().map(|test| test.no).collect();
        let _ = store.tests(&numbers);
        let _ = store.producers(&numbers);
        let _ = store.modules(&project.name);
        let _ = store.bad_tests(&project.name, &runs);
        let bad = store.bad_results(&project.name, &runs, None).unwrap_or_default();
        let failures: Vec<_> = bad.iter().filter_map(|row| row.failure).collect();
        let _ = store.failures(&failures);
        let request = flakedb::ops::judge::JudgeRequest {
            project: project.name.clone(),
            ..Default::default()
        };
        let _ = flakedb::ops::judge::judge(store, &request, &[], &flakedb::ops::Unwatched);
    }
}

/// A stream of edits.
struct Edits<'a>(&'a [u8]);

impl Edits<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, [].as_slice()), |(b, rest)| (*b, rest));
        self.0 = rest;
        first
    }

    fn number(&mut self) -> i64 {
        match self.byte() {
            0 => i64::MAX,
            1 => i64::MIN,
            2 => i64::from(u32::MAX),
            3 => -1,
            small => i64::from(small) - 4,
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken.to_vec()
    }

    fn apply(&mut self, path: &Path) {
        while let Some((&kind, rest)) = self.0.split_first() {
            self.0 = rest;
            match kind % 8 {
                0 | 1 => self.patch(path),
                2 => {
                    let length = u16::from_le_bytes([self.byte(), self.byte()]);
                    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
                    file.set_len(u64::from(length) * 8).unwrap();
                }
                3 => {
                    let planted = PLANTED[usize::from(self.byte()) % PLANTED.len()];
                    let _ = sql(path, |connection| connection.execute_batch(planted));
                }
                4 => self.segment(path),
                _ => self.column(path),
            }
        }
    }

    /// Other bytes at a place of the file.
    fn patch(&mut self, path: &Path) {
        let place = usize::from(u16::from_le_bytes([self.byte(), self.byte()])) * 4;
        let count = usize::from(self.byte() % 8) + 1;
        let new = self.take(count);
        let mut bytes = fs::read(path).unwrap();
        let length = bytes.len().max(1);
        for (at, byte) in new.into_iter().enumerate() {
            if let Some(old) = bytes.get_mut((place + at) % length) {
                *old = byte;
            }
        }
        fs::write(path, bytes).unwrap();
    }

    /// Another value in one column, of one row or of all.
    fn column(&mut self, path: &Path) {
        let (table, column) = COLUMNS[usize::from(self.byte()) % COLUMNS.len()];
        let (row, kind) = (self.byte(), self.byte());
        let number_of_row = match table {
            "bad" => "test_id".to_owned(),
            "suite_failure" => "place".to_owned(),
            table => format!("{table}_id"),
        };
        let which = match row % 4 {
            0 => String::new(),
            _ => format!(" WHERE {number_of_row} % 7 = {}", row % 7),
        };
        let count = usize::from(self.byte() % 40);
        let number = self.number();
        let bytes = self.take(count);
        let statement = format!("UPDATE {table} SET {column} = ?1{which}");
        let _ = sql(path, |connection| match kind % 4 {
            0 => connection.execute(&statement, [number]),
            1 => connection.execute(&statement, [String::from_utf8_lossy(&bytes)]),
            2 => connection.execute(&statement, [bytes.as_slice()]),
            _ => connection.execute(&statement, [rusqlite::types::Null]),
        });
    }

    /// A segment with a checksum that holds, of numbers and a body that may not.
    fn segment(&mut self, path: &Path) {
        let row = i64::from(self.byte()) % RUNS + 1;
        let tests: Vec<u32> = (0..self.byte() % 24).map(|_| self.number() as u32).collect();
        let failures: Vec<u32> = (0..self.byte() % 6).map(|_| self.number() as u32).collect();
        let count = usize::from(self.byte());
        let body = self.take(count);
        let _ = sql(path, |connection| {
            let known: Vec<u8> = connection.query_row(
                "SELECT segment FROM report WHERE report_id = ?1",
                [row],
                |row| row.get(0),
            )?;
            // Half of them keep a body that is right, so that only numbers are wrong.
            let right = flakedb::store::segment::split(&known).map(|parts| parts.body.to_vec());
            let body = if count % 2 == 0 { right.unwrap_or_default() } else { body };
            let segment = Encoder::default().segment(&tests, &failures, &body);
            connection.execute(
                "UPDATE report SET segment = ?1 WHERE report_id = ?2",
                params![segment, row],
            )
        });
    }
}

/// Runs a step on a file as somebody does who does not care.
pub(crate) fn sql<T>(
    path: &Path,
    step: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let connection = Connection::open(path)?;
    let _ = connection.pragma_update(None, "ignore_check_constraints", true);
    let _ = connection.pragma_update(None, "foreign_keys", false);
    let _ = connection.pragma_update(None, "synchronous", "OFF");
    step(&connection)
}

/// A small history that is whole, made once for each process.
pub(crate) fn seed() -> &'static Path {
    static SEED: OnceLock<tempfile::TempDir> = OnceLock::new();
    static PATH: OnceLock<std::path::PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let folder = SEED.get_or_init(|| tempfile::tempdir().unwrap());
        let path = folder.path().join("seed.db");
        write(&path);
        path
    })
}

fn write(path: &Path) {
    let builder = BatchBuilder::new(Timestamp(1_795_000_000_000));
    for number in 0..RUNS {
        let xml = report(number);
        let reading = read(xml.as_bytes(), &ReadOptions::default());
        let meta = ReportMeta {
            hash: ReportHash::of(xml.as_bytes()),
            context: RunContext {
                project: PROJECT.into(),
                revision: Some(format!("r{}", number / 2)),
                branch: Some("main".into()),
                build: Some(number.to_string()),
                url: Some(format!("https://ci.example/{number}")),
                variant: format!("os={}", ["linux", "mac"][number as usize % 2]).parse().unwrap(),
                ..RunContext::default()
            },
            source: format!("reports/{number}.xml"),
            started: Timestamp(1_795_000_000_000 + number * 3_600_000),
            group: None,
            warnings: 0,
            part: PartFacts::default(),
        };
        builder.add(meta, &reading.report).unwrap();
    }
    let mut store = SqliteStore::open(path, OpenMode::Create).unwrap();
    store.append(&builder.finish()).unwrap();
    drop(store);
    let connection = Connection::open(path).unwrap();
    let batch = format!("PRAGMA journal_mode = DELETE; PRAGMA page_size = {PAGE_BYTES}; VACUUM;");
    connection.execute_batch(&batch).unwrap();
}

/// Ten tests, one of which recovers by a retry now and then, and one that is broken in the end.
fn report(number: i64) -> String {
    let mut xml = format!("<testsuites><testsuite name='s' hostname='h{number}'>");
    for test in 0..10 {
        let long = format!("at line {number} of {}", "frame ".repeat(40));
        let inside = match (test, number) {
            (3, 2 | 5) => format!("<flakyFailure message='late'>{long}</flakyFailure>"),
            (7, 4) => format!("<failure type='T' message='once &lt;{number}&gt;'>{long}</failure>"),
            (8, 5..) => "<error message='gone'/>".to_owned(),
            (9, _) => "<skipped/>".to_owned(),
            _ => String::new(),
        };
        xml += &format!(
            "<testcase classname='shop.{}' name='t{test}' file='shop/a.py' time='0.{test}'>{inside}</testcase>",
            test % 3
        );
    }
    if number == 6 {
        xml += "<system-err>x</system-err><error message='suite'/>";
    }
    xml + "</testsuite></testsuites>"
}
