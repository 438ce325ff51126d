//! Lenient numbers: durations and counts as producers really write them.

use crate::model::{Micros, limits};

/// A duration attribute, read as far as it makes sense.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seconds {
    /// The duration, where there is a plausible one.
    pub(super) value: Option<Micros>,
    /// What is odd about the text, for a warning.
    pub(super) oddity: Option<&'static str>,
}

impl Seconds {
    const fn plain(value: Option<Micros>) -> Self {
        Self { value, oddity: None }
    }

    const fn odd(value: Option<Micros>, oddity: &'static str) -> Self {
        Self { value, oddity: Some(oddity) }
    }
}

/// Reads a duration in seconds.
///
/// Accepts what producers write: scientific notation, `-0.000`, thousands separators, decimal
/// commas, units and `h:m:s`. What is negative, infinite or longer than a year is no duration.
pub(super) fn seconds(text: &str) -> Seconds {
    if let Some(micros) = short_decimal(text.as_bytes()) {
        return Seconds::plain(Some(micros));
    }
    let text = text.trim();
    if text.is_empty() {
        return Seconds::plain(None);
    }
    if is_plain_number(text) {
        return text.parse().map_or_else(|_| Seconds::odd(None, "unreadable"), plausible);
    }
    if let Some(number) = with_commas(text) {
        return number;
    }
    if let Some(value) = with_unit(text).or_else(|| clock(text)) {
        return Seconds { oddity: Some("written with a unit"), ..plausible(value) };
    }
    Seconds::odd(None, "unreadable")
}

/// The everyday form, `12.345` with at most six decimals, without going through floating point.
fn short_decimal(text: &[u8]) -> Option<Micros> {
    if text.is_empty() || text.len() > 14 {
        return None;
    }
    let mut value: u64 = 0;
    let mut decimals: Option<u32> = None;
    let mut digits = 0;
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u64::from(byte - b'0');
                digits += 1;
                if let Some(count) = &mut decimals {
                    *count += 1;
                }
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    let scale = 6_u32.checked_sub(decimals.unwrap_or(0))?;
    let micros = value.checked_mul(10_u64.pow(scale))?;
    let longest = limits::DURATION_SECONDS_MAX * 1e6;
    (digits > 0 && micros as f64 <= longest).then_some(Micros(micros))
}

fn plausible(value: f64) -> Seconds {
    if value == 0.0 {
        return Seconds::plain(Some(Micros(0)));
    }
    if value.is_nan() || value.is_infinite() {
        return Seconds::odd(None, "not finite");
    }
    if value < 0.0 {
        return Seconds::odd(None, "negative");
    }
    if value > limits::DURATION_SECONDS_MAX {
        return Seconds::odd(None, "longer than a year");
    }
    Seconds::plain(Micros::from_seconds(value))
}

/// Digits with sign, point and exponent only: Rust's parser would take `nan` and `inf` as well.
fn is_plain_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_ok = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_ok
}

/// `1,234.56` and `1,234` (grouping, as old Ant and Surefire write) or `0,123` (decimal comma).
fn with_commas(text: &str) -> Option<Seconds> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    if rest.is_empty() || !digits(first) || !rest.iter().all(|group| digits(group)) {
        return None;
    }
    if fraction.is_some_and(|fraction| !digits(fraction)) {
        return None;
    }
    let grouped = (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
    match (grouped && !first.starts_with('0'), fraction, rest.as_slice()) {
        (true, Some(_), _) => Some(plausible(text.replace(',', "").parse().ok()?)),
        (true, None, _) => Some(Seconds {
            oddity: Some("ambiguous: the comma was read as a thousands separator"),
            ..plausible(text.replace(',', "").parse().ok()?)
        }),
        (false, None, [decimals]) => Some(plausible(format!("{first}.{decimals}").parse().ok()?)),
        _ => None,
    }
}

fn with_unit(text: &str) -> Option<f64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(split)?;
    let number = number.trim();
    let factor = match unit {
        "ms" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" => 60.0,
        _ => return None,
    };
    is_plain_number(number).then(|| number.parse::<f64>().ok()).flatten().map(|n| n * factor)
}

fn clock(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [minutes, seconds] => ("0", *minutes, *seconds),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    if !is_plain_number(seconds) {
        return None;
    }
    let hours: u32 = hours.parse().ok()?;
    let minutes: u32 = minutes.parse().ok()?;
    Some(f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds.parse::<f64>().ok()?)
}

/// A declared count; `Err` where the attribute is no count.
pub(super) fn count(text: &str) -> Result<u64, ()> {
    text.trim().parse().map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// input, seconds, is a warning due
    const TIMES: &[(&str, Option<f64>, bool)] = &[
        ("-1", None, true),
        ("-0.000000", Some(0.0), false),
        ("NaN", None, true),
        ("nan", None, true),
        ("Infinity", None, true),
        ("-inf", None, true),
        ("1e-6", Some(0.000_001), false),
        ("1.327E-06", Some(0.000_001), false),
        ("1e400", None, true),
        ("1,234.56", Some(1234.56), false),
        ("1,234", Some(1234.0), true),
        ("0,123", Some(0.123), false),
        ("12.5s", Some(12.5), true),
        ("350ms", Some(0.35), true),
        ("00:01:02.5", Some(62.5), true),
        ("1:02.5", Some(62.5), true),
        ("02:00:00", Some(7200.0), true),
        ("31536000.0000000", Some(31_536_000.0), false),
        ("31536000.0000001", None, true),
        ("1e", None, true),
        ("1ex", None, true),
        ("+1,234", None, true),
        ("1,,234", None, true),
        ("abc", None, true),
        ("", None, false),
        ("  0.5  ", Some(0.5), false),
        ("+0.5", Some(0.5), false),
        (".5", Some(0.5), false),
        ("5.", Some(5.0), false),
        ("0x10", None, true),
        ("99999999999", None, true),
        ("4.4594459533691406250000", Some(4.459_446), false),
        (".", None, true),
        ("1.2.3", None, true),
        ("12,3456", Some(12.3456), false),
        ("é", None, true),
    ];

    #[test]
    fn times_are_read_as_producers_write_them() {
        for (text, expected, warns) in TIMES {
            let read = seconds(text);
            assert_eq!(read.value.map(Micros::as_seconds), *expected, "{text}");
            assert_eq!(read.oddity.is_some(), *warns, "{text}");
        }
    }

    #[test]
    fn the_short_way_agrees_with_the_long_one() {
        for text in ["0", "0.1", "1.5", "12.345678", "31536000", "0.000001", "7."] {
            assert_eq!(short_decimal(text.as_bytes()), Micros::from_seconds(text.parse().unwrap()));
        }
        assert_eq!(short_decimal(b"31536001"), None);
        assert_eq!(short_decimal(b"0000012.345678"), Some(Micros(12_345_678)));
        assert_eq!(short_decimal(b"00000012.345678"), None);
        assert_eq!(short_decimal(b"0.1234567"), None);
    }

    #[test]
    fn what_is_no_duration_is_said_by_the_word_for_it() {
        for (text, oddity) in [
            ("1e400", "not finite"),
            ("-1e400", "not finite"),
            ("-1", "negative"),
            ("31536001", "longer than a year"),
        ] {
            assert_eq!(seconds(text), Seconds::odd(None, oddity), "{text}");
        }
    }
}
