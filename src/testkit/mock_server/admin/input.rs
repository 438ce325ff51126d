//! Bodies of admin requests: liberal in what is optional, strict about what is unknown.

use serde_json::{Map, Value};

use super::Problem;
pub(super) use crate::testkit::mock_server::audit::kind_of;
use crate::testkit::nearest::hint;

/// The JSON of a body; absent where there is none.
pub(super) struct Body(Option<Value>);

impl Body {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(None));
        }
        match serde_json::from_slice(bytes) {
            Ok(value) => Ok(Self(Some(value))),
            Err(error) => Err(Problem::wrong(format!("the body is no JSON: {error}"))),
        }
    }

    /// The body as any JSON.
    pub(super) fn value(self, wanted: &str) -> Result<Value, Problem> {
        self.0.ok_or_else(|| Problem::wrong(format!("the body is empty; send {wanted}")))
    }

    /// The fields of the body, none of them unknown; none at all where there is no body.
    pub(super) fn fields(self, known: &[&str]) -> Result<Fields, Problem> {
        match self.0 {
            None => Ok(Fields(Map::new())),
            Some(Value::Object(fields)) => Fields(fields).known(known),
            Some(other) => Err(Problem::wrong(format!(
                "the body is {}; send an object with {}",
                kind_of(&other),
                known.join(", ")
            ))),
        }
    }
}

/// The fields of an object.
pub(super) struct Fields(pub(super) Map<String, Value>);

impl Fields {
    /// The same, where none of them is unknown.
    pub(super) fn known(self, known: &[&str]) -> Result<Self, Problem> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(self),
            Some(unknown) => Err(Problem::wrong(format!(
                "unknown field `{unknown}`{}; known are {}",
                hint(unknown, known.iter().copied()),
                known.join(", ")
            ))),
        }
    }

    /// Takes a field out; null is `Some(Value::Null)`.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
    }

    /// Takes a field out that is there and not null.
    pub(super) fn given(&mut self, name: &str) -> Option<Value> {
        self.take(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_kind(name, &other, "a string")),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(wrong_kind(name, &other, "true or false")),
        }
    }

    /// A whole number from 0; `5.0` is one.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(value) = self.given(name) else { return Ok(None) };
        whole(&value).map(Some).ok_or_else(|| wrong_kind(name, &value, "a whole number from 0"))
    }
}

/// A whole number from 0 to 2^64; floats only as far as they are exact.
pub(super) fn whole(value: &Value) -> Option<u64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        ((0.0..=EXACT_MAX).contains(&float) && float.fract() == 0.0).then_some(float as u64)
    })
}

/// A field of the wrong kind.
pub(super) fn wrong_kind(name: &str, value: &Value, wanted: &str) -> Problem {
    const SHOWN_CHARS: usize = 80;
    let mut shown: String = value.to_string().chars().take(SHOWN_CHARS).collect();
    if shown.chars().count() == SHOWN_CHARS {
        shown.push('…');
    }
    Problem::wrong(format!("`{name}` is {wanted}, not {shown}"))
}
