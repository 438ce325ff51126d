//! Lenient points in time: the forms that producers really write.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

use crate::model::{Started, Timestamp};

/// What a timestamp attribute says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// An instant.
    At(Timestamp),
    /// Clock time without a zone.
    Naive(NaiveDateTime),
    /// A day only: midnight is not the time of a run, so it orders nothing.
    Day,
    /// Empty, or the year 1 or 1970, which producers write for "not run".
    None,
    /// Not a point in time.
    Bad,
}

impl Moment {
    /// When the run started, for a producer that writes UTC or not.
    pub(super) fn started(self, naive_is_utc: bool) -> Option<Started> {
        match (self, naive_is_utc) {
            (Self::At(at), _) => Some(Started::At(at)),
            (Self::Naive(naive), true) => {
                Some(Started::At(Timestamp(naive.and_utc().timestamp_millis())))
            }
            (Self::Naive(naive), false) => Some(Started::Local(naive)),
            (Self::Day | Self::None | Self::Bad, _) => None,
        }
    }
}

/// Times before this (2000-01-01) mean "not run".
const EPOCH_MS_MIN: i64 = 946_684_800_000;
/// Numbers from here on are milliseconds: as seconds they would lie after the year 5000.
const EPOCH_SECONDS_MAX: i64 = 100_000_000_000;

/// Reads a point in time.
pub(super) fn moment(text: &str) -> Moment {
    let text = text.trim();
    if text.is_empty() {
        return Moment::None;
    }
    let read = iso(text).or_else(|| epoch(text)).or_else(|| in_words(text));
    match read {
        Some(Moment::At(at)) if at.0 < EPOCH_MS_MIN => Moment::None,
        Some(Moment::Naive(naive)) if naive.and_utc().timestamp_millis() < EPOCH_MS_MIN => {
            Moment::None
        }
        Some(moment) => moment,
        None => Moment::Bad,
    }
}

/// ISO 8601, extended or basic, with `T` or space, any number of decimals, any form of offset.
fn iso(text: &str) -> Option<Moment> {
    let (date, rest) = iso_date(text)?;
    if rest.is_empty() {
        return Some(Moment::Day);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = iso_time(rest)?;
    let naive = date.and_time(time);
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Some(Moment::Naive(naive));
    }
    let minutes = offset_minutes(rest)?;
    let instant = naive.and_utc().timestamp_millis() - i64::from(minutes) * 60_000;
    Some(Moment::At(Timestamp(instant)))
}

fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (head, rest) = text.split_at_checked(digits)?;
    if !head.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((head.parse().ok()?, rest))
}

fn iso_date(text: &str) -> Option<(NaiveDate, &str)> {
    let (year, rest) = number(text, 4)?;
    let extended = rest.starts_with('-');
    let separator = |text| if extended { str::strip_prefix(text, '-') } else { Some(text) };
    let (month, rest) = number(separator(rest)?, 2)?;
    let (day, rest) = number(separator(rest)?, 2)?;
    // More digits without a separator are an epoch, not a date.
    if !extended && !rest.starts_with(['T', 't']) {
        return None;
    }
    Some((NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?, rest))
}

fn iso_time(text: &str) -> Option<(NaiveTime, &str)> {
    let (hour, rest) = number(text, 2)?;
    let extended = rest.starts_with(':');
    let separator = |text| if extended { str::strip_prefix(text, ':') } else { Some(text) };
    let (minute, rest) = number(separator(rest)?, 2)?;
    let seconds = separator(rest).and_then(|rest| number(rest, 2));
    let (second, mut rest) = seconds.unwrap_or((0, rest));
    let mut nanos = 0_u32;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let (digits, after) = fraction.split_at_checked(end)?;
        let mut scale = 100_000_000;
        for digit in digits.bytes().take(9) {
            nanos += u32::from(digit - b'0') * scale;
            scale /= 10;
        }
        rest = after;
    }
    // A leap second is written as :60 and counts as the second before.
    Some((NaiveTime::from_hms_nano_opt(hour, minute, second.min(59), nanos)?, rest))
}

fn offset_minutes(text: &str) -> Option<i32> {
    if matches!(text, "Z" | "z" | "UTC" | "GMT") {
        return Some(0);
    }
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = number(text.get(1..)?, 2)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = if rest.is_empty() { 0 } else { number(rest, 2).filter(|n| n.1.is_empty())?.0 };
    if hours > 18 || minutes > 59 {
        return None;
    }
    Some(sign * i32::try_from(hours * 60 + minutes).ok()?)
}

fn epoch(text: &str) -> Option<Moment> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 16 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let value: i64 = whole.parse().ok()?;
    let millis = if value < EPOCH_SECONDS_MAX { value.checked_mul(1000)? } else { value };
    DateTime::from_timestamp_millis(millis)?;
    Some(Moment::At(Timestamp(millis)))
}

/// `Sun, 22 Nov 2026 09:09:05 GMT`, `22 Nov 2026 08:45:24 GMT`, `Sun Nov 22 08:29:29 2026` and
/// `Sun Nov 22 2026 09:19:47 GMT+0000 (Coordinated Universal Time)`.
fn in_words(text: &str) -> Option<Moment> {
    let text = text.split('(').next()?;
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, clock, zone) = match words.as_slice() {
        [day, month, year, clock, zone] if is_day(day) => (day, month, year, clock, Some(*zone)),
        [_, day, month, year, clock, zone] if is_day(day) => (day, month, year, clock, Some(*zone)),
        [_, day, month, year, clock] if is_day(day) => (day, month, year, clock, None),
        [_, month, day, clock, year] if clock.contains(':') => (day, month, year, clock, None),
        [_, month, day, clock, zone, year] if clock.contains(':') => {
            (day, month, year, clock, Some(*zone))
        }
        [_, month, day, year, clock, zone] => (day, month, year, clock, Some(*zone)),
        _ => return None,
    };
    let month = month_number(month)?;
    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, month, day.parse().ok()?)?;
    let (time, rest) = iso_time(clock)?;
    if !rest.is_empty() {
        return None;
    }
    let naive = date.and_time(time);
    let minutes = match zone {
        None => return Some(Moment::Naive(naive)),
        Some("GMT" | "UTC" | "Z") => 0,
        Some(zone) => offset_minutes(zone.trim_start_matches("GMT").trim_start_matches("UTC"))?,
    };
    Some(Moment::At(Timestamp(naive.and_utc().timestamp_millis() - i64::from(minutes) * 60_000)))
}

fn is_day(word: &str) -> bool {
    word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn month_number(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let lower = word.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().position(|month| *month == lower).and_then(|index| u32::try_from(index + 1).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Moment {
        Moment::At(Timestamp((seconds * 1000.0).round() as i64))
    }

    fn naive(text: &str) -> Moment {
        Moment::Naive(text.parse().unwrap())
    }

    #[test]
    fn timestamps_are_read_as_producers_write_them() {
        for (text, expected) in [
            ("2026-11-22T08:22:18Z", at(1_795_335_738.0)),
            ("2026-11-22T08:22:18", naive("2026-11-22T08:22:18")),
            ("2026-11-22T08:22:18.591", naive("2026-11-22T08:22:18.591")),
            ("2026-11-22T08:22:18.591Z", at(1_795_335_738.591)),
            ("2026-11-22T08:22:18+02:00", at(1_795_328_538.0)),
            ("2026-11-22T08:22:18.793098+00:00", at(1_795_335_738.793)),
            ("2026-11-22T08:22:18+0000", at(1_795_335_738.0)),
            ("2026-11-22 08:22:18", naive("2026-11-22T08:22:18")),
            ("2026-11-22 08:22:18 UTC", at(1_795_335_738.0)),
            ("2026-11-22T08:22", naive("2026-11-22T08:22:00")),
            ("2026-11-22", Moment::Day),
            ("1795337357", at(1_795_337_357.0)),
            ("1795337357459", at(1_795_337_357.459)),
            ("Sun, 22 Nov 2026 09:09:05 GMT", at(1_795_338_545.0)),
            ("22 Nov 2026 08:45:24 GMT", at(1_795_337_124.0)),
            ("Sun Nov 22 08:29:29 2026", naive("2026-11-22T08:29:29")),
            ("Sun Nov 22 2026 09:19:47 GMT+0000 (Coordinated Universal Time)", at(1_795_339_187.0)),
            ("Sun Nov 22 08:29:29 UTC 2026", at(1_795_336_169.0)),
            ("1970-01-01T00:00:00", Moment::None),
            ("0001-01-01T00:00:00", Moment::None),
            ("20261122T082218Z", at(1_795_335_738.0)),
            ("2026-11-22T08:22:18-05:30", at(1_795_355_538.0)),
            ("2026-11-22T08:22:18+18:00", at(1_795_270_938.0)),
            ("2026-11-22T08:22:18+00:59", at(1_795_332_198.0)),
            ("2026-11-22T08:22:18+00:60", Moment::Bad),
            ("Sun Nov 22 2026 09:19:47 GMT+0200", at(1_795_331_987.0)),
            ("Sun, 22 Nov 2026 09:09:05", naive("2026-11-22T09:09:05")),
            ("Sun Nov 22 0929 2026", Moment::Bad),
            ("2000-01-01T00:00:00Z", at(946_684_800.0)),
            ("2000-01-01T00:00:00", naive("2000-01-01T00:00:00")),
            ("1999-12-31T23:59:59Z", Moment::None),
            ("1999-12-31T23:59:59", Moment::None),
            // The last number of seconds, and the first of milliseconds, which lies in 1973.
            ("99999999999", at(99_999_999_999.0)),
            ("100000000000", Moment::None),
            ("1234567890123456", at(1_234_567_890_123.456)),
            ("00001795337357459", Moment::Bad),
            ("+1795337357", Moment::Bad),
            ("1795337357.x", Moment::Bad),
            ("", Moment::None),
            ("not a date", Moment::Bad),
            ("2026-02-30T00:00:00Z", Moment::Bad),
            ("2026-11-22T08:22:18+99:00", Moment::Bad),
            ("é026-11-22", Moment::Bad),
            ("99999999999999999999", Moment::Bad),
        ] {
            assert_eq!(moment(text), expected, "{text}");
        }
    }

    #[test]
    fn the_zone_of_a_naive_time_is_the_producers() {
        let read = moment("2026-11-22T08:22:18");
        assert_eq!(read.started(true), Some(Started::At(Timestamp(1_795_335_738_000))));
        assert!(matches!(read.started(false), Some(Started::Local(_))));
        assert_eq!(Moment::Day.started(true), None);
    }

    #[test]
    fn a_weekday_of_two_letters_is_no_day_of_the_month() {
        // As the C library writes it in German.
        assert_eq!(moment("So Nov 22 08:29:29 2026"), naive("2026-11-22T08:29:29"));
        assert_eq!(moment("So Nov 22 08:29:29 UTC 2026"), at(1_795_336_169.0));
    }
}
