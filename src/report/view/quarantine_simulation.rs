//! What the policy would have done to a history, day by day.

use serde::Serialize;

use super::rounded;
use crate::model::Timestamp;
use crate::quarantine::simulate::{Hidden, Simulated, Term};

/// A regression that the list would have hidden.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HiddenRegressionView {
    /// The test.
    pub test: String,
    /// The matrix cell; empty where runs have none.
    pub variant: String,
    /// When the first hidden run started.
    pub from: String,
    /// The revision of the first failed run, where known.
    pub revision: Option<String>,
    /// Failed runs.
    pub runs_failed: u32,
    /// Those that are hidden.
    pub runs_hidden: u32,
    /// When a failed run was shown after the hidden ones; `None` where none was.
    pub shown: Option<String>,
    /// For how long nobody saw it.
    pub hidden_seconds: i64,
}

/// A stay on the list.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TermView {
    /// The test.
    pub test: String,
    /// The pairs of the matrix cells that are meant; empty for all.
    pub variant: String,
    /// The day it came in.
    pub from: String,
    /// The day it left; `None` where it is there in the end.
    pub until: Option<String>,
    /// Why it left: `release`, `expire` or `stale`.
    pub ended_by: Option<&'static str>,
    /// Days on the list.
    pub days: i64,
    /// How often it was extended.
    pub extended: u32,
    /// Why it came in.
    pub reason: String,
}

/// What the policy would have done: `flakedb quarantine simulate`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SimulationView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// The first day replayed.
    pub from: String,
    /// The first day not replayed any more.
    pub until: String,
    /// Days replayed.
    pub days: u32,
    /// Runs replayed.
    pub runs: u32,
    /// Builds replayed: the runs of one attempt of one CI build are one.
    pub builds: u32,
    /// Red ones among them.
    pub builds_red: u32,
    /// Red builds that would have been green.
    pub builds_turned_green: u32,
    /// Builds among these in which something was broken.
    pub builds_turned_green_wrongly: u32,
    /// Regressions of the main line that began in these days, for each test and cell.
    pub regressions: u32,
    /// Regressions that would have been hidden for a while, the longest first.
    pub hidden: Vec<HiddenRegressionView>,
    /// Most tests on the list on one day.
    pub tests_held_max: u32,
    /// Tests on the list on an average day.
    pub tests_held_mean: f64,
    /// How long a stay lasted, the median of all in days; `None` where nothing was listed.
    pub days_held_median: Option<i64>,
    /// Stays that are not over.
    pub still_held: u32,
    /// Every stay on the list, the latest first.
    pub terms: Vec<TermView>,
}

impl SimulationView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.quarantine-simulation.v1";

    /// Describes a replay of the days from `from` up to, not including, `until`.
    #[must_use]
    pub fn new(
        simulated: &Simulated,
        project: &str,
        from: chrono::NaiveDate,
        until: chrono::NaiveDate,
    ) -> Self {
        let mut days: Vec<i64> = simulated.terms.iter().map(|term| term.days(until)).collect();
        days.sort_unstable();
        Self {
            schema: Self::SCHEMA,
            project: project.to_owned(),
            from: from.to_string(),
            until: until.to_string(),
            days: simulated.days,
            runs: simulated.runs,
            builds: simulated.builds,
            builds_red: simulated.builds_red,
            builds_turned_green: simulated.greened,
            builds_turned_green_wrongly: simulated.greened_wrongly,
            regressions: simulated.regressions,
            hidden: simulated.hidden.iter().map(hidden).collect(),
            tests_held_max: simulated.held_max,
            tests_held_mean: rounded(simulated.held_mean),
            days_held_median: days.get(days.len().saturating_sub(1) / 2).copied(),
            still_held: simulated.terms.iter().filter(|term| term.until.is_none()).count() as u32,
            terms: simulated.terms.iter().map(|one| term(one, until)).collect(),
        }
    }
}

fn hidden(hidden: &Hidden) -> HiddenRegressionView {
    HiddenRegressionView {
        test: hidden.test.clone(),
        variant: hidden.variant.clone(),
        from: hidden.from.to_rfc3339(),
        revision: hidden.revision.clone(),
        runs_failed: hidden.failed,
        runs_hidden: hidden.hidden,
        shown: hidden.shown.map(Timestamp::to_rfc3339),
        hidden_seconds: hidden.hidden_ms() / 1_000,
    }
}

fn term(term: &Term, end: chrono::NaiveDate) -> TermView {
    TermView {
        test: term.entry.target.to_string(),
        variant: term.entry.variant.to_string(),
        from: term.from.to_string(),
        until: term.until.map(|(day, _)| day.to_string()),
        ended_by: term.until.map(|(_, action)| action.word()),
        days: term.days(end),
        extended: term.extended,
        reason: term.entry.reason.clone().unwrap_or_default(),
    }
}
