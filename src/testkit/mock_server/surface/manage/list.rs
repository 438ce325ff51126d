//! `/api/tags` and `/api/ps`.

use serde::Serialize;

use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{Load, Model, Models};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::surface::go_json::time;
use crate::testkit::mock_server::surface::native;

/// Where models in the cloud run.
const CLOUD: &str = "https://ollama.com:443";

/// What kind of model it is.
#[derive(Debug, Serialize)]
pub(super) struct Details {
    parent_model: String,
    format: &'static str,
    family: String,
    families: [String; 1],
    parameter_size: String,
    quantization_level: String,
    #[serde(skip_serializing_if = "native::is_zero")]
    context_length: u64,
    #[serde(skip_serializing_if = "native::is_zero")]
    embedding_length: u64,
}

impl Details {
    pub(super) fn of(model: &Model) -> Self {
        Self {
            parent_model: String::new(),
            format: "gguf",
            family: model.architecture.clone(),
            families: [model.architecture.clone()],
            parameter_size: model.parameter_size(),
            quantization_level: model.quantization.clone(),
            context_length: 0,
            embedding_length: 0,
        }
    }

    /// With the name of what it was created from, as `/api/show` has it.
    pub(super) fn with_parent(model: &Model) -> Self {
        Self { parent_model: model.parent.clone(), ..Self::of(model) }
    }

    fn with_lengths(model: &Model) -> Self {
        Self {
            context_length: model.context_length,
            embedding_length: model.embedding_length,
            ..Self::of(model)
        }
    }
}

#[derive(Debug, Serialize)]
struct List<T> {
    models: Vec<T>,
}

#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_host: Option<&'static str>,
    modified_at: String,
    size: u64,
    digest: String,
    details: Details,
    capabilities: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Running {
    name: String,
    model: String,
    size: u64,
    digest: String,
    details: Details,
    expires_at: String,
    size_vram: u64,
    context_length: u64,
}

pub(in crate::testkit::mock_server::surface) fn tags(
    _exchange: &Exchange,
    models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let listed = |model: &Model| Listed {
        name: model.name.short(),
        model: model.name.short(),
        remote_model: model.name.in_cloud(),
        remote_host: model.name.in_cloud().map(|_| CLOUD),
        modified_at: time(model.modified_at),
        size: model.size(),
        digest: model.digest(),
        details: Details::with_lengths(model),
        capabilities: model.capability_names(),
    };
    Ok(native::done(&List { models: models.all().iter().map(listed).collect() }))
}

pub(in crate::testkit::mock_server::surface) fn ps(
    _exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let running = |load: &Load| {
        // What is in memory beside the weights: keys and values for each token.
        let per_token = load.model.embedding_length.saturating_mul(16);
        let size =
            load.model.weights.size.saturating_add(load.context_length.saturating_mul(per_token));
        Running {
            name: load.model.name.short(),
            model: load.model.name.short(),
            size,
            digest: load.model.digest(),
            details: Details::of(&load.model),
            expires_at: time(load.expires_at()),
            size_vram: size,
            context_length: load.context_length,
        }
    };
    let loads = models.loads().at(stamp.received_at);
    Ok(native::done(&List { models: loads.into_iter().map(running).collect() }))
}
