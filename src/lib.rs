//! flakedb: find flaky tests from JUnit XML, fence them off, and fix them.
//!
//! The crate is the `flakedb` command and the library under it. `docs/ARCHITECTURE.md` is the map;
//! in short, each layer may use those above it in this list and none below:
//!
//! | layer | modules | knows |
//! | --- | --- | --- |
//! | L0 | `model` | plain data |
//! | L1 | `junit`, `import`, `listing`, `context`, `config` | bytes, the outside of a run, the configuration file |
//! | L2 | `store` | the history |
//! | L3 | `analysis` | judging |
//! | L4 | `quarantine`, `report` | lists for runners, screens |
//! | L5 | `ops` | use cases |
//! | L6 | `cli` | the command line |
//! | apart | `testkit` | what takes away the causes of flakiness: a mock Ollama server, seeded test data, nodes and their contracts |

#[cfg(feature = "history")]
pub mod analysis;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod config;
#[cfg(feature = "cli")]
pub mod context;
#[cfg(feature = "cli")]
pub mod import;
pub mod junit;
#[cfg(feature = "cli")]
pub mod listing;
pub mod model;
#[cfg(feature = "cli")]
pub mod ops;
#[cfg(feature = "cli")]
pub mod quarantine;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "history")]
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
