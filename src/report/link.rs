//! Addresses of the web, for terminals that open them and documents that hold them.

/// Longest address that is made a link: VTE's terminals take 2,083 bytes (the specification of
/// hyperlinks in terminals, OSC 8).
const LINK_BYTES_MAX: usize = 2_000;

/// The address in printable ASCII that ends no sequence and no Markdown link; `None` for anything
/// that is not `http` or `https`, or too long.
///
/// ```
/// use flakedb::report::link::web;
/// assert_eq!(web("https://ci.example/b/4").as_deref(), Some("https://ci.example/b/4"));
/// assert_eq!(web("https://ci.example/a (b)\u{1b}").as_deref(), Some("https://ci.example/a%20%28b%29%1B"));
/// assert_eq!(web("javascript:alert(1)"), None);
/// ```
#[must_use]
pub fn web(url: &str) -> Option<String> {
    let starts = |scheme: &str| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && url.len() > scheme.len()
    };
    if !starts("http://") && !starts("https://") {
        return None;
    }
    let mut safe = String::with_capacity(url.len());
    for byte in url.bytes() {
        match byte {
            b'(' | b')' | b'<' | b'>' | b'"' | b'\'' | b'`' | b'\\' | b'|' | b'*' => {
                safe.push_str(&format!("%{byte:02X}"));
            }
            0x21..=0x7e => safe.push(char::from(byte)),
            _ => safe.push_str(&format!("%{byte:02X}")),
        }
        if safe.len() > LINK_BYTES_MAX {
            return None;
        }
    }
    Some(safe)
}

/// The sequence that starts a link in a terminal.
#[must_use]
pub fn open(url: &str) -> String {
    format!("\u{1b}]8;;{url}\u{1b}\\")
}

/// The sequence that ends it.
pub const CLOSE: &str = "\u{1b}]8;;\u{1b}\\";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_link_is_printable_ascii_and_of_the_web(url in "(?i)(https?://)?(.|[\u{1b}\u{7}\\\\()<>\n ]){0,40}") {
            if let Some(safe) = web(&url) {
                prop_assert!(safe.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{}", safe);
                prop_assert!(!safe.contains(['(', ')', '<', '>', '\\']), "{}", safe);
                prop_assert!(safe.to_lowercase().starts_with("http"));
            }
        }
    }

    #[test]
    fn what_is_too_long_or_says_nothing_is_no_link() {
        assert_eq!(web(&format!("https://{}", "a".repeat(3_000))), None);
        for url in ["", "https://", "ftp://a", "file:///etc/passwd", "httpsx://a", "é"] {
            assert_eq!(web(url), None, "{url}");
        }
    }
}
