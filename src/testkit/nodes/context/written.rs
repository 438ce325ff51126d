//! A context as it is written down.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bounds::{BYTES_LEAST, Bounds, ContextError, Limit};
use super::{ExecutionContext, Said};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::{MESSAGE, Message};
use crate::testkit::nodes::violation::{Violation, joined};

const COUNT: Kind = Kind::Integer(0, i64::MAX);
const BYTES: Kind = Kind::Integer(BYTES_LEAST as i64, i64::MAX);

/// The fields of an [`ExecutionContext`]. Bytes are counted where it is read; a
/// `start_time` that is absent is now.
pub static EXECUTION_CONTEXT: Shape = Shape {
    name: "execution context",
    extra: Extra::Refused,
    fields: &[
        Field::required("trace_id", Kind::Length(1, usize::MAX)),
        Field::required("graph_id", Kind::Length(1, usize::MAX)),
        Field::optional("start_time", Kind::Time),
        Field::optional("current_node", Kind::Text),
        Field::default("visited_nodes", Kind::List(0, &Kind::Text), Literal::EmptyList),
        Field::default("messages", Kind::List(0, &Kind::Object(&MESSAGE)), Literal::EmptyList),
        Field::default("config", Kind::Map, Literal::EmptyMap),
        Field::default("variables", Kind::Map, Literal::EmptyMap),
        Field::default("step_count", COUNT, Literal::Integer(0)),
        Field::default("total_tokens_in", COUNT, Literal::Integer(0)),
        Field::default("total_tokens_out", COUNT, Literal::Integer(0)),
        Field::default("max_messages", Kind::Integer(1, i64::MAX), Literal::Integer(1_000)),
        Field::default("max_message_size_bytes", BYTES, Literal::Integer(1 << 20)),
        Field::default("max_total_size_bytes", BYTES, Literal::Integer(100 << 20)),
    ],
};

/// A context as it is written down; the order of the fields is that of [`EXECUTION_CONTEXT`].
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    trace_id: String,
    graph_id: String,
    #[serde(default = "Utc::now")]
    start_time: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current_node: Option<String>,
    #[serde(default)]
    visited_nodes: Vec<String>,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default)]
    config: Map<String, Value>,
    #[serde(default)]
    variables: Map<String, Value>,
    #[serde(default)]
    step_count: u64,
    #[serde(default)]
    total_tokens_in: u64,
    #[serde(default)]
    total_tokens_out: u64,
    #[serde(default = "messages")]
    max_messages: usize,
    #[serde(default = "message_size")]
    max_message_size_bytes: usize,
    #[serde(default = "total_size")]
    max_total_size_bytes: usize,
}

fn messages() -> usize {
    Bounds::default().max_messages
}

fn message_size() -> usize {
    Bounds::default().max_message_size_bytes
}

fn total_size() -> usize {
    Bounds::default().max_total_size_bytes
}

impl From<ExecutionContext> for Written {
    fn from(context: ExecutionContext) -> Self {
        let Bounds { max_messages, max_message_size_bytes, max_total_size_bytes } = context.bounds;
        Self {
            trace_id: context.trace_id,
            graph_id: context.graph_id,
            start_time: context.start_time,
            current_node: context.current_node,
            visited_nodes: Arc::unwrap_or_clone(context.visited_nodes),
            messages: Arc::unwrap_or_clone(context.said).messages,
            config: context.config,
            variables: context.variables,
            step_count: context.step_count,
            total_tokens_in: context.total_tokens_in,
            total_tokens_out: context.total_tokens_out,
            max_messages,
            max_message_size_bytes,
            max_total_size_bytes,
        }
    }
}

impl Written {
    /// The context, with its sizes counted.
    ///
    /// # Errors
    /// Every message and every bound that does not hold.
    pub(super) fn checked(self) -> Result<ExecutionContext, Vec<Violation>> {
        let bounds = Bounds {
            max_messages: self.max_messages,
            max_message_size_bytes: self.max_message_size_bytes,
            max_total_size_bytes: self.max_total_size_bytes,
        };
        bounds.check().map_err(|error| vec![error.violation("")])?;
        let mut found = Vec::new();
        let mut said = Said::default();
        for (at, message) in self.messages.into_iter().enumerate() {
            let at = || format!("messages.{at}");
            let size = message.size_bytes();
            if message.trace_id != self.trace_id {
                let (found_id, wanted) = (message.trace_id.clone(), self.trace_id.clone());
                let error = ContextError::ForeignTrace { found: found_id, wanted };
                found.push(error.violation(format!("{}.trace_id", at())));
            }
            if let Err(error) = Limit::MessageSize.check(size, bounds.max_message_size_bytes) {
                found.push(error.violation(at()));
            }
            said.push(message, size);
        }
        let total = Limit::TotalSize.check(said.total, bounds.max_total_size_bytes);
        let count = Limit::MessageCount.check(said.messages.len(), bounds.max_messages);
        let whole = [total, count].into_iter().filter_map(Result::err);
        found.extend(whole.map(|error| error.violation("messages")));
        if !found.is_empty() {
            return Err(found);
        }
        Ok(ExecutionContext {
            trace_id: self.trace_id,
            graph_id: self.graph_id,
            start_time: self.start_time,
            current_node: self.current_node,
            visited_nodes: Arc::new(self.visited_nodes),
            said: Arc::new(said),
            config: self.config,
            variables: self.variables,
            step_count: self.step_count,
            total_tokens_in: self.total_tokens_in,
            total_tokens_out: self.total_tokens_out,
            bounds,
            peers: None,
            depth: 0,
        })
    }
}

impl TryFrom<Written> for ExecutionContext {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.checked().map_err(|found| joined(&found))
    }
}
