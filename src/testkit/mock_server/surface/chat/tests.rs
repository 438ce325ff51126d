use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::played::{
    any_performance, call, exchange, json_of, performance, shown, stamp, text as said, thinking,
    with_logprobs,
};
use super::*;
use crate::testkit::mock_server::answer;
use crate::testkit::mock_server::ask::{Format, Think};
use crate::testkit::mock_server::reply::Part;
use crate::testkit::mock_server::reply::{Metrics, Reply};
use crate::testkit::mock_server::timing::Timing;

fn ask(stream: bool) -> Ask {
    Ask { model: "Qwen3".to_owned(), stream, ..Ask::default() }
}

fn played(parts: Vec<Part>) -> Performance {
    let metrics = Metrics {
        total_duration: 1_500_000_000,
        load_duration: 500_000_000,
        prompt_eval_count: 26,
        prompt_eval_duration: 250_000_000,
        eval_count: 9,
        eval_duration: 750_000_000,
    };
    Performance { metrics, context: vec![1, 2, 3], ..performance(parts) }
}

fn weather() -> Part {
    call("weather", json!({"city": "Łódź <&>", "days": 2}), "call_abcd1234")
}

fn asked(body: &Value) -> Result<Asked, Refusal> {
    read(&exchange(body.to_string()), &mut Models::default(), &stamp())
}

fn refused(body: &Value) -> String {
    asked(body).unwrap_err().to_string()
}

fn script(body: &Value) -> Script {
    match asked(body).unwrap() {
        Asked::Done(script) => script,
        other => panic!("{other:?} is no finished answer"),
    }
}

fn text_of(body: &Value) -> Ask {
    match asked(body).unwrap() {
        Asked::Text(ask) => *ask,
        other => panic!("{other:?} asks for no text"),
    }
}

#[test]
fn a_text_whole() {
    assert_snapshot!(shown(&text(
        &ask(false),
        &played(vec![said("Hi"), said(" <you>")]),
        &stamp()
    )));
}

#[test]
fn a_text_streamed() {
    assert_snapshot!(shown(&text(&ask(true), &played(vec![said("Hi"), said(" <you>")]), &stamp())));
}

#[test]
fn thinking_then_calls_streamed() {
    let parts = vec![thinking("Hm"), weather(), call("now", json!({}), "call_efgh5678")];
    assert_snapshot!(shown(&text(&ask(true), &played(parts), &stamp())));
}

#[test]
fn thinking_then_calls_whole() {
    let parts = vec![thinking("Hm"), said("Let me see."), weather()];
    assert_snapshot!(shown(&text(&ask(false), &played(parts), &stamp())));
}

#[test]
fn log_probabilities() {
    let played = with_logprobs(played(vec![said("Hi"), said("!")]));
    assert_snapshot!("logprobs_streamed", shown(&text(&ask(true), &played, &stamp())));
    assert_snapshot!("logprobs_whole", shown(&text(&ask(false), &played, &stamp())));
}

#[test]
fn loading_and_unloading_are_never_a_stream() {
    let load = script(&json!({"model": "llama3.2", "messages": []}));
    let unload = script(&json!({"model": "llama3.2", "messages": [], "keep_alive": 0}));
    assert_snapshot!(format!("{}{}", shown(&load), shown(&unload)));
}

#[test]
fn the_rendered_prompt_in_place_of_an_answer() {
    let script = script(&json!({
        "model": "llama3.2",
        "messages": [{"role": "USER", "content": "See", "images": ["QUJD"]}],
        "_debug_render_only": true,
    }));
    assert_snapshot!(shown(&script));
}

#[test]
fn errors_have_the_native_shape() {
    let refusal = Refusal::not_found("model 'x' not found");
    assert_snapshot!(shown(&(SURFACE.refuse)(&refusal, &stamp())));
    let line = (SURFACE.broken_off)("it broke", &ask(true), &stamp());
    assert_eq!(line, "{\"error\":\"it broke\"}\n");
}

#[test]
fn each_wrong_request_has_the_real_text() {
    let with = |field: &str, value: Value| {
        let mut body = json!({"model": "qwen3", "messages": [{"role": "user", "content": "Hi"}]});
        body[field] = value;
        body
    };
    let unmarshal = |value: &str, path: &str, wanted: &str| {
        format!("400: json: cannot unmarshal {value} into Go struct field {path} of type {wanted}")
    };
    let think =
        r#"think must be a boolean or string ("high", "medium", "low", "max", true, or false)"#;
    for (body, expected) in [
        (with("model", json!("")), "400: model is required".to_owned()),
        (with("model", json!("x")), "404: model 'x' not found".to_owned()),
        (with("model", json!(5)), unmarshal("number", "ChatRequest.model", "string")),
        (with("messages", json!("hi")), unmarshal("string", "ChatRequest.messages", "[]api.Message")),
        (with("messages", json!([{"content": 5}])), unmarshal("number", "ChatRequest.messages.content", "string")),
        (with("messages", json!([{"content": []}])), unmarshal("array", "ChatRequest.messages.content", "string")),
        (with("messages", json!([{"images": ["data:image/png;base64,QUJD"]}])), "400: illegal base64 data at input byte 4".to_owned()),
        (with("messages", json!([{"tool_calls": [{"function": {"arguments": "{}"}}]}])), "400: Value looks like object, but can't find closing '}' symbol".to_owned()),
        (with("stream", json!("yes")), unmarshal("string", "ChatRequest.stream", "bool")),
        (with("options", json!([])), unmarshal("array", "ChatRequest.options", "map[string]interface {}")),
        (with("tools", json!({})), unmarshal("object", "ChatRequest.tools", "api.Tools")),
        (with("tools", json!([{"function": {"name": 1}}])), unmarshal("number", "ToolFunction.tools.function.name", "string")),
        (with("think", json!("x")), r#"400: invalid think value: "x" (must be "high", "medium", "low", "max", true, or false)"#.to_owned()),
        (with("think", json!(1)), format!("400: {think}")),
        (with("keep_alive", json!("10")), r#"400: time: missing unit in duration "10""#.to_owned()),
        (with("keep_alive", json!(true)), "400: Unsupported type: 'bool'".to_owned()),
        (with("keep_alive", json!({})), "400: Unsupported type: 'map[string]interface {}'".to_owned()),
        (with("top_logprobs", json!(21)), "400: top_logprobs must be between 0 and 20".to_owned()),
        (with("top_logprobs", json!(-1)), "400: top_logprobs must be between 0 and 20".to_owned()),
        (with("format", json!("xml")), r#"500: invalid format: "\"xml\""; expected "json" or a valid JSON Schema object"#.to_owned()),
        (with("format", json!(5)), r#"500: invalid format: "5"; expected "json" or a valid JSON Schema object"#.to_owned()),
        (with("options", json!({"temperature": "hot"})), r#"500: option "temperature" must be of type float32"#.to_owned()),
    ] {
        assert_eq!(refused(&body), expected, "{body}");
    }
    for (body, expected) in [
        ("", "400: missing request body"),
        ("{not json", "400: invalid character 'n' looking for beginning of object key string"),
    ] {
        let refusal = read(&exchange(body), &mut Models::default(), &stamp()).unwrap_err();
        assert_eq!(refusal.to_string(), expected);
    }
}

#[test]
fn deep_values_are_read_up_to_a_bound() {
    let body = |depth: usize| {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let message = r#"[{"role": "user", "content": "x"}]"#;
        format!(r#"{{"model": "phi3:mini", "messages": {message}, "options": {{"a": {deep}}}}}"#)
    };
    let outcome = |depth| read(&exchange(body(depth)), &mut Models::default(), &stamp());
    assert!(matches!(outcome(500), Ok(Asked::Text(_))));
    assert_eq!(outcome(100_000).unwrap_err().to_string(), "400: exceeded max depth");
}

#[test]
fn what_is_asked_is_read() {
    let ask = text_of(&json!({
        "model": "Qwen3", "stream": false, "format": {"type": "object"}, "think": "high",
        "options": {"num_predict": 5}, "logprobs": true, "top_logprobs": 3,
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}, "a": {"type": "integer"}}}}}],
        "messages": [
            {"role": "System", "content": "S"},
            {"role": "user", "content": "U", "images": ["QUJD"]},
            {"role": "assistant", "content": "", "thinking": "T", "tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": {"b": "x", "a": 1}}}]},
            {"role": "tool", "content": "R", "tool_name": "f", "tool_call_id": "call_1"},
        ],
    }));
    assert_eq!(
        (ask.model.as_str(), ask.stream, ask.loads, ask.thinks),
        ("Qwen3", false, true, true)
    );
    assert_eq!(ask.format, Format::Schema(json!({"type": "object"})));
    assert_eq!(ask.think, Some(Think::Level("high".to_owned())));
    assert_eq!((ask.num_predict(), ask.logprobs), (Some(5), Some(3)));
    assert_eq!((ask.system().as_str(), ask.last_user(), ask.turn()), ("S", "U", 1));
    assert_eq!(ask.messages[1].images, [b"ABC".to_vec()]);
    let call = &ask.messages[2].tool_calls[0];
    assert_eq!((call.name.as_str(), call.id.as_deref()), ("f", Some("call_1")));
    assert_eq!(serde_json::to_string(&call.arguments).unwrap(), r#"{"b":"x","a":1}"#);
    assert_eq!(ask.tool_result().unwrap().tool_name.as_deref(), Some("f"));
    assert_eq!(ask.tools[0].parameters["required"], json!(["b"]));
    assert!(
        text_of(&json!({"model": "phi3:mini", "messages": [{"role": "user", "content": "x"}]}))
            .stream
    );
}

proptest::proptest! {
    #[test]
    fn lines_joined_are_the_whole(performance in any_performance()) {
        let streamed = text(&ask(true), &performance, &stamp());
        let lines: Vec<Value> = String::from_utf8(streamed.bytes()).unwrap().lines()
            .map(|line| serde_json::from_str(line).unwrap()).collect();
        let whole = json_of(&text(&ask(false), &performance, &stamp()));
        let join = |field: &str| lines.iter()
            .filter_map(|line| line["message"][field].as_str()).collect::<String>();
        proptest::prop_assert_eq!(join("content"), whole["message"]["content"].as_str().unwrap());
        proptest::prop_assert_eq!(join("thinking"), whole["message"]["thinking"].as_str().unwrap_or_default());
        let calls: Vec<Value> = lines.iter()
            .filter_map(|line| line["message"]["tool_calls"].as_array()).flatten().cloned().collect();
        let joined = whole["message"]["tool_calls"].as_array().cloned().unwrap_or_default();
        proptest::prop_assert_eq!(calls, joined);
        let done: Vec<bool> = lines.iter().map(|line| line["done"].as_bool().unwrap()).collect();
        proptest::prop_assert_eq!(done.iter().filter(|done| **done).count(), 1);
        proptest::prop_assert_eq!(done.last(), Some(&true));
        let last = lines.last().unwrap();
        for field in ["created_at", "done_reason", "prompt_eval_count", "eval_count"] {
            proptest::prop_assert_eq!(last.get(field), whole.get(field));
        }
    }

    #[test]
    fn any_chat_is_read_or_refused(body in super::super::played::any_json()) {
        let body = json!({"model": "qwen3", "messages": body});
        if let Err(refusal) = asked(&body) {
            proptest::prop_assert!(!refusal.message.is_empty());
        }
    }
}

#[test]
fn an_error_in_place_of_a_stream_has_no_charset() {
    for (stream, expected) in
        [(true, "application/json"), (false, "application/json; charset=utf-8")]
    {
        let body = json!({"model": "llama3.2", "messages": [{"role": "user", "content": "one two three four five six"}], "format": "xml", "stream": stream});
        let refusal = asked(&body).unwrap_err();
        assert_eq!(refusal.status, 500);
        let script = (SURFACE.refuse)(&refusal, &stamp());
        assert_eq!(script.headers, [("content-type".to_owned(), expected.to_owned())]);
    }
}

#[test]
fn a_prompt_fits_in_the_context_or_is_cut_or_refused() {
    let body = |num_ctx: u64, more: Value| {
        let mut body = json!({"model": "llama3.2", "messages": [{"role": "user", "content": "one two three four five six"}], "options": {"num_ctx": num_ctx}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let text = "400: the input length exceeds the context length";
    let refusal = asked(&body(9, json!({"truncate": false}))).unwrap_err();
    assert_eq!((refusal.to_string().as_str(), refusal.in_stream), (text, true));
    assert!(asked(&body(10, json!({"truncate": false}))).is_ok());
    let played = |num_ctx: u64, more: Value| {
        let Asked::Text(ask) = asked(&body(num_ctx, more)).unwrap() else { panic!("no text") };
        let reply = Reply { text: "a b c d e f g h".to_owned(), ..Reply::default() };
        let chance = stamp().chance;
        let performance = answer::perform(&ask, reply, &Timing::default(), &chance);
        let metrics = performance.metrics;
        (metrics.prompt_eval_count, metrics.eval_count, performance.finish)
    };
    assert_eq!(played(100, json!({})), (10, 8, Finish::Stop));
    assert_eq!(played(7, json!({})), (7, 8, Finish::Stop));
    assert_eq!(played(100, json!({"shift": false})), (10, 8, Finish::Stop));
    assert_eq!(played(15, json!({"shift": false})), (10, 5, Finish::Length));
    assert_eq!(played(7, json!({"shift": false})), (7, 1, Finish::Length));
}
