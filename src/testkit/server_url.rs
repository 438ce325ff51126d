//! Where a server is, as people write it.

use hyper::Uri;

use super::shown::cut;

/// A URL of a server: `http://host:port`, perhaps with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    /// `http` or `https`.
    pub(crate) scheme: String,
    /// A name or an address; one of IPv6 stands in brackets.
    pub(crate) host: String,
    /// None where none is written.
    pub(crate) port: Option<u16>,
    /// Without a slash at its end.
    pub(crate) path: String,
}

impl ServerUrl {
    /// Reads a URL; none where it is no URL of a server: without a host, with a port that there is
    /// not, with a query, or with credentials, which would end up in errors and logs.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        let host = authority.host();
        if authority.as_str().contains('@') || uri.query().is_some() || host.is_empty() {
            return None;
        }
        // A port that cannot be read is none to `Uri`, and would be another one here.
        let port = match authority.as_str().strip_prefix(host)? {
            "" => None,
            written => Some(written.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)?),
        };
        let path = uri.path().trim_end_matches('/').to_owned();
        Some(Self { scheme: scheme.to_owned(), host: host.to_owned(), port, path })
    }
}

/// A URL as it may be shown: without credentials, and not at any length.
pub(crate) fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("…@{}", cut(host)),
        None => cut(text).into_owned(),
    }
}
