//! `/api/pull` and `/api/push`.

use super::{Progress, model_or_name, progress};
use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{Model, Models, Name, NameError};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::surface::go_json::{Shape, Type, read};
use crate::testkit::mock_server::surface::native;

static PULL: Shape = Shape { package: "api", name: "PullRequest", fields: FIELDS };
static PUSH: Shape = Shape { package: "api", name: "PushRequest", fields: FIELDS };

const FIELDS: &[(&str, Type)] = &[
    ("model", Type::Text),
    ("insecure", Type::Flag),
    ("username", Type::Text),
    ("password", Type::Text),
    ("stream", native::FLAG_OR_NONE),
    ("name", Type::Text),
];

pub(in crate::testkit::mock_server::surface) fn pull(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read(&exchange.body, &PULL)?;
    let name = Name::of_request(model_or_name(&fields)).map_err(|error| {
        Refusal::bad_request(match error {
            NameError::TwoSources(_) => error.to_string(),
            NameError::Empty | NameError::Invalid => "invalid model name".to_owned(),
        })
    })?;
    let stream = fields.flag("stream").unwrap_or(true);
    let mut steps = Vec::new();
    let failure = pull_into(&mut steps, name, models, stamp).err();
    if failure.is_none() {
        steps.push(Progress::step("success"));
    }
    Ok(progress(stream, &steps, failure.as_ref()))
}

/// Pulls a model, and says how far it is.
///
/// # Errors
/// 500 where the registry does not have it.
pub(super) fn pull_into(
    steps: &mut Vec<Progress>,
    name: Name,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Model, Refusal> {
    steps.push(Progress::step("pulling manifest"));
    if !models.in_registry(&name) {
        return Err(Refusal::new(500, "pull model manifest: file does not exist"));
    }
    let old = models.listed(&name).map(Model::layers);
    let model = Model::from_registry(name, stamp.received_at);
    let layers = model.layers();
    for layer in &layers {
        if models.has_blob(&layer.digest) {
            steps.push(Progress::layer("pulling", layer, layer.size));
            continue;
        }
        // The first line of a layer comes before any of it, so it has no `completed`.
        for quarter in [0, 1, 2, 4] {
            let completed = layer.size / 4 * quarter + layer.size % 4 * (quarter / 4);
            steps.push(Progress::layer("pulling", layer, completed));
        }
    }
    steps.push(Progress::step("verifying sha256 digest"));
    steps.push(Progress::step("writing manifest"));
    let unused = old.is_some_and(|old| old.iter().any(|layer| !layers.contains(layer)));
    if unused {
        steps.push(Progress::step("removing unused layers"));
    }
    Ok(models.put(model).clone())
}

pub(in crate::testkit::mock_server::surface) fn push(
    exchange: &Exchange,
    models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read(&exchange.body, &PUSH)?;
    let sent = model_or_name(&fields);
    if sent.is_empty() {
        return Err(Refusal::bad_request("model is required"));
    }
    let stream = fields.flag("stream").unwrap_or(true);
    let mut steps = vec![Progress::step("retrieving manifest")];
    let name = Name::parse(sent).ok();
    let Some(model) = name.as_ref().and_then(|name| models.listed(name)) else {
        steps.push(Progress::step("couldn't retrieve manifest"));
        let failure = Refusal::new(500, "file does not exist");
        return Ok(progress(stream, &steps, Some(&failure)));
    };
    for layer in model.layers() {
        steps.push(Progress::layer("pushing", &layer, 0));
        steps.push(Progress::layer("pushing", &layer, layer.size));
    }
    if let Some(name) = &name {
        models.publish(name);
    }
    steps.push(Progress::step("pushing manifest"));
    steps.push(Progress::step("success"));
    Ok(progress(stream, &steps, None))
}
