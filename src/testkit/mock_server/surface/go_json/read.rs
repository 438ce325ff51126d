//! Reading a body into a struct as Go does it: names match whatever their case, unknown members
//! are passed over, `null` leaves a member as it is, and a value of a wrong type has Go's error.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::base64;
use super::fields::Fields;
use super::parse::{Malformed, Node, number, parse};
use crate::testkit::mock_server::refusal::Refusal;

/// A Go type.
#[derive(Debug, Clone, Copy)]
pub(in crate::testkit::mock_server) enum Type {
    /// `string`
    Text,
    /// `bool`
    Flag,
    /// A whole number, under its name: `int`, `int32`, `int64`, `uint64`.
    Whole(&'static str),
    /// `float32` or `float64`.
    Real(&'static str),
    /// Bytes in base64, under their type's name; the value stays their text.
    Bytes(&'static str),
    /// `any`
    Any,
    /// `json.RawMessage`: any value, `null` too.
    Raw,
    /// A pointer: `null` takes the value away.
    Pointer(&'static Type),
    /// A list, under its type's name.
    List(&'static str, &'static Type),
    /// A map from texts, under its type's name.
    Map(&'static str, &'static Type),
    /// A struct.
    Struct(&'static Shape),
    /// A struct that reads itself (`UnmarshalJSON`): an error in it ends the reading.
    Alone(&'static Shape),
    /// A type with an `UnmarshalJSON` of its own.
    Own(fn(Node) -> Result<Value, Wrong>),
}

/// A Go struct.
#[derive(Debug)]
pub(in crate::testkit::mock_server) struct Shape {
    /// Its name.
    pub(in crate::testkit::mock_server) name: &'static str,
    /// Its package.
    pub(in crate::testkit::mock_server) package: &'static str,
    /// Its members under their names in JSON.
    pub(in crate::testkit::mock_server) fields: &'static [(&'static str, Type)],
}

/// Why a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::testkit::mock_server) enum Wrong {
    /// A text of the type's own.
    Text(String),
    /// Another type than the struct has.
    Mismatch {
        /// What there is: `string`, `number 1.5`, …
        value: String,
        /// The type that there should be.
        wanted: String,
        /// The struct around it.
        holder: Option<&'static str>,
        /// The names that lead there.
        path: Vec<&'static str>,
    },
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Mismatch { value, wanted, holder: Some(holder), path } => {
                let path = path.join(".");
                write!(
                    out,
                    "json: cannot unmarshal {value} into Go struct field {holder}.{path} of type {wanted}"
                )
            }
            Self::Mismatch { value, wanted, holder: None, .. } => {
                write!(out, "json: cannot unmarshal {value} into Go value of type {wanted}")
            }
        }
    }
}

/// Reads a body into a struct.
///
/// # Errors
/// 400 with the real server's text: an empty body, malformed JSON, a wrong type.
pub(in crate::testkit::mock_server) fn read(
    body: &[u8],
    shape: &'static Shape,
) -> Result<Fields, Refusal> {
    let node = parse(body).map_err(|malformed| {
        Refusal::bad_request(match malformed {
            Malformed::Empty => "missing request body".to_owned(),
            Malformed::Syntax(text) => text,
        })
    })?;
    match whole(node, Type::Struct(shape))
        .map_err(|wrong| Refusal::bad_request(wrong.to_string()))?
    {
        Value::Object(members) => Ok(Fields(members)),
        _ => Ok(Fields::default()),
    }
}

/// Reads a value by itself, as `json.Unmarshal` does.
pub(in crate::testkit::mock_server) fn whole(node: Node, wanted: Type) -> Result<Value, Wrong> {
    let mut reading = Reading { saved: None, holder: None, path: Vec::new() };
    let mut value = Value::Null;
    reading.put(node, wanted, &mut value)?;
    match reading.saved {
        Some(wrong) => Err(wrong),
        None => Ok(value),
    }
}

/// A reading under way.
struct Reading {
    /// The first wrong type; the reading goes on, for an error of an `UnmarshalJSON` outranks it.
    saved: Option<Wrong>,
    holder: Option<&'static str>,
    path: Vec<&'static str>,
}

impl Reading {
    /// Reads `node` over what `slot` has.
    fn put(&mut self, node: Node, wanted: Type, slot: &mut Value) -> Result<(), Wrong> {
        match (wanted, node) {
            (Type::Own(read), node) => *slot = read(node).map_err(|wrong| self.placed(wrong))?,
            (Type::Raw, node) => *slot = node.into_value(),
            (Type::Alone(shape), node) => {
                *slot = whole(node, Type::Struct(shape)).map_err(|wrong| self.placed(wrong))?;
                if slot.is_null() {
                    *slot = Value::Object(Map::new());
                }
            }
            (
                Type::Pointer(_) | Type::List(..) | Type::Map(..) | Type::Any | Type::Bytes(_),
                Node::Null,
            ) => {
                *slot = Value::Null;
            }
            (_, Node::Null) => {}
            (Type::Pointer(inner), node) => self.put(node, *inner, slot)?,
            (Type::Bytes(_), Node::List(items)) => {
                let mut bytes = Vec::with_capacity(items.len());
                for item in items {
                    let mut value = Value::Null;
                    self.put(item, Type::Whole("uint8"), &mut value)?;
                    bytes
                        .push(value.as_u64().and_then(|byte| u8::try_from(byte).ok()).unwrap_or(0));
                }
                *slot = Value::String(STANDARD.encode(bytes));
            }
            (Type::Any, node) => {
                if let Some(digits) = too_large(&node) {
                    self.save(&format!("number {digits}"), Type::Real("float64"));
                }
                *slot = node.into_value();
            }
            (Type::List(_, inner), Node::List(items)) => {
                let mut values = vec![Value::Null; items.len()];
                for (item, value) in items.into_iter().zip(&mut values) {
                    self.put(item, *inner, value)?;
                    zero(value, *inner);
                }
                *slot = Value::Array(values);
            }
            (Type::Map(_, inner), Node::Object(members)) => {
                let mut map = object(slot);
                for (name, member) in members {
                    let mut value = Value::Null;
                    self.put(member, *inner, &mut value)?;
                    zero(&mut value, *inner);
                    map.insert(name, value);
                }
                *slot = Value::Object(map);
            }
            (Type::Struct(shape), Node::Object(members)) => {
                let mut map = object(slot);
                self.members(members, shape, &mut map)?;
                *slot = Value::Object(map);
            }
            (_, node) => self.put_scalar(node, wanted, slot),
        }
        Ok(())
    }

    fn put_scalar(&mut self, node: Node, wanted: Type, slot: &mut Value) {
        match (wanted, node) {
            (Type::Text, Node::Text(text)) => *slot = Value::String(text),
            (Type::Flag, Node::Bool(flag)) => *slot = Value::Bool(flag),
            (Type::Whole(name), Node::Number(digits)) => match whole_number(name, &digits) {
                Some(number) => *slot = number,
                None => self.save(&format!("number {digits}"), wanted),
            },
            (Type::Real(_), Node::Number(digits)) => match number(&digits) {
                Some(number) => *slot = Value::Number(number),
                None => self.save(&format!("number {digits}"), wanted),
            },
            (Type::Bytes(_), Node::Text(text)) => match base64::decode(&text) {
                Ok(_) => *slot = Value::String(text),
                Err(at) => {
                    self.keep(Wrong::Text(format!("illegal base64 data at input byte {at}")));
                }
            },
            (_, node) => self.save(node.kind(), wanted),
        }
    }

    fn members(
        &mut self,
        members: Vec<(String, Node)>,
        shape: &'static Shape,
        map: &mut Map<String, Value>,
    ) -> Result<(), Wrong> {
        for (name, node) in members {
            let Some((name, wanted)) = field(shape, &name) else { continue };
            let around = self.holder.replace(shape.name);
            self.path.push(name);
            let mut value = map.remove(name).unwrap_or_default();
            self.put(node, wanted, &mut value)?;
            if !value.is_null() {
                map.insert(name.to_owned(), value);
            }
            self.path.pop();
            self.holder = around;
        }
        Ok(())
    }

    fn save(&mut self, value: &str, wanted: Type) {
        let wrong = Wrong::Mismatch {
            value: value.to_owned(),
            wanted: go_name(wanted),
            holder: None,
            path: Vec::new(),
        };
        self.keep(wrong);
    }

    fn keep(&mut self, wrong: Wrong) {
        if self.saved.is_none() {
            self.saved = Some(self.placed(wrong));
        }
    }

    /// The error with the place where the reading is.
    fn placed(&self, wrong: Wrong) -> Wrong {
        match (wrong, self.holder) {
            (Wrong::Mismatch { value, wanted, path, .. }, Some(holder)) => Wrong::Mismatch {
                value,
                wanted,
                holder: Some(holder),
                path: self.path.iter().copied().chain(path).collect(),
            },
            (wrong, _) => wrong,
        }
    }
}

/// The member of this name: exactly, or whatever its case.
fn field(shape: &'static Shape, name: &str) -> Option<(&'static str, Type)> {
    let exact = shape.fields.iter().find(|(field, _)| *field == name);
    let found = exact.or_else(|| {
        let folded = folded(name);
        shape.fields.iter().find(|(field, _)| self::folded(field) == folded)
    })?;
    Some(*found)
}

/// Without case, as Unicode folds: the Kelvin sign is a `k`, the long s an `s`.
fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Takes the object out of a slot; an empty one where there is none.
fn object(slot: &mut Value) -> Map<String, Value> {
    match slot.take() {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Gives an item of a list or map that was `null` its type's zero value.
fn zero(value: &mut Value, wanted: Type) {
    if value.is_null() {
        *value = match wanted {
            Type::Text | Type::Bytes(_) => Value::String(String::new()),
            Type::Flag => Value::Bool(false),
            Type::Whole(_) | Type::Real(_) => Value::from(0),
            Type::Struct(_) => Value::Object(Map::new()),
            _ => Value::Null,
        };
    }
}

/// A whole number of this Go type, where the digits are one and it fits.
fn whole_number(name: &str, digits: &str) -> Option<Value> {
    match name {
        "uint8" => digits.parse::<u8>().ok().map(Value::from),
        "int32" => digits.parse::<i32>().ok().map(Value::from),
        "uint64" => digits.parse::<u64>().ok().map(Value::from),
        _ => digits.parse::<i64>().ok().map(Value::from),
    }
}

/// The first number in a value that no float holds.
fn too_large(node: &Node) -> Option<&str> {
    match node {
        Node::Number(digits) => number(digits).is_none().then_some(digits.as_str()),
        Node::List(items) => items.iter().find_map(too_large),
        Node::Object(members) => members.iter().find_map(|(_, member)| too_large(member)),
        _ => None,
    }
}

/// A type's name in errors.
fn go_name(wanted: Type) -> String {
    match wanted {
        Type::Text => "string".to_owned(),
        Type::Flag => "bool".to_owned(),
        Type::Whole(name)
        | Type::Real(name)
        | Type::Bytes(name)
        | Type::List(name, _)
        | Type::Map(name, _) => name.to_owned(),
        Type::Any => "interface {}".to_owned(),
        Type::Raw | Type::Own(_) => "json.RawMessage".to_owned(),
        Type::Pointer(inner) => go_name(*inner),
        Type::Struct(shape) | Type::Alone(shape) => format!("{}.{}", shape.package, shape.name),
    }
}
