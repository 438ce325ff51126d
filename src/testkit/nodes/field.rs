//! The fields of a JSON object: their types, ranges and defaults, in tables that readers,
//! generators and contracts share.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::violation::{Rule, Violation};
use crate::testkit::nearest::nearest;
use crate::testkit::shown::cut;

/// An object: its fields, and what becomes of others.
#[derive(Debug)]
pub struct Shape {
    /// What the object is, for messages: `node definition`.
    pub name: &'static str,
    /// Its fields, in the order in which they are written.
    pub fields: &'static [Field],
    /// What becomes of keys that are no field.
    pub extra: Extra,
}

/// What becomes of keys that are no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// They are violations.
    Refused,
    /// They are no violations, and [`Shape::complete`] keeps them. What [`Shape::read`] makes of them
    /// is for the type to say: one with a field for them ([`Payload`](super::Payload)'s `extra`)
    /// keeps them, others leave them out.
    Kept,
}

/// One field of an object.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be there.
    pub presence: Presence,
}

/// Whether a field must be there. Null counts as absent.
#[derive(Debug, Clone, Copy)]
pub enum Presence {
    /// It must.
    Required,
    /// It need not, and nothing stands in.
    Optional,
    /// Where it is absent, this stands in.
    Default(Literal),
}

/// A default.
#[derive(Debug, Clone, Copy)]
pub enum Literal {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A text.
    Text(&'static str),
    /// `[]`.
    EmptyList,
    /// `{}`.
    EmptyMap,
}

/// What a field holds. Ranges include both ends.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text of so many characters.
    Length(usize, usize),
    /// An identifier, see [`is_identifier`].
    Identifier,
    /// `1.0.0`.
    Version,
    /// A time by RFC 3339.
    Time,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number in a range.
    Integer(i64, i64),
    /// A number in a range.
    Number(f64, f64),
    /// True or false.
    Boolean,
    /// At least so many of a kind.
    List(usize, &'static Kind),
    /// An object of a shape of its own.
    Object(&'static Shape),
    /// Any object.
    Map,
    /// An object whose values are all of a kind.
    MapOf(&'static Kind),
    /// Anything.
    Any,
}

impl Field {
    /// A field that must be there.
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, presence: Presence::Required }
    }

    /// A field that need not be there.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, presence: Presence::Optional }
    }

    /// A field for which `literal` stands in where it is absent.
    #[must_use]
    pub const fn default(name: &'static str, kind: Kind, literal: Literal) -> Self {
        Self { name, kind, presence: Presence::Default(literal) }
    }
}

impl Literal {
    /// The default as JSON.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Integer(number) => number.into(),
            Self::Number(number) => number.into(),
            Self::Boolean(truth) => truth.into(),
            Self::Text(text) => text.into(),
            Self::EmptyList => Value::Array(Vec::new()),
            Self::EmptyMap => Value::Object(Map::new()),
        }
    }
}

/// Whether a text is an identifier: `^[a-z][a-z0-9_.]*$`.
#[must_use]
pub fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.".contains(&b))
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

impl Shape {
    /// The field of a key.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// All that is wrong with a value, in the order of the fields; unknown keys come last.
    #[must_use]
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        let Some(object) = value.as_object() else {
            return vec![wrong_type("an object", value)];
        };
        let mut found = Vec::new();
        for field in self.fields {
            let there = object.get(field.name).filter(|value| !value.is_null());
            let broken = match (there, field.presence) {
                (Some(value), _) => field.kind.violations(value),
                (None, Presence::Required) => vec![Violation::new(
                    Rule::Missing,
                    "",
                    format!("a {} needs `{}`", self.name, field.name),
                )],
                (None, _) => Vec::new(),
            };
            found.extend(broken.into_iter().map(|violation| violation.below(field.name)));
        }
        if self.extra == Extra::Refused {
            let unknown = object.keys().filter(|key| self.field(key).is_none());
            found.extend(unknown.map(|key| self.unknown(key)));
        }
        found
    }

    fn unknown(&self, key: &str) -> Violation {
        let names = || self.fields.iter().map(|field| field.name);
        let mend = match nearest(key, names()) {
            Some(name) => format!("; did you mean `{name}`?"),
            None => format!("; it has: {}", names().collect::<Vec<_>>().join(", ")),
        };
        let key = cut(key);
        Violation::new(Rule::UnknownKey, &*key, format!("a {} has no `{key}`{mend}", self.name))
    }

    /// The value with defaults for what is absent, deep in objects too; nulls are left out.
    #[must_use]
    pub fn complete(&self, value: &Value) -> Value {
        let mut whole = Map::new();
        let empty = Map::new();
        let object = value.as_object().unwrap_or(&empty);
        for field in self.fields {
            match (object.get(field.name).filter(|value| !value.is_null()), field.presence) {
                (Some(value), _) => {
                    whole.insert(field.name.to_owned(), field.kind.complete(value));
                }
                (None, Presence::Default(literal)) => {
                    whole.insert(field.name.to_owned(), field.kind.complete(&literal.to_value()));
                }
                (None, _) => {}
            }
        }
        for (key, value) in object.iter().filter(|(key, _)| self.field(key).is_none()) {
            whole.insert(key.clone(), value.clone());
        }
        Value::Object(whole)
    }

    /// Reads a value: checks it, completes it with defaults, and makes a `T` of it.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn read<T: DeserializeOwned>(&self, value: &Value) -> Result<T, Vec<Violation>> {
        let found = self.violations(value);
        if !found.is_empty() {
            return Err(found);
        }
        serde_json::from_value(self.complete(value)).map_err(|error| {
            vec![Violation::new(Rule::WrongType, "", format!("not a {}: {error}", self.name))]
        })
    }
}

fn wrong_type(wanted: &str, value: &Value) -> Violation {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Violation::new(Rule::WrongType, "", format!("must be {wanted}, is {found}"))
}

impl Kind {
    /// All that is wrong with a value that should be of this kind.
    #[must_use]
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        match self {
            Self::List(least, kind) => list_violations(*least, kind, value),
            Self::Object(shape) => shape.violations(value),
            Self::Map if value.is_object() => Vec::new(),
            Self::Map => vec![wrong_type("an object", value)],
            Self::MapOf(kind) => match value.as_object() {
                None => vec![wrong_type("an object", value)],
                Some(object) => object
                    .iter()
                    .flat_map(|(key, value)| {
                        kind.violations(value).into_iter().map(|found| found.below(&cut(key)))
                    })
                    .collect(),
            },
            Self::Any => Vec::new(),
            Self::Boolean if value.is_boolean() => Vec::new(),
            Self::Boolean => vec![wrong_type("true or false", value)],
            Self::Integer(least, greatest) => match value.as_i64() {
                Some(number) => range(number < *least, number > *greatest, || {
                    format!("{number} is not in {least}..={greatest}")
                }),
                None if value.is_u64() => {
                    range(false, true, || format!("{value} is not in {least}..={greatest}"))
                }
                None => vec![wrong_type("a whole number", value)],
            },
            Self::Number(least, greatest) => match value.as_f64() {
                Some(number) => range(number < *least, number > *greatest, || {
                    format!("{number} is not in {least}..={greatest}")
                }),
                None => vec![wrong_type("a number", value)],
            },
            Self::Text
            | Self::Length(..)
            | Self::Identifier
            | Self::Version
            | Self::Time
            | Self::Choice(_) => match value.as_str() {
                Some(text) => self.text_violation(text).into_iter().collect(),
                None => vec![wrong_type("a text", value)],
            },
        }
    }

    fn text_violation(&self, text: &str) -> Option<Violation> {
        let broken = |rule, message: String| Some(Violation::new(rule, "", message));
        let shown = cut(text);
        match self {
            Self::Identifier if !is_identifier(text) => broken(
                Rule::BadIdentifier,
                format!("`{shown}` is no identifier: a-z first, then a-z, 0-9, `_` and `.`"),
            ),
            Self::Version if !is_version(text) => {
                broken(Rule::BadVersion, format!("`{shown}` is no version like 1.0.0"))
            }
            Self::Time if chrono::DateTime::parse_from_rfc3339(text).is_err() => {
                broken(Rule::BadTime, format!("`{shown}` is no time like 2026-01-31T12:00:00Z"))
            }
            Self::Choice(words) if !words.contains(&text) => {
                broken(Rule::NotAChoice, format!("`{shown}` is none of {}", words.join(", ")))
            }
            Self::Length(least, greatest) => match text.chars().count() {
                length if length < *least => {
                    broken(Rule::TooShort, format!("{length} characters, needs {least}"))
                }
                length if length > *greatest => {
                    broken(Rule::TooLong, format!("{length} characters, {greatest} at most"))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn complete(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Object(shape), Value::Object(_)) => shape.complete(value),
            (Self::List(_, kind), Value::Array(items)) => {
                items.iter().map(|item| kind.complete(item)).collect()
            }
            (Self::MapOf(kind), Value::Object(object)) => {
                object.iter().map(|(key, value)| (key.clone(), kind.complete(value))).collect()
            }
            _ => value.clone(),
        }
    }
}

fn list_violations(least: usize, kind: &Kind, value: &Value) -> Vec<Violation> {
    let Some(items) = value.as_array() else { return vec![wrong_type("a list", value)] };
    let mut found = Vec::new();
    if items.len() < least {
        let message = format!("a list of {}, needs {least}", items.len());
        found.push(Violation::new(Rule::TooFew, "", message));
    }
    for (at, item) in items.iter().enumerate() {
        let broken = kind.violations(item).into_iter();
        found.extend(broken.map(|violation| violation.below(&at.to_string())));
    }
    found
}

fn range(below: bool, above: bool, message: impl Fn() -> String) -> Vec<Violation> {
    let rule = match (below, above) {
        (true, _) => Rule::BelowMinimum,
        (_, true) => Rule::AboveMaximum,
        _ => return Vec::new(),
    };
    vec![Violation::new(rule, "", message())]
}

#[cfg(test)]
mod tests;
