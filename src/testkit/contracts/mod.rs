//! Contracts of nodes: what every node promises, as clauses that anyone can run against their own.
//!
//! A contract is a table of clauses, each with a stable id, a reason and an example of breaking it
//! ([`clauses()`]). A type of node written in Rust comes as a [`NodeFixture`]; one in another
//! language speaks lines of JSON over stdin and stdout ([`process`]). The same clauses judge both.
//!
//! [`run_all`] gives a [`Report`]; [`node_contract!`](crate::node_contract) makes one `#[test]` of
//! every clause.

mod clause;
mod clauses;
mod fixture;
mod macros;
pub mod process;
mod registry;
mod report;
mod run;
mod setting;
mod subject;
mod trial;

pub use clause::{Clause, Scope};
pub use clauses::{clause, clauses, clauses_of};
pub use fixture::{FixtureSubject, NodeFixture};
pub use registry::{Made, RegistryFixture, RegistrySubject};
pub use report::{Judgement, REPORT_FORMAT, Report, Verdict};
#[doc(hidden)]
pub use run::{Unkept, kept, kept_by_registry, kept_by_type};
pub use run::{UnknownClause, run_all, run_one, run_registry, run_registry_subject, run_subject};
pub use setting::{Setting, SettingKind};
pub use subject::{
    Case, Executed, Execution, Profile, SOURCE, Scenario, Setup, Specimen, Subject, TRACE, Trouble,
};

/// The page about contracts; its examples are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/contracts.md")]
struct Page;
