//! `/api/create`.

use serde_json::{Map, Value, json};

use super::transfer::pull_into;
use super::{Progress, model_or_name, progress};
use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{
    CONTEXT_LENGTH_MAX, Capability, EMBEDDING_LENGTH_MAX, Layer, Model, Models, Name,
    digest_of_path,
};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::surface::go_json::{Fields, Shape, Type, read};
use crate::testkit::mock_server::surface::native;

const FILES: Type = Type::Map("map[string]string", &Type::Text);

static CREATE: Shape = Shape {
    package: "api",
    name: "CreateRequest",
    fields: &[
        ("model", Type::Text),
        ("stream", native::FLAG_OR_NONE),
        ("quantize", Type::Text),
        ("draft_quantize", Type::Text),
        ("from", Type::Text),
        ("remote_host", Type::Text),
        ("files", FILES),
        ("draft_files", FILES),
        ("adapters", FILES),
        ("template", Type::Text),
        ("license", Type::Any),
        ("system", Type::Text),
        ("parameters", native::OPTIONS),
        ("messages", native::MESSAGES),
        ("renderer", Type::Text),
        ("parser", Type::Text),
        ("requires", Type::Text),
        ("info", native::OPTIONS),
        ("name", Type::Text),
        ("quantization", Type::Text),
    ],
};

pub(in crate::testkit::mock_server::surface) fn create(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read(&exchange.body, &CREATE)?;
    for files in ["files", "draft_files", "adapters"] {
        check_files(&fields.map(files))?;
    }
    let name = Name::parse(model_or_name(&fields))
        .map_err(|_| Refusal::bad_request("invalid model name"))?;
    let stream = fields.flag("stream").unwrap_or(true);
    let mut steps = Vec::new();
    let failure = create_into(&mut steps, name, &fields, models, stamp).err();
    Ok(progress(stream, &steps, failure.as_ref()))
}

/// Checks paths and digests before anything is done.
fn check_files(files: &Map<String, Value>) -> Result<(), Refusal> {
    for (path, digest) in files {
        if !is_valid_path(path) {
            return Err(Refusal::bad_request("file path must be relative"));
        }
        if digest.as_str().and_then(digest_of_path).is_none() {
            return Err(Refusal::bad_request("invalid digest format"));
        }
    }
    Ok(())
}

/// `fs.ValidPath`: relative, with `/` between its parts, none of them empty, `.` or `..`.
fn is_valid_path(path: &str) -> bool {
    !path.contains(['\\', ':'])
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn create_into(
    steps: &mut Vec<Progress>,
    name: Name,
    fields: &Fields,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<(), Refusal> {
    let base = base(steps, fields, models, stamp)?;
    let mut model = Model { name, modified_at: stamp.received_at, ..base };
    overlay(&mut model, fields);
    quantize(steps, &mut model, fields);
    let mut layers = model.layers();
    // The last one is the configuration, of which nothing is said.
    layers.pop();
    for layer in layers {
        let verb = if models.has_blob(&layer.digest) { "using existing" } else { "creating new" };
        steps.push(Progress::step(format!("{verb} layer {}", layer.digest)));
    }
    steps.push(Progress::step("writing manifest"));
    models.put(model);
    steps.push(Progress::step("success"));
    Ok(())
}

/// What the new model starts from.
fn base(
    steps: &mut Vec<Progress>,
    fields: &Fields,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Model, Refusal> {
    let from = fields.text("from");
    if !from.is_empty() {
        let name =
            Name::of_request(from).map_err(|_| Refusal::bad_request("invalid model name"))?;
        let parent = name.short();
        let model = match models.listed(&name) {
            Some(model) => model.clone(),
            None => pull_into(steps, name, models, stamp)?,
        };
        return Ok(Model { parent, ..model });
    }
    if fields.get("files").is_none() {
        return Err(Refusal::bad_request("neither 'from' or 'files' was specified"));
    }
    let weights = weights(steps, &fields.map("files"), models)?;
    let name = Name::parse(model_or_name(fields))
        .map_err(|_| Refusal::bad_request("invalid model name"))?;
    let model = Model::from_registry(name, stamp.received_at);
    Ok(Model { weights, license: String::new(), parameters: Map::new(), ..model })
}

/// The layer of the files that were uploaded.
fn weights(
    steps: &mut Vec<Progress>,
    files: &Map<String, Value>,
    models: &Models,
) -> Result<Layer, Refusal> {
    let mut found: Option<(&str, Layer)> = None;
    let mut paths: Vec<&String> = files.keys().collect();
    paths.sort();
    for path in paths {
        let sent = files.get(path).and_then(Value::as_str).unwrap_or_default();
        let digest = digest_of_path(sent).unwrap_or_default();
        let blob = models.blobs().get(&digest);
        let layer = models.layer(&digest);
        let size = blob.map(|blob| blob.size).or(layer.as_ref().map(|layer| layer.size));
        let Some(size) = size else {
            return Err(Refusal::bad_request(format!(
                "blob not found for {path} (digest {sent}): file does not exist"
            )));
        };
        let kind = if path.ends_with(".safetensors") {
            "safetensors"
        } else if path.ends_with(".gguf")
            || layer.is_some()
            || blob.is_some_and(|blob| blob.is_gguf())
        {
            "gguf"
        } else {
            continue;
        };
        match &mut found {
            None => found = Some((kind, Layer { media_type: MODEL, digest, size })),
            Some((other, _)) if *other != kind => {
                return Err(Refusal::bad_request(format!(
                    "mixed model file types: found both {other} and {kind} inputs"
                )));
            }
            Some((_, layer)) => layer.size = layer.size.saturating_add(size),
        }
    }
    match found {
        Some((kind, layer)) => {
            let step = if kind == "gguf" { "parsing GGUF" } else { "converting model" };
            steps.push(Progress::step(step));
            Ok(layer)
        }
        None if files.is_empty() => Err(Refusal::bad_request("no files provided to convert")),
        None => Err(Refusal::bad_request("unknown type")),
    }
}

const MODEL: &str = "application/vnd.ollama.image.model";

/// Lays what the request says over what the model starts from.
fn overlay(model: &mut Model, fields: &Fields) {
    for (field, place) in [
        ("system", &mut model.system),
        ("renderer", &mut model.renderer),
        ("parser", &mut model.parser),
        ("requires", &mut model.requires),
    ] {
        if !fields.text(field).is_empty() {
            fields.text(field).clone_into(place);
        }
    }
    let template = fields.text("template");
    if !template.is_empty() {
        template.clone_into(&mut model.template);
        model.capabilities.retain(|capability| {
            !matches!(capability, Capability::Tools | Capability::Insert | Capability::Thinking)
        });
        for (variable, capability) in [
            (".Tools", Capability::Tools),
            (".Suffix", Capability::Insert),
            (".Thinking", Capability::Thinking),
        ] {
            if template.contains(variable) {
                model.capabilities.push(capability);
            }
        }
    }
    match fields.get("license") {
        Some(Value::String(text)) if !text.is_empty() => text.clone_into(&mut model.license),
        Some(Value::Array(texts)) if !texts.is_empty() => {
            let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
            model.license = texts.join("\n");
        }
        _ => {}
    }
    model.parameters.extend(fields.map("parameters"));
    let messages = fields.list("messages");
    if !messages.is_empty() {
        let text = |message: &Value, part: &str| {
            message.get(part).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        model.messages = messages
            .iter()
            .map(|message| {
                let role = text(message, "role").to_lowercase();
                json!({"role": role, "content": text(message, "content")})
            })
            .collect();
    }
    info(model, &Fields(fields.map("info")));
}

/// `info` overrides what the model says of itself.
fn info(model: &mut Model, info: &Fields) {
    for (field, place) in
        [("model_family", &mut model.architecture), ("quantization_level", &mut model.quantization)]
    {
        if !info.text(field).is_empty() {
            info.text(field).clone_into(place);
        }
    }
    for (field, place, longest) in [
        ("context_length", &mut model.context_length, CONTEXT_LENGTH_MAX),
        ("embedding_length", &mut model.embedding_length, EMBEDDING_LENGTH_MAX),
    ] {
        if let Some(length) = info.get(field).and_then(Value::as_u64) {
            *place = length.clamp(1, longest);
        }
    }
    let named: Vec<Capability> = info
        .list("capabilities")
        .iter()
        .filter_map(Value::as_str)
        .filter_map(Capability::named)
        .collect();
    if !named.is_empty() {
        model.capabilities = named;
    }
}

/// Stores the parameters in fewer bits, where the request says so.
fn quantize(steps: &mut Vec<Progress>, model: &mut Model, fields: &Fields) {
    let wanted = match fields.text("quantize") {
        "" => fields.text("quantization"),
        wanted => wanted,
    };
    if wanted.is_empty() || wanted.eq_ignore_ascii_case(&model.quantization) {
        return;
    }
    let wanted = wanted.to_ascii_uppercase();
    steps.push(Progress::step(format!("quantizing {} model to {wanted}", model.quantization)));
    model.weights = Model::quantized(&model.weights, &wanted, model.parameter_count);
    model.quantization = wanted;
}
