//! Spans of time as people type them.

use std::time::Duration;

/// Reads a span of time: `90`, `90s`, `5m`, `1.5h`; a number alone is seconds.
///
/// # Errors
/// A sentence that shows the forms.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)];
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = if unit.is_empty() { "s" } else { unit };
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| factor);
    let seconds =
        number.trim().parse::<f64>().ok().zip(factor).map(|(number, factor)| number * factor);
    seconds
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "write a span of time as 90s, 5m or 1.5h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units_or_are_seconds() {
        for (text, seconds) in
            [("90", 90.0), ("0.5s", 0.5), ("5m", 300.0), ("1.5h", 5_400.0), ("250ms", 0.25)]
        {
            assert_eq!(parse_span(text).map(|span| span.as_secs_f64()), Ok(seconds), "{text}");
        }
        for wrong in ["", "0", "-1", "5 minutes", "5d", "s", "1e400", "NaN"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
    }
}
