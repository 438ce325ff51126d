//! Several writers on one history, as threads and as processes: every ingest succeeds.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use flakedb::model::hash::KeyHasher;
use flakedb::model::{
    Failure, Outcome, PartFacts, Repeat, Report, ReportHash, RunContext, TestId, TestIdentity,
    TestResult, Timestamp,
};
use flakedb::store::query::Window;
use flakedb::store::{Appended, BatchBuilder, OpenMode, ReportMeta, SqliteStore, Store};

const WRITERS: u32 = 8;
const INGESTS: u32 = 25;
const TESTS: u32 = 40;
const CHILD: &str = "FLAKEDB_TEST_WRITER";

fn report(ingest: u32) -> Report {
    let mut report = Report { producer: "pytest", complete: true, ..Report::default() };
    for number in 0..TESTS {
        let name = format!("test_{number}");
        let id = TestId(KeyHasher::new("t").part(name.as_bytes()).finish());
        let identity =
            TestIdentity { id, suite: "s", classname: "c", name: &name, file: "", qualified: true };
        let test = report.tests.intern(&identity).unwrap();
        let bad = number == ingest % TESTS;
        let outcome = if bad { Outcome::Failed } else { Outcome::Passed };
        let failure = bad.then_some(report.failures.len() as u32);
        if bad {
            let message = format!("{name} broke in {ingest}");
            report.failures.push(Failure { message, ..Failure::default() });
        }
        report.counts.add(outcome, false);
        report.results.push(TestResult {
            test,
            variant: None,
            outcome,
            repeat: Repeat::Single,
            duration: None,
            failure,
            attempts: Vec::new().into(),
        });
    }
    report
}

/// One ingest as the command makes it: open, append, close.
fn ingest(path: &Path, writer: u32, number: u32) -> Appended {
    let builder = BatchBuilder::new(Timestamp(1));
    let build = format!("{writer}/{number}");
    let meta = ReportMeta {
        hash: ReportHash::of(build.as_bytes()),
        context: RunContext { project: "p".into(), build: Some(build), ..RunContext::default() },
        source: "junit.xml".into(),
        started: Timestamp(i64::from(number)),
        group: None,
        warnings: 0,
        part: PartFacts::default(),
    };
    builder.add(meta, &report(number)).unwrap();
    let mut store = SqliteStore::open(path, OpenMode::Create).unwrap();
    store.append(&builder.finish()).unwrap()
}

fn write_all(path: &Path, writer: u32) {
    for number in 0..INGESTS {
        assert_eq!(ingest(path, writer, number).runs_new, 1);
    }
}

fn assert_all_there(path: &Path) {
    let store = SqliteStore::open(path, OpenMode::ReadOnly).unwrap();
    let runs = store.runs("p", &Window::default()).unwrap();
    assert_eq!(runs.len(), (WRITERS * INGESTS) as usize);
    let mut results = 0;
    store.fold(&runs, &mut |_, rows| results += rows.len()).unwrap();
    assert_eq!(results, (WRITERS * INGESTS * TESTS) as usize);
    assert_eq!(store.all_tests("p").unwrap().len(), TESTS as usize);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn eight_threads_ingest_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let path = &path;
            scope.spawn(move || write_all(path, writer));
        }
    });
    assert_all_there(&path);
}

#[test]
fn eight_processes_ingest_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let children: Vec<_> = (0..WRITERS)
        .map(|writer| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "store_concurrency::one_writing_process"])
                .env(CHILD, format!("{writer}:{}", path.display()))
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_all_there(&path);
}

/// What each process of the test above runs; on its own it does nothing.
#[test]
fn one_writing_process() {
    let Ok(job) = std::env::var(CHILD) else { return };
    let (writer, path) = job.split_once(':').unwrap();
    write_all(Path::new(path), writer.parse().unwrap());
}
