//! A type of node written in Rust, under contract.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::clause::Clause;
use super::setting::Setting;
use super::subject::{
    CLAUSE_TIME, Executed, Execution, Profile, Scenario, Setup, Specimen, Subject, Trouble,
};
use crate::testkit::nodes::{ExecutionContext, Message, Node, NodeDefinition, NodeType, Registry};

/// What the suite must know of a type of node: how it is made, and the cases to see it in.
///
/// ```
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use flakedb::testkit::contracts::{NodeFixture, Scenario, Setup, run_all};
/// use flakedb::testkit::nodes::{
///     Behavior, BehaviorNode, Environment, Failure, NodeResult, NodeType, Registry, Turn, Violation,
///     config::NODE_CONFIG, field::Shape,
/// };
/// use serde_json::{Value, json};
///
/// /// Says it louder.
/// struct Shout;
///
/// impl Behavior for Shout {
///     const SHAPE: &'static Shape = &NODE_CONFIG;
///
///     fn new(_: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
///         Ok(Self)
///     }
///
///     async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
///         match turn.message.payload.content.as_deref() {
///             Some(text) => Ok(NodeResult::said(turn.answer().content(text.to_uppercase()).build())),
///             None => Err(Failure::lasting("nothing to say")),
///         }
///     }
/// }
///
/// struct ShoutFixture;
///
/// impl NodeFixture for ShoutFixture {
///     fn node_type(&self) -> NodeType {
///         NodeType::Custom("shout".to_owned())
///     }
///
///     fn registry(&self) -> Registry {
///         let mut registry = Registry::new(Environment::default());
///         registry.replace(self.node_type(), BehaviorNode::<Shout>::make);
///         registry
///     }
///
///     fn case(&self, scenario: Scenario) -> Setup {
///         use flakedb::testkit::contracts::Case;
///         match scenario {
///             Scenario::Usual => Setup::config(json!({})),
///             Scenario::Failing => Setup::Case(Case::default().payload(json!({}))),
///             Scenario::Slow | Scenario::Troubled => Setup::impossible("it waits for nothing"),
///         }
///     }
/// }
///
/// let report = run_all(ShoutFixture);
/// assert!(report.conforms(), "{report}");
/// ```
pub trait NodeFixture: Send + Sync + 'static {
    /// The type under contract.
    fn node_type(&self) -> NodeType;

    /// A registry that makes nodes of the type, as the application would.
    fn registry(&self) -> Registry;

    /// How a scenario is brought about. [`Scenario::Usual`] must be a case; the others may be
    /// impossible, for a reason.
    fn case(&self, scenario: Scenario) -> Setup;

    /// The context that nodes run in: here a loop gets its body, a fan-out its targets.
    fn context(&self, context: ExecutionContext) -> ExecutionContext {
        context
    }

    /// How often anything outside of the node was really asked so far: requests in the journal of
    /// a mock server, calls of a tool, executions of an inner node. None where nothing is outside.
    fn work(&self) -> Option<u64> {
        None
    }

    /// How long the check of one clause may take; longer, and the clause fails. A minute.
    fn clause_time(&self) -> Duration {
        CLAUSE_TIME
    }
}

/// A fixture as a subject.
pub struct FixtureSubject<F> {
    fixture: Arc<F>,
    registry: Registry,
    profile: Profile,
}

impl<F: NodeFixture> FixtureSubject<F> {
    /// The subject of a fixture.
    pub fn new(fixture: F) -> Self {
        let registry = fixture.registry();
        let node_type = fixture.node_type();
        let profile = Profile {
            name: node_type.to_string(),
            node_type,
            types: registry.types().cloned().collect(),
            cases: Scenario::ALL.map(|scenario| (scenario, fixture.case(scenario))).into(),
        };
        Self { fixture: Arc::new(fixture), registry, profile }
    }
}

#[async_trait]
impl<F: NodeFixture> Subject for FixtureSubject<F> {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn create(&self, definition: &Value) -> Result<Arc<dyn Specimen>, Trouble> {
        let refused = |error: String| Trouble::Refused(error);
        let definition = NodeDefinition::from_value(definition).map_err(|violations| {
            refused(violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        let made = catch_unwind(AssertUnwindSafe(|| self.registry.create(&definition)));
        match made {
            Ok(Ok(node)) => Ok(Arc::new(RustSpecimen { node, fixture: Arc::clone(&self.fixture) })),
            Ok(Err(error)) => Err(refused(error.to_string())),
            Err(panic) => Err(panicked("making the node", &*panic)),
        }
    }

    async fn work(&self) -> Result<Option<u64>, Trouble> {
        Ok(self.fixture.work())
    }

    fn rules_out(&self, clause: &Clause) -> Option<&'static str> {
        match clause.id {
            "NC-24" => Some("a message in Rust owns its payload; input and output cannot share it"),
            "NC-38" => Some("a latency in Rust is a u64, which is never below 0"),
            _ => None,
        }
    }

    fn clause_time(&self) -> Duration {
        self.fixture.clause_time()
    }
}

struct RustSpecimen<F> {
    node: Arc<dyn Node>,
    fixture: Arc<F>,
}

#[async_trait]
impl<F: NodeFixture> Specimen for RustSpecimen<F> {
    async fn describe(&self) -> Result<Value, Trouble> {
        let node = &self.node;
        Ok(json!({
            "id": node.id(),
            "type": node.node_type(),
            "name": node.name(),
            "description": node.description(),
            "config": node.config(),
            "stats": node.stats(),
            "debug": format!("{node:?}"),
            "settings": Setting::of(node.shape()),
        }))
    }

    async fn execute(&self, order: &Execution) -> Result<Executed, Trouble> {
        let message = Message::from_value(&order.message).map_err(|violations| {
            let found: Vec<String> = violations.iter().map(ToString::to_string).collect();
            Trouble::Refused(format!("the message is wrong: {}", found.join("; ")))
        })?;
        let context: ExecutionContext = serde_json::from_value(order.context.clone())
            .map_err(|error| Trouble::Refused(format!("the context is wrong: {error}")))?;
        let context = self.fixture.context(context);
        let running = AssertUnwindSafe(self.node.execute(&message, &context)).catch_unwind();
        let mut result = running.await.map_err(|panic| panicked("the execution", &*panic))?;
        if order.scribble {
            for output in &mut result.output_messages {
                output.payload.metadata.insert("scribbled".to_owned(), true.into());
            }
        }
        Ok(Executed { result: json!(result), message: json!(message), context: json!(context) })
    }

    async fn update_stats(&self, success: bool, latency_ms: i64) -> Result<(), Trouble> {
        let latency_ms = u64::try_from(latency_ms).map_err(|_| {
            Trouble::Refused(format!("a latency of {latency_ms} ms is none (the type is u64)"))
        })?;
        let node = &self.node;
        catch_unwind(AssertUnwindSafe(|| node.update_stats(success, latency_ms)))
            .map_err(|panic| panicked("update_stats", &*panic))
    }
}

fn panicked(what: &str, panic: &(dyn Any + Send)) -> Trouble {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text");
    Trouble::Broken(format!("{what} panicked: {text}"))
}
