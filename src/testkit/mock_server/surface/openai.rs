//! What the OpenAI routes share: the shape of errors, usage, tool calls, images as data URIs, and
//! how hard to think.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bind::Bound;
use super::go_json::{Shape, Type, decode_base64, quoted, to_line, to_vec};
use crate::testkit::mock_server::ask::{EmbedAsk, Think, Tool};
use crate::testkit::mock_server::exchange::Stamp;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::{Finish, Metrics, Performance, TokenLogprob, ToolCall};
use crate::testkit::mock_server::script::Script;

/// The content type of answers known whole, errors among them.
pub(super) const JSON: &str = crate::testkit::mock_server::headers::JSON;

/// What Ollama calls itself in `system_fingerprint`.
pub(super) const FINGERPRINT: &str = "fp_ollama";

#[derive(Serialize)]
struct Failure<'a> {
    error: FailureText<'a>,
}

#[derive(Serialize)]
struct FailureText<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<()>,
    code: Option<()>,
}

/// An error in the shape of the OpenAI API.
pub(super) fn refuse(refusal: &Refusal, _: &Stamp) -> Script {
    let r#type = match refusal.status {
        400 => "invalid_request_error",
        404 => "not_found_error",
        _ => "api_error",
    };
    let error = FailureText { message: &refusal.message, r#type, param: None, code: None };
    Script::whole(refusal.status, JSON, to_line(&Failure { error }))
}

/// An answer known whole, its head out at `at`.
pub(super) fn whole(at: Duration, body: impl Into<Bytes>) -> Script {
    Script { head_at: at, ..Script::whole(200, JSON, body) }
}

/// For a route that has no vectors to give.
pub(super) fn no_vectors(_: &EmbedAsk, _: &[Vec<f32>], _: &Metrics, stamp: &Stamp) -> Script {
    refuse(&Refusal::new(500, "this route answers with text, not with vectors"), stamp)
}

/// Tokens, as chat and completions count them.
#[derive(Serialize, Clone, Copy, Default)]
pub(super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl From<&Metrics> for Usage {
    fn from(metrics: &Metrics) -> Self {
        Self {
            prompt_tokens: metrics.prompt_eval_count,
            completion_tokens: metrics.eval_count,
            total_tokens: metrics.prompt_eval_count + metrics.eval_count,
        }
    }
}

/// `done_reason` of the native API, under the same names here.
pub(super) fn done_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

/// Why a chat ends. An answer cut short says so even where it called tools.
pub(super) fn finish_reason(performance: &Performance) -> &'static str {
    match performance.finish {
        Finish::Length => "length",
        Finish::Stop if performance.calls().next().is_some() => "tool_calls",
        Finish::Stop => "stop",
    }
}

/// A tool call on the wire.
#[derive(Serialize)]
pub(super) struct WireCall<'a> {
    id: &'a str,
    index: usize,
    r#type: &'static str,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    arguments: String,
}

impl<'a> WireCall<'a> {
    /// The `index`-th call of an answer.
    pub(super) fn new(index: usize, call: &'a ToolCall) -> Self {
        let function = WireFunction { name: &call.name, arguments: arguments(call) };
        Self { id: call_id(call), index, r#type: "function", function }
    }
}

/// The id of a call; a performance has given it one.
pub(super) fn call_id(call: &ToolCall) -> &str {
    call.id.as_deref().unwrap_or_default()
}

/// The arguments of a call as JSON in a text.
pub(super) fn arguments(call: &ToolCall) -> String {
    String::from_utf8(to_vec(&call.arguments)).unwrap_or_default()
}

/// Log probabilities of a choice.
#[derive(Serialize)]
pub(super) struct Logprobs<'a> {
    content: &'a [TokenLogprob],
}

impl<'a> Logprobs<'a> {
    /// `None` where the request asked for none.
    pub(super) fn of(content: &'a [TokenLogprob]) -> Option<Self> {
        (!content.is_empty()).then_some(Self { content })
    }
}

/// The image in a data URI.
///
/// # Errors
/// As the real server has them: it fetches nothing, and knows four kinds of image.
pub(super) fn image(url: &str) -> Result<Vec<u8>, Refusal> {
    const KINDS: [&str; 5] = [
        "data:;base64,",
        "data:image/jpeg;base64,",
        "data:image/jpg;base64,",
        "data:image/png;base64,",
        "data:image/webp;base64,",
    ];
    if url.starts_with("http://") || url.starts_with("https://") {
        return Err(Refusal::bad_request(
            "image URLs are not currently supported, please use base64 encoded data instead",
        ));
    }
    KINDS
        .iter()
        .find_map(|kind| url.strip_prefix(kind))
        .and_then(|encoded| decode_base64(encoded).ok())
        .ok_or_else(|| Refusal::bad_request("invalid image input"))
}

/// How hard to think, for `reasoning_effort`; nothing where the request says nothing.
///
/// # Errors
/// 400 for a word that is none of the efforts.
pub(super) fn effort(word: &str) -> Result<Option<Think>, Refusal> {
    let level = match word {
        "" => return Ok(None),
        "none" => return Ok(Some(Think::Off)),
        "minimal" | "low" => "low",
        "medium" => "medium",
        "high" => "high",
        "max" | "xhigh" | "ultra" => "max",
        _ => {
            return Err(Refusal::bad_request(format!(
                "invalid reasoning value: {} (must be \"minimal\", \"low\", \"medium\", \
                 \"high\", \"xhigh\", \"ultra\", \"max\", or \"none\")",
                quoted(word)
            )));
        }
    };
    Ok(Some(Think::Level(level.to_owned())))
}

/// The arguments of a call in a request: JSON in a text, an object or null.
///
/// # Errors
/// 400 for anything else.
pub(super) fn read_arguments(text: &str) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(Value::Null) => Ok(Map::new()),
        _ => Err(Refusal::bad_request("invalid tool call arguments")),
    }
}

/// `stream_options` of chat and completions.
pub(super) static STREAM_OPTIONS: Shape =
    Shape { package: "openai", name: "StreamOptions", fields: &[("include_usage", Type::Flag)] };

/// Whether a stream ends with its usage.
pub(super) fn include_usage(fields: &mut Bound) -> bool {
    fields.object("stream_options").is_some_and(|options| options.flag("include_usage"))
}

/// Passes a number on under its native name, or its default.
pub(super) fn number(
    options: &mut Map<String, Value>,
    native: &str,
    fields: &Bound,
    name: &str,
    default: Option<f64>,
) {
    let value = fields.number(name).map(|number| Value::Number(number.clone()));
    if let Some(value) = value.or_else(|| default.map(|default| json!(default))) {
        options.insert(native.to_owned(), value);
    }
}

/// How many alternatives of each token are wanted.
///
/// # Errors
/// 400 where it is none of 0 to 20.
pub(super) fn top_logprobs(wanted: i64) -> Result<u8, Refusal> {
    u8::try_from(wanted)
        .ok()
        .filter(|wanted| *wanted <= 20)
        .ok_or_else(|| Refusal::bad_request("top_logprobs must be between 0 and 20"))
}

/// Tools of the native API's form.
pub(super) fn tools(tools: Vec<Bound>) -> Vec<Tool> {
    let functions = tools.into_iter().filter_map(|mut tool| tool.object("function"));
    functions
        .map(|mut function| Tool {
            name: function.text("name").to_owned(),
            description: function.text("description").to_owned(),
            parameters: function.take("parameters").unwrap_or_else(|| json!({})),
        })
        .collect()
}

/// The tool that stands for a search on the web which the server does itself.
pub(super) fn web_search() -> Tool {
    Tool {
        name: "web_search".to_owned(),
        description: "Search the web for current information. Use this to find up-to-date \
                      information about any topic."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "required": ["query"],
            "properties": {
                "query": {
                    "type": "string",
                    "description": "The search query to look up on the web",
                },
            },
        }),
    }
}
