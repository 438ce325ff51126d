//! The routes that manage models: listing, showing, pulling, pushing, creating, copying, deleting,
//! and the blobs that models are created from.

mod blob;
mod create;
mod list;
mod show;
mod transfer;

use serde::Serialize;

pub(super) use blob::blob;
pub(super) use create::create;
pub(super) use list::{ps, tags};
pub(super) use show::show;
pub(super) use transfer::{pull, push};

use super::go_json::{Fields, Shape, Type, quoted, read as read_body, to_vec};
use super::native::{self, ErrorLine};
use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{Layer, Model, Models, Name, NameError};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::script::Script;

static COPY: Shape = Shape {
    package: "api",
    name: "CopyRequest",
    fields: &[("source", Type::Text), ("destination", Type::Text)],
};

static DELETE: Shape = Shape {
    package: "api",
    name: "DeleteRequest",
    fields: &[("model", Type::Text), ("name", Type::Text)],
};

pub(super) fn copy(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read_body(&exchange.body, &COPY)?;
    let part = |field: &str| {
        let text = fields.text(field);
        Name::parse(text)
            .map_err(|_| Refusal::bad_request(format!("{field} {} is invalid", quoted(text))))
    };
    let (source, destination) = (part("source")?, part("destination")?);
    let model = models.find(&source).ok_or_else(|| {
        Refusal::not_found(format!("model {} not found", quoted(fields.text("source"))))
    })?;
    let model = model.into_owned();
    models.put(Model { name: destination, modified_at: stamp.received_at, ..model });
    Ok(native::empty(200))
}

pub(super) fn delete(
    exchange: &Exchange,
    models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read_body(&exchange.body, &DELETE)?;
    let sent = model_or_name(&fields);
    let name = Name::of_request(sent).map_err(|error| {
        Refusal::bad_request(match error {
            NameError::Invalid => format!("name {} is invalid", quoted(sent)),
            error => error.to_string(),
        })
    })?;
    if models.remove(&name.to_string()) {
        Ok(native::empty(200))
    } else {
        Err(Refusal::not_found(format!("model '{sent}' not found")))
    }
}

/// `model`, or `name` that came before it.
fn model_or_name(fields: &Fields) -> &str {
    match fields.text("model") {
        "" => fields.text("name"),
        model => model,
    }
}

/// One line of a pull, a push, a creation.
#[derive(Debug, Clone, Serialize)]
struct Progress {
    status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    digest: String,
    #[serde(skip_serializing_if = "native::is_zero")]
    total: u64,
    #[serde(skip_serializing_if = "native::is_zero")]
    completed: u64,
}

impl Progress {
    fn step(status: impl Into<String>) -> Self {
        Self { status: status.into(), digest: String::new(), total: 0, completed: 0 }
    }

    fn layer(verb: &str, layer: &Layer, completed: u64) -> Self {
        let short = layer.digest.trim_start_matches("sha256:").get(..12).unwrap_or_default();
        Self {
            status: format!("{verb} {short}"),
            digest: layer.digest.clone(),
            total: layer.size,
            completed,
        }
    }
}

/// Steps as a stream, or the last of them alone; `failure` ends them.
fn progress(stream: bool, steps: &[Progress], failure: Option<&Refusal>) -> Asked {
    let error = failure.map(|refusal| ErrorLine { error: &refusal.message });
    let whole = |status, body| Script::whole(status, native::JSON_IN_STREAM, body);
    let script = match (failure, &error) {
        (Some(refusal), Some(error)) if !stream || steps.is_empty() => {
            whole(refusal.status, to_vec(error))
        }
        _ if !stream => {
            whole(200, to_vec(&steps.last().cloned().unwrap_or_else(|| Progress::step(""))))
        }
        _ => {
            let mut frames = native::lines(steps);
            frames.extend(native::lines(error.as_slice()));
            Script::stream(native::NDJSON, frames)
        }
    };
    Asked::Done(script)
}

#[cfg(test)]
mod tests;
