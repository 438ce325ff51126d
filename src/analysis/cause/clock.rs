//! Time: does it fail more at some hour, on some weekday, or at the turn of the month?
//!
//! Times are those of the runs, in UTC, because a history knows no other. All windows of one, two,
//! three, six and twelve hours are tried, around midnight as well.

use chrono::{DateTime, Datelike, Timelike};

use super::contrast::sharpest;
use super::{Case, Cause, Finding, Signal};
use crate::model::Timestamp;

pub(super) const SIGNAL: Signal = Signal { name: "time", ask };

/// Lengths of the windows of hours.
const HOURS: [u32; 5] = [1, 2, 3, 6, 12];

/// A part of the day, the week or the month, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// From the first of these hours until the second, which may be the next day's.
    Hours {
        /// From.
        from: u32,
        /// Until, 1 to 24.
        until: u32,
    },
    /// A day of the week, from 0 for Monday.
    Weekday(u32),
    /// Saturday or Sunday.
    Weekend,
    /// The first day of a month.
    FirstDay,
    /// The last day of a month.
    LastDay,
    /// The 29th, 30th or 31st.
    LongMonth,
}

impl When {
    fn all() -> impl Iterator<Item = Self> {
        let hours = HOURS.into_iter().flat_map(|length| {
            (0..24).map(move |from| Self::Hours { from, until: (from + length - 1) % 24 + 1 })
        });
        hours.chain((0..7).map(Self::Weekday)).chain([
            Self::Weekend,
            Self::FirstDay,
            Self::LastDay,
            Self::LongMonth,
        ])
    }

    fn has(self, time: &Moment) -> bool {
        match self {
            Self::Hours { from, until } if from < until => (from..until).contains(&time.hour),
            Self::Hours { from, until } => !(until..from).contains(&time.hour),
            Self::Weekday(day) => time.weekday == day,
            Self::Weekend => time.weekday >= 5,
            Self::FirstDay => time.day == 1,
            Self::LastDay => time.is_last_day,
            Self::LongMonth => time.day >= 29,
        }
    }
}

/// What is asked of a time, in UTC.
struct Moment {
    hour: u32,
    weekday: u32,
    day: u32,
    is_last_day: bool,
}

impl Moment {
    fn of(time: Timestamp) -> Self {
        let time = DateTime::from_timestamp_millis(time.0).unwrap_or_default();
        Self {
            hour: time.hour(),
            weekday: time.weekday().num_days_from_monday(),
            day: time.day(),
            is_last_day: time.date_naive().succ_opt().is_none_or(|next| next.day() == 1),
        }
    }
}

fn ask(case: &Case<'_>) -> Option<Finding> {
    let trials = &case.trials.all;
    let times: Vec<Moment> = trials.iter().map(|trial| Moment::of(trial.run.started)).collect();
    let candidates =
        When::all().map(|when| (when, times.iter().map(|time| when.has(time)).collect()));
    let (when, split, p) = sharpest(trials, candidates, case.factorials)?;
    Some(Finding { p, cause: Some(Cause::Clock { when, split }) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Moment {
        Moment::of(Timestamp(time.parse::<DateTime<chrono::Utc>>().unwrap().timestamp_millis()))
    }

    #[test]
    fn a_month_has_one_first_day_and_some_months_have_longer_ends() {
        let noon = |day: &str| at(&format!("2026-{day}T12:00:00Z"));
        let is_first = ["12-01", "12-02", "11-30"].map(|day| When::FirstDay.has(&noon(day)));
        assert_eq!(is_first, [true, false, false]);
        let is_long =
            ["12-28", "12-29", "12-31", "12-01"].map(|day| When::LongMonth.has(&noon(day)));
        assert_eq!(is_long, [false, true, true, false]);
    }

    #[test]
    fn windows_go_around_midnight_and_months_end() {
        let midnight = When::Hours { from: 23, until: 1 };
        assert!(
            midnight.has(&at("2026-11-30T23:59:59Z")) && midnight.has(&at("2026-12-01T00:10:00Z"))
        );
        assert!(!midnight.has(&at("2026-12-01T01:00:00Z")));
        assert!(
            When::LastDay.has(&at("2026-11-30T12:00:00Z"))
                && When::LastDay.has(&at("2028-02-29T00:00:00Z"))
        );
        assert!(!When::LastDay.has(&at("2026-12-30T12:00:00Z")));
        assert!(
            When::Weekend.has(&at("2026-11-29T12:00:00Z"))
                && When::Weekday(0).has(&at("2026-11-30T12:00:00Z"))
        );
        // Every hour is in as many windows as any other.
        for hour in 0..24 {
            let time = at(&format!("2026-11-30T{hour:02}:30:00Z"));
            let windows = When::all().filter(|when| matches!(when, When::Hours { .. }));
            assert_eq!(windows.filter(|when| when.has(&time)).count(), 24, "{hour}");
        }
    }
}
