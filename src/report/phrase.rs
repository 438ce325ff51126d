//! Phrases that heads and tables of several screens share.

use super::sentence::{count, number, status as status_words};
use super::view::{RunsView, TestView, TotalsView, WindowView};

/// A time of a view to the minute, in UTC: `2026-11-22 08:22`.
///
/// ```
/// assert_eq!(flakedb::report::phrase::minute("2026-11-22T08:22:01Z"), "2026-11-22 08:22");
/// ```
#[must_use]
pub fn minute(rfc3339: &str) -> String {
    rfc3339.get(..16).unwrap_or(rfc3339).replace('T', " ")
}

/// The day of a time of a view, in UTC: `2026-11-22`.
#[must_use]
pub fn day(rfc3339: &str) -> &str {
    rfc3339.get(..10).unwrap_or(rfc3339)
}

/// The test with its runs that failed, in the words that fit its status: `flaked in 5 of 40 runs`.
#[must_use]
pub fn failed_runs(test: &TestView) -> String {
    let failing = test.failing();
    format!("{} in {} of {}", failing.word, number(failing.bad.into()), count(failing.of, "run"))
}

/// A number of things that several share: `3`, `3.3`, `<0.1`.
#[must_use]
pub fn parts(value: f64) -> String {
    match value {
        v if v > 0.0 && v < 0.05 => "<0.1".to_owned(),
        v if (v - v.round()).abs() < 0.05 => number(v.round() as u64),
        v => format!(
            "{}{}",
            number(v.trunc() as u64),
            format!("{:.1}", v.fract()).trim_start_matches('0')
        ),
    }
}

/// How many verdicts there are of each status: `1 broken, 2 flaky, 30 healthy`.
#[must_use]
pub fn statuses(totals: &TotalsView) -> String {
    let counted = totals.by_status.iter().filter(|(_, count)| *count > 0);
    let words =
        counted.map(|(status, count)| format!("{} {}", number(*count), status_words(*status)));
    words.collect::<Vec<_>>().join(", ")
}

/// Which runs were looked at: `last 50 runs, 2026-11-08 to 2026-11-20`; what it names is not escaped.
#[must_use]
pub fn window(window: &WindowView, found: &RunsView) -> String {
    let days = match (&found.first_started, &found.last_started) {
        (Some(first), Some(last)) => match (day(first), day(last)) {
            (first, last) if first == last => format!(", {first}"),
            (first, last) => format!(", {first} to {last}"),
        },
        _ => String::new(),
    };
    let runs = match (window.last_runs, found.total) {
        (_, 0) => String::new(),
        (Some(asked), found) if u64::from(asked) == found => String::new(),
        (Some(_), found) => format!(" ({} found)", number(found)),
        (None, found) => format!(" ({})", count(found, "run")),
    };
    format!("{}{runs}{days}", window.text)
}
