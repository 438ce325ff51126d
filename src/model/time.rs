//! Points in time and durations, as numbers with their unit in the type.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds in a day.
    pub const DAY_MS: i64 = 86_400_000;

    /// This time moved back by `days`, saturating.
    #[must_use]
    pub const fn minus_days(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days as i64 * Self::DAY_MS))
    }

    /// RFC 3339 in UTC with seconds, such as `2026-11-22T08:22:18Z`; the number itself where no
    /// calendar date exists for it.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.to_utc().map_or_else(
            || self.0.to_string(),
            |time| time.to_rfc3339_opts(SecondsFormat::Secs, true),
        )
    }

    /// The calendar day in UTC, such as `2026-11-22`.
    #[must_use]
    pub fn to_date(self) -> String {
        self.to_utc().map_or_else(|| self.0.to_string(), |time| time.format("%Y-%m-%d").to_string())
    }

    /// The same instant as chrono has it; `None` beyond the years chrono can hold.
    #[must_use]
    pub const fn to_utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }
}

/// When a report says that its tests started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// The report gave an offset, or its producer is known to write UTC.
    At(Timestamp),
    /// Clock time without a zone, from a producer that writes local time or is unknown.
    Local(NaiveDateTime),
}

/// A duration in microseconds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    /// Rounds seconds to microseconds; `None` for negative, infinite or absent values.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let micros = (seconds * 1e6).round();
        (micros.is_finite() && (0.0..1e18).contains(&micros)).then_some(Self(micros as u64))
    }

    /// The duration in seconds.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
}
