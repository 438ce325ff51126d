//! Text in quotes, as Go's `%q` and its JSON errors have it.

use std::fmt::Write;

/// `text` in double quotes, escaped as `strconv.Quote` does.
pub(in crate::testkit::mock_server) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            _ => escape(&mut out, character),
        }
    }
    out.push('"');
    out
}

/// A byte of a malformed text in single quotes; Go takes it for a character of Latin-1.
pub(super) fn quoted_byte(byte: u8) -> String {
    let mut out = String::from("'");
    match byte {
        b'\'' => out.push_str("\\'"),
        b'"' => out.push('"'),
        _ => escape(&mut out, char::from(byte)),
    }
    out.push('\'');
    out
}

fn escape(out: &mut String, character: char) {
    match character {
        '\\' => out.push_str("\\\\"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        _ => {
            let code = u32::from(character);
            // Writing to a `String` cannot fail.
            let _ = match code {
                0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
                0x80.. if !is_printable(character) => match code {
                    0x1_0000.. => write!(out, "\\U{code:08x}"),
                    _ => write!(out, "\\u{code:04x}"),
                },
                _ => {
                    out.push(character);
                    Ok(())
                }
            };
        }
    }
}

/// Whether Go prints a character as it is: no control, no space but the plain one, nothing that has
/// no look. Rust's tables have the same ones; in front of it stands a letter, for alone a combining
/// mark would not count.
fn is_printable(character: char) -> bool {
    let mut text = String::from("a");
    text.push(character);
    text.escape_debug().nth(1) != Some('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go() {
        for (text, expected) in [
            ("plain", r#""plain""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\n\t\u{1}\u{7f}", r#""\n\t\x01\x7f""#),
            ("雨\u{a0}\u{feff}", r#""雨\u00a0\ufeff""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
        for (byte, expected) in [
            (b'n', "'n'"),
            (b'\'', r"'\''"),
            (b'"', "'\"'"),
            (0xef, "'ï'"),
            (0x80, r"'\u0080'"),
            (0, r"'\x00'"),
            (b'\\', r"'\\'"),
        ] {
            assert_eq!(quoted_byte(byte), expected);
        }
    }
}
