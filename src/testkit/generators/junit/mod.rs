//! JUnit XML as each common runner writes it, with the truth beside it.
//!
//! [`Reports`] makes reports of generated tests in one of the [`DIALECTS`]; [`files`] writes a
//! [`TestRun`] of your own. [`Reports::invalid`] gives reports with one flaw each, and says which.

mod dialect;
mod dialects;
mod flaws;
mod markup;
mod names;
mod report;
mod reports;
#[cfg(test)]
mod tests;
pub(super) mod words;

pub use dialect::{Clock, DIALECTS, Dialect, Retries, Shown, UnknownDialect};
pub use dialects::PYTEST;
pub use flaws::{FLAWS, Flaw, Flawed};
pub use report::{Attempt, Case, Module, TestRun};
pub use reports::{File, Report, Reports, TestTruth, files};
