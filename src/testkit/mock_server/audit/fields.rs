//! The fields of a body: which each route reads, and which it does not.

use serde_json::Value;

use super::{Finding, Seen, options, pointer};
use crate::testkit::nearest::nearest;

/// What each route reads.
const READ: [(&str, &[&str]); 15] = [
    (
        "/api/generate",
        &[
            "model",
            "prompt",
            "suffix",
            "system",
            "template",
            "context",
            "stream",
            "raw",
            "format",
            "keep_alive",
            "images",
            "options",
            "think",
            "truncate",
            "shift",
            "logprobs",
            "top_logprobs",
            "_debug_render_only",
        ],
    ),
    (
        "/api/chat",
        &[
            "model",
            "messages",
            "stream",
            "format",
            "keep_alive",
            "tools",
            "options",
            "think",
            "truncate",
            "shift",
            "logprobs",
            "top_logprobs",
            "_debug_render_only",
        ],
    ),
    ("/api/embed", &["model", "input", "truncate", "dimensions", "keep_alive", "options"]),
    ("/api/embeddings", &["model", "prompt", "keep_alive", "options"]),
    ("/api/show", &["model", "name", "verbose", "system", "template", "options"]),
    ("/api/pull", &["model", "name", "insecure", "stream"]),
    ("/api/push", &["model", "name", "insecure", "stream"]),
    (
        "/api/create",
        &[
            "model",
            "name",
            "from",
            "files",
            "adapters",
            "template",
            "license",
            "system",
            "parameters",
            "messages",
            "quantize",
            "quantization",
            "draft_quantize",
            "draft_files",
            "renderer",
            "parser",
            "requires",
            "info",
            "remote_host",
            "stream",
        ],
    ),
    ("/api/copy", &["source", "destination"]),
    ("/api/delete", &["model", "name"]),
    (
        "/v1/chat/completions",
        &[
            "model",
            "messages",
            "stream",
            "stream_options",
            "max_tokens",
            "seed",
            "stop",
            "temperature",
            "top_p",
            "frequency_penalty",
            "presence_penalty",
            "response_format",
            "tools",
            "reasoning",
            "reasoning_effort",
            "logprobs",
            "top_logprobs",
            "_debug_render_only",
        ],
    ),
    (
        "/v1/completions",
        &[
            "model",
            "prompt",
            "suffix",
            "max_tokens",
            "temperature",
            "top_p",
            "frequency_penalty",
            "presence_penalty",
            "seed",
            "stop",
            "stream",
            "stream_options",
            "logprobs",
            "_debug_render_only",
        ],
    ),
    ("/v1/embeddings", &["model", "input", "dimensions", "encoding_format"]),
    (
        "/v1/responses",
        &[
            "model",
            "input",
            "instructions",
            "max_output_tokens",
            "reasoning",
            "temperature",
            "top_p",
            "text",
            "tools",
            "truncation",
            "stream",
            "background",
            "include",
        ],
    ),
    (
        "/v1/messages",
        &[
            "model",
            "max_tokens",
            "messages",
            "system",
            "stream",
            "temperature",
            "top_p",
            "top_k",
            "stop_sequences",
            "tools",
            "thinking",
            "output_config",
        ],
    ),
];

/// Routes to which the vendor's API has more fields than the server reads.
const CHAT: &[&str] = &["/v1/chat/completions"];
const TEXT: &[&str] = &["/v1/chat/completions", "/v1/completions"];
const RESPONSES: &[&str] = &["/v1/responses"];
const MESSAGES: &[&str] = &["/v1/messages"];
const OPENAI: &[&str] = &["/v1/chat/completions", "/v1/completions", "/v1/responses"];
const COMPATIBLE: &[&str] =
    &["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"];
const USER: &[&str] =
    &["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"];

/// A field that the vendor's API has and the server does not read.
struct Ignored {
    routes: &'static [&'static str],
    field: &'static str,
    /// Values that ask for what happens anyway.
    harmless: fn(&Value) -> bool,
    effect: &'static str,
    mend: &'static str,
}

const fn ignored_field(
    routes: &'static [&'static str],
    field: &'static str,
    harmless: fn(&Value) -> bool,
    effect: &'static str,
    mend: &'static str,
) -> Ignored {
    Ignored { routes, field, harmless, effect, mend }
}

fn never(_value: &Value) -> bool {
    false
}

fn one(value: &Value) -> bool {
    value.as_f64() == Some(1.0)
}

fn empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty)
}

fn auto(value: &Value) -> bool {
    value == "auto" || value.get("type").is_some_and(|kind| kind == "auto")
}

fn yes(value: &Value) -> bool {
    value == &Value::Bool(true)
}

fn no(value: &Value) -> bool {
    value == &Value::Bool(false)
}

/// What is not read of the OpenAI and Anthropic APIs.
const IGNORED: [Ignored; 27] = [
    ignored_field(
        COMPATIBLE,
        "tool_choice",
        auto,
        "the model may call a tool or none, as it likes",
        "leave `tools` out to forbid calls; to force one, say so in the prompt and check the answer",
    ),
    ignored_field(TEXT, "n", one, "there is always one choice", "send the request n times"),
    ignored_field(TEXT, "best_of", one, "there is always one choice", "take it out"),
    ignored_field(
        CHAT,
        "max_completion_tokens",
        never,
        "the answer is not limited",
        "send `max_tokens`",
    ),
    ignored_field(USER, "user", never, "nothing is kept by user", "take it out"),
    ignored_field(
        TEXT,
        "logit_bias",
        empty,
        "no token is made likelier or less likely",
        "take it out",
    ),
    ignored_field(
        OPENAI,
        "parallel_tool_calls",
        yes,
        "the model may make several calls in one answer",
        "handle every call of an answer",
    ),
    ignored_field(OPENAI, "store", no, "nothing is kept", "keep the conversation in the client"),
    ignored_field(COMPATIBLE, "metadata", empty, "nothing is kept", "take it out"),
    ignored_field(COMPATIBLE, "service_tier", auto, "there are no tiers", "take it out"),
    ignored_field(CHAT, "functions", never, "the model does not see them", "send `tools`"),
    ignored_field(CHAT, "function_call", never, "nothing is forced", "send `tools`"),
    ignored_field(CHAT, "modalities", never, "the answer is text", "take it out"),
    ignored_field(CHAT, "audio", never, "the answer is text", "take it out"),
    ignored_field(CHAT, "prediction", never, "nothing is sped up", "take it out"),
    ignored_field(
        CHAT,
        "web_search_options",
        never,
        "nothing is searched",
        "use the web_search tool of /v1/responses",
    ),
    ignored_field(
        CHAT,
        "verbosity",
        never,
        "the answer is as long as it is",
        "say so in the prompt",
    ),
    ignored_field(
        TEXT,
        "top_k",
        never,
        "the model's own top_k holds",
        "set it in the Modelfile, or use `options` of /api/chat",
    ),
    ignored_field(OPENAI, "prompt_cache_key", never, "the cache needs no key", "take it out"),
    ignored_field(OPENAI, "safety_identifier", never, "nothing is kept", "take it out"),
    ignored_field(
        &["/v1/completions"],
        "echo",
        no,
        "the prompt is not repeated",
        "join it yourself",
    ),
    ignored_field(
        RESPONSES,
        "previous_response_id",
        never,
        "responses are not kept; the model sees only this input",
        "send the whole conversation in `input`",
    ),
    ignored_field(
        RESPONSES,
        "conversation",
        never,
        "conversations are not kept; the model sees only this input",
        "send the whole conversation in `input`",
    ),
    ignored_field(
        RESPONSES,
        "max_tool_calls",
        never,
        "calls are not limited",
        "count them in the client",
    ),
    ignored_field(
        RESPONSES,
        "top_logprobs",
        never,
        "there are no log probabilities here",
        "use /v1/chat/completions",
    ),
    ignored_field(MESSAGES, "container", never, "nothing is run", "take it out"),
    ignored_field(MESSAGES, "mcp_servers", never, "no server is called", "take it out"),
];

/// Fields of the native API that people send to the others, and what to do there.
const NATIVE_ONLY: [(&str, &str); 7] = [
    ("options", "set options as fields of this API, or use /api/chat"),
    ("num_ctx", "set num_ctx in the Modelfile or OLLAMA_CONTEXT_LENGTH, or use /api/chat"),
    ("keep_alive", "set OLLAMA_KEEP_ALIVE, or use /api/chat"),
    ("format", "use `response_format` (`text.format` in responses)"),
    ("think", "use `reasoning_effort` (`reasoning` in responses, `thinking` in messages)"),
    ("template", "set it in the Modelfile"),
    ("raw", "use /api/generate"),
];

/// What the native API calls a field of the OpenAI API.
const NATIVE_NAMES: [(&str, &str); 6] = [
    ("response_format", "`format`"),
    ("reasoning_effort", "`think`"),
    ("reasoning", "`think`"),
    ("system", "a message of role system at the front"),
    ("tool_choice", "nothing: leave `tools` out to forbid calls"),
    ("stream_options", "nothing: the last line always has the counts"),
];

fn read(route: &str) -> Option<&'static [&'static str]> {
    READ.iter().find(|(known, _)| *known == route).map(|(_, fields)| *fields)
}

fn is_read(fields: &[&str], name: &str) -> bool {
    fields.iter().any(|field| field.eq_ignore_ascii_case(name))
}

fn ignored_row(route: &str, name: &str) -> Option<&'static Ignored> {
    IGNORED.iter().find(|row| row.field == name && row.routes.contains(&route))
}

fn takes_options(seen: &Seen<'_>) -> bool {
    seen.native() && read(seen.route).is_some_and(|fields| fields.contains(&"options"))
}

fn is_dead(seen: &Seen<'_>, name: &str) -> bool {
    DEAD.iter().any(|(route, field, ..)| *route == seen.route && *field == name)
}

pub(super) fn unknown(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(fields) = read(seen.route) else { return Vec::new() };
    seen.body
        .iter()
        .filter(|(name, _)| !is_read(fields, name))
        .filter(|(name, _)| ignored_row(seen.route, name).is_none())
        .filter(|(name, _)| !is_dead(seen, name))
        .filter(|(name, _)| !(takes_options(seen) && options::meant(name).is_some()))
        .map(|(name, _)| {
            Finding::new(
                pointer(&[name]),
                format!("{} does not read {name}; it is passed over without a word", seen.route),
                mend_of_unknown(seen, name, fields),
            )
        })
        .collect()
}

fn mend_of_unknown(seen: &Seen<'_>, name: &str, fields: &'static [&'static str]) -> String {
    let (table, native): (&[(&str, &str)], bool) =
        if seen.native() { (&NATIVE_NAMES, true) } else { (&NATIVE_ONLY, false) };
    let row = table.iter().find(|(field, _)| *field == name);
    match row {
        Some((_, own)) if native => format!("here that is {own}"),
        Some((_, mend)) => (*mend).to_owned(),
        None => match nearest(name, fields.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => "take it out".to_owned(),
        },
    }
}

pub(super) fn ignored(seen: &Seen<'_>) -> Vec<Finding> {
    seen.body
        .iter()
        .filter(|(_, value)| !value.is_null())
        .filter_map(|(name, value)| {
            let row = ignored_row(seen.route, name).filter(|row| !(row.harmless)(value))?;
            let text = format!("{name} is ignored: {}", row.effect);
            Some(Finding::new(pointer(&[name]), text, row.mend))
        })
        .collect()
}

pub(super) fn misplaced(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(fields) = read(seen.route).filter(|_| takes_options(seen)) else {
        return Vec::new();
    };
    seen.body
        .keys()
        .filter(|name| !is_read(fields, name))
        .filter_map(|name| {
            let option = options::meant(name)?;
            Some(Finding::new(
                pointer(&[name]),
                format!("{name} beside `options` is passed over without a word"),
                format!("send it as `options.{option}`"),
            ))
        })
        .collect()
}

pub(super) fn deprecated_name(seen: &Seen<'_>) -> Vec<Finding> {
    const ROUTES: [&str; 5] = ["/api/pull", "/api/push", "/api/create", "/api/show", "/api/delete"];
    Finding::when(
        seen.is_route(&ROUTES) && seen.field("name").is_some(),
        "/name",
        "`name` still works and is deprecated",
        "send `model`",
    )
}

pub(super) fn deprecated_context(seen: &Seen<'_>) -> Vec<Finding> {
    Finding::when(
        seen.is_route(&["/api/generate"]) && !seen.list("context").is_empty(),
        "/context",
        "`context` still works and is deprecated",
        "use /api/chat and send the conversation as messages",
    )
}

/// Fields that once worked: the route, the field, what happens, the mend.
const DEAD: [(&str, &str, &str, &str); 6] = [
    (
        "/api/create",
        "modelfile",
        "a Modelfile is no longer read",
        "send its parts: `from`, `system`, `template`, `parameters`, …",
    ),
    (
        "/api/create",
        "path",
        "the server no longer reads local files",
        "upload with /api/blobs/:digest and send `files`",
    ),
    ("/api/generate", "width", "images are no longer made", "take it out"),
    ("/api/generate", "height", "images are no longer made", "take it out"),
    ("/api/generate", "steps", "images are no longer made", "take it out"),
    ("/api/chat", "prompt", "the chat has no prompt", "send it as a message of role user"),
];

pub(super) fn dead(seen: &Seen<'_>) -> Vec<Finding> {
    DEAD.iter()
        .filter(|(route, field, ..)| *route == seen.route && seen.field(field).is_some())
        .map(|(_, field, text, mend)| Finding::new(pointer(&[field]), *text, *mend))
        .collect()
}
