//! One node on trial: made from settings, run on a message, beside a mock server.

use std::sync::Arc;

use serde_json::Value;

use crate::testkit::mock_server::MockOllama;
use crate::testkit::mock_server::stub::Stub;
use crate::testkit::nodes::{
    Behavior, BehaviorNode, Environment, ExecutionContext, Message, Node, NodeDefinition,
    NodeError, NodeResult, NodeType, Payload, Rule,
};

/// A node of a type, and the server that it asks.
pub(super) struct Trial {
    pub(super) mock: MockOllama,
    pub(super) node: Arc<dyn Node>,
}

impl Trial {
    /// Where nothing is stubbed, the server says so.
    pub(super) fn of<B: Behavior>(node_type: NodeType, config: Value) -> Self {
        let mock = MockOllama::builder().strict().start().unwrap();
        let environment = Environment { ollama_url: mock.url(), ..Environment::default() };
        let definition = NodeDefinition::new("test.node", node_type).config(config);
        let node = BehaviorNode::<B>::make(&definition, &environment).unwrap();
        Self { mock, node }
    }

    /// The server answers every prompt with this from now on.
    pub(super) fn says(&self, text: &str) -> &Self {
        self.mock.stub(Stub::generate().reply(text));
        self
    }

    pub(super) fn ask(&self, content: &str) -> NodeResult {
        self.run(Payload::text(content))
    }

    /// What the node makes of a payload. Checks what holds for every result.
    pub(super) fn run(&self, payload: Payload) -> NodeResult {
        let message = Message::new("trace-1", "user", payload);
        let context = ExecutionContext::new("trace-1", "graph");
        let before = message.clone();
        let result = block_on(self.node.execute(&message, &context));
        assert_eq!(message, before, "the message is left alone");
        assert_eq!(result.success, result.error.is_none());
        assert!(result.latency_ms > 0);
        for said in &result.output_messages {
            assert_eq!(said.trace_id, "trace-1");
            assert_eq!(said.source_node, "test.node");
            assert_eq!(said.parent_id.as_ref(), Some(&message.message_id));
        }
        result
    }
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

/// The rules that settings break, and where.
pub(super) fn broken<B: Behavior>(config: Value) -> Vec<(Rule, String)> {
    let definition = NodeDefinition::new("test.node", NodeType::Model).config(config);
    match BehaviorNode::<B>::make(&definition, &Environment::default()) {
        Ok(_) => Vec::new(),
        Err(NodeError::Invalid { violations, .. }) => {
            violations.into_iter().map(|violation| (violation.rule, violation.at)).collect()
        }
        Err(other) => panic!("{other}"),
    }
}

/// The content of the only message.
pub(super) fn content(result: &NodeResult) -> &str {
    assert!(result.success, "{:?}", result.error);
    assert_eq!(result.output_messages.len(), 1);
    result.output_messages[0].payload.content.as_deref().unwrap_or_default()
}
