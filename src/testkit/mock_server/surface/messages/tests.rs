use insta::assert_snapshot;
use proptest::prelude::*;

use super::super::played::{
    any_json, any_performance, ask, call, data, events, exchange, json_of, performance, shown,
    stamp, text, thinking,
};
use super::*;
use crate::testkit::mock_server::ask::Message;
use crate::testkit::mock_server::reply::{Finish, Part, Performance};

fn asking(stream: bool) -> Ask {
    let mut asking = ask(stream);
    asking.echo.insert(ESTIMATE.to_owned(), json!(4));
    asking
}

fn written(stream: bool, performance: &Performance) -> Script {
    (SURFACE.text)(&asking(stream), performance, &stamp())
}

fn weather() -> Part {
    call("weather", json!({"city": "Paris", "days": 2}), "call_abcd1234")
}

#[test]
fn everything_whole() {
    let played =
        performance(vec![thinking("Hm"), thinking("."), text("Hi "), text("you"), weather()]);
    assert_snapshot!(shown(&written(false, &played)));
}

#[test]
fn everything_streamed() {
    let played =
        performance(vec![thinking("Hm"), thinking("."), text("Hi "), text("you"), weather()]);
    assert_snapshot!(shown(&written(true, &played)));
}

#[test]
fn nothing_said() {
    let played = performance(Vec::new());
    assert_snapshot!("nothing_whole", shown(&written(false, &played)));
    // Its only line is the last one, which knows the tokens.
    assert_snapshot!("nothing_streamed", shown(&written(true, &played)));
}

#[test]
fn a_search_of_the_servers_own() {
    let mut asking = asking(true);
    asking.echo.insert(WEB_SEARCH.to_owned(), json!(true));
    let played = performance(vec![
        thinking("Hm"),
        call("web_search", json!({"query": "rust"}), "call_abcd1234"),
        text("Found."),
    ]);
    assert_snapshot!("search_streamed", shown(&(SURFACE.text)(&asking, &played, &stamp())));
    asking.stream = false;
    assert_snapshot!("search_whole", shown(&(SURFACE.text)(&asking, &played, &stamp())));
}

#[test]
fn a_search_comes_before_what_is_said_of_it() {
    let mut asking = asking(true);
    asking.echo.insert(WEB_SEARCH.to_owned(), json!(true));
    let search = |id| call("web_search", json!({"query": id}), id);
    let played = performance(vec![text("Found"), text("."), search("call_1"), search("call_2")]);
    let script = (SURFACE.text)(&asking, &played, &stamp());
    let begun: Vec<Value> = data(&script)
        .iter()
        .filter(|event| event["type"] == "content_block_start")
        .map(|event| event["content_block"]["type"].clone())
        .collect();
    let pair = ["server_tool_use", "web_search_tool_result"];
    assert_eq!(json!(begun), json!([pair[0], pair[1], pair[0], pair[1], "text"]));
    asking.stream = false;
    let whole = json_of(&(SURFACE.text)(&asking, &played, &stamp()));
    let kinds: Vec<&Value> =
        whole["content"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert_eq!(json!(kinds), json!(begun));
}

#[test]
fn reasons_to_stop() {
    let reason = |played: &Performance| json_of(&written(false, played))["stop_reason"].clone();
    let mut played = performance(vec![text("a")]);
    assert_eq!(reason(&played), "end_turn");
    played.finish = Finish::Length;
    assert_eq!(reason(&played), "max_tokens");
    played.pieces = performance(vec![weather()]).pieces;
    assert_eq!(reason(&played), "tool_use");
    assert_eq!(json_of(&write::loaded(&asking(false), &stamp()))["stop_reason"], "stop_sequence");
}

#[test]
fn a_stream_that_breaks_off_just_ends() {
    assert!((SURFACE.broken_off)("boom", &asking(true), &stamp()).is_empty());
}

#[test]
fn errors_have_the_shape_of_the_api() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "overloaded_error"),
        (529, "overloaded_error"),
    ] {
        let script = (SURFACE.refuse)(&Refusal::new(status, "no <x>"), &stamp());
        assert_eq!(script.status, status);
        let body = String::from_utf8(script.bytes()).unwrap();
        let start = format!(
            "{{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"message\":\"no \\u003cx\\u003e\"}},\
             \"request_id\":\"req_"
        );
        let id = body.strip_prefix(&start).unwrap().strip_suffix("\"}\n").unwrap();
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
}

fn read_json(body: &Value) -> Result<Ask, Refusal> {
    asked(&exchange(body.to_string()), None)
}

fn said(content: &Value) -> Value {
    json!({"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": content}]})
}

#[test]
fn each_wrong_request_has_the_real_text() {
    let user = json!([{"role": "user", "content": "hi"}]);
    let table = [
        (
            json!({"model": 1}),
            "json: cannot unmarshal number into Go struct field MessagesRequest.model of type string",
        ),
        (json!({}), "model is required"),
        (json!({"model": "m"}), "max_tokens is required and must be positive"),
        (
            json!({"model": "m", "max_tokens": -1, "messages": user}),
            "max_tokens is required and must be positive",
        ),
        (json!({"model": "m", "max_tokens": 1}), "messages is required"),
        (json!({"model": "m", "max_tokens": 1, "messages": []}), "messages is required"),
        (said(&json!([{"type": "image"}])), "invalid image source"),
        (
            said(&json!([{"type": "image", "source": {"type": "url", "url": "https://x"}}])),
            "invalid image source type: url. Only base64 images are supported.",
        ),
        (
            said(&json!([{"type": "image", "source": {"type": "base64", "data": "AA*A"}}])),
            "invalid base64 image data: illegal base64 data at input byte 2",
        ),
        (
            said(&json!([{"type": "tool_use", "name": "f"}])),
            "tool_use block missing required 'id' field",
        ),
        (
            said(&json!([{"type": "tool_use", "id": "x"}])),
            "tool_use block missing required 'name' field",
        ),
        (
            said(&json!([{"type": "tool_result", "content": [{"type": "image"}]}])),
            "invalid tool_result image source",
        ),
        (
            said(&json!(7)),
            "json: cannot unmarshal number into Go value of type []anthropic.ContentBlock",
        ),
        (
            json!({"model": "m", "max_tokens": 1, "messages": user,
                   "tools": [{"name": "f", "input_schema": "x"}]}),
            "invalid input_schema for tool \"f\": json: cannot unmarshal string into Go value of \
             type api.ToolFunctionParameters",
        ),
    ];
    for (body, expected) in table {
        assert_eq!(read_json(&body).map(drop), Err(Refusal::bad_request(expected)), "{body}");
    }
}

#[test]
fn blocks_become_messages() {
    let ask = read_json(&json!({
        "model": "m", "max_tokens": 10,
        "system": [{"type": "text", "text": "Be "}, {"type": "text", "text": "kind."}],
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "Assistant", "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "s"},
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}},
            ]},
            {"role": "user", "content": [
                {"type": "text", "text": "Here: "},
                {"type": "tool_result", "tool_use_id": "t1", "content": [
                    {"type": "text", "text": "rain"},
                    {"type": "image", "source": {"type": "base64", "data": "AQID"}},
                ]},
                {"type": "text", "text": "go on"},
                {"type": "unheard_of"},
            ]},
        ],
    }))
    .unwrap();
    let message = |role: &str, content: &str| Message {
        role: role.to_owned(),
        content: content.to_owned(),
        ..Message::default()
    };
    let mut called = message("assistant", "Let me see.");
    called.thinking = Some("Hm".to_owned());
    called.tool_calls = vec![crate::testkit::mock_server::reply::ToolCall {
        name: "weather".to_owned(),
        arguments: Map::from_iter([("city".to_owned(), json!("Paris"))]),
        id: Some("t1".to_owned()),
    }];
    let mut result = message("tool", "rain");
    result.images = vec![vec![1, 2, 3]];
    result.tool_name = Some("weather".to_owned());
    result.tool_call_id = Some("t1".to_owned());
    assert_eq!(
        ask.messages,
        [
            message("system", "Be kind."),
            message("user", "Weather?"),
            called,
            result,
            message("user", "Here: go on"),
        ]
    );
    assert!(ask.relaxed_think);
}

#[test]
fn what_a_search_found_is_a_result() {
    let found = |content: Value| {
        let result =
            json!([{"type": "web_search_tool_result", "tool_use_id": "s", "content": content}]);
        read_json(&said(&result)).unwrap().messages[0].content.clone()
    };
    let page = json!({"type": "web_search_result", "title": "A", "url": "http://a"});
    assert_eq!(found(json!([page])), "- A: http://a\n");
    let error = json!({"type": "web_search_tool_result_error", "error_code": "unavailable"});
    assert_eq!(found(error.clone()), "web_search_tool_result_error: unavailable");
    assert_eq!(found(json!([page, error])), "web_search_tool_result_error: unavailable");
    assert_eq!(found(json!("text")), "text");
}

#[test]
fn thinking_is_asked_for_in_two_ways() {
    let level = |name: &str| Some(Think::Level(name.to_owned()));
    for (thinking, effort, think) in [
        (json!({"type": "enabled", "budget_tokens": 9}), json!("low"), Some(Think::On)),
        (json!({"type": "disabled"}), json!("low"), Some(Think::Off)),
        (json!({"type": "adaptive"}), json!("low"), level("low")),
        (json!(null), json!(" XHIGH "), level("high")),
        (json!(null), json!("max"), level("max")),
        (json!(null), json!("none"), None),
        (json!(null), json!(null), None),
    ] {
        let mut body = said(&json!("hi"));
        body["thinking"] = thinking;
        body["output_config"] = json!({ "effort": effort });
        assert_eq!(read_json(&body).unwrap().think, think, "{body}");
    }
}

#[test]
fn options_and_tools() {
    let ask = read_json(&json!({
        "model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.5, "top_p": 0.25, "top_k": 3, "stop_sequences": ["a"], "stream": true,
        "tools": [
            {"name": "f", "description": "does", "input_schema": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
            {"name": "web_search", "input_schema": {}},
        ],
        "tool_choice": {"type": "any"}, "metadata": {"user_id": "me"},
    }))
    .unwrap();
    assert_eq!(
        Value::Object(ask.options.clone()),
        json!({"num_predict": 10, "temperature": 0.5, "top_p": 0.25, "top_k": 3, "stop": ["a"]})
    );
    let names: Vec<&str> = ask.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["f", "web_search"]);
    assert!(ask.stream && ask.echo.contains_key(WEB_SEARCH));
    let plain = read_json(&said(&json!("hi"))).unwrap();
    assert_eq!(Value::Object(plain.options), json!({"num_predict": 10}));
    assert!(!plain.echo.contains_key(WEB_SEARCH));
}

#[test]
fn a_prompt_has_a_token_for_four_bytes() {
    let estimate = |content: Value| read_json(&said(&content)).unwrap().echo[ESTIMATE].clone();
    assert_eq!(estimate(json!("")), 1);
    assert_eq!(estimate(json!("twelve bytes")), 4);
    assert_eq!(estimate(json!([{"type": "text", "text": "twelve bytes"}])), 4);
}

#[test]
fn a_default_model_stands_in() {
    let body = json!({"max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(asked(&exchange(body.to_string()), Some("d")).unwrap().model, "");
}

proptest! {
    #[test]
    fn blocks_joined_are_the_whole(performance in any_performance()) {
        let whole = json_of(&written(false, &performance));
        let script = written(true, &performance);
        for (event, (name, _)) in data(&script).iter().zip(events(&script)) {
            prop_assert_eq!(&event["type"], &json!(name));
        }
        let mut blocks: Vec<Value> = Vec::new();
        let (mut partial, mut open) = (String::new(), None);
        let mut ending = Value::Null;
        for event in data(&script) {
            let index = event["index"].as_u64();
            match event["type"].as_str().unwrap() {
                "content_block_start" => {
                    prop_assert_eq!(open, None);
                    prop_assert_eq!(index, Some(blocks.len() as u64));
                    open = index;
                    blocks.push(event["content_block"].clone());
                    partial.clear();
                }
                "content_block_delta" => {
                    prop_assert_eq!(index, open);
                    let block = blocks.last_mut().unwrap();
                    let delta = &event["delta"];
                    if let Some(more) = delta["partial_json"].as_str() {
                        partial.push_str(more);
                        block["input"] = serde_json::from_str(&partial).unwrap();
                    }
                    for name in ["text", "thinking"] {
                        if let Some(more) = delta[name].as_str() {
                            block[name] = format!("{}{more}", block[name].as_str().unwrap()).into();
                        }
                    }
                }
                "content_block_stop" => {
                    prop_assert_eq!(index, open);
                    open = None;
                }
                "message_delta" => ending = event,
                _ => {}
            }
        }
        prop_assert_eq!(open, None);
        prop_assert_eq!(Value::Array(blocks), whole["content"].clone());
        prop_assert_eq!(&ending["delta"]["stop_reason"], &whole["stop_reason"]);
        prop_assert_eq!(&ending["usage"], &whole["usage"]);
        prop_assert_eq!(&data(&script)[0]["message"]["id"], &whole["id"]);
    }

    #[test]
    fn any_content_is_read_or_refused(content in any_json(), system in any_json()) {
        let mut body = said(&content);
        body["system"] = system;
        if let Err(refusal) = read_json(&body) {
            prop_assert_eq!(refusal.status, 400);
        }
    }
}
