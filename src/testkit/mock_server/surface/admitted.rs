//! Tests: what the routes under `/v1` refuse, or answer without the model, once their request has
//! been read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::played::{any_json, data, exchange, json_of, stamp};
use super::{Found, find};
use crate::testkit::mock_server::ask::{Asked, Think};
use crate::testkit::mock_server::models::Models;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::script::Script;

fn models() -> Models {
    Models::new(["llama3.2", "qwen3", "nomic-embed-text"])
}

fn ask(path: &str, body: &Value, models: &mut Models) -> Result<Asked, Refusal> {
    let Found::Route(row, parameter) = find("POST", path) else { panic!("{path} is a route") };
    let mut exchange = exchange(body.to_string());
    exchange.parameter = parameter;
    (row.read)(&exchange, models, &stamp())
}

/// A request that each route takes, but for its model.
fn bodies(model: &str) -> [(&'static str, Value); 5] {
    let messages = json!([{"role": "user", "content": "hi"}]);
    [
        ("/v1/chat/completions", json!({"model": model, "messages": messages})),
        ("/v1/completions", json!({"model": model, "prompt": "hi"})),
        ("/v1/embeddings", json!({"model": model, "input": "hi"})),
        ("/v1/responses", json!({"model": model, "input": "hi"})),
        ("/v1/messages", json!({"model": model, "max_tokens": 9, "messages": messages})),
    ]
}

#[test]
fn models_that_are_not_there() {
    for (path, body) in bodies("nope") {
        let text = match path {
            "/v1/embeddings" => "model \"nope\" not found, try pulling it first",
            _ => "model 'nope' not found",
        };
        assert_eq!(ask(path, &body, &mut models()), Err(Refusal::not_found(text)), "{path}");
    }
}

#[test]
fn models_without_a_name() {
    for (path, body) in bodies("") {
        let refusal = match path {
            "/v1/completions" | "/v1/embeddings" => Refusal::not_found("model '' not found"),
            _ => Refusal::bad_request("model is required"),
        };
        assert_eq!(ask(path, &body, &mut models()), Err(refusal), "{path}");
        let mut with_default = models();
        with_default.set_default_model(Some("llama3.2".to_owned()));
        assert!(ask(path, &body, &mut with_default).is_ok(), "{path}");
    }
}

#[test]
fn models_that_cannot() {
    for (path, body) in bodies("nomic-embed-text") {
        let what = match path {
            "/v1/embeddings" => continue,
            "/v1/completions" => "generate",
            _ => "chat",
        };
        let text = format!("\"nomic-embed-text\" does not support {what}");
        assert_eq!(ask(path, &body, &mut models()), Err(Refusal::bad_request(text)), "{path}");
    }
}

#[test]
fn the_name_is_looked_at_before_the_type_of_the_input() {
    let body = |model: &str| json!({"model": model, "input": [1]});
    let asked = |model: &str| ask("/v1/embeddings", &body(model), &mut models());
    assert_eq!(asked(""), Err(Refusal::not_found("model '' not found")));
    assert_eq!(asked("nope"), Err(Refusal::bad_request("invalid input type")));
}

#[test]
fn only_messages_are_relaxed_about_thinking() {
    let [(chat, mut chatting), _, _, (responses, mut responding), (messages, mut talking)] =
        bodies("llama3.2");
    let refusal = Err(Refusal::bad_request("\"llama3.2\" does not support thinking"));
    chatting["reasoning_effort"] = json!("low");
    assert_eq!(ask(chat, &chatting, &mut models()), refusal);
    responding["reasoning"] = json!({"effort": "low"});
    assert_eq!(ask(responses, &responding, &mut models()), refusal);
    talking["thinking"] = json!({"type": "enabled"});
    let thinks = |body: &Value| match ask(messages, body, &mut models()) {
        Ok(Asked::Text(ask)) => (ask.thinks, ask.think),
        other => panic!("{other:?}"),
    };
    assert!(!thinks(&talking).0);
    talking["model"] = json!("qwen3");
    assert_eq!(thinks(&talking), (true, Some(Think::On)));
    talking["thinking"] = json!({"type": "disabled"});
    assert_eq!(thinks(&talking), (false, Some(Think::Off)));
}

#[test]
fn formats_are_looked_at_last() {
    let [(chat, mut body), ..] = bodies("llama3.2");
    body["response_format"] = json!({"type": "json_schema", "json_schema": {"schema": "x"}});
    let refusal = ask(chat, &body, &mut models()).unwrap_err();
    assert_eq!(refusal.status, 500);
    assert!(refusal.message.starts_with("invalid format: "), "{refusal}");
    body["model"] = json!("nope");
    assert_eq!(ask(chat, &body, &mut models()).unwrap_err().status, 404);
}

fn done(path: &str, body: &Value) -> Script {
    match ask(path, body, &mut models()) {
        Ok(Asked::Done(script)) => script,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_to_answer_only_loads() {
    let no_parts = json!([{"role": "user", "content": []}]);
    let chat = json!({"model": "llama3.2", "messages": no_parts});
    let chat = json_of(&done("/v1/chat/completions", &chat));
    assert_eq!(chat["choices"][0]["finish_reason"], "load");
    let completion = json_of(&done("/v1/completions", &json!({"model": "llama3.2"})));
    assert_eq!(completion["choices"][0]["finish_reason"], "load");
    let body = json!({"model": "llama3.2", "max_tokens": 9, "messages": no_parts, "stream": true});
    let events = data(&done("/v1/messages", &body));
    assert_eq!(events.len(), 3);
    assert_eq!(events[1]["delta"]["stop_reason"], "stop_sequence");
    let response = json_of(&done("/v1/responses", &json!({"model": "llama3.2"})));
    assert_eq!(response["output"][0]["content"][0]["text"], "");
}

/// The fields of all requests.
const FIELDS: [&str; 32] = [
    "model",
    "messages",
    "input",
    "prompt",
    "tools",
    "stream",
    "stream_options",
    "stop",
    "max_tokens",
    "temperature",
    "seed",
    "top_p",
    "top_k",
    "logprobs",
    "top_logprobs",
    "response_format",
    "reasoning",
    "reasoning_effort",
    "text",
    "instructions",
    "max_output_tokens",
    "truncation",
    "include",
    "background",
    "dimensions",
    "encoding_format",
    "system",
    "stop_sequences",
    "thinking",
    "output_config",
    "suffix",
    "_debug_render_only",
];

proptest! {
    #[test]
    fn any_request_is_read_or_refused(
        changes in prop::collection::vec((prop::sample::select(&FIELDS[..]), any_json()), 0..4),
    ) {
        for (path, mut body) in bodies("qwen3") {
            for (field, value) in &changes {
                body[*field] = value.clone();
            }
            if let Err(refusal) = ask(path, &body, &mut models()) {
                prop_assert!([400, 404, 500].contains(&refusal.status), "{refusal}");
                prop_assert!(!refusal.message.is_empty());
            }
        }
    }
}
