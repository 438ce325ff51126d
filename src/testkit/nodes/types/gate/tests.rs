use serde_json::json;

use super::*;
use crate::testkit::mock_server::fault::{Fault, FaultRule};
use crate::testkit::mock_server::stub::Stub;
use crate::testkit::nodes::types::trial::{Trial, broken, content};
use crate::testkit::nodes::{BehaviorNode, NodeDefinition, NodeError, NodeType, Payload};

fn gate(config: Value) -> Trial {
    Trial::of::<Gate>(NodeType::Gate, config)
}

fn by_expression() -> Trial {
    gate(json!({"conditions": [
        {"name": "broken", "expression": "structured.none > 1", "target": "nowhere"},
        {"name": "long", "expression": "len(content) > 10", "target": "summary"},
        {"name": "refund", "expression": "'refund' in content.lower()", "target": "desk"},
    ]}))
}

#[test]
fn the_first_condition_that_holds_decides() {
    let trial = by_expression();
    let result = trial.ask("Refund!");
    assert_eq!(content(&result), "Refund!");
    assert_eq!(result.next_nodes, ["desk"]);
    assert_eq!(result.metadata["matched_condition"], "refund");
    assert_eq!(result.metadata["expression"], "'refund' in content.lower()");
    assert_eq!(result.metadata["condition_errors"], json!({"broken": "a value is not there"}));
    assert_eq!(trial.ask("A long refund").next_nodes, ["summary"]);
    assert!(trial.mock.requests().is_empty(), "no model is asked");
}

#[test]
fn where_none_holds_it_fails_or_takes_the_default() {
    let result = by_expression().ask("hello");
    assert_eq!(result.error.as_deref(), Some("No gate condition matched"));
    assert!(result.metadata.contains_key("condition_errors"));

    let trial = gate(json!({"default_target": "exit"}));
    let result = trial.ask("hello");
    assert_eq!(result.next_nodes, ["exit"]);
    assert_eq!(result.metadata["matched_condition"], "default");
}

#[test]
fn a_gate_that_asks_nobody_needs_no_server() {
    let environment = Environment { ollama_url: "nowhere".to_owned(), ..Environment::default() };
    let made = |mode: &str| {
        let conditions = json!([{"name": "any", "expression": "true", "target": "next"}]);
        let config = json!({"mode": mode, "conditions": conditions});
        let definition = NodeDefinition::new("test.node", NodeType::Gate).config(config);
        BehaviorNode::<Gate>::new(&definition, &environment)
    };
    assert!(made("expression").is_ok());
    let NodeError::Invalid { violations, .. } = made("llm").unwrap_err() else { panic!("invalid") };
    assert_eq!(violations[0].rule, Rule::BadUrl);
}

fn by_model(mode: &str, default: Option<&str>) -> Trial {
    gate(json!({
        "mode": mode, "default_target": default, "evaluation_prompt": "Is it polite?",
        "conditions": [
            {"name": "approved", "target": "publish"},
            {"name": "needs_review", "target": "editor"},
            {"name": "rejected", "target": "bin", "expression": "'spam' in content"},
            {"name": "rejected for good", "target": "shredder"},
        ],
    }))
}

#[test]
fn a_model_names_the_condition() {
    let trial = by_model("llm", None);
    for (said, target) in [
        ("approved", "publish"),
        ("Approved.", "publish"),
        ("I think it is approved", "publish"),
        ("needs_review", "editor"),
        ("Needs review", "editor"),
        ("rejected", "bin"),
        ("It is rejected for good!", "shredder"),
        ("not approved, rejected", "bin"),
        ("No, rejected.", "bin"),
        ("rejected, as it is not polite", "bin"),
        ("{\"condition\": \"approved\", \"is_long\": false}", "publish"),
        ("It has no spam. I say: **approved**", "publish"),
        ("Is it polite? It is.\n_approved_", "publish"),
        ("It is approved. It is not rejected, nor does it need anything", "publish"),
    ] {
        let result = trial.says(said).ask("spam");
        assert_eq!(result.next_nodes, [target.to_owned()], "{said}: {:?}", result.error);
        assert_eq!(result.metadata["method"], "llm");
        assert_eq!(result.metadata["raw_response"], said);
        assert!(!result.metadata.contains_key("expression"));
        assert!(result.output_messages[0].metadata.tokens_out.is_some());
    }
    let asked = trial.mock.requests()[0].json().unwrap();
    assert!(asked["system"].as_str().unwrap().starts_with("Is it polite?\n"));
    assert_eq!(asked["prompt"], "Evaluate this content:\nspam");
}

#[test]
fn a_name_within_another_word_or_after_a_negation_is_not_named() {
    for said in [
        "not approved",
        "not_approved",
        "unapproved",
        "It isn’t approved",
        "approved or rejected",
        "This should not be approved",
        "It is not yet approved.",
        "It cannot be approved",
        "It can't be approved",
        "It wasnt approved",
        "It is neither approved nor rejected",
        "Neither of them, approved",
        "Not, in my view, approved",
        "This cannot, under any circumstances, be approved.",
        "Approved it is not",
        "Should it be approved?",
        "Without changes it is approved",
        "approved: no",
        "{\"approved\": false, \"reason\": \"too long\"}",
        "It is approved if the author agrees",
        "It can be approved unless you mind",
        "?",
    ] {
        let error = by_model("llm", None).says(said).ask("text").error.unwrap();
        assert_eq!(error, format!("LLM response didn't match any condition: {said}"));
        let result = by_model("llm", Some("exit")).says(said).ask("text");
        assert_eq!(result.next_nodes, ["exit"]);
    }
}

#[test]
fn a_hybrid_gate_asks_only_where_no_expression_holds() {
    let trial = by_model("hybrid", Some("exit"));
    assert_eq!(trial.ask("spam").next_nodes, ["bin"]);
    assert!(trial.mock.requests().is_empty());
    assert_eq!(trial.says("approved").ask("poem").next_nodes, ["publish"]);
    assert_eq!(trial.says("who knows").ask("poem").next_nodes, ["exit"]);
    assert_eq!(trial.mock.requests().len(), 2);
}

#[test]
fn trouble_with_the_server_is_a_failure() {
    let trial = by_model("llm", Some("exit"));
    trial.says("approved").mock.fault(FaultRule::new(Fault::overloaded()));
    let error = trial.ask("text").error.unwrap();
    assert!(error.starts_with("LLM gate evaluation failed: http://"), "{error}");
    let error = trial.run(Payload::default()).error.unwrap();
    assert!(error.contains("neither a content nor a task"), "{error}");
}

#[test]
fn settings_are_checked() {
    let at = |rule: Rule, at: &str| (rule, at.to_owned());
    assert_eq!(broken::<Gate>(json!({})), [at(Rule::MissingCompanion, "conditions")]);
    let llm = json!({"mode": "llm", "default_target": "a"});
    assert_eq!(broken::<Gate>(llm), [at(Rule::MissingCompanion, "conditions")]);
    let found = broken::<Gate>(json!({"pass_threshold": 0.7, "default_target": "a"}));
    assert_eq!(found, [at(Rule::UnknownKey, "pass_threshold")]);
    let found = broken::<Gate>(json!({"conditions": [
        {"name": "a", "expression": "content >", "target": "x"},
        {"name": "b", "target": "x"},
        {"name": "A", "expression": "true", "target": "No"},
    ]}));
    assert_eq!(found, [at(Rule::BadIdentifier, "conditions.2.target")]);
    let found = broken::<Gate>(json!({"conditions": [
        {"name": "a", "expression": "content >", "target": "x"},
        {"name": "b", "target": "x"},
        {"name": "A", "expression": "true", "target": "x"},
    ]}));
    let expected = [
        at(Rule::Contradiction, "conditions.2.name"),
        at(Rule::BadExpression, "conditions.0.expression"),
        at(Rule::MissingCompanion, "conditions.1.expression"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_name_may_have_a_negation_of_its_own() {
    let trial = gate(json!({"mode": "llm", "conditions": [
        {"name": "approved", "target": "publish"},
        {"name": "not approved", "target": "bin"},
        {"name": "no", "target": "nowhere"},
    ]}));
    for (said, target) in [
        ("not approved", "bin"),
        ("It is not approved.", "bin"),
        ("No, I would not send it.", "nowhere"),
        ("It is approved", "publish"),
    ] {
        assert_eq!(trial.says(said).ask("text").next_nodes, [target.to_owned()], "{said}");
    }
}

#[test]
fn an_answer_without_end_is_no_verdict() {
    let said = format!("approved {}", "and so on, approved ".repeat(100_000));
    let trial = by_model("llm", None);
    let body = json!({"response": said, "done": true}).to_string();
    trial.mock.stub(Stub::generate().raw(200, "application/json", body));
    let result = trial.ask("text");
    assert!(result.error.unwrap().len() < 300);
    assert_eq!(result.metadata["raw_response"].as_str().unwrap().len(), ANSWER_BYTES_READ);
}
