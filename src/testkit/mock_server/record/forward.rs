//! Passing a request on to a real server, and its answer back while it comes.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use super::tape::Tape;
use crate::testkit::mock_server::clock::Clock;
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::script::Frame;
use crate::testkit::server_url::{ServerUrl, shown};

/// Pieces of an answer that wait for a slow client, at most.
const PIECES_AHEAD: usize = 64;
/// An answer, at most; a longer one is passed on and not kept.
const TAPE_BYTES_MAX: usize = 256 << 20;
/// Headers of a request that belong to its connection, or are for this server to say.
const HEADERS_LEFT_OUT: [&str; 10] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A real server: `http://host:port`, perhaps with a path in front of all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// `host:port`.
    authority: String,
    /// Without a slash at its end.
    prefix: String,
}

/// A URL that cannot be forwarded to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no server to record from; write http://host:port (https is not spoken)")]
pub struct UpstreamError(String);

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError(shown(text));
        let url = match text.contains("://") {
            true => ServerUrl::read(text),
            false => ServerUrl::read(&format!("http://{text}")),
        };
        let url = url.filter(|url| url.scheme == "http").ok_or_else(wrong)?;
        let ServerUrl { host, port, path: prefix, .. } = url;
        Ok(Self { authority: format!("{host}:{}", port.unwrap_or(11434)), prefix })
    }
}

/// Why an answer could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// Nobody listens there.
    #[error("cannot reach http://{authority}: {source}; is the real server running there?")]
    Connect {
        /// `host:port`.
        authority: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The request cannot be put in HTTP again.
    #[error("cannot pass the request on: {0}")]
    Request(#[from] hyper::http::Error),
    /// The server does not answer, or not in HTTP.
    #[error("http://{authority} broke off: {source}")]
    Exchange {
        /// `host:port`.
        authority: String,
        /// What HTTP says.
        source: hyper::Error,
    },
}

/// An answer on its way.
#[derive(Debug)]
pub struct Forwarded {
    /// The status.
    pub status: u16,
    /// The headers, in order; names in lower case. `content-length` is among them where the real
    /// server sent it.
    pub headers: Vec<(String, String)>,
    /// The pieces of the body as they come; ends with the body. A piece that is an error is the
    /// last: the real server broke off.
    pub pieces: mpsc::Receiver<Result<Frame, ForwardError>>,
    /// The whole answer, once it is there. An error of the channel where it broke off, where the
    /// client left before its end, or where it is longer than is kept (256 MiB).
    pub tape: oneshot::Receiver<Tape>,
}

/// Passes a request on, and gives its answer as it comes; times are from now on.
///
/// # Errors
/// Where the server cannot be reached or does not answer.
pub async fn forward(
    upstream: &Upstream,
    exchange: &Exchange,
    clock: &Clock,
) -> Result<Forwarded, ForwardError> {
    let Upstream { authority, .. } = upstream;
    let broke = |source| ForwardError::Exchange { authority: authority.clone(), source };
    let request = request(upstream, exchange)?;
    let began = clock.now();
    let stream = TcpStream::connect(authority.as_str())
        .await
        .map_err(|source| ForwardError::Connect { authority: authority.clone(), source })?;
    // Without it small requests may wait for an acknowledgement; with it nothing is lost.
    let _ = stream.set_nodelay(true);
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(broke)?;
    // It ends with the answer; what goes wrong on it shows in the body as well.
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(broke)?;
    let head_at = since(began, clock);
    let status = response.status().as_u16();
    let headers = listed(response.headers());
    let (piece, pieces) = mpsc::channel(PIECES_AHEAD);
    let (taped, tape) = oneshot::channel();
    let passing = Passing { began, clock: clock.clone(), authority: authority.clone(), piece };
    let head = (status, headers.clone(), head_at);
    tokio::spawn(async move {
        if let Some((stream, frames)) = passing.pass(response).await {
            let (status, headers, head_at) = head;
            // Nobody may want it any more.
            let _ = taped.send(Tape::new(status, headers, head_at, stream, &frames));
        }
        drop(sender);
    });
    Ok(Forwarded { status, headers, pieces, tape })
}

struct Passing {
    began: DateTime<Utc>,
    clock: Clock,
    authority: String,
    piece: mpsc::Sender<Result<Frame, ForwardError>>,
}

impl Passing {
    /// Passes the body on; gives all of it, and whether it was chunked, where it came whole.
    async fn pass(self, response: Response<Incoming>) -> Option<(bool, Vec<Frame>)> {
        let chunked = !response.headers().contains_key("content-length");
        let mut body = response.into_body();
        let mut kept = Vec::new();
        let mut bytes_kept = 0_usize;
        while let Some(frame) = body.frame().await {
            let passed = match frame {
                Ok(frame) => match frame.into_data() {
                    Ok(bytes) => Ok(Frame { at: since(self.began, &self.clock), bytes }),
                    // Trailers: the APIs have none.
                    Err(_) => continue,
                },
                Err(source) => {
                    Err(ForwardError::Exchange { authority: self.authority.clone(), source })
                }
            };
            let whole = passed.is_ok();
            if let Ok(frame) = &passed {
                bytes_kept += frame.bytes.len();
                if bytes_kept <= TAPE_BYTES_MAX {
                    kept.push(frame.clone());
                }
            }
            if self.piece.send(passed).await.is_err() || !whole {
                return None;
            }
        }
        (bytes_kept <= TAPE_BYTES_MAX).then_some((chunked, kept))
    }
}

fn request(
    upstream: &Upstream,
    exchange: &Exchange,
) -> Result<Request<Full<bytes::Bytes>>, hyper::http::Error> {
    let Upstream { authority, prefix } = upstream;
    let mut target = format!("{prefix}{}", exchange.path);
    if !exchange.query.is_empty() {
        target.push('?');
        target.push_str(&exchange.query);
    }
    let mut request = Request::builder().method(exchange.method.as_str()).uri(target);
    if let Some(headers) = request.headers_mut() {
        for (name, value) in &exchange.headers {
            if !HEADERS_LEFT_OUT.contains(&name.as_str()) {
                headers.append(name, value.clone());
            }
        }
        if let Ok(host) = HeaderValue::try_from(authority) {
            headers.insert("host", host);
        }
    }
    request.body(Full::new(exchange.body.clone()))
}

fn since(began: DateTime<Utc>, clock: &Clock) -> Duration {
    clock.now().signed_duration_since(began).to_std().unwrap_or_default()
}

/// Names in lower case, as `http` keeps them; values that are no text are left out.
fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let pairs = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    pairs.filter_map(|(name, value)| Some((name, value?))).collect()
}
