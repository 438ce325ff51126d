use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::played::{exchange, json_of, shown, stamp};
use super::*;

fn asked(body: &Value) -> Result<Asked, Refusal> {
    read(&exchange(body.to_string()), &mut Models::default(), &stamp())
}

fn legacy(body: &Value) -> Result<Asked, Refusal> {
    read_legacy(&exchange(body.to_string()), &mut Models::default(), &stamp())
}

fn inputs_of(outcome: Result<Asked, Refusal>) -> Vec<String> {
    match outcome.unwrap() {
        Asked::Vectors(ask) => ask.inputs,
        other => panic!("{other:?} asks for no vectors"),
    }
}

#[test]
fn vectors_as_they_are_written() {
    let ask = EmbedAsk { model: "All-MiniLM".to_owned(), ..EmbedAsk::default() };
    let metrics = Metrics {
        total_duration: 14_143_917,
        load_duration: 1_019_500,
        prompt_eval_count: 8,
        ..Metrics::default()
    };
    let played = [vec![0.6_f32, -0.8, 1e-7], vec![0.010071029, 1.0, 0.0]];
    assert_snapshot!("embed", shown(&(SURFACE.vectors)(&ask, &played, &metrics, &stamp())));
    assert_snapshot!("legacy", shown(&(LEGACY.vectors)(&ask, &played[..1], &metrics, &stamp())));
}

#[test]
fn nothing_to_embed_only_loads() {
    for input in [json!(null), json!(""), json!([])] {
        let body = json!({"model": "nomic-embed-text", "input": input});
        let Asked::Done(script) = asked(&body).unwrap() else { panic!() };
        assert_eq!(json_of(&script), json!({"model": "nomic-embed-text", "embeddings": []}));
    }
    let Asked::Done(script) = legacy(&json!({"model": "nomic-embed-text"})).unwrap() else {
        panic!()
    };
    assert_eq!(json_of(&script), json!({"embedding": []}));
}

#[test]
fn inputs_are_one_text_or_many() {
    let with = |input: Value| asked(&json!({"model": "nomic-embed-text", "input": input}));
    assert_eq!(inputs_of(with(json!("a"))), ["a"]);
    assert_eq!(inputs_of(with(json!(["a", ""]))), ["a", ""]);
    assert_eq!(inputs_of(legacy(&json!({"model": "llama3.2", "prompt": "p"}))), ["p"]);
    let long =
        json!({"model": "nomic-embed-text", "input": "a b c d e f", "options": {"num_ctx": 4}});
    assert_eq!(inputs_of(asked(&long)), ["a b"]);
    let sky = json!({"model": "all-minilm", "input": ["why is the sky blue?", "why"], "options": {"num_ctx": 3}});
    let mut models = Models::new(["all-minilm"]);
    assert_eq!(inputs_of(read(&exchange(sky.to_string()), &mut models, &stamp())), ["why", "why"]);
}

#[test]
fn each_wrong_request_has_the_real_text() {
    for (body, expected) in [
        (json!({"input": 5}), "404: model '' not found"),
        (json!({"model": "a b"}), "400: invalid model name"),
        (json!({"model": "gone", "input": 5}), "400: invalid input type"),
        (json!({"model": "gone", "input": ["a", 5]}), "400: invalid input type"),
        (json!({"model": "gone", "input": {}}), "400: invalid input type"),
        (
            json!({"model": "Gone", "input": "a"}),
            "404: model \"Gone\" not found, try pulling it first",
        ),
        (
            json!({"model": "llama3.2", "input": "a b c", "truncate": false, "options": {"num_ctx": 4}}),
            "400: the input length exceeds the context length",
        ),
        (
            json!({"model": "llama3.2", "input": "a b c", "options": {"num_ctx": 1}}),
            "400: input after truncation exceeds maximum context length",
        ),
        (
            json!({"model": "llama3.2", "input": "a", "dimensions": "x"}),
            "400: json: cannot unmarshal string into Go struct field EmbedRequest.dimensions of type int",
        ),
    ] {
        assert_eq!(asked(&body).unwrap_err().to_string(), expected, "{body}");
    }
    for (body, expected) in [
        (json!({}), "400: model is required"),
        (json!({"model": "-"}), "400: invalid model name"),
        (
            json!({"model": "gone", "prompt": "x"}),
            "404: model \"gone\" not found, try pulling it first",
        ),
        (
            json!({"model": "gone", "prompt": ["x"]}),
            "400: json: cannot unmarshal array into Go struct field EmbeddingRequest.prompt of type string",
        ),
    ] {
        assert_eq!(legacy(&body).unwrap_err().to_string(), expected, "{body}");
    }
}

#[test]
fn vectors_are_as_long_as_the_model_says() {
    for (model, length) in [("nomic-embed-text", 768), ("qwen2.5:3b", 3_584)] {
        let outcome = asked(&json!({"model": model, "input": "a"}));
        let Asked::Vectors(ask) = outcome.unwrap() else { panic!("no vectors") };
        assert_eq!(ask.length, Some(length));
        assert_eq!(crate::testkit::mock_server::answer::vectors(&ask)[0].len(), length);
    }
}

#[test]
fn vectors_that_fill_the_memory_are_refused() {
    let too_many = |model: &str, texts: usize| {
        let body = json!({"model": model, "input": vec!["a"; texts], "dimensions": 1});
        let native = asked(&body).map(drop);
        let exchange = exchange(body.to_string());
        let compatible =
            super::super::openai_embed::read(&exchange, &mut Models::default(), &stamp()).map(drop);
        assert_eq!(native, compatible);
        native
    };
    assert_eq!(too_many("nomic-embed-text", 21_845), Ok(()));
    assert_eq!(
        too_many("nomic-embed-text", 21_846).unwrap_err().to_string(),
        "400: the input has 21846 texts, and a vector has 768 numbers: more than 16777216 numbers \
         in all; send at most 21845 texts at once (flakedb mock)"
    );
}
