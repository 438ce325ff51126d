//! Raw markup to text: references, CDATA, white space, and characters that XML forbids.

use std::borrow::Cow;

/// Which kinds of bytes a piece of raw text holds, found in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes(u8);

impl Bytes {
    const REFERENCE: u8 = 1;
    const LINE_SPACE: u8 = 2;
    const CONTROL: u8 = 4;
    const HEX_MARK: u8 = 8;
    const DASH: u8 = 16;
    const BLANK: u8 = 32;
    const PATH: u8 = 64;
    const OTHER: u8 = 128;

    const TABLE: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 0x20 {
            table[byte] = Self::CONTROL;
            byte += 1;
        }
        table[0x7F] = Self::CONTROL;
        table[b'\t' as usize] = Self::LINE_SPACE | Self::BLANK;
        table[b'\n' as usize] = Self::LINE_SPACE | Self::BLANK;
        table[b'\r' as usize] = Self::LINE_SPACE | Self::BLANK;
        table[b' ' as usize] = Self::BLANK;
        table[b'&' as usize] = Self::REFERENCE;
        table[b'x' as usize] = Self::HEX_MARK;
        table[b'-' as usize] = Self::DASH;
        table[b'.' as usize] = Self::PATH;
        table[b'/' as usize] = Self::PATH;
        table[b'\\' as usize] = Self::PATH;
        table[b':' as usize] = Self::PATH;
        let mut byte = 0x80;
        while byte < 0x100 {
            table[byte] = Self::OTHER;
            byte += 1;
        }
        table
    };

    /// Looks at every byte once.
    pub(super) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |seen, byte| seen | Self::TABLE[usize::from(byte)]))
    }

    const fn has(self, kinds: u8) -> bool {
        self.0 & kinds != 0
    }

    /// True where an attribute value is its own text: no reference, no line white space.
    pub(super) const fn is_verbatim(self) -> bool {
        !self.has(Self::REFERENCE | Self::LINE_SPACE)
    }

    /// True where a control character must be taken out.
    pub(super) const fn has_control(self) -> bool {
        self.has(Self::CONTROL | Self::LINE_SPACE)
    }

    /// True where an address (`0x…`) or a UUID may stand.
    pub(super) const fn may_hold_address(self) -> bool {
        self.has(Self::HEX_MARK | Self::DASH)
    }

    /// True where one of `. / \ :` stands.
    pub(super) const fn has_path_mark(self) -> bool {
        self.has(Self::PATH)
    }

    /// True where a blank or a character beyond ASCII, which may be one, stands.
    pub(super) const fn may_hold_blank(self) -> bool {
        self.has(Self::BLANK | Self::OTHER | Self::LINE_SPACE)
    }
}

/// What was wrong with a piece of text that could still be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Oddities {
    /// A reference to a character that XML forbids.
    pub(super) forbidden: bool,
    /// A bare `&`, an undeclared entity, or `]]>` outside CDATA.
    pub(super) repaired: bool,
}

/// Longest reference looked for behind a `&`, with both its ends.
const REFERENCE_BYTES_MAX: usize = 12;

/// The text of an attribute value; white space of lines becomes blanks, as XML demands.
pub(super) fn attribute<'a>(raw: &'a str, oddities: &mut Oddities) -> Cow<'a, str> {
    attribute_and_bytes(raw, oddities).0
}

/// The same, with what the text holds.
pub(super) fn attribute_and_bytes<'a>(
    raw: &'a str,
    oddities: &mut Oddities,
) -> (Cow<'a, str>, Bytes) {
    let bytes = Bytes::of(raw);
    if bytes.is_verbatim() {
        return (Cow::Borrowed(raw), bytes);
    }
    let decoded = decoded(raw, oddities);
    let bytes = Bytes::of(&decoded);
    (Cow::Owned(decoded), bytes)
}

fn decoded(raw: &str, oddities: &mut Oddities) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        rest = if special.starts_with('&') {
            reference(special, &mut out, oddities)
        } else {
            out.push(' ');
            let one = special.strip_prefix("\r\n");
            one.unwrap_or_else(|| special.get(1..).unwrap_or_default())
        };
    }
    out.push_str(rest);
    out
}

/// The references that XML names, the most frequent first.
const NAMED: [(&str, char); 5] =
    [("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&amp;", '&'), ("&apos;", '\'')];

/// Appends what the reference at the start of `text` stands for and returns what follows it.
fn reference<'a>(text: &'a str, out: &mut String, oddities: &mut Oddities) -> &'a str {
    let plain = |(written, meant): &(&str, char)| Some((text.strip_prefix(written)?, *meant));
    if let Some((rest, meant)) = NAMED.iter().find_map(plain) {
        out.push(meant);
        return rest;
    }
    let window = text.as_bytes().get(..REFERENCE_BYTES_MAX).unwrap_or(text.as_bytes());
    let end = memchr::memchr(b';', window);
    let parts = end.and_then(|end| Some((text.get(1..end)?, text.get(end + 1..)?)));
    let Some((name, rest)) = parts else {
        oddities.repaired = true;
        out.push('&');
        return text.get(1..).unwrap_or_default();
    };
    match numeric(name, oddities) {
        Some(character) => {
            out.push(character);
            rest
        }
        None => {
            // An HTML entity or a stray ampersand: it stays as it was written.
            oddities.repaired = true;
            out.push('&');
            text.get(1..).unwrap_or_default()
        }
    }
}

fn numeric(name: &str, oddities: &mut Oddities) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    let character = char::from_u32(code);
    let legal = matches!(code,
        0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF);
    if legal {
        return character;
    }
    oddities.forbidden = true;
    // Escape and its like stay for now, so that whole colour sequences can be taken out.
    Some(character.filter(|c| c.is_ascii_control()).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// The text between two tags: CDATA joined, references resolved, colours taken out; markup that
/// has no place there stays as text.
pub(super) fn body(raw: &str, oddities: &mut Oddities) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    // Cheap first: most texts hold no bracket at all.
    let has_bracket = memchr::memchr(b']', raw.as_bytes()).is_some();
    let push_plain = |plain: &str, out: &mut String, oddities: &mut Oddities| {
        oddities.repaired |=
            has_bracket && memchr::memmem::find(plain.as_bytes(), b"]]>").is_some();
        out.push_str(plain);
    };
    while let Some(at) = memchr::memchr2(b'<', b'&', rest.as_bytes()) {
        let (plain, special) = rest.split_at(at);
        push_plain(plain, &mut out, oddities);
        rest = if special.starts_with('&') {
            reference(special, &mut out, oddities)
        } else if let Some(cdata) = special.strip_prefix("<![CDATA[") {
            let end = memchr::memmem::find(cdata.as_bytes(), b"]]>");
            let whole = end.and_then(|end| Some((cdata.get(..end)?, cdata.get(end + 3..)?)));
            let (inner, after) = whole.unwrap_or((cdata, ""));
            out.push_str(inner);
            after
        } else if let Some(comment) = special.strip_prefix("<!--") {
            comment.split_once("-->").map_or("", |(_, after)| after)
        } else {
            out.push('<');
            special.get(1..).unwrap_or_default()
        };
    }
    push_plain(rest, &mut out, oddities);
    // Without an early exit the compiler turns this into vector instructions.
    let is_odd = out.bytes().fold(false, |odd, byte| {
        odd | ((byte < 0x20) & (byte != b'\t') & (byte != b'\n')) | (byte == 0x7F)
    });
    if is_odd { clean_text(&out) } else { out }
}

/// Failure text without colours, other control characters replaced and line ends made one.
fn clean_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_return = false;
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => out.push_str(plain),
            // `\r\n` is one line end, and so is a lone `\r`.
            Piece::Control('\n') if after_return => {}
            Piece::Control('\r' | '\n') => out.push('\n'),
            Piece::Control('\t') => out.push('\t'),
            Piece::Control(_) => out.push(char::REPLACEMENT_CHARACTER),
            Piece::Colour => {}
        }
        after_return = matches!(piece, Piece::Control('\r'));
    }
    out
}

/// A name without colours and control characters, trimmed; borrowed where nothing changes.
pub(super) fn name(text: &str, bytes: Bytes) -> Cow<'_, str> {
    if !bytes.has_control() {
        return Cow::Borrowed(text.trim());
    }
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => out.push_str(plain),
            // Line white space that was written as a reference stays a separator.
            Piece::Control('\t' | '\n' | '\r') => out.push(' '),
            Piece::Control(_) | Piece::Colour => {}
        }
    }
    Cow::Owned(out.trim().to_owned())
}

enum Piece<'a> {
    Plain(&'a str),
    Control(char),
    /// An ANSI control sequence (ECMA-48 §5.4): `ESC [`, parameters, one final byte.
    Colour,
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        if let Some(length) = colour_length(rest) {
            rest = rest.get(length..)?;
            return Some(Piece::Colour);
        }
        if first.is_ascii_control() {
            rest = rest.get(1..)?;
            return Some(Piece::Control(first));
        }
        let end = rest.find(|c: char| c.is_ascii_control()).unwrap_or(rest.len());
        let (plain, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Plain(plain))
    })
}

fn colour_length(text: &str) -> Option<usize> {
    let sequence = text.strip_prefix("\u{1b}[")?;
    let end = sequence.bytes().position(|byte| !(0x20..=0x3F).contains(&byte))?;
    let ends = matches!(sequence.as_bytes().get(end), Some(0x40..=0x7E));
    ends.then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> (String, bool, bool) {
        let mut oddities = Oddities::default();
        let text = body(raw, &mut oddities);
        (text, oddities.forbidden, oddities.repaired)
    }

    #[test]
    fn bodies_join_cdata_and_keep_stray_markup_as_text() {
        let case = |raw: &str, text: &str, forbidden, repaired| {
            assert_eq!(read(raw), (text.to_owned(), forbidden, repaired), "{raw}");
        };
        case("a &lt; b", "a < b", false, false);
        case("&amp;&lt;&gt;&quot;&apos;&#39;", "&<>\"''", false, false);
        case("<![CDATA[x]]>]]&gt;<![CDATA[y]]>", "x]]>y", false, false);
        case("<![CDATA[x ]]> after <tag> & more]]>", "x  after <tag> & more]]>", false, true);
        case("&nbsp;x && y &", "&nbsp;x && y &", false, true);
        case("&#27;[31mred&#27;[0m &#8;&#x1F600;", "red \u{fffd}😀", true, false);
        case("a\r\nb\rc\n\r\nd", "a\nb\nc\n\nd", false, false);
        case("<!-- no -->x<![CDATA[open", "xopen", false, false);
        case("&#xD800;&#xFFFF;&#99999999999;", "\u{fffd}\u{fffd}&#99999999999;", true, true);
    }

    #[test]
    fn attributes_and_names_are_normalised() {
        let mut oddities = Oddities::default();
        assert!(matches!(attribute("plain", &mut oddities), Cow::Borrowed("plain")));
        assert_eq!(attribute("a\r\nb\tc&#10;d&amp;", &mut oddities), "a b c\nd&");
        let clean = |text| name(text, Bytes::of(text)).into_owned();
        assert_eq!(clean(" a\u{1b}[1;31mb\u{1}\u{1b}[0m\nc "), "ab c");
        assert_eq!(clean("\u{1b}[12"), "[12");
    }

    #[test]
    fn a_clean_name_is_not_copied() {
        for text in ["plain", "with blanks inside", "ünïcode"] {
            assert!(matches!(name(text, Bytes::of(text)), Cow::Borrowed(same) if same == text));
        }
        assert!(matches!(name("a\nb", Bytes::of("a\nb")), Cow::Owned(_)));
    }
}
