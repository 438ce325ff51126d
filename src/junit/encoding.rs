//! Bytes to text: byte order marks, declared encodings, and repair of what is neither.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::warning::Code;

/// The XML declaration is looked for in this many bytes.
const DECLARATION_BYTES_MAX: usize = 400;

/// The text of a document and what had to be done to get it.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    /// The text without byte order mark.
    pub(super) text: Cow<'a, str>,
    /// How offsets in the text relate to offsets in the input.
    pub(super) origin: Origin,
    /// What was wrong: code, offset in the text, message.
    pub(super) findings: Vec<(Code, usize, String)>,
}

/// How offsets in the decoded text relate to offsets in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The text is the input behind a prefix of this many bytes.
    Shifted(usize),
    /// Two bytes for each UTF-16 unit, behind a prefix of this many bytes.
    Utf16(usize),
    /// One byte for each character.
    SingleByte,
}

impl Origin {
    /// The offset in the input of an offset in the text.
    pub(super) fn original(self, text: &str, at: usize) -> u64 {
        let before = text.get(..at).unwrap_or(text);
        let offset = match self {
            Self::Shifted(prefix) => prefix + at,
            Self::Utf16(prefix) => prefix + 2 * before.chars().map(char::len_utf16).sum::<usize>(),
            Self::SingleByte => before.chars().count(),
        };
        offset as u64
    }
}

/// The bytes cannot be read as text at all; the message says why.
#[derive(Debug)]
pub(super) struct Undecodable(pub(super) String);

/// Decodes a document: a byte order mark wins over the declaration, which wins over UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, Undecodable> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        return Ok(if encoding == UTF_8 { utf8(rest, mark) } else { utf16(rest, mark, encoding) });
    }
    match bytes {
        [b'<', 0, ..] => return Ok(utf16(bytes, 0, UTF_16LE)),
        [0, b'<', ..] => return Ok(utf16(bytes, 0, UTF_16BE)),
        _ => {}
    }
    let Some(label) = declared(bytes) else { return Ok(utf8(bytes, 0)) };
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding == UTF_8 => Ok(utf8(bytes, 0)),
        // The declaration was readable as single bytes, so the document cannot be UTF-16.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            Ok(misdeclared(bytes, label))
        }
        Some(encoding) => Ok(legacy(bytes, encoding, label)),
        None if std::str::from_utf8(bytes).is_ok() => Ok(misdeclared(bytes, label)),
        None => Err(Undecodable(format!(
            "the declared encoding `{label}` is unknown and the bytes are not UTF-8; let the runner write UTF-8"
        ))),
    }
}

/// The encoding named by the XML declaration.
fn declared(bytes: &[u8]) -> Option<&str> {
    let head = bytes.get(..DECLARATION_BYTES_MAX).unwrap_or(bytes);
    let start = memchr::memmem::find(head, b"<?xml")?;
    let end = start + memchr::memmem::find(head.get(start..)?, b"?>")?;
    let declaration = head.get(start..end)?;
    let name = memchr::memmem::find(declaration, b"encoding")?;
    let value = declaration.get(name + b"encoding".len()..)?;
    let value = value.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let length = memchr::memchr(*quote, value)?;
    std::str::from_utf8(value.get(..length)?).ok().map(str::trim)
}

fn misdeclared<'a>(bytes: &'a [u8], label: &str) -> Decoded<'a> {
    let mut decoded = utf8(bytes, 0);
    let message = format!("declared as `{label}` but read as UTF-8; mend the declaration");
    decoded.findings.push((Code::Encoding, 0, message));
    decoded
}

fn utf16<'a>(bytes: &'a [u8], mark: usize, encoding: &'static Encoding) -> Decoded<'a> {
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    let mut findings = Vec::new();
    if let Some(label) = declared(text.as_bytes())
        && !label.to_ascii_lowercase().starts_with("utf-16")
    {
        let message = format!(
            "declared as `{label}` but the bytes are UTF-16 (a shell redirection does that); \
             let the runner write the file itself"
        );
        findings.push((Code::Encoding, 0, message));
    }
    if broken {
        findings.push((Code::InvalidUtf8, 0, "broken UTF-16 was replaced by U+FFFD".to_owned()));
    }
    Decoded { text: Cow::Owned(text.into_owned()), origin: Origin::Utf16(mark), findings }
}

fn legacy<'a>(bytes: &'a [u8], encoding: &'static Encoding, label: &str) -> Decoded<'a> {
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    let mut findings = Vec::new();
    if broken {
        let message = format!("bytes that are not `{label}` were replaced by U+FFFD");
        findings.push((Code::Encoding, 0, message));
    }
    let origin = match (&text, encoding.is_single_byte()) {
        (Cow::Owned(_), true) => Origin::SingleByte,
        _ => Origin::Shifted(0),
    };
    Decoded { text, origin, findings }
}

fn utf8(bytes: &[u8], mark: usize) -> Decoded<'_> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => {
            let origin = Origin::Shifted(mark);
            return Decoded { text: Cow::Borrowed(text), origin, findings: Vec::new() };
        }
        Err(error) => error,
    };
    let at = error.valid_up_to();
    if is_latin1_prose(bytes) {
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        let message =
            "not UTF-8 but evidently Latin-1, and read so; declare the encoding or write UTF-8";
        return Decoded {
            text,
            origin: Origin::SingleByte,
            findings: vec![(Code::Encoding, at, message.to_owned())],
        };
    }
    let message =
        "bytes that are not UTF-8 were replaced by U+FFFD; escape raw bytes in test output";
    Decoded {
        text: Cow::Owned(String::from_utf8_lossy(bytes).into_owned()),
        origin: Origin::Shifted(mark),
        findings: vec![(Code::InvalidUtf8, at, message.to_owned())],
    }
}

/// True where every byte above ASCII is a Latin-1 letter beside an ASCII letter, as in `café`.
///
/// 0xFF is the typical raw byte of a test and no letter of any use, so it decides against.
fn is_latin1_prose(bytes: &[u8]) -> bool {
    let letter = |index: Option<usize>| {
        index.and_then(|index| bytes.get(index)).is_some_and(u8::is_ascii_alphabetic)
    };
    bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii()).all(|(index, &byte)| {
        let is_letter = matches!(byte, 0xC0..=0xFE) && byte != 0xD7 && byte != 0xF7;
        is_letter && (letter(index.checked_sub(1)) || letter(Some(index + 1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(bytes: &[u8]) -> (String, Vec<Code>) {
        let decoded = decode(bytes).unwrap();
        (decoded.text.into_owned(), decoded.findings.iter().map(|f| f.0).collect())
    }

    #[test]
    fn a_byte_order_mark_wins_over_the_declaration() {
        let text = "<?xml version='1.0' encoding='UTF-8'?><a>é</a>";
        let mut bytes = vec![0xFF, 0xFE];
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(codes(&bytes), (text.to_owned(), vec![Code::Encoding]));
        let mut bytes = b"\xEF\xBB\xBF".to_vec();
        bytes.extend(text.as_bytes());
        assert_eq!(codes(&bytes), (text.to_owned(), vec![]));
    }

    #[test]
    fn declared_legacy_encodings_are_read_and_unknown_ones_only_as_utf8() {
        let (text, findings) = codes(b"<?xml version=\"1.0\" encoding = \"ISO-8859-1\"?>\xE9");
        assert!(text.ends_with('é') && findings.is_empty());
        assert_eq!(codes(b"<?xml encoding='x-nope'?>").1, [Code::Encoding]);
        assert!(decode(b"<?xml encoding='x-nope'?>\xFF").is_err());
        assert_eq!(codes(b"<?xml encoding='utf-16'?>").1, [Code::Encoding]);
    }

    #[test]
    fn latin1_words_are_told_from_raw_bytes() {
        assert_eq!(codes(b"caf\xE9").0, "café");
        assert_eq!(codes(b"caf\xE9").1, [Code::Encoding]);
        for raw in [&b"a\xFFb"[..], b"\xC0\x80", b"x \xED\xA0\x80", b"caf\xE9 \xFF"] {
            assert_eq!(codes(raw).1, [Code::InvalidUtf8], "{raw:?}");
        }
    }

    #[test]
    fn offsets_lead_back_to_the_input() {
        assert_eq!(Origin::Shifted(3).original("abc", 2), 5);
        assert_eq!(Origin::Utf16(2).original("é😀x", 6), 2 + 6);
        assert_eq!(Origin::SingleByte.original("éx", 2), 1);
    }
}
