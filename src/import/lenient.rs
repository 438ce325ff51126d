//! Values as JSON writers really write them: numbers as texts, times in several forms.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::junit::collector::moment;
use crate::model::{Micros, Outcome, Started, Timestamp, limits};

/// Numbers from here on are milliseconds: as seconds they would lie after the year 5000.
const UNIX_SECONDS_MAX: f64 = 100_000_000_000.0;

/// A text that may be written as a number; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                let text = text.trim();
                Ok(Text((!text.is_empty()).then(|| text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(Some(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(Text(Some(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
                Ok(Text(Some(number.to_string())))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Text, E> {
                Ok(Text(Some(value.to_string())))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// The text of an optional field.
pub(super) fn text(value: Option<Text>) -> Option<String> {
    value.and_then(|text| text.0)
}

/// A point in time: RFC 3339 and its relatives, or Unix time in seconds (or, if they are that many,
/// milliseconds).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct When(pub(super) Started);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = When;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"2026-11-22T08:22:18Z\" or Unix seconds")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<When, E> {
                written(text)
                    .map(When)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<When, E> {
                self.visit_f64(number as f64)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<When, E> {
                self.visit_f64(number as f64)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<When, E> {
                unix(number)
                    .map(|time| When(Started::At(time)))
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

fn written(text: &str) -> Option<Started> {
    let text = text.trim();
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(Started::At(Timestamp(time.timestamp_millis())));
    }
    // A day alone is midnight: the line says so, and nothing else does.
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let midnight = day.and_then(|day| day.and_hms_opt(0, 0, 0));
    midnight
        .map(|time| Started::At(Timestamp(time.and_utc().timestamp_millis())))
        .or_else(|| moment(text))
}

/// Unix time, in seconds or milliseconds.
pub(super) fn unix(number: f64) -> Option<Timestamp> {
    let millis = if number.abs() < UNIX_SECONDS_MAX { number * 1000.0 } else { number };
    let time = Timestamp(millis.round() as i64);
    (number.is_finite() && time.to_utc().is_some()).then_some(time)
}

/// A duration in seconds; `Err` where it is none that a test can have.
pub(super) fn seconds(value: f64) -> Result<Micros, ()> {
    let plausible = (0.0..=limits::DURATION_SECONDS_MAX).contains(&value);
    Micros::from_seconds(value).filter(|_| plausible).ok_or(())
}

/// The outcome that a word stands for.
pub(super) fn outcome(word: &str) -> Option<Outcome> {
    const WORDS: [(&str, Outcome); 16] = [
        ("passed", Outcome::Passed),
        ("pass", Outcome::Passed),
        ("ok", Outcome::Passed),
        ("success", Outcome::Passed),
        ("failed", Outcome::Failed),
        ("fail", Outcome::Failed),
        ("failure", Outcome::Failed),
        ("errored", Outcome::Errored),
        ("error", Outcome::Errored),
        ("crashed", Outcome::Errored),
        ("timeout", Outcome::Errored),
        ("skipped", Outcome::Skipped),
        ("skip", Outcome::Skipped),
        ("ignored", Outcome::Skipped),
        ("disabled", Outcome::Skipped),
        ("pending", Outcome::Skipped),
    ];
    let word = word.trim();
    WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, outcome)| *outcome)
}

/// An outcome as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(pub(super) Outcome);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("passed, failed, errored or skipped")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Word, E> {
                outcome(word)
                    .map(Word)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(word), &self))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}
