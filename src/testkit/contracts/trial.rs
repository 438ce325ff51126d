//! What a check is given, and what it does again and again: find a case, make a node, run it.

use crate::testkit::shown::cut_to;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::clause::Stop;
use super::setting::Setting;
use super::subject::{
    Case, Executed, Execution, Profile, Scenario, Setup, Specimen, Subject, Trouble,
};

/// How long anything may take that should have ended long ago.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// One check of one clause.
#[derive(Clone)]
pub(crate) struct Trial {
    pub(crate) subject: Arc<dyn Subject>,
}

/// A node that ran.
pub(crate) struct Ran {
    pub(crate) specimen: Arc<dyn Specimen>,
    pub(crate) order: Execution,
    pub(crate) done: Executed,
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Fail(trouble.to_string())
    }
}

impl Trial {
    pub(crate) fn profile(&self) -> &Profile {
        self.subject.profile()
    }

    /// The case of a scenario.
    pub(crate) fn case(&self, scenario: Scenario) -> Result<Case, Stop> {
        match self.profile().cases.get(&scenario) {
            Some(Setup::Case(case)) => Ok(case.clone()),
            Some(Setup::Impossible(reason)) => Err(Stop::NotApplicable(reason.clone())),
            Some(Setup::Unset) | None => Err(Stop::NotExercised(format!(
                "the fixture has no case `{scenario}`; give one, or say why there can be none"
            ))),
        }
    }

    /// The usual case; every node has one.
    pub(crate) fn usual(&self) -> Result<Case, Stop> {
        self.case(Scenario::Usual).map_err(|stop| match stop {
            Stop::NotApplicable(reason) => Stop::Fail(format!("no usual case: {reason}")),
            stop => stop,
        })
    }

    /// Makes a node; the inner error is why the subject refused.
    pub(crate) async fn attempt(
        &self,
        config: &Map<String, Value>,
    ) -> Result<Result<Arc<dyn Specimen>, String>, Stop> {
        match self.subject.create(&self.profile().definition(config)).await {
            Ok(specimen) => Ok(Ok(specimen)),
            Err(Trouble::Refused(reason)) => Ok(Err(reason)),
            Err(Trouble::Broken(trouble)) => Err(Stop::Fail(trouble)),
        }
    }

    /// Makes a node of settings that are right.
    pub(crate) async fn make(
        &self,
        config: &Map<String, Value>,
    ) -> Result<Arc<dyn Specimen>, Stop> {
        self.attempt(config).await?.map_err(|reason| {
            Stop::Fail(format!("no node of {}: {reason}", Value::Object(config.clone())))
        })
    }

    /// A node of a case, run once.
    pub(crate) async fn run(&self, case: &Case) -> Result<Ran, Stop> {
        let specimen = self.make(&case.config).await?;
        let order = case.execution();
        let done = specimen.execute(&order).await?;
        Ok(Ran { specimen, order, done })
    }

    /// A node of the usual case, run once with success; where it fails there is nothing to see.
    pub(crate) async fn success(&self) -> Result<Ran, Stop> {
        let ran = self.run(&self.usual()?).await?;
        self.require_success(&ran.done)?;
        Ok(ran)
    }

    pub(crate) fn require_success(&self, done: &Executed) -> Result<(), Stop> {
        match (done.succeeded(), done.is_simulated()) {
            (true, false) => Ok(()),
            (true, true) => Err(Stop::NotExercised("the usual case is only simulated".to_owned())),
            (false, _) => {
                Err(Stop::NotExercised(format!("the usual case did not succeed: {}", done.error())))
            }
        }
    }

    /// The same, with at least one output message.
    pub(crate) async fn spoken(&self) -> Result<Ran, Stop> {
        let ran = self.success().await?;
        match ran.done.outputs().is_empty() {
            true => Err(Stop::NotExercised("the usual case says nothing to anybody".to_owned())),
            false => Ok(ran),
        }
    }

    /// The settings that the node takes.
    pub(crate) async fn settings(&self) -> Result<Vec<Setting>, Stop> {
        let described = self.make(&self.usual()?.config).await?.describe().await?;
        let listed = described.get("settings").cloned().unwrap_or_default();
        match serde_json::from_value::<Vec<Setting>>(listed) {
            Ok(settings) if settings.is_empty() => {
                Err(Stop::NotExercised("`settings` is empty".to_owned()))
            }
            Ok(settings) => Ok(settings),
            Err(error) => {
                Err(Stop::Fail(format!("`settings` of the node cannot be read: {error}")))
            }
        }
    }
}

impl Trial {
    /// The least and the greatest `timeout_ms` that the node takes; 100 and two minutes where it
    /// does not say.
    pub(crate) async fn timeouts(&self) -> Result<(u64, u64), Stop> {
        let settings = self.settings().await?;
        let range = settings.iter().find(|setting| setting.name == "timeout_ms");
        let least = range.and_then(Setting::least_whole).unwrap_or(100).max(1);
        let greatest = range.and_then(Setting::greatest_whole).unwrap_or(120_000);
        Ok((least, greatest.max(least)))
    }
}

/// A value of a JSON object as text for evidence, cut where it is long.
pub(crate) fn shown(value: &Value) -> String {
    const CHARS_MAX: usize = 160;
    cut_to(CHARS_MAX, &value.to_string()).into_owned()
}
