//! `db repair` on files as they come from bad disks.

use flakedb::store::sqlite::{OpenMode, SqliteStore};

use crate::command::Sandbox;
use crate::history::{DB, builds, ingest_arguments, write_run};

const PAGE: usize = 16_384;

/// A history of some runs, and where its pages of some kind are.
fn damaged(place: impl Fn(&[u8]) -> usize) -> Sandbox {
    let sandbox = Sandbox::new();
    write_run(&sandbox, "reports");
    for build in 0..12 {
        sandbox.run(&ingest_arguments("reports", &build.to_string())).exits(0);
    }
    let mut bytes = std::fs::read(sandbox.path(DB)).unwrap();
    let at = place(&bytes);
    bytes[at..at + PAGE].fill(0x5a);
    std::fs::write(sandbox.path(DB), bytes).unwrap();
    sandbox
}

/// Whatever stands in the last page.
fn last(bytes: &[u8]) -> usize {
    bytes.len() - PAGE
}

#[test]
fn check_finds_repair_says_what_it_would_do_and_then_does_it() {
    let sandbox = damaged(last);
    let said = sandbox.run(&["db", "check"]);
    assert!([1, 4].contains(&said.code), "{said:?}");
    assert!(said.stderr.contains("flakedb db repair"), "{said:?}");
    let damaged = std::fs::read(sandbox.path(DB)).unwrap();

    let dry = sandbox.run(&["db", "repair", "--dry-run", "--format", "json"]);
    assert!([0, 1].contains(&dry.code), "{dry:?}");
    let dry = dry.json();
    assert_eq!(dry["schema"], "flakedb.db-repair.v1");
    assert_eq!(dry["written"], serde_json::Value::Null);
    assert!(std::fs::read(sandbox.path(DB)).unwrap() == damaged, "it was changed");

    let aside = sandbox.run(&["db", "repair", "--to", "new.db", "--format", "json"]).json();
    assert_eq!(aside["kept"], dry["kept"]);
    assert_eq!(aside["written"], "new.db");
    assert!(std::fs::read(sandbox.path(DB)).unwrap() == damaged, "it was changed");
    sandbox.run(&["db", "check", "--db", "new.db"]).exits(0);

    let said = sandbox.run(&["db", "repair"]);
    assert!(
        said.stdout.contains("the damaged file is now .flakedb/history.db.damaged-1"),
        "{said:?}"
    );
    // But for its header, which says how it is logged.
    let kept = std::fs::read(sandbox.path(".flakedb/history.db.damaged-1")).unwrap();
    assert!(kept[100..] == damaged[100..], "the damaged file was changed");
    let names = std::fs::read_dir(sandbox.path(".flakedb")).unwrap().count();
    assert_eq!(names, 3, "the history, the damaged one and .gitignore");
    sandbox.run(&["db", "check"]).exits(0);
    let again = sandbox.run(&["db", "repair"]).exits(0);
    assert!(again.stdout.contains("whole, nothing to repair"), "{again:?}");
    sandbox.run(&ingest_arguments("reports", "next")).exits(0);
    assert!(builds(&sandbox.path(DB)).iter().any(|(build, ..)| build == "next"));
}

#[test]
fn a_history_without_a_header_is_repaired_from_its_pages() {
    let sandbox = damaged(|_| 0);
    sandbox.run(&["report"]).exits(4);
    let said = sandbox.run(&["db", "repair"]).exits(1);
    assert!(said.stdout.contains("12 runs, 60 reports, 2400 results, 200 tests"), "{said:?}");
    sandbox.run(&["db", "check"]).exits(0);
    assert_eq!(builds(&sandbox.path(DB)).len(), 12);
}

#[test]
fn what_is_in_use_is_not_repaired() {
    let sandbox = damaged(last);
    let reader = SqliteStore::open(&sandbox.path(DB), OpenMode::ReadOnly).unwrap();
    let held = reader.info();
    let said = sandbox.run(&["db", "repair"]);
    drop(held);
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.stderr.contains("locked by another process"), "{said:?}");
    drop(reader);
    let said = sandbox.run(&["db", "repair"]);
    assert!([0, 1].contains(&said.code), "{said:?}");
}

#[test]
fn another_programs_file_is_left_alone() {
    let sandbox = Sandbox::new();
    let raw = rusqlite::Connection::open(sandbox.path("theirs.db")).unwrap();
    raw.execute_batch("PRAGMA application_id = 5; CREATE TABLE t (x);").unwrap();
    drop(raw);
    let before = std::fs::read(sandbox.path("theirs.db")).unwrap();
    let said = sandbox.run(&["db", "repair", "--db", "theirs.db"]).exits(4);
    assert!(said.stderr.contains("another program"), "{said:?}");
    assert_eq!(std::fs::read(sandbox.path("theirs.db")).unwrap(), before);
    sandbox.run(&["db", "repair", "--db", "missing.db"]).exits(4);
}
