//! The quarantine list.

use chrono::NaiveDate;
use serde::Serialize;

use super::rounded;
use crate::analysis::verdict::Status;
use crate::quarantine::list::{Entry, Rule, Target};
use crate::quarantine::update::Figures;

/// One line of the quarantine.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct QuarantineEntry {
    /// The test, or the pattern, as it is printed and typed.
    pub test: String,
    /// The matrix cell; empty where all are meant.
    pub variant: String,
    /// The test's identity in hexadecimal; empty for a pattern.
    pub id: String,
    /// The test's source file; empty where unknown.
    pub file: String,
    /// Who cares for it.
    pub owner: Option<String>,
    /// Why it is here.
    pub reason: String,
    /// Where the repair is tracked.
    pub ticket: Option<String>,
    /// The day it came in.
    pub since: Option<String>,
    /// The day it must be out.
    pub expires: Option<String>,
    /// True where `test` is a pattern.
    pub pattern: bool,
    /// The line of the file where it starts; `None` where it is not from a file.
    pub line: Option<u64>,
    /// `live` or `expired`; `None` where it is not from a file.
    pub state: Option<&'static str>,
    /// Days since it came in.
    pub age_days: Option<i64>,
    /// Days until it must be out; 0 or less where it has expired.
    pub days_left: Option<i64>,
    /// Tests that it means, as far as they ran in the window; `None` where nobody counted.
    pub tests: Option<u64>,
    /// How its tests stand; `None` where nobody looked.
    pub now: Option<StandingView>,
}

impl QuarantineEntry {
    /// What the file says of an entry, on a day in UTC.
    #[must_use]
    pub fn of(entry: &Entry, today: NaiveDate) -> Self {
        let days = |day: Option<NaiveDate>| day.map(|day| (day - today).num_days());
        Self {
            test: entry.target.to_string(),
            variant: entry.variant.to_string(),
            owner: entry.owner.clone(),
            reason: entry.reason.clone().unwrap_or_default(),
            ticket: entry.ticket.clone(),
            since: entry.since.map(|day| day.to_string()),
            expires: entry.expires.map(|day| day.to_string()),
            pattern: matches!(entry.target, Target::Pattern(_)),
            line: Some(entry.line as u64),
            state: Some(if entry.is_expired(today) { "expired" } else { "live" }),
            age_days: days(entry.since).map(|days| -days),
            days_left: days(entry.expires),
            ..Self::default()
        }
    }
}

/// How the tests of an entry stand.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StandingView {
    /// The most alarming status of its tests; `None` where none ran in the window.
    pub status: Option<&'static str>,
    /// The highest probability that one is flaky, where the method gives one.
    pub probability: Option<f64>,
    /// Runs with a flake.
    pub flakes: u64,
    /// Runs that count.
    pub runs: u64,
    /// Runs in a row without a flake, in the cell that lacks most.
    pub clean_runs: u64,
    /// So many release it.
    pub clean_runs_needed: u64,
    /// The day of the last flake.
    pub last_flake: Option<String>,
    /// The day of the last run.
    pub last_run: Option<String>,
}

impl StandingView {
    /// The numbers as they are published.
    #[must_use]
    pub fn new(figures: &Figures) -> Self {
        Self {
            status: figures.status.map(Status::word),
            probability: figures.probability.map(rounded),
            flakes: figures.flakes.into(),
            runs: figures.runs.into(),
            clean_runs: figures.clean.into(),
            clean_runs_needed: figures.clean_needed.into(),
            last_flake: figures.last_flake.map(|day| day.to_string()),
            last_run: figures.last_run.map(|day| day.to_string()),
        }
    }
}

/// A rule of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct QuarantineRule {
    /// `always` or `never`.
    pub rule: &'static str,
    /// The test or the pattern.
    pub test: String,
    /// True where `test` is a pattern.
    pub pattern: bool,
    /// Why.
    pub reason: String,
    /// The line of the file where it starts.
    pub line: u64,
    /// Tests of the window that it means.
    pub tests: u64,
}

impl QuarantineRule {
    /// What the file says of a rule that means so many tests.
    #[must_use]
    pub fn of(word: &'static str, rule: &Rule, tests: u64) -> Self {
        Self {
            rule: word,
            test: rule.target.to_string(),
            pattern: matches!(rule.target, Target::Pattern(_)),
            reason: rule.reason.clone(),
            line: rule.line as u64,
            tests,
        }
    }
}

/// The quarantine list: `flakedb quarantine`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct QuarantineView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// Which runs were looked at, in words.
    pub window: String,
    /// Where the list comes from: a file, or the method's recommendation.
    pub source: String,
    /// The entries, most harmful first, or in the order of the file.
    pub entries: Vec<QuarantineEntry>,
    /// Tests that qualify but exceed the cap.
    pub left_out: u64,
    /// The cap.
    pub cap: Option<u64>,
    /// Remarks, such as entries that a runner cannot express.
    pub notes: Vec<String>,
    /// The file; `None` where the list is the method's recommendation.
    pub list: Option<String>,
    /// Tests that live entries of the file cover; the cap is for them.
    pub held: Option<u64>,
    /// The rules of the file.
    pub rules: Vec<QuarantineRule>,
}

impl QuarantineView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.quarantine.v1";
}

impl Default for QuarantineView {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA,
            project: String::new(),
            window: String::new(),
            source: String::new(),
            entries: Vec::new(),
            left_out: 0,
            cap: None,
            notes: Vec::new(),
            list: None,
            held: None,
            rules: Vec::new(),
        }
    }
}
