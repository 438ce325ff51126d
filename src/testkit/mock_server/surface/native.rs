//! What the native routes share: how requests are read, and how answers are framed.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::go_json::{Fields, Node, Shape, Type, Wrong, decode_base64, quoted, to_line, to_vec};
use crate::testkit::mock_server::admission;
use crate::testkit::mock_server::ask::{Ask, Asked, Format, Message, Think, Tool};
use crate::testkit::mock_server::exchange::Stamp;
use crate::testkit::mock_server::headers;
use crate::testkit::mock_server::models::KeepAlive;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::{Metrics, Part, Performance, TokenLogprob, ToolCall};
use crate::testkit::mock_server::script::{Body, End, Frame, Script};

/// The type of a streamed answer.
pub(super) const NDJSON: &str = "application/x-ndjson";
/// The type of any other answer.
pub(super) const JSON: &str = headers::JSON_UTF8;
/// The type of an error in place of a stream, and of a progress joined into one answer.
pub(super) const JSON_IN_STREAM: &str = headers::JSON;

pub(super) const FLAG_OR_NONE: Type = Type::Pointer(&Type::Flag);
pub(super) const OPTIONS: Type = Type::Map("map[string]interface {}", &Type::Any);
pub(super) const TEXTS: Type = Type::List("[]string", &Type::Text);
pub(super) const IMAGES: Type = Type::List("[]api.ImageData", &Type::Bytes("api.ImageData"));
pub(super) const KEEP_ALIVE: Type = Type::Pointer(&Type::Own(read_keep_alive));
pub(super) const THINK: Type = Type::Pointer(&Type::Own(read_think));
pub(super) const MESSAGES: Type = Type::List("[]api.Message", &Type::Alone(&MESSAGE));
pub(super) const TOOLS: Type = Type::List("api.Tools", &Type::Struct(&TOOL));

/// The real server reads a message as another type of the same members, which its errors name.
static MESSAGE: Shape = Shape {
    package: "api",
    name: "Alias",
    fields: &[
        ("role", Type::Text),
        ("content", Type::Text),
        ("thinking", Type::Text),
        ("images", IMAGES),
        ("tool_calls", Type::List("[]api.ToolCall", &Type::Struct(&TOOL_CALL))),
        ("tool_name", Type::Text),
        ("tool_call_id", Type::Text),
    ],
};

static TOOL_CALL: Shape = Shape {
    package: "api",
    name: "ToolCall",
    fields: &[("id", Type::Text), ("function", Type::Struct(&TOOL_CALL_FUNCTION))],
};

static TOOL_CALL_FUNCTION: Shape = Shape {
    package: "api",
    name: "ToolCallFunction",
    fields: &[
        ("index", Type::Whole("int")),
        ("name", Type::Text),
        ("arguments", Type::Own(read_ordered)),
    ],
};

pub(super) static TOOL: Shape = Shape {
    package: "api",
    name: "Tool",
    fields: &[
        ("type", Type::Text),
        ("items", Type::Any),
        ("function", Type::Struct(&TOOL_FUNCTION)),
    ],
};

static TOOL_FUNCTION: Shape = Shape {
    package: "api",
    name: "ToolFunction",
    fields: &[
        ("name", Type::Text),
        ("description", Type::Text),
        ("parameters", Type::Struct(&TOOL_PARAMETERS)),
    ],
};

pub(super) static TOOL_PARAMETERS: Shape = Shape {
    package: "api",
    name: "ToolFunctionParameters",
    fields: &[
        ("type", Type::Text),
        ("$defs", Type::Any),
        ("items", Type::Any),
        ("required", TEXTS),
        ("properties", Type::Pointer(&Type::Own(read_ordered))),
    ],
};

/// A map that keeps its order, as the library that the real server uses for it reads one.
fn read_ordered(node: Node) -> Result<Value, Wrong> {
    match node {
        Node::Object(_) => Ok(node.into_value()),
        Node::Null => Ok(Value::Object(Map::new())),
        _ => Err(Wrong::Text(
            "Value looks like object, but can't find closing '}' symbol".to_owned(),
        )),
    }
}

fn read_think(node: Node) -> Result<Value, Wrong> {
    const LEVELS: [&str; 4] = ["high", "medium", "low", "max"];
    match node {
        Node::Bool(flag) => Ok(Value::Bool(flag)),
        Node::Text(text) if LEVELS.contains(&text.as_str()) => Ok(Value::String(text)),
        Node::Text(text) => Err(Wrong::Text(format!(
            r#"invalid think value: {} (must be "high", "medium", "low", "max", true, or false)"#,
            quoted(&text)
        ))),
        _ => Err(Wrong::Text(
            r#"think must be a boolean or string ("high", "medium", "low", "max", true, or false)"#
                .to_owned(),
        )),
    }
}

fn read_keep_alive(node: Node) -> Result<Value, Wrong> {
    match node {
        Node::Text(text) => match KeepAlive::parse(&text) {
            Ok(_) => Ok(Value::String(text)),
            Err(reason) => Err(Wrong::Text(reason)),
        },
        Node::Number(_) => Ok(node.into_value()),
        Node::Bool(_) => Err(unsupported("bool")),
        Node::List(_) => Err(unsupported("[]interface {}")),
        Node::Object(_) => Err(unsupported("map[string]interface {}")),
        Node::Null => Ok(Value::Null),
    }
}

fn unsupported(kind: &str) -> Wrong {
    Wrong::Text(format!("Unsupported type: '{kind}'"))
}

/// `keep_alive` of a request.
pub(super) fn keep_alive(fields: &Fields) -> KeepAlive {
    match fields.get("keep_alive") {
        Some(Value::String(text)) => KeepAlive::parse(text).unwrap_or_default(),
        Some(value) => value.as_f64().map_or(KeepAlive::Forever, KeepAlive::from_seconds),
        None => KeepAlive::Default,
    }
}

/// `think` of a request.
pub(super) fn think(fields: &Fields) -> Option<Think> {
    Some(match fields.get("think")? {
        Value::String(level) => Think::Level(level.clone()),
        Value::Bool(false) => Think::Off,
        _ => Think::On,
    })
}

/// `format` of a request.
///
/// # Errors
/// 500, which the real server's runner gives: only once the model is loaded.
pub(super) fn format(fields: &Fields) -> Result<Format, Refusal> {
    format_of(fields.get("format"))
}

/// The same, wherever the request has it.
///
/// # Errors
/// As [`format`].
pub(super) fn format_of(wanted: Option<&Value>) -> Result<Format, Refusal> {
    match wanted {
        None | Some(Value::Null) => Ok(Format::None),
        Some(Value::String(text)) if text.is_empty() => Ok(Format::None),
        Some(Value::String(text)) if text == "json" => Ok(Format::Json),
        Some(schema @ Value::Object(_)) => Ok(Format::Schema(schema.clone())),
        // The real server prints the format with `%q`, so a format that is a text is quoted twice.
        Some(other) => Err(Refusal::new(
            500,
            format!(
                "invalid format: {}; expected \"json\" or a valid JSON Schema object",
                quoted(&other.to_string())
            ),
        )),
    }
}

/// `logprobs` and `top_logprobs` of a request.
///
/// # Errors
/// 400 where `top_logprobs` is not between 0 and 20.
pub(super) fn logprobs(fields: &Fields) -> Result<Option<u8>, Refusal> {
    let top = fields.whole("top_logprobs");
    let top = u8::try_from(top)
        .ok()
        .filter(|top| *top <= 20)
        .ok_or_else(|| Refusal::bad_request("top_logprobs must be between 0 and 20"))?;
    Ok(fields.flag("logprobs").unwrap_or_default().then_some(top))
}

/// Images of a request, decoded; they were checked when it was read.
pub(super) fn images(fields: &Fields) -> Vec<Vec<u8>> {
    fields
        .list("images")
        .iter()
        .filter_map(Value::as_str)
        .map(|text| decode_base64(text).unwrap_or_default())
        .collect()
}

/// `messages` of a request.
pub(super) fn messages(fields: &Fields) -> Vec<Message> {
    fields.list("messages").iter().map(|value| message(&Fields::of(value))).collect()
}

fn message(fields: &Fields) -> Message {
    let or_none = |name: &str| Some(fields.text(name).to_owned()).filter(|text| !text.is_empty());
    Message {
        role: fields.text("role").to_lowercase(),
        content: fields.text("content").to_owned(),
        thinking: or_none("thinking"),
        images: images(fields),
        tool_calls: fields.list("tool_calls").iter().map(tool_call).collect(),
        tool_name: or_none("tool_name"),
        tool_call_id: or_none("tool_call_id"),
    }
}

fn tool_call(value: &Value) -> ToolCall {
    let call = Fields::of(value);
    let function = Fields(call.map("function"));
    ToolCall {
        name: function.text("name").to_owned(),
        arguments: function.map("arguments"),
        id: Some(call.text("id").to_owned()).filter(|id| !id.is_empty()),
    }
}

/// `tools` of a request.
pub(super) fn tools(fields: &Fields) -> Vec<Tool> {
    fields
        .list("tools")
        .iter()
        .map(|value| {
            let function = Fields(Fields::of(value).map("function"));
            Tool {
                name: function.text("name").to_owned(),
                description: function.text("description").to_owned(),
                parameters: Value::Object(function.map("parameters")),
            }
        })
        .collect()
}

/// A call as the native API writes it.
#[derive(Debug, Serialize)]
pub(super) struct CallLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    function: FunctionLine<'a>,
}

#[derive(Debug, Serialize)]
struct FunctionLine<'a> {
    index: usize,
    name: &'a str,
    arguments: &'a Map<String, Value>,
}

impl<'a> CallLine<'a> {
    /// The `index`-th call of an answer.
    pub(super) fn new(index: usize, call: &'a ToolCall) -> Self {
        Self {
            id: call.id.as_deref(),
            function: FunctionLine { index, name: &call.name, arguments: &call.arguments },
        }
    }
}

/// Metrics as they are written: what is 0 is not there.
#[derive(Debug, Serialize, Default)]
pub(super) struct MetricsLine {
    #[serde(skip_serializing_if = "is_zero")]
    total_duration: u64,
    #[serde(skip_serializing_if = "is_zero")]
    load_duration: u64,
    #[serde(skip_serializing_if = "is_zero")]
    prompt_eval_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    prompt_eval_duration: u64,
    #[serde(skip_serializing_if = "is_zero")]
    eval_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    eval_duration: u64,
}

impl From<&Metrics> for MetricsLine {
    fn from(metrics: &Metrics) -> Self {
        Self {
            total_duration: metrics.total_duration,
            load_duration: metrics.load_duration,
            prompt_eval_count: metrics.prompt_eval_count,
            prompt_eval_duration: metrics.prompt_eval_duration,
            eval_count: metrics.eval_count,
            eval_duration: metrics.eval_duration,
        }
    }
}

/// Whether a number is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Log probabilities as they are written; not there where there are none.
pub(super) fn logprobs_line(logprobs: &[TokenLogprob]) -> Option<&[TokenLogprob]> {
    (!logprobs.is_empty()).then_some(logprobs)
}

/// What one line of an answer says, wherever an API has it.
pub(super) struct Said<'a> {
    pub(super) text: &'a str,
    pub(super) thinking: &'a str,
    pub(super) calls: Vec<CallLine<'a>>,
    pub(super) logprobs: Option<&'a [TokenLogprob]>,
}

impl Said<'_> {
    const NOTHING: Self = Self { text: "", thinking: "", calls: Vec::new(), logprobs: None };
}

/// An answer of text: a line for each piece and a last one, or one object that says all.
///
/// `line` writes what is said at a time, and whether that is the end.
pub(super) fn text(
    ask: &Ask,
    performance: &Performance,
    line: impl Fn(Said<'_>, Duration, bool) -> Vec<u8>,
) -> Script {
    let ends_at = performance.ends_at;
    if !ask.stream {
        let (text, thinking) = (performance.text(), performance.thinking());
        let logprobs = performance.logprobs();
        let said = Said {
            text: &text,
            thinking: &thinking,
            calls: performance
                .calls()
                .enumerate()
                .map(|(at, call)| CallLine::new(at, call))
                .collect(),
            logprobs: logprobs_line(&logprobs),
        };
        return Script { head_at: ends_at, ..Script::whole(200, JSON, line(said, ends_at, true)) };
    }
    let framed = |said, at, is_last| {
        let mut bytes = line(said, at, is_last);
        bytes.push(b'\n');
        Frame { at, bytes: Bytes::from(bytes) }
    };
    let mut calls = 0;
    let mut frames: Vec<Frame> = Vec::with_capacity(performance.pieces.len() + 1);
    for piece in &performance.pieces {
        let mut said = Said { logprobs: logprobs_line(&piece.logprobs), ..Said::NOTHING };
        match &piece.part {
            Part::Text(text) => said.text = text,
            Part::Thinking(text) => said.thinking = text,
            Part::Call(call) => {
                said.calls.push(CallLine::new(calls, call));
                calls += 1;
            }
        }
        frames.push(framed(said, piece.at, false));
    }
    frames.push(framed(Said::NOTHING, ends_at, true));
    Script::stream(NDJSON, frames)
}

/// The end of reading a chat or a prompt, once the model is loaded: its format, and whether it fits.
///
/// # Errors
/// As [`format`] and [`admission::fits`].
pub(super) fn text_asked(mut ask: Ask, fields: &Fields) -> Result<Asked, Refusal> {
    let in_stream = |refusal: Refusal| refusal.in_stream(ask.stream);
    ask.format = format(fields).map_err(in_stream)?;
    admission::fits(&ask).map_err(in_stream)?;
    Ok(Asked::Text(Box::new(ask)))
}

/// What `_debug_render_only` gives in place of an answer.
#[derive(Debug, Serialize)]
pub(super) struct DebugLine {
    rendered_template: String,
    #[serde(skip_serializing_if = "is_zero")]
    image_count: u64,
}

impl DebugLine {
    /// The prompt as the model would get it, in the form that the templates of our models have.
    pub(super) fn of(ask: &Ask) -> Self {
        let image_count = ask.messages.iter().map(|message| message.images.len() as u64).sum();
        Self { rendered_template: rendered(ask), image_count }
    }
}

fn rendered(ask: &Ask) -> String {
    if ask.raw {
        return ask.last_user().to_owned();
    }
    if let Some(suffix) = &ask.suffix {
        let prompt = ask.last_user();
        return format!("<|fim_prefix|>{prompt}<|fim_suffix|>{suffix}<|fim_middle|>");
    }
    let mut text = String::new();
    let mut image = 0;
    for message in &ask.messages {
        text.push_str(&format!("<|im_start|>{}\n", message.role));
        for _ in &message.images {
            text.push_str(&format!("[img-{image}]"));
            image += 1;
        }
        text.push_str(&format!("{}<|im_end|>\n", message.content));
    }
    text.push_str("<|im_start|>assistant\n");
    text
}

/// A whole JSON answer.
pub(super) fn json<T: Serialize>(status: u16, value: &T) -> Script {
    Script::whole(status, JSON, to_vec(value))
}

/// The same as something that needs no model.
pub(super) fn done<T: Serialize>(value: &T) -> Asked {
    Asked::Done(json(200, value))
}

/// An answer without a body.
pub(super) fn empty(status: u16) -> Asked {
    Asked::Done(Script {
        status,
        headers: Vec::new(),
        head_at: std::time::Duration::ZERO,
        body: Body::Whole(Bytes::new()),
        end: End::Complete,
    })
}

/// Lines of a stream, all at once.
pub(super) fn lines<T: Serialize>(values: &[T]) -> Vec<Frame> {
    values
        .iter()
        .map(|value| Frame { at: std::time::Duration::ZERO, bytes: to_line(value) })
        .collect()
}

/// The native error.
#[derive(Debug, Serialize)]
pub(super) struct ErrorLine<'a> {
    pub(super) error: &'a str,
}

/// An error in place of an answer.
pub(super) fn refuse(refusal: &Refusal, _stamp: &Stamp) -> Script {
    let content_type = if refusal.in_stream { JSON_IN_STREAM } else { JSON };
    let error = ErrorLine { error: &refusal.message };
    Script::whole(refusal.status, content_type, to_vec(&error))
}

/// An error after the first line: one more line.
pub(super) fn broken_off(message: &str, _ask: &Ask, _stamp: &Stamp) -> Bytes {
    to_line(&ErrorLine { error: message })
}
