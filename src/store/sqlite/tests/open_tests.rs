//! Files as others left them: with odd logs, older, planted, written to while they are read.

use super::*;
use crate::store::sqlite::open::{beside, with_ending};

#[cfg(unix)]
#[test]
fn a_log_that_cannot_be_opened_matters_only_where_something_is_in_it() {
    let mut place = place();
    // Signs that act in the name by which the engine is told that nobody writes.
    let folder = place.path.with_file_name("a b%41?c#d");
    fs::create_dir(&folder).unwrap();
    place.path = folder.join("history.db");
    filled(&place);
    let log = folder.join("log");
    fs::write(&log, "").unwrap();
    // The engine follows no link to a log.
    std::os::unix::fs::symlink(&log, with_ending(&place.path, "-wal")).unwrap();
    let store = SqliteStore::open(&place.path, OpenMode::ReadOnly).unwrap();
    assert_eq!(store.runs("p", &Window::default()).unwrap().len(), 40);
    drop(store);
    fs::write(&log, "what never came into the file").unwrap();
    let refused = failed_to_open(&place.path, OpenMode::ReadOnly);
    assert!(matches!(refused, StoreError::Unclean { .. }), "{refused}");
}

#[test]
fn a_history_gets_a_log_only_where_one_works_beside_it() {
    let [with, without] = [place(), place()];
    assert_eq!(create(&with).info().unwrap().journal, Journal::WriteAhead);
    // The file in which a log is tried cannot be made.
    fs::create_dir(beside(&without.path, "probe")).unwrap();
    assert_eq!(create(&without).info().unwrap().journal, Journal::Rollback);
}

#[test]
fn a_trigger_that_somebody_planted_never_runs() {
    let place = place();
    drop(create(&place));
    let raw = Connection::open(&place.path).unwrap();
    let planted = "CREATE TRIGGER planted AFTER INSERT ON test BEGIN DELETE FROM run; END";
    raw.execute_batch(planted).unwrap();
    drop(raw);
    let mut store = SqliteStore::open(&place.path, OpenMode::ReadWrite).unwrap();
    append(&mut store, vec![(meta(Some("1"), 10, "a"), report(".F"))]);
    assert_eq!(strip(&store, 0), ".F");
}

#[test]
fn pages_take_sixteen_mebibytes_of_memory_at_most() {
    let place = place();
    let store = create(&place);
    let size: i64 = store.connection.query_row("PRAGMA cache_size", [], |row| row.get(0)).unwrap();
    // What is below zero is in KiB, by the engine's documentation; else it is a number of pages.
    assert_eq!(size, -16 * 1_024);
}

#[test]
fn an_older_history_is_read_and_copied_as_it_is() {
    for older in 1..SCHEMA {
        let place = place();
        let fixture = format!("fixtures/db/schema-{older}.db");
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture), &place.path).unwrap();
        let store = SqliteStore::open(&place.path, OpenMode::ReadOnly).unwrap();
        assert_eq!(store.check().unwrap(), []);
        let before = store.contents().unwrap();
        let copy = place.path.with_file_name("copy.db");
        store.backup(&copy).unwrap();
        assert_eq!(store.contents().unwrap(), before);
        let copied = SqliteStore::open(&copy, OpenMode::ReadOnly).unwrap();
        assert_eq!(copied.info().unwrap().schema, older);
        assert_eq!(copied.contents().unwrap(), before);
    }
}

#[test]
fn tests_that_come_while_runs_are_read_are_no_damage() {
    // The runs that are read have the last test of the history, or one before it.
    for before in [".", ".."] {
        let place = place();
        let mut writer = create(&place);
        for (build, started, outcomes) in [("0", 5, before), ("1", 10, "."), ("2", 20, ".")] {
            append(&mut writer, vec![(meta(Some(build), started, build), report(outcomes))]);
        }
        let reader = SqliteStore::open(&place.path, OpenMode::ReadOnly).unwrap();
        let runs = reader.runs("p", &Window::default()).unwrap();
        let mut tests = Vec::new();
        reader
            .fold(&runs[1..], &mut |_, rows| {
                tests.push(rows.len());
                if tests.len() == 1 {
                    append(&mut writer, vec![(meta(Some("2"), 30, "more"), report("...."))]);
                }
            })
            .unwrap();
        assert_eq!(tests, [1, 4]);
    }
}
