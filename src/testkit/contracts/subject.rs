//! What is under contract, spoken to in JSON: a node of this process or of another one, in any
//! language. Every clause sees this and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::clause::Clause;
use crate::testkit::nodes::{ExecutionContext, Message, NodeType, Payload};

/// The trace of every message that a contract sends.
pub const TRACE: &str = "test-trace-contract";
/// The node that every message of a contract comes from.
pub const SOURCE: &str = "test.source";
/// How long the check of one clause may take where nobody says otherwise. The longest waits inside
/// are far shorter.
pub(crate) const CLAUSE_TIME: Duration = Duration::from_secs(60);

/// A type of node under contract: it makes specimens.
#[async_trait]
pub trait Subject: Send + Sync {
    /// What it is, and the cases to see it in.
    fn profile(&self) -> &Profile;

    /// Makes a node of a definition.
    ///
    /// # Errors
    /// [`Trouble::Refused`] where the definition is wrong.
    async fn create(&self, definition: &Value) -> Result<Arc<dyn Specimen>, Trouble>;

    /// How often anything outside of the node was really asked so far: requests to a server, calls
    /// of a tool, executions of another node. None where the node works with nothing outside.
    ///
    /// # Errors
    /// Where the subject can no longer be spoken to.
    async fn work(&self) -> Result<Option<u64>, Trouble>;

    /// How many executions, and tasks that they left behind, run where the nodes run. None where
    /// that is the runtime that asks: the suite counts its tasks itself.
    ///
    /// # Errors
    /// Where the subject can no longer be spoken to, or cannot tell.
    async fn running(&self) -> Result<Option<u64>, Trouble> {
        Ok(None)
    }

    /// Why a clause does not bind the subject: what it forbids cannot be written down at all.
    fn rules_out(&self, clause: &Clause) -> Option<&'static str> {
        let _ = clause;
        None
    }

    /// How long the check of one clause may take; longer, and the clause fails. A minute.
    fn clause_time(&self) -> Duration {
        CLAUSE_TIME
    }
}

#[async_trait]
impl<S: Subject + ?Sized> Subject for Arc<S> {
    fn profile(&self) -> &Profile {
        (**self).profile()
    }

    async fn create(&self, definition: &Value) -> Result<Arc<dyn Specimen>, Trouble> {
        (**self).create(definition).await
    }

    async fn work(&self) -> Result<Option<u64>, Trouble> {
        (**self).work().await
    }

    async fn running(&self) -> Result<Option<u64>, Trouble> {
        (**self).running().await
    }

    fn rules_out(&self, clause: &Clause) -> Option<&'static str> {
        (**self).rules_out(clause)
    }

    fn clause_time(&self) -> Duration {
        (**self).clause_time()
    }
}

/// One node under contract.
#[async_trait]
pub trait Specimen: Send + Sync {
    /// What it says of itself: `id`, `type`, `name`, `description`, `config` (the common three),
    /// `stats`, `debug` (its text for people), and `settings` (see [`Setting`](super::Setting)).
    ///
    /// # Errors
    /// Where the subject can no longer be spoken to.
    async fn describe(&self) -> Result<Value, Trouble>;

    /// Runs it once. Dropping the future cancels the execution.
    ///
    /// # Errors
    /// Where it gives no result at all.
    async fn execute(&self, order: &Execution) -> Result<Executed, Trouble>;

    /// Counts an execution.
    ///
    /// # Errors
    /// [`Trouble::Refused`] where the numbers make no sense.
    async fn update_stats(&self, success: bool, latency_ms: i64) -> Result<(), Trouble>;
}

/// What there is instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// The subject says no, and why.
    #[error("refused: {0}")]
    Refused(String),
    /// The subject panicked, died, or talks nonsense.
    #[error("{0}")]
    Broken(String),
}

/// One execution to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// The message, as [`MESSAGE`](crate::testkit::nodes::message::MESSAGE) has it.
    pub message: Value,
    /// The context, as [`ExecutionContext`] has it.
    pub context: Value,
    /// Whether to write `scribbled` into `payload.metadata` of every output message before the
    /// input is reported back: what is shared then shows.
    #[serde(default)]
    pub scribble: bool,
}

/// One execution that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Executed {
    /// The result, as [`NODE_RESULT`](crate::testkit::nodes::NODE_RESULT) has it.
    pub result: Value,
    /// The input message, as it is afterwards.
    pub message: Value,
    /// The context, as it is afterwards.
    pub context: Value,
}

impl Executed {
    /// Whether the node says that it succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.result.get("success") == Some(&Value::Bool(true))
    }

    /// Whether the node says that it only pretended: `metadata.simulated`.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.result.pointer("/metadata/simulated") == Some(&Value::Bool(true))
    }

    /// Why it failed, as it says.
    #[must_use]
    pub fn error(&self) -> &str {
        self.result.get("error").and_then(Value::as_str).unwrap_or_default()
    }

    /// What it says to others.
    #[must_use]
    pub fn outputs(&self) -> &[Value] {
        self.result.get("output_messages").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// A situation to see a node in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// It succeeds.
    Usual,
    /// It fails for good.
    Failing,
    /// One try takes half a minute or longer, so that a timeout of a second must end it.
    Slow,
    /// Every try fails in a way that another try may mend; each counts as work.
    Troubled,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 4] = [Self::Usual, Self::Failing, Self::Slow, Self::Troubled];

    /// The name in reports and in the protocol.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Failing => "failing",
            Self::Slow => "slow",
            Self::Troubled => "troubled",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How to bring a scenario about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a fixture makes four of them")]
pub enum Setup {
    /// This type cannot be in it; the reason why. Its clauses do not apply.
    Impossible(String),
    /// Nobody says how. Its clauses are not exercised.
    Unset,
    /// With these settings and this message.
    #[serde(untagged)]
    Case(Case),
}

impl Setup {
    /// With these settings and the message that all nodes get.
    #[must_use]
    pub fn config(config: Value) -> Self {
        Self::Case(Case::config(config))
    }

    /// This type cannot be in the scenario; the reason why.
    #[must_use]
    pub fn impossible(reason: impl Into<String>) -> Self {
        Self::Impossible(reason.into())
    }
}

/// Settings and a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The node's settings.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// What the message says; a task and a content where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Map<String, Value>>,
    /// Variables of the context.
    #[serde(default)]
    pub variables: Map<String, Value>,
    /// Where the node may go on, beside what its settings name under keys like `target`,
    /// `target_nodes`, `next` and `body_node`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

impl Case {
    /// These settings and the message that all nodes get; what is no object gives none.
    #[must_use]
    pub fn config(config: Value) -> Self {
        let config = match config {
            Value::Object(config) => config,
            _ => Map::new(),
        };
        Self { config, ..Self::default() }
    }

    /// The same with a message that says this; what is no object says nothing.
    #[must_use]
    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = match payload {
            Value::Object(payload) => Some(payload),
            _ => Some(Map::new()),
        };
        self
    }

    /// The same with one setting changed.
    #[must_use]
    pub fn with(mut self, setting: &str, value: impl Into<Value>) -> Self {
        self.config.insert(setting.to_owned(), value.into());
        self
    }

    /// An execution of this case; each has a message id of its own.
    #[must_use]
    pub fn execution(&self) -> Execution {
        let usual =
            || json!({"task": "Test task for contract validation", "content": "Test content"});
        let payload = self.payload.clone().map_or_else(usual, Value::Object);
        let mut message = json!(Message::new(TRACE, SOURCE, Payload::default()));
        if let Some(said) = message.get_mut("payload") {
            *said = payload;
        }
        let mut context = ExecutionContext::new(TRACE, "test.graph");
        context.variables.clone_from(&self.variables);
        Execution { message, context: json!(context), scribble: false }
    }
}

/// What is under contract, and the cases to see it in.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// What people call it: `shout (python)`.
    pub name: String,
    /// The type of its nodes.
    pub node_type: NodeType,
    /// The types that can be made where it is made.
    pub types: Vec<NodeType>,
    /// How each scenario is brought about; those that are not here are [`Setup::Unset`].
    pub cases: BTreeMap<Scenario, Setup>,
}

impl Profile {
    /// The id of the nodes that a contract makes: `test.node`, or another that does not hold the
    /// type, so that a text with the id does not name the type by accident.
    #[must_use]
    pub fn id(&self) -> String {
        id_without(&self.node_type).to_owned()
    }

    /// A definition with these settings.
    #[must_use]
    pub fn definition(&self, config: &Map<String, Value>) -> Value {
        json!({"id": self.id(), "type": self.node_type.as_str(), "config": config})
    }
}

/// An id that does not hold the type's name. The three share no letter, so one always fits.
pub(crate) fn id_without(node_type: &NodeType) -> &'static str {
    const IDS: [&str; 3] = ["test.node", "q7.z9", "x5-k3"];
    let fits = |id: &&str| !id.contains(node_type.as_str());
    IDS.into_iter().find(fits).unwrap_or("test.node")
}
