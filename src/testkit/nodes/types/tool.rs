//! `tool`: calls a tool.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn, milliseconds};
use crate::testkit::nodes::config::{NodeConfig, RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::{Message, Payload, ToolResult};
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::tool::{ToolError, ToolRegistry};
use crate::testkit::nodes::violation::Violation;
use crate::testkit::shown::{as_text, at_path};

/// Calls a tool of the environment.
///
/// Without an `input_mapping` the tool is given `{"input": content}`; with one, each parameter gets
/// what is at its path in the payload (`structured.items.0`), and those of which there is nothing
/// are left out. The output is in the message's `tool_result`, in `tool_calls`, and in the payload's
/// metadata under `output_field`. The content stays what it was, unless `output_field` is
/// `content`: then the output is the content, as a text.
///
/// As the output is there more than once, one of about a third of the context's greatest message fails.
/// A tool that there is not, or that is switched off, fails for good. A tool that fails is called
/// again as `retry_count` says; with `continue_on_error` the node then succeeds all the same, and
/// says `tool_error`.
#[derive(Debug)]
pub struct ToolNode {
    settings: Settings,
    tools: Arc<ToolRegistry>,
}

#[derive(Debug, Deserialize)]
struct Settings {
    tool_id: String,
    input_mapping: BTreeMap<String, String>,
    output_field: String,
    continue_on_error: bool,
}

static SHAPE: Shape = Shape {
    name: "tool configuration",
    extra: Extra::Refused,
    fields: &[
        TIMEOUT_MS,
        RETRY_COUNT,
        RETRY_DELAY_MS,
        Field::required("tool_id", Kind::Length(1, usize::MAX)),
        Field::default("input_mapping", Kind::MapOf(&Kind::Text), Literal::EmptyMap),
        Field::default("output_field", Kind::Length(1, usize::MAX), Literal::Text("tool_result")),
        Field::default("continue_on_error", Kind::Boolean, Literal::Boolean(false)),
    ],
};

impl Behavior for ToolNode {
    const SHAPE: &'static Shape = &SHAPE;

    fn new(config: &Value, environment: &Environment) -> Result<Self, Vec<Violation>> {
        Ok(Self { settings: settings::read(config)?, tools: Arc::clone(&environment.tools) })
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let Settings { tool_id, continue_on_error, .. } = &self.settings;
        let input = self.input(&turn.message.payload);
        let mut tried = 0;
        loop {
            let begun = Instant::now();
            let called = self.tools.call(tool_id, &input);
            let outcome = match continue_on_error {
                true => in_time(turn.config, called).await,
                false => called.await.map_err(|error| failure(&error)),
            };
            tried += 1;
            match outcome {
                Err(failure) if failure.recoverable && *continue_on_error => {
                    if tried <= turn.config.retry_count {
                        sleep(Duration::from_millis(turn.config.retry_delay_ms)).await;
                        continue;
                    }
                    let spent = milliseconds(begun.elapsed());
                    return Ok(self.said(turn, &input, Err(failure.error), spent));
                }
                Err(failure) => return Err(failure),
                Ok(output) => {
                    let spent = milliseconds(begun.elapsed());
                    let result = self.said(turn, &input, Ok(output), spent);
                    return match (self.too_large(turn, &result), continue_on_error) {
                        (None, _) => Ok(result),
                        (Some(error), true) => Ok(self.said(turn, &input, Err(error), spent)),
                        (Some(error), false) => Err(Failure::lasting(error)),
                    };
                }
            }
        }
    }

    /// A node that goes on in spite of failures makes its tries itself: only it knows which one is
    /// the last.
    fn time_limit(&self, config: &NodeConfig) -> Option<Duration> {
        let limit = Duration::from_millis(config.timeout_ms);
        (!self.settings.continue_on_error).then_some(limit)
    }
}

fn failure(error: &ToolError) -> Failure {
    match error {
        ToolError::Failed(_) | ToolError::Panicked(_) => Failure::passing(error.to_string()),
        _ => Failure::lasting(error.to_string()),
    }
}

async fn in_time(
    config: &NodeConfig,
    called: impl Future<Output = Result<Value, ToolError>>,
) -> Result<Value, Failure> {
    let limit = Duration::from_millis(config.timeout_ms);
    match timeout(limit, called).await {
        Ok(outcome) => outcome.map_err(|error| failure(&error)),
        Err(_) => Err(Failure::passing(format!("Timeout after {}ms", config.timeout_ms))),
    }
}

impl ToolNode {
    fn input(&self, payload: &Payload) -> Map<String, Value> {
        let Settings { input_mapping, .. } = &self.settings;
        if input_mapping.is_empty() {
            let content = payload.content.clone().unwrap_or_default();
            return Map::from_iter([("input".to_owned(), content.into())]);
        }
        // A payload is a struct of JSON, which always can be written.
        let whole = serde_json::to_value(payload).unwrap_or_default();
        let found = input_mapping.iter().filter_map(|(parameter, path)| {
            let value = at_path(&whole, path).ok().filter(|value| !value.is_null())?;
            Some((parameter.clone(), value.clone()))
        });
        found.collect()
    }

    /// Why a message with this output cannot go on, where it cannot.
    fn too_large(&self, turn: &Turn<'_>, result: &NodeResult) -> Option<String> {
        let most = turn.context.bounds().max_message_size_bytes;
        let size = result.output_messages.iter().map(Message::size_bytes).max()?;
        (size > most).then(|| {
            let error = ToolError::Failed(format!(
                "the output of {} makes a message of {size} bytes, and the context takes {most}; \
                 have the tool give back less",
                self.settings.tool_id
            ));
            error.to_string()
        })
    }

    fn said(
        &self,
        turn: &Turn<'_>,
        input: &Map<String, Value>,
        outcome: Result<Value, String>,
        latency_ms: u64,
    ) -> NodeResult {
        let Settings { tool_id, output_field, .. } = &self.settings;
        let (output, error) = match outcome {
            Ok(output) => (Some(output), None),
            Err(error) => (None, Some(error)),
        };
        let call = json!({
            "tool_id": tool_id, "input": input, "output": output, "success": error.is_none(),
        });
        let mut payload = Payload {
            task: turn.message.payload.task.clone(),
            content: turn.message.payload.content.clone(),
            tool_calls: call.as_object().cloned().map(|call| vec![call]),
            metadata: turn.message.payload.metadata.clone(),
            tool_result: Some(ToolResult {
                call_id: Uuid::new_v4().to_string(),
                tool_id: tool_id.clone(),
                success: error.is_none(),
                output: output.clone(),
                error: error.clone(),
                latency_ms,
            }),
            ..Payload::default()
        };
        if let Some(output) = output {
            if output_field == "content" {
                payload.content = Some(as_text(&output));
            }
            payload.metadata.insert(output_field.clone(), output);
        }
        payload.metadata.insert("tool_success".to_owned(), error.is_none().into());
        let result = NodeResult::said(turn.answer().payload(payload).build())
            .fact("tool_id", tool_id.as_str())
            .fact("tool_success", error.is_none());
        match error {
            Some(error) => result.fact("tool_error", error),
            None => result,
        }
    }
}
