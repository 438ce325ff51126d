//! Whether a value fits a JSON Schema: the keywords of drafts 4 to 2020-12 that a value can break.
//! `format` says nothing here, as in the standard; `unevaluated…` is the makers' affair.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::work::{self, Work};

/// Schemas nest so deep in one another, references counted.
const DEPTH_MAX: usize = 96;
/// So many references that are all of a schema are followed one after the other.
const CHAIN_MAX: usize = 1_000;
/// A compiled pattern takes so many bytes at most.
const PATTERN_BYTES_MAX: usize = 1 << 19;
/// The work of compiling a pattern, and of one that is too large.
const COMPILING: (u64, u64) = (1_000, 30_000);

pub(super) struct Checker<'a> {
    root: &'a Value,
    work: &'a Work,
    patterns: RefCell<HashMap<String, Option<Regex>>>,
    targets: RefCell<HashMap<String, Option<&'a Value>>>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(root: &'a Value, work: &'a Work) -> Self {
        Self { root, work, patterns: RefCell::default(), targets: RefCell::default() }
    }

    /// The schema that a reference of this document names.
    pub(super) fn resolve(&self, reference: &str) -> Option<&'a Value> {
        if let Some(target) = self.targets.borrow().get(reference) {
            return *target;
        }
        self.work.spend(work::of_text(reference))?;
        let target = self.find_target(reference);
        self.targets.borrow_mut().insert(reference.to_owned(), target);
        target
    }

    fn find_target(&self, reference: &str) -> Option<&'a Value> {
        if let Some(fragment) = reference.strip_prefix('#') {
            let fragment = percent_decoded(fragment);
            if fragment.is_empty() || fragment.starts_with('/') {
                return self.root.pointer(&fragment);
            }
            self.work.spend(work::of(self.root))?;
            return find(self.root, &|map| {
                ["$anchor", "$dynamicAnchor"]
                    .iter()
                    .any(|key| map.get(*key).and_then(Value::as_str) == Some(&fragment))
            });
        }
        self.work.spend(work::of(self.root))?;
        find(self.root, &|map| {
            ["$id", "id"].iter().any(|key| map.get(*key).and_then(Value::as_str) == Some(reference))
        })
    }

    /// Whether `text` holds a match of `pattern`; a pattern that cannot be read says nothing.
    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        let mut patterns = self.patterns.borrow_mut();
        let compiled = patterns.entry(pattern.to_owned()).or_insert_with(|| {
            let compiled = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build().ok();
            self.work.spend(if compiled.is_some() { COMPILING.0 } else { COMPILING.1 });
            compiled
        });
        // A match takes a few steps a letter at its worst.
        if self.work.spend(1 + text.len() as u64 / 8).is_none() {
            return false;
        }
        compiled.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }

    pub(super) fn valid(&self, schema: &Value, value: &Value) -> bool {
        self.fits(schema, value, 0)
    }

    fn fits(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let Some(schema) = self.end_of_chain(schema) else { return false };
        let map = match schema {
            Value::Bool(all) => return *all,
            Value::Object(map) => map,
            _ => return true,
        };
        // References in circles look without end, and twice as long for each branch.
        if depth > DEPTH_MAX || self.work.spend(1 + map.len() as u64 / 4).is_none() {
            return false;
        }
        self.fits_general(map, value, depth)
            && match value {
                Value::Number(number) => fits_number(map, number.as_f64().unwrap_or(0.0)),
                Value::String(text) => self.fits_text(map, text),
                Value::Array(items) => self.fits_array(map, items, depth),
                Value::Object(_) => self.fits_object(map, value, depth),
                _ => true,
            }
    }

    /// Where a schema that is nothing but a reference leads.
    fn end_of_chain<'s>(&'s self, schema: &'s Value) -> Option<&'s Value> {
        let mut schema = schema;
        for _ in 0..CHAIN_MAX {
            match (schema.as_object().map(Map::len), schema.get("$ref")) {
                (Some(1), Some(Value::String(reference))) => schema = self.resolve(reference)?,
                _ => return Some(schema),
            }
            self.work.spend(1)?;
        }
        None
    }

    fn fits_general(&self, map: &Map<String, Value>, value: &Value, depth: usize) -> bool {
        let fits = |schema: &Value| self.fits(schema, value, depth + 1);
        map.iter().all(|(key, rule)| match (key.as_str(), rule) {
            ("type", Value::String(kind)) => is_of(value, kind),
            ("type", Value::Array(kinds)) => {
                kinds.iter().filter_map(Value::as_str).any(|kind| is_of(value, kind))
            }
            ("const", constant) => same(value, constant),
            ("enum", Value::Array(values)) => {
                self.work.spend(values.len() as u64 / 8).is_some()
                    && values.iter().any(|other| same(value, other))
            }
            ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                self.resolve(reference).is_some_and(fits)
            }
            ("allOf", Value::Array(parts)) => parts.iter().all(fits),
            ("anyOf", Value::Array(parts)) => parts.iter().any(fits),
            ("oneOf", Value::Array(parts)) => parts.iter().filter(|part| fits(part)).count() == 1,
            ("not", part) => !fits(part),
            ("if", condition) => {
                let branch = if fits(condition) { "then" } else { "else" };
                map.get(branch).is_none_or(fits)
            }
            _ => true,
        })
    }

    fn fits_text(&self, map: &Map<String, Value>, text: &str) -> bool {
        if self.work.spend(work::of_text(text)).is_none() {
            return false;
        }
        let length = text.chars().count() as f64;
        map.iter().all(|(key, rule)| match (key.as_str(), rule) {
            ("minLength", rule) => rule.as_f64().is_none_or(|least| length >= least),
            ("maxLength", rule) => rule.as_f64().is_none_or(|most| length <= most),
            ("pattern", Value::String(pattern)) => self.matches(pattern, text),
            _ => true,
        })
    }

    fn fits_array(&self, map: &Map<String, Value>, items: &[Value], depth: usize) -> bool {
        let fits = |schema: &Value, item: &Value| self.fits(schema, item, depth + 1);
        let (prefix, rest) = prefix_and_rest(map);
        let listed = items.iter().zip(prefix).all(|(item, schema)| fits(schema, item));
        let others = rest
            .is_none_or(|schema| items.iter().skip(prefix.len()).all(|item| fits(schema, item)));
        let length = items.len() as f64;
        let bound = |key: &str| map.get(key).and_then(Value::as_f64);
        let contained = map.get("contains").is_none_or(|schema| {
            let count = items.iter().filter(|item| fits(schema, item)).count() as f64;
            count >= bound("minContains").unwrap_or(1.0)
                && bound("maxContains").is_none_or(|most| count <= most)
        });
        let distinct = || {
            let pairs = items.len() as u64 * items.len() as u64 / 2;
            self.work.spend(pairs / 8).is_some()
                && items.iter().enumerate().all(|(index, item)| {
                    items.iter().take(index).all(|earlier| !same(earlier, item))
                })
        };
        listed
            && others
            && contained
            && bound("minItems").is_none_or(|least| length >= least)
            && bound("maxItems").is_none_or(|most| length <= most)
            && (map.get("uniqueItems") != Some(&Value::Bool(true)) || distinct())
    }

    fn fits_object(&self, map: &Map<String, Value>, whole: &Value, depth: usize) -> bool {
        let Some(object) = whole.as_object() else { return true };
        let fits = |schema: &Value, value: &Value| self.fits(schema, value, depth + 1);
        let size = object.len() as f64;
        let has_all = |names: &Value| {
            names.as_array().is_none_or(|names| {
                names.iter().filter_map(Value::as_str).all(|name| object.contains_key(name))
            })
        };
        let keywords = map.iter().all(|(key, rule)| match (key.as_str(), rule) {
            ("required", names) => has_all(names),
            ("minProperties", rule) => rule.as_f64().is_none_or(|least| size >= least),
            ("maxProperties", rule) => rule.as_f64().is_none_or(|most| size <= most),
            ("propertyNames", schema) => {
                object.keys().all(|name| fits(schema, &Value::String(name.clone())))
            }
            ("dependentRequired" | "dependentSchemas" | "dependencies", Value::Object(all)) => all
                .iter()
                .filter(|(name, _)| object.contains_key(*name))
                .all(|(_, rule)| if rule.is_array() { has_all(rule) } else { fits(rule, whole) }),
            _ => true,
        });
        keywords
            && object.iter().all(|(name, value)| {
                self.property_schemas(map, name).all(|schema| fits(schema, value))
            })
    }

    /// Every schema that a property of this name must fit.
    pub(super) fn property_schemas<'m>(
        &self,
        map: &'m Map<String, Value>,
        name: &str,
    ) -> impl Iterator<Item = &'m Value> {
        let declared = map.get("properties").and_then(|all| all.get(name));
        let patterns: Vec<&Value> = match map.get("patternProperties") {
            Some(Value::Object(all)) => all
                .iter()
                .filter(|(pattern, _)| self.matches(pattern, name))
                .map(|(_, schema)| schema)
                .collect(),
            _ => Vec::new(),
        };
        let other =
            map.get("additionalProperties").filter(|_| declared.is_none() && patterns.is_empty());
        declared.into_iter().chain(patterns).chain(other)
    }
}

/// The schemas of the first items, and that of the others.
pub(super) fn prefix_and_rest(map: &Map<String, Value>) -> (&[Value], Option<&Value>) {
    match (map.get("prefixItems"), map.get("items")) {
        (Some(Value::Array(prefix)), rest) => (prefix, rest),
        // Before 2020-12, `items` itself was the list.
        (_, Some(Value::Array(prefix))) => (prefix, map.get("additionalItems")),
        (_, rest) => (&[], rest),
    }
}

fn fits_number(map: &Map<String, Value>, value: f64) -> bool {
    let bound = |key: &str| map.get(key).and_then(Value::as_f64);
    let exclusive = |key: &str| map.get(key) == Some(&Value::Bool(true));
    let above = |least: f64| {
        if exclusive("exclusiveMinimum") { value > least } else { value >= least }
    };
    let below = |most: f64| {
        if exclusive("exclusiveMaximum") { value < most } else { value <= most }
    };
    let steps = match map.get("multipleOf") {
        Some(Value::Array(steps)) => steps.as_slice(),
        Some(step) => std::slice::from_ref(step),
        None => &[],
    };
    bound("minimum").is_none_or(above)
        && bound("maximum").is_none_or(below)
        && bound("exclusiveMinimum").is_none_or(|least| value > least)
        && bound("exclusiveMaximum").is_none_or(|most| value < most)
        && steps.iter().filter_map(Value::as_f64).all(|step| is_multiple(value, step))
}

/// Whether a value is a multiple of a step, decimal fractions taken as they are written.
pub(super) fn is_multiple(value: f64, step: f64) -> bool {
    if step <= 0.0 {
        return true;
    }
    let times = value / step;
    (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
}

/// The name of a value's type; whole numbers are `integer`.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|x| x.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value is of a type; what is no type's name allows any.
pub(super) fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "number" => value.is_number(),
        "null" | "boolean" | "integer" | "string" | "array" | "object" => kind_of(value) == kind,
        _ => true,
    }
}

/// Equality of JSON values, where 1 is 1.0 and the order of properties says nothing.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        (one, other) => one == other,
    }
}

fn find<'a>(schema: &'a Value, wanted: &dyn Fn(&Map<String, Value>) -> bool) -> Option<&'a Value> {
    match schema {
        Value::Object(map) if wanted(map) => Some(schema),
        Value::Object(map) => map.values().find_map(|value| find(value, wanted)),
        Value::Array(items) => items.iter().find_map(|item| find(item, wanted)),
        _ => None,
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
