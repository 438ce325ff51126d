//! The flags that say how to judge, and what they make of the configuration's settings.

use clap::builder::{PossibleValue, PossibleValuesParser};
use toml::Value;

use crate::analysis::Settings;
use crate::analysis::method::METHODS;
use crate::context::git::Checkout;
use crate::context::owners::Owners;
use crate::ops::judge::{JudgeRequest, JudgingError};
use crate::ops::show::ShowError;
use crate::report::view::WindowText;
use crate::store::sqlite::SqliteStore;

use super::failure::Failure;
use super::global::{Global, Settled};
use super::numbers::{self, Number, Typed};
use super::window::WindowArgs;

/// How to judge.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Judging")]
pub struct JudgingArgs {
    // First, as it looks at what those below take away.
    #[command(flatten)]
    typed: Typed,
    #[command(flatten)]
    window: WindowArgs,
    /// The method [default: filter]
    #[arg(long, value_name = "NAME", env = "FLAKEDB_METHOD", value_parser = methods(),
          help_heading = "Judging")]
    method: Option<String>,
    /// filter: call a test flaky from a probability of 0.5 on, not 0.35
    #[arg(long, env = "FLAKEDB_STRICT", value_parser = clap::builder::FalseyValueParser::new(),
          action = clap::ArgAction::SetTrue, help_heading = "Judging")]
    strict: bool,
    /// threshold, wilson: look at the last N results of a test [default: 10, 100 for wilson]
    #[arg(long = "window", value_name = "N", env = "FLAKEDB_WINDOW", value_parser = clap::value_parser!(u32).range(1..),
          help_heading = "Judging")]
    window_results: Option<u32>,
    /// Judge tests with at least N results [default: 5; 3 or 1 for other methods than filter and evidence]
    #[arg(long, value_name = "N", env = "FLAKEDB_MIN_RUNS", help_heading = "Judging")]
    min_runs: Option<u32>,
    /// threshold, flip-rate, entropy: this much is flaky [default: 0.3, 0.1, 0.05]
    #[arg(long, value_name = "SHARE", env = "FLAKEDB_THRESHOLD", value_parser = share, help_heading = "Judging")]
    threshold: Option<f64>,
    /// Recommend for quarantine from N results [default: 5]
    #[arg(long, value_name = "N", env = "FLAKEDB_QUARANTINE_RUNS", help_heading = "Judging")]
    quarantine_runs: Option<u32>,
}

/// The names of methods, with what each looks for.
#[must_use]
pub fn methods() -> PossibleValuesParser {
    let value = |method: &crate::analysis::method::MethodEntry| {
        PossibleValue::new(method.name).help(method.summary)
    };
    PossibleValuesParser::new(METHODS.iter().map(value))
}

fn share(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "a share lies between 0 and 1, such as 0.3".to_owned())
}

impl JudgingArgs {
    /// The request that flags and configuration make together.
    ///
    /// # Errors
    /// Where the history has no such project, or the method does not use a flag that was typed.
    pub fn request(
        &self,
        global: &Global,
        settled: &Settled,
        store: &SqliteStore,
    ) -> Result<JudgeRequest, Failure> {
        self.request_of(global, settled, store, &[])
    }

    /// The same where other methods judge beside the chosen one, which the flags are for as well.
    ///
    /// # Errors
    /// Where the history has no such project, or none of the methods uses a flag that was typed.
    pub fn request_of(
        &self,
        global: &Global,
        settled: &Settled,
        store: &SqliteStore,
        also: &[&str],
    ) -> Result<JudgeRequest, Failure> {
        let window = &self.window;
        if let (Some(since), Some(until)) = (window.since, window.until)
            && since >= until
        {
            return Err(Failure::usage(anyhow::anyhow!(
                "the window is empty: --since {} is not before --until {}",
                since.to_rfc3339(),
                until.to_rfc3339()
            )));
        }
        let timed = window.days.is_some() || window.since.is_some();
        let configured = settled.file.window;
        Ok(JudgeRequest {
            project: settled.project(global, store)?,
            window: WindowText {
                last_runs: window.runs.or(configured.runs.filter(|_| !timed)),
                last_days: window.days.or(configured
                    .days
                    .filter(|_| window.runs.is_none() && window.since.is_none())),
                since: window.since,
                until: window.until,
                branches: window.branch.clone(),
                lane: window.lane,
                variant: window.variant.as_ref().map(ToString::to_string),
            },
            settings: self.settings(settled, also)?,
        })
    }

    fn settings(&self, settled: &Settled, also: &[&str]) -> Result<Settings, Failure> {
        let mut settings = settled.file.judging.clone().unwrap_or_default();
        if let Some(method) = &self.method {
            settings.method.clone_from(method);
        }
        let chosen = settings.method.clone();
        let others = also.iter().copied().filter(|method| *method != chosen);
        let methods: Vec<&str> = std::iter::once(chosen.as_str()).chain(others).collect();
        numbers::set(settings, self.numbers(), &self.typed, &methods)
    }

    /// The flags that are numbers of methods.
    fn numbers(&self) -> Vec<Number> {
        let count = |flag: Option<u32>| flag.map(|count| Value::Integer(count.into()));
        let number = |id, flag, key, value| Number { id, flag, key, value };
        vec![
            number("strict", "strict", "strict", self.strict.then_some(Value::Boolean(true))),
            number("window_results", "window", "window", count(self.window_results)),
            number("min_runs", "min-runs", "min-runs", count(self.min_runs)),
            number("threshold", "threshold", "threshold", self.threshold.map(Value::Float)),
            number(
                "quarantine_runs",
                "quarantine-runs",
                "quarantine-runs",
                count(self.quarantine_runs),
            ),
        ]
    }
}

/// The owners of files, where the repository around the configuration names them.
#[must_use]
pub fn owners(settled: &Settled) -> Option<Owners> {
    let root = Checkout::root_of(&settled.directory);
    let root = root.unwrap_or_else(|| settled.directory.clone());
    Owners::find(&root).map(|found| found.owners)
}

impl From<JudgingError> for Failure {
    fn from(error: JudgingError) -> Self {
        match error {
            JudgingError::Judge(_) => Self::usage(error),
            _ => Self::history(error),
        }
    }
}

impl From<ShowError> for Failure {
    fn from(error: ShowError) -> Self {
        match error {
            ShowError::Judging(error) => error.into(),
            ShowError::Several { .. } => Self::usage(error).hint("type more of the name"),
            _ => Self::usage(error),
        }
    }
}
