//! The published shape of everything flakedb prints: plain data with stable names.
//!
//! Keys are snake_case, times RFC 3339 in UTC, durations seconds, shares between 0 and 1. A schema
//! only grows; what must change otherwise gets a new version. Text stands here as reports gave it
//! (JSON escapes it); renderers for people escape it themselves.

mod backtest;
mod compare;
mod dashboard;
mod fact;
mod failure;
mod gate;
mod hint;
mod hunt;
mod ingest;
mod latest_failure;
mod listed;
mod order;
mod quarantine;
mod quarantine_lint;
mod quarantine_simulation;
mod quarantine_update;
pub mod question;
mod report;
mod show;
mod split;
mod test;
mod trail;
mod validate;
mod weighing;
mod workers;

pub use backtest::{BacktestInput, BacktestView, FlagView, HiddenView, TrialView, TurnView};
pub use compare::{CompareInput, CompareView, DisputeView, MethodView, OpinionView, Said};
pub use dashboard::{
    ChangePointView, CourseView, DashboardInput, DashboardView, DurationClassView, DurationsView,
    FailedRunView, HalvesView, PeriodView, SquareView, TrendView,
};
pub use fact::{FactView, NextView};
pub use failure::{DifferenceLine, DifferenceView, FailureView, VariantCount};
pub use gate::{
    EntryView, ExpectedView, GateInput, GateReportView, GateTestView, GateView, MissingView,
    ReasonView, RunnerView, SourceView,
};
pub use hint::{HintView, MediansView, ShareView};
pub use hunt::{ChanceView, EndingView, FailedRun, HuntView, HuntedTest, SightingView, TallyView};
pub use ingest::{FileProblem, IngestView, Phase};
pub use latest_failure::LatestFailureView;
pub use listed::{ListEventView, ListedView};
pub use order::{FailuresView, OrderCaseView, OrderView, ReplayView};
pub use quarantine::{QuarantineEntry, QuarantineRule, QuarantineView, StandingView};
pub use quarantine_lint::{FindingView, LintView};
pub use quarantine_simulation::{HiddenRegressionView, SimulationView, TermView};
pub use quarantine_update::{Applied, BudgetView, ChangeView, UpdateView, WithheldView};
pub use question::QuestionView;
pub use report::{
    Explain, Listing, OutageView, ReportInput, ReportView, RunsView, StatusSet, TotalsView,
};
pub use show::{ShowInput, ShowView, TimelineRow, VariantView};
pub use split::{
    BalanceView, DealtView, LongestView, RanView, ShardView, SourcesView, SplitReviewView,
    SplitView,
};
pub use test::{Failing, HarmView, RateView, TestLabel, TestView};
pub use trail::{BreakageView, PointView, RetriesView, StatusChange, TrailView};
pub use validate::{FileVerdict, FileView, Level, ValidateView, WarningView};
pub use weighing::{CausesView, EventView, EvidenceView, WeighingView};
pub use workers::{CrashedView, SharedView, SlowTestView, WorkerView, WorkersView};

use serde::Serialize;

use super::sentence;
use crate::model::{Lane, Timestamp};

/// The question that selected the runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WindowText {
    /// Only the last so many runs.
    pub last_runs: Option<u32>,
    /// Only the last so many days, where that is how it was asked.
    pub last_days: Option<u32>,
    /// Only runs that started at or after this time.
    pub since: Option<Timestamp>,
    /// Only runs that started before this time.
    pub until: Option<Timestamp>,
    /// Only these branches; empty for all.
    pub branches: Vec<String>,
    /// Only this lane.
    pub lane: Option<Lane>,
    /// Only this variant.
    pub variant: Option<String>,
}

/// The window in words and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WindowView {
    /// In words: `last 50 runs on branch main`.
    pub text: String,
    /// Only the last so many runs.
    pub last_runs: Option<u32>,
    /// Runs that started at or after this time.
    pub since: Option<String>,
    /// Runs that started before this time.
    pub until: Option<String>,
    /// These branches; empty for all.
    pub branches: Vec<String>,
    /// This lane.
    pub lane: Option<&'static str>,
    /// This variant.
    pub variant: Option<String>,
}

impl WindowView {
    /// Describes a window.
    #[must_use]
    pub fn new(window: &WindowText) -> Self {
        Self {
            text: window_words(window),
            last_runs: window.last_runs,
            since: window.since.map(Timestamp::to_rfc3339),
            until: window.until.map(Timestamp::to_rfc3339),
            branches: window.branches.clone(),
            lane: window.lane.map(Lane::word),
            variant: window.variant.clone(),
        }
    }
}

fn window_words(window: &WindowText) -> String {
    let mut words = match (window.last_runs, window.last_days) {
        (Some(1), None) => "last run".to_owned(),
        (Some(runs), None) => format!("last {}", sentence::count(runs, "run")),
        (None, Some(1)) => "last day".to_owned(),
        (None, Some(days)) => format!("last {}", sentence::count(days, "day")),
        (Some(runs), Some(days)) => format!(
            "last {} of the last {}",
            sentence::count(runs, "run"),
            sentence::count(days, "day")
        ),
        (None, None) => "all runs".to_owned(),
    };
    // The days already say it where both are given.
    if let (Some(since), None) = (window.since, window.last_days) {
        words += &format!(" since {}", sentence::minute(since));
    }
    if let Some(until) = window.until {
        words += &format!(" until {}", sentence::minute(until));
    }
    match window.branches.as_slice() {
        [] => {}
        [branch] => words += &format!(" on branch {branch}"),
        branches => words += &format!(" on branches {}", sentence::list(branches)),
    }
    if let Some(lane) = window.lane {
        words += &format!(" of {}", sentence::lane(lane));
    }
    if let Some(variant) = &window.variant {
        words += &format!(" with {variant}");
    }
    words
}

/// Rounds to six decimals, so that JSON does not carry digits that mean nothing.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_reads_as_words() {
        let runs = WindowText { last_runs: Some(50), ..WindowText::default() };
        let branch = WindowText { branches: vec!["main".into()], ..runs.clone() };
        let days = WindowText {
            last_days: Some(14),
            since: Some(Timestamp(0)),
            lane: Some(Lane::Default),
            variant: Some("os=linux".into()),
            ..WindowText::default()
        };
        assert_eq!(window_words(&runs), "last 50 runs");
        assert_eq!(window_words(&branch), "last 50 runs on branch main");
        assert_eq!(window_words(&days), "last 14 days of default branch with os=linux");
        assert_eq!(window_words(&WindowText::default()), "all runs");
    }
}
