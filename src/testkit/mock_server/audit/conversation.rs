//! Prompts and messages, as each API has them.

use std::collections::HashSet;

use serde_json::Value;

use super::{Finding, Seen, pointer};

/// The roles that templates know.
const ROLES: [&str; 4] = ["system", "user", "assistant", "tool"];
/// Blocks of content that `/v1/messages` reads.
const BLOCKS: [&str; 8] = [
    "text",
    "image",
    "tool_use",
    "tool_result",
    "thinking",
    "server_tool_use",
    "web_search_tool_result",
    "redacted_thinking",
];

/// The messages of any API: the field that they are in, and they.
fn messages<'a>(seen: &'a Seen<'_>) -> (&'static str, &'a [Value]) {
    match seen.route {
        "/v1/responses" => ("input", seen.list("input")),
        "/api/chat" | "/v1/chat/completions" | "/v1/messages" => {
            ("messages", seen.list("messages"))
        }
        _ => ("messages", &[]),
    }
}

fn role(message: &Value) -> &str {
    message.get("role").and_then(Value::as_str).unwrap_or_default()
}

/// All texts that the model is to read.
fn texts<'a>(seen: &'a Seen<'_>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for field in ["prompt", "suffix", "system", "instructions", "input"] {
        if let Some(value) = seen.field(field) {
            collect(value, &mut found);
        }
    }
    for message in seen.list("messages") {
        if let Some(content) = message.get("content") {
            collect(content, &mut found);
        }
    }
    found
}

/// The texts of a content: itself, or those of its parts.
fn collect<'a>(content: &'a Value, found: &mut Vec<&'a str>) {
    match content {
        Value::String(text) => found.push(text),
        Value::Array(parts) => {
            for part in parts {
                for key in ["text", "content", "output"] {
                    // Not deeper than JSON itself may nest, which the parser limits.
                    if let Some(inner) = part.get(key) {
                        collect(inner, found);
                    }
                }
            }
        }
        _ => {}
    }
}

/// How many characters the model is to read.
pub(super) fn characters(seen: &Seen<'_>) -> u64 {
    texts(seen).iter().map(|text| text.chars().count() as u64).sum()
}

/// Whether any text has this word, in any case.
pub(super) fn mentions(seen: &Seen<'_>, word: &str) -> bool {
    texts(seen).iter().any(|text| text.to_lowercase().contains(word))
}

pub(super) fn loads_only(seen: &Seen<'_>) -> Vec<Finding> {
    let empty = match seen.route {
        "/api/chat" => seen.list("messages").is_empty(),
        "/api/generate" => {
            seen.text("prompt").unwrap_or_default().is_empty()
                && seen.text("suffix").unwrap_or_default().is_empty()
        }
        "/api/embed" => match seen.field("input") {
            None => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(value) => value.as_array().is_some_and(Vec::is_empty),
        },
        _ => false,
    };
    Finding::when(
        empty && !seen.body.is_empty(),
        "",
        "nothing to answer: this loads the model (with a keep_alive of 0 it unloads it), and \
         nothing more",
        "that is right for warming up; else send a text",
    )
}

/// Every image of the native API, with where it is.
fn native_images<'a>(seen: &'a Seen<'_>) -> Vec<(String, &'a str)> {
    let mut found = Vec::new();
    for (index, image) in seen.list("images").iter().enumerate() {
        found.extend(image.as_str().map(|text| (pointer(&["images", &index.to_string()]), text)));
    }
    for (at, message) in seen.list("messages").iter().enumerate() {
        let images = message.get("images").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, image) in images.iter().enumerate() {
            let place = pointer(&["messages", &at.to_string(), "images", &index.to_string()]);
            found.extend(image.as_str().map(|text| (place, text)));
        }
    }
    found
}

pub(super) fn image_data_uri(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.native() {
        return Vec::new();
    }
    native_images(seen)
        .into_iter()
        .filter(|(_, image)| image.starts_with("data:"))
        .map(|(at, _)| {
            Finding::new(
                at,
                "the native API takes plain base64; `data:` is 400 illegal base64 data",
                "send what follows the comma",
            )
        })
        .collect()
}

pub(super) fn image_url(seen: &Seen<'_>) -> Vec<Finding> {
    let remote = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    let mut found: Vec<String> = Vec::new();
    if seen.native() {
        let images = native_images(seen).into_iter();
        found.extend(images.filter(|(_, image)| remote(image)).map(|(at, _)| at));
    }
    let (field, messages) = messages(seen);
    for (at, message) in messages.iter().enumerate() {
        for (index, part) in parts(message).iter().enumerate() {
            let image = part.get("image_url");
            let address = image
                .and_then(|image| image.get("url").or(Some(image)))
                .or_else(|| part.get("source").and_then(|source| source.get("url")))
                .and_then(Value::as_str);
            if address.is_some_and(remote) {
                let (at, index) = (at.to_string(), index.to_string());
                found.push(pointer(&[field, &at, "content", &index]));
            }
        }
    }
    found
        .into_iter()
        .map(|at| {
            Finding::new(
                at,
                "the server fetches no images: 400",
                "fetch it in the client and send it as base64",
            )
        })
        .collect()
}

fn parts(message: &Value) -> &[Value] {
    message.get("content").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn parts_on_native(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.is_route(&["/api/chat"]) {
        return Vec::new();
    }
    seen.list("messages")
        .iter()
        .enumerate()
        .filter(|(_, message)| message.get("content").is_some_and(Value::is_array))
        .map(|(at, _)| {
            Finding::new(
                pointer(&["messages", &at.to_string(), "content"]),
                "the native API takes content as one string; parts are 400",
                "join the texts, and send images in `images`",
            )
        })
        .collect()
}

pub(super) fn dropped_block(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.is_route(&["/v1/messages"]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, message) in seen.list("messages").iter().enumerate() {
        for (index, block) in parts(message).iter().enumerate() {
            let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
            if !BLOCKS.contains(&kind) {
                found.push(Finding::new(
                    pointer(&["messages", &at.to_string(), "content", &index.to_string()]),
                    format!("a block of type {kind:?} is dropped; the model does not see it"),
                    "send its text as a block of type text",
                ));
            }
        }
    }
    found
}

pub(super) fn unknown_role(seen: &Seen<'_>) -> Vec<Finding> {
    let (field, messages) = messages(seen);
    messages
        .iter()
        .enumerate()
        .filter(|(_, message)| message.get("role").is_some())
        // The responses API knows `developer`; the templates of models do not.
        .filter(|(_, message)| !ROLES.contains(&role(message).to_lowercase().as_str()))
        .map(|(at, message)| {
            Finding::new(
                pointer(&[field, &at.to_string(), "role"]),
                format!(
                    "most templates know no role {:?} and leave the message out",
                    role(message)
                ),
                "use system, user, assistant or tool",
            )
        })
        .collect()
}

/// Where the system prompts are: the field of its own first.
fn systems(seen: &Seen<'_>) -> Vec<(String, usize)> {
    let own = match seen.route {
        "/v1/messages" => "system",
        "/v1/responses" => "instructions",
        _ => "",
    };
    let mut found = Vec::new();
    if !own.is_empty() && seen.field(own).is_some() {
        found.push((pointer(&[own]), 0));
    }
    let (field, messages) = messages(seen);
    for (at, message) in messages.iter().enumerate() {
        if role(message).eq_ignore_ascii_case("system") {
            found.push((pointer(&[field, &at.to_string()]), at));
        }
    }
    found
}

pub(super) fn system_twice(seen: &Seen<'_>) -> Vec<Finding> {
    systems(seen)
        .into_iter()
        .skip(1)
        .take(1)
        .map(|(at, _)| {
            Finding::new(
                at,
                "there is more than one system prompt; templates join them, or keep the last",
                "send one",
            )
        })
        .collect()
}

pub(super) fn system_late(seen: &Seen<'_>) -> Vec<Finding> {
    let (_, messages) = messages(seen);
    let first_other =
        messages.iter().position(|message| !role(message).eq_ignore_ascii_case("system"));
    systems(seen)
        .into_iter()
        .filter(|(_, at)| first_other.is_some_and(|other| *at > other))
        .take(1)
        .map(|(at, _)| {
            Finding::new(
                at,
                "a system prompt after other messages: many templates move it to the front",
                "send it first",
            )
        })
        .collect()
}

pub(super) fn orphan(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.is_route(&["/api/chat", "/v1/chat/completions"]) {
        return Vec::new();
    }
    let mut called = false;
    let mut ids = HashSet::new();
    let mut found = Vec::new();
    for (at, message) in seen.list("messages").iter().enumerate() {
        for call in calls(message) {
            called = true;
            ids.extend(call.get("id").and_then(Value::as_str));
        }
        if !role(message).eq_ignore_ascii_case("tool") {
            continue;
        }
        let id = message.get("tool_call_id").and_then(Value::as_str);
        let text = match id {
            _ if !called => "a tool's result, and no message before it calls a tool",
            Some(id) if !ids.is_empty() && !ids.contains(id) => {
                "a tool's result for a call that is not in the conversation"
            }
            _ => continue,
        };
        found.push(Finding::new(
            pointer(&["messages", &at.to_string()]),
            text,
            "send the assistant's message with its `tool_calls` before the result",
        ));
    }
    found
}

fn calls(message: &Value) -> &[Value] {
    message.get("tool_calls").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn arguments(seen: &Seen<'_>) -> Vec<Finding> {
    let native = seen.is_route(&["/api/chat"]);
    if !native && !seen.is_route(&["/v1/chat/completions"]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, message) in seen.list("messages").iter().enumerate() {
        for (index, call) in calls(message).iter().enumerate() {
            let Some(given) = call.get("function").and_then(|function| function.get("arguments"))
            else {
                continue;
            };
            let (wrong, text, mend) = match native {
                true => (given.is_string(), "a string", "send them as an object"),
                false => (given.is_object(), "an object", "send them as a string of JSON"),
            };
            if wrong {
                let (at, index) = (at.to_string(), index.to_string());
                found.push(Finding::new(
                    pointer(&["messages", &at, "tool_calls", &index, "function", "arguments"]),
                    format!("this API does not take arguments as {text}: 400"),
                    mend,
                ));
            }
        }
    }
    found
}
