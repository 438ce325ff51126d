//! `/v1/audio/transcriptions`: a chat that has the audio in it, answered as text.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::{BodyDataStream, Full};
use multer::Multipart;
use serde::Serialize;
use serde_json::{Map, json};

use super::go_json::to_line;
use super::{Surface, openai};
use crate::testkit::mock_server::admission;
use crate::testkit::mock_server::ask::{Ask, Asked, Message};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{Capability, KeepAlive, Models, Name};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::Performance;
use crate::testkit::mock_server::script::Script;

/// Bytes that a form may have, at most.
const FORM_MAX: usize = 25 << 20;
/// Among what an answer needs: that it is to be the bare text.
const PLAIN: &str = "plain";

pub(super) static SURFACE: Surface = Surface {
    text,
    vectors: openai::no_vectors,
    refuse: openai::refuse,
    broken_off: |_, _, _| Bytes::new(),
};

/// The fields of the form.
#[derive(Debug, Default, PartialEq, Eq)]
struct Form {
    model: String,
    file: Option<Bytes>,
    response_format: String,
    language: String,
    prompt: String,
}

/// Reads a request.
pub(super) fn read(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let mut ask = asked(exchange, models.default_model())?;
    hears(&ask, models)?;
    admission::chat(&mut ask, KeepAlive::Default, models, stamp)?;
    Ok(Asked::Text(Box::new(ask)))
}

/// Whether the model takes sound; of one that is not there, admission tells.
fn hears(ask: &Ask, models: &Models) -> Result<(), Refusal> {
    let name = match ask.model.as_str() {
        "" => models.default_model().unwrap_or_default(),
        name => name,
    };
    let model = Name::of_request(name).ok().and_then(|name| models.find(&name));
    match model {
        Some(model) if !model.capabilities.contains(&Capability::Audio) => {
            Err(Refusal::bad_request(format!("{} does not support audio", model.name)))
        }
        _ => Ok(()),
    }
}

/// What a request asks for.
fn asked(exchange: &Exchange, default_model: Option<&str>) -> Result<Ask, Refusal> {
    let form = form(exchange)
        .map_err(|why| Refusal::bad_request(format!("failed to parse multipart form: {why}")))?;
    if form.model.is_empty() && default_model.is_none() {
        return Err(Refusal::bad_request("model is required"));
    }
    let Some(audio) = form.file else {
        return Err(Refusal::bad_request("file is required: http: no such file"));
    };
    if audio.is_empty() {
        return Err(Refusal::bad_request("audio file is empty"));
    }
    let mut system = "Transcribe the following audio exactly as spoken. Output only the \
                      transcription text, nothing else."
        .to_owned();
    if !form.language.is_empty() {
        system.push_str(&format!(" The audio is in {}.", form.language));
    }
    if !form.prompt.is_empty() {
        system.push_str(&format!(" Context: {}", form.prompt));
    }
    let message = |role: &str, content: String| Message {
        role: role.to_owned(),
        content,
        ..Message::default()
    };
    let mut options = Map::new();
    options.insert("temperature".to_owned(), json!(0));
    let mut echo = Map::new();
    echo.insert(PLAIN.to_owned(), json!(form.response_format == "text"));
    Ok(Ask {
        model: form.model,
        messages: vec![
            message("system", system),
            Message {
                images: vec![audio.to_vec()],
                ..message("user", "Transcribe this audio.".to_owned())
            },
        ],
        options,
        echo,
        ..Ask::default()
    })
}

#[derive(Serialize)]
struct Transcription<'a> {
    text: &'a str,
}

fn text(ask: &Ask, performance: &Performance, _: &Stamp) -> Script {
    let text = performance.text();
    if ask.echo.get(PLAIN) == Some(&json!(true)) {
        let script = Script::whole(200, "text/plain", text);
        return Script { head_at: performance.ends_at, ..script };
    }
    openai::whole(performance.ends_at, to_line(&Transcription { text: &text }))
}

/// The form in a body. The whole body is in memory, so that nothing is ever waited for.
fn form(exchange: &Exchange) -> Result<Form, String> {
    let content_type = exchange.header("content-type").unwrap_or_default();
    let boundary = multer::parse_boundary(content_type).map_err(|error| match error {
        multer::Error::NoBoundary => "no multipart boundary param in Content-Type".to_owned(),
        _ => "request Content-Type isn't multipart/form-data".to_owned(),
    })?;
    if exchange.body.len() > FORM_MAX {
        return Err("http: request body too large".to_owned());
    }
    let body = BodyDataStream::new(Full::<Bytes>::new(exchange.body.clone()));
    let mut reading = pin!(fields(Multipart::new(body, boundary)));
    match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(form) => form.map_err(|error| error.to_string()),
        Poll::Pending => Err("unexpected EOF".to_owned()),
    }
}

async fn fields(mut multipart: Multipart<'_>) -> Result<Form, multer::Error> {
    let mut form = Form::default();
    while let Some(field) = multipart.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = field.file_name().is_some();
        let bytes = field.bytes().await?;
        let text = || String::from_utf8_lossy(&bytes).into_owned();
        // The first field of a name is the one that counts.
        let place = match name.as_str() {
            "file" if is_file => {
                form.file.get_or_insert(bytes);
                continue;
            }
            "model" => &mut form.model,
            "response_format" => &mut form.response_format,
            "language" => &mut form.language,
            "prompt" => &mut form.prompt,
            _ => continue,
        };
        if place.is_empty() {
            *place = text();
        }
    }
    Ok(form)
}

#[cfg(test)]
mod tests;
