//! `/v1/messages`, the API of Anthropic.

mod input;
mod write;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bind::{Bound, INT, bind, fitted};
use super::go_json::{Shape, Type, quoted, to_line, to_vec};
use super::{Surface, native, openai};
use crate::testkit::mock_server::admission::{self, Admitted};
use crate::testkit::mock_server::ask::{Ask, Asked, EmbedAsk, Think, Tool};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{KeepAlive, Models};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::Metrics;
use crate::testkit::mock_server::script::Script;

/// The tool that the server runs itself; among what an answer needs, that the request has it.
const WEB_SEARCH: &str = "web_search";
/// Among what an answer needs: how many tokens the prompt may have.
const ESTIMATE: &str = "estimated_input_tokens";

pub(super) static SURFACE: Surface =
    Surface { text: write::text, vectors, refuse, broken_off: write::broken_off };

/// What is read; of the rest, `metadata` and `tool_choice` among it, nothing.
static REQUEST: Shape = Shape {
    package: "anthropic",
    name: "MessagesRequest",
    fields: &[
        ("model", Type::Text),
        ("max_tokens", INT),
        ("messages", Type::List("[]anthropic.MessageParam", &Type::Struct(&input::MESSAGE))),
        ("system", Type::Any),
        ("stream", Type::Flag),
        ("temperature", Type::Real("float64")),
        ("top_p", Type::Real("float64")),
        ("top_k", INT),
        ("stop_sequences", Type::List("[]string", &Type::Text)),
        ("tools", Type::List("[]anthropic.Tool", &Type::Struct(&TOOL))),
        ("thinking", Type::Struct(&THINKING)),
        ("output_config", Type::Struct(&OUTPUT_CONFIG)),
    ],
};

static TOOL: Shape = Shape {
    package: "anthropic",
    name: "Tool",
    fields: &[
        ("type", Type::Text),
        ("name", Type::Text),
        ("description", Type::Text),
        ("input_schema", Type::Any),
    ],
};

static THINKING: Shape = Shape {
    package: "anthropic",
    name: "ThinkingConfig",
    fields: &[("type", Type::Text), ("budget_tokens", INT)],
};

static OUTPUT_CONFIG: Shape =
    Shape { package: "anthropic", name: "OutputConfig", fields: &[("effort", Type::Text)] };

/// Reads a request.
pub(super) fn read(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let mut ask = asked(exchange, models.default_model())?;
    match admission::chat(&mut ask, KeepAlive::Default, models, stamp)? {
        Admitted::Run => Ok(Asked::Text(Box::new(ask))),
        Admitted::Load | Admitted::Unload => Ok(Asked::Done(write::loaded(&ask, stamp))),
    }
}

/// What a request asks for.
fn asked(exchange: &Exchange, default_model: Option<&str>) -> Result<Ask, Refusal> {
    let mut fields = bind(exchange, &REQUEST)?;
    let model = fields.text("model").to_owned();
    if model.is_empty() && default_model.is_none() {
        return Err(Refusal::bad_request("model is required"));
    }
    if fields.int("max_tokens") <= 0 {
        return Err(Refusal::bad_request("max_tokens is required and must be positive"));
    }
    let messages = fields.list("messages");
    if messages.is_empty() {
        return Err(Refusal::bad_request("messages is required"));
    }
    let system = fields.take("system");
    let listed = fields.list("tools");
    let estimate = estimate(system.as_ref(), &messages, &listed);
    let conversation = input::conversation(system, messages)?;
    let mut echo = Map::new();
    echo.insert(ESTIMATE.to_owned(), json!(estimate));
    if listed.iter().any(is_web_search) {
        echo.insert(WEB_SEARCH.to_owned(), json!(true));
    }
    Ok(Ask {
        model,
        messages: conversation,
        tools: tools(listed)?,
        think: think(&mut fields),
        relaxed_think: true,
        options: options(&fields),
        stream: fields.flag("stream"),
        echo,
        ..Ask::default()
    })
}

fn options(fields: &Bound) -> Map<String, Value> {
    let mut options = Map::new();
    openai::number(&mut options, "num_predict", fields, "max_tokens", None);
    openai::number(&mut options, "temperature", fields, "temperature", None);
    openai::number(&mut options, "top_p", fields, "top_p", None);
    openai::number(&mut options, "top_k", fields, "top_k", None);
    let stops = fields.get("stop_sequences").and_then(Value::as_array);
    if let Some(stops) = stops.filter(|stops| !stops.is_empty()) {
        options.insert("stop".to_owned(), json!(stops));
    }
    options
}

/// `output_config` counts only where `thinking` says neither yes nor no.
fn think(fields: &mut Bound) -> Option<Think> {
    let thinking = fields.object("thinking").unwrap_or_default();
    match thinking.text("type") {
        "enabled" => return Some(Think::On),
        "disabled" => return Some(Think::Off),
        _ => {}
    }
    let effort = fields.object("output_config")?.text("effort").trim().to_lowercase();
    match effort.as_str() {
        "xhigh" => Some(Think::Level("high".to_owned())),
        "low" | "medium" | "high" | "max" => Some(Think::Level(effort)),
        _ => None,
    }
}

fn is_web_search(tool: &Bound) -> bool {
    tool.text("type").starts_with(WEB_SEARCH)
}

/// A tool of the client's that has the name of the server's own is left out beside it.
fn tools(listed: Vec<Bound>) -> Result<Vec<Tool>, Refusal> {
    let built_in = listed.iter().any(is_web_search);
    let mut tools = Vec::with_capacity(listed.len());
    for mut tool in listed {
        if is_web_search(&tool) {
            tools.push(openai::web_search());
            continue;
        }
        let name = tool.text("name").to_owned();
        if built_in && name == WEB_SEARCH {
            continue;
        }
        let description = tool.text("description").to_owned();
        let parameters = tool.take("input_schema").unwrap_or_else(|| json!({}));
        fitted(&parameters, &native::TOOL_PARAMETERS).map_err(|why| {
            let name = quoted(&name);
            Refusal::bad_request(format!("invalid input_schema for tool {name}: {why}"))
        })?;
        tools.push(Tool { name, description, parameters });
    }
    Ok(tools)
}

/// The tokens that the prompt may have: a quarter of its bytes, as the real server guesses until
/// it knows.
fn estimate(system: Option<&Value>, messages: &[Bound], tools: &[Bound]) -> u64 {
    let length = |value: Option<&Value>| value.map_or(0, |value| to_vec(value).len());
    let mut bytes = system.map_or(0, length_of_content);
    for message in messages {
        bytes += message.text("role").len();
        bytes += message.get("content").map_or(0, length_of_content);
    }
    for tool in tools {
        bytes += tool.text("name").len() + tool.text("description").len();
        bytes += length(tool.get("input_schema"));
    }
    (bytes as u64 / 4).max(1)
}

fn length_of_content(content: &Value) -> usize {
    match content {
        Value::String(text) => text.len(),
        Value::Array(blocks) => blocks.iter().map(length_of_block).sum(),
        _ => 0,
    }
}

fn length_of_block(block: &Value) -> usize {
    let length = |name: &str| block.get(name).and_then(Value::as_str).map_or(0, str::len);
    let whole = match block.get("type").and_then(Value::as_str) {
        Some("tool_use" | "tool_result") => to_vec(block).len(),
        _ => 0,
    };
    length("text") + length("thinking") + whole
}

#[derive(Serialize)]
struct Failure<'a> {
    r#type: &'static str,
    error: FailureText<'a>,
    request_id: String,
}

#[derive(Serialize)]
struct FailureText<'a> {
    r#type: &'static str,
    message: &'a str,
}

/// An error in the shape of the Anthropic API.
fn refuse(refusal: &Refusal, stamp: &Stamp) -> Script {
    let r#type = match refusal.status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        _ => "api_error",
    };
    let failure = Failure {
        r#type: "error",
        error: FailureText { r#type, message: &refusal.message },
        request_id: format!("req_{}", stamp.chance.hex("req", 0, 24)),
    };
    Script::whole(refusal.status, openai::JSON, to_line(&failure))
}

fn vectors(_: &EmbedAsk, _: &[Vec<f32>], _: &Metrics, stamp: &Stamp) -> Script {
    refuse(&Refusal::new(500, "this route answers with text, not with vectors"), stamp)
}

#[cfg(test)]
mod tests;
