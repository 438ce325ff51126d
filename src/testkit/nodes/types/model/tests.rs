use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::testkit::mock_server::MockOllama;
use crate::testkit::mock_server::fault::{Fault, FaultRule};
use crate::testkit::mock_server::stub::Stub;
use crate::testkit::nodes::types::trial::{Trial, block_on, broken, content};
use crate::testkit::nodes::{
    BehaviorNode, ExecutionContext, Message, Node as _, NodeDefinition, NodeError, NodeType, Tool,
    ToolOutcome,
};

fn model(config: Value) -> Trial {
    Trial::of::<Model>(NodeType::Model, config)
}

#[test]
fn the_task_is_asked_and_the_answer_is_the_content() {
    for stream in [false, true] {
        let trial = model(json!({"max_tokens": 9, "temperature": 0.5, "stream": stream}));
        let stub = Stub::generate().user("2 + 2?").reply("It is 4.").usage(7, 3);
        trial.mock.stub(stub);
        let asked = json!({"task": "2 + 2?", "content": "unused", "metadata": {"kept": true}});
        let result = trial.run(serde_json::from_value(asked).unwrap());
        assert_eq!(content(&result), "It is 4.");
        let message = &result.output_messages[0];
        assert_eq!(message.payload.task.as_deref(), Some("2 + 2?"));
        let facts = Value::from(message.payload.metadata.clone());
        let expected = json!({
            "kept": true, "model": "qwen2.5:3b", "tokens_generated": 3, "tokens_prompt": 7,
        });
        assert_eq!(facts, expected);
        assert_eq!((message.metadata.tokens_in, message.metadata.tokens_out), (Some(7), Some(3)));
        assert_eq!(message.metadata.model_used.as_deref(), Some("qwen2.5:3b"));
        assert_eq!(result.metadata["tokens"], 10);
        assert!(result.metadata["eval_duration_ms"].as_f64().unwrap() > 0.0);

        let request = trial.mock.requests()[0].json().unwrap();
        assert_eq!(request["options"], json!({"temperature": 0.5, "num_predict": 9}));
        assert_eq!((&request["system"], &request["stream"]), (&json!(SYSTEM), &json!(stream)));
    }
}

#[test]
fn an_answer_without_counts_will_do() {
    let trial = model(json!({}));
    let body = json!({"response": "text", "done": true}).to_string();
    trial.mock.stub(Stub::generate().raw(200, "application/json", body));
    let result = trial.ask("?");
    assert_eq!(content(&result), "text");
    assert!(!result.metadata.contains_key("tokens"));
}

#[test]
fn prompts_come_from_the_settings_or_by_id() {
    let prompts = [("brief".to_owned(), "Be brief.".to_owned())].into();
    let environment = Environment { prompts, ..Environment::default() };
    let system = |config: Value| {
        let definition = NodeDefinition::new("test.node", NodeType::Model).config(config);
        let config = Model::SHAPE.complete(&definition.config.into());
        Model::new(&config, &environment).map(|model| model.system)
    };
    assert_eq!(system(json!({})).unwrap(), SYSTEM);
    assert_eq!(system(json!({"prompt_id": "brief"})).unwrap(), "Be brief.");
    let both = json!({"prompt_id": "brief", "system_prompt": "Be long."});
    assert_eq!(system(both).unwrap(), "Be long.");
    let unknown = system(json!({"prompt_id": "brif"})).unwrap_err();
    assert_eq!(unknown[0].message, "the environment has no prompt `brif`; did you mean brief?");
}

#[test]
fn each_try_is_a_request_and_no_more() {
    let config = |retries: u32| json!({"retry_count": retries, "retry_delay_ms": 0});
    for (status, retries, requests) in [(503, 0, 1), (503, 2, 3), (400, 2, 1), (404, 2, 1)] {
        let trial = model(config(retries));
        trial.says("text").mock.fault(FaultRule::new(Fault::status(status)));
        let error = trial.ask("?").error.unwrap();
        assert!(error.starts_with("Model execution failed: http://"), "{error}");
        assert!(error.contains(&format!("answers {status}")), "{error}");
        assert_eq!(trial.mock.requests().len(), requests, "{status}");
    }
    let trial = model(config(2));
    trial.says("at last").mock.fault(FaultRule::new(Fault::reset()).first(2));
    let result = trial.ask("?");
    assert_eq!(content(&result), "at last");
    assert_eq!(result.metadata["attempts"], 3);
    assert_eq!(trial.mock.requests().len(), 3);
}

#[test]
fn a_model_that_says_nothing_in_time_has_failed() {
    let trial = model(json!({"timeout_ms": 100, "retry_count": 1, "retry_delay_ms": 0}));
    trial.says("never seen").mock.fault(FaultRule::new(Fault::stall()));
    let result = trial.ask("?");
    assert_eq!(result.error.as_deref(), Some("Timeout after 100ms"));
    assert!(result.latency_ms >= 200, "two tries of 100 ms: {}", result.latency_ms);
    // Not by the journal: what is given up early may not have arrived.
    assert_eq!(result.metadata["attempts"], 2);
}

#[test]
fn nothing_to_ask_is_not_asked() {
    let trial = model(json!({"retry_count": 3}));
    let error = trial.ask("").error.unwrap();
    assert!(error.contains("neither a task nor a content"), "{error}");
    assert!(trial.mock.requests().is_empty());
}

#[test]
fn tools_are_called_and_what_they_say_goes_back() {
    let trial = model(json!({"tools_enabled": true, "tool_ids": ["calculator"]}));
    let call = json!({"expression": "6 * 7"});
    trial.mock.stub(Stub::chat().offers_tool("calculator").calls_tool("calculator", call));
    let last = Stub::chat().tool_result_contains("42").reply("It is 42.").usage(5, 4);
    trial.mock.stub(last);
    let result = trial.ask("What is 6 * 7?");
    assert_eq!(content(&result), "It is 42.");
    let calls = result.output_messages[0].payload.tool_calls.as_ref().unwrap();
    assert_eq!((&calls[0]["output"], &calls[0]["success"]), (&json!(42), &json!(true)));
    assert_eq!(trial.mock.requests().len(), 2);
    assert!(result.metadata["tokens"].as_u64().unwrap() > 9, "both rounds count");
}

#[test]
fn a_model_is_told_when_a_tool_fails_and_stopped_when_it_never_ends() {
    let trial = model(json!({"tools_enabled": true}));
    trial.mock.stub(Stub::chat().calls_tool("oven", json!({})));
    let failed = "Tool not found: oven; there are calculator";
    trial.mock.stub(Stub::chat().tool_result_contains(failed).reply("No oven."));
    assert_eq!(content(&trial.ask("Bake.")), "No oven.");

    let trial = model(json!({"tools_enabled": true}));
    trial.mock.stub(Stub::chat().calls_tool("calculator", json!({"expression": "1"})));
    let error = trial.ask("Count.").error.unwrap();
    assert_eq!(error, "Model execution failed: the model still called tools after 8 rounds");
    assert_eq!(trial.mock.requests().len(), 9);

    let trial = model(json!({"tools_enabled": true, "tool_ids": ["oven"]}));
    let error = trial.ask("Bake.").error.unwrap();
    assert_eq!(error, format!("Model execution failed: {failed}"));
}

fn with_reserve(strategy: &str, timeout_ms: u64) -> Trial {
    model(json!({
        "model": "phi3:mini", "enable_fallback": true, "fallback_strategy": strategy,
        "fallback_models": ["qwen2.5:3b", "qwen2.5:0.5b"], "fallback_timeout_ms": 5000,
        "timeout_ms": timeout_ms,
    }))
}

#[test]
fn models_in_reserve_are_asked_one_after_the_other() {
    let trial = with_reserve("sequential", 150);
    let broken = Stub::generate().model("phi3:mini").fault(Fault::stall()).reply("never");
    trial.mock.stub(broken);
    trial.mock.stub(Stub::generate().model("qwen2.5:3b").status(500, "out of memory"));
    trial.mock.stub(Stub::generate().model("qwen2.5:0.5b").reply("small but well"));
    let result = trial.ask("?");
    assert_eq!(content(&result), "small but well");
    let facts = &result.output_messages[0].payload.metadata;
    assert_eq!(facts["model_used"], "qwen2.5:0.5b");
    assert_eq!((&facts["fallback_occurred"], &facts["models_asked"]), (&json!(true), &json!(3)));
    assert!(facts["total_latency_ms"].as_u64().unwrap() >= 150);

    trial.mock.stub(Stub::generate().model("qwen2.5:0.5b").status(400, "no"));
    let result = trial.ask("?");
    assert_eq!(result.metadata["models_asked"], 3);
    let error = result.error.unwrap().replace(&trial.mock.url(), "URL");
    assert_eq!(
        error,
        "Model execution failed: no model answered: phi3:mini: Timeout after 150ms; qwen2.5:3b: \
         URL answers 500: out of memory; qwen2.5:0.5b: URL answers 400: no"
    );
}

#[test]
fn the_fastest_of_several_answers() {
    let trial = with_reserve("fastest", 5_000);
    trial.mock.stub(Stub::generate().model("phi3:mini").status(500, "no"));
    let slow = Stub::generate().model("qwen2.5:3b").latency(Duration::from_secs(60)).reply("slow");
    trial.mock.stub(slow);
    trial.mock.stub(Stub::generate().model("qwen2.5:0.5b").reply("fast"));
    let result = trial.ask("?");
    assert_eq!(content(&result), "fast");
    assert_eq!(result.output_messages[0].payload.metadata["models_asked"], 3);
}

#[test]
fn questions_spread_over_models_and_stay_where_they_fall() {
    let trial = with_reserve("load_balanced", 5_000);
    trial.says("text");
    let used = |question: String| {
        let result = trial.ask(&question);
        result.output_messages[0].payload.metadata["model_used"].clone()
    };
    let first: Vec<Value> = (0..12).map(|n| used(format!("question {n}"))).collect();
    let again: Vec<Value> = (0..12).map(|n| used(format!("question {n}"))).collect();
    assert_eq!(first, again);
    for model in ["phi3:mini", "qwen2.5:3b", "qwen2.5:0.5b"] {
        assert!(first.contains(&json!(model)), "{model}");
    }
}

#[test]
fn settings_are_checked() {
    let one = |rule: Rule, at: &str| vec![(rule, at.to_owned())];
    let found = broken::<Model>(json!({"enable_fallback": true}));
    assert_eq!(found, one(Rule::MissingCompanion, "fallback_models"));
    let found = broken::<Model>(json!({"temperature": 2.1}));
    assert_eq!(found, one(Rule::AboveMaximum, "temperature"));
    let found = broken::<Model>(json!({"max_tokens": 0}));
    assert_eq!(found, one(Rule::BelowMinimum, "max_tokens"));
    assert_eq!(broken::<Model>(json!({"model": ""})), one(Rule::TooShort, "model"));
    let environment = Environment { ollama_url: "nowhere".to_owned(), ..Environment::default() };
    let definition = NodeDefinition::new("test.node", NodeType::Model);
    let error = BehaviorNode::<Model>::new(&definition, &environment).unwrap_err();
    let NodeError::Invalid { violations, .. } = error else { panic!("{error}") };
    assert_eq!(violations[0].rule, Rule::BadUrl);
}

/// Counts its calls.
#[derive(Default)]
struct Counter(Arc<AtomicUsize>);

#[async_trait]
impl Tool for Counter {
    fn id(&self) -> &str {
        "counter"
    }

    fn description(&self) -> &str {
        "Counts its calls."
    }

    async fn call(&self, _: &Map<String, Value>) -> ToolOutcome {
        Ok(self.0.fetch_add(1, Ordering::Relaxed).into())
    }
}

#[test]
fn tools_of_a_round_too_many_are_not_called() {
    for (at_once, called, requests, why) in [
        (1, 8, 9, "the model still called tools after 8 rounds"),
        (33, 0, 1, "the model called 33 tools at once, 32 at most"),
    ] {
        let mock = MockOllama::builder().strict().start().unwrap();
        let calls = json!(vec![json!({"function": {"name": "counter", "arguments": {}}}); at_once]);
        let message = json!({"role": "assistant", "content": "", "tool_calls": calls});
        let body = json!({"message": message, "done": true}).to_string();
        mock.stub(Stub::chat().raw(200, "application/json", body));
        let counter = Arc::new(AtomicUsize::new(0));
        let mut tools = ToolRegistry::new();
        tools.register(Counter(Arc::clone(&counter))).unwrap();
        let ollama_url = mock.url();
        let environment =
            Environment { ollama_url, tools: Arc::new(tools), ..Environment::default() };
        let definition = NodeDefinition::new("test.node", NodeType::Model)
            .config(json!({"tools_enabled": true}));
        let node = BehaviorNode::<Model>::new(&definition, &environment).unwrap();
        let asked = Message::new("trace-1", "user", Payload::text("Count."));
        let result = block_on(node.execute(&asked, &ExecutionContext::new("trace-1", "graph")));
        assert_eq!(result.error, Some(format!("Model execution failed: {why}")));
        assert_eq!((counter.load(Ordering::Relaxed), mock.requests().len()), (called, requests));
    }
}
