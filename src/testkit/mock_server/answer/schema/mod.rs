//! Instances of JSON Schemas: every one is checked before it is given out, and its values come
//! from the words of the question where they can.

mod check;
mod collection;
mod mention;
mod merge;
mod number;
mod pattern;
mod search;
mod string;
mod work;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use check::Checker;
use search::State;
use work::Work;

/// Values nest so deep.
const DEPTH_MAX: usize = 48;
/// Schemas nest so deep, in JSON values; serde_json reads no deeper either.
const NESTING_MAX: usize = 128;
/// Values come from the start of the text, so many bytes of it.
const TEXT_BYTES_MAX: usize = 4_000;
/// Variants of a value that are tried against its schema.
const ATTEMPTS: u64 = 8;

/// A valid instance of a JSON Schema, its values from `text` where they can be.
///
/// A schema that nothing fits, or that is too involved to find out, gives an empty object.
pub(super) fn instance(schema: &Value, text: &str) -> Value {
    if work::nests_beyond(schema, NESTING_MAX) {
        return Value::Object(Map::new());
    }
    let work = Work::new();
    let starts = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= TEXT_BYTES_MAX);
    let text = match starts.last() {
        Some(end) if text.len() > TEXT_BYTES_MAX => text.get(..end).unwrap_or_default(),
        _ => text,
    };
    let builder = Builder {
        checker: Checker::new(schema, &work),
        text,
        work: &work,
        claims: RefCell::default(),
    };
    let place = Place::default();
    builder.build(schema, &place).unwrap_or_else(|| Value::Object(Map::new()))
}

/// Finds a value that fits.
struct Builder<'a> {
    checker: Checker<'a>,
    text: &'a str,
    work: &'a Work,
    /// Which number of the text each place has taken, so that `a` and `b` take different ones.
    claims: RefCell<BTreeMap<String, usize>>,
}

/// Where in the instance a value stands.
#[derive(Clone, Default)]
struct Place {
    /// The nearest property's name; empty at the root.
    name: String,
    /// All names and indices from the root.
    path: String,
    /// The references followed from the root.
    refs: Vec<Rc<str>>,
    depth: usize,
    /// Which of several different values is wanted.
    salt: u64,
}

impl Place {
    fn property(&self, name: &str, refs: &[Rc<str>]) -> Self {
        Self {
            name: name.to_owned(),
            path: format!("{}/{name}", self.path),
            refs: refs.to_vec(),
            depth: self.depth + 1,
            salt: self.salt,
        }
    }

    fn item(&self, index: usize, refs: &[Rc<str>], salt: u64) -> Self {
        Self {
            name: self.name.clone(),
            path: format!("{}/{index}", self.path),
            refs: refs.to_vec(),
            depth: self.depth + 1,
            salt,
        }
    }
}

impl Builder<'_> {
    /// A value for a schema; `None` where none was found.
    fn build(&self, schema: &Value, place: &Place) -> Option<Value> {
        if place.depth > DEPTH_MAX {
            return None;
        }
        self.work.spend(8 + work::of_text(&place.path) + place.refs.len() as u64 / 8)?;
        self.solve(schema, place)
    }

    /// What it costs to look for something in the text.
    fn reading(&self) -> u64 {
        work::of_text(self.text)
    }

    /// A value for merged keys, the variants one after the other.
    fn leaf(&self, state: &State<'_>, whole: &Value, place: &Place) -> Option<Value> {
        let kinds = kinds(&state.keys);
        for kind in &kinds {
            for attempt in 0..ATTEMPTS {
                self.work.spend(8 + 2 * self.reading())?;
                let Some(value) = self.make(kind, state, place, attempt) else { continue };
                if self.checker.valid(whole, &value) {
                    return Some(value);
                }
            }
        }
        None
    }

    fn make(&self, kind: &str, state: &State<'_>, place: &Place, attempt: u64) -> Option<Value> {
        let variant = place.salt + attempt;
        if let Some(Value::Array(values)) = state.keys.get("enum") {
            return self.choose(values, kind, variant);
        }
        match kind {
            "null" => Some(Value::Null),
            "boolean" => Some(Value::Bool(
                mention::boolean(self.text, &place.name).unwrap_or(true)
                    == variant.is_multiple_of(2),
            )),
            "integer" | "number" => self.number(kind == "integer", &state.keys, place, variant),
            "array" => self.array(state, place, attempt),
            "object" => self.object(state, place, attempt),
            _ => self.string(&state.keys, place, variant),
        }
    }

    /// The value that the text speaks of, or else the first; other variants take the others.
    fn choose(&self, values: &[Value], kind: &str, variant: u64) -> Option<Value> {
        let mut fitting: Vec<&Value> =
            values.iter().filter(|value| check::is_of(value, kind)).collect();
        self.work.spend(fitting.len() as u64 * self.reading())?;
        fitting
            .sort_by_cached_key(|value| mention::position(self.text, value).unwrap_or(usize::MAX));
        let index = usize::try_from(variant).ok()? % fitting.len().max(1);
        fitting.get(index).map(|value| (*value).clone())
    }
}

/// The types that merged keys allow, null last; what names none is what its keys are for.
fn kinds(keys: &Map<String, Value>) -> Vec<String> {
    let mut kinds: Vec<String> = match keys.get("type") {
        Some(Value::String(kind)) => vec![kind.clone()],
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => match keys.get("enum") {
            Some(Value::Array(values)) => {
                let mut kinds: Vec<String> = Vec::new();
                for value in values {
                    let kind = check::kind_of(value).to_owned();
                    if !kinds.contains(&kind) {
                        kinds.push(kind);
                    }
                }
                kinds
            }
            _ => ["string", implied(keys), "object", "array", "integer", "null"]
                .into_iter()
                .skip(usize::from(implied(keys) != "string"))
                .map(str::to_owned)
                .collect(),
        },
    };
    kinds.sort_by_key(|kind| kind == "null");
    kinds
}

/// The type that a schema without `type` is about.
fn implied(keys: &Map<String, Value>) -> &'static str {
    const SIGNS: [(&str, &str); 20] = [
        ("properties", "object"),
        ("required", "object"),
        ("additionalProperties", "object"),
        ("patternProperties", "object"),
        ("minProperties", "object"),
        ("propertyNames", "object"),
        ("items", "array"),
        ("prefixItems", "array"),
        ("contains", "array"),
        ("minItems", "array"),
        ("maxItems", "array"),
        ("uniqueItems", "array"),
        ("minimum", "number"),
        ("maximum", "number"),
        ("exclusiveMinimum", "number"),
        ("exclusiveMaximum", "number"),
        ("multipleOf", "number"),
        ("pattern", "string"),
        ("format", "string"),
        ("minLength", "string"),
    ];
    SIGNS.iter().find(|(key, _)| keys.contains_key(*key)).map_or("string", |(_, kind)| kind)
}

/// Whether a reference of `refs` stands anywhere in a schema.
fn mentions_reference(schema: &Value, refs: &[Rc<str>]) -> bool {
    match schema {
        Value::Object(map) => map.iter().any(|(key, value)| match value {
            Value::String(target) if key == "$ref" || key == "$dynamicRef" => {
                refs.iter().any(|known| **known == **target)
            }
            value => mentions_reference(value, refs),
        }),
        Value::Array(items) => items.iter().any(|item| mentions_reference(item, refs)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
