//! L0: plain data shared by every layer.
//!
//! No I/O, no clock, no environment. A type lives here when two layers that must not know each
//! other (say, `junit` and `store`) both speak of it. Words are those of the glossary in
//! `docs/ARCHITECTURE.md`.

pub mod counted;
pub mod edit_distance;
pub mod facts;
pub mod failure;
pub mod hash;
pub mod limits;
pub mod outcome;
pub mod percent;
pub mod places;
#[cfg(test)]
pub(crate) mod random;
pub mod report;
pub mod run;
pub mod shard;
pub mod template;
pub mod tests;
pub mod time;
pub mod workers;

pub use counted::counted;
pub use edit_distance::edit_distance;
pub use facts::{Facts, PartFacts};
pub use failure::Failure;
pub use hash::{FailureId, ReportHash, RunKey, SignatureId, TestId};
pub use outcome::{Counts, Outcome};
pub use percent::percent;
pub use places::{HOME_VARIABLES, TEMPORARY_VARIABLES};
pub use report::{Attempt, Attempts, Repeat, Report, SuiteFailure, TestResult, VariantIndex};
pub use run::{Lane, RunContext, Variant};
pub use shard::Shard;
pub use template::{TemplateError, fill};
pub use tests::{TestIdentity, TestIndex, TestName, TestTable, in_variant};
pub use time::{Micros, Started, Timestamp};
pub use workers::Workers;
