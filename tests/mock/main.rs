//! The mock server, seen from the other end of a socket.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::expect_used, reason = "a test may fail by panicking")]
#![allow(clippy::panic, reason = "a test may fail by panicking")]

mod again;
mod any_order;
mod faults;
mod hostile;
mod seeing;
mod wire;
