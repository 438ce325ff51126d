//! `flakedb db backup`: a whole copy, even while others write.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde::Serialize;

use super::{Plain, Said, exit, said};
use crate::cli::failure::Failure;
use crate::ops::Watcher;
use crate::store::sqlite::{OpenMode, SqliteStore};

/// What `db backup --format json` prints.
#[derive(Debug, Serialize)]
struct BackupView {
    schema: &'static str,
    written: String,
}

/// How often the copy's size is looked at.
const LOOK: Duration = Duration::from_millis(100);

pub(super) fn backup(
    store: &SqliteStore,
    target: &Path,
    format: Plain,
    watcher: &dyn Watcher,
) -> Result<Said, Failure> {
    if target.exists() {
        return Err(Failure::usage(anyhow::anyhow!("{} exists already", target.display()))
            .hint("name a file that does not exist yet"));
    }
    let info = store.info().map_err(Failure::history)?;
    followed(target, info.file_bytes.saturating_sub(info.free_bytes), watcher, || {
        store.backup(target).map_err(Failure::history)
    })?;
    // What was copied is worth nothing if it cannot be opened.
    SqliteStore::open(target, OpenMode::ReadOnly).map_err(Failure::history)?;
    let view = BackupView { schema: "flakedb.db-backup.v1", written: target.display().to_string() };
    let text = format!("wrote {}\n", view.written);
    said(format, &view, text, exit::FINE)
}

/// Says how much of the copy is there while it is written: the engine itself does not.
fn followed<T>(target: &Path, bytes: u64, watcher: &dyn Watcher, copy: impl FnOnce() -> T) -> T {
    const MIB: u64 = 1 << 20;
    watcher.phase("copying MiB");
    watcher.steps(bytes / MIB);
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut told = 0;
            while is_done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let there = std::fs::metadata(target).map_or(0, |file| file.len()).min(bytes) / MIB;
                (told..there).for_each(|_| watcher.step());
                told = told.max(there);
            }
        });
        let copied = copy();
        drop(done);
        copied
    })
}
