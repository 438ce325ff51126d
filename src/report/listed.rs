//! What the quarantine list says of one test, in words.

use super::phrase::day;
use super::view::{ListEventView, ListedView, QuarantineEntry, QuarantineRule, ShowView, TestView};
use super::{escape, sentence, standing};

/// Each thing that the list says now, a sentence each.
#[must_use]
pub fn now(listed: &ListedView) -> Vec<String> {
    let mut said: Vec<String> = listed.rules.iter().map(|rule| self::rule(rule, listed)).collect();
    said.extend(listed.entries.iter().map(|entry| self::entry(entry, listed)));
    if said.is_empty() {
        said.push(format!("Not on the list ({})", escape::line(&listed.list)));
    }
    said
}

/// Whether the method would have it on the list, variant by variant where they differ; nothing where
/// there is neither a list nor a recommendation.
#[must_use]
pub fn recommendations(view: &ShowView) -> Vec<String> {
    let all: Vec<&TestView> = view.variants.iter().map(|variant| &variant.verdict).collect();
    let wanted = all.iter().filter(|test| test.quarantine).count();
    match (wanted, all.len()) {
        (0, _) if view.listed.is_none() => Vec::new(),
        (0, _) => vec!["Not recommended for quarantine now".to_owned()],
        (wanted, count) if wanted == count => vec!["Recommended for quarantine now".to_owned()],
        _ => {
            let cells = all.iter().filter(|test| test.quarantine);
            let cell = |test: &&TestView| match test.variant.as_str() {
                "" => "runs without a variant".to_owned(),
                variant => format!("[{}]", escape::line(variant)),
            };
            let cells: Vec<String> = cells.map(cell).collect();
            vec![format!("Recommended for quarantine now in {}", sentence::list(&cells))]
        }
    }
}

/// What happened to an entry: `2026-11-20, 1f3a9c0a11: entered until 2026-12-10`.
#[must_use]
pub fn event(event: &ListEventView) -> String {
    let end = |day: &Option<String>| day.clone().unwrap_or_else(|| "for good".to_owned());
    let what = match (event.event, &event.expires) {
        ("entered", Some(day)) => format!("entered until {day}"),
        ("entered", None) => "entered without an end".to_owned(),
        (moved @ ("extended" | "shortened"), _) => {
            format!("{moved} from {} to {}", end(&event.expired_before), end(&event.expires))
        }
        (other, _) => other.to_owned(),
    };
    let when = match (&event.committed, &event.revision) {
        (Some(when), Some(revision)) => {
            format!("{}, {}", day(when), sentence::revision(revision))
        }
        _ => "Not committed yet".to_owned(),
    };
    format!("{when}: {what}{}", aside(&event.test, event.pattern, &event.variant))
}

fn entry(entry: &QuarantineEntry, listed: &ListedView) -> String {
    let mut words = match entry.state {
        Some("expired") => "Was on the list".to_owned(),
        _ => "On the list".to_owned(),
    };
    if let Some(since) = standing::since(entry) {
        words += &format!(" since {since}");
    }
    match standing::until(entry) {
        Some(until) => words += &format!(" until {until}"),
        None => words += " without an end",
    }
    if let Some(owner) = &entry.owner {
        words += &format!(", owned by {}", escape::line(owner));
    }
    if let Some(ticket) = &entry.ticket {
        words += &format!(", {}", escape::line(ticket));
    }
    words += &aside(&entry.test, entry.pattern, &entry.variant);
    if !entry.reason.is_empty() {
        words += &format!(": {}", escape::line(&entry.reason));
    }
    words + &place(listed, entry.line)
}

fn rule(rule: &QuarantineRule, listed: &ListedView) -> String {
    let word = if rule.rule == "never" { "Never" } else { "Always" };
    format!(
        "{word} on the list{}: {}{}",
        aside(&rule.test, rule.pattern, ""),
        escape::line(&rule.reason),
        place(listed, Some(rule.line))
    )
}

/// Which tests are meant, where it is not this one alone in every cell.
fn aside(test: &str, pattern: bool, variant: &str) -> String {
    let pattern = pattern.then(|| format!(" by the pattern {}", escape::line(test)));
    let cell = (!variant.is_empty()).then(|| format!(" in [{}]", escape::line(variant)));
    pattern.unwrap_or_default() + &cell.unwrap_or_default()
}

fn place(listed: &ListedView, line: Option<u64>) -> String {
    let line = line.map_or(String::new(), |line| format!(":{line}"));
    format!(" ({}{line})", escape::line(&listed.list))
}
