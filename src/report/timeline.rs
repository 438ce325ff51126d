//! The runs of one test, shared by the terminal and Markdown: one by one, or by revision.

use std::collections::HashMap;

use super::sentence;
use super::view::TimelineRow;
use crate::model::Outcome;

/// What the runs of one revision did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RevisionRow<'a> {
    /// Its latest run with a failed attempt.
    pub latest: &'a TimelineRow,
    /// Runs in which the test passed or failed.
    pub runs: u32,
    /// Of these, how many ended badly.
    pub failed: u32,
    /// Of these, how many passed on retry.
    pub retried: u32,
}

impl RevisionRow<'_> {
    fn count(&mut self, row: &TimelineRow) {
        self.runs += u32::from(row.outcome != Outcome::Skipped);
        self.failed += u32::from(row.outcome.is_bad());
        self.retried += u32::from(row.retried && !row.outcome.is_bad());
    }
}

/// Runs with a failed attempt, latest first.
#[must_use]
pub fn telling(rows: &[TimelineRow]) -> Vec<&TimelineRow> {
    rows.iter().rev().filter(|row| row.is_telling()).collect()
}

/// The revisions that have a run with a failed attempt, by the latest of these.
///
/// A run without a revision is one of its own.
#[must_use]
pub fn by_revision(rows: &[TimelineRow]) -> Vec<RevisionRow<'_>> {
    let mut found: Vec<RevisionRow<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for latest in telling(rows) {
        let place = found.len();
        let revision = latest.revision.as_deref();
        if revision.is_some_and(|revision| *places.entry(revision).or_insert(place) != place) {
            continue;
        }
        let mut row = RevisionRow { latest, runs: 0, failed: 0, retried: 0 };
        if revision.is_none() {
            row.count(latest);
        }
        found.push(row);
    }
    for row in rows {
        let place = row.revision.as_deref().and_then(|revision| places.get(revision));
        if let Some(of) = place.and_then(|place| found.get_mut(*place)) {
            of.count(row);
        }
    }
    found
}

/// The outcome in words, with the attempts where there were several.
#[must_use]
pub fn outcome(row: &TimelineRow) -> String {
    let many = if row.outage && row.outcome.is_bad() { " with many" } else { "" };
    match (row.outcome, row.retried, row.tries) {
        (Outcome::Passed, true, 3..) => {
            format!("passed at {} try", ordinal(row.tries))
        }
        (Outcome::Passed, true, _) => "passed on retry".to_owned(),
        (outcome, _, 2..) => {
            format!("{}{many}, {} tries", outcome.word(), sentence::number(row.tries.into()))
        }
        (outcome, ..) => format!("{}{many}", outcome.word()),
    }
}

/// `3rd`, `11th`.
fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{}{ending}", sentence::number(n.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(revision: Option<&str>, outcome: Outcome, retried: bool) -> TimelineRow {
        TimelineRow {
            started: String::new(),
            outcome,
            mark: '.',
            retried,
            outage: false,
            causes: None,
            duration_seconds: None,
            revision: revision.map(str::to_owned),
            branch: None,
            lane: "default",
            build: None,
            attempt: 1,
            job: None,
            tries: 1 + u32::from(retried),
            url: None,
            host: None,
            worker: None,
            shard: None,
            seed: None,
            tests_before: None,
            tests: None,
        }
    }

    #[test]
    fn each_revision_stands_once_with_all_its_runs() {
        let rows = [
            row(Some("a"), Outcome::Failed, false),
            row(Some("b"), Outcome::Passed, false),
            row(Some("a"), Outcome::Passed, false),
            row(None, Outcome::Failed, false),
            row(Some("c"), Outcome::Passed, true),
            row(None, Outcome::Errored, false),
            row(Some("c"), Outcome::Skipped, false),
        ];
        let found: Vec<_> = by_revision(&rows)
            .iter()
            .map(|row| (row.latest.revision.as_deref(), row.runs, row.failed, row.retried))
            .collect();
        let wanted = [(None, 1, 1, 0), (Some("c"), 1, 0, 1), (None, 1, 1, 0), (Some("a"), 2, 1, 0)];
        assert_eq!(found, wanted);
    }

    #[test]
    fn several_tries_are_said() {
        let tried =
            |passed, retried, tries| outcome(&TimelineRow { tries, ..row(None, passed, retried) });
        assert_eq!(tried(Outcome::Passed, true, 2), "passed on retry");
        assert_eq!(tried(Outcome::Passed, true, 3), "passed at 3rd try");
        assert_eq!(tried(Outcome::Failed, false, 3), "failed, 3 tries");
        assert_eq!(tried(Outcome::Errored, false, 1), "errored");
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 13, 21].map(ordinal),
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st"]
        );
    }
}
