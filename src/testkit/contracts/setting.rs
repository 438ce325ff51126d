//! A setting of a node with its range, as clauses see it.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::testkit::nodes::field::{Field, Kind, Shape};

/// A setting of a node with its range: `{"name": "timeout_ms", "kind": "integer", "least": 100,
/// "greatest": 120000}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Its key.
    pub name: String,
    /// What it holds.
    pub kind: SettingKind,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<Number>,
    /// The greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greatest: Option<Number>,
    /// The words that a choice takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// One of some words.
    Choice,
    /// Anything else.
    Other,
}

impl Setting {
    /// The settings of a table.
    #[must_use]
    pub fn of(shape: &Shape) -> Vec<Self> {
        shape.fields.iter().map(Self::from_field).collect()
    }

    fn from_field(field: &Field) -> Self {
        let name = field.name.to_owned();
        let plain =
            |kind| Self { name: name.clone(), kind, least: None, greatest: None, choices: vec![] };
        match field.kind {
            Kind::Integer(least, greatest) => Self {
                least: (least != i64::MIN).then(|| least.into()),
                greatest: (greatest != i64::MAX).then(|| greatest.into()),
                ..plain(SettingKind::Integer)
            },
            Kind::Number(least, greatest) => Self {
                least: Number::from_f64(least),
                greatest: Number::from_f64(greatest),
                ..plain(SettingKind::Number)
            },
            Kind::Choice(words) => Self {
                choices: words.iter().map(|word| (*word).to_owned()).collect(),
                ..plain(SettingKind::Choice)
            },
            _ => plain(SettingKind::Other),
        }
    }

    /// The least number where it is whole and not below 0.
    pub(crate) fn least_whole(&self) -> Option<u64> {
        self.least.as_ref().and_then(whole).and_then(|least| u64::try_from(least).ok())
    }

    /// The greatest number where it is whole and not below 0.
    pub(crate) fn greatest_whole(&self) -> Option<u64> {
        self.greatest.as_ref().and_then(whole).and_then(|greatest| u64::try_from(greatest).ok())
    }

    /// An end of the range as this setting writes it: whole for whole ones.
    pub(crate) fn written(&self, end: &Number) -> Value {
        match (self.kind, whole(end)) {
            (SettingKind::Integer, Some(end)) => number(end).unwrap_or_default(),
            _ => Value::Number(end.clone()),
        }
    }

    /// The number one `step` beyond an end. None where there is none that every language tells
    /// from the end: above 2^53 a number that a language keeps as a double may be its neighbour.
    pub(crate) fn beyond(&self, end: &Number, step: i8) -> Option<Value> {
        if self.kind == SettingKind::Integer {
            let next = whole(end)? + i128::from(step);
            return if next.abs() <= EXACT_MAX { number(next) } else { None };
        }
        let end = end.as_f64()?;
        let next = end + f64::from(step);
        // The step is lost in what is very great.
        (next != end).then(|| Number::from_f64(next)).flatten().map(Value::Number)
    }
}

/// The greatest number up to which doubles hold every whole one: 2^53.
const EXACT_MAX: i128 = 1 << 53;

/// A whole number, however it is written: `100` and `100.0`.
fn whole(number: &Number) -> Option<i128> {
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    let number = number.as_f64()?;
    (number.fract() == 0.0 && number.abs() <= EXACT_MAX as f64).then_some(number as i128)
}

fn number(number: i128) -> Option<Value> {
    i64::try_from(number).map(Value::from).or_else(|_| u64::try_from(number).map(Value::from)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn setting(kind: SettingKind, greatest: &Value) -> Setting {
        serde_json::from_value(json!({"name": "n", "kind": kind, "greatest": greatest})).unwrap()
    }

    fn beyond(kind: SettingKind, greatest: &Value) -> Option<Value> {
        let setting = setting(kind, greatest);
        setting.beyond(setting.greatest.as_ref().unwrap(), 1)
    }

    #[test]
    fn what_is_beyond_an_end_is_exact_or_nothing() {
        use SettingKind::{Integer, Number};
        assert_eq!(beyond(Integer, &json!(120_000)), Some(json!(120_001)));
        assert_eq!(beyond(Integer, &json!(100.0)), Some(json!(101)));
        for greatest in [json!(1_i64 << 53), json!(i64::MAX), json!(u64::MAX), json!(1e300)] {
            assert_eq!(beyond(Integer, &greatest), None, "{greatest}");
        }
        assert_eq!(beyond(Number, &json!(0.5)), Some(json!(1.5)));
        assert_eq!(beyond(Number, &json!(1e300)), None);
    }

    #[test]
    fn an_end_is_written_as_it_was_declared() {
        for greatest in [json!(i64::MAX), json!(u64::MAX), json!((1_i64 << 53) + 1)] {
            let setting = setting(SettingKind::Integer, &greatest);
            assert_eq!(setting.written(setting.greatest.as_ref().unwrap()), greatest);
        }
        let setting = setting(SettingKind::Integer, &json!(100.0));
        assert_eq!(setting.written(setting.greatest.as_ref().unwrap()), json!(100));
    }
}
