//! The XML that Jenkins' XStream writes, element by element.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use crate::model::limits::{DEPTH_MAX, FAILURE_TEXT_BYTES_MAX};

/// Text kept of one element: more than is ever stored of a failure.
const TEXT_BYTES_MAX: usize = 4 * FAILURE_TEXT_BYTES_MAX;

/// Takes elements as they begin and end; `path` is the names from the root to the element.
pub(super) trait Elements {
    /// An element begins.
    fn open(&mut self, _path: &[String], _class: Option<String>) {}
    /// An element ends; `text` is what stands in it behind its last child.
    fn close(&mut self, path: &[String], text: &str);
    /// True once nothing more is wanted of the document.
    fn is_done(&self) -> bool {
        false
    }
}

/// Why a document was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// It ends before its root does.
    Cut,
    /// The markup is broken, at this many bytes.
    Broken(u64, String),
}

/// Reads a document and hands out its elements.
///
/// # Errors
/// [`Stop`]: everything before it was handed out.
pub(super) fn walk(bytes: &[u8], elements: &mut dyn Elements) -> Result<(), Stop> {
    // Jenkins writes XML 1.1, of which only characters that 1.0 forbids make use.
    // What is UTF-8, as almost all is, is known to be so at ten times the speed.
    let text = str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let (mut path, mut content) = (Vec::new(), String::new());
    let broken = |reader: &Reader<&[u8]>, why: &str| {
        Err(Stop::Broken(reader.error_position(), why.to_owned()))
    };
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(quick_xml::Error::Syntax(_)) => return Err(Stop::Cut),
            Err(error) => return broken(&reader, &error.to_string()),
        };
        match event {
            Event::Start(start) => {
                if path.len() >= DEPTH_MAX {
                    return broken(&reader, "elements are nested too deeply");
                }
                path.push(String::from_utf8_lossy(start.name().as_ref()).into_owned());
                let class = start.try_get_attribute("class").ok().flatten();
                let class = class.map(|class| String::from_utf8_lossy(&class.value).into_owned());
                elements.open(&path, class);
                if elements.is_done() {
                    return Ok(());
                }
                content.clear();
            }
            Event::End(_) => {
                elements.close(&path, &content);
                path.pop();
                content.clear();
            }
            _ if content.len() > TEXT_BYTES_MAX => {}
            Event::Text(text) => content.push_str(&String::from_utf8_lossy(&text)),
            Event::CData(text) => content.push_str(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(reference) => content.push(character(&reference)),
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => return Err(Stop::Cut),
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

fn character(reference: &BytesRef<'_>) -> char {
    match (&**reference, reference.resolve_char_ref()) {
        (_, Ok(Some(character))) if !character.is_control() => character,
        (_, Ok(Some(character @ ('\n' | '\t' | '\r')))) => character,
        (b"lt", _) => '<',
        (b"gt", _) => '>',
        (b"amp", _) => '&',
        (b"quot", _) => '"',
        (b"apos", _) => '\'',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// The name of the root element, and true where a `<suites>` follows it at once.
pub(super) fn root(bytes: &[u8]) -> Option<(String, bool)> {
    #[derive(Default)]
    struct First(Vec<String>);
    impl Elements for First {
        fn open(&mut self, path: &[String], _: Option<String>) {
            if self.0.len() < path.len() && path.len() <= 2 {
                self.0 = path.to_vec();
            }
        }
        fn close(&mut self, _: &[String], _: &str) {}
        fn is_done(&self) -> bool {
            self.0.len() == 2
        }
    }
    // Enough for a declaration, comments and two elements; the rest may be large.
    const HEAD_BYTES: usize = 4 << 10;
    let head = bytes.get(..HEAD_BYTES.min(bytes.len())).unwrap_or(bytes);
    let mut first = First::default();
    let _ = walk(head, &mut first);
    let mut names = first.0.into_iter();
    let root = names.next()?;
    Some((root, names.next().as_deref() == Some("suites")))
}
