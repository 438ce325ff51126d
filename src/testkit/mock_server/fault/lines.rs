//! Wrong lines: JSON that breaks off, errors amid a stream, ends that lack or come twice.

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use super::Breakable;
use super::kind::{COPIES_MAX, ErrorStyle, Fault, LINE_BYTES_MAX};
use crate::testkit::mock_server::script::{Body, Frame, Script};

/// What the real server says when its runner dies amid an answer.
const RUNNER_DIED: &str = "an error was encountered while running the model: unexpected EOF";
/// Longer than the longest line that the Go client reads.
const LONG_LINE_BYTES: u64 = 9_000_000;
/// Where faults within a stream strike: after the first frame.
const AFTER_FRAMES: u64 = 1;

/// Changes the lines of an answer.
pub(super) fn change(fault: &Fault, script: Script, api: &Breakable<'_>) -> Script {
    match fault {
        Fault::ContentType { content_type } => {
            let value = content_type.as_deref().unwrap_or("text/html; charset=utf-8");
            with_content_type(script, value)
        }
        Fault::MalformedJson { after_frames } => {
            change_one(script, *after_frames, |bytes| broken_json(&bytes))
        }
        Fault::LongLine { bytes, after_frames } => {
            let length = bytes.unwrap_or(LONG_LINE_BYTES).min(LINE_BYTES_MAX);
            change_one(script, *after_frames, |bytes| padded(&bytes, length))
        }
        Fault::ErrorLine { after_frames, message, style } => {
            let message = message.as_deref().unwrap_or(RUNNER_DIED);
            with_error(script, *after_frames, message, *style, api)
        }
        Fault::NoDone { frames } => without_end(script, *frames),
        Fault::DuplicateDone { copies } => {
            let copies = usize::try_from(copies.unwrap_or(1).min(COPIES_MAX)).unwrap_or(1);
            lengthened(script, |frames| {
                let last = frames.last().cloned();
                last.map_or_else(Vec::new, |last| vec![last; copies])
            })
        }
        Fault::DataAfterDone { data } => lengthened(script, |frames| {
            let at = frames.last().map(|frame| frame.at).unwrap_or_default();
            let again = frames.first().map(|frame| frame.bytes.clone());
            let bytes = data.clone().map(Bytes::from).or(again);
            bytes.map(|bytes| Frame { at, bytes }).into_iter().collect()
        }),
        _ => script,
    }
}

fn with_content_type(mut script: Script, value: &str) -> Script {
    script.headers.retain(|(name, _)| name != "content-type");
    script.headers.push(("content-type".to_owned(), value.to_owned()));
    script
}

/// Changes the frame after `after` others, or the last one; a body known whole is one frame.
fn change_one(
    mut script: Script,
    after: Option<u64>,
    change: impl FnOnce(Bytes) -> Bytes,
) -> Script {
    let bytes = match &mut script.body {
        Body::Whole(bytes) => Some(bytes),
        Body::Stream(frames) => {
            let index = index(after, frames.len());
            frames.get_mut(index).map(|frame| &mut frame.bytes)
        }
    };
    if let Some(bytes) = bytes {
        *bytes = change(std::mem::take(bytes));
    }
    script
}

/// Which of `count` frames `after` means; the last where there are fewer.
fn index(after: Option<u64>, count: usize) -> usize {
    let index = usize::try_from(after.unwrap_or(AFTER_FRAMES)).unwrap_or(usize::MAX);
    index.min(count.saturating_sub(1))
}

/// From the first brace or bracket to the last, both in.
fn json_in(bytes: &[u8]) -> Option<(usize, usize)> {
    let start = bytes.iter().position(|byte| matches!(byte, b'{' | b'['))?;
    let end = bytes.iter().rposition(|byte| matches!(byte, b'}' | b']'))?;
    (start < end).then_some((start, end + 1))
}

/// The first half of the JSON, and what follows it (the line's end).
fn broken_json(bytes: &Bytes) -> Bytes {
    let Some((start, end)) = json_in(bytes) else { return bytes.clone() };
    let middle = start + (end - start).div_ceil(2);
    let mut broken = BytesMut::from(bytes.slice(..middle).as_ref());
    broken.extend_from_slice(&bytes.slice(end..));
    broken.freeze()
}

/// Spaces before the last brace, until the line is `length` bytes long.
fn padded(bytes: &Bytes, length: u64) -> Bytes {
    let Some((_, end)) = json_in(bytes) else { return bytes.clone() };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let missing = length.saturating_sub(bytes.len());
    let mut long = BytesMut::with_capacity(bytes.len() + missing);
    long.extend_from_slice(&bytes.slice(..end - 1));
    long.resize(long.len() + missing, b' ');
    long.extend_from_slice(&bytes.slice(end - 1..));
    long.freeze()
}

fn with_error(
    mut script: Script,
    after: Option<u64>,
    message: &str,
    style: ErrorStyle,
    api: &Breakable<'_>,
) -> Script {
    let Body::Stream(frames) = &mut script.body else {
        let refusal = (api.refuse)(500, message);
        return Script { head_at: script.head_at, ..refusal };
    };
    let bytes = match style {
        ErrorStyle::Real => (api.broken_off)(message),
        ErrorStyle::Native => format!("{}\n", json!({ "error": message })).into(),
        ErrorStyle::Openai => {
            let error =
                json!({"message": message, "type": "api_error", "param": null, "code": null});
            format!("data: {}\n\n", json!({ "error": error })).into()
        }
    };
    let index = index(after, frames.len());
    let at = frames.get(index).map_or(script.head_at, |frame| frame.at);
    frames.truncate(index);
    if !bytes.is_empty() {
        frames.push(Frame { at, bytes });
    }
    script
}

fn without_end(mut script: Script, count: Option<u64>) -> Script {
    if let Body::Stream(frames) = &mut script.body {
        let left = match count {
            Some(count) => {
                frames.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX))
            }
            None => {
                let ends = frames.iter().rev().take_while(|frame| only_ends(&frame.bytes)).count();
                // A last frame that also carries text ends the answer all the same.
                frames.len().saturating_sub(ends.max(1))
            }
        };
        frames.truncate(left);
    }
    script
}

/// Whether a frame says nothing but that the answer ends.
fn only_ends(frame: &[u8]) -> bool {
    let text = String::from_utf8_lossy(frame);
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or(text.trim_end());
    if data == "[DONE]" {
        return true;
    }
    let Ok(json) = serde_json::from_str::<Value>(data) else { return false };
    let kind = json.get("type").and_then(Value::as_str).unwrap_or_default();
    let choices = json.get("choices").and_then(Value::as_array);
    json.get("done") == Some(&Value::Bool(true))
        || json.get("status").and_then(Value::as_str) == Some("success")
        || matches!(kind, "message_delta" | "message_stop" | "response.completed")
        || choices.is_some_and(|choices| {
            choices.iter().all(|choice| {
                choice.get("finish_reason").is_some_and(Value::is_string)
                    && choice.get("delta").is_some_and(|delta| *delta == json!({}))
            })
        })
}

fn lengthened(mut script: Script, more: impl FnOnce(&[Frame]) -> Vec<Frame>) -> Script {
    if let Body::Stream(frames) = &mut script.body {
        let more = more(frames);
        frames.extend(more);
    }
    script
}
