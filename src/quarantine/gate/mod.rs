//! The gate: whether a failed run may be excused. One decision table, in [`table`], over plain facts.
//!
//! A run is excused only if its runner itself said "tests failed", its reports are fresh and whole,
//! the tests that should have run did run, every failure is covered by a live entry, and no
//! quarantined test is significantly worse than its own record. Anything else keeps the runner's
//! own exit code, and the reason is named. Pure: [`ops::gate`](crate::ops) collects the facts.

pub mod expected;
pub mod facts;
pub mod news;
pub mod reason;
pub mod record;
pub mod runners;
pub mod settings;
pub mod table;

pub use expected::Expected;
pub use facts::{
    CoverFact, Ending, Facts, Flaw, Freshness, HistoryFact, ListFact, ReportFact, TestFact,
};
pub use news::News;
pub use reason::Reason;
pub use record::Record;
pub use runners::{RUNNERS, RunnerCodes, RunnerFact};
pub use settings::{ExpectedRule, GateSettings};
pub use table::{Decision, TABLE, decide, doubts};
