use bytes::Bytes;
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::played::{
    any_performance, ask, call, data, events, exchange, json_of, performance, shown, stamp, text,
    thinking, with_logprobs,
};
use super::*;
use crate::testkit::mock_server::reply::{Finish, Performance};

fn written(stream: bool, performance: &Performance) -> crate::testkit::mock_server::script::Script {
    (SURFACE.text)(&ask(stream), performance, &stamp())
}

fn weather() -> crate::testkit::mock_server::reply::Part {
    call("weather", json!({"city": "Paris", "days": 2}), "call_abcd1234")
}

#[test]
fn a_text_whole() {
    assert_snapshot!(shown(&written(false, &performance(vec![text("Hi"), text(" <you>")]))));
}

#[test]
fn a_text_streamed() {
    assert_snapshot!(shown(&written(true, &performance(vec![text("Hi"), text(" <you>")]))));
}

#[test]
fn thinking_then_calls_streamed() {
    let played =
        performance(vec![thinking("Hm"), weather(), call("now", json!({}), "call_efgh5678")]);
    assert_snapshot!(shown(&written(true, &played)));
}

#[test]
fn thinking_then_calls_whole() {
    let played = performance(vec![thinking("Hm"), thinking("."), weather()]);
    assert_snapshot!(shown(&written(false, &played)));
}

#[test]
fn log_probabilities() {
    let played = with_logprobs(performance(vec![text("Hi"), text("!")]));
    assert_snapshot!("logprobs_whole", shown(&written(false, &played)));
    assert_snapshot!("logprobs_streamed", shown(&written(true, &played)));
}

#[test]
fn nothing_said_still_opens_with_a_role() {
    assert_snapshot!(shown(&written(true, &performance(Vec::new()))));
}

#[test]
fn without_usage_no_chunk_has_one() {
    let asked = Ask { include_usage: false, ..ask(true) };
    let script = (SURFACE.text)(&asked, &performance(vec![text("Hi")]), &stamp());
    assert!(data(&script).iter().all(|chunk| chunk.get("usage").is_none()));
    assert_eq!(events(&script).last().unwrap().1, "[DONE]");
}

#[test]
fn a_cut_answer_says_so_even_with_calls() {
    let mut played = performance(vec![weather()]);
    assert_eq!(json_of(&written(false, &played))["choices"][0]["finish_reason"], "tool_calls");
    played.finish = Finish::Length;
    assert_eq!(json_of(&written(false, &played))["choices"][0]["finish_reason"], "length");
    let chunks = data(&written(true, &played));
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "length");
}

#[test]
fn a_stream_that_breaks_off_has_one_empty_chunk_more() {
    let bytes = (SURFACE.broken_off)("boom", &ask(true), &stamp());
    assert_snapshot!(String::from_utf8(bytes.to_vec()).unwrap());
}

#[test]
fn errors_have_the_shape_of_the_api() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (404, "not_found_error"),
        (401, "api_error"),
        (429, "api_error"),
        (500, "api_error"),
        (503, "api_error"),
    ] {
        let script = (SURFACE.refuse)(&Refusal::new(status, "model 'x' not found"), &stamp());
        assert_eq!(script.status, status);
        assert_eq!(script.headers, [("content-type".to_owned(), "application/json".to_owned())]);
        assert_eq!(
            String::from_utf8(script.bytes()).unwrap(),
            format!(
                "{{\"error\":{{\"message\":\"model 'x' not found\",\"type\":\"{kind}\",\
                 \"param\":null,\"code\":null}}}}\n"
            )
        );
    }
}

#[test]
fn what_the_model_would_get() {
    let mut body = said(&json!("hi"));
    body["_debug_render_only"] = json!(true);
    let (mut asked, _) = read_json(&body).unwrap();
    assert!(asked.echo.contains_key(DEBUG));
    assert_snapshot!("rendered_whole", shown(&write::rendered(&asked, &stamp())));
    asked.stream = true;
    assert_snapshot!("rendered_streamed", shown(&write::rendered(&asked, &stamp())));
}

fn read_json(body: &Value) -> Result<(Ask, Option<Value>), Refusal> {
    asked(&exchange(body.to_string()))
}

fn said(content: &Value) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": content}]})
}

#[test]
fn each_wrong_request_has_the_real_text() {
    let user = json!({"role": "user", "content": "hi"});
    let with = |name: &str, value: Value| {
        let mut body = json!({"model": "m", "messages": [user]});
        body[name] = value;
        body
    };
    let calling = |arguments: &str| {
        let call = json!({"id": "c", "function": {"name": "f", "arguments": arguments}});
        json!({"messages": [{"role": "assistant", "content": null, "tool_calls": [call]}]})
    };
    let table = [
        (json!({"model": "m"}), "[] is too short - 'messages'"),
        (json!({"model": "m", "messages": []}), "[] is too short - 'messages'"),
        (said(&json!(null)), "invalid message content type: <nil>"),
        (said(&json!(7)), "invalid message content type: float64"),
        (said(&json!(true)), "invalid message content type: bool"),
        (said(&json!({"a": 1})), "invalid message content type: map[string]interface {}"),
        (said(&json!(["hi"])), "invalid message format"),
        (said(&json!([{"type": "text"}])), "invalid message format"),
        (said(&json!([{"type": "video", "video": "x"}])), "invalid message format"),
        (said(&json!([{"type": "image_url", "image_url": 7}])), "invalid message format"),
        (said(&json!([{"type": "image_url", "image_url": {}}])), "invalid message format"),
        (
            said(&json!([{"type": "image_url", "image_url": {"url": "https://x/y.png"}}])),
            "image URLs are not currently supported, please use base64 encoded data instead",
        ),
        (
            said(&json!([{"type": "image_url", "image_url": "data:image/gif;base64,AAAA"}])),
            "invalid image input",
        ),
        (
            said(&json!([{"type": "image_url", "image_url": "data:image/png;base64,A"}])),
            "invalid image input",
        ),
        (calling("{"), "invalid tool call arguments"),
        (calling("[1]"), "invalid tool call arguments"),
        (calling(""), "invalid tool call arguments"),
        (
            with("reasoning_effort", json!("huge")),
            "invalid reasoning value: \"huge\" (must be \"minimal\", \"low\", \"medium\", \"high\", \
             \"xhigh\", \"ultra\", \"max\", or \"none\")",
        ),
        (with("top_logprobs", json!(21)), "top_logprobs must be between 0 and 20"),
        (with("top_logprobs", json!(-1)), "top_logprobs must be between 0 and 20"),
        (
            with("model", json!(7)),
            "json: cannot unmarshal number into Go struct field ChatCompletionRequest.model of \
             type string",
        ),
        (
            json!({"messages": [{"role": 7, "content": ""}]}),
            "json: cannot unmarshal number into Go struct field Message.messages.role of type string",
        ),
        (
            with("max_tokens", json!(1.5)),
            "json: cannot unmarshal number 1.5 into Go struct field \
             ChatCompletionRequest.max_tokens of type int",
        ),
    ];
    for (body, expected) in table {
        assert_eq!(read_json(&body).map(drop), Err(Refusal::bad_request(expected)), "{body}");
    }
    assert_eq!(
        asked(&exchange(Bytes::new())).map(drop),
        Err(Refusal::bad_request("missing request body"))
    );
    assert_eq!(
        asked(&exchange("{nope")).map(drop),
        Err(Refusal::bad_request(
            "invalid character 'n' looking for beginning of object key string"
        ))
    );
}

#[test]
fn parts_become_messages() {
    let body = said(&json!([
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AQID", "detail": "low"}},
        {"type": "image_url", "image_url": "data:;base64,BA=="},
        {"type": "input_audio", "input_audio": {"data": "BQ==", "format": "wav"}},
    ]));
    let (ask, _) = read_json(&body).unwrap();
    let user = |content: &str, images: Vec<Vec<u8>>| Message {
        role: "user".to_owned(),
        content: content.to_owned(),
        images,
        ..Message::default()
    };
    assert_eq!(
        ask.messages,
        [
            user("What is this?", vec![]),
            user("", vec![vec![1, 2, 3]]),
            user("", vec![vec![4]]),
            user("", vec![vec![5]]),
        ]
    );
}

#[test]
fn results_of_tools_know_their_tool() {
    let call = json!({"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let (ask, _) = read_json(&json!({"model": "m", "messages": [
        {"role": "assistant", "content": null, "tool_calls": [call], "reasoning": "Hm"},
        {"role": "tool", "tool_call_id": "c1", "content": "7"},
        {"role": "TOOL", "tool_call_id": "c2", "name": "g", "content": [{"type": "text", "text": "8"}]},
    ]}))
    .unwrap();
    let [called, by_id, by_name] = ask.messages.as_slice() else { panic!("{:?}", ask.messages) };
    assert_eq!(called.thinking.as_deref(), Some("Hm"));
    assert_eq!(called.tool_calls[0].name, "f");
    assert_eq!(Value::Object(called.tool_calls[0].arguments.clone()), json!({"a": 1}));
    assert_eq!(called.tool_calls[0].id.as_deref(), Some("c1"));
    let names = |message: &Message| (message.tool_name.clone(), message.tool_call_id.clone());
    assert_eq!(names(by_id), (Some("f".to_owned()), Some("c1".to_owned())));
    assert_eq!(names(by_name), (Some("g".to_owned()), Some("c2".to_owned())));
    assert_eq!((by_name.role.as_str(), by_name.content.as_str()), ("tool", "8"));
}

#[test]
fn options_have_their_native_names() {
    let (ask, format) = read_json(&json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 5, "seed": 7, "stop": ["a", 1, "b"], "frequency_penalty": 0.5,
        "presence_penalty": 0.25, "temperature": 0, "top_p": null,
        "tool_choice": "required", "n": 3, "max_completion_tokens": 9, "user": "me",
        "stream": true, "stream_options": {"include_usage": true},
        "logprobs": true, "top_logprobs": 2,
        "response_format": {"type": " JSON_Schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
        "tools": [{"type": "function", "function": {"name": "f", "description": "does", "parameters": {"type": "object"}}}],
    }))
    .unwrap();
    assert_eq!(
        Value::Object(ask.options.clone()),
        json!({
            "stop": ["a", "b"], "num_predict": 5, "temperature": 0, "seed": 7,
            "frequency_penalty": 0.5, "presence_penalty": 0.25, "top_p": 1.0,
        })
    );
    assert!(ask.stream && ask.include_usage);
    assert_eq!(ask.logprobs, Some(2));
    assert_eq!(format, Some(json!({"type": "object"})));
    assert_eq!(ask.tools[0].name, "f");
    assert_eq!(ask.tools[0].parameters, json!({"type": "object"}));
}

#[test]
fn defaults() {
    let (ask, format) = read_json(&said(&json!("hi"))).unwrap();
    assert_eq!(Value::Object(ask.options), json!({"temperature": 1.0, "top_p": 1.0}));
    assert_eq!((ask.stream, ask.think, ask.logprobs, format), (false, None, None, None));
}

#[test]
fn efforts_are_levels_of_thinking() {
    let level = |name: &str| Some(Think::Level(name.to_owned()));
    for (effort, think) in [
        ("none", Some(Think::Off)),
        ("minimal", level("low")),
        ("low", level("low")),
        ("medium", level("medium")),
        ("high", level("high")),
        ("max", level("max")),
        ("xhigh", level("max")),
        ("ultra", level("max")),
        ("", None),
    ] {
        let mut body = said(&json!("hi"));
        body["reasoning_effort"] = json!(effort);
        assert_eq!(read_json(&body).unwrap().0.think, think, "{effort}");
        body["reasoning"] = json!({ "effort": "low" });
        assert_eq!(read_json(&body).unwrap().0.think, level("low"));
        body["reasoning"] = json!({});
        assert_eq!(read_json(&body).unwrap().0.think, None);
    }
}

proptest! {
    #[test]
    fn deltas_joined_are_the_whole(performance in any_performance()) {
        let whole = json_of(&written(false, &performance));
        let message = &whole["choices"][0]["message"];
        let chunks = data(&written(true, &performance));
        let mut joined = json!({"content": "", "reasoning": "", "tool_calls": []});
        let (mut roles, mut reasons) = (Vec::new(), Vec::new());
        for choice in chunks.iter().filter_map(|chunk| chunk["choices"].get(0)) {
            let delta = &choice["delta"];
            for name in ["content", "reasoning"] {
                let more = delta[name].as_str().unwrap_or_default();
                joined[name] = format!("{}{more}", joined[name].as_str().unwrap()).into();
            }
            let calls = delta["tool_calls"].as_array().cloned().unwrap_or_default();
            joined["tool_calls"].as_array_mut().unwrap().extend(calls);
            roles.extend(delta.get("role").cloned());
            reasons.extend(choice["finish_reason"].as_str().map(str::to_owned));
        }
        prop_assert_eq!(&joined["content"], &message["content"]);
        let or = |name: &str, none: Value| message.get(name).cloned().unwrap_or(none);
        prop_assert_eq!(&joined["reasoning"], &or("reasoning", json!("")));
        prop_assert_eq!(&joined["tool_calls"], &or("tool_calls", json!([])));
        prop_assert_eq!(roles, vec![json!("assistant")]);
        prop_assert_eq!(&reasons, &vec![whole["choices"][0]["finish_reason"].as_str().unwrap()]);
        prop_assert_eq!(&chunks.last().unwrap()["usage"], &whole["usage"]);
        for name in ["id", "model", "system_fingerprint"] {
            prop_assert!(chunks.iter().all(|chunk| chunk[name] == whole[name]));
        }
        let created = &chunks[0]["created"];
        prop_assert!(chunks.iter().all(|chunk| &chunk["created"] == created));
    }

    #[test]
    fn any_body_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(refusal) = asked(&exchange(body)) {
            prop_assert_eq!(refusal.status, 400);
        }
    }

    #[test]
    fn any_content_is_read_or_refused(content in super::super::played::any_json()) {
        if let Err(refusal) = read_json(&said(&content)) {
            prop_assert_eq!(refusal.status, 400);
        }
    }
}
