use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::played::{
    any_performance, call, exchange, json_of, performance, shown, stamp, text as said, thinking,
    with_logprobs,
};
use super::*;
use crate::testkit::mock_server::answer;
use crate::testkit::mock_server::ask::Think;
use crate::testkit::mock_server::reply::Part;
use crate::testkit::mock_server::reply::{Finish, Reply};
use crate::testkit::mock_server::timing::Timing;

fn ask(stream: bool) -> Ask {
    Ask { model: "Qwen3".to_owned(), stream, ..Ask::default() }
}

fn played(parts: Vec<Part>) -> Performance {
    Performance { context: vec![1, 2, 3], finish: Finish::Length, ..performance(parts) }
}

fn read_in(models: &mut Models, body: &Value) -> Result<Asked, Refusal> {
    read(&exchange(body.to_string()), models, &stamp())
}

fn script(body: &Value) -> Script {
    match read_in(&mut Models::default(), body).unwrap() {
        Asked::Done(script) => script,
        other => panic!("{other:?} is no finished answer"),
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
    let parts = vec![thinking("Hm"), said("Hi"), said(" <you>")];
    assert_snapshot!(shown(&text(&ask(true), &played(parts), &stamp())));
}

#[test]
fn raw_answers_have_no_context() {
    let raw = Ask { raw: true, ..ask(false) };
    let line = json_of(&text(&raw, &played(vec![said("Hi")]), &stamp()));
    assert_eq!(line.get("context"), None);
}

#[test]
fn log_probabilities_and_calls() {
    let parts = vec![thinking("Hm"), said("Hi"), call("f", json!({"a": 1}), "call_abcd1234")];
    let played = with_logprobs(played(parts));
    assert_snapshot!("streamed", shown(&text(&ask(true), &played, &stamp())));
    assert_snapshot!("whole", shown(&text(&ask(false), &played, &stamp())));
}

#[test]
fn loading_unloading_and_rendering_are_never_a_stream() {
    let load = script(&json!({"model": "llama3.2"}));
    let unload = script(&json!({"model": "llama3.2", "keep_alive": "0"}));
    let render = script(
        &json!({"model": "llama3.2", "prompt": "Hi", "system": "S", "_debug_render_only": true}),
    );
    let gap = script(
        &json!({"model": "granite-code:3b", "prompt": "a(", "suffix": ")", "_debug_render_only": true}),
    );
    let raw = script(
        &json!({"model": "llama3.2", "prompt": "Hi", "raw": true, "_debug_render_only": true}),
    );
    let all: String = [load, unload, render, gap, raw].iter().map(shown).collect();
    assert_snapshot!(all);
}

#[test]
fn each_wrong_request_has_the_real_text() {
    let with = |fields: Value| {
        let mut body = json!({"model": "qwen3", "prompt": "Hi"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let raw = "400: raw mode does not support template, system, or context";
    for (body, expected) in [
        (
            with(json!({"top_logprobs": 21, "model": "x"})),
            "400: top_logprobs must be between 0 and 20",
        ),
        (with(json!({"model": ""})), "404: model '' not found"),
        (with(json!({"model": "Gone:1b"})), "404: model 'Gone:1b' not found"),
        (with(json!({"model": "a:b:c:d"})), "400: invalid model name"),
        (with(json!({"raw": true, "system": "S"})), raw),
        (with(json!({"raw": true, "template": "T"})), raw),
        (with(json!({"raw": true, "context": [1], "model": "llama3.2", "think": true})), raw),
        (
            with(json!({"model": "llama3.2", "think": true, "suffix": "x"})),
            "400: \"llama3.2\" does not support thinking",
        ),
        (
            with(json!({"model": "nomic-embed-text", "suffix": "x"})),
            "400: \"nomic-embed-text\" does not support generate",
        ),
        (
            with(json!({"suffix": "x"})),
            "400: registry.ollama.ai/library/qwen3:latest does not support insert",
        ),
        (with(json!({"images": ["?"]})), "400: illegal base64 data at input byte 0"),
        (
            with(json!({"context": ["x"]})),
            "400: json: cannot unmarshal string into Go struct field GenerateRequest.context of type int",
        ),
        (
            with(json!({"prompt": ["x"]})),
            "400: json: cannot unmarshal array into Go struct field GenerateRequest.prompt of type string",
        ),
        (with(json!({"keep_alive": "5 m"})), "400: time: unknown unit \" m\" in duration \"5 m\""),
        (
            with(json!({"format": "yaml"})),
            r#"500: invalid format: "\"yaml\""; expected "json" or a valid JSON Schema object"#,
        ),
    ] {
        let outcome = read_in(&mut Models::default(), &body).unwrap_err();
        assert_eq!(outcome.to_string(), expected, "{body}");
    }
}

#[test]
fn what_is_asked_is_read() {
    let body = json!({
        "model": "qwen3", "prompt": "P", "system": "S", "images": ["QUJD"], "context": [1, 2],
        "think": false, "options": {"stop": ["x"]}, "format": "json",
    });
    let Asked::Text(ask) = read_in(&mut Models::default(), &body).unwrap() else { panic!() };
    assert_eq!((ask.last_user(), ask.system().as_str(), ask.turn()), ("P", "S", 1));
    assert_eq!((ask.stream, ask.thinks, ask.think.clone()), (true, false, Some(Think::Off)));
    assert_eq!(
        (ask.context.as_slice(), &ask.messages[1].images),
        (&[1, 2][..], &vec![b"ABC".to_vec()])
    );
}

proptest::proptest! {
    #[test]
    fn lines_joined_are_the_whole(performance in any_performance()) {
        let streamed = text(&ask(true), &performance, &stamp());
        let lines: Vec<Value> = String::from_utf8(streamed.bytes()).unwrap().lines()
            .map(|line| serde_json::from_str(line).unwrap()).collect();
        let whole = json_of(&text(&ask(false), &performance, &stamp()));
        for field in ["response", "thinking"] {
            let joined: String = lines.iter().filter_map(|line| line[field].as_str()).collect();
            proptest::prop_assert_eq!(joined, whole[field].as_str().unwrap_or_default());
        }
    }
}

#[test]
fn an_error_in_place_of_a_stream_has_no_charset() {
    for (stream, expected) in
        [(true, "application/json"), (false, "application/json; charset=utf-8")]
    {
        let body = json!({"model": "llama3.2", "prompt": "one two three four five six", "format": "xml", "stream": stream});
        let refusal = read_in(&mut Models::default(), &body).unwrap_err();
        assert_eq!(refusal.status, 500);
        let script = (SURFACE.refuse)(&refusal, &stamp());
        assert_eq!(script.headers, [("content-type".to_owned(), expected.to_owned())]);
    }
}

#[test]
fn a_prompt_fits_in_the_context_or_is_cut_or_refused() {
    let body = |num_ctx: u64, more: Value| {
        let mut body = json!({"model": "llama3.2", "prompt": "one two three four five six", "options": {"num_ctx": num_ctx}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let text = "400: the input length exceeds the context length";
    let refusal =
        read_in(&mut Models::default(), &body(9, json!({"truncate": false}))).unwrap_err();
    assert_eq!((refusal.to_string().as_str(), refusal.in_stream), (text, true));
    assert!(read_in(&mut Models::default(), &body(10, json!({"truncate": false}))).is_ok());
    let played = |num_ctx: u64, more: Value| {
        let Asked::Text(ask) = read_in(&mut Models::default(), &body(num_ctx, more)).unwrap()
        else {
            panic!("no text")
        };
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
