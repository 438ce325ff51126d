//! The `messages` and `system` of `/v1/messages`, as a conversation.

use serde_json::{Map, Value};

use super::super::bind::{Bound, fitted, kind};
use super::super::go_json::{self, Shape, Type};
use crate::testkit::mock_server::ask::Message;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::ToolCall;

pub(super) static MESSAGE: Shape = Shape {
    package: "anthropic",
    name: "MessageParam",
    fields: &[("role", Type::Text), ("content", Type::Any)],
};

static BLOCK: Shape = Shape {
    package: "anthropic",
    name: "ContentBlock",
    fields: &[
        ("type", Type::Text),
        ("text", Type::Text),
        ("source", Type::Struct(&SOURCE)),
        ("id", Type::Text),
        ("name", Type::Text),
        ("input", Type::Map("map[string]interface {}", &Type::Any)),
        ("tool_use_id", Type::Text),
        ("content", Type::Any),
        ("is_error", Type::Flag),
        ("thinking", Type::Text),
        ("signature", Type::Text),
    ],
};

static SOURCE: Shape = Shape {
    package: "anthropic",
    name: "ImageSource",
    fields: &[
        ("type", Type::Text),
        ("media_type", Type::Text),
        ("data", Type::Text),
        ("url", Type::Text),
    ],
};

/// The conversation of a request.
///
/// # Errors
/// 400 for blocks that cannot be read.
pub(super) fn conversation(
    system: Option<Value>,
    messages: Vec<Bound>,
) -> Result<Vec<Message>, Refusal> {
    // A block that does not fit its fields fails before any that says the wrong thing.
    let mut read = Vec::with_capacity(messages.len());
    for mut message in messages {
        let blocks = blocks(message.take("content")).map_err(Refusal::bad_request)?;
        read.push((message.text("role").to_lowercase(), blocks));
    }
    let mut conversation = Vec::with_capacity(read.len() + 1);
    let content = match system {
        Some(Value::String(text)) => text,
        Some(Value::Array(blocks)) => texts(&blocks),
        _ => String::new(),
    };
    if !content.is_empty() {
        conversation.push(Message { role: "system".to_owned(), content, ..Message::default() });
    }
    for (role, blocks) in read {
        add(&mut conversation, role, blocks)?;
    }
    Ok(conversation)
}

fn blocks(content: Option<Value>) -> Result<Vec<Bound>, String> {
    match content {
        None => Ok(Vec::new()),
        Some(text @ Value::String(_)) => {
            let mut block = Map::new();
            block.insert("type".to_owned(), Value::from("text"));
            block.insert("text".to_owned(), text);
            Ok(vec![Bound::of(Value::Object(block))])
        }
        Some(Value::Array(blocks)) => {
            blocks.into_iter().map(|block| fitted(&block, &BLOCK)).collect()
        }
        Some(other) => {
            let kind = kind(&other);
            Err(format!(
                "json: cannot unmarshal {kind} into Go value of type []anthropic.ContentBlock"
            ))
        }
    }
}

/// A message with results of tools becomes one of the role `tool` for each, and one for the rest.
fn add(conversation: &mut Vec<Message>, role: String, blocks: Vec<Bound>) -> Result<(), Refusal> {
    let mut rest = Message { role, ..Message::default() };
    let mut results = Vec::new();
    for mut block in blocks {
        match block.text("type") {
            "text" => rest.content.push_str(block.text("text")),
            "image" => {
                let source = block.object("source");
                let source = source.ok_or_else(|| Refusal::bad_request("invalid image source"))?;
                rest.images.push(image(&source)?);
            }
            "thinking" => rest.thinking = block.some_text("thinking"),
            "tool_use" => {
                for required in ["id", "name"] {
                    if block.text(required).is_empty() {
                        return Err(Refusal::bad_request(format!(
                            "tool_use block missing required '{required}' field"
                        )));
                    }
                }
                rest.tool_calls.push(call(block));
            }
            "server_tool_use" => rest.tool_calls.push(call(block)),
            "tool_result" => {
                let (content, images) = result(block.take("content"))?;
                results.push(tool_message(conversation, &block, content, images));
            }
            "web_search_tool_result" => {
                let content = search_result(&block.take("content").unwrap_or_default());
                results.push(tool_message(conversation, &block, content, Vec::new()));
            }
            _ => {}
        }
    }
    let says_something = !rest.content.is_empty()
        || !rest.images.is_empty()
        || !rest.tool_calls.is_empty()
        || rest.thinking.is_some();
    let rest = says_something.then_some(rest);
    // What the user says comes after the results that it is about.
    if rest.as_ref().is_some_and(|rest| rest.role != "user") {
        conversation.extend(rest);
        conversation.append(&mut results);
    } else {
        conversation.append(&mut results);
        conversation.extend(rest);
    }
    Ok(())
}

fn tool_message(
    conversation: &[Message],
    block: &Bound,
    content: String,
    images: Vec<Vec<u8>>,
) -> Message {
    let tool_call_id = block.some_text("tool_use_id");
    let mut calls = conversation.iter().rev().flat_map(|message| &message.tool_calls);
    let called = calls.find(|call| tool_call_id.is_some() && call.id == tool_call_id);
    Message {
        role: "tool".to_owned(),
        content,
        images,
        tool_name: called.map(|call| call.name.clone()),
        tool_call_id,
        ..Message::default()
    }
}

fn call(mut block: Bound) -> ToolCall {
    let arguments = match block.take("input") {
        Some(Value::Object(arguments)) => arguments,
        _ => Map::new(),
    };
    ToolCall { name: block.text("name").to_owned(), arguments, id: block.some_text("id") }
}

fn image(source: &Bound) -> Result<Vec<u8>, Refusal> {
    let kind = source.text("type");
    if kind != "base64" {
        return Err(Refusal::bad_request(format!(
            "invalid image source type: {kind}. Only base64 images are supported."
        )));
    }
    go_json::decode_base64(source.text("data")).map_err(|at| {
        Refusal::bad_request(format!(
            "invalid base64 image data: illegal base64 data at input byte {at}"
        ))
    })
}

/// The texts of blocks, joined.
fn texts(blocks: &[Value]) -> String {
    let texts = blocks.iter().filter(|block| block["type"] == "text");
    texts.filter_map(|block| block["text"].as_str()).collect()
}

/// What a tool gave: a text, or blocks of text and images.
fn result(content: Option<Value>) -> Result<(String, Vec<Vec<u8>>), Refusal> {
    match content {
        Some(Value::String(text)) => Ok((text, Vec::new())),
        Some(Value::Array(blocks)) => {
            let text = texts(&blocks);
            let images = blocks
                .into_iter()
                .filter(|block| block["type"] == "image")
                .map(|mut block| match block.get_mut("source").map(Value::take) {
                    Some(source @ Value::Object(_)) => image(&Bound::of(source)),
                    _ => Err(Refusal::bad_request("invalid tool_result image source")),
                })
                .collect::<Result<_, _>>()?;
            Ok((text, images))
        }
        _ => Ok((String::new(), Vec::new())),
    }
}

/// What a search found, as the model reads it.
fn search_result(content: &Value) -> String {
    const ERROR: &str = "web_search_tool_result_error";
    let failed = |block: &Value| match block["error_code"].as_str().unwrap_or_default() {
        "" => ERROR.to_owned(),
        code => format!("{ERROR}: {code}"),
    };
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            if let Some(block) = blocks.iter().find(|block| block["type"] == ERROR) {
                return failed(block);
            }
            let found = blocks.iter().filter(|block| block["type"] == "web_search_result");
            let text = |block: &Value, name: &str| block[name].as_str().unwrap_or("").to_owned();
            found
                .map(|block| format!("- {}: {}\n", text(block, "title"), text(block, "url")))
                .collect()
        }
        Value::Object(_) if content["type"] == ERROR => failed(content),
        other => String::from_utf8(go_json::to_vec(other)).unwrap_or_default(),
    }
}
