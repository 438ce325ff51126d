//! Tests of significance that hold for small counts, and what many of them at once amount to.
//!
//! Pure functions of numbers; they know nothing of tests, runs or failures. Each says where its
//! formula comes from, and is held against a computation that shares no code with it.

pub mod change;
pub mod counts;
pub mod discovery;
pub mod ranks;
