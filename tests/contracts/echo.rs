//! A node of the application's own that keeps every promise: the ground that mutants stand on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use flakedb::testkit::contracts::{Case, NodeFixture, Report, Scenario, Setup, Verdict, run_all};
use flakedb::testkit::nodes::config::{RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use flakedb::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use flakedb::testkit::nodes::{
    Behavior, BehaviorNode, Environment, Failure, NodeResult, NodeType, Registry, Turn, Violation,
};
use serde_json::{Value, json};

/// Says what it was told, after asking outside; its settings bring every scenario about.
pub(crate) struct Echo {
    mode: String,
    sleeps: bool,
    target: Option<String>,
    server: Arc<AtomicU64>,
}

/// What stands for servers outside, by their address: each counts.
fn server(url: &str) -> Arc<AtomicU64> {
    static SERVERS: Mutex<BTreeMap<String, Arc<AtomicU64>>> = Mutex::new(BTreeMap::new());
    Arc::clone(SERVERS.lock().unwrap().entry(url.to_owned()).or_default())
}

static SHAPE: Shape = Shape {
    name: "echo configuration",
    extra: Extra::Refused,
    fields: &[
        Field::default("mode", Kind::Choice(&["say", "refuse", "stumble"]), Literal::Text("say")),
        Field::default("sleeps", Kind::Boolean, Literal::Boolean(false)),
        Field::optional("target", Kind::Text),
        TIMEOUT_MS,
        RETRY_COUNT,
        RETRY_DELAY_MS,
    ],
};

impl Behavior for Echo {
    const SHAPE: &'static Shape = &SHAPE;

    fn new(config: &Value, environment: &Environment) -> Result<Self, Vec<Violation>> {
        let text = |key: &str| config[key].as_str().map(str::to_owned);
        let sleeps = config["sleeps"] == json!(true);
        let mode = text("mode").unwrap_or_default();
        let server = server(&environment.ollama_url);
        Ok(Self { mode, sleeps, target: text("target"), server })
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        self.server.fetch_add(1, Ordering::SeqCst);
        if self.sleeps {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        match self.mode.as_str() {
            "refuse" => Err(Failure::lasting("told to refuse")),
            "stumble" => Err(Failure::passing("stumbled")),
            _ => Ok(NodeResult::said(turn.answer().build()).next(self.target.clone())),
        }
    }
}

/// The fixture of [`Echo`], under a type of its own or of another's name.
pub(crate) struct EchoFixture {
    node_type: NodeType,
    /// The address of a server of its own.
    url: String,
}

impl EchoFixture {
    pub(crate) fn new() -> Self {
        Self::of(NodeType::Custom("echo".to_owned()))
    }

    pub(crate) fn of(node_type: NodeType) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { node_type, url: format!("echo:{}", NEXT.fetch_add(1, Ordering::SeqCst)) }
    }
}

impl NodeFixture for EchoFixture {
    fn node_type(&self) -> NodeType {
        self.node_type.clone()
    }

    fn registry(&self) -> Registry {
        let mut registry =
            Registry::new(Environment { ollama_url: self.url.clone(), ..Default::default() });
        registry.replace(self.node_type(), BehaviorNode::<Echo>::make);
        registry
    }

    fn case(&self, scenario: Scenario) -> Setup {
        let mode = match scenario {
            Scenario::Usual => {
                let case = Case::config(json!({"mode": "say", "target": "test.next"}));
                return Setup::Case(case.payload(json!({"task": "t", "content": "c"})));
            }
            Scenario::Failing => "refuse",
            Scenario::Slow => return Setup::config(json!({"sleeps": true})),
            Scenario::Troubled => "stumble",
        };
        Setup::config(json!({"mode": mode}))
    }

    fn work(&self) -> Option<u64> {
        Some(server(&self.url).load(Ordering::SeqCst))
    }
}

pub(crate) fn echo_report() -> Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| run_all(EchoFixture::new())).clone()
}

#[test]
fn a_node_that_keeps_every_promise_passes_every_clause() {
    let report = echo_report();
    assert!(report.is_complete(), "{report}");
    assert_eq!(report.count(Verdict::Pass), 38, "{report}");
    // The types of Rust rule out the other two.
    assert_eq!(report.count(Verdict::NotApplicable), 2, "{report}");
}

/// A fixture that makes nodes but never says how to bring anything about.
struct Silent(Arc<EchoFixture>, bool);

impl NodeFixture for Silent {
    fn node_type(&self) -> NodeType {
        self.0.node_type()
    }

    fn registry(&self) -> Registry {
        self.0.registry()
    }

    fn case(&self, scenario: Scenario) -> Setup {
        match (scenario, self.1) {
            (Scenario::Usual, true) => self.0.case(Scenario::Usual),
            (Scenario::Usual, false) => Setup::config(json!({"mode": "refuse"})),
            _ => Setup::Unset,
        }
    }
}

#[test]
fn what_has_no_case_is_not_exercised_and_is_no_pass() {
    let report = run_all(Silent(Arc::new(EchoFixture::new()), true));
    assert!(report.conforms() && !report.is_complete(), "{report}");
    let ids: Vec<&str> = report
        .judgements
        .iter()
        .filter(|judgement| judgement.verdict == Verdict::NotExercised)
        .map(|judgement| judgement.clause.id)
        .collect();
    assert_eq!(ids, ["NC-12", "NC-31", "NC-36", "NC-37"], "{report}");
}

#[test]
fn a_type_that_never_succeeds_cannot_pass() {
    let report = run_all(Silent(Arc::new(EchoFixture::new()), false));
    assert!(!report.conforms(), "{report}");
    for on_outputs in ["NC-08", "NC-09", "NC-10", "NC-21", "NC-26", "NC-33"] {
        let verdict = report.judgement(on_outputs).unwrap().verdict;
        assert_eq!(verdict, Verdict::NotExercised, "{on_outputs}\n{report}");
    }
    assert_eq!(report.judgement("NC-22").unwrap().verdict, Verdict::Fail);
}

flakedb::node_contract!(as_tests, EchoFixture::new());
