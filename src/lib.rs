//! flakedb: find flaky tests from JUnit XML, fence them off, and fix them.
//!
//! The crate is the `flakedb` command and the library under it. `docs/ARCHITECTURE.md` is the map;
//! in short, each layer may use those above it in this list and none below:
//!
//! | layer | modules | knows |
//! | --- | --- | --- |
//! | L0 | [`model`] | plain data |

#[cfg(feature = "history")]
pub mod analysis;
pub mod model;
#[cfg(feature = "cli")]
pub mod quarantine;
#[cfg(feature = "history")]
pub mod store;
