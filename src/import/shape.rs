//! What a document looks like, told without understanding it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Keys looked at in one object; documents of the formats that are read show theirs early.
const KEYS_MAX: usize = 64;

/// The keys of a JSON object, and of what the keys that matter lead to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// True where the object ends with its line, so that more may follow it.
    pub(super) is_line: bool,
    keys: Vec<(String, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    List,
    Object(Vec<String>),
    Other,
}

impl Shape {
    /// The shape of a document's first object; `None` where the document is none.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let bytes = utf8(bytes);
        let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let body = bytes.get(start..).filter(|body| body.first() == Some(&b'{'))?;
        let line = body.split(|byte| *byte == b'\n').next().unwrap_or(body);
        let mut shape = Self::default();
        shape.is_line = shape.look(line);
        if !shape.is_line && line.len() < body.len() {
            shape = Self::default();
            shape.look(body);
        }
        Some(shape)
    }

    /// True where the text is one whole object; what was seen before an error is kept.
    fn look(&mut self, text: &[u8]) -> bool {
        let mut json = serde_json::Deserializer::from_slice(text);
        Top(self).deserialize(&mut json).is_ok() && json.end().is_ok()
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.keys.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// True where the object has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// True where a key is like that.
    pub(super) fn any_key(&self, like: fn(&str) -> bool) -> bool {
        self.keys.iter().any(|(key, _)| like(key))
    }

    /// True where the key leads to an object.
    pub(super) fn has_object(&self, key: &str) -> bool {
        matches!(self.value(key), Some(Value::Object(_)))
    }

    /// True where the key leads to a list.
    pub(super) fn has_list(&self, key: &str) -> bool {
        matches!(self.value(key), Some(Value::List))
    }

    /// True where the key leads to this very text.
    pub(super) fn says(&self, key: &str, text: &str) -> bool {
        matches!(self.value(key), Some(Value::Text(found)) if found == text)
    }

    /// True where the key leads to an object with one of these keys.
    pub(super) fn has_below(&self, key: &str, below: &[&str]) -> bool {
        match self.value(key) {
            Some(Value::Object(keys)) => keys.iter().any(|key| below.contains(&key.as_str())),
            _ => false,
        }
    }
}

/// The document as UTF-8 without a byte order mark; what PowerShell redirects is UTF-16.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) if encoding == encoding_rs::UTF_8 => {
            Cow::Borrowed(bytes.get(mark..).unwrap_or_default())
        }
        Some((encoding, _)) => Cow::Owned(encoding.decode(bytes).0.into_owned().into_bytes()),
        None => Cow::Borrowed(bytes),
    }
}

struct Top<'a>(&'a mut Shape);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            // Known before its value, which may be cut off.
            let place = self.0.keys.len();
            if place >= KEYS_MAX {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.0.keys.push((key, Value::Other));
            let mut value = Value::Other;
            let read = map.next_value_seed(Below(&mut value));
            if let Some(known) = self.0.keys.get_mut(place) {
                known.1 = value;
            }
            read?;
        }
        Ok(())
    }
}

struct Below<'a>(&'a mut Value);

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        const SHOWN_MAX: usize = 32;
        if text.len() <= SHOWN_MAX {
            *self.0 = Value::Text(text.to_owned());
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        *self.0 = Value::List;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        *self.0 = Value::Object(Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            if let Value::Object(keys) = self.0
                && keys.len() < KEYS_MAX
            {
                keys.push(key);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
