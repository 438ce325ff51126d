//! L3: judging. A pure function of rows and settings, byte for byte the same every time.
//!
//! [`HistoryBuilder`] folds the rows of a window, oldest run first; [`judge`] says what every test
//! and variant is, with the evidence. No I/O, no clock: the same rows and [`Settings`] always give
//! the same [`Judgement`](verdict::Judgement), whatever the order of rows within a run; only hints
//! on [causes](cause) look at that order.
//!
//! ```
//! use std::collections::HashSet;
//! use flakedb::analysis::{HistoryBuilder, Settings, judge};
//! # let (runs, rows_of_run, tests_with_a_bad_attempt) = (Vec::new(), Vec::<Vec<_>>::new(), HashSet::new());
//! let settings = Settings::default();
//! let mut builder = HistoryBuilder::new(&runs, tests_with_a_bad_attempt, &settings.outage);
//! for (run, rows) in rows_of_run.iter().enumerate() {
//!     builder.add(run, rows);
//! }
//! let judgement = judge(&builder.finish(), &settings)?;
//! assert_eq!(judgement.method, "filter");
//! # Ok::<(), flakedb::analysis::JudgeError>(())
//! ```

pub mod alike;
pub mod at_revision;
pub mod backtest;
#[cfg(test)]
mod bare;
pub mod bit_set;
pub mod cause;
pub mod changes;
pub mod classify;
pub mod cluster;
pub mod company;
pub mod direction;
pub mod disagreement;
pub mod duration;
mod event;
pub mod evidence;
pub mod filter;
pub mod harm;
pub mod healed;
pub mod history;
pub mod hunt;
pub mod interval;
mod judge;
mod kept;
pub mod late;
mod main_line;
pub mod match_name;
pub mod method;
pub mod order_search;
pub mod origin;
pub mod outage;
mod presence;
pub mod settings;
pub mod slower;
pub mod special;
pub mod split;
pub mod statistics;
pub mod streak;
mod tally;
pub mod trail;
pub mod trend;
pub mod verdict;

pub use history::{History, HistoryBuilder};
pub use judge::{JudgeError, judge};
pub use settings::Settings;

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests;
