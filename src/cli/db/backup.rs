//! `flakedb db backup`: a whole copy, even while others write.

use std::path::Path;

use serde::Serialize;

use super::{Plain, Said, exit, said};
use crate::cli::failure::Failure;
use crate::store::sqlite::{OpenMode, SqliteStore};

/// What `db backup --format json` prints.
#[derive(Debug, Serialize)]
struct BackupView {
    schema: &'static str,
    written: String,
}

pub(super) fn backup(store: &SqliteStore, target: &Path, format: Plain) -> Result<Said, Failure> {
    if target.exists() {
        return Err(Failure::usage(anyhow::anyhow!("{} exists already", target.display()))
            .hint("name a file that does not exist yet"));
    }
    store.backup(target).map_err(Failure::history)?;
    // What was copied is worth nothing if it cannot be opened.
    SqliteStore::open(target, OpenMode::ReadOnly).map_err(Failure::history)?;
    let view = BackupView { schema: "flakedb.db-backup.v1", written: target.display().to_string() };
    let text = format!("wrote {}\n", view.written);
    said(format, &view, text, exit::FINE)
}
