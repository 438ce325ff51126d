//! The models that the server has.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::{Answer, Call, Problem};
use crate::testkit::mock_server::models::{Capability, Model, Models};

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    Answer::ok(listed(&call.namespace.state().models))
}

fn listed(models: &Models) -> Value {
    let shown: Vec<Value> = models.all().iter().map(shown).collect();
    json!({ "models": shown })
}

fn shown(model: &Model) -> Value {
    let capabilities: Vec<&str> =
        model.capabilities.iter().map(|capability| capability.name()).collect();
    json!({
        "name": model.name.short(),
        "capabilities": capabilities,
        "modified_at": model.modified_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    })
}

pub(super) fn add(call: &Call<'_>) -> Result<Answer, Problem> {
    let mut fields = call.body()?.fields(&["name", "model", "capabilities"])?;
    let name = match fields.text("name")? {
        Some(name) => name,
        None => fields.text("model")?.ok_or_else(|| {
            Problem::wrong("`name` is missing: the model to add, such as \"llama3.2\"")
        })?,
    };
    let capabilities = fields.given("capabilities").map(read_capabilities).transpose()?;
    let now = call.world.clock().now();
    let mut state = call.namespace.state();
    let added =
        state.models.add(&name, now).map_err(|error| Problem::wrong(format!("`name`: {error}")))?;
    let mut model = added.clone();
    if let Some(capabilities) = capabilities {
        model.capabilities = capabilities;
    }
    let shown = shown(state.models.put(model));
    Answer::created(shown)
}

fn read_capabilities(value: Value) -> Result<Vec<Capability>, Problem> {
    let names = match value {
        Value::Array(names) => names,
        one => vec![one],
    };
    names
        .iter()
        .map(|name| {
            name.as_str().and_then(Capability::named).ok_or_else(|| {
                let known = Capability::ALL.map(Capability::name).join(", ");
                Problem::wrong(format!("`capabilities` has {name}; known are {known}"))
            })
        })
        .collect()
}

pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Problem> {
    let mut fields = call.body()?.fields(&["name", "model"])?;
    let in_body = fields.text("name")?.or(fields.text("model")?);
    let in_query = call.query("name").or_else(|| call.query("model"));
    let name = in_query.or(in_body).filter(|name| !name.is_empty()).ok_or_else(|| {
        Problem::wrong(
            "which model? Say ?name=NAME; POST /__admin/reset brings the first ones back",
        )
    })?;
    take(call, &name)
}

pub(super) fn remove_named(call: &Call<'_>) -> Result<Answer, Problem> {
    take(call, &call.parameter)
}

fn take(call: &Call<'_>, name: &str) -> Result<Answer, Problem> {
    let mut state = call.namespace.state();
    // That it was not there is no error: it is gone, which is what was asked for.
    let removed = state.models.remove(name);
    let mut answer = listed(&state.models);
    answer["removed"] = json!(removed);
    Answer::ok(answer)
}
