//! The APIs: how each reads a request, and how it writes an answer. One file a surface, one row of
//! [`ROUTES`] a route.

#[cfg(test)]
mod admitted;
mod bind;
pub(super) mod chat;
pub(super) mod completions;
pub(super) mod embed;
pub(super) mod generate;
pub(super) mod go_json;
pub(super) mod manage;
pub(super) mod messages;
pub(super) mod native;
mod openai;
pub(super) mod openai_chat;
pub(super) mod openai_embed;
pub(super) mod openai_models;
#[cfg(test)]
mod played;
pub(super) mod responses;
pub(super) mod service;
mod sse;
pub(super) mod transcriptions;
mod unrouted;

pub(super) use unrouted::unrouted;

use bytes::Bytes;

use crate::testkit::mock_server::ask::{Ask, Asked, EmbedAsk};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::Models;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::{Metrics, Performance};
use crate::testkit::mock_server::script::Script;

/// Reads a request: checks it in the real server's order, loads what it needs.
pub(super) type Read = fn(&Exchange, &mut Models, &Stamp) -> Result<Asked, Refusal>;

/// How an API writes.
#[derive(Clone, Copy)]
pub(super) struct Surface {
    /// An answer of text.
    pub(super) text: fn(&Ask, &Performance, &Stamp) -> Script,
    /// An answer of vectors.
    pub(super) vectors: fn(&EmbedAsk, &[Vec<f32>], &Metrics, &Stamp) -> Script,
    /// An error instead of an answer.
    pub(super) refuse: fn(&Refusal, &Stamp) -> Script,
    /// An error after the first frame of a stream: the bytes that the real server sends.
    pub(super) broken_off: fn(&str, &Ask, &Stamp) -> Bytes,
}

/// A route of the API.
pub(super) struct Row {
    /// The methods, `HEAD` among them where the real server has it.
    pub(super) methods: &'static [&'static str],
    /// The path; a last segment `:x` stands for any one segment.
    pub(super) path: &'static str,
    pub(super) read: Read,
    pub(super) surface: &'static Surface,
    /// Whether it asks something of a model.
    pub(super) asks: bool,
}

/// Routes that change which models there are.
const CHANGING: [&str; 6] =
    ["/api/pull", "/api/push", "/api/create", "/api/copy", "/api/delete", "/api/blobs/:digest"];

impl Row {
    /// Whether it changes which models there are.
    pub(super) fn changes_models(&self) -> bool {
        CHANGING.contains(&self.path)
    }
}

/// Every route that the real server has.
pub(super) static ROUTES: &[Row] = &[
    row(&["GET", "HEAD"], "/", service::root, &service::NATIVE),
    row(&["GET", "HEAD"], "/api/version", service::version, &service::NATIVE),
    row(&["GET"], "/api/status", service::status, &service::NATIVE),
    row(&["POST"], "/api/me", service::me, &service::NATIVE),
    row(&["POST"], "/api/signout", service::signout, &service::NATIVE),
    row(&["DELETE"], "/api/user/keys/:key", service::delete_key, &service::NATIVE),
    row(&["POST"], "/api/experimental/web_search", service::web_search, &service::NATIVE),
    row(&["POST"], "/api/experimental/web_fetch", service::web_fetch, &service::NATIVE),
    row(
        &["GET"],
        "/api/experimental/model-recommendations",
        service::recommendations,
        &service::NATIVE,
    ),
    asking("/api/generate", generate::read, &generate::SURFACE),
    asking("/api/chat", chat::read, &chat::SURFACE),
    asking("/api/embed", embed::read, &embed::SURFACE),
    asking("/api/embeddings", embed::read_legacy, &embed::LEGACY),
    row(&["GET", "HEAD"], "/api/tags", manage::tags, &service::NATIVE),
    row(&["POST"], "/api/show", manage::show, &service::NATIVE),
    row(&["GET"], "/api/ps", manage::ps, &service::NATIVE),
    row(&["POST"], "/api/pull", manage::pull, &service::NATIVE),
    row(&["POST"], "/api/push", manage::push, &service::NATIVE),
    row(&["POST"], "/api/create", manage::create, &service::NATIVE),
    row(&["POST"], "/api/copy", manage::copy, &service::NATIVE),
    row(&["DELETE"], "/api/delete", manage::delete, &service::NATIVE),
    row(&["HEAD", "POST"], "/api/blobs/:digest", manage::blob, &service::NATIVE),
    asking("/v1/chat/completions", openai_chat::read, &openai_chat::SURFACE),
    asking("/v1/completions", completions::read, &completions::SURFACE),
    asking("/v1/embeddings", openai_embed::read, &openai_embed::SURFACE),
    row(&["GET"], "/v1/models", openai_models::list, &openai_embed::SURFACE),
    row(&["GET"], "/v1/models/:model", openai_models::one, &openai_embed::SURFACE),
    asking("/v1/responses", responses::read, &responses::SURFACE),
    asking("/v1/audio/transcriptions", transcriptions::read, &transcriptions::SURFACE),
    asking("/v1/messages", messages::read, &messages::SURFACE),
];

const fn row(
    methods: &'static [&'static str],
    path: &'static str,
    read: Read,
    surface: &'static Surface,
) -> Row {
    Row { methods, path, read, surface, asks: false }
}

/// A route that asks something of a model.
const fn asking(path: &'static str, read: Read, surface: &'static Surface) -> Row {
    Row { methods: &["POST"], path, read, surface, asks: true }
}

/// How the native API writes.
pub(super) fn native() -> &'static Surface {
    &service::NATIVE
}

/// What a method and path lead to.
pub(super) enum Found {
    /// A route, with the segment that stands for its parameter.
    Route(&'static Row, Option<String>),
    /// A path that exists, for these methods.
    OtherMethod(Vec<&'static str>),
    /// The same path without (or with) a slash at its end.
    Redirect(String),
    /// Nothing.
    Nothing,
}

/// Finds the route of a request, as the real server's router does.
pub(super) fn find(method: &str, path: &str) -> Found {
    let mut allowed = Vec::new();
    for row in ROUTES {
        let Some(parameter) = parameter(row.path, path) else { continue };
        if row.methods.contains(&method) {
            return Found::Route(row, parameter.map(decoded));
        }
        allowed.extend_from_slice(row.methods);
    }
    if !allowed.is_empty() {
        return Found::OtherMethod(allowed);
    }
    match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => match find(method, shorter) {
            Found::Route(..) => Found::Redirect(shorter.to_owned()),
            _ => Found::Nothing,
        },
        _ => Found::Nothing,
    }
}

/// `None`: another path; else the text that stands for the row's parameter, if it has one.
fn parameter<'a>(pattern: &str, path: &'a str) -> Option<Option<&'a str>> {
    match pattern.split_once(':') {
        None => (pattern == path).then_some(None),
        Some((before, _)) => {
            let rest = path.strip_prefix(before)?;
            (!rest.is_empty() && !rest.contains('/')).then_some(Some(rest))
        }
    }
}

/// A segment with its percent-encoding undone; as it is where that is no UTF-8.
pub(super) fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| segment.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| segment.to_owned())
}
