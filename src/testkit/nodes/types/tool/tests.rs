use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::testkit::nodes::types::trial::{Trial, block_on, broken, content};
use crate::testkit::nodes::{
    BehaviorNode, ExecutionContext, Message, Node as _, NodeDefinition, NodeType, Rule, Tool,
    ToolOutcome,
};

/// Fails the first two times, in one way or another.
#[derive(Default)]
struct Moody {
    calls: AtomicU32,
    panics: bool,
    hangs: bool,
}

#[async_trait]
impl Tool for Moody {
    fn id(&self) -> &str {
        "moody"
    }

    fn description(&self) -> &str {
        "Fails the first two times."
    }

    async fn call(&self, _: &Map<String, Value>) -> ToolOutcome {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        match call {
            0 | 1 if self.panics => panic!("in a mood"),
            0 | 1 if self.hangs => std::future::pending().await,
            0 | 1 => Err("in a mood".to_owned()),
            _ => Ok(json!("at last")),
        }
    }
}

fn run(tool: Moody, config: Value) -> NodeResult {
    let mut tools = ToolRegistry::new();
    tools.register(tool).unwrap();
    let environment = Environment { tools: Arc::new(tools), ..Environment::default() };
    let definition = NodeDefinition::new("test.node", NodeType::Tool).config(config);
    let node = BehaviorNode::<ToolNode>::new(&definition, &environment).unwrap();
    let message = Message::new("trace-1", "user", Payload::text("text"));
    block_on(node.execute(&message, &ExecutionContext::new("trace-1", "graph")))
}

fn calculator(config: Value) -> Trial {
    Trial::of::<ToolNode>(NodeType::Tool, config)
}

#[test]
fn the_calculator_works_out_the_content() {
    let result = calculator(json!({"tool_id": "calculator"})).ask("(2 + 3) * 4");
    assert_eq!(content(&result), "(2 + 3) * 4");
    let payload = &result.output_messages[0].payload;
    assert_eq!(payload.metadata["tool_result"], 20);
    assert_eq!(payload.metadata["tool_success"], true);
    let told = payload.tool_result.as_ref().unwrap();
    assert_eq!((told.success, &told.output), (true, &Some(json!(20))));
    let call = json!({
        "tool_id": "calculator", "input": {"input": "(2 + 3) * 4"}, "output": 20, "success": true,
    });
    assert_eq!(Value::from(payload.tool_calls.clone().unwrap()[0].clone()), call);
}

#[test]
fn inputs_come_from_paths_in_the_payload() {
    let trial = calculator(json!({
        "tool_id": "calculator",
        "input_mapping": {"expression": "structured.sums.1", "unit": "structured.none"},
        "output_field": "sum",
    }));
    let payload = json!({"structured": {"sums": ["1 + 1", "6 * 7"]}, "metadata": {"kept": 1}});
    let result = trial.run(serde_json::from_value(payload).unwrap());
    let payload = &result.output_messages[0].payload;
    assert_eq!((&payload.metadata["sum"], &payload.metadata["kept"]), (&json!(42), &json!(1)));
    assert_eq!(payload.tool_calls.as_ref().unwrap()[0]["input"], json!({"expression": "6 * 7"}));
}

#[test]
fn the_output_can_be_the_content() {
    let trial = calculator(json!({"tool_id": "calculator", "output_field": "content"}));
    assert_eq!(content(&trial.ask("6 * 7")), "42");
    let result = run(
        Moody { calls: AtomicU32::new(2), ..Moody::default() },
        json!({"tool_id": "moody", "output_field": "content"}),
    );
    assert_eq!(content(&result), "at last");
}

#[test]
fn failures_are_told() {
    let error = |config: Value, content: &str| calculator(config).ask(content).error.unwrap();
    let config = json!({"tool_id": "calculator"});
    assert_eq!(error(config, "1 / 0"), "Tool execution failed: division by zero");
    let found = error(json!({"tool_id": "calculater"}), "1");
    assert_eq!(found, "Tool not found: calculater; did you mean calculator?");

    let tools = ToolRegistry::built_in();
    tools.disable("calculator").unwrap();
    let environment = Environment { tools: Arc::new(tools), ..Environment::default() };
    let definition = NodeDefinition::new("test.node", NodeType::Tool)
        .config(json!({"tool_id": "calculator", "continue_on_error": true}));
    let node = BehaviorNode::<ToolNode>::new(&definition, &environment).unwrap();
    let message = Message::new("trace-1", "user", Payload::text("1"));
    let result = block_on(node.execute(&message, &ExecutionContext::new("trace-1", "graph")));
    assert_eq!(result.error.as_deref(), Some("Tool is disabled: calculator"));
}

#[test]
fn a_tool_that_fails_is_called_again_as_the_settings_say() {
    let config = |retries: u32, on: bool| {
        json!({
            "tool_id": "moody", "retry_count": retries, "retry_delay_ms": 0, "timeout_ms": 100,
            "continue_on_error": on,
        })
    };
    let moods = || {
        let panics = Moody { panics: true, ..Moody::default() };
        let hangs = Moody { hangs: true, ..Moody::default() };
        [
            (Moody::default(), "Tool execution failed: in a mood"),
            (panics, "Tool execution error: in a mood"),
            (hangs, "Timeout after 100ms"),
        ]
    };
    for (mood, error) in moods() {
        assert_eq!(run(mood, config(1, false)).error.as_deref(), Some(error));
    }
    for (mood, error) in moods() {
        let result = run(mood, config(1, true));
        assert!(result.success);
        assert_eq!(result.metadata["tool_error"], error);
        let payload = &result.output_messages[0].payload;
        assert_eq!(payload.metadata["tool_success"], false);
        assert!(!payload.metadata.contains_key("tool_result"));
    }
    for on in [false, true] {
        for (mood, _) in moods() {
            let result = run(mood, config(2, on));
            assert_eq!(result.output_messages[0].payload.metadata["tool_result"], "at last");
            assert_eq!(result.metadata["tool_success"], true);
        }
    }
}

#[test]
fn settings_are_checked() {
    let at = |at: &str| at.to_owned();
    assert_eq!(broken::<ToolNode>(json!({})), [(Rule::Missing, at("tool_id"))]);
    let found = broken::<ToolNode>(json!({"tool_id": "a", "input_mapping": {"a": 1}, "x": 1}));
    let expected = [(Rule::WrongType, at("input_mapping.a")), (Rule::UnknownKey, at("x"))];
    assert_eq!(found, expected);
}

/// Says a lot.
struct Loud;

#[async_trait]
impl Tool for Loud {
    fn id(&self) -> &str {
        "loud"
    }

    fn description(&self) -> &str {
        "Says a lot."
    }

    async fn call(&self, _: &Map<String, Value>) -> ToolOutcome {
        Ok("x".repeat(400_000).into())
    }
}

#[test]
fn an_output_that_no_message_can_hold_fails_in_the_node() {
    let result = |on: bool| {
        let mut tools = ToolRegistry::new();
        tools.register(Loud).unwrap();
        let environment = Environment { tools: Arc::new(tools), ..Environment::default() };
        let definition = NodeDefinition::new("test.node", NodeType::Tool)
            .config(json!({"tool_id": "loud", "continue_on_error": on}));
        let node = BehaviorNode::<ToolNode>::new(&definition, &environment).unwrap();
        let message = Message::new("trace-1", "user", Payload::text("text"));
        block_on(node.execute(&message, &ExecutionContext::new("trace-1", "graph")))
    };
    let error = result(false).error.unwrap();
    assert!(error.starts_with("Tool execution failed: the output of loud makes a message of 1200"));
    assert!(error.contains("the context takes 1048576"), "{error}");
    let result = result(true);
    assert_eq!(result.metadata["tool_error"], error);
    assert!(result.output_messages[0].size_bytes() < 2_000);
}
