//! The `input` of `/v1/responses`: a text, or items that become a conversation.

use serde_json::{Map, Value};

use super::super::bind::{fitted, kind};
use super::super::go_json::{self, Shape, Type, quoted};
use super::super::openai;
use crate::testkit::mock_server::ask::Message;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::ToolCall;

/// A part of a message, or of what a tool gave.
pub(super) enum Content {
    Text(String),
    Image(String),
    File,
}

/// An item of the input.
pub(super) enum Item {
    Message {
        role: String,
        content: Vec<Content>,
    },
    Call {
        id: String,
        name: String,
        arguments: String,
    },
    CallOutput {
        id: String,
        content: Vec<Content>,
    },
    Reasoning {
        encrypted_content: String,
    },
    /// A search that the server did: it has no part in the conversation.
    WebSearch,
}

static MESSAGE: Shape = Shape {
    package: "openai",
    name: "ResponsesInputMessage",
    fields: &[("role", Type::Text), ("content", Type::Any)],
};

static CALL: Shape = Shape {
    package: "openai",
    name: "ResponsesFunctionCall",
    fields: &[("call_id", Type::Text), ("name", Type::Text), ("arguments", Type::Text)],
};

static CALL_OUTPUT: Shape = Shape {
    package: "openai",
    name: "ResponsesFunctionCallOutput",
    fields: &[("call_id", Type::Text), ("output", Type::Any)],
};

static REASONING: Shape = Shape {
    package: "openai",
    name: "ResponsesReasoningInput",
    fields: &[("encrypted_content", Type::Text)],
};

static KIND: Shape =
    Shape { package: "openai", name: "", fields: &[("type", Type::Text), ("role", Type::Text)] };

static TEXT: Shape =
    Shape { package: "openai", name: "ResponsesTextContent", fields: &[("text", Type::Text)] };

static IMAGE: Shape = Shape {
    package: "openai",
    name: "ResponsesImageContent",
    fields: &[("image_url", Type::Text)],
};

/// The items of an input; a text is a message of the user.
///
/// # Errors
/// 400, naming the item that cannot be read.
pub(super) fn items(input: Option<Value>) -> Result<Vec<Item>, Refusal> {
    match input {
        None => Ok(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::String(text)) => {
            let content = vec![Content::Text(text)];
            Ok(vec![Item::Message { role: "user".to_owned(), content }])
        }
        Some(Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(at, value)| item(value).map_err(|text| format!("input[{at}]: {text}")))
            .collect::<Result<_, _>>()
            .map_err(Refusal::bad_request),
        Some(other) => {
            let text = neither("input", &other);
            Err(Refusal::bad_request(text))
        }
    }
}

/// What Go says of a value that is neither a text nor a list.
fn neither(name: &str, value: &Value) -> String {
    let kind = match value {
        Value::Object(_) => "object",
        Value::Bool(_) => "bool",
        _ => "number",
    };
    format!(
        "{name} must be a string or array: json: cannot unmarshal {kind} into Go value of type \
         []json.RawMessage"
    )
}

fn item(value: &Value) -> Result<Item, String> {
    let kind = fitted(value, &KIND)?;
    let kind = match (kind.text("type"), kind.text("role")) {
        ("", "") => return Err("input item missing required 'type' field".to_owned()),
        ("", _) => "message".to_owned(),
        (kind, _) => kind.to_owned(),
    };
    match kind.as_str() {
        "message" => {
            let mut message = fitted(value, &MESSAGE)?;
            let content = contents("content", message.take("content"))?;
            Ok(Item::Message { role: message.text("role").to_lowercase(), content })
        }
        "function_call" => {
            let call = fitted(value, &CALL)?;
            let text = |name| call.text(name).to_owned();
            Ok(Item::Call { id: text("call_id"), name: text("name"), arguments: text("arguments") })
        }
        "function_call_output" => {
            let mut output = fitted(value, &CALL_OUTPUT)?;
            let content = contents("output", output.take("output"))?;
            Ok(Item::CallOutput { id: output.text("call_id").to_owned(), content })
        }
        "reasoning" => {
            let reasoning = fitted(value, &REASONING)?;
            let encrypted_content = reasoning.text("encrypted_content").to_owned();
            Ok(Item::Reasoning { encrypted_content })
        }
        "web_search_call" => Ok(Item::WebSearch),
        other => Err(format!("unknown input item type: {}", quoted(other))),
    }
}

fn contents(name: &str, value: Option<Value>) -> Result<Vec<Content>, String> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Content::Text(text)]),
        Some(Value::Array(parts)) => parts
            .iter()
            .enumerate()
            .map(|(at, part)| content(part).map_err(|text| format!("{name}[{at}]: {text}")))
            .collect(),
        Some(other) => Err(neither(name, &other)),
    }
}

fn content(part: &Value) -> Result<Content, String> {
    let kind = fitted(part, &KIND)?;
    match kind.text("type") {
        "input_text" | "output_text" => {
            Ok(Content::Text(fitted(part, &TEXT)?.text("text").to_owned()))
        }
        "input_image" => Ok(Content::Image(fitted(part, &IMAGE)?.text("image_url").to_owned())),
        "input_file" => Ok(Content::File),
        other => Err(format!("unknown content type: {other}")),
    }
}

/// The conversation of a request.
///
/// # Errors
/// 400 for images that are no data URI, for files, for arguments that are no JSON.
pub(super) fn conversation(
    instructions: Option<String>,
    items: Vec<Item>,
) -> Result<Vec<Message>, Refusal> {
    let mut messages = Vec::with_capacity(items.len() + 1);
    if let Some(content) = instructions {
        messages.push(Message { role: "system".to_owned(), content, ..Message::default() });
    }
    // What was thought belongs to the next message of the assistant.
    let mut thinking: Option<String> = None;
    for item in items {
        match item {
            Item::WebSearch => {}
            Item::Reasoning { encrypted_content } => {
                thinking = Some(encrypted_content).filter(|text| !text.is_empty());
            }
            Item::Message { role, content } => {
                let (content, images) = joined(content)?;
                let thinking = if role == "assistant" { thinking.take() } else { None };
                messages.push(Message { role, content, images, thinking, ..Message::default() });
            }
            Item::Call { id, name, arguments } => {
                let arguments = call_arguments(&arguments)?;
                let call = ToolCall { name, arguments, id: Some(id).filter(|id| !id.is_empty()) };
                add_call(&mut messages, call, thinking.take());
            }
            Item::CallOutput { id, content } => {
                let (content, images) = joined(content)?;
                let tool_call_id = Some(id).filter(|id| !id.is_empty());
                let tool_name = tool_call_id.as_deref().and_then(|id| name_of(&messages, id));
                let role = "tool".to_owned();
                messages.push(Message {
                    role,
                    content,
                    images,
                    tool_name,
                    tool_call_id,
                    ..Message::default()
                });
            }
        }
    }
    if thinking.is_some() {
        messages.push(Message { role: "assistant".to_owned(), thinking, ..Message::default() });
    }
    Ok(messages)
}

/// A call joins the message of the assistant before it, if there is one.
fn add_call(messages: &mut Vec<Message>, call: ToolCall, thinking: Option<String>) {
    match messages.last_mut().filter(|message| message.role == "assistant") {
        Some(message) => {
            message.tool_calls.push(call);
            message.thinking = thinking.or_else(|| message.thinking.take());
        }
        None => messages.push(Message {
            role: "assistant".to_owned(),
            tool_calls: vec![call],
            thinking,
            ..Message::default()
        }),
    }
}

fn name_of(messages: &[Message], id: &str) -> Option<String> {
    let mut calls = messages.iter().rev().flat_map(|message| &message.tool_calls);
    calls.find(|call| call.id.as_deref() == Some(id)).map(|call| call.name.clone())
}

fn call_arguments(text: &str) -> Result<Map<String, Value>, Refusal> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    openai::read_arguments(text).map_err(|_| {
        let why = why_no_object(text);
        Refusal::bad_request(format!("failed to parse function call arguments: {why}"))
    })
}

static NOTHING: Shape = Shape { package: "api", name: "ToolCallFunctionArguments", fields: &[] };

fn why_no_object(text: &str) -> String {
    match (serde_json::from_str::<Value>(text), go_json::read(text.as_bytes(), &NOTHING)) {
        (Err(_), Err(malformed)) => malformed.message,
        (value, _) => {
            let kind = kind(&value.unwrap_or_default());
            format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
        }
    }
}

/// Texts are joined; images without an address are passed over.
fn joined(parts: Vec<Content>) -> Result<(String, Vec<Vec<u8>>), Refusal> {
    let (mut text, mut images) = (String::new(), Vec::new());
    for part in parts {
        match part {
            Content::Text(more) => text.push_str(&more),
            Content::Image(url) if url.is_empty() => {}
            Content::Image(url) => images.push(openai::image(&url)?),
            Content::File => {
                return Err(Refusal::bad_request("file inputs are not currently supported"));
            }
        }
    }
    Ok((text, images))
}
