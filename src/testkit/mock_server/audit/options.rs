//! `options` of the native API.

use serde_json::{Map, Value};

use super::{Finding, Seen, pointer};
use crate::testkit::mock_server::admission::{OPTIONS, OptionType};
use crate::testkit::nearest::nearest;

/// Options that older versions had; accepted, and without effect.
const REMOVED: [&str; 11] = [
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
    "penalize_newline",
    "tfs_z",
    "low_vram",
    "f16_kv",
    "use_mlock",
    "vocab_only",
    "logits_all",
    "numa",
];

/// What other APIs call an option.
const FOREIGN: [(&str, &str); 12] = [
    ("max_tokens", "num_predict"),
    ("max_new_tokens", "num_predict"),
    ("max_completion_tokens", "num_predict"),
    ("max_output_tokens", "num_predict"),
    ("n_predict", "num_predict"),
    ("n_ctx", "num_ctx"),
    ("context_length", "num_ctx"),
    ("max_context", "num_ctx"),
    ("stop_sequences", "stop"),
    ("repetition_penalty", "repeat_penalty"),
    ("n_gpu_layers", "num_gpu"),
    ("n_threads", "num_thread"),
];

/// The option that a name means: itself, or what other APIs call it.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let own = OPTIONS.iter().map(|(known, _)| *known).find(|known| *known == name);
    own.or_else(|| FOREIGN.iter().find(|(foreign, _)| *foreign == name).map(|(_, own)| *own))
}

fn options<'a>(seen: &'a Seen<'_>) -> Option<&'a Map<String, Value>> {
    if !seen.native() {
        return None;
    }
    seen.field("options")?.as_object()
}

pub(super) fn unknown(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(options) = options(seen) else { return Vec::new() };
    options
        .keys()
        .filter(|name| !OPTIONS.iter().any(|(known, _)| known == name))
        .filter(|name| !REMOVED.contains(&name.as_str()))
        .map(|name| {
            let near =
                meant(name).or_else(|| nearest(name, OPTIONS.iter().map(|(known, _)| *known)));
            Finding::new(
                pointer(&["options", name]),
                format!("there is no option {name}; the server logs it and goes on"),
                match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => "take it out".to_owned(),
                },
            )
        })
        .collect()
}

pub(super) fn removed(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(options) = options(seen) else { return Vec::new() };
    options
        .keys()
        .filter(|name| REMOVED.contains(&name.as_str()))
        .map(|name| {
            Finding::new(
                pointer(&["options", name]),
                format!("{name} was removed; it is taken and has no effect"),
                "take it out",
            )
        })
        .collect()
}

pub(super) fn wrong_type(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(options) = options(seen) else { return Vec::new() };
    options
        .iter()
        .filter(|(_, value)| !value.is_null())
        .filter_map(|(name, value)| {
            let (_, kind) = OPTIONS.iter().find(|(known, _)| known == name)?;
            let (fits, wanted) = match kind {
                // The server reads any JSON number and cuts its fraction.
                OptionType::Integer => (value.is_number(), "an integer"),
                OptionType::Float => (value.is_number(), "a number"),
                OptionType::Boolean => (value.is_boolean(), "true or false"),
                OptionType::Texts => (is_texts(value), "a list of strings"),
            };
            (!fits).then(|| {
                Finding::new(
                    pointer(&["options", name]),
                    format!("{name} is {}: the server answers 500", kind_of(value)),
                    format!("send {wanted}"),
                )
            })
        })
        .collect()
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_string))
}

/// What a JSON value is, for people.
pub(in crate::testkit::mock_server) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
