//! Where a server is.

use std::str::FromStr;

use crate::testkit::server_url::{ServerUrl, shown};

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
        let url = ServerUrl::read(text.trim()).ok_or_else(wrong)?;
        let usual = match url.scheme.as_str() {
            "http" => PORT,
            "https" if cfg!(feature = "https") => 443,
            "https" => return Err(AddressError::NoHttps(shown(text))),
            _ => return Err(wrong()),
        };
        let ServerUrl { scheme, host, port, path } = url;
        let port = port.unwrap_or(usual);
        Ok(Self(format!("{scheme}://{host}:{port}{path}")))
    }
}
