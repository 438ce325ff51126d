//! How times are spelt in JSON, TOML and on the command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error as _, MapAccess, Unexpected, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{SPAN_MAX, Span, Timing};

/// A span of time: in JSON and TOML a number of milliseconds, or a text with a unit (`ns`, `us`,
/// `ms`, `s`, `m`, `h`). From 0 to [`SPAN_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time(pub Duration);

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not a number with a unit.
    #[error(
        "`{0}` is no time; write milliseconds as a number, or a text such as \"250ms\" or \"1.5s\""
    )]
    Unreadable(String),
    /// Below zero, or above [`SPAN_MAX`].
    #[error("`{0}` is out of range; a time is from 0 to 24 hours")]
    OutOfRange(String),
}

const UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12)];

impl Time {
    /// So many milliseconds.
    ///
    /// # Errors
    /// Where that is below zero, above [`SPAN_MAX`] or no number.
    pub fn from_milliseconds(milliseconds: f64) -> Result<Self, TimeError> {
        Self::from_nanoseconds(milliseconds * 1e6)
            .ok_or_else(|| TimeError::OutOfRange(milliseconds.to_string()))
    }

    fn from_nanoseconds(nanoseconds: f64) -> Option<Self> {
        let range = 0.0..=SPAN_MAX.as_nanos() as f64;
        range.contains(&nanoseconds).then(|| Self(super::duration(nanoseconds)))
    }
}

impl From<Duration> for Time {
    fn from(span: Duration) -> Self {
        Self(span)
    }
}

impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let unreadable = || TimeError::Unreadable(text.to_owned());
        let text = text.trim();
        let number_end =
            text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(text.len());
        let (number, unit) = text.split_at(number_end);
        let number: f64 = number.parse().map_err(|_| unreadable())?;
        let unit = unit.trim();
        let scale = match UNITS.iter().find(|(name, _)| *name == unit) {
            Some((_, scale)) => *scale,
            None if number == 0.0 && unit.is_empty() => 1.0,
            None => return Err(unreadable()),
        };
        Self::from_nanoseconds(number * scale).ok_or_else(|| TimeError::OutOfRange(text.to_owned()))
    }
}

/// On the command line: a time as in [`Time`], milliseconds as a number, or
/// `uniform:LOWER,UPPER`, `lognormal:MEDIAN,SIGMA` and `normal:MEAN,DEVIATION`.
impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = |text: &str| -> Result<Duration, String> {
            let time = match text.trim().parse::<f64>() {
                Ok(milliseconds) => Time::from_milliseconds(milliseconds),
                Err(_) => text.parse(),
            };
            time.map(|time| time.0).map_err(|error| error.to_string())
        };
        let Some((kind, numbers)) = text.split_once(':') else {
            return time(text).map(Span::Fixed);
        };
        let forms = "write 200ms, uniform:100ms,300ms, lognormal:200ms,0.5 or normal:200ms,50ms";
        let (first, second) = numbers.split_once(',').ok_or(forms)?;
        match kind.trim() {
            "uniform" => Ok(Span::uniform(time(first)?, time(second)?)),
            "normal" => Ok(Span::normal(time(first)?, time(second)?)),
            "lognormal" => {
                let sigma = second.trim().parse().ok();
                let sigma = sigma.filter(|sigma: &f64| (0.0..=10.0).contains(sigma));
                Ok(Span::lognormal(time(first)?, sigma.ok_or("sigma is a number from 0 to 10")?))
            }
            _ => Err(forms.to_owned()),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nanoseconds = self.0.as_nanos();
        match u64::try_from(nanoseconds / 1_000_000) {
            Ok(whole) if nanoseconds.is_multiple_of(1_000_000) => serializer.serialize_u64(whole),
            _ => serializer.serialize_f64(nanoseconds as f64 / 1e6),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number of milliseconds, or a text such as \"250ms\" or \"1.5s\"")
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Time, E> {
        self.visit_f64(value as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Time, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Time, E> {
        Time::from_milliseconds(value).map_err(E::custom)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Time, E> {
        value.parse().map_err(E::custom)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lognormal {
    median: Time,
    sigma: f64,
    #[serde(default, alias = "cap", skip_serializing_if = "Option::is_none")]
    max: Option<Time>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Normal {
    mean: Time,
    #[serde(alias = "std_dev", alias = "stddev")]
    deviation: Time,
}

/// `[lower, upper]`, or the two by name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bounds {
    Pair(Time, Time),
    Named { lower: Time, upper: Time },
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Self::Fixed(span) = self {
            return Time(*span).serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Fixed(_) => {}
            Self::Uniform { lower, upper } => {
                map.serialize_entry("uniform", &[Time(*lower), Time(*upper)])?;
            }
            Self::Lognormal { median, sigma, max } => {
                let (median, max) = (Time(*median), max.map(Time));
                map.serialize_entry("lognormal", &Lognormal { median, sigma: *sigma, max })?;
            }
            Self::Normal { mean, deviation } => {
                let (mean, deviation) = (Time(*mean), Time(*deviation));
                map.serialize_entry("normal", &Normal { mean, deviation })?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

struct SpanVisitor;

impl<'de> Visitor<'de> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a number of milliseconds, a text such as \"1.5s\", {\"uniform\": [lower, upper]}, \
             {\"lognormal\": {\"median\", \"sigma\", \"max\"}} or \
             {\"normal\": {\"mean\", \"deviation\"}}",
        )
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Span, E> {
        TimeVisitor.visit_u64(value).map(|time| Span::Fixed(time.0))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Span, E> {
        TimeVisitor.visit_i64(value).map(|time| Span::Fixed(time.0))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Span, E> {
        TimeVisitor.visit_f64(value).map(|time| Span::Fixed(time.0))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Span, E> {
        TimeVisitor.visit_str(value).map(|time| Span::Fixed(time.0))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Span, A::Error> {
        let kind: String = map.next_key()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let span = match kind.as_str() {
            "fixed" => Span::Fixed(map.next_value::<Time>()?.0),
            "uniform" => {
                let (lower, upper) = match map.next_value()? {
                    Bounds::Pair(lower, upper) | Bounds::Named { lower, upper } => (lower, upper),
                };
                if lower > upper {
                    return Err(A::Error::custom("uniform: the lower bound is above the upper"));
                }
                Span::Uniform { lower: lower.0, upper: upper.0 }
            }
            "lognormal" => {
                let Lognormal { median, sigma, max } = map.next_value()?;
                if !(0.0..=10.0).contains(&sigma) {
                    return Err(A::Error::custom("lognormal: sigma is from 0 to 10"));
                }
                Span::Lognormal { median: median.0, sigma, max: max.map(|max| max.0) }
            }
            "normal" => {
                let Normal { mean, deviation } = map.next_value()?;
                Span::Normal { mean: mean.0, deviation: deviation.0 }
            }
            other => return Err(A::Error::invalid_value(Unexpected::Str(other), &self)),
        };
        match map.next_key::<String>()? {
            None => Ok(span),
            Some(more) => Err(A::Error::custom(format!("`{kind}` stands alone, without `{more}`"))),
        }
    }
}

/// [`Timing`] as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpelledTiming {
    #[serde(default, alias = "latency_ms", skip_serializing_if = "Option::is_none")]
    latency: Option<Span>,
    #[serde(default, alias = "ttft", alias = "ttft_ms", skip_serializing_if = "Option::is_none")]
    first_token: Option<Span>,
    #[serde(default, alias = "per_token_ms", skip_serializing_if = "Option::is_none")]
    per_token: Option<Span>,
    #[serde(default, alias = "tps", skip_serializing)]
    tokens_per_second: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jitter: Option<f64>,
}

impl TryFrom<SpelledTiming> for Timing {
    type Error = String;

    fn try_from(spelled: SpelledTiming) -> Result<Self, String> {
        let per_token = match (spelled.per_token, spelled.tokens_per_second) {
            (Some(_), Some(_)) => {
                return Err("per_token and tokens_per_second say the same; set one".to_owned());
            }
            (span, None) => span,
            (None, Some(rate)) if rate > 0.0 => Some(Span::Fixed(super::duration(1e9 / rate))),
            (None, Some(rate)) => return Err(format!("tokens_per_second is above 0, not {rate}")),
        };
        if let Some(jitter) = spelled.jitter
            && !(0.0..=1.0).contains(&jitter)
        {
            return Err(format!("jitter is a share from 0 to 1, not {jitter}"));
        }
        let SpelledTiming { latency, first_token, jitter, .. } = spelled;
        Ok(Self { latency, first_token, per_token, jitter })
    }
}

impl From<Timing> for SpelledTiming {
    fn from(timing: Timing) -> Self {
        let Timing { latency, first_token, per_token, jitter } = timing;
        Self { latency, first_token, per_token, tokens_per_second: None, jitter }
    }
}
