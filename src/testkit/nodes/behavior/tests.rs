use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::*;
use crate::testkit::nodes::config::{NODE_CONFIG, TIMEOUT_MS};
use crate::testkit::nodes::field::Extra;
use crate::testkit::nodes::{NodeType, Payload, Rule};

/// Fails the first `failures` tries, and takes `delay` for each.
#[derive(Debug)]
struct Stubborn {
    failures: u32,
    lasting: bool,
    delay: Duration,
    /// What a try takes while it lets nothing else go on.
    busy: Duration,
    tries: AtomicU32,
}

impl Behavior for Stubborn {
    const SHAPE: &'static Shape = &NODE_CONFIG;

    fn new(_: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
        let (failures, lasting) = (0, false);
        let (delay, busy) = (Duration::ZERO, Duration::ZERO);
        Ok(Self { failures, lasting, delay, busy, tries: AtomicU32::new(0) })
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let before = self.tries.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.delay).await;
        std::thread::sleep(self.busy);
        match before < self.failures {
            true if self.lasting => Err(Failure::lasting("no use")),
            true => Err(Failure::passing("not yet")),
            false => Ok(NodeResult::said(turn.answer().content("done").build())),
        }
    }
}

fn node(config: Value) -> BehaviorNode<Stubborn> {
    let definition = NodeDefinition::new("a.node", NodeType::Custom("stubborn".to_owned()));
    BehaviorNode::new(&definition.config(config), &Environment::default()).unwrap()
}

fn run(node: &BehaviorNode<Stubborn>) -> NodeResult {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let message = Message::new("trace", "test", Payload::text("hello"));
    runtime.block_on(node.execute(&message, &ExecutionContext::new("trace", "graph")))
}

#[test]
fn a_passing_failure_is_tried_again_as_often_as_the_settings_say() {
    let mut node = node(json!({"retry_count": 2, "retry_delay_ms": 0}));
    node.behavior.failures = 2;
    let result = run(&node);
    assert!(result.success, "{result:?}");
    assert_eq!(result.metadata["attempts"], 3);
    assert_eq!(node.behavior.tries.load(Ordering::SeqCst), 3);

    node.behavior.failures = 9;
    let result = run(&node);
    assert_eq!(result.error.as_deref(), Some("not yet"));
    assert_eq!(node.behavior.tries.load(Ordering::SeqCst), 6);
}

#[test]
fn a_lasting_failure_is_not_tried_again() {
    let mut node = node(json!({"retry_count": 3, "retry_delay_ms": 0}));
    (node.behavior.failures, node.behavior.lasting) = (9, true);
    assert_eq!(run(&node).error.as_deref(), Some("no use"));
    assert_eq!(node.behavior.tries.load(Ordering::SeqCst), 1);
}

#[test]
fn a_try_that_takes_too_long_is_ended_and_the_time_is_told() {
    let mut node = node(json!({"timeout_ms": 100, "retry_count": 1, "retry_delay_ms": 0}));
    node.behavior.delay = Duration::from_secs(60);
    let result = run(&node);
    assert_eq!(result.error.as_deref(), Some("Timeout after 100ms"));
    assert_eq!(node.behavior.tries.load(Ordering::SeqCst), 2);
    assert!(result.latency_ms >= 200, "{}", result.latency_ms);
}

#[test]
fn a_try_that_computes_past_its_time_is_late_all_the_same() {
    let mut node = node(json!({"timeout_ms": 100}));
    node.behavior.busy = Duration::from_millis(120);
    assert_eq!(run(&node).error.as_deref(), Some("Timeout after 100ms"));
}

/// Has one of the common settings and no other.
struct Brief;

impl Behavior for Brief {
    const SHAPE: &'static Shape =
        &Shape { name: "brief", extra: Extra::Refused, fields: &[TIMEOUT_MS] };

    fn new(_: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
        Ok(Self)
    }

    async fn perform(&self, _: &Turn<'_>) -> Result<NodeResult, Failure> {
        Ok(NodeResult::default())
    }
}

#[test]
fn a_type_with_one_of_the_common_settings_keeps_that_one() {
    let definition = NodeDefinition::new("a", NodeType::Custom("brief".to_owned()));
    let definition = definition.config(json!({"timeout_ms": 500}));
    let node = BehaviorNode::<Brief>::new(&definition, &Environment::default()).unwrap();
    assert_eq!(node.config(), &NodeConfig { timeout_ms: 500, ..NodeConfig::default() });
}

#[test]
fn time_is_rounded_up_so_that_work_never_took_none() {
    assert_eq!(milliseconds(Duration::ZERO), 0);
    assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
    assert_eq!(milliseconds(Duration::from_millis(7)), 7);
    assert_eq!(milliseconds(Duration::from_micros(7_001)), 8);
    assert!(run(&node(json!({}))).latency_ms >= 1);
}

#[test]
fn settings_out_of_range_or_unknown_make_no_node() {
    let definition = NodeDefinition::new("a", NodeType::Custom("stubborn".to_owned()))
        .config(json!({"timeout_ms": 99, "retries": 1}));
    let error = BehaviorNode::<Stubborn>::new(&definition, &Environment::default()).unwrap_err();
    let NodeError::Invalid { id, violations } = &error else { panic!("{error}") };
    assert_eq!(id, "a");
    let found: Vec<(Rule, &str)> =
        violations.iter().map(|violation| (violation.rule, violation.at.as_str())).collect();
    assert_eq!(found, [(Rule::BelowMinimum, "timeout_ms"), (Rule::UnknownKey, "retries")]);
    insta::assert_snapshot!(error.to_string(), @"node `a`: timeout_ms: 99 is not in 100..=120000 (below_minimum); retries: a node configuration has no `retries`; it has: timeout_ms, retry_count, retry_delay_ms (unknown_key)");
}

#[test]
fn the_debug_text_says_which_node_it_is() {
    assert_eq!(format!("{:?}", node(json!({}))), "<Node id=a.node type=stubborn>");
}
