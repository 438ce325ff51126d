//! What a page may do: show itself, and nothing from anywhere.
//!
//! The policy names the hash of the only style sheet and the only script
//! (<https://www.w3.org/TR/CSP3/>, "hash-source"), so that text which slipped into the page as
//! markup could still run nothing, load nothing and send nothing.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The policy of a page with this style sheet and this script.
pub(super) fn policy(style: &str, script: &str) -> String {
    let mut policy = String::from("default-src 'none'; base-uri 'none'; form-action 'none'");
    let _ = write!(policy, "; img-src data:; style-src '{}'", source(style));
    let _ = write!(policy, "; script-src '{}'", source(script));
    policy
}

fn source(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) as usize & 0x3f;
            let letter = DIGITS.get(value).copied().unwrap_or(b'=');
            out.push(if digit > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648, section 10.
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn a_hash_is_that_of_the_specification() {
        // CSP 3, section 8.4: the script `alert('Hello, world.');`.
        assert_eq!(
            source("alert('Hello, world.');"),
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
    }
}
