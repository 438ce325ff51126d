//! Writing answers of `/v1/completions`.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::super::go_json::to_line;
use super::super::openai::{self, FINGERPRINT, Usage, done_reason};
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
}

/// Not in the order of [`Completion`]: the real server has it so.
#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    choices: &'a [Choice<'a>],
    model: &'a str,
    system_fingerprint: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice<'a> {
    text: &'a str,
    index: u8,
    finish_reason: Option<&'static str>,
}

/// An answer of text.
pub(super) fn text(ask: &Ask, performance: &Performance, stamp: &Stamp) -> Script {
    ending(ask, performance, done_reason(performance.finish), stamp)
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
    let finish_reason = Some(finish_reason);
    if ask.stream {
        let frames = frames(ask, performance, finish_reason, stamp);
        return Script::stream(sse::CONTENT_TYPE, frames);
    }
    let text = performance.text();
    let completion = Completion {
        id: id(stamp),
        object: "text_completion",
        created: stamp.moment(performance.ends_at).timestamp(),
        model: &ask.model,
        system_fingerprint: FINGERPRINT,
        choices: [Choice { text: &text, index: 0, finish_reason }],
        usage: Usage::from(&performance.metrics),
    };
    openai::whole(performance.ends_at, to_line(&completion))
}

/// An error in mid-stream: the real server takes it for a line without text, of a model without a
/// name, and stops.
pub(super) fn broken_off(_: &str, ask: &Ask, stamp: &Stamp) -> Bytes {
    let id = id(stamp);
    let opening = Opening { id: &id, stamp, model: "" };
    let nothing = Choice { text: "", index: 0, finish_reason: None };
    sse::data(&opening.chunk(Duration::ZERO, &[nothing], no_usage_yet(ask)))
}

fn id(stamp: &Stamp) -> String {
    format!("cmpl-{}", stamp.chance.bits("cmpl", 0) % 999)
}

/// Where the usage is asked for, every chunk has one, of zeros until the last.
fn no_usage_yet(ask: &Ask) -> Option<Usage> {
    ask.include_usage.then(Usage::default)
}

struct Opening<'a> {
    id: &'a str,
    stamp: &'a Stamp,
    model: &'a str,
}

impl<'a> Opening<'a> {
    fn chunk(&self, at: Duration, choices: &'a [Choice<'a>], usage: Option<Usage>) -> Chunk<'a> {
        Chunk {
            id: self.id,
            object: "text_completion",
            created: self.stamp.moment(at).timestamp(),
            choices,
            model: self.model,
            system_fingerprint: FINGERPRINT,
            usage,
        }
    }
}

fn frames(
    ask: &Ask,
    performance: &Performance,
    finish_reason: Option<&'static str>,
    stamp: &Stamp,
) -> Vec<Frame> {
    let id = id(stamp);
    let opening = Opening { id: &id, stamp, model: &ask.model };
    let framed = |at, choices: &[Choice<'_>], usage| Frame {
        at,
        bytes: sse::data(&opening.chunk(at, choices, usage)),
    };
    let mut frames: Vec<Frame> = performance
        .pieces
        .iter()
        .map(|piece| {
            // Thinking and calls have no place here: their lines come without text.
            let text = match &piece.part {
                Part::Text(text) => text.as_str(),
                Part::Thinking(_) | Part::Call(_) => "",
            };
            framed(piece.at, &[Choice { text, index: 0, finish_reason: None }], no_usage_yet(ask))
        })
        .collect();
    let at = performance.ends_at;
    frames.push(framed(at, &[Choice { text: "", index: 0, finish_reason }], no_usage_yet(ask)));
    if ask.include_usage {
        frames.push(framed(at, &[], Some(Usage::from(&performance.metrics))));
    }
    frames.push(Frame { at, bytes: sse::DONE });
    frames
}
