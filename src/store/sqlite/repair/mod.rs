//! Repairing: what is readable and whole in a damaged file goes into a new one, and everything that
//! does not is named.
//!
//! Pages are read as they lie in the file (`pages`), because the engine gives up where a tree is
//! broken. Their rows keep their numbers (`salvage`), so that segments stay as they are; what
//! follows from segments is worked out anew (`settle`). The new file has to pass `check`.

mod pages;
mod salvage;
mod settle;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::check::Finding;
use super::failure::{WAIT_MS, explain, is_busy};
use super::open::{Journal, beside, end_log, io, journal, log_of, with_ending};
use super::schema::{APPLICATION_ID, SCHEMA};
use super::{Info, OpenMode, SqliteStore};
use crate::store::StoreError;
use pages::{HEADER_BYTES, Pages};

/// How long a repair waits for others to let go of the file.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often leaving the log is tried, a short pause apart, where memory cannot be shared.
const END_LOG_TRIES: u64 = 50;
/// Damaged files kept beside one history.
const KEPT_MAX: u32 = 1_000;

/// What a repair kept, and what it lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// What is in the new file.
    pub kept: Info,
    /// Everything that is not, or not as it was.
    pub lost: Vec<Finding>,
}

/// Writes what is whole in `source` to the new file `target`; `source` is not changed.
///
/// # Errors
/// [`StoreError`] where `source` is no history, `target` exists, or nothing can be salvaged.
pub fn repair_to(source: &Path, target: &Path) -> Result<Repaired, StoreError> {
    if target.exists() {
        return Err(StoreError::Exists { path: target.to_path_buf() });
    }
    refuse_others(source)?;
    // What a log holds has to go into the pages first, which must not happen in the source.
    let copy = beside(target, "copy");
    let repaired = copy_whole(source, &copy).and_then(|()| {
        let held = hold(&copy)?;
        let mut pages = Pages::open(&copy).map_err(|why| io(source, why))?;
        refuse_header(source, pages.head())?;
        let mut repaired = rebuild(source, &mut pages, target)?;
        name_log(&copy, held.as_ref(), &mut repaired);
        Ok(repaired)
    });
    remove_with_log(&copy);
    repaired
}

/// Puts what is whole in the history at `path` in its place; the damaged file is kept beside it, and
/// its new name returned.
///
/// # Errors
/// [`StoreError`] where it is no history, is used by others, or nothing can be salvaged. The file is
/// as it was then.
pub fn repair_in_place(path: &Path) -> Result<(Repaired, PathBuf), StoreError> {
    refuse_others(path)?;
    let held = hold(path)?;
    // Closing any descriptor of the file would drop its lock: this one is kept to the end.
    let mut pages = Pages::open(path).map_err(|why| io(path, why))?;
    // Again, as its log may have said otherwise.
    refuse_header(path, pages.head())?;
    let fresh = beside(path, "repaired");
    let mut repaired = rebuild(path, &mut pages, &fresh)?;
    name_log(path, held.as_ref(), &mut repaired);
    // Windows renames nothing over a file that the engine has open.
    #[cfg(windows)]
    drop(held);
    let replaced = replace(path, &fresh);
    drop(pages);
    #[cfg(not(windows))]
    drop(held);
    match replaced {
        Ok(kept) => Ok((repaired, kept)),
        Err(error) => {
            remove_with_log(&fresh);
            Err(error)
        }
    }
}

/// Where the engine could not use the file, nobody read its log.
fn name_log(path: &Path, held: Option<&Connection>, repaired: &mut Repaired) {
    if held.is_none() && fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0) {
        let problem = "what had not come from the log into the file is not read".to_owned();
        repaired.lost.push(Finding { place: "log".to_owned(), problem });
    }
}

/// What a file says of itself, where its header can be read: others' files are left alone.
fn refuse_others(path: &Path) -> Result<(), StoreError> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => StoreError::Missing { path: path.to_path_buf() },
        _ => io(path, source),
    })?;
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(StoreError::NotAFile { path: path.to_path_buf() });
    }
    // A disk that cannot read the header is damage as well.
    let _ = file.take(HEADER_BYTES as u64).read_to_end(&mut head);
    refuse_header(path, &head)
}

fn refuse_header(path: &Path, head: &[u8]) -> Result<(), StoreError> {
    if !head.starts_with(b"SQLite format 3\0") {
        return Ok(());
    }
    let number = |at: usize| {
        let bytes = head.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    match (number(68), number(60)) {
        (Some(APPLICATION_ID), Some(found)) if found > SCHEMA && found < 1_000 => {
            Err(StoreError::Newer { path: path.to_path_buf(), found, known: SCHEMA })
        }
        // One byte that is wrong is damage, more are another program's.
        (Some(application_id), _) if wrong_bytes(application_id) > 1 => {
            Err(StoreError::Foreign { path: path.to_path_buf(), application_id })
        }
        _ => Ok(()),
    }
}

fn wrong_bytes(application_id: u32) -> usize {
    let (found, ours) = (application_id.to_be_bytes(), APPLICATION_ID.to_be_bytes());
    found.iter().zip(ours).filter(|(found, ours)| **found != *ours).count()
}

/// Keeps all others away, and puts what the log holds into the pages; `None` where the engine cannot
/// use the file at all, so that nobody else can either.
fn hold(path: &Path) -> Result<Option<Connection>, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let alone = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        // Leaving the log takes that nobody else has the file open, and puts what is in it into the
        // pages; after that the lock keeps readers away as well.
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| {
            row.get::<_, String>(0)
        })?;
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok((journal(&connection)?, connection))
    };
    let mut held = alone();
    if held.as_ref().is_err_and(|error| matches!(explain(path, error), StoreError::Unshared { .. }))
        && end_log(path, END_LOG_TRIES).is_ok()
    {
        held = alone();
    }
    let locked = || StoreError::Locked { path: path.to_path_buf(), seconds: PATIENCE.as_secs() };
    match held {
        Ok((Journal::Rollback, connection)) => Ok(Some(connection)),
        // Somebody came in between.
        Ok((Journal::WriteAhead, _)) => Err(locked()),
        Err(error) if is_busy(&error) => Err(locked()),
        Err(error) => match explain(path, &error) {
            refused @ (StoreError::ReadOnly { .. } | StoreError::DiskFull { .. }) => Err(refused),
            _ => Ok(None),
        },
    }
}

/// Reads the pages of a file, and writes a new history to `target`.
fn rebuild(named: &Path, pages: &mut Pages, target: &Path) -> Result<Repaired, StoreError> {
    remove_with_log(target);
    let rebuilt = write(named, pages, target);
    if rebuilt.is_err() {
        remove_with_log(target);
    }
    rebuilt
}

fn write(named: &Path, pages: &mut Pages, target: &Path) -> Result<Repaired, StoreError> {
    let mut store = SqliteStore::open_within(target, OpenMode::Create, WAIT_MS)?;
    let mut lost = Vec::new();
    let engine = |error: rusqlite::Error| explain(target, &error);
    let beyond = |detail: String| StoreError::BeyondRepair { path: named.to_path_buf(), detail };
    let transaction = store
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(engine)?;
    let salvaged = salvage::salvage(pages, &transaction, &mut lost).map_err(engine)?;
    settle::settle(&transaction, &salvaged, &mut lost).map_err(engine)?;
    transaction.commit().map_err(engine)?;
    let kept = store.info()?;
    if kept.runs == 0 && !lost.is_empty() {
        return Err(beyond("nothing in it can be salvaged".to_owned()));
    }
    if let Some(finding) = store.check()?.into_iter().next() {
        let Finding { place, problem } = finding;
        return Err(beyond(format!("the repaired copy is not whole: {place}: {problem}")));
    }
    // One file, without a log, that can be renamed. On a full disk the engine may keep the log and
    // say so, and what it had to undo would stay behind under the old name.
    let journal: String = store.told(|connection| {
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))
    })?;
    drop(store);
    if !is_one_file(&journal, target) {
        let why = std::io::Error::other("its log could not be ended; is the disk full?");
        return Err(io(target, why));
    }
    File::open(target).and_then(|file| file.sync_all()).map_err(|source| io(target, source))?;
    Ok(Repaired { kept, lost })
}

fn is_one_file(journal: &str, path: &Path) -> bool {
    let is_gone = |ending: &&str| !with_ending(path, ending).exists();
    journal == "delete" && ["-wal", "-journal"].iter().all(is_gone)
}

/// Puts the fresh file in place; there is a history at `path` at every moment where the file system
/// has hard links.
fn replace(path: &Path, fresh: &Path) -> Result<PathBuf, StoreError> {
    let failed = |source| io(path, source);
    let kept = (1..KEPT_MAX)
        .map(|number| with_ending(path, &format!(".damaged-{number}")))
        .find(|kept| !kept.exists())
        .ok_or_else(|| StoreError::Exists { path: with_ending(path, ".damaged-1") })?;
    // A log of the damaged file must not be taken for one of the new file.
    let log = log_of(path);
    if log.exists() {
        fs::rename(&log, log_of(&kept)).map_err(failed)?;
    }
    let journal = with_ending(path, "-journal");
    if journal.exists() {
        fs::rename(&journal, with_ending(&kept, "-journal")).map_err(failed)?;
    }
    let _ = fs::remove_file(with_ending(path, "-shm"));
    if let Ok(meta) = fs::metadata(path) {
        fs::set_permissions(fresh, meta.permissions()).map_err(failed)?;
    }
    if fs::hard_link(path, &kept).is_err() {
        fs::rename(path, &kept).map_err(failed)?;
    }
    fs::rename(fresh, path).map_err(failed)?;
    // The names have to survive a loss of power, too; Windows does not open folders.
    let _ = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    Ok(kept)
}

/// The folder that a file stands in, which a bare name does not say.
fn folder_of(path: &Path) -> &Path {
    let named = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}

fn copy_whole(source: &Path, copy: &Path) -> Result<(), StoreError> {
    for ending in ["", "-wal", "-journal"] {
        let from = with_ending(source, ending);
        if ending.is_empty() || from.exists() {
            fs::copy(&from, with_ending(copy, ending)).map_err(|error| io(&from, error))?;
        }
    }
    Ok(())
}

fn remove_with_log(path: &Path) {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(with_ending(path, ending));
    }
}

#[cfg(test)]
mod tests;
