//! Kills, crowds, files that are no histories, and disks that take nothing.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::command::{Sandbox, finish, project, report};
use flakedb::store::Store as _;
use flakedb::store::query::Window;
use flakedb::store::sqlite::{Journal, OpenMode, SqliteStore};

pub(super) const DB: &str = ".flakedb/history.db";
const REPORTS_PER_RUN: usize = 5;
const CASES_PER_REPORT: usize = 40;

/// One run of several reports that share no test.
pub(super) fn write_run(sandbox: &Sandbox, folder: &str) {
    for part in 0..REPORTS_PER_RUN {
        let names: Vec<String> =
            (0..CASES_PER_REPORT).map(|case| format!("test_{part}_{case}")).collect();
        let cases: Vec<(&str, char)> = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), if at % 7 == 0 { 'F' } else { '.' }))
            .collect();
        sandbox.write(&format!("{folder}/part-{part}.xml"), report(&cases));
    }
}

pub(super) fn ingest_arguments(folder: &str, build: &str) -> Vec<String> {
    ["ingest", folder, "--project", "p", "--revision", "r", "--build", build]
        .map(str::to_owned)
        .to_vec()
}

/// How changes to a history become permanent.
pub(super) fn journal(path: &Path) -> Journal {
    SqliteStore::open(path, OpenMode::ReadOnly).unwrap().info().unwrap().journal
}

/// The builds in the history, each with its number of reports and cases.
pub(super) fn builds(db: &Path) -> Vec<(String, u32, u64)> {
    let store = SqliteStore::open(db, OpenMode::ReadOnly).unwrap();
    store
        .runs("p", &Window::default())
        .unwrap()
        .into_iter()
        .map(|run| (run.build.unwrap(), run.reports, run.counts.cases))
        .collect()
}

#[test]
fn fifty_kills_lose_nothing_acknowledged_and_leave_nothing_half_written() {
    let sandbox = Sandbox::new();
    write_run(&sandbox, "reports");
    let mut acknowledged = BTreeSet::new();
    // The time of a whole ingest tells where in it a kill can land.
    let started = std::time::Instant::now();
    sandbox.run(&ingest_arguments("reports", "whole")).exits(0);
    let whole = started.elapsed().max(Duration::from_millis(4));
    acknowledged.insert("whole".to_owned());
    for round in 0..50_u32 {
        let build = format!("build-{round}");
        let mut command = sandbox.command(&ingest_arguments("reports", &build));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(whole.mul_f64(f64::from(round * 29 % 50) / 40.0));
        let _ = child.kill();
        if child.wait().unwrap().success() {
            acknowledged.insert(build);
        }
    }
    sandbox.run(&["db", "check"]).exits(0);
    let found = builds(&sandbox.path(DB));
    for (build, reports, cases) in &found {
        assert_eq!(*reports as usize, REPORTS_PER_RUN, "{build} is half there");
        assert_eq!(*cases as usize, REPORTS_PER_RUN * CASES_PER_REPORT, "{build} is half there");
    }
    let found: BTreeSet<String> = found.into_iter().map(|(build, ..)| build).collect();
    let lost: Vec<&String> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(found.len() < 51, "no kill ever landed in time");
}

#[test]
fn eight_writers_with_twenty_five_ingests_each_all_succeed() {
    let sandbox = Sandbox::new();
    for writer in 0..8 {
        sandbox.write(
            &format!("reports/{writer}.xml"),
            report(&[("test_a", '.'), (&format!("test_{writer}"), 'F')]),
        );
    }
    thread::scope(|scope| {
        for writer in 0..8 {
            let sandbox = &sandbox;
            scope.spawn(move || {
                for round in 0..25 {
                    let file = format!("reports/{writer}.xml");
                    let build = format!("{writer}-{round}");
                    sandbox.run(&ingest_arguments(&file, &build)).exits(0);
                }
            });
        }
    });
    sandbox.run(&["db", "check"]).exits(0);
    let found = builds(&sandbox.path(DB));
    assert_eq!(found.len(), 200);
    assert!(found.iter().all(|(_, reports, cases)| (*reports, *cases) == (1, 2)));
    assert_eq!(journal(&sandbox.path(DB)), Journal::WriteAhead);
}

#[test]
fn a_file_that_is_no_history_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", '.')]));
    let text = sandbox.write("text.db", "these are not the bytes of a database, but many of them");
    let foreign = sandbox.path("foreign.db");
    sandbox.write("folder.db/x", "");
    let connection = rusqlite::Connection::open(&foreign).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);").unwrap();
    drop(connection);
    for (name, word) in
        [("text.db", "database"), ("foreign.db", "another program"), ("folder.db", "folder.db")]
    {
        let before = std::fs::read(sandbox.path(name)).ok();
        for arguments in [vec!["ingest", "r.xml", "--db", name], vec!["report", "--db", name]] {
            let said = sandbox.run(&arguments).exits(4);
            assert!(said.stderr.contains(name), "{said:?}");
            assert!(said.stderr.contains(word), "{said:?}");
            assert_eq!(std::fs::read(sandbox.path(name)).ok(), before, "{name} was changed");
        }
    }
    assert!(text.exists());
}

#[test]
fn a_newer_history_is_refused_and_says_so() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", '.')]));
    sandbox.run(&["ingest", "r.xml"]).exits(0);
    let connection = rusqlite::Connection::open(sandbox.path(DB)).unwrap();
    connection.pragma_update(None, "user_version", 4_000).unwrap();
    drop(connection);
    for arguments in [vec!["ingest", "r.xml"], vec!["report"]] {
        let said = sandbox.run(&arguments).exits(4);
        assert!(said.stderr.contains("upgrade flakedb"), "{said:?}");
    }
}

#[test]
fn a_damaged_history_is_found_by_check() {
    let sandbox = Sandbox::new();
    write_run(&sandbox, "reports");
    for build in ["1", "2", "3", "4"] {
        sandbox.run(&ingest_arguments("reports", build)).exits(0);
    }
    let path = sandbox.path(DB);
    let mut bytes = std::fs::read(&path).unwrap();
    // The first page stays, so that the file still says what it is.
    for byte in bytes.iter_mut().skip(8_192) {
        *byte ^= 0x5a;
    }
    std::fs::write(&path, bytes).unwrap();
    let said = sandbox.run(&["db", "check"]);
    assert!([1, 4].contains(&said.code), "{said:?}");
    assert!(!said.stderr.contains("panicked"), "{said:?}");
}

/// Drops root's privileges, for which nothing is read-only.
#[cfg(unix)]
fn as_nobody(command: &mut std::process::Command) {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::CommandExt as _;
    if std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        command.uid(65_534).gid(65_534);
    }
}

#[cfg(unix)]
#[test]
fn a_read_only_history_can_be_read_and_not_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", '.'), ("b", 'F')]));
    sandbox.run(&["ingest", "r.xml", "--build", "1"]).exits(0);
    let set = |name: &str, mode: u32| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(sandbox.path(name), permissions).unwrap();
    };
    // Another user needs to reach the binary, which may stand in a private directory.
    let binary = sandbox.path("flakedb");
    // By a process of its own: a child of another test would inherit a file that is open for writing,
    // which cannot be run.
    let copied =
        std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_flakedb")).arg(&binary).status();
    assert!(copied.unwrap().success());
    for (name, mode) in [("", 0o755), ("flakedb", 0o755), ("r.xml", 0o444), (DB, 0o444)] {
        set(name, mode);
    }
    set(".flakedb", 0o555);
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&binary);
        command.args(arguments).current_dir(sandbox.path("")).env_clear();
        as_nobody(&mut command);
        finish(command)
    };
    let said = run(&["report", "--format", "json"]);
    let refused = run(&["ingest", "r.xml", "--build", "2"]);
    set(".flakedb", 0o755);
    assert_eq!(said.exits(0).json()["tests"].as_array().unwrap().len(), 1);
    let refused = refused.exits(4);
    assert!(refused.stderr.contains("history.db"), "{refused:?}");
    assert_eq!(builds_of_all(&sandbox), 1);
}

fn builds_of_all(sandbox: &Sandbox) -> usize {
    let store = SqliteStore::open(&sandbox.path(DB), OpenMode::ReadOnly).unwrap();
    let projects = store.projects().unwrap();
    projects.iter().map(|project| project.runs as usize).sum()
}

#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing_that_was_there() {
    let sandbox = Sandbox::new();
    write_run(&sandbox, "reports");
    sandbox.run(&ingest_arguments("reports", "1")).exits(0);
    let size = std::fs::metadata(sandbox.path(DB)).unwrap().len();
    let many: Vec<String> = (0..30_000).map(|at| format!("test_{at}_{}", at * 7919)).collect();
    let cases: Vec<(&str, char)> = many.iter().map(|name| (name.as_str(), '.')).collect();
    sandbox.write("large.xml", report(&cases));
    // The largest file that the process may write, in kibibytes: a disk with no room left.
    let script = format!(
        "trap '' XFSZ; ulimit -f {}; exec '{}' ingest large.xml --project p --build 2",
        size / 1024 + 64,
        env!("CARGO_BIN_EXE_flakedb")
    );
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &script]).current_dir(sandbox.path(""));
    let said = finish(command).exits(4);
    assert!(said.stderr.contains("history.db"), "{said:?}");
    sandbox.run(&["db", "check"]).exits(0);
    assert_eq!(builds(&sandbox.path(DB)).len(), 1);
    sandbox.run(&["ingest", "large.xml", "--project", "p", "--build", "2"]).exits(0);
    assert_eq!(builds(&sandbox.path(DB)).len(), 2);
}

#[test]
fn a_reader_of_an_older_schema_goes_on_while_a_writer_upgrades_the_file() {
    for older in ["schema-1.db", "schema-2.db"] {
        let sandbox = Sandbox::new();
        std::fs::copy(project("fixtures/db").join(older), sandbox.path("old.db")).unwrap();
        let reader = SqliteStore::open(&sandbox.path("old.db"), OpenMode::ReadOnly).unwrap();
        let before = reader.contents().unwrap();
        sandbox.write("r.xml", report(&[("a", '.'), ("b", 'F')]));
        sandbox.run(&["ingest", "r.xml", "--db", "old.db", "--project", "new"]).exits(0);
        let upgraded = SqliteStore::open(&sandbox.path("old.db"), OpenMode::ReadOnly).unwrap();
        assert_eq!(upgraded.info().unwrap().schema, flakedb::store::sqlite::SCHEMA);
        let after = reader.contents().unwrap();
        assert_eq!(after, upgraded.contents().unwrap());
        assert!(before.0.iter().all(|line| after.0.contains(line)));
        assert_eq!(reader.check().unwrap(), []);
    }
}
