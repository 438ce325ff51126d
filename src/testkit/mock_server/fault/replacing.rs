//! Faults that answer in place of the answer.

use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use serde_json::Value;

use super::Breakable;
use super::kind::{Fault, GARBAGE_BYTES_MAX};
use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::headers;
use crate::testkit::mock_server::script::{Body, Delivery, End, Script};

/// How long new connections are refused where the fault does not say.
const REFUSED_TIME: Duration = Duration::from_secs(1);
const GARBAGE_BYTES: u64 = 64;
/// The real server's text when its queue is full, two spaces and all.
const QUEUE_FULL: &str = "server busy, please try again.  maximum pending requests exceeded";

/// What comes in place of `script`; itself where `fault` does not replace.
pub(super) fn answer(fault: &Fault, script: Script, api: &Breakable<'_>) -> Delivery {
    let at = script.head_at;
    match fault {
        Fault::Status { .. } => {
            Delivery::Http(Script { head_at: at, ..status(fault, script, api) })
        }
        Fault::Refuse { lasting } => {
            Delivery::Refuse(lasting.map_or(REFUSED_TIME, |lasting| lasting.0))
        }
        Fault::Empty {} => Delivery::Raw { at, bytes: Bytes::new(), end: End::Close },
        Fault::Garbage { bytes, seed } => Delivery::Raw {
            at,
            bytes: garbage(bytes.unwrap_or(GARBAGE_BYTES), seed.unwrap_or(0)),
            end: End::Close,
        },
        _ => Delivery::Http(script),
    }
}

fn status(fault: &Fault, script: Script, api: &Breakable<'_>) -> Script {
    let Fault::Status { status, message, body, body_base64, retry_after, headers } = fault else {
        return script;
    };
    let decoded = body_base64.as_ref().and_then(|text| {
        // Rules are checked when they are read.
        base64::engine::general_purpose::STANDARD.decode(text).ok()
    });
    let mut script = match (decoded, body) {
        (Some(bytes), _) => Script::whole(*status, headers::BINARY, bytes),
        (None, Some(Value::String(text))) => {
            Script::whole(*status, headers::type_of(text.as_bytes()), text.clone())
        }
        (None, Some(json)) => Script::whole(*status, headers::JSON, json.to_string()),
        (None, None) => (api.refuse)(*status, message.as_deref().unwrap_or_else(|| text(*status))),
    };
    script.status = *status;
    let more = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let retry = retry_after.as_ref().map(|retry| ("retry-after".to_owned(), retry.to_string()));
    for (name, value) in retry.into_iter().chain(more) {
        script.headers.retain(|(present, _)| *present != name);
        script.headers.push((name, value));
    }
    if let Body::Stream(_) = script.body {
        script.body = Body::Whole(script.bytes().into());
    }
    script
}

/// What the real server says with this status; a general text where it says nothing.
fn text(status: u16) -> &'static str {
    match status {
        401 => "unauthorized",
        429 => "too many requests",
        499 => "request canceled",
        500 => "an error was encountered while running the model: unexpected EOF",
        503 => QUEUE_FULL,
        _ => hyper::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("error"),
    }
}

/// Bytes that no reader takes for HTTP: the first is no letter.
fn garbage(length: u64, seed: u64) -> Bytes {
    let length = usize::try_from(length.clamp(1, GARBAGE_BYTES_MAX)).unwrap_or(1);
    let chance = Chance::of(&[b"garbage", &seed.to_le_bytes()]);
    let blocks = 0..length.div_ceil(8) as u64;
    let mut bytes: Vec<u8> =
        blocks.flat_map(|block| chance.bits("bytes", block).to_le_bytes()).collect();
    bytes.truncate(length);
    if let Some(first) = bytes.first_mut() {
        *first |= 0x80;
    }
    bytes.into()
}
