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

/// Changes the file and leaves it so, with a journal that says what it was before.
fn half_changed(place: &Place) {
    let open = place.path.with_file_name("open.db");
    fs::copy(&place.path, &open).unwrap();
    let raw = Connection::open(&open).unwrap();
    // Pages that do not fit into memory are written before the commit.
    let change = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN; DELETE FROM report";
    raw.execute_batch(change).unwrap();
    for ending in ["", "-journal"] {
        fs::copy(with_ending(&open, ending), with_ending(&place.path, ending)).unwrap();
    }
}

#[test]
fn a_change_that_was_cut_off_is_undone_by_whoever_opens_next() {
    for mode in [OpenMode::ReadOnly, OpenMode::ReadWrite, OpenMode::Create] {
        let place = place();
        let before = filled(&place);
        half_changed(&place);
        assert_ne!(fs::read(&place.path).unwrap(), before);
        let store = SqliteStore::open(&place.path, mode).unwrap();
        assert_eq!(store.check().unwrap(), []);
        assert_eq!(store.info().unwrap().reports, 40);
    }
}

#[cfg(unix)]
#[test]
fn a_change_that_was_cut_off_and_cannot_be_undone_is_not_read() {
    let place = place();
    filled(&place);
    half_changed(&place);
    // The engine follows no link to a journal.
    let (journal, elsewhere) =
        (with_ending(&place.path, "-journal"), place.path.with_file_name("elsewhere"));
    fs::rename(&journal, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &journal).unwrap();
    let refused = failed_to_open(&place.path, OpenMode::ReadOnly);
    assert!(matches!(refused, StoreError::Unclean { .. }), "{refused}");
    assert!(refused.to_string().contains("-journal file"), "{refused}");
}

#[test]
fn a_history_gets_a_log_only_where_one_works_beside_it() {
    let [with, without] = [place(), place()];
    // The file in which a log is tried cannot be made.
    fs::create_dir(beside(&without.path, "probe")).unwrap();
    let open = |place: &Place| SqliteStore::open(&place.path, OpenMode::Create).unwrap();
    let journals = |place: &Place| [(); 3].map(|()| open(place).info().unwrap().journal);
    let (log, none) = (Journal::WriteAhead, Journal::Rollback);
    assert_eq!(journals(&with), [none, log, log], "a new one is written without");
    assert_eq!(journals(&without), [none; 3]);
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
