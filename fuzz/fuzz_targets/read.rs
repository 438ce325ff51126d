//! Any bytes at all: the reader keeps its promises, and so does the merging of reports.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/promises/mod.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| promises::reader::check_twice(bytes));
