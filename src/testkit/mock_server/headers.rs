//! Headers of answers that are written by hand: which the server sets itself, and what type a body
//! has where nobody says.

use serde::de::IgnoredAny;

/// JSON as the native API and the server's own pages say it.
pub(super) const JSON_UTF8: &str = "application/json; charset=utf-8";
/// JSON as raw answers say it.
pub(super) const JSON: &str = "application/json";
/// Any bytes.
pub(super) const BINARY: &str = "application/octet-stream";
const TEXT: &str = "text/plain; charset=utf-8";

/// What the server sets itself.
pub(super) const OWN: [&str; 3] = ["content-length", "transfer-encoding", "connection"];

/// The type of a raw body: JSON where it is an object or a list, else text, else bytes.
pub(super) fn type_of(body: &[u8]) -> &'static str {
    let Ok(text) = std::str::from_utf8(body) else { return BINARY };
    let is_json = text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<IgnoredAny>(text).is_ok();
    if is_json { JSON } else { TEXT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_body_has_the_type_that_it_looks_like() {
        for (body, wanted) in [
            (&b"{\"a\":1}"[..], JSON),
            (b" [1]\n", JSON),
            (b"{\"a\":", TEXT),
            (b"busy", TEXT),
            (b"42", TEXT),
            (b"", TEXT),
            (b"\xff", BINARY),
        ] {
            assert_eq!(type_of(body), wanted, "{body:?}");
        }
    }
}
