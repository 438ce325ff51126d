use serde_json::json;

use super::*;
use crate::testkit::mock_server::fault::{Fault, FaultRule};
use crate::testkit::mock_server::stub::Stub;
use crate::testkit::nodes::types::trial::{Trial, broken, content};
use crate::testkit::nodes::{NodeType, Payload};

fn router(more: &Value) -> Trial {
    let mut config = json!({"routes": [
        {"name": "code", "description": "Programs", "target": "code.specialist", "domains": ["rust", "python"]},
        {"name": "math", "description": "Sums", "target": "math.specialist", "priority": 5},
        {"name": "small talk", "target": "chat"},
        {"name": "C++/low-level", "target": "code.specialist"},
    ]});
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    Trial::of::<Router>(NodeType::Router, config)
}

fn went(result: &NodeResult) -> (&str, &[String]) {
    assert!(result.success, "{:?}", result.error);
    let payload = &result.output_messages[0].payload;
    assert_eq!(payload.metadata["route"].as_str(), payload.route.as_deref());
    (payload.route.as_deref().unwrap(), &result.next_nodes)
}

#[test]
fn a_message_goes_where_the_model_says() {
    let trial = router(&json!({}));
    for (said, route, target) in [
        ("code", "code", "code.specialist"),
        ("  MATH.\n", "math", "math.specialist"),
        ("\n\n`math`\nbecause of the sums", "math", "math.specialist"),
        ("Small Talk", "small talk", "chat"),
        ("small_talk", "small talk", "chat"),
        ("c/low level", "C++/low-level", "code.specialist"),
    ] {
        let result = trial.says(said).ask("a question");
        assert_eq!(went(&result), (route, &[target.to_owned()][..]), "{said}");
        assert_eq!(content(&result), "a question");
        assert_eq!(result.metadata["raw_response"], said);
        assert_eq!(result.metadata["route_target"], target);
        assert_eq!(result.output_messages[0].target_node.as_deref(), Some(target));
    }
    let asked = trial.mock.requests()[0].json().unwrap();
    assert_eq!(asked["prompt"], "Classify this request:\na question");
    assert!(asked["system"].as_str().unwrap().contains("- code: Programs (rust, python)\n"));
}

#[test]
fn what_fits_no_route_takes_the_default_or_fails() {
    let result = router(&json!({})).says("recode").ask("?");
    assert_eq!(result.error.as_deref(), Some("No matching route found for: recode"));
    assert_eq!(result.metadata["raw_response"], "recode");

    let result = router(&json!({"default_route": "chat"})).says("poetry").ask("?").clone();
    assert_eq!(went(&result), ("default", &["chat".to_owned()][..]));
    let result = router(&json!({"default_route": "small talk"})).says("").ask("?");
    assert_eq!(went(&result), ("small talk", &["chat".to_owned()][..]));
}

fn several(said: &str, more: &Value) -> NodeResult {
    let mut config = json!({"multi_label": true});
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    router(&config).says(said).ask("?")
}

#[test]
fn several_labels_are_read_however_they_are_written() {
    for said in [
        "[\"code\", \"math\"]",
        "```json\n[\"Code\", \"MATH\", \"code\"]\n```",
        "code, math",
        "code\nmath",
        "- code\n- math",
        "1. code\n2. math.",
        "python, math",
        "[\"poetry\", \"rust\", \"math\", 3]",
    ] {
        let result = several(said, &json!({}));
        assert_eq!(result.metadata["routes"], json!(["code", "math"]), "{said}");
        assert_eq!(went(&result).0, "math", "the highest priority: {said}");
    }
    let result = several("[\"poetry\", \"code\"]", &json!({}));
    assert_eq!(result.metadata["unknown_labels"], json!(["poetry"]));
    let result = several("code, math, small talk", &json!({"max_labels": 1}));
    assert_eq!(result.metadata["routes"], json!(["code"]));
}

#[test]
fn of_equal_priority_the_first_wins() {
    let result = several("small talk, code", &json!({}));
    assert_eq!(went(&result).0, "small talk");
}

#[test]
fn no_label_takes_the_default_or_fails() {
    let result = several("poetry", &json!({}));
    let error = "No labels matched from multi-label classification";
    assert_eq!(result.error.as_deref(), Some(error));
    let result = several("poetry", &json!({"default_route": "chat"}));
    assert_eq!(result.metadata["routes"], json!(["default"]));
    assert_eq!(went(&result).1, ["chat".to_owned()]);
}

#[test]
fn the_compound_route_with_the_most_domains_wins() {
    let compounds = json!({"compound_routes": [
        {"domains": ["code", "math"], "target": "pair"},
        {"domains": ["rust", "math"], "target": "rusty", "priority": 1},
        {"domains": ["math", "code", "small talk"], "target": "all"},
    ]});
    for (said, target) in [
        ("code, math", "pair"),
        ("rust, math", "rusty"),
        ("small talk, math, code", "all"),
        ("math", "math.specialist"),
    ] {
        let result = several(said, &compounds);
        assert_eq!(went(&result).1, [target.to_owned()], "{said}");
    }
    let result = several("code, math", &compounds);
    assert_eq!(result.output_messages[0].payload.metadata["compound_route"], "code+math");
}

#[test]
fn a_fan_out_says_it_to_every_target_once() {
    let said = "code, math, C++/low-level";
    let result = several(said, &json!({"fanout_enabled": true}));
    assert_eq!(result.next_nodes, ["code.specialist", "math.specialist"]);
    let branches: Vec<_> = result
        .output_messages
        .iter()
        .map(|said| {
            (said.target_node.clone().unwrap(), said.payload.metadata["fanout_branch"].clone())
        })
        .collect();
    let expected =
        [("code.specialist".to_owned(), json!(0)), ("math.specialist".to_owned(), json!(1))];
    assert_eq!(branches, expected);
}

#[test]
fn a_threshold_asks_how_sure_the_model_is() {
    let trial = router(&json!({"confidence_threshold": 0.5}));
    let result = trial.says("math").ask("?");
    assert!(result.output_messages[0].payload.confidence.unwrap() >= 0.5);
    assert_eq!(trial.mock.requests()[0].json().unwrap()["logprobs"], true);

    let trial = router(&json!({"confidence_threshold": 1.0, "default_route": "chat"}));
    let result = trial.says("math").ask("?");
    assert_eq!(went(&result).1, ["chat".to_owned()]);
    let why = result.metadata["why_default"].as_str().unwrap();
    assert!(why.starts_with("the model's confidence 0."), "{why}");

    let body = json!({"response": "math", "done": true}).to_string();
    trial.mock.stub(Stub::generate().raw(200, "application/json", body));
    let error = trial.ask("?").error.unwrap();
    assert!(error.contains("does not say how likely"), "{error}");
}

#[test]
fn trouble_with_the_server_is_a_failure_and_is_tried_again() {
    let trial = router(&json!({"retry_count": 1, "retry_delay_ms": 0}));
    trial.says("math").mock.fault(FaultRule::new(Fault::overloaded()).first(1));
    assert_eq!(went(&trial.ask("?")).0, "math");
    assert_eq!(trial.mock.requests().len(), 2);
    trial.mock.fault(FaultRule::new(Fault::status(400)));
    let error = trial.ask("?").error.unwrap();
    assert!(error.starts_with("Routing failed: http://"), "{error}");
    let error = trial.run(Payload::default()).error.unwrap();
    assert!(error.starts_with("Routing failed: the message has neither"), "{error}");
}

#[test]
fn settings_are_checked() {
    let route = |name: &str| json!({"name": name, "target": "a"});
    let at = |rule: Rule, at: &str| (rule, at.to_owned());
    assert_eq!(broken::<Router>(json!({})), [at(Rule::Missing, "routes")]);
    assert_eq!(broken::<Router>(json!({"routes": []})), [at(Rule::TooFew, "routes")]);
    let found = broken::<Router>(json!({"routes": [route("a-b"), route("A b"), route("--")]}));
    let expected =
        [at(Rule::Contradiction, "routes.1.name"), at(Rule::BadIdentifier, "routes.2.name")];
    assert_eq!(found, expected);
    let found = broken::<Router>(json!({"routes": [route("a")], "fanout_enabled": true}));
    assert_eq!(found, [at(Rule::MissingCompanion, "multi_label")]);
    let found = broken::<Router>(json!({
        "routes": [route("a")], "multi_label": true,
        "compound_routes": [{"domains": ["a", "b"], "target": "c"}],
    }));
    assert_eq!(found, [at(Rule::Contradiction, "compound_routes.0.domains.1")]);
}

#[test]
fn an_answer_without_end_is_read_at_its_begin() {
    let said = format!("code, {}, math", "something else, ".repeat(100_000));
    let answered = |config: Value, text: &str| {
        let trial = router(&config);
        let body = json!({"response": text, "done": true}).to_string();
        trial.mock.stub(Stub::generate().raw(200, "application/json", body));
        trial.ask("?")
    };
    let result = answered(json!({"multi_label": true}), &said);
    assert_eq!(result.metadata["routes"], json!(["code"]));
    assert_eq!(result.metadata["unknown_labels"].as_array().unwrap().len(), 20);
    assert_eq!(result.metadata["raw_response"].as_str().unwrap().len(), 8 << 10);
    let result = several(&format!("[\"{}\", \"code\"]", "x".repeat(1_000)), &json!({}));
    assert_eq!(result.metadata["unknown_labels"][0].as_str().unwrap().chars().count(), 81);

    let result = answered(json!({}), &"x".repeat(1 << 20));
    assert!(result.error.unwrap().len() < 300);
}
