//! What holds for the reading of any bytes: the bodies of the fuzz targets and of property tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a promise that is broken is a panic, which fuzzers and tests take for a finding"
)]

pub(crate) mod archive;
pub(crate) mod configuration;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod listing;
pub(crate) mod owners;
pub(crate) mod quarantine;
pub(crate) mod reader;
pub(crate) mod segment;
pub(crate) mod sidecar;

/// One target: its name in `fuzz/`, and its body.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every reader of foreign bytes but the mock server, whose promises are in tests/mock.
pub(crate) const TARGETS: &[Target] = &[
    ("archive", archive::check),
    ("configuration", configuration::check),
    ("history", history::check),
    ("import", import::check),
    ("listing", listing::check),
    ("owners", owners::check),
    ("quarantine", quarantine::check),
    ("read", reader::check_twice),
    ("segment", segment::check),
    ("sidecar", sidecar::check),
];
