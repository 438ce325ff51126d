//! `/v1/embeddings`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::bind::{INT, bind};
use super::go_json::{Shape, Type, to_line};
use super::{Surface, openai};
use crate::testkit::mock_server::admission;
use crate::testkit::mock_server::ask::{Ask, Asked, EmbedAsk};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{KeepAlive, Models};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::{Metrics, Performance};
use crate::testkit::mock_server::script::Script;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Embedding<'a>>,
    model: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Embedding<'a> {
    object: &'static str,
    embedding: Vector<'a>,
    index: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Floats(&'a [f32]),
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

pub(super) static SURFACE: Surface =
    Surface { text: no_text, vectors, refuse: openai::refuse, broken_off: |_, _, _| Bytes::new() };

static REQUEST: Shape = Shape {
    package: "openai",
    name: "EmbedRequest",
    fields: &[
        ("input", Type::Any),
        ("model", Type::Text),
        ("dimensions", INT),
        ("encoding_format", Type::Text),
    ],
};

/// Reads a request.
pub(super) fn read(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let (mut ask, input) = asked(exchange)?;
    admission::embed_name(&mut ask.model, models)?;
    ask.inputs = texts(input)?;
    admission::embed(&mut ask, KeepAlive::Default, models, stamp)?;
    Ok(Asked::Vectors(ask))
}

/// What a request asks for, and its input.
fn asked(exchange: &Exchange) -> Result<(EmbedAsk, Value), Refusal> {
    let mut fields = bind(exchange, &REQUEST)?;
    let format = fields.text("encoding_format");
    let base64 = format.eq_ignore_ascii_case("base64");
    if !(format.is_empty() || base64 || format.eq_ignore_ascii_case("float")) {
        return Err(Refusal::bad_request(format!(
            "Invalid value for 'encoding_format' = {format}. Supported values: ['float', 'base64']."
        )));
    }
    let input = fields.take("input").filter(|input| *input != Value::Array(Vec::new()));
    let input = input.ok_or_else(|| Refusal::bad_request("invalid input"))?;
    let ask = EmbedAsk {
        model: fields.text("model").to_owned(),
        dimensions: usize::try_from(fields.int("dimensions")).ok().filter(|&wanted| wanted > 0),
        base64,
        ..EmbedAsk::default()
    };
    Ok((ask, input))
}

/// A text, or a list of texts.
fn texts(input: Value) -> Result<Vec<String>, Refusal> {
    let texts = match input {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => Some(text),
                _ => None,
            })
            .collect(),
        _ => None,
    };
    texts.ok_or_else(|| Refusal::bad_request("invalid input type"))
}

fn vectors(ask: &EmbedAsk, vectors: &[Vec<f32>], metrics: &Metrics, _: &Stamp) -> Script {
    let data = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| {
            let embedding =
                if ask.base64 { Vector::Base64(base64_of(vector)) } else { Vector::Floats(vector) };
            Embedding { object: "embedding", embedding, index }
        })
        .collect();
    let tokens = metrics.prompt_eval_count;
    let usage = Usage { prompt_tokens: tokens, total_tokens: tokens };
    let list = List { object: "list", data, model: &ask.model, usage };
    openai::whole(Duration::ZERO, to_line(&list))
}

/// Floats of 32 bits, the least byte first, in base64.
fn base64_of(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

fn no_text(_: &Ask, _: &Performance, stamp: &Stamp) -> Script {
    let refusal = Refusal::new(500, "this route answers with vectors, not with text");
    openai::refuse(&refusal, stamp)
}

#[cfg(test)]
mod tests;
