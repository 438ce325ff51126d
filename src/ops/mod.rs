//! L5: use cases. A request, a store and the time in; an outcome out. No printing, no clap.

pub mod backtest;
pub mod causes;
pub mod compare;
pub mod dashboard;
pub mod gate;
pub mod hunt;
pub mod ingest;
pub mod judge;
pub mod latest_failure;
pub mod order;
pub mod parallel;
pub mod part;
pub mod quarantine;
pub mod quarantine_edit;
pub mod quarantine_file;
pub mod quarantine_ground;
pub mod quarantine_lint;
mod quarantine_list;
pub mod quarantine_simulate;
pub mod quarantine_update;
pub mod question;
pub mod reading;
pub mod run;
pub mod show;
pub mod split;
pub mod validate;

pub use crate::store::watcher::{Unwatched, Watcher};
