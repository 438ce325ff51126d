//! Phrases that heads and tables of several screens share.

use super::sentence::{count, number, status as status_words};
use super::view::{RunsView, TotalsView, WindowView};

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
    let day = |rfc3339: &str| rfc3339.get(..10).unwrap_or(rfc3339).to_owned();
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
