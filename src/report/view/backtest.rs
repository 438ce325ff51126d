//! What each of several rules would have done.

use serde::Serialize;

use super::super::trial;
use super::{RunsView, TestLabel, WindowText, WindowView, rounded};
use crate::analysis::Settings;
use crate::analysis::backtest::{Backtest, Flag, Hidden, Rule, Trial};
use crate::analysis::verdict::JudgedRun;
use crate::store::query::TestNo;

/// What a back-test is described with.
#[derive(Debug, Clone, Copy)]
pub struct BacktestInput<'a> {
    /// The project.
    pub project: &'a str,
    /// The question that selected the runs.
    pub window: &'a WindowText,
    /// The settings in force.
    pub settings: &'a Settings,
}

/// A window under several rules: `flakedb report --backtest`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BacktestView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// Which runs were looked at.
    pub window: WindowView,
    /// The method in force.
    pub method: String,
    /// The runs of the window.
    pub runs: RunsView,
    /// Regressions of the main line, counted for each test and variant.
    pub regressions: u32,
    /// What each rule would have done: thresholds of the filter from low to high, then others.
    pub rules: Vec<TrialView>,
    /// The one of `rules` that pages for people tell more of.
    #[serde(skip)]
    pub told: usize,
}

impl BacktestView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.backtest.v1";

    /// Describes a back-test; `names` gives each test its label.
    #[must_use]
    pub fn new(
        tested: &Backtest,
        names: &dyn Fn(TestNo) -> TestLabel,
        input: BacktestInput<'_>,
    ) -> Self {
        let view = |trial: &Trial| TrialView::new(trial, &tested.runs, names, input.settings);
        // A method without a threshold of its own is told of the one that the filter would have.
        let told = tested.trials.iter().position(|trial| trial.in_force);
        let configured = Rule::filter(&input.settings.filter, input.settings.filter.enter());
        let told = told.or(tested.trials.iter().position(|trial| trial.rule == configured));
        Self {
            schema: Self::SCHEMA,
            project: input.project.to_owned(),
            window: WindowView::new(input.window),
            method: input.settings.method.clone(),
            runs: RunsView::new(&tested.runs),
            regressions: tested.regressions,
            rules: tested.trials.iter().map(view).collect(),
            told: told.unwrap_or(0),
        }
    }

    /// The rule that pages for people tell more of.
    #[must_use]
    pub fn told(&self) -> Option<&TrialView> {
        self.rules.get(self.told)
    }
}

/// What one rule would have done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrialView {
    /// Its kind: `filter`, or `threshold` for the classic rule.
    pub rule: &'static str,
    /// Its name in a table: a threshold of the filter, or words.
    pub name: String,
    /// The rule in one sentence.
    pub text: String,
    /// The share or probability from which a test is flaky.
    pub threshold: Option<f64>,
    /// The probability below which it is no longer flaky.
    pub stay: Option<f64>,
    /// The settings use it.
    pub in_force: bool,
    /// The settings would use it with `--strict`.
    #[serde(skip)]
    pub strict: bool,
    /// Tests called flaky at some time, counted once for each variant.
    pub tests_flagged: u64,
    /// Of these, tests none of whose failures was a flake.
    pub tests_flagged_wrongly: u64,
    /// Of these, tests still called flaky in the end.
    pub tests_flagged_at_end: u64,
    /// Half of those that flaked were called flaky after so many flakes or fewer.
    pub flakes_until_flagged_median: Option<u32>,
    /// Red runs that would have been green.
    pub runs_turned_green: u32,
    /// Of these, runs in which something was broken.
    pub runs_turned_green_wrongly: u32,
    /// Regressions of the main line with at least one failed run hidden.
    pub regressions_hidden: u64,
    /// Failed runs of regressions that are hidden.
    pub regression_runs_hidden: u32,
    /// The most hidden runs of one regression.
    pub regression_runs_hidden_max: u32,
    /// Failures that a change caused on its own runs, and that are hidden.
    pub change_failures_hidden: u32,
    /// The tests called flaky, latest first.
    pub flags: Vec<FlagView>,
    /// The regressions hidden, latest first.
    pub hidden: Vec<HiddenView>,
}

impl TrialView {
    fn new(
        trial: &Trial,
        runs: &[JudgedRun],
        names: &dyn Fn(TestNo) -> TestLabel,
        settings: &Settings,
    ) -> Self {
        let (rule, threshold, stay) = match &trial.rule {
            Rule::Filter { flaky, stay } => ("filter", Some(*flaky), Some(*stay)),
            Rule::Classic(classic) => ("threshold", Some(classic.threshold), None),
        };
        let filter = &settings.filter;
        let strict =
            matches!(trial.rule, Rule::Filter { flaky, .. } if flaky == filter.flaky_strict);
        Self {
            rule,
            name: trial::name(&trial.rule),
            text: trial::rule(&trial.rule),
            threshold: threshold.map(rounded),
            stay: stay.map(rounded),
            in_force: trial.in_force,
            strict: strict && !filter.strict,
            tests_flagged: trial.flags.len() as u64,
            tests_flagged_wrongly: trial.flagged_wrongly() as u64,
            tests_flagged_at_end: trial.flagged_at_end() as u64,
            flakes_until_flagged_median: trial.flakes_median(),
            runs_turned_green: trial.greened,
            runs_turned_green_wrongly: trial.greened_wrongly,
            regressions_hidden: trial.hidden.len() as u64,
            regression_runs_hidden: trial.hidden_runs(),
            regression_runs_hidden_max: trial.hidden_runs_max(),
            change_failures_hidden: trial.changes_hidden,
            flags: trial.flags.iter().map(|flag| FlagView::new(flag, runs, names)).collect(),
            hidden: trial.hidden.iter().map(|one| HiddenView::new(one, runs, names)).collect(),
        }
    }
}

impl TrialView {
    /// Everything that tables say of it.
    #[must_use]
    pub const fn numbers(&self) -> [u64; 9] {
        [
            self.tests_flagged,
            self.tests_flagged_wrongly,
            self.tests_flagged_at_end,
            match self.flakes_until_flagged_median {
                Some(flakes) => flakes as u64 + 1,
                None => 0,
            },
            self.runs_turned_green as u64,
            self.runs_turned_green_wrongly as u64,
            self.regressions_hidden,
            self.regression_runs_hidden as u64,
            self.change_failures_hidden as u64,
        ]
    }
}

/// A run by which something began or ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TurnView {
    /// When it started.
    pub started: String,
    /// The commit under test.
    pub revision: Option<String>,
    /// The branch under test.
    pub branch: Option<String>,
    /// The CI build.
    pub build: Option<String>,
    /// The attempt of that build.
    pub attempt: u32,
    /// Where a person finds its log.
    pub url: Option<String>,
}

impl TurnView {
    fn new(run: u32, runs: &[JudgedRun]) -> Self {
        runs.get(run as usize).map_or_else(Self::default, |run| Self {
            started: run.started.to_rfc3339(),
            revision: run.revision.clone(),
            branch: run.branch.clone(),
            build: run.build.clone(),
            attempt: run.attempt,
            url: run.url.clone(),
        })
    }
}

/// A test that a rule calls flaky.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlagView {
    /// The test as it is printed and typed.
    pub test: String,
    /// The matrix cell; empty where runs have none.
    pub variant: String,
    /// The test's identity, in hexadecimal.
    pub id: String,
    /// The run after which it was first called flaky.
    pub since: TurnView,
    /// The run after which it was no longer; null where it still is.
    pub until: Option<TurnView>,
    /// Flakes that it took.
    pub flakes_until_flagged: u32,
    /// Flakes in the whole window; 0 where the rule seems to be wrong.
    pub flakes: u32,
}

impl FlagView {
    fn new(flag: &Flag, runs: &[JudgedRun], names: &dyn Fn(TestNo) -> TestLabel) -> Self {
        let TestLabel { id, label, .. } = names(flag.subject.test);
        Self {
            test: label,
            variant: flag.subject.variant.clone(),
            id: id.to_string(),
            since: TurnView::new(flag.since, runs),
            until: flag.until.map(|run| TurnView::new(run, runs)),
            flakes_until_flagged: flag.flakes,
            flakes: flag.flakes_ever,
        }
    }
}

/// A regression of which a rule hides failed runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HiddenView {
    /// The test as it is printed and typed.
    pub test: String,
    /// The matrix cell; empty where runs have none.
    pub variant: String,
    /// The test's identity, in hexadecimal.
    pub id: String,
    /// The first failed run.
    pub from: TurnView,
    /// Failed runs of the regression.
    pub failed_runs: u32,
    /// Those that are hidden.
    pub hidden_runs: u32,
    /// The first failed run that is shown after those; null where none is.
    pub shown_from: Option<TurnView>,
}

impl HiddenView {
    fn new(hidden: &Hidden, runs: &[JudgedRun], names: &dyn Fn(TestNo) -> TestLabel) -> Self {
        let TestLabel { id, label, .. } = names(hidden.subject.test);
        Self {
            test: label,
            variant: hidden.subject.variant.clone(),
            id: id.to_string(),
            from: TurnView::new(hidden.from, runs),
            failed_runs: hidden.failed,
            hidden_runs: hidden.hidden,
            shown_from: hidden.shown_from.map(|run| TurnView::new(run, runs)),
        }
    }
}
