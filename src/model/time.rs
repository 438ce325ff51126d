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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_and_as_a_number_where_no_calendar_has_it() {
        let time = Timestamp(1_700_000_000_000);
        assert_eq!(time.to_rfc3339(), "2023-11-14T22:13:20Z");
        assert_eq!(time.to_date(), "2023-11-14");
        assert_eq!(Timestamp::from(time.to_utc().unwrap()), time);
        assert_eq!(Timestamp(-1).to_rfc3339(), "1969-12-31T23:59:59Z");
        assert_eq!(Timestamp(i64::MAX).to_rfc3339(), "9223372036854775807");
        assert_eq!(Timestamp(i64::MAX).to_date(), "9223372036854775807");
    }

    #[test]
    fn days_are_taken_off_and_time_does_not_run_out() {
        let time = Timestamp(1_700_000_000_000);
        assert_eq!(time.minus_days(0), time);
        assert_eq!(time.minus_days(14).to_rfc3339(), "2023-10-31T22:13:20Z");
        assert_eq!(Timestamp(i64::MIN + 1).minus_days(1), Timestamp(i64::MIN));
    }

    #[test]
    fn seconds_become_whole_microseconds_where_they_are_a_duration() {
        for (seconds, micros) in [(0.0, 0), (0.001_5, 1_500), (0.000_000_6, 1), (2.5, 2_500_000)] {
            assert_eq!(Micros::from_seconds(seconds), Some(Micros(micros)), "{seconds}");
        }
        for seconds in [-0.1, f64::NAN, f64::INFINITY, 1e12] {
            assert_eq!(Micros::from_seconds(seconds), None, "{seconds}");
        }
        assert_eq!(Micros(1_250_000).as_seconds(), 1.25);
    }
}
