use proptest::prelude::*;
use serde_json::{Value, json};

use super::{NodeResult, content, made, refused, run, said};
use crate::testkit::nodes::types::{TRANSFORM, parameters};
use crate::testkit::nodes::{Message, NodeType, Payload, Rule, field};

fn transformed(transforms: Value, text: &str) -> NodeResult {
    let mut config = json!({});
    config["transforms"] = transforms;
    run(&made(NodeType::Transform, config), &content(text), Vec::new())
}

#[test]
fn every_kind_of_step_does_what_its_name_says() {
    for (kind, params, text, wanted) in [
        ("uppercase", json!({}), "straße", "STRASSE"),
        ("lowercase", json!({}), "ÄB", "äb"),
        ("strip", json!({}), " \n a b\u{3000}", "a b"),
        ("truncate", json!({"max_length": 6}), "abcdefgh", "abc..."),
        ("truncate", json!({"max_length": 8}), "abcdefgh", "abcdefgh"),
        ("truncate", json!({"max_length": 2}), "abcdefgh", ".."),
        ("truncate", json!({"max_length": 0}), "abcdefgh", ""),
        ("truncate", json!({"max_length": 3, "suffix": "…"}), "äöüß", "äö…"),
        ("json_extract", json!({"path": "a.1.b"}), r#"{"a": [0, {"b": "x"}]}"#, "x"),
        ("json_extract", json!({"path": "a"}), r#"{"a": [0, {"b": "x"}]}"#, r#"[0,{"b":"x"}]"#),
        ("json_wrap", json!({}), "say \"hi\"", r#"{"content":"say \"hi\""}"#),
        ("json_wrap", json!({"key": "k"}), "", r#"{"k":""}"#),
        ("json_parse", json!({}), "{ \"a\" :1}", "{ \"a\" :1}"),
        ("json_stringify", json!({}), r#"{"b":1,"a":[]}"#, "{\n  \"b\": 1,\n  \"a\": []\n}"),
        ("json_stringify", json!({}), "not json", "\"not json\""),
        ("regex_extract", json!({"pattern": "[0-9]+"}), "a 12 b 3", "12"),
        ("regex_extract", json!({"pattern": "(a) ([0-9]+)", "group": 2}), "a 12", "12"),
        (
            "regex_replace",
            json!({"pattern": "[0-9]+", "replacement": "<$0>"}),
            "1 a 22",
            "<1> a <22>",
        ),
        (
            "regex_replace",
            json!({"pattern": "(?<first>a)(b)?", "replacement": "${first}1-$2-$9-$$"}),
            "ab a",
            "a1-b--$ a1---$",
        ),
        ("regex_replace", json!({"pattern": "", "replacement": "-"}), "äb", "-ä-b-"),
        ("template", json!({"template": "{content}, {content}! {x}"}), "ho", "ho, ho! {x}"),
        ("split", json!({"separator": ","}), "a,,b", r#"["a","","b"]"#),
        ("split", json!({"separator": ",", "index": 2}), "a,,b", "b"),
        ("split", json!({"separator": ",", "index": -3}), "a,,b", "a"),
        ("split", json!({"separator": "aa", "index": -1}), "aaa", "a"),
        ("join", json!({"separator": "+"}), r#"["a", 1, null]"#, "a+1+null"),
    ] {
        let result = transformed(json!([{"type": kind, "params": params}]), text);
        assert_eq!(said(&result), Some(wanted), "{kind} {params}");
    }
}

#[test]
fn a_step_that_cannot_be_taken_says_which_and_why() {
    for (kind, params, text, why) in [
        ("json_parse", json!({}), "{", "not JSON: EOF while parsing an object at line 1 column 1"),
        ("json_extract", json!({"path": "a.2"}), r#"{"a": [1]}"#, "no `2` of path `a.2`"),
        ("regex_extract", json!({"pattern": "x+"}), "abc", "nothing matches `x+`"),
        ("regex_extract", json!({"pattern": "a(b)?", "group": 1}), "ac", "group 1 took no part"),
        ("split", json!({"separator": ",", "index": -3}), "a,b", "no part -3; there are 2"),
        ("join", json!({"separator": ""}), "{}", "not a JSON list"),
    ] {
        let steps = json!([{"type": "strip"}, {"type": kind, "params": params}]);
        let result = transformed(steps, text);
        assert_eq!(result.error, Some(format!("Transform {kind} failed: {why}")));
        assert_eq!(
            result.metadata["transform_results"][0],
            json!({"type": "strip", "success": true})
        );
        assert_eq!(result.metadata["transform_results"][1]["error"], why);
    }
}

#[test]
fn without_stop_on_error_a_step_that_fails_is_left_out() {
    let config = json!({"stop_on_error": false, "transforms": [
        {"type": "uppercase"}, {"type": "json_parse"}, {"type": "truncate", "params": {"max_length": 1, "suffix": ""}}
    ]});
    let result = run(&made(NodeType::Transform, config), &content("abc"), Vec::new());
    assert_eq!(said(&result), Some("A"));
    assert_eq!(result.metadata["transforms_applied"], json!(["uppercase", "truncate"]));
    assert_eq!(result.metadata["transform_results"][1]["success"], false);
    assert_eq!(
        (&result.metadata["original_length"], &result.metadata["output_length"]),
        (&json!(3), &json!(1))
    );
}

#[test]
fn the_task_stands_in_for_the_content_and_the_answer_keeps_it() {
    let node = made(NodeType::Transform, json!({"transforms": [{"type": "uppercase"}]}));
    let mut payload = Payload::task("sum up");
    payload.metadata.insert("user".to_owned(), json!(1));
    let result = run(&node, &Message::new("trace", "user", payload), Vec::new());
    let said = serde_json::to_value(&result.output_messages[0].payload).unwrap();
    assert_eq!(
        said,
        json!({"task": "sum up", "content": "SUM UP", "metadata": {
            "user": 1, "transformed": true, "transforms_applied": ["uppercase"]
        }})
    );
    let none = made(NodeType::Transform, json!({}));
    assert_eq!(super::said(&run(&none, &content(" x "), Vec::new())), Some(" x "));
}

#[test]
fn parameters_are_checked_where_the_node_is_made() {
    let steps = json!({"transforms": [
        {"type": "truncate"},
        {"type": "truncate", "params": {"max_length": -1}},
        {"type": "split", "params": {"separator": ""}},
        {"type": "regex_extract", "params": {"pattern": "("}},
        {"type": "regex_extract", "params": {"pattern": "(a)", "group": 2}},
        {"type": "template", "params": {"template": "x", "templat": "y"}},
    ]});
    let found = refused(NodeType::Transform, steps);
    let found: Vec<(Rule, &str)> = found.iter().map(|(rule, at)| (*rule, at.as_str())).collect();
    assert_eq!(
        found,
        [
            (Rule::MissingParameter, "transforms.0.params.max_length"),
            (Rule::BelowMinimum, "transforms.1.params.max_length"),
            (Rule::TooShort, "transforms.2.params.separator"),
            (Rule::BadPattern, "transforms.3.params.pattern"),
            (Rule::AboveMaximum, "transforms.4.params.group"),
            (Rule::UnknownKey, "transforms.5.params.templat"),
        ]
    );
    assert_eq!(
        refused(NodeType::Transform, json!({"transforms": [{"type": "custom"}]})),
        [(Rule::NotAChoice, "transforms.0.type".to_owned())]
    );
}

#[test]
fn every_kind_has_parameters_of_a_shape() {
    let field::Kind::Choice(names) = TRANSFORM.fields[0].kind else { unreachable!() };
    assert_eq!(names.len(), 13);
    assert!(names.iter().all(|name| parameters(name).is_some()));
    assert!(parameters("custom").is_none());
}

#[test]
fn a_step_that_would_blow_a_text_up_fails() {
    let huge = "x".repeat(1 << 20);
    let deep = format!("[{}[]]", format!("{}{},", "[".repeat(100), "]".repeat(100)).repeat(5_000));
    for (kind, params, text) in [
        ("template", json!({"template": "{content}".repeat(20)}), &huge),
        ("regex_replace", json!({"pattern": "x", "replacement": "y".repeat(100)}), &huge),
        // 10 GiB, were it put together before it is measured.
        (
            "regex_replace",
            json!({"pattern": "(?s)^.*$", "replacement": "$0".repeat(10_000)}),
            &huge,
        ),
        ("json_stringify", json!({}), &deep),
        ("split", json!({"separator": "x"}), &"x".repeat(6 << 20)),
        ("json_wrap", json!({}), &"\u{1}".repeat(3 << 20)),
    ] {
        let result = transformed(json!([{"type": kind, "params": params}]), text);
        assert!(result.error.unwrap_or_default().ends_with("16777216 at most"), "{kind}");
    }
}

proptest! {
    #[test]
    fn truncate_never_makes_a_text_longer_than_it_may_be(
        text in ".{0,20}", suffix in ".{0,5}", most in 0_usize..25,
    ) {
        let params = json!({"max_length": most, "suffix": suffix});
        let result = transformed(json!([{"type": "truncate", "params": params}]), &text);
        let length = said(&result).unwrap_or_default().chars().count();
        prop_assert_eq!(length, text.chars().count().min(most));
    }
}
