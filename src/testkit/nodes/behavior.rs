//! What a node does, without the bookkeeping: settings are read, time is kept, tries are counted
//! here, the same for all types.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::Value;

use super::config::NodeConfig;
use super::context::ExecutionContext;
use super::definition::NodeDefinition;
use super::field::Shape;
use super::message::{Child, Message};
use super::node::{Node, NodeCore};
use super::registry::{Environment, NodeError};
use super::result::NodeResult;
use super::violation::Violation;

/// What a type of node does.
pub trait Behavior: Send + Sync + Sized + 'static {
    /// The settings that the type takes, the common three among them.
    const SHAPE: &'static Shape;

    /// Reads the settings. `config` has been checked by [`Behavior::SHAPE`] and holds its defaults.
    ///
    /// # Errors
    /// What is wrong beyond fields and ranges.
    fn new(config: &Value, environment: &Environment) -> Result<Self, Vec<Violation>>;

    /// One try.
    fn perform(&self, turn: &Turn<'_>) -> impl Future<Output = Result<NodeResult, Failure>> + Send;

    /// How long one try may take; none where the type keeps the time itself. A try that waits is
    /// dropped then; one that only computes is not interrupted, and counts as late when it is done.
    fn time_limit(&self, config: &NodeConfig) -> Option<Duration> {
        Some(Duration::from_millis(config.timeout_ms))
    }
}

/// What one try is given.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// The node's own id.
    pub node: &'a str,
    /// The common settings.
    pub config: &'a NodeConfig,
    /// What it is asked.
    pub message: &'a Message,
    /// Where it runs.
    pub context: &'a ExecutionContext,
}

impl Turn<'_> {
    /// An answer to the message by this node.
    #[must_use]
    pub fn answer(&self) -> Child {
        self.message.child(self.node)
    }
}

/// Why a try failed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Failure {
    /// The text of the result's `error`.
    pub error: String,
    /// Whether another try may help.
    pub recoverable: bool,
    /// What the result says besides: metadata, messages. Its `success` and `error` do not count.
    pub result: Box<NodeResult>,
}

impl Failure {
    /// A failure for good: the same again would fail the same way.
    #[must_use]
    pub fn lasting(error: impl Into<String>) -> Self {
        Self { error: error.into(), ..Self::default() }
    }

    /// A failure that another try may mend.
    #[must_use]
    pub fn passing(error: impl Into<String>) -> Self {
        Self { recoverable: true, ..Self::lasting(error) }
    }

    /// The same, with what the result says besides.
    #[must_use]
    pub fn with(self, result: NodeResult) -> Self {
        Self { result: Box::new(result), ..self }
    }
}

/// A node that does what `B` does.
pub struct BehaviorNode<B> {
    core: NodeCore,
    behavior: B,
}

impl<B: Behavior> BehaviorNode<B> {
    /// Makes the node of a definition.
    ///
    /// # Errors
    /// All that is wrong with its settings.
    pub fn new(definition: &NodeDefinition, environment: &Environment) -> Result<Self, NodeError> {
        let invalid = |violations| NodeError::Invalid { id: definition.id.clone(), violations };
        let written = Value::Object(definition.config.clone());
        let found = B::SHAPE.violations(&written);
        if !found.is_empty() {
            return Err(invalid(found));
        }
        let whole = B::SHAPE.complete(&written);
        let config = NodeConfig::of(&whole);
        let behavior = B::new(&whole, environment).map_err(invalid)?;
        Ok(Self { core: NodeCore::with_config(definition.clone(), config), behavior })
    }

    /// The same as an object.
    ///
    /// # Errors
    /// All that is wrong with its settings.
    pub fn make(
        definition: &NodeDefinition,
        environment: &Environment,
    ) -> Result<Arc<dyn Node>, NodeError> {
        Ok(Arc::new(Self::new(definition, environment)?))
    }

    async fn tries(&self, turn: &Turn<'_>) -> NodeResult {
        let mut tried = 0;
        loop {
            let outcome = self.one_try(turn).await;
            tried += 1;
            let mut result = match outcome {
                Ok(result) => result,
                Err(failure) if failure.recoverable && tried <= turn.config.retry_count => {
                    tokio::time::sleep(Duration::from_millis(turn.config.retry_delay_ms)).await;
                    continue;
                }
                Err(Failure { error, result, .. }) => {
                    NodeResult { success: false, error: Some(error), ..*result }
                }
            };
            if tried > 1 {
                result.metadata.insert("attempts".to_owned(), tried.into());
            }
            return result;
        }
    }

    async fn one_try(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let Some(limit) = self.behavior.time_limit(turn.config) else {
            return self.behavior.perform(turn).await;
        };
        let begun = Instant::now();
        match tokio::time::timeout(limit, self.behavior.perform(turn)).await {
            // What only computes lets no timer end it: it is late all the same.
            Ok(outcome) if begun.elapsed() <= limit => outcome,
            Ok(_) | Err(_) => {
                Err(Failure::passing(format!("Timeout after {}ms", limit.as_millis())))
            }
        }
    }
}

#[async_trait]
impl<B: Behavior> Node for BehaviorNode<B> {
    fn core(&self) -> &NodeCore {
        &self.core
    }

    fn shape(&self) -> &'static Shape {
        B::SHAPE
    }

    async fn execute(&self, message: &Message, context: &ExecutionContext) -> NodeResult {
        let begun = Instant::now();
        let turn = Turn { node: self.id(), config: self.config(), message, context };
        let mut result = self.tries(&turn).await;
        result.latency_ms = milliseconds(begun.elapsed());
        result
    }
}

/// Milliseconds, rounded up: what took time is never 0.
pub(super) fn milliseconds(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

impl<B> fmt::Debug for BehaviorNode<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Node {:?}>", self.core)
    }
}

#[cfg(test)]
mod tests;
