//! Whether a path still leads to the file that was opened: what is written to one that was replaced
//! or removed meanwhile is lost, however well it was flushed.

use std::fs;
use std::path::Path;

/// What tells a file from every other one of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

/// The file at a path; `None` where there is none.
#[cfg(unix)]
pub(super) fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|meta| FileId(meta.dev(), meta.ino()))
}

/// Other systems do not let an open file be replaced or removed.
#[cfg(not(unix))]
pub(super) fn file_id(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|_| FileId(0, 0))
}
