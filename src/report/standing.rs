//! The list and its changes in words, shared by the terminal and Markdown.

use super::sentence;
use super::view::{Applied, ChangeView, QuarantineEntry, StandingView, UpdateView};

/// Actions with what stands above them: a title, what it means for a merge, and the count's words.
pub const ACTIONS: [(&str, &str, &str); 6] = [
    (
        "enter",
        "Enter",
        "Their failures no longer block a merge: are they flaky, and who mends them?",
    ),
    ("extend", "Extend", "Their term is nearly over, and they still flake"),
    ("release", "Release", "Their failures block a merge again"),
    ("expire", "Expire", "Their term is over and nothing speaks for another"),
    ("stale", "Stale", "They did not run for long: renamed, removed, or left out everywhere"),
    ("remove", "Removed", "Their failures block a merge again"),
];

/// How the tests of an entry stand: `flaky, 97 % sure; 3 clean runs in a row of the 170 that release
/// it`.
#[must_use]
pub fn now(standing: &StandingView) -> String {
    let Some(status) = standing.status else { return "did not run in this window".to_owned() };
    let mut words = status.replace('-', " ");
    if let Some(sure) = standing.probability.filter(|_| matches!(status, "flaky" | "suspect")) {
        words += &format!(", {} sure", sentence::percent(sure));
    }
    match status {
        "broken" | "newly-broken" | "stale" => words,
        _ => {
            let (clean, needed) = (standing.clean_runs, standing.clean_runs_needed);
            let row = format!("{} in a row", sentence::count(clean, "clean run"));
            match clean >= needed {
                true => format!("{words}; {row}, enough to release it"),
                false if clean == 0 => format!(
                    "{words}; no clean run since, {} in a row release it",
                    sentence::number(needed)
                ),
                false => {
                    format!("{words}; {row} of the {} that release it", sentence::number(needed))
                }
            }
        }
    }
}

/// A date with how far it is: `2026-11-20 (6 days)`.
#[must_use]
pub fn since(entry: &QuarantineEntry) -> Option<String> {
    let since = entry.since.as_ref()?;
    Some(match entry.age_days {
        Some(days @ 0..) => format!("{since} ({})", sentence::count(days.unsigned_abs(), "day")),
        _ => since.clone(),
    })
}

/// The end with how far it is: `2026-12-10 (in 14 days)`.
#[must_use]
pub fn until(entry: &QuarantineEntry) -> Option<String> {
    let expires = entry.expires.as_ref()?;
    Some(match entry.days_left {
        None => expires.clone(),
        Some(..=0) => format!("{expires} (expired)"),
        Some(days) => format!("{expires} (in {})", sentence::count(days.unsigned_abs(), "day")),
    })
}

/// What changes, counted: `2 enter, 1 is released`.
#[must_use]
pub fn counted(view: &UpdateView) -> String {
    let words = |action: &str, n: usize| match (action, n) {
        ("enter", 1) => "enters",
        ("enter", _) => "enter",
        ("extend", 1) => "is extended",
        ("extend", _) => "are extended",
        ("release", 1) => "is released",
        ("release", _) => "are released",
        ("expire", 1) => "expires",
        ("expire", _) => "expire",
        ("stale", 1) => "is stale",
        ("stale", _) => "are stale",
        (_, 1) => "is removed",
        (_, _) => "are removed",
    };
    let parts: Vec<String> = ACTIONS
        .iter()
        .map(|(action, ..)| (*action, view.of(action).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(action, n)| format!("{} {}", sentence::number(n as u64), words(action, n)))
        .collect();
    match parts.is_empty() {
        true => "nothing to change".to_owned(),
        false => parts.join(", "),
    }
}

/// How full the list is, as a sentence.
#[must_use]
pub fn budget(view: &UpdateView) -> Option<String> {
    let budget = view.budget?;
    let would = if view.state == Applied::Written { "holds" } else { "would hold" };
    let would = if view.changes.is_empty() { "holds" } else { would };
    Some(format!(
        "The list {would} {} of at most {}",
        sentence::number(budget.after),
        sentence::count(budget.limit, "test")
    ))
}

/// What stays, as a sentence.
#[must_use]
pub fn kept(view: &UpdateView) -> Option<String> {
    match view.kept {
        0 => None,
        1 => Some("1 entry stays as it is".to_owned()),
        n => Some(format!("{} entries stay as they are", sentence::number(n))),
    }
}

/// Who mends it, where it is tracked, and until when.
#[must_use]
pub fn details(change: &ChangeView) -> Vec<(&'static str, String)> {
    let field = |word, text: &Option<String>| text.clone().map(|text| (word, text));
    let until = match change.action {
        "enter" | "extend" => field("until ", &change.expires),
        _ => None,
    };
    let file = (!change.file.is_empty()).then(|| ("", change.file.clone()));
    let since = match change.action {
        "enter" => None,
        _ => field("since ", &change.since),
    };
    let owner = field("owner ", &change.owner);
    [owner, field("", &change.ticket), since, until, file].into_iter().flatten().collect()
}
