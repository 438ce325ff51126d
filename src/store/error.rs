//! Why a history could not be used: what, where, and the mend.

use std::path::PathBuf;

use super::segment::SegmentError;

/// Why a history could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No file, or an empty one.
    #[error("there is no history at {}; `flakedb ingest` makes one, --db names another", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A folder, a device, or anything else that is no regular file.
    #[error("{} is not a file; give the path of the history's file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A file that is not SQLite's.
    #[error("{} is not a database; nothing was changed, give the path of a history, or try `flakedb db repair` where it was one", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A SQLite file of another program.
    #[error("{} is a database of another program (application id {application_id:#010x}); nothing was changed, give the path of a history", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it says that it is.
        application_id: u32,
    },
    /// Written by a later flakedb.
    #[error("{} has schema {found}, this flakedb knows {known}; upgrade flakedb", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// Written by an earlier flakedb, and opened for reading only.
    #[error("{} has schema {found}, this flakedb reads {known}; any writing command upgrades it", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// The file's schema.
        found: u32,
        /// The schema needed.
        known: u32,
    },
    /// Damaged: cut off, overwritten, or inconsistent.
    #[error("{} is damaged ({detail}); `flakedb db repair` keeps what is whole, or restore a backup", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// So damaged that a repair makes nothing of it.
    #[error("{} cannot be repaired: {detail}; restore a backup, or ingest the reports again into a new file", path.display())]
    BeyondRepair {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// The results of one report cannot be read.
    #[error("{}: the segment of report {report} {source}; `flakedb db check` lists all damage, `flakedb db repair` keeps the rest", path.display())]
    Segment {
        /// The file.
        path: PathBuf,
        /// The report's hash.
        report: String,
        /// What is wrong.
        source: SegmentError,
    },
    /// The file, its folder or its file system cannot be written.
    #[error("{} cannot be written; check the permissions of the file and its folder", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Closed uncleanly and now in a folder where its log cannot be replayed, or its journal undone.
    #[error("{} was not closed cleanly and its folder cannot be written; open it once where it can, or copy it with its -wal or -journal file", path.display())]
    Unclean {
        /// The file.
        path: PathBuf,
    },
    /// No space left.
    #[error("no space left to write {}; nothing half-done is kept, free some space and repeat the command", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// Replaced or removed between opening and writing.
    #[error("{} was replaced or removed while it was open; nothing was written, repeat the command", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// The disk, or what stands in for one, failed.
    #[error("the file system failed at {} ({detail}); nothing half-done is kept: look at the disk, then run `flakedb db check`", path.display())]
    Device {
        /// The file.
        path: PathBuf,
        /// What the engine says.
        detail: String,
    },
    /// In a mode that needs memory shared between processes, which the file system does not give.
    #[error("the file system of {} cannot share memory between processes; copy the history to a local disk", path.display())]
    Unshared {
        /// The file.
        path: PathBuf,
    },
    /// Another process held the write lock for too long.
    #[error("{} is locked by another process since {seconds} s; repeat when it is done", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// The operating system refused.
    #[error("{} cannot be opened: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that must not be overwritten.
    #[error("{} exists already; name a new file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// More than this format can number.
    #[error("{}: more {what} than one history can hold; start a new file", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// Of what.
        what: &'static str,
    },
    /// Anything else that the database engine reports.
    #[error("{}: {detail}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the engine says.
        detail: String,
    },
}
