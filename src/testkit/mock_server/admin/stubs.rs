//! Stubs, put while the server runs.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::input::wrong_kind;
use super::{Answer, Call, Problem};
use crate::testkit::mock_server::models::{Name, UnknownModels};
use crate::testkit::mock_server::namespace::State;
use crate::testkit::mock_server::stub::{Listed, RuleFile, Stub};

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    Answer::ok(json!({ "stubs": call.namespace.state().stubs.list() }))
}

/// Keys that a rule file has and a stub has not.
const RULE_KEYS: [&str; 9] = [
    "models",
    "model_list",
    "settings",
    "stubs",
    "rules",
    "mocks",
    "mappings",
    "fixtures",
    "$schema",
];

/// One stub, a list of them, or a whole rule file. All of it, or nothing.
pub(super) fn add(call: &Call<'_>) -> Result<Answer, Problem> {
    let wanted = "a stub such as {\"match\": {\"user\": \"Hi\"}, \"reply\": \"Hello\"}";
    let (several, items) = match call.body()?.value(wanted)? {
        Value::Array(items) => (true, items),
        Value::Object(fields) if RULE_KEYS.iter().any(|key| fields.contains_key(*key)) => {
            return add_rules(call, &Value::Object(fields));
        }
        one @ Value::Object(_) => (false, vec![one]),
        other => return Err(wrong_kind("the body", &other, wanted)),
    };
    let stubs: Vec<Stub> = items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            Stub::from_json(item).map_err(|error| match several {
                true => Problem::wrong(format!("stub {at}: {error}")),
                false => Problem::wrong(error.to_string()),
            })
        })
        .collect::<Result<_, _>>()?;
    let mut state = call.namespace.state();
    let (ids, added) = put(&mut state, stubs, call.world.clock().now());
    match (several, added.as_slice()) {
        (false, [one]) => Answer::created(json!(one)),
        _ => Answer::created(json!({ "ids": ids, "stubs": added })),
    }
}

fn put(state: &mut State, stubs: Vec<Stub>, now: DateTime<Utc>) -> (Vec<u64>, Vec<Listed>) {
    let ids: Vec<u64> = stubs.into_iter().map(|stub| state.add_stub(stub, now)).collect();
    let listed = state.stubs.list();
    let added = listed.into_iter().filter(|stub| ids.contains(&stub.id)).collect();
    (ids, added)
}

/// Does what a rule file says: its models are added, its settings changed, its stubs added.
fn add_rules(call: &Call<'_>, rules: &Value) -> Result<Answer, Problem> {
    let RuleFile { models, capabilities, settings, stubs } =
        RuleFile::from_value(rules).map_err(|error| Problem::wrong(error.to_string()))?;
    for name in models.iter().chain(&settings.default_model) {
        Name::parse(name)
            .map_err(|error| Problem::wrong(format!("`models`: {name:?}: {error}")))?;
    }
    let now = call.world.clock().now();
    let mut state = call.namespace.state();
    for name in models.iter().chain(&settings.default_model) {
        state
            .models
            .add_unless_listed(name, now)
            .map_err(|error| Problem::wrong(format!("`models`: {error}")))?;
    }
    // A new reply stands in the place of an old one.
    let renewed = |word: &String| settings.keyword_replies.iter().any(|(new, _)| new == word);
    state.settings.keyword_replies.retain(|(word, _)| !renewed(word));
    for (name, capabilities) in &capabilities {
        if let Ok(name) = Name::parse(name) {
            state.models.set_capabilities(&name, capabilities);
        }
    }
    if let Some(names) = &settings.not_in_registry {
        state.models.set_not_in_registry(names);
    }
    settings.apply(&mut state.settings);
    if let Some(any_model) = settings.any_model {
        let policy = if any_model { UnknownModels::Allow } else { UnknownModels::Reject };
        state.models.set_unknown_models(policy);
    }
    if settings.default_model.is_some() {
        state.models.set_default_model(settings.default_model);
    }
    let (ids, added) = put(&mut state, stubs, now);
    Answer::created(json!({ "ids": ids, "stubs": added }))
}

pub(super) fn clear(call: &Call<'_>) -> Result<Answer, Problem> {
    call.namespace.state().stubs.clear();
    Answer::ok(json!({ "stubs": [] }))
}

/// A stub by its id or its name.
fn find<'a>(stubs: &'a [Listed], wanted: &str) -> Result<&'a Listed, Problem> {
    let id = wanted.parse::<u64>().ok();
    let named = |stub: &&Listed| stub.stub.get("name").is_some_and(|name| name == wanted);
    let found = stubs.iter().find(|stub| Some(stub.id) == id);
    found.or_else(|| stubs.iter().find(named)).ok_or_else(|| {
        let ids: Vec<String> = stubs.iter().map(|stub| stub.id.to_string()).collect();
        Problem::missing(match ids.is_empty() {
            true => format!("there is no stub {wanted:?}; there are none"),
            false => format!("there is no stub {wanted:?}; there are {}", ids.join(", ")),
        })
    })
}

pub(super) fn show(call: &Call<'_>) -> Result<Answer, Problem> {
    let listed = call.namespace.state().stubs.list();
    Answer::ok(json!(find(&listed, &call.parameter)?))
}

pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Problem> {
    let mut state = call.namespace.state();
    let listed = state.stubs.list();
    let found = find(&listed, &call.parameter)?;
    state.stubs.remove(&found.id.to_string());
    Answer::ok(json!({ "stubs": state.stubs.list() }))
}
