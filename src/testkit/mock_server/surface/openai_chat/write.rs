//! Writing answers of `/v1/chat/completions`.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::super::go_json::to_line;
use super::super::native::DebugLine;
use super::super::openai::{self, FINGERPRINT, Logprobs, Usage, WireCall, finish_reason};
use super::super::sse;
use crate::testkit::mock_server::ask::Ask;
use crate::testkit::mock_server::exchange::Stamp;
use crate::testkit::mock_server::reply::{Part, Performance};
use crate::testkit::mock_server::script::{Frame, Script};

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: [Choice<'a>; 1],
    usage: Usage,
    #[serde(rename = "_debug_info", skip_serializing_if = "Option::is_none")]
    debug: Option<DebugLine>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u8,
    message: Said<'a>,
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Logprobs<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reasoning: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireCall<'a>>,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: &'a [ChunkChoice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize, Default)]
struct ChunkChoice<'a> {
    index: u8,
    delta: Delta<'a>,
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Logprobs<'a>>,
}

/// What a chunk adds. Every chunk but the last has `content`, if only the empty one.
#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[WireCall<'a>; 1]>,
}

/// An answer of text.
pub(super) fn text(ask: &Ask, performance: &Performance, stamp: &Stamp) -> Script {
    ending(ask, performance, finish_reason(performance), stamp)
}

/// The answer to a request that only loads the model.
pub(super) fn loaded(ask: &Ask, stamp: &Stamp) -> Script {
    ending(ask, &Performance::default(), "load", stamp)
}

fn ending(
    ask: &Ask,
    performance: &Performance,
    finish_reason: &'static str,
    stamp: &Stamp,
) -> Script {
    if ask.stream {
        let frames = frames(ask, performance, finish_reason, stamp);
        Script::stream(sse::CONTENT_TYPE, frames)
    } else {
        whole(ask, performance, finish_reason, stamp)
    }
}

/// What the model would get, in place of an answer: a message by nobody, that does not end. A
/// stream has no place for it.
pub(super) fn rendered(ask: &Ask, stamp: &Stamp) -> Script {
    let id = id(stamp);
    if ask.stream {
        let opening = Opening { id: &id, created: created(stamp), model: &ask.model };
        let delta = Delta { role: Some("assistant"), content: Some(""), ..Delta::default() };
        let choice = ChunkChoice { delta, ..ChunkChoice::default() };
        let bytes = sse::data(&opening.chunk(&[choice], None));
        let frame = Frame { at: Duration::ZERO, bytes };
        return Script::stream(sse::CONTENT_TYPE, vec![frame]);
    }
    let message = Said { role: "", content: "", reasoning: "", tool_calls: Vec::new() };
    let completion = Completion {
        id,
        object: "chat.completion",
        created: created(stamp),
        model: &ask.model,
        system_fingerprint: FINGERPRINT,
        choices: [Choice { index: 0, message, finish_reason: None, logprobs: None }],
        usage: Usage::default(),
        debug: Some(DebugLine::of(ask)),
    };
    openai::whole(Duration::ZERO, to_line(&completion))
}

/// An error in mid-stream: the real server takes it for a message with nothing in it, of a model
/// without a name, and stops.
pub(super) fn broken_off(_: &str, _: &Ask, stamp: &Stamp) -> Bytes {
    let id = id(stamp);
    let delta = Delta { content: Some(""), ..Delta::default() };
    let choice = ChunkChoice { delta, ..ChunkChoice::default() };
    sse::data(&Opening { id: &id, created: created(stamp), model: "" }.chunk(&[choice], None))
}

fn id(stamp: &Stamp) -> String {
    format!("chatcmpl-{}", stamp.chance.bits("chatcmpl", 0) % 999)
}

/// One for all chunks of a stream.
fn created(stamp: &Stamp) -> i64 {
    stamp.received_at.timestamp()
}

fn whole(
    ask: &Ask,
    performance: &Performance,
    finish_reason: &'static str,
    stamp: &Stamp,
) -> Script {
    let content = performance.text();
    let reasoning = performance.thinking();
    let logprobs = performance.logprobs();
    let message = Said {
        role: "assistant",
        content: &content,
        reasoning: &reasoning,
        tool_calls: performance
            .calls()
            .enumerate()
            .map(|(index, call)| WireCall::new(index, call))
            .collect(),
    };
    let completion = Completion {
        id: id(stamp),
        object: "chat.completion",
        created: stamp.moment(performance.ends_at).timestamp(),
        model: &ask.model,
        system_fingerprint: FINGERPRINT,
        choices: [Choice {
            index: 0,
            message,
            finish_reason: Some(finish_reason),
            logprobs: Logprobs::of(&logprobs),
        }],
        usage: Usage::from(&performance.metrics),
        debug: None,
    };
    openai::whole(performance.ends_at, to_line(&completion))
}

/// What all chunks of a stream begin with.
struct Opening<'a> {
    id: &'a str,
    created: i64,
    model: &'a str,
}

impl<'a> Opening<'a> {
    fn chunk(&self, choices: &'a [ChunkChoice<'a>], usage: Option<Usage>) -> Chunk<'a> {
        Chunk {
            id: self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: self.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        }
    }
}

fn frames(
    ask: &Ask,
    performance: &Performance,
    finish_reason: &'static str,
    stamp: &Stamp,
) -> Vec<Frame> {
    let id = id(stamp);
    let opening = Opening { id: &id, created: created(stamp), model: &ask.model };
    let mut frames = Vec::with_capacity(performance.pieces.len() + 3);
    let mut calls = 0;
    for piece in &performance.pieces {
        let mut delta = Delta { content: Some(""), ..Delta::default() };
        match &piece.part {
            Part::Thinking(thinking) => delta.reasoning = Some(thinking),
            Part::Text(text) => delta.content = Some(text),
            Part::Call(call) => {
                delta.tool_calls = Some([WireCall::new(calls, call)]);
                calls += 1;
            }
        }
        delta.role = frames.is_empty().then_some("assistant");
        let logprobs = Logprobs::of(&piece.logprobs);
        let choice = ChunkChoice { delta, logprobs, ..ChunkChoice::default() };
        let bytes = sse::data(&opening.chunk(&[choice], None));
        frames.push(Frame { at: piece.at, bytes });
    }
    let at = performance.ends_at;
    let mut last = |bytes| frames.push(Frame { at, bytes });
    if performance.pieces.is_empty() {
        let delta = Delta { role: Some("assistant"), content: Some(""), ..Delta::default() };
        let choice = ChunkChoice { delta, ..ChunkChoice::default() };
        last(sse::data(&opening.chunk(&[choice], None)));
    }
    let finish = ChunkChoice { finish_reason: Some(finish_reason), ..ChunkChoice::default() };
    last(sse::data(&opening.chunk(&[finish], None)));
    if ask.include_usage {
        last(sse::data(&opening.chunk(&[], Some(Usage::from(&performance.metrics)))));
    }
    last(sse::DONE);
    frames
}
