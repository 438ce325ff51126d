//! The response object of `/v1/responses`, and the items that it holds.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::super::openai::{arguments, call_id};
use super::WEB_SEARCH;
use crate::testkit::mock_server::ask::Ask;
use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::reply::{Metrics, ToolCall};

/// How far a response has come.
pub(super) enum Progress<'a> {
    /// Nothing of it is there.
    Begun,
    /// All of it is there.
    Done {
        /// When it ended.
        at: DateTime<Utc>,
        /// What it took.
        metrics: &'a Metrics,
        /// What came of it.
        output: Vec<Value>,
    },
}

/// `resp_<n>`.
pub(super) fn response_id(chance: &Chance) -> String {
    format!("resp_{}", number(chance, "resp", 0))
}

/// A number as the real server draws it for ids.
pub(super) fn number(chance: &Chance, name: &str, nth: u64) -> u64 {
    chance.bits(name, nth) % 999_999
}

/// The object: what the request said, and what came of it.
pub(super) fn response(
    ask: &Ask,
    id: &str,
    created: DateTime<Utc>,
    progress: Progress<'_>,
) -> Map<String, Value> {
    let said = |name: &str| ask.echo.get(name).cloned().unwrap_or_default();
    let (status, completed_at, usage, output) = match progress {
        Progress::Begun => ("in_progress", None, Value::Null, Vec::new()),
        Progress::Done { at, metrics, output } => {
            ("completed", Some(at.timestamp()), usage(metrics), output)
        }
    };
    let fields = [
        ("id", json!(id)),
        ("object", json!("response")),
        ("created_at", json!(created.timestamp())),
        ("completed_at", json!(completed_at)),
        ("status", json!(status)),
        ("incomplete_details", Value::Null),
        ("model", json!(ask.model)),
        ("previous_response_id", Value::Null),
        ("instructions", said("instructions")),
        ("output", Value::Array(output)),
        ("error", Value::Null),
        ("tools", said("tools")),
        ("tool_choice", json!("auto")),
        ("truncation", said("truncation")),
        ("parallel_tool_calls", json!(true)),
        ("text", json!({ "format": said("format") })),
        ("top_p", said("top_p")),
        ("presence_penalty", json!(0)),
        ("frequency_penalty", json!(0)),
        ("top_logprobs", json!(0)),
        ("temperature", said("temperature")),
        ("reasoning", said("reasoning")),
        ("usage", usage),
        ("max_output_tokens", said("max_output_tokens")),
        ("max_tool_calls", Value::Null),
        ("store", json!(false)),
        ("background", said("background")),
        ("service_tier", json!("default")),
        ("metadata", json!({})),
        ("safety_identifier", Value::Null),
        ("prompt_cache_key", Value::Null),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn usage(metrics: &Metrics) -> Value {
    json!({
        "input_tokens": metrics.prompt_eval_count,
        "output_tokens": metrics.eval_count,
        "total_tokens": metrics.prompt_eval_count + metrics.eval_count,
        "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens_details": { "reasoning_tokens": 0 },
    })
}

/// Whether a call is a search on the web that the server does itself.
pub(super) fn is_search(ask: &Ask, call: &ToolCall) -> bool {
    call.name == WEB_SEARCH && ask.echo.contains_key(WEB_SEARCH)
}

/// Thinking, whole. Its encrypted content is not encrypted, in the real server neither.
pub(super) fn reasoning(id: &str, thinking: &str) -> Value {
    json!({
        "id": id,
        "type": "reasoning",
        "summary": [{ "type": "summary_text", "text": thinking }],
        "encrypted_content": thinking,
    })
}

/// A part of a message: its text.
pub(super) fn output_text(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

/// A message; without a text it has only begun.
pub(super) fn message(id: &str, text: Option<&str>) -> Value {
    let status = if text.is_some() { "completed" } else { "in_progress" };
    let content: Vec<Value> = text.map(output_text).into_iter().collect();
    json!({
        "id": id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    })
}

/// A call of a tool of the client's.
pub(super) fn function_call(id: &str, call: &ToolCall, status: &str) -> Value {
    let arguments = if status == "completed" { arguments(call) } else { String::new() };
    json!({
        "id": id,
        "type": "function_call",
        "status": status,
        "call_id": call_id(call),
        "name": call.name,
        "arguments": arguments,
    })
}

/// A search on the web.
pub(super) fn search(id: &str, call: &ToolCall, status: &str) -> Value {
    let query = call.arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    json!({
        "id": id,
        "type": "web_search_call",
        "status": status,
        "action": { "type": "search", "query": query },
    })
}
