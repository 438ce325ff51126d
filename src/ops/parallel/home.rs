//! Where a worker lives: what its processes find around them, and what is taken away afterwards.
//!
//! The use case knows no more than this; who gives workers their resources stands elsewhere.

use std::ffi::OsString;

/// Gives workers what is theirs alone.
pub trait Housing: Sync {
    /// The home of a worker, from 0, of so many.
    ///
    /// # Errors
    /// In words: which resource there is not enough of, and what to do.
    fn enter(&self, worker: u32, workers: u32) -> Result<Box<dyn Home>, String>;
}

/// What one worker has while it works.
pub trait Home: Send {
    /// Variables that its processes find, over those that flakedb itself has.
    fn variables(&self) -> &[(OsString, OsString)];

    /// Resources that it shares with all workers, in words such as `REDIS_DB=0`; empty where each
    /// worker has its own.
    fn shared(&self) -> &[String];

    /// Ends the stay: gives back what was lent, and takes away what was made unless it is to be
    /// kept. Returns the directory that was kept.
    fn leave(self: Box<Self>, failed: bool) -> Option<std::path::PathBuf>;
}
