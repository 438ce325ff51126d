//! What a search for order dependence found.

use serde::Serialize;

/// Failures among replays of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailuresView {
    /// It failed in so many.
    pub failed: u32,
    /// Replays.
    pub replays: u32,
}

/// One test that was looked into.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OrderCaseView {
    /// The test.
    pub test: String,
    /// `proven`, `flaky`, `always-fails`, `cleared`, `did-not-run` or `not-decided`.
    pub verdict: &'static str,
    /// `victim`: it passes alone and fails behind polluters. `brittle`: it fails alone and passes
    /// behind state-setters. Absent where it depends on nothing that was seen.
    pub role: Option<&'static str>,
    /// The polluters or state-setters in their order, as far as they are known.
    pub needed: Vec<String>,
    /// Tests among which those that are not named are; 0 where all are named.
    pub among: u64,
    /// Confirming replays of the test behind those.
    pub with: FailuresView,
    /// Confirming replays of the test alone.
    pub without: FailuresView,
    /// The largest probability that a test which fails by chance looks so in the confirming replays.
    pub chance: Option<f64>,
    /// What to run, in the runner's own words and in this order, to see it.
    pub words: Vec<String>,
    /// Its first failure.
    pub failure: String,
}

/// One replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayView {
    /// Its number, from 1.
    pub replay: u32,
    /// Why it was made: `remembered`, `as-listed`, `reversed`, `shuffled`, `last`, `alone`,
    /// `again`, `halving` or `confirming`.
    pub purpose: &'static str,
    /// Tests that were to run.
    pub tests: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How it ended.
    pub how: String,
    /// How long it took.
    pub seconds: f64,
}

/// What a search for order dependence found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OrderView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The command, as it can be typed.
    pub command: String,
    /// Its runner.
    pub runner: &'static str,
    /// Tests that it lists.
    pub tests: u64,
    /// The test in question, where one was named.
    pub asked: Option<String>,
    /// True where the runner keeps its own order, so that only parts could be tried.
    pub own_order: bool,
    /// Replays at most.
    pub budget: u32,
    /// The seed of orders by chance.
    pub seed: u64,
    /// Failing orders that the history remembered.
    pub remembered: u64,
    /// The first of these that holds for any test: `proven`, `not-decided`, `flaky`,
    /// `always-fails`, `did-not-run`, `cleared`.
    pub finding: &'static str,
    /// The tests that were looked into.
    pub cases: Vec<OrderCaseView>,
    /// Tests that failed in one order and passed in another, and were not looked into.
    pub open: Vec<String>,
    /// Tests that failed in every order that was tried.
    pub failing: Vec<String>,
    /// Orders of many tests that were tried to see a dependence.
    pub orders: u32,
    /// True where the replays were over before the search was.
    pub cut: bool,
    /// True where somebody ended the search.
    pub interrupted: bool,
    /// The replays, in order.
    pub replays: Vec<ReplayView>,
    /// The history that the replays were stored in.
    pub history: Option<String>,
    /// What people should know.
    pub notes: Vec<String>,
}

impl OrderView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.order.v1";
}
