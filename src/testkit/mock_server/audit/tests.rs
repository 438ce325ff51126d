#![expect(clippy::needless_pass_by_value, reason = "a test writes its JSON in the call")]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Note, RULES, audit};
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::surface::{Found, find};

fn notes(method: &str, path: &str, body: &Value) -> Vec<Note> {
    let exchange = Exchange::bare(method, path, &body.to_string());
    let route = match find(method, path) {
        Found::Route(row, _) => Some(row.path),
        _ => None,
    };
    audit(&exchange, route, exchange.json.as_ref())
}

/// A chat that nothing is odd about, with some fields changed.
fn chat(changed: Value) -> Value {
    with(
        json!({"model": "m", "stream": false, "messages": [{"role": "user", "content": "Hi"}]}),
        changed,
    )
}

fn with(mut body: Value, changed: Value) -> Value {
    for (key, value) in changed.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn prompt(changed: Value) -> Value {
    with(json!({"model": "m", "stream": false, "prompt": "Hi"}), changed)
}

fn messages(messages: Value) -> Value {
    chat(json!({ "messages": messages }))
}

/// One case a rule and a way to break it: method, path, body, code and place of the only note.
fn cases() -> Vec<(&'static str, &'static str, Value, &'static str, &'static str)> {
    let user = json!({"role": "user", "content": "Hi"});
    let long = "word ".repeat(4000);
    let mut cases = vec![
        ("POST", "/chat/completions", chat(json!({})), "unknown-route", ""),
        ("POST", "/v1/v1/chat/completions", chat(json!({})), "unknown-route", ""),
        ("POST", "/api/chatt", chat(json!({})), "unknown-route", ""),
        ("POST", "/api/chat/", chat(json!({})), "unknown-route", ""),
        ("GET", "/api/chat", json!(null), "wrong-method", ""),
        (
            "POST",
            "/api/chat",
            chat(json!({"model": "gpt-oss:120b-cloud"})),
            "cloud-model",
            "/model",
        ),
        ("POST", "/api/embeddings", json!({"model": "m", "prompt": "a"}), "legacy-embeddings", ""),
        ("POST", "/api/chat", chat(json!({"fromat": "json"})), "unknown-field", "/fromat"),
        ("POST", "/api/chat", chat(json!({"a/b~c": 1})), "unknown-field", "/a~1b~0c"),
        (
            "POST",
            "/api/chat",
            chat(json!({"tool_choice": "auto"})),
            "unknown-field",
            "/tool_choice",
        ),
        (
            "POST",
            "/v1/embeddings",
            json!({"model": "m", "input": "a", "options": {}}),
            "unknown-field",
            "/options",
        ),
        ("POST", "/api/chat", chat(json!({"temperature": 0})), "misplaced-option", "/temperature"),
        (
            "POST",
            "/api/generate",
            prompt(json!({"max_tokens": 9})),
            "misplaced-option",
            "/max_tokens",
        ),
        ("POST", "/api/show", json!({"name": "m"}), "deprecated-name", "/name"),
        (
            "POST",
            "/api/generate",
            prompt(json!({"context": [1, 2]})),
            "deprecated-context",
            "/context",
        ),
        (
            "POST",
            "/api/create",
            json!({"model": "m", "stream": false, "modelfile": "FROM x"}),
            "dead-field",
            "/modelfile",
        ),
        (
            "POST",
            "/api/chat",
            chat(json!({"options": {"temprature": 0}})),
            "unknown-option",
            "/options/temprature",
        ),
        (
            "POST",
            "/api/chat",
            chat(json!({"options": {"mirostat": 1}})),
            "removed-option",
            "/options/mirostat",
        ),
        (
            "POST",
            "/api/chat",
            chat(json!({"options": {"seed": "1"}})),
            "option-type",
            "/options/seed",
        ),
        (
            "POST",
            "/api/chat",
            chat(json!({"options": {"stop": "."}})),
            "option-type",
            "/options/stop",
        ),
        ("POST", "/api/chat", chat(json!({"stream": null})), "default-stream", "/stream"),
        ("POST", "/api/pull", json!({"model": "m"}), "default-stream", "/stream"),
        (
            "POST",
            "/v1/chat/completions",
            chat(json!({"stream_options": {"include_usage": true}})),
            "usage-without-stream",
            "/stream_options",
        ),
        ("POST", "/api/generate", prompt(json!({"prompt": long})), "num-ctx", ""),
        (
            "POST",
            "/api/generate",
            prompt(json!({"prompt": long, "options": {"num_ctx": 2048}})),
            "num-ctx",
            "",
        ),
        (
            "POST",
            "/v1/messages",
            json!({"model": "m", "max_tokens": 9, "system": long, "messages": [user]}),
            "num-ctx",
            "",
        ),
        ("POST", "/api/chat", chat(json!({"keep_alive": "10"})), "keep-alive-unit", "/keep_alive"),
        ("POST", "/api/chat", chat(json!({"keep_alive": "-1"})), "keep-alive-unit", "/keep_alive"),
        (
            "POST",
            "/api/chat",
            chat(json!({"top_logprobs": 3})),
            "top-logprobs-alone",
            "/top_logprobs",
        ),
        (
            "POST",
            "/v1/chat/completions",
            chat(json!({"logprobs": false, "top_logprobs": 3})),
            "top-logprobs-alone",
            "/top_logprobs",
        ),
        ("POST", "/v1/completions", prompt(json!({"top_p": 0})), "top-p-zero", "/top_p"),
        ("POST", "/api/chat", chat(json!({"think": "hard"})), "think-value", "/think"),
        (
            "POST",
            "/api/generate",
            prompt(json!({"raw": true, "system": "Be brief."})),
            "raw-template",
            "/raw",
        ),
        (
            "POST",
            "/api/chat",
            chat(json!({"format": "{\"type\":\"object\"}"})),
            "format-string",
            "/format",
        ),
        ("POST", "/api/chat", chat(json!({"format": "json"})), "format-unprompted", "/format"),
        (
            "POST",
            "/v1/chat/completions",
            chat(json!({"response_format": {"type": "json_object"}})),
            "format-unprompted",
            "/response_format",
        ),
        (
            "POST",
            "/v1/chat/completions",
            chat(json!({"response_format": {"type": "yaml"}})),
            "response-format",
            "/response_format/type",
        ),
        (
            "POST",
            "/v1/chat/completions",
            chat(json!({"response_format": {"type": "json_schema", "schema": {}}})),
            "response-format",
            "/response_format/json_schema/schema",
        ),
        ("POST", "/api/chat", messages(json!([])), "loads-only", ""),
        ("POST", "/api/generate", prompt(json!({"prompt": ""})), "loads-only", ""),
        ("POST", "/api/embed", json!({"model": "m", "input": []}), "loads-only", ""),
        (
            "POST",
            "/api/generate",
            prompt(json!({"images": ["data:image/png;base64,AAAA"]})),
            "image-data-uri",
            "/images/0",
        ),
        (
            "POST",
            "/api/chat",
            messages(json!([{"role": "user", "content": "Hi", "images": ["AAAA", "data:,"]}])),
            "image-data-uri",
            "/messages/0/images/1",
        ),
        (
            "POST",
            "/api/generate",
            prompt(json!({"images": ["https://a.test/b.png"]})),
            "image-url",
            "/images/0",
        ),
        (
            "POST",
            "/v1/chat/completions",
            messages(
                json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.test"}}]}]),
            ),
            "image-url",
            "/messages/0/content/0",
        ),
        (
            "POST",
            "/api/chat",
            messages(json!([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}])),
            "content-parts",
            "/messages/0/content",
        ),
        (
            "POST",
            "/v1/messages",
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "document"}]}]}),
            "dropped-block",
            "/messages/0/content/1",
        ),
        (
            "POST",
            "/v1/chat/completions",
            messages(json!([{"role": "developer", "content": "Be brief."}, user])),
            "unknown-role",
            "/messages/0/role",
        ),
        (
            "POST",
            "/api/chat",
            messages(
                json!([{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, user]),
            ),
            "system-twice",
            "/messages/1",
        ),
        (
            "POST",
            "/v1/responses",
            json!({"model": "m", "instructions": "a", "input": [{"role": "system", "content": "b"}]}),
            "system-twice",
            "/input/0",
        ),
        (
            "POST",
            "/api/chat",
            messages(json!([user, {"role": "system", "content": "a"}])),
            "system-late",
            "/messages/1",
        ),
        (
            "POST",
            "/api/chat",
            messages(json!([user, {"role": "tool", "content": "5"}])),
            "tool-result-orphan",
            "/messages/1",
        ),
        (
            "POST",
            "/v1/chat/completions",
            messages(
                json!([user, {"role": "assistant", "content": "", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "b", "content": "5"}]),
            ),
            "tool-result-orphan",
            "/messages/2",
        ),
        (
            "POST",
            "/api/chat",
            messages(
                json!([user, {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]),
            ),
            "tool-arguments",
            "/messages/1/tool_calls/0/function/arguments",
        ),
        (
            "POST",
            "/v1/chat/completions",
            messages(
                json!([user, {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]),
            ),
            "tool-arguments",
            "/messages/1/tool_calls/0/function/arguments",
        ),
    ];
    for (field, value) in [
        ("tool_choice", json!("required")),
        ("n", json!(2)),
        ("max_completion_tokens", json!(9)),
        ("user", json!("a")),
        ("logit_bias", json!({"1": -100})),
        ("parallel_tool_calls", json!(false)),
        ("store", json!(true)),
        ("metadata", json!({"a": "b"})),
        ("functions", json!([])),
    ] {
        let mut body = chat(json!({}));
        body[field] = value;
        let at: &'static str = Box::leak(format!("/{field}").into_boxed_str());
        cases.push(("POST", "/v1/chat/completions", body, "ignored-field", at));
    }
    let responses = json!({"model": "m", "input": "Hi", "previous_response_id": "resp_1"});
    cases.push(("POST", "/v1/responses", responses, "ignored-field", "/previous_response_id"));
    cases
}

#[test]
fn each_oddity_is_noted_once_and_nothing_else() {
    for (method, path, body, code, at) in cases() {
        let notes = notes(method, path, &body);
        let found: Vec<(&str, &str)> =
            notes.iter().map(|note| (note.code, note.at.as_str())).collect();
        assert_eq!(found, [(code, at)], "{method} {path} {body}");
        assert!(notes.iter().all(|note| !note.text.is_empty() && !note.mend.is_empty()));
    }
}

#[test]
fn every_rule_has_a_case_and_a_code_of_its_own() {
    let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
    let tested: BTreeSet<&str> = cases().iter().map(|case| case.3).collect();
    let known: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(known.len(), codes.len());
    assert_eq!(tested, known);
}

#[test]
fn what_the_real_server_takes_as_it_is_meant_has_no_note() {
    let schema = json!({"type": "object"});
    let user = json!({"role": "user", "content": "Hi"});
    for (method, path, body) in [
        ("GET", "/", json!(null)),
        ("GET", "/api/tags", json!(null)),
        ("POST", "/api/chat", json!(null)),
        ("POST", "/api/chat", json!([1])),
        ("POST", "/api/chat", json!("text")),
        ("POST", "/api/chat", chat(json!({"format": schema, "keep_alive": "0", "think": "max"}))),
        ("POST", "/api/chat", chat(json!({"keep_alive": -1, "format": ""}))),
        (
            "POST",
            "/api/chat",
            chat(
                json!({"keep_alive": "1h30m", "options": {"num_ctx": 8192, "stop": ["."], "temperature": null}}),
            ),
        ),
        // Go reads the names of fields in any case.
        ("POST", "/api/chat", chat(json!({"Think": true}))),
        ("POST", "/api/generate", prompt(json!({"format": "json", "prompt": "Answer in JSON."}))),
        ("POST", "/api/generate", prompt(json!({"prompt": "", "suffix": "}"}))),
        (
            "POST",
            "/api/generate",
            prompt(json!({"prompt": "word ".repeat(4000), "options": {"num_ctx": 8192}})),
        ),
        (
            "POST",
            "/v1/chat/completions",
            chat(
                json!({"stream": null, "tool_choice": "auto", "n": 1, "logit_bias": {}, "store": false, "parallel_tool_calls": true, "user": null}),
            ),
        ),
        (
            "POST",
            "/v1/chat/completions",
            chat(
                json!({"stream": true, "stream_options": {"include_usage": true}, "logprobs": true, "top_logprobs": 2}),
            ),
        ),
        (
            "POST",
            "/v1/messages",
            json!({"model": "m", "max_tokens": 9, "system": "a", "messages": [user], "tool_choice": {"type": "auto"}}),
        ),
        (
            "POST",
            "/v1/chat/completions",
            messages(
                json!([user, {"role": "assistant", "content": null, "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "a", "content": "5"}]),
            ),
        ),
        ("DELETE", "/api/delete", json!({"model": "m"})),
    ] {
        assert_eq!(notes(method, path, &body), [], "{method} {path} {body}");
    }
}

#[test]
fn the_mend_names_what_was_meant() {
    for (path, body, mend) in [
        (
            "/chat/completions",
            chat(json!({})),
            "the base URL of the client must end in /v1, so that it calls /v1/chat/completions",
        ),
        (
            "/chat",
            chat(json!({})),
            "the base URL of the client must end in /api, so that it calls /api/chat",
        ),
        (
            "/v1/api/chat",
            chat(json!({})),
            "give the client the root as its base URL, so that it calls /api/chat",
        ),
        (
            "//api/chat",
            chat(json!({})),
            "take the slash from the end of the base URL, so that it calls /api/chat",
        ),
        ("/api/chats", chat(json!({})), "did you mean /api/chat?"),
        ("/v1/messages/count_tokens", chat(json!({})), "count tokens from the usage of an answer"),
        ("/nothing/of/the/kind", chat(json!({})), "see the list of routes in docs/mock.md"),
        ("/api/chat", chat(json!({"options": {"max_tokens": 5}})), "did you mean num_predict?"),
        ("/api/chat", chat(json!({"options": {"numCtx": 5}})), "did you mean num_ctx?"),
        ("/api/chat", chat(json!({"options": {"zzz": 5}})), "take it out"),
        (
            "/api/chat",
            chat(json!({"max_completion_tokens": 5})),
            "send it as `options.num_predict`",
        ),
        ("/api/chat", chat(json!({"response_format": {}})), "here that is `format`"),
        (
            "/v1/chat/completions",
            chat(json!({"num_ctx": 5})),
            "set num_ctx in the Modelfile or OLLAMA_CONTEXT_LENGTH, or use /api/chat",
        ),
        ("/v1/chat/completions", chat(json!({"temprature": 5})), "did you mean temperature?"),
        (
            "/api/chat",
            chat(json!({"keep_alive": "10"})),
            "send \"10s\", or the number 10 (seconds)",
        ),
    ] {
        let notes = notes("POST", path, &body);
        let mends: Vec<&str> = notes.iter().map(|note| note.mend.as_str()).collect();
        assert_eq!(mends, [mend], "{path} {body}");
    }
}

proptest::proptest! {
    #[test]
    fn no_body_makes_the_audit_panic(
        body in "\\PC{0,200}",
        path in proptest::sample::select(vec!["/api/chat", "/v1/messages", "/v1/responses", "/x"]),
    ) {
        let exchange = Exchange::bare("POST", path, &body);
        let route = match find("POST", path) { Found::Route(row, _) => Some(row.path), _ => None };
        let _ = audit(&exchange, route, exchange.json.as_ref());
    }

    #[test]
    fn no_json_makes_the_audit_panic(
        keys in proptest::collection::vec(proptest::sample::select(vec![
            "model", "messages", "role", "content", "tools", "tool_calls", "function", "arguments",
            "images", "options", "input", "system", "image_url", "source", "format", "keep_alive",
        ]), 1..12),
        leaf in proptest::sample::select(vec!["null", "1", "\"a\"", "[]", "{}", "[[]]", "true"]),
        path in proptest::sample::select(vec![
            "/api/chat", "/api/generate", "/v1/messages", "/v1/responses", "/v1/chat/completions",
        ]),
    ) {
        // Each key once as an object's and once within a list: all places where a rule may look.
        let mut body: Value = serde_json::from_str(leaf).unwrap();
        for (at, key) in keys.iter().enumerate() {
            body = json!({ *key: if at % 2 == 0 { body } else { json!([body]) } });
        }
        let exchange = Exchange::bare("POST", path, &body.to_string());
        let _ = audit(&exchange, Some(path), Some(&body));
    }
}
