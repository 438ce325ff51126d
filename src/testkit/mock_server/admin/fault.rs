//! The fault put by hand: it breaks the next requests, before everything else.

use serde_json::{Value, json};

use super::input::{Fields, whole, wrong_kind};
use super::{Answer, Call, Problem};
use crate::testkit::mock_server::fault::FaultRule;
use crate::testkit::mock_server::settings::PutFault;
use crate::testkit::nearest::hint;

pub(super) fn show(call: &Call<'_>) -> Result<Answer, Problem> {
    let shown = shown(call.namespace.state().settings.put_fault.as_ref())?;
    Answer::ok(json!({ "fault": shown }))
}

/// The fault as it would be put again; null where there is none that still strikes.
fn shown(put: Option<&PutFault>) -> Result<Value, Problem> {
    let Some(put) = put.filter(|put| put.left != Some(0)) else { return Ok(Value::Null) };
    let mut shown = serde_json::to_value(&put.rule)
        .map_err(|error| Problem::wrong(format!("the fault cannot be shown: {error}")))?;
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("times".to_owned(), json!(put.left));
    }
    Ok(shown)
}

pub(super) fn put(call: &Call<'_>) -> Result<Answer, Problem> {
    let wanted = "an object such as {\"status\": 503, \"times\": 2, \"paths\": [\"/api/chat\"]}";
    let mut fields = match call.body()?.value(wanted)? {
        Value::Object(fields) => Fields(fields),
        other => return Err(wrong_kind("the body", &other, wanted)),
    };
    let left = match fields.given("times") {
        None => None,
        Some(value) => Some(whole(&value).ok_or_else(|| {
            wrong_kind("times", &value, "a whole number of requests, or null for all")
        })?),
    };
    // What is null is as if it were absent.
    fields.0.retain(|_, value| !value.is_null());
    if fields.0.is_empty() {
        return Err(Problem::wrong(format!(
            "the fault says neither `status` nor `kind`; send {wanted}"
        )));
    }
    let rule = FaultRule::try_from(fields.0)
        .map_err(|error| Problem::wrong(with_hint(&error.to_string())))?;
    let put = PutFault { rule, left };
    let shown = shown(Some(&put))?;
    call.namespace.state().settings.put_fault = Some(put);
    Answer::ok(json!({ "fault": shown }))
}

/// What else may stand beside the fields of a fault.
const BESIDE: [&str; 7] = ["times", "paths", "first", "every", "indices", "after", "probability"];

/// An error about an unknown field, with the field that was meant.
fn with_hint(error: &str) -> String {
    let mut quoted = error.split('`').skip(1).step_by(2);
    match (error.contains("unknown field"), quoted.next()) {
        (true, Some(unknown)) => {
            format!("{error}{}", hint(unknown, quoted.chain(BESIDE)))
        }
        _ => error.to_owned(),
    }
}

pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Problem> {
    call.namespace.state().settings.put_fault = None;
    Answer::ok(json!({ "fault": null }))
}
