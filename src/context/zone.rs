//! Local time, which is an input from this machine.

use chrono::{Local, NaiveDateTime, TimeZone};

use crate::model::Timestamp;

/// The instant at which this machine's clock showed `time`; the earlier of two where the clock
/// was set back, `None` where it was set forward past it.
#[must_use]
pub fn local_to_utc(time: NaiveDateTime) -> Option<Timestamp> {
    Local.from_local_datetime(&time).earliest().map(|time| Timestamp(time.timestamp_millis()))
}
