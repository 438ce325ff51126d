//! Answers that end before they should: reset, closed, stalled; at a byte, a frame or a time.

use std::time::Duration;

use bytes::Bytes;

use crate::testkit::mock_server::script::{Body, Delivery, End, Frame, Script};

/// How an answer ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// RST.
    Reset,
    /// FIN.
    Close,
    /// Silence, for so long or for ever.
    Stall(Option<Duration>),
}

/// Where an answer ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Before its head.
    Start,
    /// After so many bytes of the body.
    Bytes(u64),
    /// After so many frames; of a body known whole, after half of it.
    Frames(u64),
    /// So long after the request was read.
    Time(Duration),
}

/// How and where an answer ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) last: Last,
    pub(super) place: Place,
}

impl Ending {
    /// Whether it ends by the clock, which what splits the body may move.
    pub(super) fn is_timed(&self) -> bool {
        matches!(self.place, Place::Time(_))
    }
}

/// Ends an answer early.
pub(super) fn end(ending: &Ending, script: Script) -> Delivery {
    match ending.last {
        Last::Reset => cut(ending.place, End::Reset, script),
        Last::Close => cut(ending.place, End::Close, script),
        Last::Stall(None) => cut(ending.place, End::Stall, script),
        Last::Stall(Some(lasting)) => Delivery::Http(pause(ending.place, lasting, script)),
    }
}

/// What a HEAD request is answered with: it has no body to break off in, so what ends the connection
/// comes right after the head.
pub(super) fn after_head(script: &Script) -> Delivery {
    let reason = hyper::StatusCode::from_u16(script.status).ok();
    let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", script.status);
    for (name, value) in &script.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    Delivery::Raw { at: script.head_at, bytes: head.into(), end: script.end }
}

/// Everything up to `place`, then `end`.
fn cut(place: Place, end: End, script: Script) -> Delivery {
    let nothing = |at| Delivery::Raw { at, bytes: Bytes::new(), end };
    let (before, _) = match place {
        Place::Start => return nothing(script.head_at),
        Place::Time(at) if at < script.head_at => return nothing(at),
        _ => parted(&script, place),
    };
    let mut frames = before;
    if let Place::Time(at) = place {
        // An empty frame sends nothing and passes the time.
        frames.push(Frame { at, bytes: Bytes::new() });
    }
    let mut script = opened(script);
    script.body = Body::Stream(frames);
    script.end = end;
    Delivery::Http(script)
}

/// What comes after `place` comes later by `lasting`.
fn pause(place: Place, lasting: Duration, script: Script) -> Script {
    match place {
        Place::Start => return script.delayed(lasting),
        Place::Time(at) if at <= script.head_at => return script.delayed(lasting),
        _ => {}
    }
    let (mut frames, after) = parted(&script, place);
    let late =
        after.into_iter().map(|frame| Frame { at: frame.at.saturating_add(lasting), ..frame });
    frames.extend(late);
    let mut script = opened(script);
    script.body = Body::Stream(frames);
    script
}

/// The frames before `place` and those after it; a frame that it falls into is parted.
fn parted(script: &Script, place: Place) -> (Vec<Frame>, Vec<Frame>) {
    let frames = match &script.body {
        Body::Stream(frames) => frames.clone(),
        Body::Whole(bytes) => vec![Frame { at: script.head_at, bytes: bytes.clone() }],
    };
    let whole = matches!(script.body, Body::Whole(_));
    match place {
        Place::Start => (Vec::new(), frames),
        Place::Time(at) => frames.into_iter().partition(|frame| frame.at <= at),
        Place::Frames(1..) if whole => {
            let half = frames.iter().map(|frame| frame.bytes.len() / 2).sum();
            parted_at_byte(frames, half)
        }
        Place::Frames(count) => {
            let count = usize::try_from(count).unwrap_or(usize::MAX).min(frames.len());
            let mut before = frames;
            let after = before.split_off(count);
            (before, after)
        }
        Place::Bytes(bytes) => parted_at_byte(frames, usize::try_from(bytes).unwrap_or(usize::MAX)),
    }
}

fn parted_at_byte(frames: Vec<Frame>, bytes: usize) -> (Vec<Frame>, Vec<Frame>) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut left = bytes;
    for mut frame in frames {
        if left >= frame.bytes.len() {
            left -= frame.bytes.len();
            before.push(frame);
            continue;
        }
        if left > 0 {
            before.push(Frame { at: frame.at, bytes: frame.bytes.split_to(left) });
            left = 0;
        }
        after.push(frame);
    }
    (before, after)
}

/// The script with room for frames: a body known whole keeps its `Content-Length`.
fn opened(mut script: Script) -> Script {
    if let Body::Whole(bytes) = &script.body {
        script.headers.retain(|(name, _)| name != "content-length");
        script.headers.push(("content-length".to_owned(), bytes.len().to_string()));
    }
    script
}
