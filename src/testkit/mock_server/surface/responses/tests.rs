use insta::assert_snapshot;
use proptest::prelude::*;

use super::super::played::{
    any_json, any_performance, call, data, events, exchange, json_of, performance, shown, stamp,
    text, thinking,
};
use super::*;
use crate::testkit::mock_server::ask::{Message, Think};
use crate::testkit::mock_server::reply::{Part, ToolCall};
use crate::testkit::mock_server::script::Script;

fn asking(stream: bool, more: Value) -> Ask {
    let mut body = json!({"model": "Qwen3", "input": "hi", "stream": stream});
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    read_json(&body).unwrap().0
}

fn written(stream: bool, performance: &Performance) -> Script {
    (SURFACE.text)(&asking(stream, json!({})), performance, &stamp())
}

fn weather() -> Part {
    call("weather", json!({"city": "Paris", "days": 2}), "call_abcd1234")
}

#[test]
fn thinking_and_a_text_whole() {
    let played = performance(vec![thinking("Hm"), text("Hi"), text(" <you>")]);
    assert_snapshot!(shown(&written(false, &played)));
}

#[test]
fn thinking_and_a_text_streamed() {
    let played = performance(vec![thinking("Hm"), text("Hi"), text(" <you>")]);
    assert_snapshot!(shown(&written(true, &played)));
}

#[test]
fn calls() {
    let played = performance(vec![weather(), call("now", json!({}), "call_efgh5678")]);
    assert_snapshot!("calls_whole", shown(&written(false, &played)));
    assert_snapshot!("calls_streamed", shown(&written(true, &played)));
}

#[test]
fn what_was_asked_is_repeated() {
    let more = json!({
        "instructions": "Be kind.", "temperature": 0.5, "top_p": 0.25, "max_output_tokens": 9,
        "truncation": "auto", "background": true, "reasoning": {"effort": "high"},
        "text": {"format": {"type": "json_schema", "name": "x", "strict": true,
                            "schema": {"type": "object", "properties": {"b": {}, "a": {}}}}},
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "a": 1}}],
    });
    let played = performance(vec![text("{}")]);
    let whole = (SURFACE.text)(&asking(false, more.clone()), &played, &stamp());
    assert_snapshot!("repeated_whole", shown(&whole));
    let streamed = (SURFACE.text)(&asking(true, more), &played, &stamp());
    assert_snapshot!("repeated_streamed", shown(&streamed));
}

#[test]
fn a_search_of_the_servers_own() {
    let played = performance(vec![
        call("web_search", json!({"query": "rust"}), "call_abcd1234"),
        text("Found."),
    ]);
    let tools = json!({"tools": [{"type": "web_search"}]});
    let whole = (SURFACE.text)(&asking(false, tools.clone()), &played, &stamp());
    assert_snapshot!("search_whole", shown(&whole));
    let streamed = (SURFACE.text)(&asking(true, tools), &played, &stamp());
    assert_snapshot!("search_streamed", shown(&streamed));
    // Without that tool the client is called.
    assert_eq!(json_of(&written(false, &played))["output"][0]["type"], "function_call");
}

#[test]
fn a_search_comes_before_what_is_said_of_it() {
    let search = |id| call("web_search", json!({"query": id}), id);
    let played = performance(vec![text("Found"), text("."), search("call_1"), search("call_2")]);
    let tools = json!({"tools": [{"type": "web_search"}]});
    let kinds = |output: &Value| -> Vec<Value> {
        output.as_array().unwrap().iter().map(|item| item["type"].clone()).collect()
    };
    let script = (SURFACE.text)(&asking(true, tools.clone()), &played, &stamp());
    let streamed = kinds(&data(&script).last().unwrap()["response"]["output"]);
    assert_eq!(json!(streamed), json!(["web_search_call", "web_search_call", "message"]));
    let whole = json_of(&(SURFACE.text)(&asking(false, tools), &played, &stamp()));
    assert_eq!(kinds(&whole["output"]), streamed);
}

#[test]
fn a_stream_that_breaks_off_just_ends() {
    assert!((SURFACE.broken_off)("boom", &asking(true, json!({})), &stamp()).is_empty());
}

fn read_json(body: &Value) -> Result<(Ask, Option<Value>), Refusal> {
    asked(&exchange(body.to_string()))
}

#[test]
fn each_wrong_request_has_the_real_text() {
    let input = |items: Value| json!({"model": "m", "input": items});
    let part = |part: Value| json!({"input": [{"role": "user", "content": [part]}]});
    let table = [
        (
            input(json!(7)),
            "input must be a string or array: json: cannot unmarshal number into Go value of type \
             []json.RawMessage",
        ),
        (input(json!([{}])), "input[0]: input item missing required 'type' field"),
        (input(json!([{"type": "x"}])), "input[0]: unknown input item type: \"x\""),
        (
            input(json!([{"role": "user", "content": 7}])),
            "input[0]: content must be a string or array: json: cannot unmarshal number into Go \
             value of type []json.RawMessage",
        ),
        (part(json!({"type": "x"})), "input[0]: content[0]: unknown content type: x"),
        (
            input(json!([{"type": "function_call_output", "output": [{"type": "y"}]}])),
            "input[0]: output[0]: unknown content type: y",
        ),
        (part(json!({"type": "input_file"})), "file inputs are not currently supported"),
        (
            part(json!({"type": "input_image", "image_url": "http://x/y.png"})),
            "image URLs are not currently supported, please use base64 encoded data instead",
        ),
        (
            part(json!({"type": "input_image", "image_url": "data:text/plain,x"})),
            "invalid image input",
        ),
        (
            input(json!([{"type": "function_call", "arguments": "{x"}])),
            "failed to parse function call arguments: invalid character 'x' looking for beginning \
             of object key string",
        ),
        (
            input(json!([{"type": "function_call", "arguments": "[1]"}])),
            "failed to parse function call arguments: json: cannot unmarshal array into Go value \
             of type map[string]interface {}",
        ),
        (
            json!({"input": "hi", "reasoning": {"effort": "huge"}}),
            "invalid reasoning value: \"huge\" (must be \"minimal\", \"low\", \"medium\", \"high\", \
             \"xhigh\", \"ultra\", \"max\", or \"none\")",
        ),
        (
            json!({"input": "hi", "tools": [{"type": "function", "parameters": 7}]}),
            "json: cannot unmarshal number into Go struct field ResponsesTool.tools.parameters of \
             type map[string]interface {}",
        ),
    ];
    for (body, expected) in table {
        assert_eq!(read_json(&body).map(drop), Err(Refusal::bad_request(expected)), "{body}");
    }
}

#[test]
fn items_become_messages() {
    let (ask, _) = read_json(&json!({"model": "m", "instructions": "Be kind.", "input": [
        {"role": "user", "content": [
            {"type": "input_text", "text": "What "},
            {"type": "input_text", "text": "is this?"},
            {"type": "input_image", "image_url": "data:image/png;base64,AQID", "detail": "auto"},
            {"type": "input_image", "file_id": "f"},
        ]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "Hm"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "See"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}"},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": ""},
        {"type": "function_call_output", "call_id": "c2", "output": "7"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "8"}]},
        {"type": "web_search_call", "id": "ws_1"},
        {"type": "reasoning", "encrypted_content": "later"},
    ]}))
    .unwrap();
    let message = |role: &str, content: &str| Message {
        role: role.to_owned(),
        content: content.to_owned(),
        ..Message::default()
    };
    let call = |name: &str, arguments: Value, id: &str| ToolCall {
        name: name.to_owned(),
        arguments: arguments.as_object().cloned().unwrap(),
        id: Some(id.to_owned()),
    };
    let result = |name: &str, content: &str, id: &str| Message {
        tool_name: Some(name.to_owned()),
        tool_call_id: Some(id.to_owned()),
        ..message("tool", content)
    };
    let expected = [
        message("system", "Be kind."),
        Message { images: vec![vec![1, 2, 3]], ..message("user", "What is this?") },
        Message {
            thinking: Some("Hm".to_owned()),
            tool_calls: vec![call("f", json!({"a": 1}), "c1"), call("g", json!({}), "c2")],
            ..message("assistant", "See")
        },
        result("g", "7", "c2"),
        result("f", "8", "c1"),
        Message { thinking: Some("later".to_owned()), ..message("assistant", "") },
    ];
    assert_eq!(ask.messages, expected);
}

#[test]
fn tools_are_flat() {
    let (ask, _) = read_json(&json!({"model": "m", "input": "hi", "tools": [
        {"type": "function", "name": "f", "description": "does", "parameters": {"type": "object"}},
        {"type": "namespace", "name": "crew", "tools": [
            {"type": "function", "name": "spawn", "parameters": {"type": "object"}},
            {"type": "function", "name": "wait"},
        ]},
        {"type": "web_search_preview"},
    ]}))
    .unwrap();
    let names: Vec<&str> = ask.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["f", "crew.spawn", "crew.wait", "web_search"]);
    assert_eq!(ask.tools[0].description, "does");
    assert_eq!(ask.tools[1].parameters, json!({"type": "object"}));
}

#[test]
fn options_thinking_and_format() {
    let (ask, schema) = read_json(&json!({"model": "m", "input": "hi"})).unwrap();
    assert_eq!(Value::Object(ask.options), json!({"temperature": 1.0}));
    assert_eq!((ask.think, schema, ask.stream), (None, None, false));
    let (ask, schema) = read_json(&json!({
        "model": "m", "input": "hi", "temperature": 0.5, "top_p": 0.25, "max_output_tokens": 9,
        "reasoning": {"effort": "none"}, "stream": true,
        "text": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
    }))
    .unwrap();
    assert_eq!(
        Value::Object(ask.options),
        json!({"temperature": 0.5, "top_p": 0.25, "num_predict": 9})
    );
    assert_eq!((ask.think, schema), (Some(Think::Off), Some(json!({"type": "object"}))));
    assert!(ask.stream);
}

/// What a client makes of a stream: the items, each from its own events.
fn collected(script: &Script) -> Vec<Value> {
    let mut items: Vec<Value> = Vec::new();
    for event in data(script) {
        let Some(index) = event["output_index"].as_u64() else { continue };
        let index = usize::try_from(index).unwrap();
        match event["type"].as_str().unwrap() {
            "response.output_item.added" => {
                assert_eq!(index, items.len(), "items come one after another");
                items.push(event["item"].clone());
            }
            "response.output_item.done" => {
                let joined = items[index]["joined"].clone();
                items[index] = event["item"].clone();
                items[index]["joined"] = joined;
            }
            "response.output_text.delta"
            | "response.reasoning_summary_text.delta"
            | "response.function_call_arguments.delta" => {
                let so_far = items[index]["joined"].as_str().unwrap_or_default();
                items[index]["joined"] =
                    format!("{so_far}{}", event["delta"].as_str().unwrap()).into();
            }
            _ => {}
        }
    }
    items
}

proptest! {
    #[test]
    fn deltas_joined_are_the_whole(performance in any_performance()) {
        let whole = json_of(&written(false, &performance));
        let script = written(true, &performance);
        let sent = data(&script);
        for (number, (event, (name, _))) in sent.iter().zip(events(&script)).enumerate() {
            prop_assert_eq!(&event["sequence_number"], &json!(number));
            prop_assert_eq!(&event["type"], &json!(name));
        }
        let last = &sent.last().unwrap()["response"];
        prop_assert_eq!(&last["usage"], &whole["usage"]);
        prop_assert_eq!(&last["status"], &json!("completed"));
        prop_assert_eq!(&last["id"], &whole["id"]);
        let calls_tools = performance.calls().next().is_some();
        let text_of = |item: &Value| match item["type"].as_str().unwrap() {
            "reasoning" => item["summary"][0]["text"].clone(),
            "function_call" => item["arguments"].clone(),
            _ => item["content"][0]["text"].clone(),
        };
        let items = collected(&script);
        for item in &items {
            prop_assert_eq!(&item["joined"], &text_of(item));
        }
        // A message is no part of an answer that calls tools, and an empty one has no events.
        let told = |item: &&Value| !(item["type"] == "message" && calls_tools);
        let streamed: Vec<_> =
            items.iter().filter(told).map(|item| (item["type"].clone(), text_of(item))).collect();
        let expected: Vec<_> = whole["output"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| !(item["type"] == "message" && text_of(item) == ""))
            .map(|item| (item["type"].clone(), text_of(item)))
            .collect();
        prop_assert_eq!(&streamed, &expected);
        let completed: Vec<_> = last["output"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["type"].clone(), text_of(item)))
            .collect();
        prop_assert_eq!(&completed, &expected);
    }

    #[test]
    fn any_input_is_read_or_refused(input in any_json()) {
        if let Err(refusal) = read_json(&json!({"model": "m", "input": input})) {
            prop_assert_eq!(refusal.status, 400);
        }
    }
}
