//! Markup to tokens: quick-xml's events over one buffer, and the lenient parts around them.

use std::io::BufRead;

use memchr::{memchr, memchr2, memmem};
use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// One piece of markup; offsets are places in the text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    /// `<name attributes>` or `<name attributes/>`.
    Start(Tag<'a>),
    /// `</name>`.
    End {
        /// The name without its namespace prefix.
        name: &'a str,
        /// Where the tag starts.
        at: usize,
    },
    /// A comment's content.
    Comment(&'a str),
    /// A document type declaration, whole.
    Doctype {
        /// Its text.
        text: &'a str,
        /// Where it starts.
        at: usize,
    },
    /// The end of the text.
    Eof,
    /// Markup that starts here has no end.
    Broken(usize),
}

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'a> {
    /// The name without its namespace prefix.
    pub(super) name: &'a str,
    /// Everything between name and `>`.
    pub(super) attributes: &'a str,
    /// Where the tag starts.
    pub(super) at: usize,
    /// `<name/>`: there will be no end tag.
    pub(super) is_empty: bool,
    /// Written plainly: [`Tokens::listed`] holds its attributes, and no `<` stands in it.
    pub(super) is_plain: bool,
}

/// One attribute: name and raw value.
pub(super) type Attribute<'a> = (&'a str, &'a str);
/// A tag with more attributes is not read as a plain one.
const PLAIN_ATTRIBUTES_MAX: usize = 32;

/// A case without children; raw values, empty where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BareCase<'a> {
    pub(super) at: usize,
    pub(super) name: &'a str,
    pub(super) classname: &'a str,
    pub(super) file: &'a str,
    pub(super) time: &'a str,
}

impl<'a> BareCase<'a> {
    /// Where the attribute that starts here is kept, if it is, and the bytes up to its value; `None`
    /// for one that must be looked at.
    #[inline]
    fn slot(&mut self, bytes: &[u8]) -> Option<(Option<&mut &'a str>, usize)> {
        let is = |start: &[u8]| bytes.starts_with(start).then_some(start.len());
        match bytes.first()? {
            b'n' => Some((Some(&mut self.name), is(b"name=\"")?)),
            b'c' => Some((Some(&mut self.classname), is(b"classname=\"")?)),
            b'f' => Some((Some(&mut self.file), is(b"file=\"")?)),
            b't' => Some((Some(&mut self.time), is(b"time=\"")?)),
            b'l' => Some((None, is(b"line=\"")?)),
            b'a' => Some((None, is(b"assertions=\"")?)),
            _ => None,
        }
    }
}

/// The tokens of a text, from any place on.
pub(super) struct Tokens<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    base: usize,
    /// Nothing but text stands between here and the last tag, so that the reader may be moved.
    behind_tag: bool,
    listed: Vec<Attribute<'a>>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let reader = reader(text.as_bytes());
        Self { text, reader, base: 0, behind_tag: false, listed: Vec::new() }
    }

    /// The attributes of the last tag, where that was a plain one.
    pub(super) fn listed(&self) -> &[Attribute<'a>] {
        &self.listed
    }

    /// Where the next token is looked for.
    pub(super) fn offset(&self) -> usize {
        self.base + usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// Goes on behind a `<!` at `at` that begins no markup, as unescaped text has it; false
    /// where something else is wrong there.
    pub(super) fn skip_stray(&mut self, at: usize) -> bool {
        const MARKUP: [&str; 4] = ["<!--", "<![CDATA[", "<!DOCTYPE", "<?"];
        let rest = self.text.get(at..).unwrap_or_default();
        let is_stray = rest.starts_with("<!")
            && MARKUP.iter().all(|open| !rest.starts_with(open))
            && rest.len() > "<![CDATA[".len();
        if is_stray {
            self.restart(at + 1);
        }
        is_stray
    }

    /// Starts again at a place, whatever happened before.
    pub(super) fn restart(&mut self, at: usize) {
        self.reader = reader(self.text.as_bytes().get(at..).unwrap_or_default());
        self.base = at;
        self.behind_tag = false;
    }

    /// Steps over text behind a start tag without looking into it.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.reader.stream().consume(bytes);
    }

    /// The next token that is not text.
    pub(super) fn next(&mut self) -> Token<'a> {
        if self.behind_tag
            && let Some((token, length)) = self.plain()
        {
            self.skip(length);
            return token;
        }
        let token = self.any();
        self.behind_tag = matches!(token, Token::Start(_) | Token::End { .. });
        token
    }

    /// The next token where it is a tag as almost every writer writes it, with the bytes up to its
    /// end. What is odd in any way is left to quick-xml.
    fn plain(&mut self) -> Option<(Token<'a>, usize)> {
        let from = self.offset();
        let bytes = self.text.as_bytes().get(from..)?;
        let start = bytes.iter().position(|byte| !is_blank(*byte))?;
        match bytes.get(start..)? {
            [b'<', b'/', rest @ ..] => {
                let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
                let name = from + start + 2;
                let name = self.text.get(name..name + length)?;
                let token = Token::End { name, at: from + start };
                (rest.get(length) == Some(&b'>')).then_some((token, start + length + 3))
            }
            [b'<', first, ..] if first.is_ascii_alphabetic() => {
                self.plain_start(from + start).map(|(token, length)| (token, start + length))
            }
            _ => None,
        }
    }

    /// The case that comes next and the bytes up to its end, where it is one empty tag, written
    /// plainly, that says nothing about an outcome.
    #[inline]
    pub(super) fn bare_case(&self) -> Option<(BareCase<'a>, usize)> {
        let from = self.offset();
        let text = self.text.get(from..).filter(|_| self.behind_tag)?;
        let bytes = text.as_bytes();
        let start = bytes.iter().position(|byte| !is_blank(*byte))?;
        bytes.get(start..)?.strip_prefix(b"<testcase")?;
        let mut case = BareCase { at: from + start, name: "", classname: "", file: "", time: "" };
        let mut place = start + "<testcase".len();
        for _ in 0..PLAIN_ATTRIBUTES_MAX {
            let blanks = bytes.get(place..)?.iter().position(|byte| !is_blank(*byte))?;
            let rest = bytes.get(place + blanks..)?;
            if rest.starts_with(b"/>") {
                return Some((case, place + blanks + 2));
            }
            let (slot, length) = case.slot(rest).filter(|_| blanks > 0)?;
            let value = place + blanks + length;
            let rest = bytes.get(value..)?;
            let end = memchr2(b'"', b'<', rest)?;
            if rest.get(end) != Some(&b'"') {
                return None;
            }
            if let Some(slot) = slot {
                *slot = text.get(value..value + end)?;
            }
            place = value + end + 1;
        }
        None
    }

    fn plain_start(&mut self, at: usize) -> Option<(Token<'a>, usize)> {
        let text = self.text.get(at..)?;
        let bytes = text.as_bytes();
        let inner = bytes.get(1..)?;
        let name_end = 1 + inner.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
        self.listed.clear();
        let mut place = name_end;
        loop {
            let rest = bytes.get(place..)?;
            let blanks = rest.iter().position(|byte| !is_blank(*byte))?;
            let is_empty = match rest.get(blanks..)? {
                [b'>', ..] => false,
                [b'/', b'>', ..] => true,
                [first, ..] if blanks > 0 && first.is_ascii_alphabetic() => {
                    place = self.plain_attribute(text, place + blanks)?;
                    continue;
                }
                _ => return None,
            };
            let close = place + blanks;
            let tag = Tag {
                name: text.get(1..name_end)?,
                attributes: text.get(name_end..close)?,
                at,
                is_empty,
                is_plain: true,
            };
            return Some((Token::Start(tag), close + 1 + usize::from(is_empty)));
        }
    }

    /// Lists the attribute that starts at a place of `text`, and returns where it ends.
    #[inline]
    fn plain_attribute(&mut self, text: &'a str, start: usize) -> Option<usize> {
        let rest = text.as_bytes().get(start..)?;
        let length = rest.iter().position(|byte| !is_attribute_name(*byte))?;
        let [b'=', b'"', value @ ..] = rest.get(length..)? else { return None };
        let value_length = memchr2(b'"', b'<', value)?;
        if value.get(value_length) == Some(&b'<') || self.listed.len() >= PLAIN_ATTRIBUTES_MAX {
            return None;
        }
        let value_start = start + length + 2;
        let value_end = value_start + value_length;
        let name = text.get(start..start + length)?;
        self.listed.push((name, text.get(value_start..value_end)?));
        Some(value_end + 1)
    }

    fn any(&mut self) -> Token<'a> {
        loop {
            let before = self.offset();
            let (length, is_empty) = match self.reader.read_event() {
                Ok(Event::Start(tag)) => (tag.len() + 2, false),
                Ok(Event::Empty(tag)) => (tag.len() + 3, true),
                Ok(Event::End(_)) => return self.end_tag(before),
                Ok(Event::Text(_) | Event::GeneralRef(_) | Event::CData(_)) => continue,
                Ok(Event::PI(_) | Event::Decl(_)) => continue,
                Ok(Event::Comment(comment)) => {
                    let end = self.offset();
                    let start = end.saturating_sub(comment.len() + 3);
                    let end = end.saturating_sub(3);
                    return Token::Comment(self.text.get(start..end).unwrap_or_default());
                }
                Ok(Event::DocType(_)) => return self.doctype(before),
                Ok(Event::Eof) => return Token::Eof,
                Err(_) => return Token::Broken(self.markup_from(before)),
            };
            return self.start_tag(length, is_empty);
        }
    }

    fn start_tag(&self, length: usize, is_empty: bool) -> Token<'a> {
        let end = self.offset();
        let at = end.saturating_sub(length);
        let close = if is_empty { 2 } else { 1 };
        let content = self.text.get(at + 1..end.saturating_sub(close)).unwrap_or_default();
        let (name, attributes) = split_name(content);
        Token::Start(Tag { name: local(name), attributes, at, is_empty, is_plain: false })
    }

    fn end_tag(&self, before: usize) -> Token<'a> {
        let at = self.markup_from(before);
        let end = self.offset().saturating_sub(1);
        let name = self.text.get(at + 2..end).unwrap_or_default();
        Token::End { name: local(name.trim_ascii_end()), at }
    }

    fn doctype(&self, before: usize) -> Token<'a> {
        let at = self.markup_from(before);
        Token::Doctype { text: self.text.get(at..self.offset()).unwrap_or_default(), at }
    }

    /// The place of the markup that was read since `before`; events hide text in front of it.
    fn markup_from(&self, before: usize) -> usize {
        let tail = self.text.as_bytes().get(before..).unwrap_or_default();
        before + memchr(b'<', tail).unwrap_or(tail.len())
    }

    /// The raw text from here to the end tag of `name`, which is stepped over.
    ///
    /// Broken CDATA and stray tags do not matter: the text ends where its own end tag stands. An
    /// end tag of a container in between means that this one's is missing.
    pub(super) fn text_until_end(&mut self, name: &str) -> TextEnd<'a> {
        let start = self.offset();
        let found = find_end(self.text.get(start..).unwrap_or_default(), name);
        if let Found::End { text, after, depth } = found {
            self.skip(after);
            let raw = self.text.get(start..start + text).unwrap_or_default();
            return TextEnd::Whole { raw, depth };
        }
        match found {
            Found::Container(at) => TextEnd::Container(start + at),
            _ => TextEnd::Eof,
        }
    }
}

/// How a text element ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum TextEnd<'a> {
    /// At its own end tag.
    Whole {
        /// The raw text.
        raw: &'a str,
        /// How deep elements were nested in it.
        depth: usize,
    },
    /// At the end tag of a case or suite, which stands here.
    Container(usize),
    /// Not at all.
    Eof,
}

enum Found {
    End { text: usize, after: usize, depth: usize },
    Container(usize),
    Nothing,
}

fn find_end(text: &str, name: &str) -> Found {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut deepest) = (0, 0_usize, 0_usize);
    let mut same_inside = 0_usize;
    while let Some(found) = memchr(b'<', bytes.get(at..).unwrap_or_default()) {
        let open = at + found;
        let rest = bytes.get(open..).unwrap_or_default();
        let skip_past = |needle: &[u8]| memmem::find(rest, needle).map(|end| end + needle.len());
        at = open + 1;
        match rest.get(1) {
            Some(b'/') => {
                let after = end_tag_length(rest);
                let inner = rest.get(2..after.saturating_sub(1)).unwrap_or_default();
                let closed = local_bytes(inner.trim_ascii_end());
                depth = depth.saturating_sub(1);
                if closed == name.as_bytes() {
                    if same_inside == 0 {
                        return Found::End { text: open, after: open + after, depth: deepest };
                    }
                    same_inside -= 1;
                } else if matches!(closed, b"testcase" | b"testsuite" | b"testsuites") {
                    return Found::Container(open);
                }
            }
            Some(b'!') if rest.starts_with(b"<![CDATA[") => match skip_past(b"]]>") {
                Some(end) => at = open + end,
                None => return Found::Nothing,
            },
            Some(b'!') if rest.starts_with(b"<!--") => {
                at = open + skip_past(b"-->").unwrap_or(1);
            }
            Some(byte) if byte.is_ascii_alphabetic() => {
                let end = memchr(b'>', rest).unwrap_or(rest.len());
                let tag = rest.get(1..end).unwrap_or_default();
                if !tag.ends_with(b"/") {
                    depth += 1;
                    deepest = deepest.max(depth);
                    let (inner, _) = split_bytes(tag);
                    same_inside += usize::from(local_bytes(inner) == name.as_bytes());
                }
            }
            _ => {}
        }
    }
    Found::Nothing
}

fn end_tag_length(tag: &[u8]) -> usize {
    memchr(b'>', tag).map_or(tag.len(), |end| end + 1)
}

fn reader(bytes: &[u8]) -> Reader<&[u8]> {
    let mut reader = Reader::from_reader(bytes);
    let config = reader.config_mut();
    // Ends are matched by the reader's own stack, which knows what may be repaired.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    config.trim_text_start = true;
    reader
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

const fn is_attribute_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':')
}

fn split_name(content: &str) -> (&str, &str) {
    let end = content.find(|c: char| c.is_ascii_whitespace()).unwrap_or(content.len());
    content.split_at(end)
}

fn split_bytes(content: &[u8]) -> (&[u8], &[u8]) {
    let end = content.iter().position(u8::is_ascii_whitespace).unwrap_or(content.len());
    content.split_at(end)
}

/// The name without its namespace prefix: producers that use one mean the same elements.
fn local(name: &str) -> &str {
    memchr(b':', name.as_bytes()).and_then(|at| name.get(at + 1..)).unwrap_or(name)
}

fn local_bytes(name: &[u8]) -> &[u8] {
    memchr(b':', name).and_then(|at| name.get(at + 1..)).unwrap_or(name)
}

/// The attributes of a start tag: `(name, raw value)`, whatever their quoting.
pub(super) struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Attributes<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The raw value of the attribute of this name.
    pub(super) fn find(text: &'a str, name: &str) -> Option<&'a str> {
        Self::new(text).find_map(|(known, value)| (known == name).then_some(value))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.trim_ascii_start();
        let bytes = text.as_bytes();
        let end = bytes.iter().position(|byte| *byte == b'=' || byte.is_ascii_whitespace());
        let Some(end) = end else {
            self.rest = "";
            return (!text.is_empty()).then_some((text, ""));
        };
        let (name, after) = text.split_at_checked(end)?;
        let after = after.trim_ascii_start();
        let Some(value) = after.strip_prefix('=').map(str::trim_ascii_start) else {
            self.rest = after;
            return Some((name, ""));
        };
        let (value, rest) = match value.as_bytes().first() {
            Some(&quote @ (b'"' | b'\'')) => {
                let inner = value.get(1..)?;
                match memchr(quote, inner.as_bytes()) {
                    Some(close) => (inner.get(..close)?, inner.get(close + 1..)?),
                    None => (inner, ""),
                }
            }
            _ => split_name(value),
        };
        self.rest = rest;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn attributes_are_split_however_they_are_quoted() {
        let read: Vec<_> = Attributes::new(" a=\"1 > 2\"\n b = '\"' c=3 d e=''").collect();
        assert_eq!(read, [("a", "1 > 2"), ("b", "\""), ("c", "3"), ("d", ""), ("e", "")]);
        assert_eq!(Attributes::find("x='1' y='2'", "y"), Some("2"));
        assert_eq!(Attributes::new(" a=\"open").next(), Some(("a", "open")));
        assert!(Attributes::new("= = ='").count() <= 3);
    }

    #[test]
    fn tokens_carry_their_places() {
        let text = "<?xml?>t&amp;<n:a x='1'>é<b /><!--c--></n:a >";
        let mut tokens = Tokens::new(text);
        let Token::Start(tag) = tokens.next() else { panic!() };
        assert_eq!((tag.name, tag.attributes.trim(), tag.is_empty), ("a", "x='1'", false));
        assert!(text[tag.at..].starts_with("<n:a"));
        let Token::Start(tag) = tokens.next() else { panic!() };
        assert_eq!((tag.name, tag.is_empty, &text[tag.at..tag.at + 3]), ("b", true, "<b "));
        assert!(matches!(tokens.next(), Token::Comment("c")));
        let Token::End { name, at } = tokens.next() else { panic!() };
        assert_eq!((name, &text[at..]), ("a", "</n:a >"));
        assert!(matches!(tokens.next(), Token::Eof));
    }

    /// The text of an element `f`, and where it and its end tag end.
    fn whole(text: &str) -> Option<(&str, usize)> {
        let mut tokens = Tokens::new(text);
        tokens.next();
        match tokens.text_until_end("f") {
            TextEnd::Whole { raw, .. } => Some((raw, tokens.offset())),
            _ => None,
        }
    }

    #[test]
    fn texts_end_at_their_own_end_tag() {
        assert_eq!(whole("<f>a<b>c</f>d"), Some(("a<b>c", 12)));
        assert_eq!(whole("<f><![CDATA[</f>]]></f>"), Some(("<![CDATA[</f>]]>", 23)));
        assert_eq!(whole("<f>a<f>b</f>c</f>"), Some(("a<f>b</f>c", 17)));
        assert_eq!(whole("<f>a</testcase></f>"), None);
        assert_eq!(whole("<f>a"), None);
    }

    #[test]
    fn what_looks_like_a_tag_in_a_text_neither_hides_its_end_nor_moves_it() {
        assert_eq!(whole("<f><![CDATA[a <f ]]></f>"), Some(("<![CDATA[a <f ]]>", 24)));
        assert_eq!(whole("<f><!-- <f --></f>"), Some(("<!-- <f -->", 18)));
        assert_eq!(whole("<f>a <! b</f>-->"), Some(("a <! b", 13)));
        // With a namespace, an end tag is that of the same element.
        assert_eq!(whole("<n:f>a</n:f>"), Some(("a", 12)));
        assert_eq!(whole("<n:f>a<n:f>b</n:f>c</n:f>"), Some(("a<n:f>b</n:f>c", 25)));
    }

    proptest! {
        #[test]
        fn plain_tags_are_read_as_quick_xml_reads_them(
            pieces in vec(select(&[
                "<a", "<b:c", "<testcase", " ", "\n", " x=\"1\"", " y='>'", " z=\"<\"", " n", "=\"",
                "/", ">", "/>", "</a>", "</a >", "</>", "<", "\"", "é", "&", "t", "<!--", "-->",
                "<![CDATA[", "]]>", "<?", "?>", " a-b.c=\"é&amp;\"",
            ][..]), 0..24)
        ) {
            let text = format!("<r>{}", pieces.concat());
            let all = |plainly: bool| {
                let mut tokens = Tokens::new(&text);
                let mut seen = Vec::new();
                for _ in 0..64 {
                    tokens.behind_tag &= plainly;
                    let token = tokens.next();
                    if let Token::Start(tag) = token && tag.is_plain {
                        let listed: Vec<_> = Attributes::new(tag.attributes).collect();
                        assert_eq!(tokens.listed(), listed);
                        assert!(!tag.attributes.contains('<'));
                    }
                    let token = match token {
                        Token::Start(tag) => Token::Start(Tag { is_plain: false, ..tag }),
                        token => token,
                    };
                    let shown = format!("{token:?}");
                    // Behind an error the reader starts again elsewhere or not at all.
                    let is_last = matches!(token, Token::Eof | Token::Broken(_));
                    seen.push((shown, tokens.offset() * usize::from(!is_last)));
                    if is_last {
                        break;
                    }
                }
                seen
            };
            prop_assert_eq!(all(true), all(false));
        }
    }
}
