//! The states of scenarios.

use serde_json::{Value, json};

use super::input::wrong_kind;
use super::{Answer, Call, Problem};
use crate::testkit::mock_server::stub::START;
use crate::testkit::nearest;

pub(super) fn show(call: &Call<'_>) -> Result<Answer, Problem> {
    Answer::ok(json!(call.namespace.state().stubs.states()))
}

/// Sets the states that the body names; null is the start. All of them, or none.
pub(super) fn set(call: &Call<'_>) -> Result<Answer, Problem> {
    let wanted = "an object of scenarios and states, such as {\"checkout\": \"paid\"}";
    let given = match call.body()?.value(wanted)? {
        Value::Object(given) => given,
        other => return Err(wrong_kind("the body", &other, wanted)),
    };
    let mut state = call.namespace.state();
    let known = state.stubs.states();
    let mut wanted = Vec::new();
    for (scenario, value) in given {
        if !known.contains_key(&scenario) {
            let hint = nearest::hint(&scenario, known.keys().map(String::as_str));
            let named: Vec<String> = known.keys().map(|name| format!("{name:?}")).collect();
            let known = if named.is_empty() { "none".to_owned() } else { named.join(", ") };
            return Err(Problem::wrong(format!(
                "no stub has the scenario {scenario:?}{hint}; known are {known}"
            )));
        }
        let value = match value {
            Value::Null => START.to_owned(),
            Value::String(value) => value,
            other => return Err(wrong_kind(&scenario, &other, "the name of a state")),
        };
        wanted.push((scenario, value));
    }
    for (scenario, value) in wanted {
        state.stubs.set_state(&scenario, &value);
    }
    Answer::ok(json!(state.stubs.states()))
}
