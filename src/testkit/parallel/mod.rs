//! What tests that run side by side need in order not to meet: who they are, and resources that
//! nobody else has.
//!
//! [`Worker::current`] says which of a runner's workers this process is, whatever the runner.
//! [`lease`] lends one of a few things that exist only so many times, such as the databases of a
//! Redis server, to one holder on this machine at a time. [`Isolation`] puts everything together.
//!
//! ```
//! use flakedb::testkit::parallel::Isolation;
//!
//! let mine = Isolation::new()
//!     .lease("REDIS_DB", 0..16)
//!     .variable("REDIS_URL", "redis://127.0.0.1:6379/{REDIS_DB}")
//!     .enter()?;
//! mine.within(|| {
//!     assert!(std::env::var("REDIS_URL").unwrap().starts_with("redis://127.0.0.1:6379/"));
//! });
//! // What was lent is given back here, and the directory is removed.
//! # Ok::<(), flakedb::testkit::parallel::IsolationError>(())
//! ```

mod database;
mod directory;
mod environment;
mod isolation;
mod lease;
mod mock;
mod port;
mod shelf;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod storm;
mod worker;

pub use database::{DATABASE_NAME_BYTES_MAX, database_name};
pub use directory::{Directory, DirectoryError};
pub use environment::Environment;
pub use isolation::{Isolated, Isolation, IsolationError};
pub use lease::{LEASES_VARIABLE, Lease, LeaseError, Pool, WAIT, lease, place};
pub use mock::{namespace_of, namespace_url};
pub use port::{Port, ports};
pub use worker::Worker;
