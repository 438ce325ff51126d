//! A small client of an Ollama server: one request, one answer, or why there is none.

mod address;
mod reply;
mod request;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;

use address::Address;
pub use address::AddressError;
pub use reply::{Reply, RequestedCall};
pub use request::{Chat, ChatMessage, Generate, Options};

/// Bytes of an answer, at most: 16 MiB.
pub const ANSWER_BYTES_MAX: usize = 16 << 20;

#[cfg(feature = "https")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "https"))]
type Connector = HttpConnector;

/// A client of one server. Every request has a connection of its own, which ends with it: nothing
/// is left behind, and it works in any number of runtimes.
#[derive(Clone)]
pub struct Ollama {
    address: Address,
    client: Client<Connector, Full<Bytes>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OllamaError {
    /// Nobody listens there.
    #[error("cannot reach {url}: {reason}; is Ollama running there?")]
    Connect {
        /// The server.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The server, or something on the way to it, broke off.
    #[error("{url} broke off: {reason}")]
    Broken {
        /// The server.
        url: String,
        /// What HTTP says.
        reason: String,
    },
    /// The server says no.
    #[error("{url} answers {status}: {message}")]
    Status {
        /// The server.
        url: String,
        /// The status.
        status: u16,
        /// Its own words.
        message: String,
    },
    /// The server gave up after it had begun.
    #[error("{url} gave up: {message}")]
    GaveUp {
        /// The server.
        url: String,
        /// Its own words.
        message: String,
    },
    /// The answer is more than is read.
    #[error("{url} answers with more than {ANSWER_BYTES_MAX} bytes; set max_tokens")]
    TooLarge {
        /// The server.
        url: String,
    },
    /// The answer is none of Ollama's.
    #[error("{url} does not answer as Ollama does: {reason}")]
    NotOllama {
        /// The server.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The answer ends before it is done.
    #[error("{url} ended its answer before it was done")]
    Unfinished {
        /// The server.
        url: String,
    },
    /// The request cannot be written.
    #[error("cannot ask {url}: {reason}")]
    Request {
        /// The server.
        url: String,
        /// Why.
        reason: String,
    },
}

impl OllamaError {
    /// Whether the same request may succeed another time: not where the server understood it and
    /// says no.
    #[must_use]
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Broken { .. }
            | Self::GaveUp { .. }
            | Self::NotOllama { .. }
            | Self::Unfinished { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::TooLarge { .. } | Self::Request { .. } => false,
        }
    }
}

impl Ollama {
    /// A client of the server at `http://host:port`, perhaps with a path in front of all others.
    /// Without a port it is Ollama's own, 11434; for `https` (with the feature `https`) it is 443.
    ///
    /// # Errors
    /// Where that is no such URL, or `https` cannot be spoken.
    pub fn new(url: &str) -> Result<Self, AddressError> {
        let address: Address = url.parse()?;
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            // A try more is the caller's to make, and to count.
            .retry_canceled_requests(false)
            .build(connector()?);
        Ok(Self { address, client })
    }

    /// The server.
    #[must_use]
    pub fn url(&self) -> &str {
        self.address.base()
    }

    /// Has a model complete a prompt.
    ///
    /// # Errors
    /// Where the server cannot be reached, says no, or does not answer as Ollama does.
    pub async fn generate(&self, request: &Generate) -> Result<Reply, OllamaError> {
        self.ask("/api/generate", request).await
    }

    /// Has a model go on with a conversation.
    ///
    /// # Errors
    /// As for [`Ollama::generate`].
    pub async fn chat(&self, request: &Chat) -> Result<Reply, OllamaError> {
        self.ask("/api/chat", request).await
    }

    async fn ask(&self, path: &str, body: &impl Serialize) -> Result<Reply, OllamaError> {
        let url = self.url().to_owned();
        let unwritten = |reason: String| OllamaError::Request { url: url.clone(), reason };
        let body = serde_json::to_vec(body).map_err(|error| unwritten(error.to_string()))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.address.at(path))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unwritten(error.to_string()))?;
        let response = self.client.request(request).await.map_err(|error| {
            let reason = innermost(&error);
            match error.is_connect() {
                true => OllamaError::Connect { url: url.clone(), reason },
                false => OllamaError::Broken { url: url.clone(), reason },
            }
        })?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let bytes = match body {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(OllamaError::TooLarge { url });
            }
            Err(error) => {
                return Err(OllamaError::Broken { url, reason: innermost(error.as_ref()) });
            }
        };
        match status.is_success() {
            true => reply::read(&bytes, &url),
            false => {
                let message = reply::refusal(&bytes);
                Err(OllamaError::Status { url, status: status.as_u16(), message })
            }
        }
    }
}

impl fmt::Debug for Ollama {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ollama").field(&self.url()).finish()
    }
}

fn plain() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector
}

#[cfg(not(feature = "https"))]
fn connector() -> Result<Connector, AddressError> {
    Ok(plain())
}

#[cfg(feature = "https")]
fn connector() -> Result<Connector, AddressError> {
    let mut plain = plain();
    plain.enforce_http(false);
    // Named: where a program has several providers, rustls' own choice panics.
    let https = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| AddressError::Tls(error.to_string()))?;
    Ok(https.https_or_http().enable_http1().wrap_connector(plain))
}

/// The last cause: those before it only say that something failed.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
