//! The same data in other bytes: line ends, marks, slices, lumps.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::kind::Fault;
use crate::testkit::mock_server::script::{Body, Frame, Script};
use crate::testkit::mock_server::timing::SPAN_MAX;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// A body is split into so many frames; what is left after them goes out as it was.
const FRAMES_MAX: usize = 65_536;
const MERGED_FRAMES: u64 = 2;
const DRIBBLE_CHUNKS: u64 = 10;
const DRIBBLE_TIME: Duration = Duration::from_secs(1);

/// Changes the ends of lines, and the start of the body.
pub(super) fn change_line_ends(fault: &Fault, mut script: Script) -> Script {
    match fault {
        Fault::Crlf {} => {
            // In a text a line end is data; in JSON and in events it is not.
            let streams = matches!(script.body, Body::Stream(_));
            if streams || content_type(&script).starts_with("application/json") {
                each_part(&mut script, |bytes| with_crlf(&bytes));
            }
        }
        Fault::Bom {} => first_part(&mut script, |bytes| {
            BYTE_ORDER_MARK.iter().chain(bytes.iter()).copied().collect()
        }),
        Fault::NoLastNewline {} => last_part(&mut script, |bytes| {
            let ends = bytes.iter().rev().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            bytes.slice(..bytes.len() - ends)
        }),
        _ => {}
    }
    script
}

/// Changes where the bytes of the body are split, and so when each goes out.
pub(super) fn split(fault: &Fault, mut script: Script) -> Script {
    match fault {
        Fault::Slice { bytes, pause, slices } => {
            let length = usize::try_from((*bytes).max(1)).unwrap_or(usize::MAX);
            let pause = pause.map_or(Duration::ZERO, |pause| pause.0);
            let count =
                slices.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
            let frames = sliced(frames(&script), length, pause, count.min(FRAMES_MAX));
            script.body = Body::Stream(frames);
        }
        Fault::Merge { frames: count } => {
            if let Body::Stream(frames) = &script.body {
                let count = count.unwrap_or(MERGED_FRAMES).max(1);
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                script.body = Body::Stream(frames.chunks(count).map(merged).collect());
            }
        }
        Fault::Dribble { chunks, over } => {
            let chunks = chunks.unwrap_or(DRIBBLE_CHUNKS).max(1);
            let over = over.map_or(DRIBBLE_TIME, |over| over.0);
            script.body = Body::Stream(dribbled(&script, chunks, over));
        }
        _ => {}
    }
    script
}

fn content_type(script: &Script) -> &str {
    let header = script.headers.iter().find(|(name, _)| name == "content-type");
    header.map_or("", |(_, value)| value)
}

fn each_part(script: &mut Script, change: impl Fn(Bytes) -> Bytes) {
    match &mut script.body {
        Body::Whole(bytes) => *bytes = change(std::mem::take(bytes)),
        Body::Stream(frames) => {
            for frame in frames {
                frame.bytes = change(std::mem::take(&mut frame.bytes));
            }
        }
    }
}

fn first_part(script: &mut Script, change: impl Fn(Bytes) -> Bytes) {
    let bytes = match &mut script.body {
        Body::Whole(bytes) => Some(bytes),
        Body::Stream(frames) => frames.first_mut().map(|frame| &mut frame.bytes),
    };
    if let Some(bytes) = bytes {
        *bytes = change(std::mem::take(bytes));
    }
}

fn last_part(script: &mut Script, change: impl Fn(Bytes) -> Bytes) {
    let bytes = match &mut script.body {
        Body::Whole(bytes) => Some(bytes),
        Body::Stream(frames) => frames.last_mut().map(|frame| &mut frame.bytes),
    };
    if let Some(bytes) = bytes {
        *bytes = change(std::mem::take(bytes));
    }
}

/// Lines that end in CR LF already stay.
fn with_crlf(bytes: &Bytes) -> Bytes {
    let mut changed = BytesMut::with_capacity(bytes.len() + 2);
    let mut before = None;
    for byte in bytes {
        if *byte == b'\n' && before != Some(b'\r') {
            changed.extend_from_slice(b"\r");
        }
        changed.extend_from_slice(&[*byte]);
        before = Some(*byte);
    }
    changed.freeze()
}

fn frames(script: &Script) -> Vec<Frame> {
    match &script.body {
        Body::Stream(frames) => frames.clone(),
        Body::Whole(bytes) => vec![Frame { at: script.head_at, bytes: bytes.clone() }],
    }
}

/// The last slice of a frame may be shorter: what belongs to a later one is not there yet.
fn sliced(frames: Vec<Frame>, length: usize, pause: Duration, count: usize) -> Vec<Frame> {
    let mut slices: Vec<Frame> = Vec::new();
    for mut frame in frames {
        // What is to wait (an empty frame) stays.
        if frame.bytes.is_empty() {
            slices.push(frame);
            continue;
        }
        while !frame.bytes.is_empty() {
            let length = if slices.len() < count { length } else { usize::MAX };
            let bytes = frame.bytes.split_to(length.min(frame.bytes.len()));
            let earliest = slices.last().map(|slice| slice.at.saturating_add(pause));
            slices.push(Frame { at: frame.at.max(earliest.unwrap_or(frame.at)), bytes });
        }
    }
    slices
}

fn merged(frames: &[Frame]) -> Frame {
    Frame {
        at: frames.last().map_or(Duration::ZERO, |frame| frame.at),
        bytes: frames.iter().flat_map(|frame| frame.bytes.iter().copied()).collect(),
    }
}

fn dribbled(script: &Script, chunks: u64, over: Duration) -> Vec<Frame> {
    let mut bytes = Bytes::from(script.bytes());
    let count = usize::try_from(chunks).unwrap_or(usize::MAX).min(FRAMES_MAX);
    let count = count.min(bytes.len()).max(1);
    let mut pieces = Vec::with_capacity(count);
    for index in 0..count {
        let left = count - index;
        let piece = bytes.split_to(bytes.len().div_ceil(left));
        let share = (index + 1) as f64 / count as f64;
        pieces.push(Frame {
            at: script.head_at.saturating_add(over.min(SPAN_MAX).mul_f64(share)),
            bytes: piece,
        });
    }
    pieces
}
