//! What happens to the history when the world is unkind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

// They need a library in front of the system's own: Linux alone.
#[cfg(target_os = "linux")]
mod by_count;
#[path = "../it/command.rs"]
#[allow(dead_code, reason = "the tests of all commands use more of it")]
mod command;
mod history;
mod repair;
#[cfg(target_os = "linux")]
mod shim;
#[cfg(target_os = "linux")]
mod world;

#[cfg(not(target_os = "linux"))]
#[test]
#[ignore = "faults are injected by LD_PRELOAD, which only Linux has"]
fn faults_by_count() {}
