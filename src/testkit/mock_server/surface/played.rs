//! For tests: requests and performances to write, and what was written, taken apart.

use std::time::Duration;

use bytes::Bytes;
use chrono::{TimeZone, Utc};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::testkit::mock_server::ask::Ask;
use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::reply::{
    Finish, Metrics, Part, Performance, Piece, TokenLogprob, ToolCall,
};
use crate::testkit::mock_server::script::{Body, Script};

/// A request with this body.
pub(super) fn exchange(body: impl Into<Bytes>) -> Exchange {
    let body = body.into();
    Exchange {
        json: serde_json::from_slice(&body).ok(),
        body,
        received_at: stamp().received_at,
        ..Exchange::bare("POST", "/v1/x", "")
    }
}

pub(super) fn stamp() -> Stamp {
    Stamp {
        received_at: Utc.with_ymd_and_hms(2026, 8, 21, 12, 0, 0).unwrap(),
        chance: Chance::of(&[b"tests"]),
    }
}

pub(super) fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

pub(super) fn thinking(text: &str) -> Part {
    Part::Thinking(text.to_owned())
}

pub(super) fn call(name: &str, arguments: Value, id: &str) -> Part {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    Part::Call(ToolCall { name: name.to_owned(), arguments, id: Some(id.to_owned()) })
}

/// These parts, 250 ms apart, the first after one second.
pub(super) fn performance(parts: Vec<Part>) -> Performance {
    let at = |nth: usize| Duration::from_millis(1_000 + 250 * nth as u64);
    let ends_at = at(parts.len());
    let pieces = parts.into_iter().enumerate();
    Performance {
        pieces: pieces
            .map(|(nth, part)| Piece { part, at: at(nth), logprobs: Vec::new() })
            .collect(),
        finish: Finish::Stop,
        ends_at,
        metrics: Metrics { prompt_eval_count: 26, eval_count: 9, ..Metrics::default() },
        context: Vec::new(),
    }
}

/// The same with a log probability for each text.
pub(super) fn with_logprobs(mut performance: Performance) -> Performance {
    for piece in &mut performance.pieces {
        if let Part::Text(text) = &piece.part {
            let likely = |token: &str, logprob| TokenLogprob {
                token: token.to_owned(),
                logprob,
                bytes: token.as_bytes().to_vec(),
                top_logprobs: Vec::new(),
            };
            let mut token = likely(text, -0.25);
            token.top_logprobs = vec![likely(text, -0.25), likely("é", -1.5)];
            piece.logprobs = vec![token];
        }
    }
    performance
}

pub(super) fn ask(stream: bool) -> Ask {
    Ask { model: "Qwen3".to_owned(), stream, include_usage: true, ..Ask::default() }
}

/// An answer as people read it: when what goes out.
pub(super) fn shown(script: &Script) -> String {
    let mut shown = format!("@{:?} {}\n", script.head_at, script.status);
    for (name, value) in &script.headers {
        shown.push_str(&format!("{name}: {value}\n"));
    }
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    match &script.body {
        Body::Whole(bytes) => shown.push_str(&format!("\n{}<end>\n", text(bytes))),
        Body::Stream(frames) => {
            for frame in frames {
                shown.push_str(&format!("\n@{:?}\n{}", frame.at, text(&frame.bytes)));
            }
        }
    }
    shown
}

/// The body of an answer known whole.
pub(super) fn json_of(script: &Script) -> Value {
    serde_json::from_slice(&script.bytes()).unwrap()
}

/// The events of a stream, read by the rules of server-sent events and nothing else: name, data.
pub(super) fn events(script: &Script) -> Vec<(String, String)> {
    let body = String::from_utf8(script.bytes()).unwrap();
    let (blocks, rest) = body.rsplit_once("\n\n").unwrap_or(("", &body));
    assert_eq!(rest, "", "the last event has its end");
    blocks
        .split("\n\n")
        .map(|block| {
            let field = |wanted: &str| {
                let lines = block.lines().filter_map(|line| line.split_once(": "));
                let values = lines.filter(|(name, _)| *name == wanted).map(|(_, value)| value);
                values.collect::<Vec<_>>().join("\n")
            };
            (field("event"), field("data"))
        })
        .collect()
}

/// The data of all events as JSON, `[DONE]` left out.
pub(super) fn data(script: &Script) -> Vec<Value> {
    let events = events(script).into_iter().filter(|(_, data)| data != "[DONE]");
    events.map(|(_, data)| serde_json::from_str(&data).unwrap()).collect()
}

prop_compose! {
    fn any_call()(
        name in "[a-z_]{1,8}",
        key in "\\PC{0,4}",
        value in prop_oneof![Just(json!(null)), any::<i32>().prop_map(|n| json!(n)), ".*".prop_map(|s| json!(s))],
    ) -> ToolCall {
        ToolCall { name, arguments: Map::from_iter([(key, value)]), id: None }
    }
}

/// Any performance in the order in which a model makes one: thinking, text, calls.
pub(super) fn any_performance() -> impl Strategy<Value = Performance> {
    let texts = || prop::collection::vec(".{0,6}", 0..5);
    let calls = prop::collection::vec(any_call(), 0..3);
    (texts(), texts(), calls, any::<bool>(), any::<[u32; 2]>()).prop_map(
        |(thought, said, calls, cut, [prompt, eval])| {
            let thought = thought.into_iter().map(Part::Thinking);
            let said = said.into_iter().map(Part::Text);
            let calls = calls.into_iter().enumerate().map(|(nth, call)| {
                Part::Call(ToolCall { id: Some(format!("call_{nth}")), ..call })
            });
            let mut performance = performance(thought.chain(said).chain(calls).collect());
            performance.finish = if cut { Finish::Length } else { Finish::Stop };
            performance.metrics.prompt_eval_count = prompt.into();
            performance.metrics.eval_count = eval.into();
            performance
        },
    )
}

/// Any JSON, with the keys and words that requests have more often than others.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 24] = [
        "type",
        "text",
        "content",
        "role",
        "user",
        "tool",
        "image_url",
        "url",
        "source",
        "base64",
        "data",
        "input_text",
        "input_image",
        "output_text",
        "message",
        "function_call",
        "call_id",
        "arguments",
        "reasoning",
        "tool_use",
        "tool_result",
        "id",
        "name",
        "input",
    ];
    let word =
        prop_oneof![3 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned), 1 => ".{0,5}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f32>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
