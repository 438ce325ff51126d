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
        (ErrorCode::SystemIoFailure, code) if is_of_shared_memory(code) => {
            StoreError::Unshared { path }
        }
        (ErrorCode::SystemIoFailure, _) => StoreError::Device { path, detail },
        (ErrorCode::CannotOpen | ErrorCode::PermissionDenied, _) => StoreError::ReadOnly { path },
        _ => StoreError::Database { path, detail },
    }
}

/// True for what goes wrong where files cannot be mapped as shared memory.
const fn is_of_shared_memory(code: i32) -> bool {
    matches!(code, ffi::SQLITE_IOERR_SHMMAP | ffi::SQLITE_IOERR_SHMOPEN | ffi::SQLITE_IOERR_SHMLOCK)
}

/// True where another process is in the way and trying again may help.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// True where there is no room for the log.
pub(super) fn is_full(error: &Error) -> bool {
    let code = error.sqlite_error().map(|code| code.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || code == Some(ffi::SQLITE_IOERR_SHMSIZE)
}

/// True where the folder does not let the log be made.
pub(super) fn is_denied(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The error that this result code becomes.
    pub(crate) fn engine_says(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), Some("as told".to_owned()))
    }

    /// By the list of result codes in SQLite's own documentation.
    #[test]
    fn every_code_of_the_engine_becomes_the_error_that_names_its_mend() {
        for (code, wanted) in [
            (ffi::SQLITE_NOTADB, "NotADatabase"),
            (ffi::SQLITE_CORRUPT, "Corrupt"),
            (ffi::SQLITE_CORRUPT_INDEX, "Corrupt"),
            (ffi::SQLITE_IOERR_SHORT_READ, "Corrupt"),
            (ffi::SQLITE_READONLY, "ReadOnly"),
            (ffi::SQLITE_READONLY_DIRECTORY, "ReadOnly"),
            (ffi::SQLITE_CANTOPEN, "ReadOnly"),
            (ffi::SQLITE_PERM, "ReadOnly"),
            (ffi::SQLITE_FULL, "DiskFull"),
            (ffi::SQLITE_IOERR_SHMSIZE, "DiskFull"),
            (ffi::SQLITE_BUSY, "Locked"),
            (ffi::SQLITE_BUSY_SNAPSHOT, "Locked"),
            (ffi::SQLITE_LOCKED, "Locked"),
            (ffi::SQLITE_IOERR_SHMMAP, "Unshared"),
            (ffi::SQLITE_IOERR_SHMOPEN, "Unshared"),
            (ffi::SQLITE_IOERR_SHMLOCK, "Unshared"),
            (ffi::SQLITE_IOERR_READ, "Device"),
            (ffi::SQLITE_CONSTRAINT, "Database"),
        ] {
            let found = explain(Path::new("a.db"), &engine_says(code));
            let name = format!("{found:?}");
            assert_eq!(name.split(' ').next(), Some(wanted), "code {code}: {name}");
            assert!(found.to_string().contains("a.db"), "code {code} names no file: {found}");
        }
    }

    #[test]
    fn what_the_engine_said_stands_in_the_message() {
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_ERROR] {
            let found = explain(Path::new("a.db"), &engine_says(code)).to_string();
            assert!(found.contains("as told"), "{found}");
        }
        let other = explain(Path::new("a.db"), &Error::QueryReturnedNoRows);
        assert!(matches!(other, StoreError::Database { .. }), "{other:?}");
        let waited = explain(Path::new("a.db"), &engine_says(ffi::SQLITE_BUSY)).to_string();
        assert!(waited.contains("since 60 s"), "{waited}");
    }

    #[test]
    fn waiting_helps_against_a_lock_and_nothing_else() {
        for (code, busy, denied, full) in [
            (ffi::SQLITE_BUSY, true, false, false),
            (ffi::SQLITE_LOCKED, true, false, false),
            (ffi::SQLITE_CANTOPEN, false, true, false),
            (ffi::SQLITE_READONLY, false, true, false),
            (ffi::SQLITE_PERM, false, true, false),
            (ffi::SQLITE_FULL, false, false, true),
            (ffi::SQLITE_IOERR_SHMSIZE, false, false, true),
            (ffi::SQLITE_IOERR_WRITE, false, false, false),
        ] {
            assert_eq!(is_busy(&engine_says(code)), busy, "code {code}");
            assert_eq!(is_denied(&engine_says(code)), denied, "code {code}");
            assert_eq!(is_full(&engine_says(code)), full, "code {code}");
        }
        let none = Error::QueryReturnedNoRows;
        assert!(!is_busy(&none) && !is_denied(&none) && !is_full(&none));
    }
}
