//! From an HTTP request to an exchange, and to who answers it.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::{HeaderMap, Request};

use crate::testkit::mock_server::admin;
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::headers::JSON_UTF8 as JSON;
use crate::testkit::mock_server::namespace::{Namespace, Responded};
use crate::testkit::mock_server::record::{Forwarded, Said, forward};
use crate::testkit::mock_server::script::{Delivery, Script};
use crate::testkit::mock_server::world::{Addressed, World};

use super::cors;

/// What becomes of a request.
pub(super) enum Answered {
    /// It was decided here.
    Decided(Delivery),
    /// Another server answers.
    Forwarded(Forwarded),
}

/// Reads a request whole and has it answered.
pub(super) async fn respond(
    request: Request<Incoming>,
    world: &Arc<World>,
) -> (Answered, DateTime<Utc>) {
    let (mut head, body) = request.into_parts();
    let page = cors::page(&head.headers);
    let received = read(body, world.body_bytes_max()).await;
    let began = world.clock().now();
    let bytes_max = world.body_bytes_max();
    let addressed = received
        .and_then(|received| decoded(&head.headers, head.uri.path(), received, bytes_max))
        .and_then(|body| addressed(&mut head, body, began, world));
    let answered = match addressed {
        Ok((namespace, exchange)) => answer(&namespace, exchange, page.as_deref(), world).await,
        Err(refused) => {
            // Nobody knows whose it is, and its body may not be there.
            let exchange = exchange(&mut head, None, Bytes::new(), began);
            world.default_namespace().note_refused(exchange, refused.status);
            Answered::Decided(Delivery::Http(refused))
        }
    };
    (answered, began)
}

async fn answer(
    namespace: &Namespace,
    exchange: Exchange,
    page: Option<&str>,
    world: &Arc<World>,
) -> Answered {
    let path = &exchange.path;
    let delivery = if path == "/__admin" || path.starts_with("/__admin/") {
        Delivery::Http(admin::respond(&exchange, world, namespace))
    } else {
        match namespace.respond(exchange, world.recorder()) {
            Responded::Here(delivery) => delivery,
            Responded::Elsewhere(arrival, recorder) => {
                match forward(&recorder.upstream, &arrival.exchange, world.clock()).await {
                    Ok(mut forwarded) => {
                        keep(&mut forwarded, Said::of(&arrival.exchange), world);
                        namespace.note_forwarded(*arrival, forwarded.status);
                        return Answered::Forwarded(forwarded);
                    }
                    Err(failed) => {
                        namespace.note_forwarded(*arrival, 502);
                        Delivery::Http(error(502, &failed.to_string()))
                    }
                }
            }
        }
    };
    Answered::Decided(cors::allowed(delivery, page))
}

/// Keeps the answer once it is there whole.
fn keep(forwarded: &mut Forwarded, said: Said, world: &Arc<World>) {
    let (_, nothing) = tokio::sync::oneshot::channel();
    let tape = std::mem::replace(&mut forwarded.tape, nothing);
    let world = Arc::clone(world);
    tokio::spawn(async move {
        if let (Ok(tape), Some(recorder)) = (tape.await, world.recorder()) {
            recorder.keep(said, tape);
        }
    });
}

/// The request, and the namespace that it is for.
fn addressed(
    head: &mut hyper::http::request::Parts,
    body: Bytes,
    began: DateTime<Utc>,
    world: &World,
) -> Result<(Arc<Namespace>, Exchange), Script> {
    let (method, path) = (head.method.as_str(), head.uri.path());
    if let Some(script) = cors::refusal(method, &head.headers, world.checks_host()) {
        return Err(script);
    }
    let Addressed { namespace, path, own_key } = world.addressed(path, &head.headers)?;
    let mut exchange = exchange(head, Some(path), body, began);
    if own_key {
        exchange.headers.remove(hyper::header::AUTHORIZATION);
        exchange.headers.remove("x-api-key");
    }
    Ok((namespace, exchange))
}

/// The request, its headers taken out of `head`; `path` is what is left without the namespace.
fn exchange(
    head: &mut hyper::http::request::Parts,
    path: Option<String>,
    body: Bytes,
    began: DateTime<Utc>,
) -> Exchange {
    let path = path.unwrap_or_else(|| head.uri.path().to_owned());
    Exchange {
        method: head.method.as_str().to_owned(),
        // The namespace is taken from the path's start, so what is left is its end.
        prefix: head.uri.path().strip_suffix(path.as_str()).unwrap_or_default().to_owned(),
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: std::mem::take(&mut head.headers),
        json: (!body.is_empty()).then(|| serde_json::from_slice(&body).ok()).flatten(),
        body,
        parameter: None,
        received_at: began,
    }
}

async fn read(body: Incoming, bytes_max: usize) -> Result<Bytes, Script> {
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large(bytes_max));
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(bytes_max)),
        Err(_) => Err(error(400, "the request's body could not be read whole")),
    }
}

fn too_large(bytes_max: usize) -> Script {
    error(413, &format!("request body too large: more than {bytes_max} bytes"))
}

fn error(status: u16, text: &str) -> Script {
    Script::whole(status, JSON, serde_json::json!({ "error": text }).to_string())
}

/// The body with its zstd undone where the real server does so: for `/v1/responses`.
fn decoded(
    headers: &HeaderMap,
    path: &str,
    body: Bytes,
    bytes_max: usize,
) -> Result<Bytes, Script> {
    let encoding = headers.get(hyper::header::CONTENT_ENCODING);
    if encoding.is_none_or(|encoding| encoding != "zstd") || !path.ends_with("/v1/responses") {
        return Ok(body);
    }
    let bad = |_| error(400, "failed to decompress request body");
    let decoder = zstd::stream::read::Decoder::new(&body[..]).map_err(bad)?;
    let mut plain = Vec::new();
    let mut limited = std::io::Read::take(decoder, bytes_max as u64 + 1);
    std::io::Read::read_to_end(&mut limited, &mut plain).map_err(bad)?;
    if plain.len() > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(plain.into())
}
