//! Where a server is.

use std::str::FromStr;

use hyper::Uri;

use crate::testkit::nodes::shown::cut;

/// Ollama's own port.
const PORT: u16 = 11434;

/// `http://host:port`, perhaps with a path, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address(String);

/// A URL where no server can be asked. What stands before an `@` is left out of it: credentials have
/// no place in errors and logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is not of the form.
    #[error("`{0}` is no URL of a model server; write http://host:port")]
    NotAUrl(String),
    /// It is for `https`, and that was not built in.
    #[error("`{0}` needs https; build with the feature `https`")]
    NoHttps(String),
    /// TLS cannot be set up.
    #[error("https cannot be spoken: {0}")]
    Tls(String),
}

/// A URL as it may be shown: without credentials, and not at any length.
fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("…@{}", cut(host)),
        None => cut(text).into_owned(),
    }
}

impl Address {
    pub(super) fn base(&self) -> &str {
        &self.0
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError::NotAUrl(shown(text));
        let uri: Uri = text.trim().parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        let (scheme, port) = match uri.scheme_str() {
            Some("http") => ("http", PORT),
            Some("https") if cfg!(feature = "https") => ("https", 443),
            Some("https") => return Err(AddressError::NoHttps(shown(text))),
            _ => return Err(wrong()),
        };
        // Credentials would end up in errors and logs.
        if authority.as_str().contains('@') || uri.query().is_some() || authority.host().is_empty()
        {
            return Err(wrong());
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => port,
            Some(written) => {
                let written = written.strip_prefix(':').ok_or_else(wrong)?;
                written.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?
            }
            None => return Err(wrong()),
        };
        let path = uri.path().trim_end_matches('/');
        Ok(Self(format!("{scheme}://{}:{port}{path}", authority.host())))
    }
}
