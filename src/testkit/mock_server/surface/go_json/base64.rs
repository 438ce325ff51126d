//! Base64 as Go's `StdEncoding` reads it: line ends are skipped, and an error says where.

/// The bytes, or the offset that Go's `illegal base64 data at input byte N` names.
///
/// # Errors
/// The offset of the first byte that does not fit.
pub(in crate::testkit::mock_server) fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let source = text.as_bytes();
    let mut bytes = Vec::with_capacity(source.len() / 4 * 3);
    let mut at = 0;
    loop {
        let mut quantum = [0_u8; 4];
        let mut filled = 0;
        let mut padded = false;
        while filled < 4 {
            let Some(&byte) = source.get(at) else {
                if filled == 0 {
                    return Ok(bytes);
                }
                return Err(at - filled);
            };
            at += 1;
            match value_of(byte) {
                Some(value) => {
                    if let Some(place) = quantum.get_mut(filled) {
                        *place = value;
                    }
                    filled += 1;
                }
                None if byte == b'\n' || byte == b'\r' => {}
                None if byte == b'=' => {
                    at = after_padding(source, at, filled)?;
                    padded = true;
                    break;
                }
                None => return Err(at - 1),
            }
        }
        let [a, b, c, d] = quantum;
        let whole = [(a << 2) | (b >> 4), (b << 4) | (c >> 2), (c << 6) | d];
        bytes.extend(whole.iter().take(filled.saturating_sub(1)));
        if padded {
            return Ok(bytes);
        }
    }
}

/// Checks what follows a first `=` that came after `filled` digits; nothing may follow it all.
fn after_padding(source: &[u8], at: usize, filled: usize) -> Result<usize, usize> {
    let mut at = at;
    if filled < 2 {
        return Err(at - 1);
    }
    if filled == 2 {
        at = after_line_ends(source, at);
        match source.get(at) {
            None => return Err(source.len()),
            Some(b'=') => at += 1,
            Some(_) => return Err(at - 1),
        }
    }
    at = after_line_ends(source, at);
    if at < source.len() { Err(at) } else { Ok(at) }
}

fn after_line_ends(source: &[u8], at: usize) -> usize {
    let rest = source.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count()
}

fn value_of(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ::base64::Engine;
    use ::base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn errors_name_the_place_that_go_names() {
        for (text, at) in [
            ("data:image/png;base64,AAAA", 4),
            ("AAA", 0),
            ("AAAAA", 4),
            ("A===", 1),
            ("AA=", 3),
            ("AA=A", 2),
            ("AA==AA", 4),
            ("AAA=A", 4),
            ("AA A", 2),
            ("=", 0),
        ] {
            assert_eq!(decode(text), Err(at), "{text}");
        }
        assert_eq!(decode("QU\nJD\r\n").as_deref(), Ok(b"ABC".as_slice()));
    }

    proptest! {
        #[test]
        fn agrees_with_another_decoder(bytes in any::<Vec<u8>>(), text in "[A-Za-z0-9+/=]{0,12}") {
            prop_assert_eq!(decode(&STANDARD.encode(&bytes)), Ok(bytes));
            // That one is stricter: it also wants the unused bits to be zero.
            if let Ok(expected) = STANDARD.decode(&text) {
                prop_assert_eq!(decode(&text), Ok(expected));
            }
        }
    }
}
