//! Streaming, lengths, durations, and the shapes of single fields.

use serde_json::Value;

use super::{Finding, Seen, conversation};

/// The smallest context that a server takes by itself: under 24 GB of video memory.
const SMALLEST_CONTEXT: u64 = 4096;
/// Characters of English to a token, about.
const CHARS_PER_TOKEN: u64 = 4;

pub(super) fn default_stream(seen: &Seen<'_>) -> Vec<Finding> {
    const ROUTES: [&str; 5] =
        ["/api/generate", "/api/chat", "/api/pull", "/api/push", "/api/create"];
    Finding::when(
        seen.is_route(&ROUTES) && !seen.body.is_empty() && seen.field("stream").is_none(),
        "/stream",
        "without `stream` the native API streams: many lines of JSON, not one object",
        "send `\"stream\": false`, or say `true` and read line by line",
    )
}

pub(super) fn usage_alone(seen: &Seen<'_>) -> Vec<Finding> {
    let streams = seen.field("stream").and_then(Value::as_bool).unwrap_or(false);
    Finding::when(
        seen.route.starts_with("/v1/") && seen.field("stream_options").is_some() && !streams,
        "/stream_options",
        "`stream_options` has no effect where nothing streams",
        "take it out; an answer in one piece has its usage anyway",
    )
}

pub(super) fn num_ctx(seen: &Seen<'_>) -> Vec<Finding> {
    const ROUTES: [&str; 6] = [
        "/api/generate",
        "/api/chat",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/v1/messages",
    ];
    if !seen.is_route(&ROUTES) {
        return Vec::new();
    }
    let tokens = conversation::characters(seen) / CHARS_PER_TOKEN;
    let given = seen
        .field("options")
        .filter(|_| seen.native())
        .and_then(|options| options.get("num_ctx"))
        .and_then(Value::as_u64)
        .filter(|given| *given > 0);
    let limit = given.unwrap_or(SMALLEST_CONTEXT);
    if tokens <= limit {
        return Vec::new();
    }
    let text = match given {
        Some(_) => format!(
            "about {tokens} tokens of prompt and a num_ctx of {limit}: the oldest messages are \
             dropped without a word"
        ),
        None => format!(
            "about {tokens} tokens of prompt and no num_ctx: a server with little video memory \
             takes {limit} and drops the oldest messages without a word"
        ),
    };
    let mend = match seen.native() {
        true => format!("send `options.num_ctx` of {} or more", tokens.next_power_of_two()),
        false => "set num_ctx in the Modelfile or OLLAMA_CONTEXT_LENGTH; this API has no field \
                  for it"
            .to_owned(),
    };
    vec![Finding::new("", text, mend)]
}

pub(super) fn keep_alive_unit(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(text) = seen.text("keep_alive").filter(|_| seen.native()) else { return Vec::new() };
    let bare = text.trim_start_matches(['-', '+']);
    let number = !bare.is_empty() && bare.chars().all(|char| char.is_ascii_digit() || char == '.');
    // Go takes "0" as a duration, and no other number without a unit.
    Finding::when(
        number && bare != "0",
        "/keep_alive",
        &format!("{text:?} has no unit: 400 time: missing unit in duration {text:?}"),
        &format!("send \"{text}s\", or the number {text} (seconds)"),
    )
}

pub(super) fn top_logprobs_alone(seen: &Seen<'_>) -> Vec<Finding> {
    let asked = seen.field("top_logprobs").and_then(Value::as_i64).is_some_and(|n| n > 0);
    let logprobs = seen.field("logprobs").is_some_and(|value| value != &Value::Bool(false));
    Finding::when(
        seen.is_route(&["/api/generate", "/api/chat", "/v1/chat/completions"])
            && asked
            && !logprobs,
        "/top_logprobs",
        "`top_logprobs` has no effect without `logprobs`",
        "send `\"logprobs\": true` as well",
    )
}

pub(super) fn top_p_zero(seen: &Seen<'_>) -> Vec<Finding> {
    Finding::when(
        seen.is_route(&["/v1/completions"])
            && seen.field("top_p").and_then(Value::as_f64) == Some(0.0),
        "/top_p",
        "a `top_p` of 0 is taken for none, and becomes 1.0",
        "send a small number, or `\"temperature\": 0`",
    )
}

pub(super) fn think_value(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(value) = seen.field("think").filter(|_| seen.native()) else { return Vec::new() };
    let fits = match value {
        Value::Bool(_) => true,
        Value::String(text) => matches!(text.as_str(), "low" | "medium" | "high" | "max"),
        _ => false,
    };
    Finding::when(
        !fits,
        "/think",
        &format!("`think` cannot be {value}: 400"),
        "send true, false, \"low\", \"medium\", \"high\" or \"max\"",
    )
}

pub(super) fn raw_template(seen: &Seen<'_>) -> Vec<Finding> {
    let raw = seen.field("raw") == Some(&Value::Bool(true));
    let text = |name| seen.text(name).is_some_and(|text| !text.is_empty());
    let clash = text("template") || text("system") || !seen.list("context").is_empty();
    Finding::when(
        seen.is_route(&["/api/generate"]) && raw && clash,
        "/raw",
        "`raw` takes neither template nor system nor context: 400",
        "write everything into `prompt`, or leave `raw` out",
    )
}

pub(super) fn format_string(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(value) = seen.field("format").filter(|_| seen.native()) else { return Vec::new() };
    let fits = match value {
        Value::String(text) => text.is_empty() || text == "json",
        Value::Object(_) => true,
        _ => false,
    };
    Finding::when(
        !fits,
        "/format",
        &format!("`format` cannot be {value}: the server answers 500"),
        "send \"json\" or a JSON Schema as an object, not as a string",
    )
}

pub(super) fn unprompted(seen: &Seen<'_>) -> Vec<Finding> {
    let native = seen.native() && seen.text("format") == Some("json");
    let openai = seen
        .field("response_format")
        .and_then(|format| format.get("type"))
        .is_some_and(|kind| kind == "json_object");
    let wanted = native || (openai && seen.is_route(&["/v1/chat/completions"]));
    let (at, field) =
        if native { ("/format", "format") } else { ("/response_format", "response_format") };
    Finding::when(
        wanted && conversation::characters(seen) > 0 && !conversation::mentions(seen, "json"),
        at,
        &format!(
            "`{field}` wants JSON and no message says so: a model may fill the answer with white \
             space until its limit"
        ),
        "ask for JSON in the prompt, or send a schema",
    )
}

pub(super) fn response_format(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(format) =
        seen.field("response_format").filter(|_| seen.is_route(&["/v1/chat/completions"]))
    else {
        return Vec::new();
    };
    let kind = format.get("type").and_then(Value::as_str).unwrap_or_default();
    let schema = format.get("json_schema").and_then(|schema| schema.get("schema"));
    match kind {
        "text" | "json_object" => Vec::new(),
        "json_schema" => Finding::when(
            schema.is_none(),
            "/response_format/json_schema/schema",
            "there is no schema, so the answer has no shape",
            "send the schema in `json_schema.schema`",
        ),
        _ => vec![Finding::new(
            "/response_format/type",
            format!("a response_format of type {kind:?} is passed over without a word"),
            "send text, json_object or json_schema",
        )],
    }
}
