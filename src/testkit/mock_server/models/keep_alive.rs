//! `keep_alive`: how long a model stays loaded, in the spellings that the real server takes.

use std::time::Duration;

/// How long a model stays loaded where no request says.
pub const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(5 * 60);

/// How long a model stays loaded after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepAlive {
    /// As long as the request before said; 5 minutes where none did.
    #[default]
    Default,
    /// For ever.
    Forever,
    /// So long; zero unloads it at once.
    For(Duration),
}

impl KeepAlive {
    /// A number of seconds; a negative one is for ever.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        if seconds < 0.0 {
            return Self::Forever;
        }
        Duration::try_from_secs_f64(seconds).map_or(Self::Forever, |span| {
            if span.as_nanos() > i64::MAX as u128 { Self::Forever } else { Self::For(span) }
        })
    }

    /// A duration as Go writes it: `10m`, `1h30m`, `-1s`, `0`.
    ///
    /// # Errors
    /// Go's text, for example `time: missing unit in duration "10"`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let nanos = parse_nanos(text)?;
        Ok(u64::try_from(nanos)
            .map_or(Self::Forever, |nanos| Self::For(Duration::from_nanos(nanos))))
    }

    /// Whether it unloads the model at once.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::For(Duration::ZERO)
    }
}

/// `time.ParseDuration`: nanoseconds.
fn parse_nanos(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quoted(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    // One more than the largest value is there for the negative side.
    let largest = 1_u64 << 63;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (digits, after) = split_digits(rest);
        let mut whole = match digits {
            "" => 0,
            _ => {
                digits.parse::<u64>().ok().filter(|whole| *whole <= largest).ok_or_else(invalid)?
            }
        };
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", after),
        };
        if digits.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after
            .find(|character: char| character == '.' || character.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quoted(text)));
        }
        let nanos = unit_nanos(unit).ok_or_else(|| {
            format!("time: unknown unit {} in duration {}", quoted(unit), quoted(text))
        })?;
        whole = whole.checked_mul(nanos).filter(|whole| *whole <= largest).ok_or_else(invalid)?;
        whole = whole.saturating_add(fraction_nanos(fraction, nanos));
        total = total
            .checked_add(whole)
            .filter(|total| whole <= largest && *total <= largest)
            .ok_or_else(invalid)?;
        rest = after;
    }
    if negative {
        return Ok(0_i64.wrapping_sub_unsigned(total));
    }
    i64::try_from(total).map_err(|_| invalid())
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// The part of a unit after the point; digits that no 63 bits hold are left out, as Go does.
fn fraction_nanos(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        let next = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(digit - b'0')))
            .filter(|value| *value <= 1 << 63);
        let Some(next) = next else { break };
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Quotes as Go's `time` does: what is not printable ASCII byte by byte.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            0..0x20 | 0x80.. => out.push_str(&format!("\\x{byte:02x}")),
            _ => out.push(char::from(byte)),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(count: u64) -> Result<KeepAlive, String> {
        Ok(KeepAlive::For(Duration::from_millis(count)))
    }

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("0", millis(0)),
            ("-0", millis(0)),
            ("+5s", millis(5_000)),
            ("10m", millis(600_000)),
            ("1h30m", millis(5_400_000)),
            ("1.5s", millis(1_500)),
            (".5s", millis(500)),
            ("2.ms", millis(2)),
            ("1500µs", Ok(KeepAlive::For(Duration::from_micros(1_500)))),
            ("-1s", Ok(KeepAlive::Forever)),
            ("-1", Err("time: missing unit in duration \"-1\"".to_owned())),
            ("10", Err("time: missing unit in duration \"10\"".to_owned())),
            ("", Err("time: invalid duration \"\"".to_owned())),
            ("-", Err("time: invalid duration \"-\"".to_owned())),
            ("abc", Err("time: invalid duration \"abc\"".to_owned())),
            (".s", Err("time: invalid duration \".s\"".to_owned())),
            ("1d", Err("time: unknown unit \"d\" in duration \"1d\"".to_owned())),
            ("1 s", Err("time: unknown unit \" s\" in duration \"1 s\"".to_owned())),
            (
                "1é\"",
                Err("time: unknown unit \"\\xc3\\xa9\\\"\" in duration \"1\\xc3\\xa9\\\"\""
                    .to_owned()),
            ),
            (
                "9223372036854775808ns",
                Err("time: invalid duration \"9223372036854775808ns\"".to_owned()),
            ),
            ("-9223372036854775808ns", Ok(KeepAlive::Forever)),
            ("99999999999h", Err("time: invalid duration \"99999999999h\"".to_owned())),
        ] {
            assert_eq!(KeepAlive::parse(text), expected, "{text}");
        }
        assert_eq!(KeepAlive::from_seconds(1.5), KeepAlive::For(Duration::from_millis(1_500)));
        assert_eq!(KeepAlive::from_seconds(-1.0), KeepAlive::Forever);
        assert_eq!(KeepAlive::from_seconds(1e300), KeepAlive::Forever);
        assert!(KeepAlive::from_seconds(0.0).is_zero());
    }

    /// What Go's `time.ParseDuration` says.
    #[test]
    fn agrees_with_go() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/go/texts.json");
        let golden = std::fs::read(path).unwrap();
        let golden: serde_json::Value = serde_json::from_slice(&golden).unwrap();
        let rows = golden["durations"].as_array().unwrap();
        assert!(rows.len() > 100);
        for row in rows {
            let (text, go) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
            let ours = parse_nanos(text).map_or_else(|reason| reason, |nanos| nanos.to_string());
            assert_eq!(ours, go, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            if let Err(reason) = KeepAlive::parse(&text) {
                prop_assert!(reason.starts_with("time: "));
            }
        }

        #[test]
        fn what_is_written_is_read(hours in 0_u64..9_000, minutes in 0_u64..60, millis in 0_u64..60_000) {
            let span = Duration::from_secs(hours * 3_600 + minutes * 60) + Duration::from_millis(millis);
            let text = format!("{hours}h{minutes}m{}.{:03}s", millis / 1_000, millis % 1_000);
            let read = KeepAlive::parse(&text).unwrap();
            prop_assert_eq!(read, KeepAlive::For(span));
        }
    }
}
