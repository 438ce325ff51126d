use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::super::played::{exchange, json_of, shown, stamp};
use super::*;

fn written(base64: bool, vectors: &[Vec<f32>]) -> Script {
    let ask = EmbedAsk { model: "Nomic".to_owned(), base64, ..EmbedAsk::default() };
    let metrics = Metrics { prompt_eval_count: 5, total_duration: 3_000_000, ..Metrics::default() };
    (SURFACE.vectors)(&ask, vectors, &metrics, &stamp())
}

#[test]
fn vectors_as_numbers_and_as_base64() {
    let vectors = [vec![0.1, -0.5, 1e-7], vec![1.0]];
    assert_snapshot!("numbers", shown(&written(false, &vectors)));
    assert_snapshot!("base64", shown(&written(true, &vectors)));
}

/// Latency is added to every answer alike, and no work of a model is waited for.
#[test]
fn the_head_goes_out_at_once() {
    assert_eq!(written(true, &[vec![1.0]]).head_at, Duration::ZERO);
}

fn read_json(body: &Value) -> Result<EmbedAsk, Refusal> {
    let (ask, input) = asked(&exchange(body.to_string()))?;
    Ok(EmbedAsk { inputs: texts(input)?, ..ask })
}

#[test]
fn inputs_are_texts() {
    for (input, expected) in
        [(json!("a"), vec!["a"]), (json!(""), vec![""]), (json!(["a", ""]), vec!["a", ""])]
    {
        let body =
            json!({"model": "m", "input": input, "encoding_format": "Base64", "dimensions": 8});
        let ask = read_json(&body).unwrap();
        assert_eq!(ask.inputs, expected);
        assert!(ask.base64);
        assert_eq!(ask.dimensions, Some(8));
    }
    assert!(!read_json(&json!({"model": "m", "input": "a"})).unwrap().base64);
}

#[test]
fn each_wrong_request_has_the_real_text() {
    let table = [
        (
            json!({"input": null, "encoding_format": "int8"}),
            "Invalid value for 'encoding_format' = int8. Supported values: ['float', 'base64'].",
        ),
        (json!({"model": "m"}), "invalid input"),
        (json!({"input": null}), "invalid input"),
        (json!({"input": []}), "invalid input"),
        (json!({"input": [1, 2]}), "invalid input type"),
        (json!({"input": {"a": 1}}), "invalid input type"),
        (
            json!({"input": "a", "dimensions": "8"}),
            "json: cannot unmarshal string into Go struct field EmbedRequest.dimensions of type int",
        ),
    ];
    for (body, expected) in table {
        assert_eq!(read_json(&body).map(drop), Err(Refusal::bad_request(expected)), "{body}");
    }
}

proptest! {
    #[test]
    fn base64_holds_the_same_numbers(vector in prop::collection::vec(-1e3_f32..1e3, 0..20)) {
        let numbers = json_of(&written(false, std::slice::from_ref(&vector)));
        let encoded = json_of(&written(true, std::slice::from_ref(&vector)));
        let bytes = STANDARD.decode(encoded["data"][0]["embedding"].as_str().unwrap()).unwrap();
        let decoded: Vec<f32> = bytes
            .chunks(4)
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
            .collect();
        prop_assert_eq!(&decoded, &vector);
        let read: Vec<f32> = serde_json::from_value(numbers["data"][0]["embedding"].clone()).unwrap();
        prop_assert_eq!(&read, &vector);
    }
}
