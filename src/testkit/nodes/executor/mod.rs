//! Walks a graph: from its entry points along edges and targets to its exits, within bounds.

mod call;
mod cancel;
mod limits;
mod outcome;
mod step;
mod walk;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use super::context::ExecutionContext;
use super::definition::GraphDefinition;
use super::expression::Condition;
use super::message::Message;
use super::node::Node;
use super::registry::{NodeError, Registry};
use super::stats::NodeStats;
use super::task::{TaskPayload, TaskResponse};
use super::violation::{Rule, Violation, joined};

pub use cancel::Cancel;
pub use limits::Limits;
pub use outcome::{Answer, End, Outcome};
pub use step::{Step, recount};
use walk::Walk;

/// A graph with its nodes made, ready to be walked, as often as one likes and by several at a time.
///
/// A walk goes in waves. The first wave is the entry points, each with the task. All nodes of a
/// wave run at the same time, up to [`Limits::concurrency`]; then what they say is delivered, in
/// the order in which they stood in the queue, and those deliveries are the next wave. What had
/// ended when a walk was ended is delivered too, so that answers of exits are not lost. A node's
/// messages go to its result's `next_nodes`; where there are none, along every edge whose condition
/// holds for the message, in the order of the graph (`weight` is for tools that rank ways, the walk
/// does not choose by it). A message with a `target_node` among several next nodes goes there
/// alone. A node that succeeds and says nothing lets the message pass. A node that fails ends its
/// branch, not the walk. A node that two messages reach runs twice: nothing waits to be joined; to
/// join answers is what a fan-out is for.
///
/// Nodes that run others (loop, fan-out, timeout) run them within their own step. Such runs are
/// steps of the trace and counted like all others.
///
/// Nothing is spawned: who drops the future of a walk ends it, and every execution in it.
///
/// ```
/// use flakedb::testkit::nodes::{Environment, Executor, GraphDefinition, Registry, TaskPayload};
/// use serde_json::json;
///
/// let graph = GraphDefinition::from_value(&json!({
///     "id": "loud", "version": "1.0.0", "name": "Loud",
///     "nodes": [
///         {"id": "in", "type": "entry"},
///         {"id": "shout", "type": "transform", "config": {"transforms": [{"type": "uppercase"}]}},
///         {"id": "out", "type": "exit"}
///     ],
///     "edges": [{"from_node": "in", "to_node": "shout"}, {"from_node": "shout", "to_node": "out"}],
///     "entry_points": ["in"], "exit_points": ["out"]
/// }))
/// .unwrap();
/// let executor = Executor::new(graph, &Registry::built_in(Environment::default()))?;
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let response = executor.respond(&TaskPayload::new("hello")).await;
/// assert_eq!(response.content.as_deref(), Some("HELLO"));
/// assert_eq!(response.nodes_executed, 3);
/// # });
/// # Ok::<(), flakedb::testkit::nodes::GraphError>(())
/// ```
#[derive(Clone)]
pub struct Executor {
    plan: Arc<Plan>,
    limits: Limits,
}

/// A graph that cannot be walked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("graph `{graph_id}`: {}", joined(violations))]
pub struct GraphError {
    /// The graph.
    pub graph_id: String,
    /// All that is wrong with it and with the settings of its nodes.
    pub violations: Vec<Violation>,
}

/// A graph as the walk needs it.
struct Plan {
    graph: GraphDefinition,
    nodes: BTreeMap<String, Arc<dyn Node>>,
    edges: HashMap<String, Vec<Edge>>,
}

struct Edge {
    to: String,
    condition: Option<Condition>,
}

impl Executor {
    /// Makes the nodes of a graph.
    ///
    /// # Errors
    /// All that is wrong with the graph and with the settings of its nodes, the place of each named
    /// from the graph: `nodes.2.config.timeout_ms`.
    pub fn new(graph: GraphDefinition, registry: &Registry) -> Result<Self, GraphError> {
        let mut found = graph.violations();
        let mut nodes = BTreeMap::new();
        for (at, definition) in graph.nodes.iter().enumerate() {
            match registry.create(definition) {
                Ok(node) => {
                    nodes.insert(definition.id.clone(), node);
                }
                Err(NodeError::Invalid { violations, .. }) => {
                    let below = format!("nodes.{at}.config");
                    found.extend(violations.into_iter().map(|broken| broken.below(&below)));
                }
                Err(error) => {
                    let at = format!("nodes.{at}.type");
                    found.push(Violation::new(Rule::NotAChoice, at, error.to_string()));
                }
            }
        }
        let mut edges: HashMap<String, Vec<Edge>> = HashMap::new();
        for edge in &graph.edges {
            // A condition that cannot be read is among the graph's violations.
            let condition = edge.condition.as_deref().and_then(|text| Condition::parse(text).ok());
            let edge_to = Edge { to: edge.to_node.clone(), condition };
            edges.entry(edge.from_node.clone()).or_default().push(edge_to);
        }
        match found.is_empty() {
            true => {
                Ok(Self { plan: Arc::new(Plan { graph, nodes, edges }), limits: Limits::default() })
            }
            false => Err(GraphError { graph_id: graph.id, violations: found }),
        }
    }

    /// The same within other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The limits of a walk.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &GraphDefinition {
        &self.plan.graph
    }

    /// A node of the graph.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<&Arc<dyn Node>> {
        self.plan.nodes.get(id)
    }

    /// What was counted of every node, over all walks so far.
    #[must_use]
    pub fn stats(&self) -> BTreeMap<String, NodeStats> {
        self.plan.nodes.iter().map(|(id, node)| (id.clone(), node.stats())).collect()
    }

    /// A context for a message of this graph, within the limits' bounds.
    #[must_use]
    pub fn context(&self, trace_id: &str) -> ExecutionContext {
        ExecutionContext::bounded(trace_id, &self.plan.graph.id, self.limits.bounds)
    }

    /// Walks the graph with a task.
    pub async fn run(&self, message: Message) -> Outcome {
        let context = self.context(&message.trace_id);
        self.run_within(message, context, &Cancel::default()).await
    }

    /// Walks the graph with a task, in a context of one's own (variables, bounds), until it ends or
    /// is cancelled. The message goes to the entry point that its `target_node` names, where it
    /// names one, else to all.
    pub async fn run_within(
        &self,
        message: Message,
        context: ExecutionContext,
        cancel: &Cancel,
    ) -> Outcome {
        Walk::new(self.plan.clone(), self.limits.clone(), context).run(message, cancel).await
    }

    /// Walks the graph with a task from outside, in a trace of its own.
    pub async fn respond(&self, task: &TaskPayload) -> TaskResponse {
        match task.message() {
            Ok(message) => self.run(message).await.response(),
            Err(violations) => TaskResponse::refused(&violations),
        }
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("graph", &self.plan.graph.id)
            .field("nodes", &self.plan.nodes.keys().collect::<Vec<_>>())
            .field("limits", &self.limits)
            .finish()
    }
}

#[cfg(test)]
mod tests;
