//! A JSON document as a tree, as much of it as there is.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::finding::{Code, Findings};
use crate::junit::shortened;

/// The tree of a document, and whether it is whole.
///
/// Where the document is cut off or damaged, objects and lists around the damage are kept, and the
/// list element in which it stands is not: half a result may look like a good one.
pub(super) fn parse(bytes: &[u8], truncated: bool, findings: &mut Findings) -> (Value, bool) {
    let text = String::from_utf8_lossy(bytes);
    if matches!(text, std::borrow::Cow::Owned(_)) {
        let message = "bytes that are no UTF-8 were replaced by U+FFFD; write UTF-8";
        findings.add(Code::InvalidUtf8, 0, 0, message);
    }
    let mut tree = Value::Null;
    let mut json = serde_json::Deserializer::from_str(&text);
    let end = Slot(&mut tree).deserialize(&mut json).and_then(|()| json.end());
    let Err(error) = end else {
        if truncated {
            let message =
                "the container of the document was cut off; read it again once it is whole";
            findings.add(Code::Truncated, 0, 0, message);
        }
        return (tree, !truncated);
    };
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let said = shortened(said.strip_suffix(&place).unwrap_or(&said));
    let (code, message) = if error.is_eof() {
        let message = "the document was cut off; only its whole results were kept, so read it \
                       again once it is whole";
        (Code::Truncated, message.to_owned())
    } else {
        let mend = "only what came before was kept, so have the file written again";
        (Code::Malformed, format!("{said}; {mend}"))
    };
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    findings.add(code, number(error.line()), number(error.column()), message);
    (tree, false)
}

/// What a path of keys leads to.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key)).filter(|value| !value.is_null())
}

/// The text at a key, numbers included; never empty.
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The number at a key.
pub(super) fn number(value: &Value, key: &str) -> Option<f64> {
    value.get(key)?.as_f64()
}

/// The list at a key; empty where there is none.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

struct Slot<'a>(&'a mut Value);

impl<'de> DeserializeSeed<'de> for Slot<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        *self.0 = value.into();
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        *self.0 = value.into();
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        *self.0 = value.into();
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        *self.0 = value.into();
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        *self.0 = text.into();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        *self.0 = Value::Array(Vec::new());
        loop {
            let mut element = Value::Null;
            if seq.next_element_seed(Slot(&mut element))?.is_none() {
                return Ok(());
            }
            if let Value::Array(elements) = self.0 {
                elements.push(element);
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        *self.0 = Value::Object(Map::new());
        while let Some(key) = map.next_key::<String>()? {
            let mut value = Value::Null;
            let read = map.next_value_seed(Slot(&mut value));
            if let Value::Object(entries) = self.0 {
                entries.insert(key, value);
            }
            read?;
        }
        Ok(())
    }
}
