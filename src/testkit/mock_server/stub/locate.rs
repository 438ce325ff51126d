//! Rule files as JSON values, and the line on which each of their values stands.

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::Step;

/// A rule file's text, read.
pub(super) struct Source<'a> {
    text: &'a str,
    toml: Option<Spanned<DeTable<'a>>>,
    pub(super) value: Value,
}

/// What is wrong with a text, and on which line (from 1).
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) message: String,
}

impl<'a> Source<'a> {
    pub(super) fn json(text: &'a str) -> Result<Self, SyntaxError> {
        let value = serde_json::from_str(text).map_err(|error| SyntaxError {
            line: error.line(),
            message: without_place(&error.to_string()),
        })?;
        Ok(Self { text, toml: None, value })
    }

    pub(super) fn toml(text: &'a str) -> Result<Self, SyntaxError> {
        let table = DeTable::parse(text).map_err(|error| SyntaxError {
            line: line_at(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let value = Value::Object(object(table.get_ref()));
        Ok(Self { text, toml: Some(table), value })
    }

    /// The line (from 1) of the value at a path, or of the nearest around it.
    pub(super) fn line(&self, path: &[Step]) -> usize {
        let offset = match &self.toml {
            Some(table) => toml_offset(table, path),
            None => json_offset(self.text, path),
        };
        line_at(self.text, offset)
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// An error of `serde_json` without the place at its end, which is told apart from it.
fn without_place(error: &str) -> String {
    error.split(" at line ").next().unwrap_or(error).to_owned()
}

/// A table with its keys in the order of the text.
fn object(table: &DeTable<'_>) -> Map<String, Value> {
    let mut entries: Vec<(usize, &str, &DeValue<'_>)> = table
        .iter()
        .map(|(key, value)| (key.span().start, key.get_ref().as_ref(), value.get_ref()))
        .collect();
    entries.sort_by_key(|(start, ..)| *start);
    entries.into_iter().map(|(_, key, value)| (key.to_owned(), json(value))).collect()
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map(Value::from)
            .unwrap_or_else(|_| Value::String(integer.as_str().to_owned())),
        DeValue::Float(float) => float
            .as_str()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map_or_else(|| Value::String(float.as_str().to_owned()), Value::Number),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Datetime(moment) => Value::String(moment.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => Value::Object(object(table)),
    }
}

fn toml_offset(root: &Spanned<DeTable<'_>>, path: &[Step]) -> usize {
    let mut offset = 0;
    let mut table = Some(root.get_ref());
    let mut value: Option<&DeValue<'_>> = None;
    for step in path {
        match step {
            Step::Key(name) => {
                let found = table
                    .and_then(|table| table.iter().find(|(key, _)| key.get_ref().as_ref() == name));
                let Some((key, inner)) = found else { break };
                offset = key.span().start;
                value = Some(inner.get_ref());
            }
            Step::Index(index) => {
                let item = value.and_then(DeValue::as_array).and_then(|items| items.get(*index));
                let Some(item) = item else { break };
                offset = item.span().start;
                value = Some(item.get_ref());
            }
        }
        table = value.and_then(DeValue::as_table);
    }
    offset
}

/// Where a value of a JSON text starts. The text is known to be JSON.
fn json_offset(text: &str, path: &[Step]) -> usize {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    let mut offset = 0;
    for step in path {
        scan.space();
        let start = match step {
            Step::Key(name) => scan.enter_key(name),
            Step::Index(index) => scan.enter_index(*index),
        };
        match start {
            Some(start) => offset = start,
            None => break,
        }
    }
    offset
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace() || byte == b',') {
            self.at += 1;
        }
    }

    /// Goes to the value of a key; gives where the key stands.
    fn enter_key(&mut self, name: &str) -> Option<usize> {
        self.peek().filter(|byte| *byte == b'{')?;
        self.at += 1;
        loop {
            self.space();
            let start = self.at;
            self.peek().filter(|byte| *byte == b'"')?;
            self.skip();
            let key: String = serde_json::from_slice(self.bytes.get(start..self.at)?).ok()?;
            self.space();
            self.at += 1;
            self.space();
            if key == name {
                return Some(start);
            }
            self.skip();
        }
    }

    fn enter_index(&mut self, index: usize) -> Option<usize> {
        self.peek().filter(|byte| *byte == b'[')?;
        self.at += 1;
        for _ in 0..index {
            self.space();
            self.skip();
        }
        self.space();
        self.peek().filter(|byte| *byte != b']').map(|_| self.at)
    }

    /// Goes behind the value that starts here.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.text();
                    if depth == 0 {
                        return;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                b',' | b':' if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn text(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str) -> Step {
        Step::Key(name.to_owned())
    }

    #[test]
    fn lines_are_found_in_both_formats() {
        let path = [key("stubs"), Step::Index(1), key("match"), key("user")];
        let json =
            "{\n\"x\": \"}\\\"\",\n\"stubs\": [\n{\"a\": [1, {}]},\n{\"match\": {\n\"user\": 1}}]}";
        assert_eq!(Source::json(json).ok().unwrap().line(&path), 6);
        let toml = "x = 1\n[[stubs]]\na = 2\n\n[[stubs]]\nname = \"b\"\nmatch.user = 3\n";
        let source = Source::toml(toml).ok().unwrap();
        assert_eq!(source.line(&path), 7);
        assert_eq!(source.line(&[key("stubs"), Step::Index(9)]), 2);
    }

    #[test]
    fn toml_keeps_its_order_and_its_values() {
        let toml = "z = 0x10\na = 1.5\nd = 2026-01-02\n[m]\nq = true\nb = [1, 'x']\n";
        let source = Source::toml(toml).ok().unwrap();
        assert_eq!(
            source.value.to_string(),
            r#"{"z":16,"a":1.5,"d":"2026-01-02","m":{"q":true,"b":[1,"x"]}}"#
        );
    }

    proptest! {
        #[test]
        fn any_path_in_any_text_is_looked_up_without_harm(
            text in "[\\[\\]{}:,\" a\\\\\n0-9]{0,40}",
            keys in prop::collection::vec("[a0-9]{0,2}", 0..4),
        ) {
            let path: Vec<Step> = keys
                .iter()
                .map(|name| name.parse().map_or_else(|_| key(name), Step::Index))
                .collect();
            prop_assert!(json_offset(&text, &path) <= text.len());
        }
    }
}
