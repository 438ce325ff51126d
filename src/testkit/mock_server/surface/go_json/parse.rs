//! Reading a text into its values. The errors are those of Go's scanner, word for word.

use serde_json::{Map, Number, Value};

use super::quote::quoted_byte;

/// How deep values may nest. Go's own limit is 10,000; ours keeps a thread's stack safe.
const MAX_DEPTH: usize = 512;

/// A value with what serde_json loses: the digits of numbers, and members that come twice.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::testkit::mock_server) enum Node {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// What Go's errors call this kind of value.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// The value as serde_json has it; of members that come twice the last counts. A number that
    /// is too large for a float is its text.
    pub(in crate::testkit::mock_server) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Number(digits) => match number(&digits) {
                Some(number) => Value::Number(number),
                None => Value::String(digits),
            },
            Self::Text(text) => Value::String(text),
            Self::List(items) => Value::Array(items.into_iter().map(Self::into_value).collect()),
            Self::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name, value.into_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

/// The number of these digits, whole where it is; `None` where no float holds it.
pub(super) fn number(digits: &str) -> Option<Number> {
    // A negative zero is a float's.
    if let Some(whole) = digits.parse::<i64>().ok().filter(|whole| *whole != 0 || digits == "0") {
        return Some(Number::from(whole));
    }
    if let Ok(whole) = digits.parse::<u64>() {
        return Some(Number::from(whole));
    }
    digits.parse::<f64>().ok().and_then(Number::from_f64)
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Malformed {
    /// Nothing but white space.
    Empty,
    /// Go's text.
    Syntax(String),
}

/// Reads the first value of a body; what follows it is not looked at, as Go's `Decoder` does.
pub(super) fn parse(body: &[u8]) -> Result<Node, Malformed> {
    let mut parser = Parser { body, at: 0, depth: 0 };
    parser.skip_space();
    if parser.peek().is_none() {
        return Err(Malformed::Empty);
    }
    parser.value().map_err(Malformed::Syntax)
}

struct Parser<'a> {
    body: &'a [u8],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    /// The next byte, which the text must have.
    fn next(&mut self) -> Result<u8, String> {
        let byte = self.peek().ok_or_else(|| "unexpected EOF".to_owned())?;
        self.at += 1;
        Ok(byte)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The next byte that is no white space.
    fn next_visible(&mut self) -> Result<u8, String> {
        self.skip_space();
        self.next()
    }

    fn value(&mut self) -> Result<Node, String> {
        let first = self.next_visible()?;
        self.value_from(first)
    }

    fn value_from(&mut self, first: u8) -> Result<Node, String> {
        match first {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::list),
            b'"' => self.text().map(Node::Text),
            b'-' | b'0'..=b'9' => self.number(first),
            b't' => self.word("true", Node::Bool(true)),
            b'f' => self.word("false", Node::Bool(false)),
            b'n' => self.word("null", Node::Null),
            byte => Err(invalid(byte, "looking for beginning of value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Node, String>) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn object(&mut self) -> Result<Node, String> {
        let mut members = Vec::new();
        let mut first = self.next_visible()?;
        if first == b'}' {
            return Ok(Node::Object(members));
        }
        loop {
            if first != b'"' {
                return Err(invalid(first, "looking for beginning of object key string"));
            }
            let name = self.text()?;
            match self.next_visible()? {
                b':' => {}
                byte => return Err(invalid(byte, "after object key")),
            }
            members.push((name, self.value()?));
            match self.next_visible()? {
                b',' => first = self.next_visible()?,
                b'}' => return Ok(Node::Object(members)),
                byte => return Err(invalid(byte, "after object key:value pair")),
            }
        }
    }

    fn list(&mut self) -> Result<Node, String> {
        let mut items = Vec::new();
        let mut first = self.next_visible()?;
        if first == b']' {
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value_from(first)?);
            match self.next_visible()? {
                b',' => first = self.next_visible()?,
                b']' => return Ok(Node::List(items)),
                byte => return Err(invalid(byte, "after array element")),
            }
        }
    }

    fn word(&mut self, word: &'static str, node: Node) -> Result<Node, String> {
        for expected in word.bytes().skip(1) {
            let byte = self.next()?;
            if byte != expected {
                let expected = char::from(expected);
                return Err(invalid(byte, &format!("in literal {word} (expecting '{expected}')")));
            }
        }
        Ok(node)
    }

    fn number(&mut self, first: u8) -> Result<Node, String> {
        let start = self.at - 1;
        let leading = if first == b'-' {
            match self.next()? {
                byte @ b'0'..=b'9' => byte,
                byte => return Err(invalid(byte, "in numeric literal")),
            }
        } else {
            first
        };
        if leading != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            match self.next()? {
                b'0'..=b'9' => self.digits(),
                byte => return Err(invalid(byte, "after decimal point in numeric literal")),
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            match self.next()? {
                b'0'..=b'9' => self.digits(),
                byte => return Err(invalid(byte, "in exponent of numeric literal")),
            }
        }
        let digits = self.body.get(start..self.at).unwrap_or_default();
        Ok(Node::Number(String::from_utf8_lossy(digits).into_owned()))
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    /// A string after its opening quote.
    fn text(&mut self) -> Result<String, String> {
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Ok(mended(&bytes)),
                b'\\' => {
                    let character = self.escape()?;
                    let mut buffer = [0; 4];
                    bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                }
                byte @ 0..0x20 => return Err(invalid(byte, "in string literal")),
                byte => bytes.push(byte),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.next()? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            byte @ (b'\\' | b'/' | b'"') => char::from(byte),
            b'u' => return self.code(),
            byte => return Err(invalid(byte, "in string escape code")),
        })
    }

    /// The character of `\uXXXX`, of two where they are a surrogate pair; U+FFFD for half a pair.
    fn code(&mut self) -> Result<char, String> {
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.at;
        if self.body.get(before..before + 2) != Some(b"\\u".as_slice()) {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        self.at += 2;
        let low = self.hex()?;
        if (0xdc00..0xe000).contains(&low) {
            let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.at = before;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.next()?;
            let digit = char::from(byte)
                .to_digit(16)
                .ok_or_else(|| invalid(byte, "in \\u hexadecimal character escape"))?;
            code = code * 16 + digit;
        }
        Ok(code)
    }
}

/// Bytes as text, U+FFFD for each that is no UTF-8.
fn mended(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

fn invalid(byte: u8, place: &str) -> String {
    format!("invalid character {} {place}", quoted_byte(byte))
}
