//! The eleven types that come along, each against every clause that binds it. Models are asked at
//! the mock server; loops, fan-outs and timeouts run nodes that count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use flakedb::testkit::contracts::{
    Case, NodeFixture, RegistryFixture, Scenario, Setup, Verdict, run_all,
};
use flakedb::testkit::mock_server::MockOllama;
use flakedb::testkit::mock_server::stub::Stub;
use flakedb::testkit::nodes::{
    Calculator, Environment, ExecutionContext, Message, Node, NodeCore, NodeDefinition, NodeResult,
    NodeTable, NodeType, Registry, Tool, ToolOutcome, ToolRegistry,
};
use serde_json::{Map, Value, json};

const A_MINUTE: Duration = Duration::from_secs(60);

/// What stands around a node of a built-in type, and counts how often it is asked.
struct BuiltIn {
    node_type: NodeType,
    /// Whether a gate asks a model in place of evaluating expressions.
    by_model: bool,
    mock: MockOllama,
    asked: Arc<AtomicU64>,
}

/// A tool, or a node behind another one, that counts how often it is asked.
#[derive(Debug)]
struct Asked {
    core: NodeCore,
    asked: Arc<AtomicU64>,
}

impl Asked {
    fn new(id: &str, asked: &Arc<AtomicU64>) -> Self {
        let node_type = NodeType::Custom("asked".to_owned());
        let core = NodeCore::new(NodeDefinition::new(id, node_type));
        Self { core, asked: Arc::clone(asked) }
    }

    async fn ask(&self) -> Result<(), String> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.core.definition().id.as_str() {
            "test.failing" => Err("told to fail".to_owned()),
            "test.slow" => {
                tokio::time::sleep(A_MINUTE).await;
                Err("slept through".to_owned())
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Node for Asked {
    fn core(&self) -> &NodeCore {
        &self.core
    }

    async fn execute(&self, message: &Message, _: &ExecutionContext) -> NodeResult {
        match self.ask().await {
            Ok(()) => NodeResult::said(message.child(Node::id(self)).content("done").build()),
            Err(error) => NodeResult::failed(error),
        }
    }
}

#[async_trait]
impl Tool for Asked {
    fn id(&self) -> &str {
        &self.core.definition().id
    }

    fn description(&self) -> &str {
        "Does sums, or fails, or sleeps, by its name."
    }

    async fn call(&self, input: &Map<String, Value>) -> ToolOutcome {
        self.ask().await?;
        Calculator.call(input).await
    }
}

impl BuiltIn {
    fn new(node_type: NodeType, by_model: bool) -> Self {
        let mock = MockOllama::builder().any_model().start().unwrap();
        let reply = match node_type {
            NodeType::Router => "code",
            NodeType::Gate => "approved",
            _ => "An answer.",
        };
        mock.stub(Stub::any().reply(reply));
        if node_type == NodeType::Reasoning {
            reasoning_stubs(&mock);
        }
        mock.stub(Stub::any().model("slow").reply(reply).latency(A_MINUTE));
        mock.stub(Stub::any().model("troubled").status(503, "overloaded"));
        Self { node_type, by_model, mock, asked: Arc::default() }
    }

    /// The usual settings.
    fn usual(&self) -> Case {
        Case::config(match self.node_type {
            NodeType::Router => json!({"routes": [
                {"name": "code", "target": "code.specialist"},
                {"name": "math", "target": "math.specialist"},
            ]}),
            NodeType::Tool => {
                return Case::config(json!({"tool_id": "calculator"}))
                    .payload(json!({"content": "6 * 7"}));
            }
            NodeType::Gate if self.by_model => json!({
                "mode": "llm",
                "conditions": [{"name": "approved", "expression": "true", "target": "test.next"}],
            }),
            NodeType::Gate => json!({
                "conditions":
                    [{"name": "any", "expression": "len(content) > 0", "target": "test.next"}],
                // Some hostile payloads have no content.
                "default_target": "test.other",
            }),
            NodeType::Transform => json!({"transforms": [{"type": "strip"}]}),
            NodeType::Loop => json!({
                "body_node": "test.body", "condition_type": "until_success", "max_iterations": 1000,
            }),
            NodeType::DynamicFanout => json!({"target_nodes": ["test.body", "test.other"]}),
            NodeType::Timeout => json!({"inner_node": "test.body"}),
            _ => json!({}),
        })
    }

    fn failing(&self) -> Case {
        match self.node_type {
            NodeType::Entry => self.usual().with("required_fields", json!(["route"])),
            NodeType::Exit => self.usual().with("status", "error"),
            NodeType::Gate if !self.by_model => Case::config(json!({
                "conditions":
                    [{"name": "none", "expression": "len(content) < 0", "target": "test.next"}],
            })),
            NodeType::Transform => self.usual().with("transforms", json!([{"type": "json_parse"}])),
            NodeType::Tool => self.usual().payload(json!({"content": "no sum"})),
            NodeType::Loop => {
                self.usual().with("body_node", "test.failing").with("max_iterations", 1)
            }
            NodeType::DynamicFanout => self.usual().with("target_nodes", json!(["test.failing"])),
            NodeType::Timeout => self.usual().with("inner_node", "test.failing"),
            _ => self.usual().payload(json!({})),
        }
    }

    fn slow(&self) -> Setup {
        Setup::Case(match self.node_type {
            NodeType::Entry | NodeType::Exit | NodeType::Transform => {
                return Setup::impossible("it waits for nothing");
            }
            NodeType::Gate if !self.by_model => {
                return Setup::impossible("expressions wait for nothing");
            }
            NodeType::Tool => self.usual().with("tool_id", "test.slow"),
            NodeType::Loop => self.usual().with("body_node", "test.slow"),
            NodeType::DynamicFanout => self.usual().with("target_nodes", json!(["test.slow"])),
            NodeType::Timeout => self.usual().with("inner_node", "test.slow"),
            _ => self.usual().with("model", "slow"),
        })
    }

    fn troubled(&self) -> Setup {
        Setup::Case(match self.node_type {
            NodeType::Entry | NodeType::Exit | NodeType::Transform => {
                return Setup::impossible("what fails once fails again");
            }
            NodeType::Gate if !self.by_model => {
                return Setup::impossible("what fails once fails again");
            }
            NodeType::Tool => self.usual().with("tool_id", "test.failing"),
            NodeType::Loop => self.failing(),
            NodeType::DynamicFanout => self.failing(),
            // It tries again where time ran out, and only there.
            NodeType::Timeout => {
                self.usual().with("inner_node", "test.slow").with("timeout_ms", 100)
            }
            _ => self.usual().with("model", "troubled"),
        })
    }
}

/// A model that concludes too early, has its conclusion checked, and concludes again.
fn reasoning_stubs(mock: &MockOllama) {
    let check = "CLAIM: 6 * 7 is 42\nEVIDENCE: 7 * 6 is the same\nVERDICT: verified\nREASONING: so";
    let conclusion = "ANSWER: 42\nCONFIDENCE: 0.9\nCAVEATS: none\nUNCERTAIN: no\nREASON:";
    for (asked, answer) in [
        ("Next step:", "conclude: it is 42"),
        ("Check this:", check),
        ("Conclude. Answer", conclusion),
    ] {
        mock.stub(Stub::generate().user_contains(asked).reply(answer));
    }
}

impl NodeFixture for BuiltIn {
    fn node_type(&self) -> NodeType {
        self.node_type.clone()
    }

    fn registry(&self) -> Registry {
        let mut tools = ToolRegistry::new();
        for id in ["calculator", "test.failing", "test.slow"] {
            tools.register(Asked::new(id, &self.asked)).unwrap();
        }
        let tools = Arc::new(tools);
        Registry::built_in(Environment { ollama_url: self.mock.url(), tools, ..Default::default() })
    }

    fn case(&self, scenario: Scenario) -> Setup {
        match scenario {
            Scenario::Usual => Setup::Case(self.usual()),
            Scenario::Failing => Setup::Case(self.failing()),
            Scenario::Slow => self.slow(),
            Scenario::Troubled => self.troubled(),
        }
    }

    fn context(&self, context: ExecutionContext) -> ExecutionContext {
        let inner = ["test.body", "test.other", "test.failing", "test.slow"];
        let nodes = inner.map(|id| Arc::new(Asked::new(id, &self.asked)) as Arc<dyn Node>);
        context.with_peers(Arc::new(NodeTable::new(nodes)))
    }

    fn work(&self) -> Option<u64> {
        match self.node_type {
            NodeType::Entry | NodeType::Exit | NodeType::Transform => None,
            NodeType::Gate if !self.by_model => None,
            NodeType::Tool | NodeType::Loop | NodeType::DynamicFanout | NodeType::Timeout => {
                Some(self.asked.load(Ordering::SeqCst))
            }
            _ => Some(self.mock.requests().len() as u64),
        }
    }
}

flakedb::node_contract!(entry, BuiltIn::new(NodeType::Entry, false));
flakedb::node_contract!(exit, BuiltIn::new(NodeType::Exit, false));
flakedb::node_contract!(router, BuiltIn::new(NodeType::Router, true));
flakedb::node_contract!(model, BuiltIn::new(NodeType::Model, true));
flakedb::node_contract!(reasoning, BuiltIn::new(NodeType::Reasoning, true));
flakedb::node_contract!(tool, BuiltIn::new(NodeType::Tool, false));
flakedb::node_contract!(gate_by_expression, BuiltIn::new(NodeType::Gate, false));
flakedb::node_contract!(gate_by_model, BuiltIn::new(NodeType::Gate, true));
flakedb::node_contract!(transform, BuiltIn::new(NodeType::Transform, false));
flakedb::node_contract!(repeat, BuiltIn::new(NodeType::Loop, false));
flakedb::node_contract!(fanout, BuiltIn::new(NodeType::DynamicFanout, false));
flakedb::node_contract!(timeout, BuiltIn::new(NodeType::Timeout, false));

struct BuiltInRegistry;

impl RegistryFixture for BuiltInRegistry {
    fn registry(&self) -> Registry {
        Registry::built_in(Environment::default())
    }

    fn config(&self, node_type: &NodeType) -> Value {
        BuiltIn::new(node_type.clone(), false).usual().config.into()
    }
}

flakedb::registry_contract!(of_built_in_types, BuiltInRegistry);

/// What was really checked, type by type: run with `--nocapture` to see it.
#[test]
#[allow(clippy::print_stdout, reason = "the count per type is printed")]
fn every_type_is_checked_by_more_clauses_than_ever_and_none_is_vacuous() {
    let mut passed = 0;
    // At once, for most of it is waiting.
    let run = |node_type| std::thread::spawn(move || run_all(BuiltIn::new(node_type, false)));
    let running: Vec<_> = NodeType::BUILT_IN.into_iter().map(run).collect();
    for report in running {
        let report = report.join().unwrap();
        println!("{}", report.to_string().lines().last().unwrap_or_default());
        passed += report.count(Verdict::Pass);
        assert!(report.is_complete(), "{report}");
    }
    println!("{passed} checks passed, each with something to check");
    assert!(passed >= 235, "{passed}");
}
