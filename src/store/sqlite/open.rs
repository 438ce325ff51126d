//! Opening a history: which file it is, how it may be used, and what the file system allows.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::{explain, is_busy, is_denied, is_full};
use super::schema::{self, Mark, PAGE_BYTES, SCHEMA};
use crate::store::StoreError;

/// The first bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Pause before trying again what the engine's own waiting does not cover.
const RETRY_PAUSE: Duration = Duration::from_millis(20);
/// What one try may wait: once in the engine and once here.
const TRY_MS: u64 = 40;
/// Statements kept ready: a few more than the crate has.
const STATEMENTS_KEPT: usize = 64;
/// The log is flushed at every commit, so that an acknowledged ingest survives a loss of power; it
/// costs one flush an ingest. Unit tests make thousands of files and lose no power.
const SYNCHRONOUS: &str = if cfg!(test) { "OFF" } else { "FULL" };
/// Most memory for pages, in KiB. An ingest of any size goes back to a few pages only, those of the
/// indexes of tests and failures: all others are filled once and may go.
const CACHE_KIB: i64 = 16_384;

/// What a history is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Reading: changes nothing and makes no history.
    ReadOnly,
    /// Writing to a history that is there.
    ReadWrite,
    /// Writing, and making the file and its folder where they are missing.
    Create,
}

/// How changes become permanent in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// A write-ahead log: readers and a writer do not wait for each other. A history gets it when it
    /// is opened for writing the second time.
    WriteAhead,
    /// A rollback journal, in a new history and where the file system cannot share a write-ahead log:
    /// readers wait while a writer commits.
    Rollback,
}

enum Found {
    Nothing,
    Database,
}

/// Opens the file and makes sure that it is a history of a known schema, waiting at most `wait_ms`
/// milliseconds for others, here and in every query.
pub(super) fn open_within(
    path: &Path,
    mode: OpenMode,
    wait_ms: u64,
) -> Result<Connection, StoreError> {
    let connection = open_quickly(path, mode, wait_ms / TRY_MS).map_err(|error| match error {
        StoreError::Locked { path, .. } => StoreError::Locked { path, seconds: wait_ms / 1_000 },
        other => other,
    })?;
    let wait = Duration::from_millis(wait_ms);
    connection.busy_timeout(wait).map_err(|error| explain(path, &error))?;
    Ok(connection)
}

fn open_quickly(path: &Path, mode: OpenMode, retries: u64) -> Result<Connection, StoreError> {
    match (look(path)?, mode) {
        (Found::Nothing, OpenMode::ReadOnly | OpenMode::ReadWrite) => {
            Err(StoreError::Missing { path: path.to_path_buf() })
        }
        (Found::Nothing, OpenMode::Create) => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|source| io(path, source))?;
            }
            open_to_write(path, OpenFlags::SQLITE_OPEN_CREATE, retries)
        }
        (Found::Database, OpenMode::ReadOnly) => open_to_read(path, retries),
        (Found::Database, OpenMode::ReadWrite | OpenMode::Create) => {
            open_to_write(path, OpenFlags::empty(), retries)
        }
    }
}

/// What stands at a path, judged by its first bytes alone.
fn look(path: &Path) -> Result<Found, StoreError> {
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        other => other.map_err(|source| io(path, source))?,
    };
    if !meta.is_file() {
        return Err(StoreError::NotAFile { path: path.to_path_buf() });
    }
    let mut head = Vec::with_capacity(MAGIC.len());
    fs::File::open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head))
        .map_err(|source| io(path, source))?;
    match head.as_slice() {
        [] => Ok(Found::Nothing),
        head if head == MAGIC => Ok(Found::Database),
        _ => Err(StoreError::NotADatabase { path: path.to_path_buf() }),
    }
}

fn open_to_write(path: &Path, create: OpenFlags, retries: u64) -> Result<Connection, StoreError> {
    if create.is_empty() && !is_writable(path) {
        return Err(StoreError::ReadOnly { path: path.to_path_buf() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let connect = || {
        let connection = Connection::open_with_flags(path, flags)?;
        prepare(&connection)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        schema::mark(&connection)?;
        Ok(connection)
    };
    let mut connection = match retry(path, retries, connect) {
        Err(StoreError::Unshared { .. }) => {
            end_log(path, retries)?;
            retry(path, retries, connect)?
        }
        other => other?,
    };
    let mark = refuse_others(path, &connection, OpenMode::ReadWrite)?;
    let synchronous = |connection: &Connection, level: &str| {
        retry(path, retries, || connection.pragma_update(None, "synchronous", level))
    };
    synchronous(&connection, SYNCHRONOUS)?;
    let mut kept_by = retry(path, retries, || journal(&connection))?;
    // Behind a log all of a new history would be written twice; nobody reads it meanwhile.
    if kept_by != Journal::WriteAhead && mark != Mark::Blank && can_share_memory(path) {
        retry(path, retries, || write_ahead(&connection))?;
        kept_by = retry(path, retries, || journal(&connection))?;
    }
    let at_first = if cfg!(test) { SYNCHRONOUS } else { first_synchronous(kept_by) };
    synchronous(&connection, at_first)?;
    retry(path, retries, || schema::migrate(&mut connection))?;
    synchronous(&connection, SYNCHRONOUS)?;
    refuse_others(path, &connection, OpenMode::ReadOnly)?;
    Ok(connection)
}

/// How changes are flushed until the schema is there. The first commit flushes a log with all that is
/// in front of it; until then nothing was acknowledged, and a log is whole up to where it was cut off.
const fn first_synchronous(kept_by: Journal) -> &'static str {
    match kept_by {
        Journal::WriteAhead => "NORMAL",
        Journal::Rollback => "FULL",
    }
}

/// Opens so that nothing is left behind: a connection that could write removes the log's files
/// when it closes, which one that cannot write would leave.
fn open_to_read(path: &Path, retries: u64) -> Result<Connection, StoreError> {
    let plain = |access: OpenFlags| {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        prepare(&connection)?;
        schema::stand_in(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    // A log has more than the file, and a journal what the file had before it was half changed.
    let is_left = [log_of(path), journal_of(path)]
        .iter()
        .any(|file| fs::metadata(file).is_ok_and(|meta| meta.len() > 0));
    let first = match (is_writable(path), is_left) {
        (true, _) => {
            let open = || unless_full(is_left, plain(OpenFlags::SQLITE_OPEN_READ_WRITE));
            match retry_unless_denied(path, retries, open) {
                Err(StoreError::Unshared { .. }) => {
                    end_log(path, retries)?;
                    Some(retry_unless_denied(path, retries, open)?.flatten())
                }
                other => Some(other?.flatten()),
            }
        }
        (false, true) => {
            Some(retry_unless_denied(path, retries, || plain(OpenFlags::SQLITE_OPEN_READ_ONLY))?)
        }
        (false, false) => None,
    };
    let connection = match (first.flatten(), is_left) {
        (Some(connection), _) => connection,
        (None, true) => return Err(StoreError::Unclean { path: path.to_path_buf() }),
        // Nobody can write here and nothing is left beside it: the file alone is the whole history.
        (None, false) => open_immutable(path)?,
    };
    refuse_others(path, &connection, OpenMode::ReadOnly)?;
    Ok(connection)
}

/// A full disk is no reason not to read what is on it, where no log has more: `None` then.
fn unless_full<T>(logged: bool, opened: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match opened {
        Err(error) if !logged && is_full(&error) => Ok(None),
        other => other.map(Some),
    }
}

fn open_immutable(path: &Path) -> Result<Connection, StoreError> {
    let absolute = std::path::absolute(path).map_err(|source| io(path, source))?;
    let mut uri = String::from("file:");
    for byte in absolute.to_string_lossy().replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let opened = Connection::open_with_flags(uri, flags).and_then(|connection| {
        prepare(&connection)?;
        schema::stand_in(&connection)?;
        Ok(connection)
    });
    opened.map_err(|error| explain(path, &error))
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    distrust(connection)?;
    // One plan for a statement, whatever is bound: else the engine compiles statements with joins
    // anew each time they are used again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.busy_timeout(RETRY_PAUSE)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // Rows are written by this crate alone and verified by `check`; a look-up for each reference
    // of each row would double the cost of an append.
    connection.pragma_update(None, "foreign_keys", false)
}

/// A file may come from anybody, and a schema may hold code: triggers that delete, views in place of
/// tables that never end. None of it is ever run; what stands in for older schemas is temporary, and
/// therefore ours.
fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    Ok(())
}

/// Asks for a write-ahead log; a file system that cannot share one keeps the rollback journal.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let asked = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
    match asked {
        Err(error) if is_busy(&error) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// True where a write-ahead log works beside `path`: asked of a file of its own, because a history
/// that was switched and cannot be used so would keep others out.
fn can_share_memory(path: &Path) -> bool {
    let probe = beside(path, "probe");
    let tried = Connection::open(&probe).and_then(|connection| {
        connection.pragma_update(None, "synchronous", "OFF")?;
        write_ahead(&connection)?;
        connection.execute_batch("CREATE TABLE probe (x)")?;
        journal(&connection)
    });
    for file in [&probe, &log_of(&probe), &shared_memory_of(&probe)] {
        let _ = fs::remove_file(file);
    }
    tried.is_ok_and(|journal| journal == Journal::WriteAhead)
}

/// Turns a history with a write-ahead log, which cannot be used where files cannot be shared as
/// memory, into one with a rollback journal: alone with the file, its index is in our own memory.
pub(super) fn end_log(path: &Path, retries: u64) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = retry(path, retries, || {
        let connection = Connection::open_with_flags(path, flags)?;
        // Before anything that reads the schema: the index is made where it is first needed.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        prepare(&connection)?;
        schema::mark(&connection)?;
        Ok(connection)
    })?;
    refuse_others(path, &connection, OpenMode::ReadWrite)?;
    retry(path, retries, || {
        connection
            .pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0))
    })?;
    Ok(())
}

pub(super) fn journal(connection: &Connection) -> rusqlite::Result<Journal> {
    let name: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    Ok(if name.eq_ignore_ascii_case("wal") { Journal::WriteAhead } else { Journal::Rollback })
}

/// What the file is, where it may be opened like that.
fn refuse_others(path: &Path, connection: &Connection, mode: OpenMode) -> Result<Mark, StoreError> {
    let path_buf = || path.to_path_buf();
    let mark = schema::mark(connection).map_err(|error| explain(path, &error))?;
    match (mark, mode) {
        (Mark::History(found), _) if found > SCHEMA => {
            Err(StoreError::Newer { path: path_buf(), found, known: SCHEMA })
        }
        (Mark::History(0), OpenMode::ReadOnly) => {
            Err(StoreError::Older { path: path_buf(), found: 0, known: SCHEMA })
        }
        (Mark::Blank, OpenMode::ReadOnly) => Err(StoreError::Missing { path: path_buf() }),
        (Mark::Foreign(application_id), _) => {
            Err(StoreError::Foreign { path: path_buf(), application_id })
        }
        (Mark::History(_), _) | (Mark::Blank, OpenMode::ReadWrite | OpenMode::Create) => Ok(mark),
    }
}

fn is_writable(path: &Path) -> bool {
    OpenOptions::new().write(true).open(path).is_ok()
}

/// The write-ahead log's file: the path with `-wal` behind.
pub(super) fn log_of(path: &Path) -> PathBuf {
    with_ending(path, "-wal")
}

/// The rollback journal's file: the path with `-journal` behind.
fn journal_of(path: &Path) -> PathBuf {
    with_ending(path, "-journal")
}

fn shared_memory_of(path: &Path) -> PathBuf {
    with_ending(path, "-shm")
}

/// A file of this process next to `path`, named by what it is for.
pub(super) fn beside(path: &Path, word: &str) -> PathBuf {
    with_ending(path, &format!(".{}.{word}", std::process::id()))
}

/// The path with more behind its last name.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

pub(super) fn io(path: &Path, source: std::io::Error) -> StoreError {
    let path = path.to_path_buf();
    match source.kind() {
        ErrorKind::StorageFull => StoreError::DiskFull { path },
        ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path },
        _ => StoreError::Io { path, source },
    }
}

/// Repeats what fails because others are busy: some steps of opening do not wait by themselves.
fn retry<T>(
    path: &Path,
    retries: u64,
    mut step: impl FnMut() -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    for _ in 0..retries {
        match step() {
            Err(error) if is_busy(&error) => std::thread::sleep(RETRY_PAUSE),
            other => return other.map_err(|error| explain(path, &error)),
        }
    }
    step().map_err(|error| explain(path, &error))
}

/// As [`retry`], but `None` where the folder does not let the log be made.
fn retry_unless_denied<T>(
    path: &Path,
    retries: u64,
    mut step: impl FnMut() -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    retry(path, retries, || match step() {
        Err(error) if is_denied(&error) => Ok(None),
        other => other.map(Some),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Error;
    use std::time::Instant;

    use rusqlite::ffi;

    use super::super::failure::tests::engine_says;
    use super::*;

    fn database(folder: &tempfile::TempDir, sql: &str) -> (PathBuf, Connection) {
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
        (path, connection)
    }

    /// A history that its connection keeps all others out of.
    fn locked(folder: &tempfile::TempDir) -> (PathBuf, Connection) {
        drop(open_within(&folder.path().join("a.db"), OpenMode::Create, 1_000).unwrap());
        database(folder, "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE")
    }

    #[test]
    fn a_history_that_stays_locked_is_given_up_when_the_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let (path, _holder) = locked(&folder);
        let started = Instant::now();
        for mode in [OpenMode::ReadOnly, OpenMode::ReadWrite] {
            let refused = open_within(&path, mode, 10).unwrap_err();
            assert!(matches!(refused, StoreError::Locked { seconds: 0, .. }), "{refused}");
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }

    #[test]
    fn a_history_that_is_let_go_in_time_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (path, holder) = locked(&folder);
        let release = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            drop(holder);
        });
        open_within(&path, OpenMode::ReadOnly, 40_000).unwrap();
        release.join().unwrap();
    }

    #[test]
    fn a_full_disk_hinders_no_reading_unless_a_log_has_more() {
        let path = Path::new("a.db");
        let opened = |logged, code| {
            unless_full::<()>(logged, Err(engine_says(code))).map_err(|error| explain(path, &error))
        };
        assert!(matches!(opened(false, ffi::SQLITE_FULL), Ok(None)));
        assert!(matches!(opened(true, ffi::SQLITE_FULL), Err(StoreError::DiskFull { .. })));
        assert!(matches!(opened(false, ffi::SQLITE_BUSY), Err(StoreError::Locked { .. })));
        assert!(matches!(opened(true, ffi::SQLITE_BUSY), Err(StoreError::Locked { .. })));
        assert_eq!(unless_full(true, Ok(7)).unwrap(), Some(7));
    }

    #[test]
    fn a_log_that_may_not_be_made_is_told_from_damage() {
        let opened =
            |code| retry_unless_denied::<()>(Path::new("a.db"), 0, || Err(engine_says(code)));
        assert!(matches!(opened(ffi::SQLITE_CANTOPEN), Ok(None)));
        assert!(matches!(opened(ffi::SQLITE_CORRUPT), Err(StoreError::Corrupt { .. })));
    }

    #[test]
    fn a_log_is_asked_for_again_where_others_are_in_the_way_and_only_there() {
        let folder = tempfile::tempdir().unwrap();
        let (path, writer) = database(&folder, "CREATE TABLE t (x); BEGIN IMMEDIATE");
        let other = Connection::open(&path).unwrap();
        other.busy_timeout(Duration::ZERO).unwrap();
        assert!(write_ahead(&other).is_err_and(|error| is_busy(&error)));
        drop(writer);
        // A file that cannot be written keeps the journal that it has.
        let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        write_ahead(&reader).unwrap();
        assert_eq!(journal(&other).unwrap(), Journal::Rollback);
    }

    #[test]
    fn ending_the_log_leaves_a_rollback_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let kept_by = || journal(&Connection::open(&path).unwrap()).unwrap();
        for expected in [Journal::Rollback, Journal::WriteAhead] {
            drop(open_within(&path, OpenMode::Create, 1_000).unwrap());
            assert_eq!(kept_by(), expected);
        }
        end_log(&path, 0).unwrap();
        assert_eq!(kept_by(), Journal::Rollback);
    }

    /// By the documentation of SQLite's `synchronous`: NORMAL is safe behind a log alone.
    #[test]
    fn only_a_log_may_be_flushed_late() {
        assert_eq!(first_synchronous(Journal::WriteAhead), "NORMAL");
        assert_eq!(first_synchronous(Journal::Rollback), "FULL");
    }

    #[test]
    fn what_is_not_there_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        assert!(!is_writable(&path));
        fs::write(&path, "").unwrap();
        assert!(is_writable(&path));
    }

    #[test]
    fn the_files_of_the_engine_stand_beside_the_history() {
        let path = Path::new("folder/a.db");
        assert_eq!(log_of(path), Path::new("folder/a.db-wal"));
        assert_eq!(shared_memory_of(path), Path::new("folder/a.db-shm"));
        assert_eq!(journal_of(path), Path::new("folder/a.db-journal"));
    }

    #[test]
    fn what_the_system_says_becomes_the_error_that_names_its_mend() {
        let said = |kind: ErrorKind| io(Path::new("a.db"), Error::from(kind));
        assert!(matches!(said(ErrorKind::StorageFull), StoreError::DiskFull { .. }));
        assert!(matches!(said(ErrorKind::ReadOnlyFilesystem), StoreError::ReadOnly { .. }));
        assert!(matches!(said(ErrorKind::PermissionDenied), StoreError::Io { .. }));
    }
}
