//! `/v1/completions`.

mod write;

use serde_json::{Map, Value, json};

use super::bind::{Bound, INT, bind, dynamic_type};
use super::go_json::{Shape, Type};
use super::{Surface, openai};
use crate::testkit::mock_server::admission::{self, Admitted};
use crate::testkit::mock_server::ask::{Ask, Asked, Message};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{KeepAlive, Models};
use crate::testkit::mock_server::refusal::Refusal;

pub(super) static SURFACE: Surface = Surface {
    text: write::text,
    vectors: openai::no_vectors,
    refuse: openai::refuse,
    broken_off: write::broken_off,
};

/// What is read; everything else (`n`, `best_of`, `echo`, …) is ignored.
static REQUEST: Shape = Shape {
    package: "openai",
    name: "CompletionRequest",
    fields: &[
        ("model", Type::Text),
        ("prompt", Type::Text),
        ("frequency_penalty", Type::Real("float32")),
        ("max_tokens", INT),
        ("presence_penalty", Type::Real("float32")),
        ("seed", INT),
        ("stop", Type::Any),
        ("stream", Type::Flag),
        ("stream_options", Type::Struct(&openai::STREAM_OPTIONS)),
        ("temperature", Type::Real("float32")),
        ("top_p", Type::Real("float32")),
        ("suffix", Type::Text),
        ("logprobs", INT),
    ],
};

/// Reads a request.
pub(super) fn read(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let mut ask = asked(exchange)?;
    match admission::generate(&mut ask, KeepAlive::Default, models, stamp)? {
        Admitted::Run => Ok(Asked::Text(Box::new(ask))),
        Admitted::Load | Admitted::Unload => Ok(Asked::Done(write::loaded(&ask, stamp))),
    }
}

/// What a request asks for.
fn asked(exchange: &Exchange) -> Result<Ask, Refusal> {
    let mut fields = bind(exchange, &REQUEST)?;
    let options = options(&fields)?;
    let prompt = fields.text("prompt");
    let messages = if prompt.is_empty() {
        Vec::new()
    } else {
        let (role, content) = ("user".to_owned(), prompt.to_owned());
        vec![Message { role, content, ..Message::default() }]
    };
    let mut ask = Ask {
        model: fields.text("model").to_owned(),
        messages,
        suffix: fields.some_text("suffix"),
        options,
        stream: fields.flag("stream"),
        include_usage: openai::include_usage(&mut fields),
        ..Ask::default()
    };
    let logprobs = fields.int("logprobs");
    if logprobs > 0 {
        ask.logprobs = Some(openai::top_logprobs(logprobs)?);
    }
    Ok(ask)
}

fn options(fields: &Bound) -> Result<Map<String, Value>, Refusal> {
    let mut options = Map::new();
    match fields.get("stop") {
        Some(Value::String(stop)) => {
            options.insert("stop".to_owned(), json!([stop]));
        }
        Some(Value::Array(stops)) => {
            if let Some(other) = stops.iter().find(|stop| !stop.is_string()) {
                let found = dynamic_type(other);
                let text = format!("invalid type for 'stop' field: {found}");
                return Err(Refusal::bad_request(text));
            }
            options.insert("stop".to_owned(), Value::Array(stops.clone()));
        }
        _ => {}
    }
    openai::number(&mut options, "num_predict", fields, "max_tokens", None);
    openai::number(&mut options, "temperature", fields, "temperature", Some(1.0));
    openai::number(&mut options, "seed", fields, "seed", None);
    openai::number(&mut options, "frequency_penalty", fields, "frequency_penalty", Some(0.0));
    openai::number(&mut options, "presence_penalty", fields, "presence_penalty", Some(0.0));
    openai::number(&mut options, "top_p", fields, "top_p", Some(1.0));
    if options.get("top_p").and_then(Value::as_f64) == Some(0.0) {
        options.insert("top_p".to_owned(), json!(1.0));
    }
    Ok(options)
}

#[cfg(test)]
mod tests;
