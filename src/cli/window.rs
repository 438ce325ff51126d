//! The flags that say which runs are judged, and how.

use chrono::{DateTime, NaiveDate};

use crate::model::{Lane, Timestamp};

/// Which runs to judge.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Window")]
pub struct WindowArgs {
    /// Judge the last N runs
    #[arg(long, value_name = "N", env = "FLAKEDB_RUNS", value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: Option<u32>,
    /// Judge the last D days, counted from the last run
    #[arg(long, value_name = "D", env = "FLAKEDB_DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub days: Option<u32>,
    /// Judge runs from this date or time (2026-11-01, 2026-11-01T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "days")]
    pub since: Option<Timestamp>,
    /// Judge runs before this date or time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub until: Option<Timestamp>,
    /// Judge runs on this branch (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub branch: Vec<String>,
    /// Judge runs of this lane
    #[arg(long, value_name = "LANE", value_parser = parse_lane)]
    pub lane: Option<Lane>,
    /// Judge runs of this variant (os=linux,python=3.12)
    #[arg(long, value_name = "VARIANT")]
    pub variant: Option<crate::model::Variant>,
}

/// Reads a date (midnight UTC) or an RFC 3339 time.
///
/// # Errors
/// A sentence that shows both forms.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Timestamp(time.timestamp_millis()));
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .map(|time| Timestamp(time.and_utc().timestamp_millis()))
        .ok_or_else(|| "write a date as 2026-11-22 or a time as 2026-11-22T08:00:00Z".to_owned())
}

/// Reads when a run started: a date or time, seconds since 1970, or a file that was touched then.
///
/// # Errors
/// A sentence that shows the forms.
pub fn parse_start(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = parse_time(text) {
        return Ok(time);
    }
    if let Some(time) = epoch(text) {
        return Ok(time);
    }
    let written = std::fs::metadata(text).and_then(|file| file.modified());
    let since = written.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.and_then(|time| i64::try_from(time.as_millis()).ok()).map(Timestamp).ok_or_else(|| {
        "write a time as 2026-11-22T08:00:00Z, seconds as `date +%s` prints them, or name a file \
         that was touched before the tests"
            .to_owned()
    })
}

/// Seconds since 1970, with or without decimals.
fn epoch(text: &str) -> Option<Timestamp> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || whole.len() > 11 {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let millis: i64 = format!("{decimals:0<3}").get(..3)?.parse().ok()?;
    Some(Timestamp(seconds * 1_000 + millis))
}

/// Reads a date.
///
/// # Errors
/// A sentence that shows its form.
pub fn parse_date(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| "write a date as 2026-11-22".to_owned())
}

/// Reads a lane.
///
/// # Errors
/// A sentence that names the lanes.
pub fn parse_lane(text: &str) -> Result<Lane, String> {
    [Lane::Default, Lane::Change, Lane::Other]
        .into_iter()
        .find(|lane| lane.word() == text)
        .ok_or_else(|| "a lane is `default`, `change` or `other`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_rfc_3339() {
        assert_eq!(parse_time("2026-11-22"), Ok(Timestamp(1_795_305_600_000)));
        assert_eq!(parse_time("2026-11-22T08:22:18+02:00"), Ok(Timestamp(1_795_328_538_000)));
        for wrong in ["yesterday", "22.11.2026", "2026-13-01", ""] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_start_is_a_time_seconds_or_a_file() {
        assert_eq!(parse_start("2026-11-22T00:00:00Z"), Ok(Timestamp(1_795_305_600_000)));
        assert_eq!(parse_start("1795305600"), Ok(Timestamp(1_795_305_600_000)));
        assert_eq!(parse_start("1795305600.25"), Ok(Timestamp(1_795_305_600_250)));
        assert_eq!(parse_start("1795305600.123456789"), Ok(Timestamp(1_795_305_600_123)));
        let file = tempfile::NamedTempFile::new().unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_795_305_600_007);
        file.as_file().set_modified(time).unwrap();
        assert_eq!(parse_start(file.path().to_str().unwrap()), Ok(Timestamp(1_795_305_600_007)));
        for wrong in ["", "yesterday", "1.", ".5", "-5", "123456789012", "/no/such/file"] {
            assert!(parse_start(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_date_is_year_month_and_day() {
        assert_eq!(parse_date("2026-11-22").map(|day| day.to_string()), Ok("2026-11-22".into()));
        assert!(parse_date("today").unwrap_err().contains("2026-11-22"));
    }

    #[test]
    fn lanes_are_the_words_of_the_glossary() {
        assert_eq!(parse_lane("change"), Ok(Lane::Change));
        assert!(parse_lane("main").is_err());
    }
}
