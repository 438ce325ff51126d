//! The whole command, from arguments to exit code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

mod attacks;
mod backtest;
mod color;
mod command;
mod compare;
mod contracts;
mod corpus;
mod emit;
mod formats;
mod gate;
mod generate;
mod generated;
mod histories;
mod hostile;
mod hunt;
mod import;
mod ingest;
mod main_job;
mod page;
mod promises;
mod prune;
mod quarantine_list;
mod questions;
mod reader;
mod readings;
mod reference;
mod run;
mod show;
mod store_concurrency;
mod terminal;
mod upgrade;

/// A file of tests that is not listed above would never run.
#[test]
fn every_file_of_tests_is_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") {
            assert!(listed.contains(&format!("mod {module};")), "{name} is not listed in main.rs");
        }
    }
}
