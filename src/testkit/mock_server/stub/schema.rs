//! The JSON Schema of rule files, `docs/schema/mock-rules.json`: it says every key that the reader
//! knows, and what the reader takes fits it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::condition::ROUTE_NAMES;
use super::fields::Field;
use super::{RuleFile, read_condition, read_stub, read_then};

const REWRITE: &str = "FLAKEDB_REWRITE_DOCS";
const SUFFIXES: [&str; 9] =
    ["contains", "starts_with", "prefix", "equals", "is", "exact", "regex", "matches", "pattern"];

/// Properties from rows of names (the first is the one to use), shape and meaning.
fn properties(rows: &[(&[&str], Value, &str)]) -> Map<String, Value> {
    let mut all = Map::new();
    for (names, shape, about) in rows {
        let first = names[0];
        for name in *names {
            let about = if *name == first {
                (*about).to_owned()
            } else {
                format!("The same as `{first}`.")
            };
            let mut shape = shape.clone();
            shape["description"] = json!(about);
            all.insert((*name).to_owned(), shape);
        }
    }
    all
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn conditions() -> Map<String, Value> {
    let text = || reference("text");
    let mut all = properties(&[
        (
            &["route", "path", "endpoint", "url", "urlPath", "routes"],
            reference("routes"),
            "The route: a path, `*` for any text in it, or a short name; one of a list.",
        ),
        (&["method"], json!({"type": "string"}), "The method."),
        (
            &["model"],
            json!({"type": "string"}),
            "The model, whatever the case; `*` stands for any text, `?` for a letter.",
        ),
        (
            &[
                "user",
                "prompt",
                "last_user",
                "user_message",
                "userMessage",
                "last_user_message",
                "user_text",
                "input",
            ],
            text(),
            "The last text of the user, or a text to embed.",
        ),
        (&["system", "system_prompt", "system_message"], text(), "The system prompt."),
        (&["any_message", "message_text", "messages"], text(), "The text of any message."),
        (
            &["tool_result", "tool_result_text", "toolResult"],
            json!({"anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/text"}]}),
            "The newest message is a tool's result, with this text; `true` for any.",
        ),
        (
            &["has_tool_result", "hasToolResult"],
            json!({"type": "boolean"}),
            "Whether the newest message is a tool's result.",
        ),
        (
            &["turn", "turn_index"],
            reference("turn"),
            "How many messages of the user there are; 1 is the first turn.",
        ),
        (
            &["tool", "tool_name", "toolName", "offers_tool", "tools"],
            reference("texts"),
            "Tools of these names are on offer.",
        ),
        (
            &["format", "response_format"],
            json!({"enum": [true, false, "json", "schema"]}),
            "Whether the request wants a format, and which.",
        ),
        (
            &["images", "has_images", "image"],
            json!({"type": "boolean"}),
            "Whether there are images.",
        ),
        (
            &["think"],
            json!({"type": ["boolean", "string"]}),
            "Whether the model is to think, or the level.",
        ),
        (&["stream", "streaming"], json!({"type": "boolean"}), "Whether the answer streams."),
        (
            &["options"],
            json!({"type": "object"}),
            "Options under their native names; `null` is also absent.",
        ),
        (
            &["header", "request_headers"],
            reference("headers"),
            "Headers: a text, or whether they are there.",
        ),
        (
            &["body_json", "request_body", "pointer", "json_pointer"],
            json!({"type": "object"}),
            "The JSON body by pointers (`/options/seed`): a value, or conditions on a text.",
        ),
    ]);
    let texts = ["user", "system", "any_message", "tool_result"];
    let named: Vec<(Vec<String>, &str)> = texts.iter().map(|of| (aliases(&all, of), *of)).collect();
    for (names, of) in named {
        for name in names {
            for suffix in SUFFIXES {
                let about = format!("As `{of}`, in short: `{{\"{}\": …}}`.", kind(suffix));
                let mut shape = reference("texts");
                shape["description"] = json!(about);
                all.insert(format!("{name}_{suffix}"), shape);
            }
        }
    }
    all
}

fn kind(suffix: &str) -> &str {
    match suffix {
        "is" | "exact" => "equals",
        "prefix" => "starts_with",
        "matches" | "pattern" => "regex",
        other => other,
    }
}

/// A name and all that mean the same.
fn aliases(all: &Map<String, Value>, name: &str) -> Vec<String> {
    let same = format!("The same as `{name}`.");
    let also = all.iter().filter(|(_, shape)| shape["description"] == same.as_str());
    std::iter::once(name.to_owned()).chain(also.map(|(alias, _)| alias.clone())).collect()
}

/// Conditions that only a `match` object has, as outside of it these are the answer's.
fn inner_conditions() -> Map<String, Value> {
    properties(&[
        (&["headers"], reference("headers"), "As `header`."),
        (&["body", "json"], json!({"type": "object"}), "As `body_json`."),
        (&["message"], reference("text"), "As `any_message`."),
        (&["assistant"], reference("text"), "The text of any message of the assistant."),
        (
            &["all"],
            json!({"anyOf": [reference("match"), {"type": "array", "items": reference("match")}]}),
            "More objects of conditions, all of which hold: several on one thing.",
        ),
    ])
}

fn times() -> Map<String, Value> {
    let span = || reference("span");
    properties(&[
        (
            &["latency", "latency_ms", "delay", "delay_ms"],
            span(),
            "Before anything of the answer; a number is milliseconds.",
        ),
        (
            &["first_token", "first_token_ms", "ttft", "ttft_ms"],
            span(),
            "From there to the first token.",
        ),
        (
            &["per_token", "per_token_ms", "token_delay_ms"],
            span(),
            "For each token after the first.",
        ),
        (
            &["tokens_per_second", "tps"],
            json!({"type": "number", "exclusiveMinimum": 0}),
            "The inverse of `per_token`.",
        ),
        (
            &["jitter"],
            json!({"type": "number", "minimum": 0, "maximum": 1}),
            "How far times of tokens stray, as a share of them.",
        ),
    ])
}

fn answers() -> Map<String, Value> {
    let count = || json!({"type": "integer", "minimum": 0});
    let mut all = properties(&[
        (
            &["text", "content", "say", "answer_text"],
            json!({}),
            "The answer; anything but a text becomes JSON.",
        ),
        (&["chunks", "pieces"], reference("texts"), "The pieces in which the answer streams."),
        (
            &["tool_calls", "calls", "tool_call", "calls_tool"],
            reference("tool_calls"),
            "Tools that are called, each `{name, arguments}`, also within `function`.",
        ),
        (&["thinking", "reasoning"], json!({"type": "string"}), "What is thought first."),
        (
            &["finish", "finish_reason", "done_reason"],
            json!({"enum": ["stop", "length", "tool_calls", "end_turn", "tool_use", "max_tokens"]}),
            "Why it ends, whatever the request's limits.",
        ),
        (
            &["embeddings", "embedding", "vectors", "vector"],
            reference("embeddings"),
            "Vectors, one an input; from the first again where there are more inputs.",
        ),
        (
            &["usage"],
            json!({"type": "object", "additionalProperties": false, "properties": {
                "prompt_tokens": count(), "input_tokens": count(), "prompt_eval_count": count(),
                "completion_tokens": count(), "output_tokens": count(), "eval_count": count(),
                "total_tokens": count()}}),
            "How many tokens there are; counted where absent.",
        ),
        (
            &["prompt_tokens", "input_tokens", "prompt_eval_count"],
            count(),
            "How many tokens the prompt has.",
        ),
        (
            &["completion_tokens", "output_tokens", "eval_count"],
            count(),
            "How many tokens the answer has.",
        ),
        (&["template"], json!({"type": "string"}), "A template of the answer (minijinja)."),
        (
            &["error", "message"],
            json!({"type": ["string", "object"]}),
            "An error in the API's own shape: its text, or `{status, message, retry_after, headers}`. As `message` also \
             an assistant's message, `{role, content, …}`.",
        ),
        (
            &["status", "status_code"],
            json!({"type": "integer", "minimum": 200, "maximum": 999}),
            "The status of an error or of raw bytes.",
        ),
        (
            &["raw"],
            json!({"type": ["string", "object"]}),
            "Bytes in place of an answer: `{status, headers, body | json | body_base64}`.",
        ),
        (&["headers"], json!({"type": "object"}), "Headers of the answer, beside its own."),
        (&["retry_after"], json!({"type": ["number", "string"]}), "The header `Retry-After`."),
        (&["body", "raw_body"], json!({}), "Raw bytes as a text; anything else becomes JSON."),
        (&["json", "json_body", "jsonBody"], json!({}), "Raw bytes as JSON."),
        (
            &["body_base64", "base64_body", "base64Body"],
            json!({"type": "string"}),
            "Raw bytes in base64.",
        ),
        (&["replay"], json!({"type": "object"}), "What a real server answered, as recorded."),
        (&["auto"], json!({"type": "boolean"}), "The answer that there would be without the stub."),
        (
            &["faults", "fault"],
            reference("faults"),
            "How it breaks: a fault, a list of them, or the kind alone.",
        ),
        (
            &["timing", "delays"],
            json!({"type": "object", "additionalProperties": false, "properties": times()}),
            "How long the parts of the answer take.",
        ),
    ]);
    all.extend(times());
    all
}

/// What a stub has beside conditions and an answer.
fn frame() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    properties(&[
        (&["name", "description"], text(), "What near misses and the journal call it."),
        (&["id"], json!({"type": ["integer", "string"]}), "From a listing; a text is a name."),
        (&["matched"], json!({"type": "integer"}), "From a listing; not read."),
        (
            &["priority"],
            json!({"type": "integer", "minimum": 0, "default": super::PRIORITY}),
            "1 comes first; of equals, the newest.",
        ),
        (
            &["match", "when", "request", "matcher"],
            reference("match"),
            "The conditions, all of which hold; a text is the user's.",
        ),
        (
            &["reply", "respond", "then", "response", "answer"],
            reference("reply_or_replies"),
            "The answer; a list is answers in turn.",
        ),
        (
            &["replies", "sequence", "responses", "answers"],
            reference("reply_or_replies"),
            "Answers in turn.",
        ),
        (
            &["on_exhausted", "when_exhausted", "exhausted"],
            json!({"enum": ["repeat_last", "cycle", "error", "fallthrough"],
                   "default": "repeat_last"}),
            "What comes after the last of several answers.",
        ),
        (
            &["times", "up_to_n_times", "limit"],
            json!({"type": "integer", "minimum": 1}),
            "Only so often; then the next stub that matches answers.",
        ),
        (
            &["per", "count_per", "counted_per"],
            json!({"enum": ["stub", "request"], "default": "stub"}),
            "What `times` and `replies` count: every request, or each by what it says.",
        ),
        (&["scenario", "scenarioName"], text(), "What the states belong to."),
        (
            &["state", "when_state", "required_state", "requiredScenarioState"],
            text(),
            "The state that the scenario is in; `start` is the first.",
        ),
        (
            &["next_state", "then_state", "new_state", "set_state", "newScenarioState"],
            text(),
            "The state that it comes into.",
        ),
    ])
}

fn settings() -> Map<String, Value> {
    let boolean = || json!({"type": "boolean"});
    let mut all = properties(&[
        (&["seed"], json!({"type": "integer", "minimum": 0}), "What every decision derives from."),
        (&["auto"], boolean(), "Whether `format` and `tools` of a request answer it."),
        (&["default_model"], json!({"type": "string"}), "The model of requests that name none."),
        (&["strict"], boolean(), "The opposite of `default_replies`."),
        (
            &["default_replies"],
            json!({"type": ["boolean", "object", "array"], "additionalProperties": {"type": "string"},
                   "items": {"type": ["object", "array"]}}),
            "Whether a request without a stub gets a default reply; or replies by a word of it.",
        ),
        (
            &["not_in_registry", "missing"],
            reference("texts"),
            "Models that a pull does not find; it finds all others.",
        ),
        (&["any_model"], boolean(), "Whether models are answered for that there are not."),
        (&["unknown_models"], json!({"enum": ["allow", "reject"]}), "The same as `any_model`."),
        (&["faults", "fault"], reference("faults"), "What breaks where no stub says."),
        (&["chaos"], reference("texts"), "Presets of faults: `overload:0.2`."),
        (
            &["timing", "delays"],
            json!({"type": "object", "additionalProperties": false, "properties": times()}),
            "How long the parts of answers take.",
        ),
    ]);
    all.extend(times());
    all
}

fn closed(properties: Map<String, Value>) -> Value {
    let mut shape = json!({"type": "object", "additionalProperties": false});
    shape["properties"] = Value::Object(properties);
    shape
}

fn schema() -> Value {
    let mut matching = conditions();
    matching.extend(inner_conditions());
    let mut stub = frame();
    stub.extend(conditions());
    stub.extend(answers());
    let file = properties(&[
        (&["$schema"], json!({"type": "string"}), "This schema."),
        (
            &["models", "model_list"],
            json!({"type": "array", "items": {"anyOf": [{"type": "string"},
                {"type": "object", "additionalProperties": false, "properties": {
                    "name": {"type": "string"}, "model": {"type": "string"},
                    "modified_at": {}, "capabilities": reference("texts")}}]}}),
            "Models that the server has.",
        ),
        (&["settings"], closed(settings()), "How it answers where no stub says."),
        (
            &["stubs", "rules", "mocks", "mappings", "fixtures"],
            json!({"type": "array", "items": reference("stub")}),
            "The stubs; later ones win over earlier ones of their priority.",
        ),
        (&["faults", "fault"], reference("faults"), "What breaks where no stub says."),
        (&["chaos"], reference("texts"), "Presets of faults: `overload:0.2`."),
    ]);
    let routes: Vec<&str> = ROUTE_NAMES.iter().map(|(name, _)| *name).collect();
    let route = json!({"anyOf": [{"enum": routes}, {"type": "string", "pattern": "^(\\*|/.*|[A-Z]+ +/.*)$"}]});
    let text = json!({"type": "string"});
    let one_or_more = |of: &Value| json!({"anyOf": [of, {"type": "array", "items": of}]});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules of the mock Ollama server (flakedb mock --rules)",
        "anyOf": [closed(file), {"type": "array", "items": reference("stub")}],
        "$defs": {
            "stub": closed(stub),
            "match": {"anyOf": [text, closed(matching)]},
            "reply": {"anyOf": [text, closed(answers())]},
            "reply_or_replies": one_or_more(&reference("reply")),
            "text": {
                "description": "A plain text is equal; an object's conditions all hold.",
                "anyOf": [text, closed(properties(&[
                    (&["equals", "exact", "is", "equal_to", "equalTo", "eq"], reference("texts"), "Exactly this."),
                    (&["contains", "includes", "substring", "has"], reference("texts"), "This is in it; all of a list."),
                    (&["regex", "matches", "pattern", "regexp"], reference("texts"), "It has a match of this regular expression."),
                    (&["starts_with", "startsWith", "prefix"], reference("texts"), "It starts with this."),
                    (&["not"], reference("text"), "It is not so."),
                    (&["ignore_case", "case_insensitive", "ignoreCase"], json!({"type": "boolean"}), "Upper and lower case are alike."),
                ]))],
            },
            "texts": one_or_more(&text),
            "routes": one_or_more(&route),
            "turn": {"anyOf": [{"type": "integer", "minimum": 1}, closed(properties(&[
                (&["from", "min", "at_least"], json!({"type": "integer", "minimum": 1}), "The first."),
                (&["to", "max", "at_most"], json!({"type": "integer", "minimum": 1}), "The last."),
            ]))]},
            "headers": {"type": "object", "additionalProperties": {"anyOf": [{"type": "boolean"}, reference("text")]}},
            "span": {
                "description": "Milliseconds, a text with a unit (`1.5s`), or a distribution.",
                "type": ["number", "string", "object"], "minimum": 0,
            },
            "faults": one_or_more(&json!({"type": ["string", "object"]})),
            "tool_calls": one_or_more(&json!({"anyOf": [text, {"type": "object"}]})),
            "embeddings": {"type": "array", "minItems": 1, "items": {"anyOf": [
                {"type": "number"}, {"type": "array", "items": {"type": "number"}}]}},
        },
    })
}

fn published() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/mock-rules.json")
}

#[test]
fn the_published_schema_is_this_one() {
    let wanted = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os(REWRITE).is_some() {
        fs::write(published(), &wanted).unwrap();
    }
    let found = fs::read_to_string(published()).unwrap_or_default();
    assert!(found == wanted, "docs/schema/mock-rules.json is not current; run with {REWRITE}=1");
    jsonschema::meta::validate(&schema()).unwrap();
}

fn keys(map: &Map<String, Value>) -> BTreeSet<String> {
    map.keys().cloned().collect()
}

#[test]
fn reader_and_schema_know_the_same_keys() {
    let empty = json!({});
    let root = Field::root(&empty);
    let mut matching = root.fields().unwrap();
    read_condition::read(&mut matching).unwrap();
    let mut wanted = conditions();
    assert_eq!(matching.known.into_iter().collect::<BTreeSet<_>>(), keys(&wanted));
    let mut inner = root.fields().unwrap();
    read_condition::read(&mut inner).unwrap();
    read_condition::read_inside(&mut inner).unwrap();
    wanted.extend(inner_conditions());
    assert_eq!(inner.known.into_iter().collect::<BTreeSet<_>>(), keys(&wanted));
    let mut answer = root.fields().unwrap();
    read_then::read_fields(&mut answer).unwrap();
    assert_eq!(answer.known.into_iter().collect::<BTreeSet<_>>(), keys(&answers()));
    let mut stub = root.fields().unwrap();
    let _ = read_stub::read_from(&root, &mut stub);
    let mut wanted = frame();
    wanted.extend(conditions());
    wanted.extend(answers());
    assert_eq!(stub.known.into_iter().collect::<BTreeSet<_>>(), keys(&wanted));
}

/// What is valid for a schema is for the reader, and the other way round, on files of both kinds.
#[test]
fn reader_and_schema_agree_on_files() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good = [
        json!([{"match": "Hi", "reply": "Hello"}]),
        json!({"stubs": [{"user_contains": "x", "model": "a*", "text": "y", "tps": 20}]}),
        json!({"models": ["a"], "settings": {"seed": 1, "chaos": "framing"}, "stubs": []}),
        json!({"stubs": [{"when": {"turn": {"from": 2}, "tool": ["f"], "header": {"a": true}},
            "replies": ["a", {"error": {"status": 500, "message": "b"}}], "per": "request"}]}),
        json!({"stubs": [{"route": "GET /api/tags", "raw": {"json": {"models": []}}}]}),
        json!({"stubs": [{"reply": {"tool_calls": [{"name": "f"}], "thinking": "t"}, "fault": "reset"}]}),
    ];
    let bad = [
        json!([{"match": {"usr": "Hi"}, "reply": "Hello"}]),
        json!([{"match": {"user": {"contain": "Hi"}}, "reply": "Hello"}]),
        json!([{"match": {"turn": 0}, "reply": "Hello"}]),
        json!([{"match": {"route": "chats"}, "reply": "Hello"}]),
        json!({"stub": []}),
        json!({"settings": {"sed": 1}}),
        json!([{"reply": {"txt": "x"}}]),
        json!([{"reply": "x", "on_exhausted": "stop"}]),
        json!([{"reply": "x", "times": 0}]),
    ];
    for file in good {
        assert!(validator.is_valid(&file), "{file}");
        RuleFile::from_value(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    for file in bad {
        assert!(!validator.is_valid(&file), "{file}");
        assert!(RuleFile::from_value(&file).is_err(), "{file}");
    }
}
