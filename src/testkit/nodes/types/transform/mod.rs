//! Changes a text, step by step.

mod replacement;
mod steps;

use serde_json::{Map, Value, json};

use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn};
use crate::testkit::nodes::config::{RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::Payload;
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::violation::Violation;

pub use steps::parameters;
use steps::{KINDS, NAMES, Step};

/// One step of a [`Transform`]; its parameters are those of [`parameters`].
pub static TRANSFORM: Shape = Shape {
    name: "transform",
    extra: Extra::Refused,
    fields: &[
        Field::default("type", Kind::Choice(NAMES), Literal::Text("strip")),
        Field::default("params", Kind::Map, Literal::EmptyMap),
    ],
};

static SETTINGS: Shape = Shape {
    name: "configuration of a transform",
    extra: Extra::Refused,
    fields: &[
        Field::default("transforms", Kind::List(0, &Kind::Object(&TRANSFORM)), Literal::EmptyList),
        Field::default("stop_on_error", Kind::Boolean, Literal::Boolean(true)),
        TIMEOUT_MS,
        RETRY_COUNT,
        RETRY_DELAY_MS,
    ],
};

/// Changes the content (else the task) of what it is given, one step after another.
///
/// Steps are `uppercase`, `lowercase`, `strip`, `truncate`, `json_extract`, `json_wrap`,
/// `json_parse`, `json_stringify`, `regex_extract`, `regex_replace`, `template`, `split`, `join`.
/// Parameters, regular expressions included, are checked where the node is made. A step that fails
/// ends the node, or is left out where `stop_on_error` is false.
///
/// Other than in its original `truncate` never makes a text longer, and there is no `custom`, which
/// could not but fail.
#[derive(Debug)]
pub struct Transform {
    steps: Vec<(&'static str, Step)>,
    stop_on_error: bool,
}

/// What became of one step.
struct Outcome {
    kind: &'static str,
    error: Option<String>,
}

impl Outcome {
    fn to_value(&self) -> Value {
        match &self.error {
            None => json!({"type": self.kind, "success": true}),
            Some(error) => json!({"type": self.kind, "success": false, "error": error}),
        }
    }
}

impl Behavior for Transform {
    const SHAPE: &'static Shape = &SETTINGS;

    fn new(config: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
        #[derive(serde::Deserialize)]
        struct Settings {
            transforms: Vec<Named>,
            stop_on_error: bool,
        }
        #[derive(serde::Deserialize)]
        struct Named {
            r#type: String,
            params: Map<String, Value>,
        }
        let Settings { transforms, stop_on_error } = settings::read(config)?;
        let mut steps = Vec::with_capacity(transforms.len());
        let mut found = Vec::new();
        for (at, Named { r#type, params }) in transforms.into_iter().enumerate() {
            let Some(kind) = KINDS.iter().find(|kind| kind.name == r#type) else { continue };
            match kind.read(&Value::Object(params)) {
                Ok(step) => steps.push((kind.name, step)),
                Err(broken) => found.extend(
                    broken
                        .into_iter()
                        .map(|broken| broken.below(&format!("transforms.{at}.params"))),
                ),
            }
        }
        match found.is_empty() {
            true => Ok(Self { steps, stop_on_error }),
            false => Err(found),
        }
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let Payload { task, content, metadata, .. } = turn.message.payload.clone();
        let input = content.or_else(|| task.clone()).unwrap_or_default();
        let original_length = input.chars().count();
        let mut text = input;
        let mut outcomes = Vec::with_capacity(self.steps.len());
        for (kind, step) in &self.steps {
            let error = match step.apply(&text) {
                Ok(changed) => {
                    text = changed;
                    None
                }
                Err(why) => Some(why),
            };
            outcomes.push(Outcome { kind, error: error.clone() });
            if let Some(why) = error.filter(|_| self.stop_on_error) {
                let results: Value = outcomes.iter().map(Outcome::to_value).collect();
                let result = NodeResult::default().fact("transform_results", results);
                let error = format!("Transform {kind} failed: {why}");
                return Err(Failure::lasting(error).with(result));
            }
        }
        let applied: Vec<&str> =
            outcomes.iter().filter(|step| step.error.is_none()).map(|step| step.kind).collect();
        let output_length = text.chars().count();
        let payload = Payload { task, content: Some(text), metadata, ..Payload::default() };
        let answer = turn
            .answer()
            .payload(payload)
            .fact("transformed", true)
            .fact("transforms_applied", json!(applied));
        let result = NodeResult::said(answer.build())
            .fact("transforms_applied", json!(applied))
            .fact("original_length", original_length)
            .fact("output_length", output_length);
        Ok(match outcomes.iter().any(|step| step.error.is_some()) {
            true => {
                let results: Value = outcomes.iter().map(Outcome::to_value).collect();
                result.fact("transform_results", results)
            }
            false => result,
        })
    }
}
