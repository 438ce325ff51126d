//! The fields of a request that an API under `/v1` knows, taken out one by one.

use serde_json::{Map, Number, Value};

use super::go_json::{self, Shape, Type, to_vec};
use super::native;
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::refusal::Refusal;

/// The body of a request as a struct.
///
/// # Errors
/// 400 with Go's text where the body is missing, no JSON, or does not fit.
pub(super) fn bind(exchange: &Exchange, shape: &'static Shape) -> Result<Bound, Refusal> {
    go_json::read(&exchange.body, shape).map(|fields| Bound(fields.into_members()))
}

/// A value as a struct, on its own.
///
/// # Errors
/// Go's text for what does not fit.
pub(super) fn fitted(value: &Value, shape: &'static Shape) -> Result<Bound, String> {
    go_json::read(&to_vec(value), shape)
        .map(|fields| Bound(fields.into_members()))
        .map_err(|refusal| refusal.message)
}

/// What Go calls a value that does not fit.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Go's `%T` of a value without a type of its own.
pub(super) fn dynamic_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Fields that fit, by name. What is absent, or `null`, is not there.
#[derive(Debug, Clone, Default)]
pub(super) struct Bound(Map<String, Value>);

impl Bound {
    /// An object inside of what has been bound.
    pub(super) fn of(value: Value) -> Self {
        match value {
            Value::Object(fields) => Self(fields),
            _ => Self::default(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value, out of its place.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// The text; empty where absent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The same, where there is one with something in it.
    pub(super) fn some_text(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Whether the field is there and true.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The whole number; 0 where absent.
    pub(super) fn int(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    /// The number, where there is one.
    pub(super) fn number(&self, name: &str) -> Option<&Number> {
        self.0.get(name)?.as_number()
    }

    /// The objects of a list.
    pub(super) fn list(&mut self, name: &str) -> Vec<Self> {
        match self.0.remove(name) {
            Some(Value::Array(items)) => items.into_iter().map(Self::of).collect(),
            _ => Vec::new(),
        }
    }

    /// The object, where there is one.
    pub(super) fn object(&mut self, name: &str) -> Option<Self> {
        self.0.remove(name).map(Self::of)
    }
}

/// A whole number of Go's usual type.
pub(super) const INT: Type = Type::Whole("int");

/// Tools of the native API, which OpenAI's chat has as well.
pub(super) const TOOLS: Type = Type::List("[]api.Tool", &Type::Struct(&native::TOOL));
