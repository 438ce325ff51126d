//! `/v1/chat/completions`.

mod write;

use serde_json::{Map, Value, json};

use super::bind::{Bound, INT, TOOLS, bind, dynamic_type};
use super::go_json::{Shape, Type, decode_base64};
use super::{Surface, native, openai};
use crate::testkit::mock_server::admission::{self, Admitted};
use crate::testkit::mock_server::ask::{Ask, Asked, Message, Think};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{KeepAlive, Models};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::ToolCall;

pub(super) static SURFACE: Surface = Surface {
    text: write::text,
    vectors: openai::no_vectors,
    refuse: openai::refuse,
    broken_off: write::broken_off,
};

/// Shows what the model would get, in place of an answer.
const DEBUG: &str = "_debug_render_only";

/// What is read; everything else (`tool_choice`, `n`, `user`, …) is ignored.
static REQUEST: Shape = Shape {
    package: "openai",
    name: "ChatCompletionRequest",
    fields: &[
        ("model", Type::Text),
        ("messages", Type::List("[]openai.Message", &Type::Struct(&MESSAGE))),
        ("stream", Type::Flag),
        ("stream_options", Type::Struct(&openai::STREAM_OPTIONS)),
        ("max_tokens", INT),
        ("seed", INT),
        ("stop", Type::Any),
        ("temperature", Type::Real("float64")),
        ("frequency_penalty", Type::Real("float64")),
        ("presence_penalty", Type::Real("float64")),
        ("top_p", Type::Real("float64")),
        ("response_format", Type::Struct(&RESPONSE_FORMAT)),
        ("tools", TOOLS),
        ("reasoning", Type::Struct(&REASONING)),
        ("reasoning_effort", Type::Text),
        ("logprobs", Type::Flag),
        ("top_logprobs", INT),
        (DEBUG, Type::Flag),
    ],
};

static MESSAGE: Shape = Shape {
    package: "openai",
    name: "Message",
    fields: &[
        ("role", Type::Text),
        ("content", Type::Any),
        ("reasoning", Type::Text),
        ("tool_calls", Type::List("[]openai.ToolCall", &Type::Struct(&TOOL_CALL))),
        ("name", Type::Text),
        ("tool_call_id", Type::Text),
    ],
};

static TOOL_CALL: Shape = Shape {
    package: "openai",
    name: "ToolCall",
    fields: &[
        ("id", Type::Text),
        ("index", INT),
        ("type", Type::Text),
        ("function", Type::Struct(&FUNCTION)),
    ],
};

static FUNCTION: Shape = Shape {
    package: "openai",
    name: "",
    fields: &[("name", Type::Text), ("arguments", Type::Text)],
};

static RESPONSE_FORMAT: Shape = Shape {
    package: "openai",
    name: "ResponseFormat",
    fields: &[("type", Type::Text), ("json_schema", Type::Struct(&JSON_SCHEMA))],
};

static JSON_SCHEMA: Shape =
    Shape { package: "openai", name: "JsonSchema", fields: &[("schema", Type::Any)] };

static REASONING: Shape =
    Shape { package: "openai", name: "Reasoning", fields: &[("effort", Type::Text)] };

/// Reads a request.
pub(super) fn read(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let (mut ask, format) = asked(exchange)?;
    match admission::chat(&mut ask, KeepAlive::Default, models, stamp)? {
        Admitted::Run if ask.echo.contains_key(DEBUG) => {
            Ok(Asked::Done(write::rendered(&ask, stamp)))
        }
        Admitted::Run => {
            ask.format = native::format_of(format.as_ref())?;
            Ok(Asked::Text(Box::new(ask)))
        }
        // A message whose parts are none at all leaves nothing to answer.
        Admitted::Load | Admitted::Unload => Ok(Asked::Done(write::loaded(&ask, stamp))),
    }
}

/// What a request asks for, and the format that it wants.
fn asked(exchange: &Exchange) -> Result<(Ask, Option<Value>), Refusal> {
    let mut fields = bind(exchange, &REQUEST)?;
    let messages = fields.list("messages");
    if messages.is_empty() {
        return Err(Refusal::bad_request("[] is too short - 'messages'"));
    }
    let mut ask = Ask {
        model: fields.text("model").to_owned(),
        messages: conversation(messages)?,
        tools: openai::tools(fields.list("tools")),
        think: think(&mut fields)?,
        options: options(&fields),
        stream: fields.flag("stream"),
        include_usage: openai::include_usage(&mut fields),
        ..Ask::default()
    };
    let alternatives = openai::top_logprobs(fields.int("top_logprobs"))?;
    ask.logprobs = fields.flag("logprobs").then_some(alternatives);
    if fields.flag(DEBUG) {
        ask.echo.insert(DEBUG.to_owned(), json!(true));
    }
    Ok((ask, response_format(&mut fields)))
}

fn options(fields: &Bound) -> Map<String, Value> {
    let mut options = Map::new();
    match fields.get("stop") {
        Some(Value::String(stop)) => {
            options.insert("stop".to_owned(), json!([stop]));
        }
        Some(Value::Array(stops)) => {
            let texts = stops.iter().filter(|stop| stop.is_string()).cloned().collect();
            options.insert("stop".to_owned(), Value::Array(texts));
        }
        _ => {}
    }
    openai::number(&mut options, "num_predict", fields, "max_tokens", None);
    openai::number(&mut options, "temperature", fields, "temperature", Some(1.0));
    openai::number(&mut options, "seed", fields, "seed", None);
    openai::number(&mut options, "frequency_penalty", fields, "frequency_penalty", None);
    openai::number(&mut options, "presence_penalty", fields, "presence_penalty", None);
    openai::number(&mut options, "top_p", fields, "top_p", Some(1.0));
    options
}

/// `reasoning` wins over `reasoning_effort`, even where it says nothing.
fn think(fields: &mut Bound) -> Result<Option<Think>, Refusal> {
    match fields.object("reasoning") {
        Some(reasoning) => openai::effort(reasoning.text("effort")),
        None => openai::effort(fields.text("reasoning_effort")),
    }
}

fn response_format(fields: &mut Bound) -> Option<Value> {
    let mut wanted = fields.object("response_format")?;
    match wanted.text("type").trim().to_lowercase().as_str() {
        "json_object" => Some(json!("json")),
        "json_schema" => wanted.object("json_schema")?.take("schema"),
        _ => None,
    }
}

/// The messages of the native API: each part of a message is one of its own.
fn conversation(mut messages: Vec<Bound>) -> Result<Vec<Message>, Refusal> {
    let called: Vec<(String, String)> = messages.iter().flat_map(names_of_calls).collect();
    let mut conversation: Vec<Message> = Vec::with_capacity(messages.len());
    for message in &mut messages {
        let has_calls = message.get("tool_calls").is_some();
        let calls = message.list("tool_calls");
        let role = message.text("role").to_lowercase();
        let whole = Message {
            thinking: message.some_text("reasoning"),
            tool_name: (role == "tool").then(|| tool_name(message, &called)).flatten(),
            tool_call_id: message.some_text("tool_call_id"),
            role,
            ..Message::default()
        };
        match message.take("content") {
            Some(Value::String(content)) => {
                conversation.push(Message { content, tool_calls: tool_calls(calls)?, ..whole });
            }
            Some(Value::Array(parts)) => {
                let before = conversation.len();
                for part in parts {
                    conversation.push(read_part(part, &whole.role)?);
                }
                if let Some(part) =
                    conversation.get_mut(before..).and_then(|parts| parts.last_mut())
                {
                    part.tool_name = whole.tool_name;
                    part.tool_call_id = whole.tool_call_id;
                }
                if let Some(last) = conversation.last_mut().filter(|_| !calls.is_empty()) {
                    last.tool_calls = tool_calls(calls)?;
                    last.thinking = whole.thinking;
                }
            }
            content if !has_calls => {
                let found = dynamic_type(&content.unwrap_or_default());
                let text = format!("invalid message content type: {found}");
                return Err(Refusal::bad_request(text));
            }
            _ => conversation.push(Message { tool_calls: tool_calls(calls)?, ..whole }),
        }
    }
    Ok(conversation)
}

fn read_part(part: Value, role: &str) -> Result<Message, Refusal> {
    let wrong = || Refusal::bad_request("invalid message format");
    let Value::Object(mut part) = part else { return Err(wrong()) };
    let mut message = Message { role: role.to_owned(), ..Message::default() };
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    match (kind.as_str(), part.remove(&kind)) {
        ("text", Some(Value::String(text))) => message.content = text,
        ("image_url", Some(Value::String(url))) => message.images = vec![openai::image(&url)?],
        ("image_url", Some(Value::Object(image))) => {
            let url = image.get("url").and_then(Value::as_str).ok_or_else(wrong)?;
            message.images = vec![openai::image(url)?];
        }
        ("input_audio", Some(Value::Object(audio))) => {
            let data = audio.get("data").and_then(Value::as_str).ok_or_else(wrong)?;
            message.images = vec![decode_base64(data).map_err(|_| wrong())?];
        }
        _ => return Err(wrong()),
    }
    Ok(message)
}

/// Ids of the calls of a message, and the names of what they call.
fn names_of_calls(message: &Bound) -> Vec<(String, String)> {
    let calls = message.get("tool_calls").and_then(Value::as_array);
    calls
        .into_iter()
        .flatten()
        .map(|call| {
            let text =
                |place| call.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("/id"), text("/function/name"))
        })
        .collect()
}

/// The name that a result gives, or that of the last call with its id.
fn tool_name(message: &Bound, called: &[(String, String)]) -> Option<String> {
    message.some_text("name").or_else(|| {
        let id = message.some_text("tool_call_id")?;
        let (_, name) = called.iter().rev().find(|(called, _)| *called == id)?;
        Some(name.clone())
    })
}

fn tool_calls(calls: Vec<Bound>) -> Result<Vec<ToolCall>, Refusal> {
    calls
        .into_iter()
        .map(|mut call| {
            let id = call.some_text("id");
            let function = call.object("function").unwrap_or_default();
            let arguments = openai::read_arguments(function.text("arguments"))?;
            Ok(ToolCall { name: function.text("name").to_owned(), arguments, id })
        })
        .collect()
}

#[cfg(test)]
mod tests;
