//! Whether a report was written by the run at hand.

use crate::context::zone;
use crate::model::{Started, Timestamp};
use crate::quarantine::gate::Freshness;

/// A report's own clock may be so far behind ours: seconds that were cut off, machines that differ.
const CLOCK_SLACK_MS: i64 = 60_000;
/// Archives and some file systems keep whole seconds.
const SECOND_MS: i64 = 1_000;

/// Judges a report by everything that is known of its age: `written` is when the file was last
/// written, `says` what the report says of its start, `earlier` the start of an earlier run that the
/// history has the same bytes from.
///
/// Clock time without a zone is taken as this machine's and as UTC: a report is old only where both
/// say so.
pub(super) fn judge(
    start: Timestamp,
    written: Option<Timestamp>,
    says: Option<Started>,
    earlier: Option<Timestamp>,
) -> Freshness {
    if let Some(written) = written.filter(|written| is_before(*written, start)) {
        return Freshness::OldFile { written };
    }
    if let Some(says) = says.filter(|says| latest(*says).0 < start.0 - CLOCK_SLACK_MS) {
        return Freshness::OldClock { says: words(says) };
    }
    match (earlier, written, says) {
        (Some(run), ..) => Freshness::KnownBytes { run },
        (None, None, None) => Freshness::Unknown,
        (None, ..) => Freshness::Fresh,
    }
}

/// A time in whole seconds may be up to a second later than it says.
fn is_before(written: Timestamp, start: Timestamp) -> bool {
    match written.0.rem_euclid(SECOND_MS) {
        0 => written.0.div_euclid(SECOND_MS) < start.0.div_euclid(SECOND_MS),
        _ => written < start,
    }
}

/// The latest instant that the report can mean.
fn latest(says: Started) -> Timestamp {
    match says {
        Started::At(time) => time,
        Started::Local(time) => {
            let utc = Timestamp(time.and_utc().timestamp_millis());
            zone::local_to_utc(time).map_or(utc, |local| local.max(utc))
        }
    }
}

fn words(says: Started) -> String {
    match says {
        Started::At(time) => time.to_rfc3339(),
        Started::Local(time) => time.format("%Y-%m-%dT%H:%M:%S").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, NaiveDateTime};

    use super::*;

    const START: Timestamp = Timestamp(1_795_305_600_500);

    fn at(offset_ms: i64) -> Timestamp {
        Timestamp(START.0 + offset_ms)
    }

    fn naive(offset_ms: i64) -> NaiveDateTime {
        at(offset_ms).to_utc().unwrap().naive_utc()
    }

    #[test]
    fn a_file_written_before_the_start_is_old() {
        let file = |written| judge(START, Some(written), None, None);
        assert_eq!(file(at(0)), Freshness::Fresh);
        assert_eq!(file(at(-1)), Freshness::OldFile { written: at(-1) });
        assert_eq!(file(at(5_000)), Freshness::Fresh);
        // Whole seconds: the one of the start is not before it, the one before is.
        assert_eq!(file(at(-500)), Freshness::Fresh);
        assert_eq!(file(at(-1_500)), Freshness::OldFile { written: at(-1_500) });
    }

    #[test]
    fn a_fresh_file_with_an_old_clock_is_old() {
        let says = |started| judge(START, Some(at(9)), Some(started), None);
        assert_eq!(says(Started::At(at(-60_000))), Freshness::Fresh);
        let old = Freshness::OldClock { says: "2026-11-21T23:59:00Z".into() };
        assert_eq!(says(Started::At(at(-60_001))), old);
    }

    #[test]
    fn clock_time_without_a_zone_is_old_only_in_every_reading() {
        let says = |offset| judge(START, Some(at(9)), Some(Started::Local(naive(offset))), None);
        assert_eq!(says(0), Freshness::Fresh);
        let days = Duration::days(2).num_milliseconds();
        assert!(matches!(says(-days), Freshness::OldClock { .. }));
        // Half a day ahead is the present somewhere.
        assert_eq!(says(Duration::hours(12).num_milliseconds()), Freshness::Fresh);
    }

    #[test]
    fn bytes_of_an_earlier_run_are_old_whatever_else_they_say() {
        let known = judge(START, Some(at(9)), Some(Started::At(at(3))), Some(at(-9_000)));
        assert_eq!(known, Freshness::KnownBytes { run: at(-9_000) });
    }

    #[test]
    fn without_any_time_nothing_is_known_and_one_is_enough() {
        assert_eq!(judge(START, None, None, None), Freshness::Unknown);
        assert_eq!(judge(START, None, Some(Started::At(at(1))), None), Freshness::Fresh);
        assert_eq!(judge(START, Some(at(1)), None, None), Freshness::Fresh);
    }
}
