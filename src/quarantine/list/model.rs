//! What stands on the list.

use std::fmt;

use chrono::NaiveDate;

use super::glob::Pattern;
use crate::model::Variant;

/// The whole list: entries for a time, rules for good.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// The entries, in the order of the file.
    pub entries: Vec<Entry>,
    /// Tests that are always on the list.
    pub always: Vec<Rule>,
    /// Tests that are never on the list, whatever else says so.
    pub never: Vec<Rule>,
}

/// Which tests are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The test of this label.
    Test(String),
    /// All tests whose label fits.
    Pattern(Pattern),
}

impl Target {
    /// True where a test of this label is meant.
    #[must_use]
    pub fn means(&self, label: &str) -> bool {
        match self {
            Self::Test(test) => test == label,
            Self::Pattern(pattern) => pattern.matches(label),
        }
    }

    /// The label or the pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Test(test) => test,
            Self::Pattern(pattern) => pattern.as_str(),
        }
    }

    /// The key that it stands behind in the file.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Test(_) => "test",
            Self::Pattern(_) => "pattern",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One entry: what must not block a merge for a time, and who mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line of the file where it starts, from 1; 0 where it is not from a file.
    pub line: usize,
    /// Which tests.
    pub target: Target,
    /// Only in matrix cells that have all of these pairs; empty for every cell.
    pub variant: Variant,
    /// Who should mend it.
    pub owner: Option<String>,
    /// Why it is listed.
    pub reason: Option<String>,
    /// Where the repair is tracked.
    pub ticket: Option<String>,
    /// The day it came in, in UTC.
    pub since: Option<NaiveDate>,
    /// The first day on which it covers nothing any more, in UTC; `None` for never.
    pub expires: Option<NaiveDate>,
    /// The revision since which it is believed to be mended; release counts from there.
    pub fixed: Option<String>,
    /// The numbers behind the reason, for people; `update` keeps them current.
    pub evidence: Option<String>,
}

impl List {
    /// Where a new entry belongs: by name where all are in that order, else at the end.
    #[must_use]
    pub fn place_for(&self, entry: &Entry) -> usize {
        match self.entries.is_sorted_by_key(Entry::key) {
            true => self.entries.partition_point(|known| known.key() <= entry.key()),
            false => self.entries.len(),
        }
    }
}

impl Entry {
    /// What entries are ordered by.
    #[must_use]
    pub fn key(&self) -> (String, String) {
        (self.target.to_string(), self.variant.to_string())
    }

    /// An entry for a target in every cell, about which nothing else is known.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            line: 0,
            target,
            variant: Variant::default(),
            owner: None,
            reason: None,
            ticket: None,
            since: None,
            expires: None,
            fixed: None,
            evidence: None,
        }
    }

    /// True on and after the day it expires.
    #[must_use]
    pub fn is_expired(&self, today: NaiveDate) -> bool {
        self.expires.is_some_and(|expires| expires <= today)
    }

    /// True where a test of this label in a cell that has these pairs is meant.
    #[must_use]
    pub fn means(&self, label: &str, cell: &Variant) -> bool {
        self.target.means(label) && cell.has_all(&self.variant)
    }
}

/// A rule: tests that are always, or never, on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The line of the file where it starts, from 1; 0 where it is not from a file.
    pub line: usize,
    /// Which tests, in every cell.
    pub target: Target,
    /// Why.
    pub reason: String,
}
