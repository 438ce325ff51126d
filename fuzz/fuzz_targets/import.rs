//! Any bytes at all: the promises of tests/it/promises/import.rs hold.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/promises/mod.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| promises::import::check(bytes));
