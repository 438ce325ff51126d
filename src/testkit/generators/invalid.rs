//! Values with one thing wrong, made from good ones by the tables of fields.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::generate::Generate;
use super::source::Source;
use crate::testkit::nodes::field::{Extra, Kind, Literal, Presence, Shape};
use crate::testkit::nodes::{Rule, Violation};

/// A value with exactly one thing wrong, and what that is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Invalid {
    /// The rule that the value breaks.
    pub rule: Rule,
    /// Where: keys and indices with dots between; empty for the whole.
    pub at: String,
    /// The value.
    pub value: Value,
}

/// A generator that knows when a value is not one of its kind.
///
/// ```
/// use flakedb::testkit::generators::{Checked, Messages, Source};
///
/// let messages = Messages::new();
/// let invalid = messages.invalid(&mut Source::seeded(7));
/// assert!(invalid.iter().any(|one| one.name() == "above_maximum at payload.confidence"));
/// for one in &invalid {
///     let found = messages.violations(&one.value);
///     assert_eq!(found.len(), 1);
///     assert_eq!((found[0].rule, &found[0].at), (one.rule, &one.at));
/// }
/// ```
pub trait Checked: Generate<Output: Serialize> {
    /// All that is wrong with a value; with what the generator makes, nothing is.
    fn violations(&self, value: &Value) -> Vec<Violation>;

    /// Every way to spoil a good value in one place.
    fn spoiled(&self, good: &Value) -> Vec<Invalid>;

    /// Every way to spoil the source's next value in one place. No two have the same name.
    fn invalid(&self, source: &mut Source) -> Vec<Invalid> {
        // Generated data has no keys but texts, so it can always be written.
        self.spoiled(&serde_json::to_value(self.one(source)).unwrap_or_default())
    }
}

impl Invalid {
    /// A value that breaks `rule` at `at`.
    #[must_use]
    pub fn new(rule: Rule, at: impl Into<String>, value: Value) -> Self {
        Self { rule, at: at.into(), value }
    }

    /// What it is called: `above_maximum at payload.confidence`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.at.as_str() {
            "" => self.rule.to_string(),
            at => format!("{} at {at}", self.rule),
        }
    }

    /// The same, seen from one level further out, where `place` puts a value in its place.
    #[must_use]
    pub fn below(self, key: &str, place: impl FnOnce(Value) -> Value) -> Self {
        let at = match self.at.as_str() {
            "" => key.to_owned(),
            at => format!("{key}.{at}"),
        };
        Self { rule: self.rule, at, value: place(self.value) }
    }
}

/// Every way to break one rule of a shape, starting from a good value.
#[must_use]
pub fn of_shape(shape: &Shape, good: &Value) -> Vec<Invalid> {
    let mut found = vec![Invalid::new(Rule::WrongType, "", json!([]))];
    for field in shape.fields {
        if matches!(field.presence, Presence::Required) {
            found.push(Invalid::new(Rule::Missing, field.name, without(good, field.name)));
        }
        let inner = match good.get(field.name).filter(|value| !value.is_null()) {
            Some(inner) => inner.clone(),
            None => example(&field.kind),
        };
        let broken = of_kind(&field.kind, &inner).into_iter();
        found
            .extend(broken.map(|one| one.below(field.name, |value| with(good, field.name, value))));
    }
    if shape.extra == Extra::Refused {
        found.push(Invalid::new(Rule::UnknownKey, NO_KEY, with(good, NO_KEY, json!(true))));
    }
    found
}

/// A key that no shape has, and that is near to none.
const NO_KEY: &str = "zzz_no_such_key";
/// Texts longer than this are not made, whatever a shape allows.
const TEXT_LENGTH_MAX: usize = 1 << 20;

/// Every way to break one rule of a kind, starting from a good value.
#[must_use]
pub fn of_kind(kind: &Kind, good: &Value) -> Vec<Invalid> {
    let one = |rule, value| Invalid::new(rule, "", value);
    let mut found = match kind {
        Kind::Object(shape) => return of_shape(shape, good),
        Kind::Any => return Vec::new(),
        Kind::Text
        | Kind::Length(..)
        | Kind::Identifier
        | Kind::Version
        | Kind::Time
        | Kind::Choice(_) => vec![one(Rule::WrongType, json!(7))],
        Kind::Integer(..) | Kind::Number(..) => vec![one(Rule::WrongType, json!("7"))],
        Kind::Boolean => vec![one(Rule::WrongType, json!("true"))],
        Kind::List(..) => vec![one(Rule::WrongType, json!({}))],
        Kind::Map | Kind::MapOf(_) => vec![one(Rule::WrongType, json!([]))],
    };
    match *kind {
        Kind::Identifier => found.push(one(Rule::BadIdentifier, json!("Not-An-Identifier"))),
        Kind::Version => found.push(one(Rule::BadVersion, json!("1.0"))),
        Kind::Time => found.push(one(Rule::BadTime, json!("yesterday"))),
        Kind::Choice(_) => found.push(one(Rule::NotAChoice, json!("zzz_no_such_choice"))),
        Kind::Length(least, greatest) => {
            if let Some(short) = least.checked_sub(1) {
                found.push(one(Rule::TooShort, json!("x".repeat(short))));
            }
            if greatest < TEXT_LENGTH_MAX {
                found.push(one(Rule::TooLong, json!("x".repeat(greatest + 1))));
            }
        }
        Kind::Integer(least, greatest) => {
            if let Some(below) = least.checked_sub(1) {
                found.push(one(Rule::BelowMinimum, json!(below)));
            }
            // One more than the greatest i64 is still a number in JSON.
            let above = i128::from(greatest) + 1;
            found.extend(u64::try_from(above).map(|above| one(Rule::AboveMaximum, json!(above))));
            if above < 0 {
                found.push(one(Rule::AboveMaximum, json!(greatest + 1)));
            }
        }
        Kind::Number(least, greatest) => {
            let beyond = |bound: f64| NUMBER_STEP.max(bound.abs() * NUMBER_STEP);
            let (below, above) = (least - beyond(least), greatest + beyond(greatest));
            // A range without a bound on one side has the greatest number there.
            let spoil = |rule, number: f64| number.is_finite().then(|| one(rule, json!(number)));
            found.extend(spoil(Rule::BelowMinimum, below));
            found.extend(spoil(Rule::AboveMaximum, above));
        }
        Kind::List(least, kind) => found.extend(of_list(least, kind, good)),
        Kind::MapOf(kind) => {
            let broken = of_kind(kind, &example(kind)).into_iter();
            found.extend(broken.map(|one| one.below("key", |value| with(good, "key", value))));
        }
        _ => {}
    }
    found
}

/// How far beyond its range a number is put, itself or as a share of the bound: near, and still to
/// be read by a human.
const NUMBER_STEP: f64 = 0.125;

fn of_list(least: usize, kind: &Kind, good: &Value) -> Vec<Invalid> {
    let items = good.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found = Vec::new();
    if let Some(few) = least.checked_sub(1) {
        let few = items.iter().take(few).cloned().collect();
        found.push(Invalid::new(Rule::TooFew, "", few));
    }
    let first = items.first().cloned().unwrap_or_else(|| example(kind));
    found.extend(of_kind(kind, &first).into_iter().map(|one| {
        one.below("0", |value| {
            std::iter::once(value).chain(items.iter().skip(1).cloned()).collect()
        })
    }));
    found
}

/// The smallest value of a kind.
#[must_use]
pub fn example(kind: &Kind) -> Value {
    match *kind {
        Kind::Text | Kind::Any => json!("text"),
        Kind::Length(least, _) => json!("x".repeat(least.max(1))),
        Kind::Identifier => json!("name"),
        Kind::Version => json!("1.0.0"),
        Kind::Time => json!("2026-01-01T00:00:00Z"),
        Kind::Choice(words) => json!(words.first().copied().unwrap_or_default()),
        Kind::Integer(least, greatest) => json!(0.max(least).min(greatest)),
        Kind::Number(least, greatest) => json!(0.0_f64.max(least).min(greatest)),
        Kind::Boolean => json!(false),
        Kind::List(least, kind) => (0..least).map(|_| example(kind)).collect(),
        Kind::Object(shape) => {
            let required = |presence| matches!(presence, Presence::Required);
            let fields = shape.fields.iter().filter(|field| required(field.presence));
            Value::Object(
                fields.map(|field| (field.name.to_owned(), example(&field.kind))).collect(),
            )
        }
        Kind::Map | Kind::MapOf(_) => Literal::EmptyMap.to_value(),
    }
}

/// An object with another value for a key; what is no object counts as an empty one.
#[must_use]
pub fn with(object: &Value, key: &str, value: Value) -> Value {
    let mut changed = object.as_object().cloned().unwrap_or_default();
    changed.insert(key.to_owned(), value);
    Value::Object(changed)
}

/// An object without a key, the others in the order that they had.
#[must_use]
pub fn without(object: &Value, key: &str) -> Value {
    let empty = Map::new();
    let kept = object.as_object().unwrap_or(&empty).iter().filter(|(name, _)| *name != key);
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}
