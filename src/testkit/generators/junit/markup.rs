//! XML as each runner lays it out: quick-xml's writer, and what differs between runners as a table.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesCData, BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// What a runner writes for the characters that XML lets it choose about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Escapes {
    pub(super) quote: &'static str,
    pub(super) apostrophe: &'static str,
    pub(super) newline: &'static str,
}

impl Escapes {
    /// As little as XML asks for.
    pub(super) const LEAST: Self = Self { quote: "\"", apostrophe: "'", newline: "\n" };
    /// All five named entities.
    pub(super) const NAMED: Self = Self { quote: "&quot;", apostrophe: "&apos;", newline: "\n" };
    /// The named entities, and line ends that survive the reader.
    pub(super) const LINES: Self = Self { newline: "&#10;", ..Self::NAMED };

    fn apply(self, text: &str, out: &mut String) {
        for char in text.chars() {
            match char {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str(self.quote),
                '\'' => out.push_str(self.apostrophe),
                '\n' => out.push_str(self.newline),
                char => out.push(char),
            }
        }
    }
}

/// The hand of a runner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand {
    /// The declaration without its angle brackets, where it writes one.
    pub(super) declaration: Option<&'static str>,
    /// What one level is indented by, and how often; without it all stands on one line.
    pub(super) indent: Option<(u8, usize)>,
    /// What stands around values.
    pub(super) around: char,
    /// What stands in front of the slash of an empty element.
    pub(super) before_slash: &'static str,
    /// What a value's characters become.
    pub(super) value: Escapes,
    /// What a text's characters become.
    pub(super) text: Escapes,
    /// What stands behind the root.
    pub(super) end: &'static str,
}

impl Hand {
    /// `<?xml version="1.0" encoding="UTF-8"?>`, two spaces a level, as most do.
    pub(super) const USUAL: Self = Self {
        declaration: Some(r#"xml version="1.0" encoding="UTF-8""#),
        indent: Some((b' ', 2)),
        around: '"',
        before_slash: "",
        value: Escapes::LINES,
        text: Escapes::LEAST,
        end: "\n",
    };
}

/// The attributes of an element, in the order of the runner.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

/// One document while it is written.
pub(super) struct Markup<'a> {
    writer: Writer<&'a mut dyn Write>,
    hand: &'static Hand,
    buffer: String,
}

impl<'a> Markup<'a> {
    /// Begins a document.
    pub(super) fn begin(hand: &'static Hand, out: &'a mut dyn Write) -> io::Result<Self> {
        let writer = match hand.indent {
            Some((indent, size)) => Writer::new_with_indent(out, indent, size),
            None => Writer::new(out),
        };
        let mut markup = Self { writer, hand, buffer: String::new() };
        if let Some(declaration) = hand.declaration {
            let start = BytesStart::from_content(declaration, "xml".len());
            markup.writer.write_event(Event::Decl(BytesDecl::from_start(start)))?;
        }
        Ok(markup)
    }

    /// Opens an element.
    pub(super) fn open(&mut self, name: &str, attributes: Attributes<'_>) -> io::Result<()> {
        let content = self.content(name, attributes);
        self.writer.write_event(Event::Start(BytesStart::from_content(content, name.len())))
    }

    /// Opens an element with each attribute on a line of its own, as CTest does.
    pub(super) fn open_listed(&mut self, name: &str, attributes: Attributes<'_>) -> io::Result<()> {
        let mut content = self.written(name, "\n\t", attributes);
        content.push_str("\n\t");
        self.writer.write_event(Event::Start(BytesStart::from_content(content, name.len())))
    }

    /// Closes an element.
    pub(super) fn close(&mut self, name: &str) -> io::Result<()> {
        self.writer.write_event(Event::End(BytesEnd::new(name)))
    }

    /// An element without content, as `<name/>`.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes<'_>) -> io::Result<()> {
        let mut content = self.content(name, attributes);
        content.push_str(self.hand.before_slash);
        self.writer.write_event(Event::Empty(BytesStart::from_content(content, name.len())))
    }

    /// An element without content, as `<name></name>`.
    pub(super) fn hollow(&mut self, name: &str, attributes: Attributes<'_>) -> io::Result<()> {
        self.element(name, attributes, "")
    }

    /// An element with a text.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        text: &str,
    ) -> io::Result<()> {
        self.open(name, attributes)?;
        self.text(text)?;
        self.close(name)
    }

    /// An element with a text in CDATA sections.
    pub(super) fn marked(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        text: &str,
    ) -> io::Result<()> {
        self.open(name, attributes)?;
        self.cdata(text)?;
        self.close(name)
    }

    /// A text.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        self.buffer.clear();
        self.hand.text.apply(text, &mut self.buffer);
        self.writer.write_event(Event::Text(BytesText::from_escaped(self.buffer.as_str())))
    }

    /// A text in a CDATA section, or in several where it holds the end of one.
    pub(super) fn cdata(&mut self, text: &str) -> io::Result<()> {
        for section in BytesCData::escaped(text) {
            self.writer.write_event(Event::CData(section))?;
        }
        Ok(())
    }

    /// A comment.
    pub(super) fn comment(&mut self, text: &str) -> io::Result<()> {
        self.writer.write_event(Event::Comment(BytesText::from_escaped(text)))
    }

    /// Ends the document.
    pub(super) fn end(mut self) -> io::Result<()> {
        let end = self.hand.end;
        self.writer.get_mut().write_all(end.as_bytes())
    }

    fn content(&mut self, name: &str, attributes: Attributes<'_>) -> String {
        self.written(name, " ", attributes)
    }

    fn written(&mut self, name: &str, between: &str, attributes: Attributes<'_>) -> String {
        let mut content = String::with_capacity(64);
        content.push_str(name);
        for (key, value) in attributes {
            content.push_str(between);
            content.push_str(key);
            content.push('=');
            content.push(self.hand.around);
            self.buffer.clear();
            // Writing to a string never fails.
            let _ = write!(self.buffer, "{value}");
            self.hand.value.apply(&self.buffer, &mut content);
            content.push(self.hand.around);
        }
        content
    }
}
