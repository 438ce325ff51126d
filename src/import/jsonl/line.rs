//! One line of a JSON Lines history, as it is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::lenient::{Text, When, Word};
use crate::model::{Lane, Variant};

/// A line with the table of tests that indexes point into.
#[derive(Debug, Default, Deserialize)]
pub(super) struct MetaLine<'a> {
    #[serde(default, borrow)]
    pub(super) tests: Vec<TestRef<'a>>,
    pub(super) project: Option<Text>,
    pub(super) branch: Option<Text>,
    pub(super) variant: Option<VariantValue>,
}

/// A line that is one run.
#[derive(Debug, Deserialize)]
pub(super) struct RunLine<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Option<Text>,
    pub(super) project: Option<Text>,
    pub(super) revision: Option<Text>,
    pub(super) commit: Option<Text>,
    pub(super) branch: Option<Text>,
    pub(super) lane: Option<Lane>,
    pub(super) variant: Option<VariantValue>,
    pub(super) build: Option<Text>,
    pub(super) attempt: Option<u32>,
    pub(super) job: Option<Text>,
    pub(super) url: Option<Text>,
    pub(super) host: Option<Text>,
    pub(super) started: Option<When>,
    pub(super) ts: Option<When>,
    #[serde(borrow)]
    pub(super) results: Option<Vec<ResultItem<'a>>>,
    #[serde(borrow)]
    pub(super) passed: Option<Vec<TestRef<'a>>>,
    #[serde(borrow)]
    pub(super) skipped: Option<Vec<TestRef<'a>>>,
}

/// A test: by name, by its place in the table, or by the names that JUnit XML has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TestRef<'a> {
    Place(u64),
    Name(Cow<'a, str>),
    Parts(Box<Parts>),
}

/// The names that JUnit XML has for a test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Parts {
    pub(super) suite: Option<Suites>,
    pub(super) classname: Option<String>,
    pub(super) name: Option<String>,
    pub(super) file: Option<String>,
}

/// The suites around a test, outermost first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Suites {
    One(String),
    Many(Vec<String>),
}

/// What became of one test.
#[derive(Debug)]
pub(super) struct ResultItem<'a> {
    pub(super) test: TestRef<'a>,
    pub(super) outcome: Word,
    pub(super) duration: Option<f64>,
    pub(super) attempts: Vec<AttemptItem>,
    pub(super) reason: Reason,
}

/// Why a test failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) kind: Option<String>,
    pub(super) message: Option<String>,
    pub(super) text: Option<String>,
}

/// One execution of a test.
#[derive(Debug, Clone)]
pub(super) struct AttemptItem {
    pub(super) outcome: Word,
    pub(super) duration: Option<f64>,
    pub(super) reason: Reason,
}

/// A matrix cell, as text or as an object.
#[derive(Debug, Clone)]
pub(super) struct VariantValue(pub(super) Variant);

impl<'de> Deserialize<'de> for VariantValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Object(BTreeMap<String, Text>),
        }
        let wrong = "the variant is neither \"os=linux\" nor {\"os\": \"linux\"}";
        let written = Written::deserialize(deserializer).map_err(|_| de::Error::custom(wrong))?;
        match written {
            Written::Text(text) => text.parse().map(Self).map_err(de::Error::custom),
            Written::Object(pairs) => {
                let with = |variant: Variant, (key, value): (String, Text)| match value.0 {
                    Some(value) => variant.try_with(&key, &value),
                    None => Ok(variant),
                };
                let variant = pairs.into_iter().try_fold(Variant::default(), with);
                variant.map(Self).map_err(de::Error::custom)
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TestRef<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = TestRef<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a test: its name, its place in the table, or {\"classname\", \"name\"}",
                )
            }

            fn visit_u64<E>(self, place: u64) -> Result<TestRef<'de>, E> {
                Ok(TestRef::Place(place))
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<TestRef<'de>, E> {
                Ok(TestRef::Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<TestRef<'de>, E> {
                Ok(TestRef::Name(Cow::Owned(name.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TestRef<'de>, A::Error> {
                let parts = Parts::deserialize(MapAccessDeserializer::new(map))?;
                match parts.name.is_some() {
                    true => Ok(TestRef::Parts(Box::new(parts))),
                    false => Err(de::Error::missing_field("name")),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ResultItem<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = ResultItem<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a result: {\"test\", \"outcome\", …} or [test, outcome, …]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<ResultItem<'de>, A::Error> {
                compact(seq)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ResultItem<'de>, A::Error> {
                Spelled::deserialize(MapAccessDeserializer::new(map))?.result()
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// `[test, outcome, seconds, fingerprint, [attempts]]`, all but the first two may be left out.
fn compact<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<ResultItem<'de>, A::Error> {
    let short = "test and outcome";
    let test = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &short))?;
    let outcome = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &short))?;
    let duration = seq.next_element::<Option<f64>>()?.flatten();
    let fingerprint = seq.next_element::<Option<String>>()?.flatten();
    let attempts = seq.next_element::<Option<Vec<AttemptItem>>>()?.flatten().unwrap_or_default();
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    // The fingerprint names the cause: as a type it is never masked, as a message it is shown.
    let reason = Reason { kind: fingerprint.clone(), message: fingerprint, text: None };
    Ok(ResultItem { test, outcome, duration, attempts, reason })
}

/// A result with a key for everything.
#[derive(Deserialize)]
struct Spelled<'a> {
    #[serde(borrow)]
    test: Option<TestRef<'a>>,
    suite: Option<Suites>,
    classname: Option<String>,
    name: Option<String>,
    file: Option<String>,
    outcome: Option<Word>,
    status: Option<Word>,
    duration: Option<f64>,
    attempts: Option<Vec<AttemptItem>>,
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
    text: Option<String>,
}

impl<'a> Spelled<'a> {
    fn result<E: de::Error>(self) -> Result<ResultItem<'a>, E> {
        let Self { suite, classname, name, file, .. } = self;
        let attempts = self.attempts.unwrap_or_default();
        let test = match (self.test, name) {
            (Some(test), _) => test,
            (None, Some(name)) => {
                let name = Some(name);
                TestRef::Parts(Box::new(Parts { suite, classname, name, file }))
            }
            (None, None) => return Err(E::missing_field("test")),
        };
        let last = attempts.last().map(|attempt| attempt.outcome);
        let outcome = self.outcome.or(self.status).or(last);
        let outcome = outcome.ok_or_else(|| E::missing_field("outcome"))?;
        let reason = Reason { kind: self.kind, message: self.message, text: self.text };
        Ok(ResultItem { test, outcome, duration: self.duration, attempts, reason })
    }
}

impl<'de> Deserialize<'de> for AttemptItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Spelled {
            outcome: Word,
            duration: Option<f64>,
            #[serde(rename = "type")]
            kind: Option<String>,
            message: Option<String>,
            text: Option<String>,
        }
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = AttemptItem;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an attempt: an outcome, or {\"outcome\", …}")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<AttemptItem, E> {
                let outcome = Word::deserialize(de::value::StrDeserializer::new(word))?;
                Ok(AttemptItem { outcome, duration: None, reason: Reason::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AttemptItem, A::Error> {
                let spelled = Spelled::deserialize(MapAccessDeserializer::new(map))?;
                let Spelled { outcome, duration, kind, message, text } = spelled;
                Ok(AttemptItem { outcome, duration, reason: Reason { kind, message, text } })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
