//! The steps of a repair, one by one; what becomes of whole files is tested beside the store.

use super::*;

fn repaired(folder: &tempfile::TempDir) -> Repaired {
    let path = folder.path().join("fresh.db");
    let kept = SqliteStore::open(&path, OpenMode::Create).unwrap().info().unwrap();
    Repaired { kept, lost: Vec::new() }
}

#[test]
fn a_log_that_nobody_could_read_is_named_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let named = |held: Option<&Connection>| {
        let mut repaired = repaired(&folder);
        name_log(&path, held, &mut repaired);
        repaired.lost.into_iter().map(|finding| finding.place).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(named(None), none);
    fs::write(log_of(&path), "").unwrap();
    assert_eq!(named(None), none);
    fs::write(log_of(&path), "pages").unwrap();
    assert_eq!(named(None), ["log"]);
    let held = Connection::open_in_memory().unwrap();
    assert_eq!(named(Some(&held)), none);
}

#[test]
fn a_schema_that_no_flakedb_will_have_is_damage_and_no_later_flakedb() {
    let refused = |version: u32| {
        let mut head = b"SQLite format 3\0".to_vec();
        head.resize(HEADER_BYTES, 0);
        head[60..64].copy_from_slice(&version.to_be_bytes());
        head[68..72].copy_from_slice(&APPLICATION_ID.to_be_bytes());
        refuse_header(Path::new("a.db"), &head)
    };
    assert!(refused(SCHEMA).is_ok());
    assert!(matches!(refused(SCHEMA + 1), Err(StoreError::Newer { .. })));
    assert!(matches!(refused(999), Err(StoreError::Newer { found: 999, .. })));
    assert!(refused(1_000).is_ok());
}

#[test]
fn a_history_is_one_file_without_a_log_and_without_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    assert!(is_one_file("delete", &path));
    assert!(!is_one_file("wal", &path));
    for ending in ["-wal", "-journal"] {
        let beside = with_ending(&path, ending);
        fs::write(&beside, "").unwrap();
        assert!(!is_one_file("delete", &path), "{ending}");
        fs::remove_file(&beside).unwrap();
    }
}

#[test]
fn a_bare_name_stands_in_the_present_folder() {
    assert_eq!(folder_of(Path::new("a/b/history.db")), Path::new("a/b"));
    assert_eq!(folder_of(Path::new("history.db")), Path::new("."));
}
