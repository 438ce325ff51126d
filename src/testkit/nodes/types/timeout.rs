//! Runs another node for so long and no longer.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Called, call, error_of, handed_on};
use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn, milliseconds};
use crate::testkit::nodes::config::{NodeConfig, RETRY_DELAY_MS};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::violation::{Rule, Violation};

/// Runs another node for so long and no longer, and says and goes on as that one does, with the facts
/// about what it says (score, model), but for its tokens, which are counted where they were used.
///
/// A node that takes longer than `timeout_ms` is dropped, and run again up to `retry_count` times,
/// `retry_delay_ms` between; only time that ran out is tried again. Then `on_timeout` decides:
/// `error` fails, `fallback` says `fallback_response`, `skip` succeeds and says nothing, so that
/// the message goes on as it came.
///
/// Other than in its original the inner node is run for real, what it says is said by this node,
/// and a fallback without a response is refused where the node is made.
#[derive(Debug, Deserialize)]
pub struct Timeout {
    inner_node: String,
    on_timeout: OnTimeout,
    fallback_response: Option<String>,
    propagate_metadata: bool,
}

/// What happens where time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnTimeout {
    Error,
    Fallback,
    Skip,
}

impl Behavior for Timeout {
    const SHAPE: &'static Shape = &Shape {
        name: "configuration of a timeout",
        extra: Extra::Refused,
        fields: &[
            Field::required("inner_node", Kind::Identifier),
            Field::default(
                "on_timeout",
                Kind::Choice(&["error", "fallback", "skip"]),
                Literal::Text("error"),
            ),
            Field::optional("fallback_response", Kind::Text),
            Field::default("propagate_metadata", Kind::Boolean, Literal::Boolean(true)),
            Field::default("timeout_ms", Kind::Integer(100, 300_000), Literal::Integer(30_000)),
            Field::default("retry_count", Kind::Integer(0, 10), Literal::Integer(0)),
            RETRY_DELAY_MS,
        ],
    };

    fn new(config: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
        let read: Self = settings::read(config)?;
        if read.on_timeout == OnTimeout::Fallback && read.fallback_response.is_none() {
            let message = "on_timeout `fallback` requires 'fallback_response'";
            return Err(vec![Violation::new(Rule::MissingCompanion, "fallback_response", message)]);
        }
        Ok(read)
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let limit = Duration::from_millis(turn.config.timeout_ms);
        let begun = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let asked = turn.answer().target(&self.inner_node).build();
            let called = call(turn, &self.inner_node, &asked, limit).await?;
            let facts = |timed_out: bool| {
                json!({
                    "timeout_ms": turn.config.timeout_ms,
                    "attempt": attempt,
                    "elapsed_ms": milliseconds(begun.elapsed()),
                    "timed_out": timed_out,
                })
            };
            match called {
                Called::Done(inner) => return self.done(turn, inner, facts(false)),
                Called::TimedOut if attempt <= turn.config.retry_count => {
                    tokio::time::sleep(Duration::from_millis(turn.config.retry_delay_ms)).await;
                }
                Called::TimedOut => return self.timed_out(turn, facts(true)),
            }
        }
    }

    fn time_limit(&self, _: &NodeConfig) -> Option<Duration> {
        // It keeps the time of the node inside, try by try.
        None
    }
}

impl Timeout {
    fn done(
        &self,
        turn: &Turn<'_>,
        inner: NodeResult,
        facts: Value,
    ) -> Result<NodeResult, Failure> {
        let mut result = NodeResult::default().fact("timeout", facts);
        if self.propagate_metadata && !inner.metadata.is_empty() {
            result = result.fact("inner_metadata", inner.metadata.clone());
        }
        if !inner.success {
            let error = format!("Inner node execution failed: {}", error_of(&inner));
            return Err(Failure::lasting(error).with(result));
        }
        result.success = true;
        result.next_nodes = inner.next_nodes;
        result.output_messages = inner
            .output_messages
            .into_iter()
            .map(|said| {
                let answer = turn.answer().payload(said.payload).metadata(handed_on(said.metadata));
                match said.target_node {
                    Some(target) => answer.target(target).build(),
                    None => answer.build(),
                }
            })
            .collect();
        Ok(result)
    }

    fn timed_out(&self, turn: &Turn<'_>, facts: Value) -> Result<NodeResult, Failure> {
        match (self.on_timeout, &self.fallback_response) {
            (OnTimeout::Skip, _) => {
                let result = NodeResult { success: true, ..NodeResult::default() };
                Ok(result.fact("timeout", facts).fact("skipped", true))
            }
            (OnTimeout::Fallback, Some(response)) => {
                let answer = turn.answer().content(response).fact("fallback", true).build();
                Ok(NodeResult::said(answer).fact("timeout", facts).fact("fallback_used", true))
            }
            _ => {
                let result = NodeResult::default().fact("timeout", facts);
                let error = format!("Timeout after {}ms", turn.config.timeout_ms);
                // Its tries are used up: they were made here.
                Err(Failure::lasting(error).with(result))
            }
        }
    }
}
