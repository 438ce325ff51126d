//! What concerns the server: the list of endpoints, health, namespaces, reset, the schema.

use serde_json::{Value, json};

use super::{Answer, Call, ENDPOINTS, PREFIX, Problem};

/// The JSON Schema of this API, as it stands in the documents.
pub(super) const SCHEMA: &str = include_str!("../../../../docs/schema/mock-admin.json");

/// The page about this API, as the project publishes it.
const DOCUMENTS: &str = "docs/mock-admin.md of flakedb";

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let endpoints: Vec<String> = ENDPOINTS
        .iter()
        .map(|endpoint| {
            let call = format!("{} {PREFIX}{}", endpoint.method, endpoint.path);
            format!("{call:32} {}", endpoint.about)
        })
        .collect();
    Answer::ok(json!({
        "namespace": call.namespace.name(),
        "endpoints": endpoints,
        "schema": format!("{PREFIX}/schema"),
        "documents": DOCUMENTS,
    }))
}

pub(super) fn health(call: &Call<'_>) -> Result<Answer, Problem> {
    let state = call.namespace.state();
    let stubs = state.stubs.len();
    let (requests, dropped) = (state.journal.len(), state.journal.dropped());
    drop(state);
    Answer::ok(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "namespace": call.namespace.name(),
        "namespaces": call.world.namespaces().len(),
        "stubs": stubs,
        "requests": requests,
        "dropped": dropped,
    }))
}

pub(super) fn reset(call: &Call<'_>) -> Result<Answer, Problem> {
    let mut fields = call.body()?.fields(&["all"])?;
    let all = call.flag("all")?.or(fields.flag("all")?).unwrap_or(false);
    if all {
        call.world.reset_all();
        // Whoever holds the namespace of this request still sees it.
        call.namespace.state().reset(call.world.beginning());
        return Answer::ok(json!({ "reset": "all" }));
    }
    call.namespace.state().reset(call.world.beginning());
    Answer::ok(json!({ "reset": call.namespace.name() }))
}

pub(super) fn namespaces(call: &Call<'_>) -> Result<Answer, Problem> {
    let shown: Vec<Value> = call
        .world
        .namespaces()
        .iter()
        .map(|namespace| {
            let state = namespace.state();
            json!({
                "name": namespace.name(),
                "stubs": state.stubs.len(),
                "requests": state.journal.len(),
            })
        })
        .collect();
    Answer::ok(json!({ "namespaces": shown }))
}

pub(super) fn schema(_call: &Call<'_>) -> Result<Answer, Problem> {
    match serde_json::from_str(SCHEMA) {
        Ok(schema) => Answer::ok(schema),
        Err(error) => Err(Problem {
            status: 500,
            error: format!("the schema cannot be read: {error}"),
            details: Vec::new(),
        }),
    }
}
