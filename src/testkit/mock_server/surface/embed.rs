//! `/api/embed`, and `/api/embeddings` that came before it.

use serde::Serialize;
use serde_json::Value;

use super::Surface;
use super::go_json::{Shape, Type, read as read_body};
use super::native;
use crate::testkit::mock_server::admission;
use crate::testkit::mock_server::ask::{Asked, EmbedAsk};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::Models;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::Metrics;
use crate::testkit::mock_server::script::Script;

/// Length of the vectors of `/api/embeddings`, which the real server does not normalise.
const LEGACY_LENGTH: f64 = 12.5;

static REQUEST: Shape = Shape {
    package: "api",
    name: "EmbedRequest",
    fields: &[
        ("model", Type::Text),
        ("input", Type::Any),
        ("keep_alive", native::KEEP_ALIVE),
        ("truncate", native::FLAG_OR_NONE),
        ("dimensions", Type::Whole("int")),
        ("options", native::OPTIONS),
    ],
};

static LEGACY_REQUEST: Shape = Shape {
    package: "api",
    name: "EmbeddingRequest",
    fields: &[
        ("model", Type::Text),
        ("prompt", Type::Text),
        ("keep_alive", native::KEEP_ALIVE),
        ("options", native::OPTIONS),
    ],
};

pub(super) fn read(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read_body(&exchange.body, &REQUEST)?;
    let mut ask = EmbedAsk {
        model: fields.text("model").to_owned(),
        dimensions: usize::try_from(fields.whole("dimensions")).ok().filter(|length| *length > 0),
        options: fields.map("options"),
        truncate: fields.flag("truncate"),
        ..EmbedAsk::default()
    };
    admission::embed_name(&mut ask.model, models)?;
    ask.inputs = inputs(fields.get("input"))?;
    admission::embed(&mut ask, native::keep_alive(&fields), models, stamp)?;
    if ask.inputs.is_empty() {
        let metrics = Metrics::default();
        return Ok(Asked::Done(vectors(&ask, &[], &metrics, stamp)));
    }
    Ok(Asked::Vectors(ask))
}

fn inputs(input: Option<&Value>) -> Result<Vec<String>, Refusal> {
    let invalid = || Refusal::bad_request("invalid input type");
    match input {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(invalid)).collect()
        }
        Some(_) => Err(invalid()),
    }
}

pub(super) fn read_legacy(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read_body(&exchange.body, &LEGACY_REQUEST)?;
    let mut ask = EmbedAsk {
        model: fields.text("model").to_owned(),
        options: fields.map("options"),
        ..EmbedAsk::default()
    };
    admission::embed_legacy(&mut ask, native::keep_alive(&fields), models, stamp)?;
    let prompt = fields.text("prompt");
    if prompt.is_empty() {
        return Ok(native::done(&LegacyAnswer { embedding: Vec::new() }));
    }
    ask.inputs.push(prompt.to_owned());
    Ok(Asked::Vectors(ask))
}

pub(super) static SURFACE: Surface = Surface {
    text: |_, _, stamp| {
        native::refuse(&Refusal::new(500, "vectors are not answered with text"), stamp)
    },
    vectors,
    refuse: native::refuse,
    broken_off: native::broken_off,
};

pub(super) static LEGACY: Surface = Surface {
    vectors: |_, vectors, _, _| {
        let embedding = vectors.first().map_or(&[][..], Vec::as_slice);
        let embedding = embedding.iter().map(|value| f64::from(*value) * LEGACY_LENGTH).collect();
        native::json(200, &LegacyAnswer { embedding })
    },
    ..SURFACE
};

#[derive(Debug, Serialize)]
struct Answer<'a> {
    model: &'a str,
    embeddings: &'a [Vec<f32>],
    #[serde(skip_serializing_if = "native::is_zero")]
    total_duration: u64,
    #[serde(skip_serializing_if = "native::is_zero")]
    load_duration: u64,
    #[serde(skip_serializing_if = "native::is_zero")]
    prompt_eval_count: u64,
}

#[derive(Debug, Serialize)]
struct LegacyAnswer {
    embedding: Vec<f64>,
}

fn vectors(ask: &EmbedAsk, vectors: &[Vec<f32>], metrics: &Metrics, _stamp: &Stamp) -> Script {
    native::json(
        200,
        &Answer {
            model: &ask.model,
            embeddings: vectors,
            total_duration: metrics.total_duration,
            load_duration: metrics.load_duration,
            prompt_eval_count: metrics.prompt_eval_count,
        },
    )
}

#[cfg(test)]
mod tests;
