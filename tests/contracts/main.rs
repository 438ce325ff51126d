//! The contracts of nodes: kept by what is right, and able to catch what is wrong.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::expect_used, reason = "a test may fail by panicking")]
#![allow(clippy::panic, reason = "a test may fail by panicking")]

mod built_in;
mod documents;
mod echo;
mod mutants;
mod process;
mod registry_mutants;
mod rendering;
mod wrong_nodes;
