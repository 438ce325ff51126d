use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::*;
use crate::testkit::nodes::config::NODE_CONFIG;
use crate::testkit::nodes::definition::{
    EDGE_DEFINITION, GRAPH_DEFINITION, GRAPH_METADATA, NODE_DEFINITION,
};
use crate::testkit::nodes::message::{
    ERROR_INFO, MESSAGE, MESSAGE_METADATA, PAYLOAD, TOOL_CALL, TOOL_RESULT,
};
use crate::testkit::nodes::{
    EdgeDefinition, ErrorCode, ErrorInfo, GraphDefinition, GraphMetadata, Message, MessageMetadata,
    NODE_RESULT, NodeConfig, NodeDefinition, NodeResult, NodeType, Payload, ToolCall, ToolResult,
};

static INNER: Shape = Shape {
    name: "inner",
    extra: Extra::Kept,
    fields: &[Field::default("depth", Kind::Integer(1, 5), Literal::Integer(2))],
};

static SAMPLE: Shape = Shape {
    name: "sample",
    extra: Extra::Refused,
    fields: &[
        Field::required("id", Kind::Identifier),
        Field::optional("title", Kind::Length(2, 4)),
        Field::default("mode", Kind::Choice(&["fast", "slow"]), Literal::Text("fast")),
        Field::default("share", Kind::Number(0.0, 1.0), Literal::Number(0.5)),
        Field::optional("version", Kind::Version),
        Field::optional("at", Kind::Time),
        Field::default("on", Kind::Boolean, Literal::Boolean(true)),
        Field::optional("few", Kind::List(2, &Kind::Integer(0, 9))),
        Field::default("inner", Kind::Object(&INNER), Literal::EmptyMap),
        Field::optional("by_name", Kind::MapOf(&Kind::Text)),
    ],
};

fn broken(value: &Value) -> Vec<(&'static str, String)> {
    let found = SAMPLE.violations(value);
    found.into_iter().map(|violation| (violation.rule.as_str(), violation.at)).collect()
}

#[test]
fn each_way_to_be_wrong_is_named_and_placed() {
    for (value, rule, at) in [
        (json!({}), "missing", "id"),
        (json!({"id": null}), "missing", "id"),
        (json!({"id": "A"}), "bad_identifier", "id"),
        (json!({"id": "a-b"}), "bad_identifier", "id"),
        (json!({"id": 1}), "wrong_type", "id"),
        (json!({"id": "a", "title": "x"}), "too_short", "title"),
        (json!({"id": "a", "title": "ééééé"}), "too_long", "title"),
        (json!({"id": "a", "mode": "medium"}), "not_a_choice", "mode"),
        (json!({"id": "a", "share": -0.1}), "below_minimum", "share"),
        (json!({"id": "a", "share": 1.1}), "above_maximum", "share"),
        (json!({"id": "a", "version": "1.0"}), "bad_version", "version"),
        (json!({"id": "a", "version": "1.0.x"}), "bad_version", "version"),
        (json!({"id": "a", "at": "yesterday"}), "bad_time", "at"),
        (json!({"id": "a", "on": "yes"}), "wrong_type", "on"),
        (json!({"id": "a", "few": [1]}), "too_few", "few"),
        (json!({"id": "a", "few": [1, 10]}), "above_maximum", "few.1"),
        (json!({"id": "a", "few": [1, 2.5]}), "wrong_type", "few.1"),
        (json!({"id": "a", "inner": {"depth": 0}}), "below_minimum", "inner.depth"),
        (json!({"id": "a", "inner": {"depth": u64::MAX}}), "above_maximum", "inner.depth"),
        (json!({"id": "a", "by_name": {"x": 1}}), "wrong_type", "by_name.x"),
        (json!({"id": "a", "tilte": "abc"}), "unknown_key", "tilte"),
        (json!([]), "wrong_type", ""),
    ] {
        assert_eq!(broken(&value), [(rule, at.to_owned())], "{value}");
    }
}

#[test]
fn all_that_is_wrong_is_found_at_once() {
    let value = json!({"share": 2, "few": [11, "x"], "zzz": 0});
    let places: Vec<String> = broken(&value).into_iter().map(|(_, at)| at).collect();
    assert_eq!(places, ["id", "share", "few.0", "few.1", "zzz"]);
}

#[test]
fn an_unknown_key_is_told_what_was_meant_or_what_there_is() {
    let said = |value: Value| SAMPLE.violations(&value).remove(0).to_string();
    insta::assert_snapshot!(said(json!({"id": "a", "tilte": "abc"})), @"tilte: a sample has no `tilte`; did you mean `title`? (unknown_key)");
    insta::assert_snapshot!(said(json!({"id": "a", "pass_threshold": 1})), @"pass_threshold: a sample has no `pass_threshold`; it has: id, title, mode, share, version, at, on, few, inner, by_name (unknown_key)");
}

#[test]
fn both_ends_of_a_range_belong_to_it() {
    for depth in 1..=5 {
        assert_eq!(broken(&json!({"id": "a", "inner": {"depth": depth}})), []);
    }
    assert_eq!(broken(&json!({"id": "a", "share": 0, "title": "ab"})), []);
    assert_eq!(broken(&json!({"id": "a", "share": 1.0, "title": "abcd"})), []);
}

#[test]
fn what_is_absent_gets_its_default_deep_in_objects_too() {
    assert_eq!(
        SAMPLE.complete(&json!({"id": "a", "inner": {"more": 1}, "title": null})),
        json!({"id": "a", "mode": "fast", "share": 0.5, "on": true,
               "inner": {"depth": 2, "more": 1}})
    );
}

fn keys<T: Serialize>(value: &T) -> Vec<String> {
    let value = serde_json::to_value(value).unwrap();
    value.as_object().unwrap().keys().cloned().collect()
}

fn full_payload() -> Payload {
    let map = json!({"a": 1}).as_object().unwrap().clone();
    Payload {
        task: Some("t".into()),
        content: Some("c".into()),
        structured: Some(map.clone()),
        route: Some("r".into()),
        confidence: Some(1.0),
        tool_call: Some(full_call()),
        tool_result: Some(full_result()),
        tool_calls: Some(vec![map.clone()]),
        error: Some(full_error()),
        metadata: map,
        extra: serde_json::Map::new(),
    }
}

fn full_call() -> ToolCall {
    ToolCall { tool_id: "t".into(), input: serde_json::Map::new(), call_id: "c".into() }
}

fn full_result() -> ToolResult {
    ToolResult {
        call_id: "c".into(),
        tool_id: "t".into(),
        success: true,
        output: Some(json!(1)),
        error: Some("e".into()),
        latency_ms: 1,
    }
}

fn full_error() -> ErrorInfo {
    ErrorInfo {
        code: ErrorCode::GateFailed,
        message: "m".into(),
        details: Some(serde_json::Map::new()),
        recoverable: true,
    }
}

fn full_metadata() -> MessageMetadata {
    MessageMetadata {
        latency_ms: Some(1),
        model_used: Some("m".into()),
        tokens_in: Some(1),
        tokens_out: Some(1),
        quality_score: Some(0.5),
        iteration: Some(1),
        retry_count: Some(1),
        is_cached: true,
    }
}

fn full_message() -> Message {
    let parent = Message::new("t", "n", full_payload());
    parent.child("m").target("x").metadata(full_metadata()).build()
}

fn full_node() -> NodeDefinition {
    NodeDefinition {
        name: Some("n".into()),
        description: Some("d".into()),
        ..NodeDefinition::new("a", NodeType::Entry)
    }
}

fn full_graph() -> GraphDefinition {
    GraphDefinition {
        id: "g".into(),
        version: "1.0.0".into(),
        name: "n".into(),
        description: Some("d".into()),
        metadata: full_graph_metadata(),
        nodes: vec![full_node()],
        edges: vec![EdgeDefinition::new("a", "a").when("x")],
        entry_points: vec!["a".into()],
        exit_points: vec!["a".into()],
        protected: Vec::new(),
        allow_cycles: false,
    }
}

fn full_graph_metadata() -> GraphMetadata {
    GraphMetadata {
        created_at: Some("now".into()),
        description: Some("d".into()),
        author: Some("a".into()),
        tags: vec!["t".into()],
        extra: serde_json::Map::new(),
    }
}

#[test]
fn every_struct_has_the_fields_of_its_shape_in_their_order() {
    let result = NodeResult { error: Some("e".into()), ..NodeResult::default() };
    for (shape, found) in [
        (&TOOL_CALL, keys(&full_call())),
        (&TOOL_RESULT, keys(&full_result())),
        (&ERROR_INFO, keys(&full_error())),
        (&PAYLOAD, keys(&full_payload())),
        (&MESSAGE_METADATA, keys(&full_metadata())),
        (&MESSAGE, keys(&full_message())),
        (&NODE_DEFINITION, keys(&full_node())),
        (&EDGE_DEFINITION, keys(&EdgeDefinition::new("a", "b").when("x"))),
        (&GRAPH_METADATA, keys(&full_graph_metadata())),
        (&GRAPH_DEFINITION, keys(&full_graph())),
        (&NODE_CONFIG, keys(&NodeConfig::default())),
        (&NODE_RESULT, keys(&result)),
    ] {
        let wanted: Vec<&str> = shape.fields.iter().map(|field| field.name).collect();
        assert_eq!(found, wanted, "{}", shape.name);
    }
}

#[test]
fn what_is_written_is_read_again() {
    let message = full_message();
    let written = serde_json::to_value(&message).unwrap();
    assert_eq!(Message::from_value(&written), Ok(message));
    let graph = full_graph();
    let written = serde_json::to_value(&graph).unwrap();
    assert_eq!(GRAPH_DEFINITION.read::<GraphDefinition>(&written), Ok(graph));
    assert_eq!(NODE_CONFIG.read(&json!({})), Ok(NodeConfig::default()));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z._A-Z0-9]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let keys = proptest::sample::select(vec![
            "id", "title", "mode", "share", "version", "at", "on", "few", "inner", "by_name",
            "depth", "other",
        ]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..8).prop_map(|map| {
                map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn identifiers_are_those_of_the_pattern(text in "[a-z._A-Z0-9é-]{0,5}") {
        let pattern = regex::Regex::new(r"^[a-z][a-z0-9_\.]*$").unwrap();
        prop_assert_eq!(is_identifier(&text), pattern.is_match(&text));
    }

    #[test]
    fn completing_changes_no_verdict_and_nothing_twice(value in any_json()) {
        let found = SAMPLE.violations(&value);
        if value.is_object() {
            let whole = SAMPLE.complete(&value);
            prop_assert_eq!(SAMPLE.violations(&whole), found);
            prop_assert_eq!(SAMPLE.complete(&whole), whole);
        } else {
            prop_assert_eq!(found.len(), 1);
        }
    }
}

#[test]
fn errors_show_the_begin_of_what_is_wrong() {
    let long = "x".repeat(1 << 20);
    for written in [
        json!({"id": long.to_uppercase()}),
        json!({"id": "a", "mode": long}),
        json!({"id": "a", "version": long}),
        json!({"id": "a", "at": long}),
        json!({"id": "a", long.as_str(): 1}),
        json!({"id": "a", "by_name": {long.as_str(): 1}}),
    ] {
        let [found] = &SAMPLE.violations(&written)[..] else { panic!("one violation") };
        assert!(found.message.len() < 300 && found.at.len() < 100, "{:?}", found.rule);
    }
    let error = long.to_uppercase().parse::<NodeType>().unwrap_err().to_string();
    assert!(error.len() < 300, "{}", error.len());
}
