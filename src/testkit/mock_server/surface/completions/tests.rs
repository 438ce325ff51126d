use insta::assert_snapshot;
use proptest::prelude::*;

use super::super::played::{
    any_performance, ask, data, events, exchange, json_of, performance, shown, stamp, text,
    thinking,
};
use super::*;

#[test]
fn a_text_whole() {
    let played = performance(vec![thinking("Hm"), text("Hi"), text(" <you>")]);
    assert_snapshot!(shown(&(SURFACE.text)(&ask(false), &played, &stamp())));
}

#[test]
fn a_text_streamed() {
    let played = performance(vec![thinking("Hm"), text("Hi"), text(" <you>")]);
    assert_snapshot!(shown(&(SURFACE.text)(&ask(true), &played, &stamp())));
}

#[test]
fn without_usage_no_chunk_has_one() {
    let asked = Ask { include_usage: false, ..ask(true) };
    let script = (SURFACE.text)(&asked, &performance(vec![text("Hi")]), &stamp());
    assert!(data(&script).iter().all(|chunk| chunk.get("usage").is_none()));
    assert_eq!(events(&script).last().unwrap().1, "[DONE]");
}

#[test]
fn a_request_that_only_loads() {
    assert_snapshot!("loaded_whole", shown(&write::loaded(&ask(false), &stamp())));
    assert_snapshot!("loaded_streamed", shown(&write::loaded(&ask(true), &stamp())));
}

#[test]
fn a_stream_that_breaks_off_has_one_empty_chunk_more() {
    let bytes = (SURFACE.broken_off)("boom", &ask(true), &stamp());
    assert_snapshot!(String::from_utf8(bytes.to_vec()).unwrap());
}

fn read_json(body: &Value) -> Result<Ask, Refusal> {
    asked(&exchange(body.to_string()))
}

#[test]
fn options_have_their_native_names_and_defaults() {
    let ask = read_json(&json!({"model": "m", "prompt": "hi", "top_p": 0})).unwrap();
    assert_eq!(
        Value::Object(ask.options.clone()),
        json!({"temperature": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0, "top_p": 1.0})
    );
    assert_eq!((ask.messages.len(), ask.last_user()), (1, "hi"));
    let ask = read_json(&json!({
        "model": "m", "prompt": "a", "suffix": "b", "max_tokens": 3, "seed": 1, "stop": "x",
        "temperature": 0.5, "top_p": 0.25, "logprobs": 4, "stream": true, "echo": true,
    }))
    .unwrap();
    assert_eq!(
        Value::Object(ask.options.clone()),
        json!({
            "stop": ["x"], "num_predict": 3, "temperature": 0.5, "seed": 1,
            "frequency_penalty": 0.0, "presence_penalty": 0.0, "top_p": 0.25,
        })
    );
    assert_eq!((ask.suffix.as_deref(), ask.logprobs, ask.stream), (Some("b"), Some(4), true));
    let ask = read_json(&json!({"model": "m", "prompt": "", "logprobs": 0})).unwrap();
    assert_eq!((ask.messages.len(), ask.logprobs), (0, None));
}

#[test]
fn each_wrong_request_has_the_real_text() {
    let table = [
        (
            json!({"prompt": ["a"]}),
            "json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string",
        ),
        (json!({"stop": ["a", 1]}), "invalid type for 'stop' field: float64"),
        (json!({"stop": [null]}), "invalid type for 'stop' field: <nil>"),
        (json!({"logprobs": 21}), "top_logprobs must be between 0 and 20"),
        (json!([]), "json: cannot unmarshal array into Go value of type openai.CompletionRequest"),
    ];
    for (body, expected) in table {
        assert_eq!(read_json(&body).map(drop), Err(Refusal::bad_request(expected)), "{body}");
    }
}

proptest! {
    #[test]
    fn chunks_joined_are_the_whole(performance in any_performance()) {
        let whole = json_of(&(SURFACE.text)(&ask(false), &performance, &stamp()));
        let chunks = data(&(SURFACE.text)(&ask(true), &performance, &stamp()));
        let choices = || chunks.iter().filter_map(|chunk| chunk["choices"].get(0));
        let joined: String = choices().map(|choice| choice["text"].as_str().unwrap()).collect();
        prop_assert_eq!(joined, whole["choices"][0]["text"].as_str().unwrap());
        let reasons: Vec<_> =
            choices().map(|choice| &choice["finish_reason"]).filter(|reason| !reason.is_null()).collect();
        prop_assert_eq!(reasons, vec![&whole["choices"][0]["finish_reason"]]);
        let (last, earlier) = chunks.split_last().unwrap();
        prop_assert_eq!(&last["usage"], &whole["usage"]);
        prop_assert!(earlier.iter().all(|chunk| chunk["usage"]["total_tokens"] == 0));
    }
}
