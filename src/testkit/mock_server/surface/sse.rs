//! Server-sent events: how the APIs under `/v1` stream.

use bytes::Bytes;
use serde::Serialize;

use super::go_json::to_vec;

/// The content type of a stream of events.
pub(super) const CONTENT_TYPE: &str = "text/event-stream";

/// What ends a stream of chat and completions.
pub(super) const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// An event without a name.
pub(super) fn data<T: Serialize + ?Sized>(value: &T) -> Bytes {
    framed(b"data: ", value)
}

/// An event with a name.
pub(super) fn event<T: Serialize + ?Sized>(name: &str, value: &T) -> Bytes {
    framed(format!("event: {name}\ndata: ").as_bytes(), value)
}

fn framed<T: Serialize + ?Sized>(head: &[u8], value: &T) -> Bytes {
    let json = to_vec(value);
    let mut bytes = Vec::with_capacity(head.len() + json.len() + 2);
    bytes.extend_from_slice(head);
    bytes.extend_from_slice(&json);
    bytes.extend_from_slice(b"\n\n");
    Bytes::from(bytes)
}
