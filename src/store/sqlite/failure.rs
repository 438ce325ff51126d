//! What the engine's errors mean to a person.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::StoreError;

/// How long a writer waits for the others, in milliseconds.
pub(super) const WAIT_MS: u64 = 60_000;

/// Turns an error of the engine into one that names the file and the mend.
pub(super) fn explain(path: &Path, error: &Error) -> StoreError {
    let path = path.to_path_buf();
    let Error::SqliteFailure(code, message) = error else {
        return StoreError::Database { path, detail: error.to_string() };
    };
    let detail = message.clone().unwrap_or_else(|| code.to_string());
    match (code.code, code.extended_code) {
        (ErrorCode::NotADatabase, _) => StoreError::NotADatabase { path },
        (ErrorCode::DatabaseCorrupt, _) | (_, ffi::SQLITE_IOERR_SHORT_READ) => {
            StoreError::Corrupt { path, detail }
        }
        (ErrorCode::ReadOnly, _) => StoreError::ReadOnly { path },
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => StoreError::DiskFull { path },
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => {
            StoreError::Locked { path, seconds: WAIT_MS / 1_000 }
        }
        (ErrorCode::CannotOpen | ErrorCode::PermissionDenied, _) => StoreError::ReadOnly { path },
        _ => StoreError::Database { path, detail },
    }
}

/// True where another process is in the way and trying again may help.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// True where the folder does not let the log be made.
pub(super) fn is_denied(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    )
}
