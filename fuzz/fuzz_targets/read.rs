//! Any bytes at all: the reader keeps its promises.
#![no_main]

#[path = "../../tests/it/promises.rs"]
mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    promises::check(bytes);
});
