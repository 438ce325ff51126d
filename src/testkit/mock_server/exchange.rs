//! One request as it came off the socket.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::HeaderMap;
use serde_json::Value;

/// A request, its namespace taken out of path and headers.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The method, as sent.
    pub method: String,
    /// The path, still percent-encoded, without namespace and query.
    pub path: String,
    /// What stood before the path and named the namespace (`/ns/NAME`); empty where nothing did.
    pub prefix: String,
    /// What follows `?`; empty where nothing does.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, its `Content-Encoding` undone.
    pub body: Bytes,
    /// The body as JSON, where it is.
    pub json: Option<Value>,
    /// The last segment of the path where the route has one (`:model`, `:digest`), decoded.
    pub parameter: Option<String>,
    /// When it had been read.
    pub received_at: DateTime<Utc>,
}

impl Exchange {
    /// A request without headers, its body read as JSON where it is.
    #[must_use]
    pub fn bare(method: &str, path: &str, body: &str) -> Self {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            prefix: String::new(),
            query: String::new(),
            headers: HeaderMap::new(),
            json: serde_json::from_slice(&body).ok(),
            body,
            parameter: None,
            received_at: DateTime::UNIX_EPOCH,
        }
    }

    /// A header's value, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What an answer takes from its moment and its chance: times and ids.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// When the request had been read; times of frames are this and their offset.
    pub received_at: DateTime<Utc>,
    /// Where ids come from.
    pub chance: super::chance::Chance,
}

impl Stamp {
    /// The moment `at` after the request was read.
    #[must_use]
    pub fn moment(&self, at: std::time::Duration) -> DateTime<Utc> {
        chrono::TimeDelta::from_std(at)
            .ok()
            .and_then(|delta| self.received_at.checked_add_signed(delta))
            .unwrap_or(self.received_at)
    }
}
