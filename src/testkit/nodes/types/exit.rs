//! Where a graph ends.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn};
use crate::testkit::nodes::config::{RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::Payload;
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::violation::Violation;

/// Where a graph ends: says the content and the data of what it is given, and nothing else of it.
///
/// An exit of status `fallback` or `error` fails, and says so in its error; its message is there
/// all the same. (Its original failed without an error.) There is no `output_schema`, which the
/// original took and never looked at: it is refused as an unknown setting.
#[derive(Debug, Deserialize)]
pub struct Exit {
    status: Status,
}

/// What it means to come here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Success,
    Fallback,
    Error,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Fallback => "fallback",
            Self::Error => "error",
        }
    }
}

impl Behavior for Exit {
    const SHAPE: &'static Shape = &Shape {
        name: "configuration of an exit",
        extra: Extra::Refused,
        fields: &[
            Field::default(
                "status",
                Kind::Choice(&["success", "fallback", "error"]),
                Literal::Text("success"),
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
        let Payload { content, structured, .. } = turn.message.payload.clone();
        let payload = Payload { content, structured, ..Payload::default() };
        let status = self.status.as_str();
        let result = NodeResult::said(turn.answer().payload(payload).build())
            .fact("exit_status", status)
            .fact("is_terminal", true);
        match self.status {
            Status::Success => Ok(result),
            Status::Fallback | Status::Error => {
                Err(Failure::lasting(format!("Exit with status {status}")).with(result))
            }
        }
    }
}
