//! An entry as JSON and as a line of text, its secrets masked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use hyper::HeaderMap;
use serde_json::{Map, Value, json};

use super::{Decision, Entry};

/// What stands for a secret.
const MASK: &str = "***";
/// Headers whose values nobody is to find in the log of a test run.
const SECRET_HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
];
/// Keys of a query that carry secrets.
const SECRET_KEYS: [&str; 6] = ["key", "api_key", "apikey", "api-key", "token", "access_token"];
/// Characters of a text that a summary shows.
const SUMMARY_CHARS: usize = 60;

pub(super) fn entry(entry: &Entry) -> Value {
    let exchange = &entry.exchange;
    let (kind, body) = body(entry);
    json!({
        "index": entry.index,
        "method": exchange.method,
        "path": exchange.path,
        "route": entry.route,
        "query": masked_query(&exchange.query),
        "headers": headers(&exchange.headers),
        "body": body,
        "body_kind": kind,
        "received_at": exchange.received_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "model": entry.model(),
        "matched": entry.matched,
        "decision": decision(&entry.decision),
        "status": entry.status,
        "notes": entry.notes(),
        "near_misses": entry.near_misses,
    })
}

fn decision(decision: &Decision) -> Value {
    json!({
        "request": decision.identity_hex(),
        "n": decision.n,
        "answer": decision.answer.name(),
        "latency_ms": decision.latency.as_nanos() as f64 / 1e6,
        "faults": decision.faults,
    })
}

/// The kind of the body and the body: JSON as JSON, text as a string, else base64.
fn body(entry: &Entry) -> (&'static str, Value) {
    let bytes = &entry.exchange.body;
    if bytes.is_empty() {
        return ("empty", Value::Null);
    }
    if let Some(json) = entry.json() {
        return ("json", json);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => ("text", Value::String(text.to_owned())),
        Err(_) => ("base64", Value::String(STANDARD.encode(bytes))),
    }
}

/// Names to values; values of one name are joined as HTTP has it.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut shown = Map::new();
    for name in headers.keys() {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|value| masked_header(name.as_str(), &String::from_utf8_lossy(value.as_bytes())))
            .collect();
        shown.insert(name.as_str().to_owned(), Value::String(values.join(", ")));
    }
    shown
}

/// `Bearer sk-1` as `Bearer ***`; the scheme stays, as it is no secret.
fn masked_header(name: &str, value: &str) -> String {
    if !SECRET_HEADERS.contains(&name) {
        return value.to_owned();
    }
    let scheme = match value.split_once(' ') {
        Some((scheme, _)) if name.ends_with("authorization") => scheme,
        _ => return MASK.to_owned(),
    };
    format!("{scheme} {MASK}")
}

fn masked_query(query: &str) -> String {
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if SECRET_KEYS.contains(&key.to_ascii_lowercase().as_str()) => {
                format!("{key}={MASK}")
            }
            _ => pair.to_owned(),
        })
        .collect();
    pairs.join("&")
}

pub(super) fn summary(entry: &Entry) -> String {
    let exchange = &entry.exchange;
    let mut line = format!("{}. {} {}", entry.index, exchange.method, exchange.path);
    if let Some(model) = entry.model() {
        line.push_str(&format!(" {model}"));
    }
    if let Some(said) = said(entry).filter(|said| !said.is_empty()) {
        line.push_str(&format!(" {:?}", shortened(&said)));
    }
    match entry.status {
        Some(status) => line.push_str(&format!(" -> {status}")),
        None => line.push_str(" -> broken off"),
    }
    let by = entry.matched.as_ref().map(|stub| stub.name.as_str());
    line.push_str(&format!(" ({})", by.unwrap_or(entry.decision.answer.name())));
    line
}

/// What the user said last, or the first text to embed.
fn said(entry: &Entry) -> Option<String> {
    let json = entry.json()?;
    let turns = ["messages", "input"].iter().find_map(|key| json.get(*key)?.as_array());
    let user = turns.and_then(|turns| {
        turns.iter().rev().find(|turn| turn.get("role").is_some_and(|role| role == "user"))
    });
    let content = user
        .and_then(|turn| turn.get("content"))
        .or_else(|| json.get("prompt"))
        .or_else(|| json.get("input"))?;
    text_of(content)
}

/// A text, or the first in a list of texts or of parts.
fn text_of(content: &Value) -> Option<String> {
    let first = |items: &Vec<Value>| {
        items.iter().find_map(|item| {
            item.as_str().or_else(|| item.get("text")?.as_str()).map(str::to_owned)
        })
    };
    content.as_str().map(str::to_owned).or_else(|| content.as_array().and_then(first))
}

/// The first characters of a text, and a sign that there is more.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(SUMMARY_CHARS).collect();
    if text.chars().count() > SUMMARY_CHARS {
        short.push('…');
    }
    short
}
