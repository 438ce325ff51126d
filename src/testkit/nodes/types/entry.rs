//! Where a graph begins.

use serde::Deserialize;
use serde_json::Value;

use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn};
use crate::testkit::nodes::config::{RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::Payload;
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::violation::Violation;

/// Where a graph begins: lets a task in that has all that it must have.
///
/// Other than its original it takes no `input_schema`, which did nothing there.
#[derive(Debug, Deserialize)]
pub struct Entry {
    required_fields: Vec<String>,
}

impl Entry {
    /// The required fields that a payload has not, or has as null.
    fn missing(&self, payload: &Payload) -> Vec<&str> {
        let written = serde_json::to_value(payload).unwrap_or_default();
        let is_there = |name: &str| written.get(name).is_some_and(|value| !value.is_null());
        self.required_fields.iter().map(String::as_str).filter(|name| !is_there(name)).collect()
    }
}

impl Behavior for Entry {
    const SHAPE: &'static Shape = &Shape {
        name: "configuration of an entry",
        extra: Extra::Refused,
        fields: &[
            Field::default(
                "required_fields",
                Kind::List(0, &Kind::Length(1, usize::MAX)),
                Literal::EmptyList,
            ),
            TIMEOUT_MS,
            RETRY_COUNT,
            RETRY_DELAY_MS,
        ],
    };

    fn new(config: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
        settings::read(config)
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        match self.missing(&turn.message.payload).as_slice() {
            [] => Ok(NodeResult::said(turn.answer().build()).fact("validated", true)),
            missing => {
                Err(Failure::lasting(format!("Missing required fields: {}", missing.join(", "))))
            }
        }
    }
}
