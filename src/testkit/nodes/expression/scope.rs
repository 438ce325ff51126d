//! What an expression can see.

use std::fmt;

use minijinja::Value;
use minijinja::value::Serde;
use serde_json::Map;

use crate::testkit::nodes::context::ExecutionContext;
use crate::testkit::nodes::message::{Message, Payload};

/// What the names of an expression stand for. Made once for any number of expressions.
#[derive(Clone)]
pub struct Scope(Value);

impl Scope {
    /// These names with these values.
    #[must_use]
    pub fn new(names: &Map<String, serde_json::Value>) -> Self {
        Self(Value::from(Serde(names)))
    }

    /// A message where it is: [`MESSAGE_NAMES`](super::MESSAGE_NAMES).
    #[must_use]
    pub fn of(message: &Message, context: &ExecutionContext) -> Self {
        let Payload { task, content, structured, confidence, metadata, .. } = &message.payload;
        let map = |map: Option<&Map<String, serde_json::Value>>| match map {
            Some(map) => Value::from(Serde(map)),
            None => Value::from_pairs(std::iter::empty::<(&str, Value)>()),
        };
        let text = |text: &Option<String>| Value::from(text.as_deref().unwrap_or_default());
        let fact = |name: &str| {
            metadata.get(name).map_or(Value::from(()), |fact| Value::from(Serde(fact)))
        };
        let routes: Vec<Value> = routes(message).map(Value::from).collect();
        let route = routes.first().cloned().unwrap_or(Value::from(()));
        Self(Value::from_pairs([
            ("content", text(content)),
            ("task", text(task)),
            ("structured", map(structured.as_ref())),
            ("metadata", map(Some(metadata))),
            ("route", route),
            ("routes", Value::from(routes)),
            ("compound_route", fact("compound_route")),
            ("confidence", confidence.map_or(Value::from(()), Value::from)),
            ("variables", map(Some(&context.variables))),
        ]))
    }

    pub(super) fn value(&self) -> Value {
        self.0.clone()
    }
}

/// The routes that a message was given, each once: its own, then those that routers left in its
/// metadata.
pub(super) fn routes(message: &Message) -> impl Iterator<Item = &str> {
    let Payload { route, metadata, .. } = &message.payload;
    let several = metadata.get("routes").and_then(serde_json::Value::as_array);
    let mut seen = Vec::new();
    let left = metadata.get("route").and_then(serde_json::Value::as_str);
    let all = route.as_deref().into_iter().chain(left);
    all.chain(several.into_iter().flatten().filter_map(serde_json::Value::as_str)).filter(
        move |route| {
            let new = !seen.contains(route);
            seen.push(*route);
            new
        },
    )
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({:?})", self.0)
    }
}
