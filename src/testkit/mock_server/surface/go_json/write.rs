//! Writing: Go's escapes, Go's floats, Go's times.

use std::io::{self, Write};

use bytes::Bytes;
use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

/// A value as Go's `json.Marshal` has it. A value that no JSON can hold (a map whose keys are no
/// text) gives nothing.
pub(in crate::testkit::mock_server) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    let mut serializer = Serializer::with_formatter(&mut bytes, Go);
    if value.serialize(&mut serializer).is_err() {
        bytes.clear();
    }
    bytes
}

/// The same as one line of NDJSON, its `\n` among it.
pub(in crate::testkit::mock_server) fn to_line<T: Serialize + ?Sized>(value: &T) -> Bytes {
    let mut bytes = to_vec(value);
    bytes.push(b'\n');
    Bytes::from(bytes)
}

/// A moment as Go writes it: RFC 3339, nanoseconds without zeros at their end, `Z`.
pub(in crate::testkit::mock_server) fn time(moment: DateTime<Utc>) -> String {
    let whole = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        moment.year(),
        moment.month(),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second()
    );
    let nanos = format!("{:09}", moment.timestamp_subsec_nanos() % 1_000_000_000);
    match nanos.trim_end_matches('0') {
        "" => format!("{whole}Z"),
        digits => format!("{whole}.{digits}Z"),
    }
}

/// What Go does otherwise than serde_json's compact form.
struct Go;

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, escape, length)) = first_escape(rest) {
            writer.write_all(&rest.as_bytes()[..at])?;
            writer.write_all(escape)?;
            rest = &rest[at + length..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        let positional = value == 0.0 || (1e-6..1e21).contains(&value.abs());
        write_float(writer, positional, |digits| CompactFormatter.write_f32(digits, value))
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let positional = value == 0.0 || (1e-6..1e21).contains(&value.abs());
        write_float(writer, positional, |digits| CompactFormatter.write_f64(digits, value))
    }
}

/// Writes a float that `write` spells as serde_json does. The digits are the same as Go's, the
/// shortest that read as the same number; the point and the exponent are not.
fn write_float<W: ?Sized + Write>(
    writer: &mut W,
    positional: bool,
    write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let mut spelled = Vec::with_capacity(32);
    write(&mut spelled)?;
    let spelled = str::from_utf8(&spelled).unwrap_or_default();
    let Some((mantissa, exponent)) = spelled.split_once('e') else {
        return writer.write_all(spelled.strip_suffix(".0").unwrap_or(spelled).as_bytes());
    };
    let mantissa = mantissa.strip_suffix(".0").unwrap_or(mantissa);
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !positional {
        let sign = if exponent < 0 { "" } else { "+" };
        return write!(writer, "{mantissa}e{sign}{exponent}");
    }
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or_default());
        return write!(writer, "{sign}0.{zeros}{digits}");
    }
    let width = usize::try_from(exponent + 1).unwrap_or_default();
    write!(writer, "{sign}{digits:0<width$}")
}

/// Where the first character is that Go escapes and serde_json does not, its escape, its length.
fn first_escape(text: &str) -> Option<(usize, &'static [u8], usize)> {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().find_map(|(at, byte)| match byte {
        b'<' => Some((at, br"\u003c".as_slice(), 1)),
        b'>' => Some((at, br"\u003e".as_slice(), 1)),
        b'&' => Some((at, br"\u0026".as_slice(), 1)),
        0xE2 if bytes[at..].starts_with("\u{2028}".as_bytes()) => {
            Some((at, br"\u2028".as_slice(), 3))
        }
        0xE2 if bytes[at..].starts_with("\u{2029}".as_bytes()) => {
            Some((at, br"\u2029".as_slice(), 3))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn text<T: Serialize>(value: T) -> String {
        String::from_utf8(to_vec(&value)).unwrap()
    }

    #[test]
    fn strings_are_escaped_as_go_does() {
        assert_eq!(text("<a href=\"x\">&"), r#""\u003ca href=\"x\"\u003e\u0026""#);
        assert_eq!(text("a\u{2028}b\u{2029}c\u{2027}"), "\"a\\u2028b\\u2029c\u{2027}\"");
        assert_eq!(
            text("\u{1}\u{8}\u{c}\n\r\t\u{1f}\u{7f}\\/"),
            "\"\\u0001\\b\\f\\n\\r\\t\\u001f\u{7f}\\\\/\""
        );
        assert_eq!(text("雨😀é"), "\"雨😀é\"");
        assert_eq!(text(json!({"a<b": "x>y"})), r#"{"a\u003cb":"x\u003ey"}"#);
    }

    #[test]
    fn floats_are_written_as_go_does() {
        let table: &[(f64, &str)] = &[
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (-12.5, "-12.5"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-9, "1.5e-9"),
            (1e-10, "1e-10"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
        ];
        for (value, expected) in table {
            assert_eq!(&text(value), expected);
        }
        assert_eq!(text(0.1_f32), "0.1");
        assert_eq!(text(1e-7_f32), "1e-7");
        assert_eq!(text(f64::NAN), "null");
    }

    #[test]
    fn times_lose_the_zeros_at_their_end() {
        let at = |nanos| {
            time(
                Utc.with_ymd_and_hms(2026, 8, 21, 1, 2, 3).unwrap()
                    + chrono::TimeDelta::nanoseconds(nanos),
            )
        };
        assert_eq!(at(0), "2026-08-21T01:02:03Z");
        assert_eq!(at(120_000_000), "2026-08-21T01:02:03.12Z");
        assert_eq!(at(123_456_789), "2026-08-21T01:02:03.123456789Z");
        assert_eq!(at(1), "2026-08-21T01:02:03.000000001Z");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same(value in any::<f64>(), small in any::<f32>(), words in ".*") {
            prop_assume!(value.is_finite() && small.is_finite());
            prop_assert_eq!(text(value).parse::<f64>().unwrap(), value);
            prop_assert_eq!(text(small).parse::<f32>().unwrap(), small);
            prop_assert_eq!(serde_json::from_slice::<Value>(&to_vec(&words)).unwrap(), Value::String(words));
        }
    }
}
