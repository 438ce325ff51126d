//! What the list makes of one test.

use chrono::NaiveDate;

use super::model::{Entry, List, Rule};
use crate::model::Variant;
use crate::quarantine::emit::TestName;

/// What the list says of one test in one matrix cell on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover<'a> {
    /// Nothing.
    None,
    /// A rule keeps it off the list.
    Never(&'a Rule),
    /// A rule keeps it on the list.
    Always(&'a Rule),
    /// An entry covers it.
    Live(&'a Entry),
    /// An entry covered it until it expired.
    Expired(&'a Entry),
}

impl Cover<'_> {
    /// True where a failure of the test is excused.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Always(_) | Self::Live(_))
    }
}

impl List {
    /// What the list says of a test in a matrix cell, written as runs print it, on a day in UTC.
    ///
    /// `never` wins over `always`, that over a live entry, and that over an expired one; of several
    /// alike the first in the file is named. A cell that is no list of `key=value` pairs has none.
    #[must_use]
    pub fn cover(&self, test: &TestName, variant: &str, today: NaiveDate) -> Cover<'_> {
        let means = |rule: &&Rule| rule.target.means(&test.label);
        if let Some(rule) = self.never.iter().find(means) {
            return Cover::Never(rule);
        }
        if let Some(rule) = self.always.iter().find(means) {
            return Cover::Always(rule);
        }
        let cell: Variant = variant.parse().unwrap_or_default();
        let mut expired = None;
        for entry in self.entries.iter().filter(|entry| entry.means(&test.label, &cell)) {
            if !entry.is_expired(today) {
                return Cover::Live(entry);
            }
            expired = expired.or(Some(entry));
        }
        expired.map_or(Cover::None, Cover::Expired)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn words(list: &List, label: &str, variant: &str) -> (&'static str, usize) {
        let test = TestName { label: label.into(), ..TestName::default() };
        match list.cover(&test, variant, day("2026-11-26")) {
            Cover::None => ("none", 0),
            Cover::Never(rule) => ("never", rule.line),
            Cover::Always(rule) => ("always", rule.line),
            Cover::Live(entry) => ("live", entry.line),
            Cover::Expired(entry) => ("expired", entry.line),
        }
    }

    #[test]
    fn never_wins_over_always_over_live_over_expired() {
        let list = parse(
            r#"[[entry]]
pattern = "a::*"
expires = 2026-11-26
[[entry]]
test = "a::x"
variant = "os=windows"
expires = 2026-11-27
[[entry]]
test = "a::both"
expires = 2026-11-27
[[always]]
pattern = "?::always*"
reason = "r"
[[never]]
pattern = "*both"
reason = "r"
[[entry]]
test = "a::always both"
[[entry]]
test = "a::always"
"#,
        )
        .unwrap();
        for (label, variant, wanted) in [
            ("a::x", "os=windows,python=3.12", ("live", 4)),
            ("a::x", "python=3.12,os=windows", ("live", 4)),
            ("a::x", "os=linux", ("expired", 1)),
            ("a::x", "os=windows-11", ("expired", 1)),
            ("a::x", "", ("expired", 1)),
            ("a::both", "", ("never", 14)),
            ("a::always both", "", ("never", 14)),
            ("a::always", "os=x", ("always", 11)),
            ("b::x", "os=windows", ("none", 0)),
        ] {
            assert_eq!(words(&list, label, variant), wanted, "{label} [{variant}]");
        }
    }

    #[test]
    fn an_entry_covers_until_the_day_before_it_expires_and_for_ever_without_one() {
        let list = parse("[[entry]]\ntest = \"a\"\nexpires = 2026-12-01\n[[entry]]\ntest = \"b\"")
            .unwrap();
        let on = |label: &str, date| {
            let test = TestName { label: label.into(), ..TestName::default() };
            list.cover(&test, "", day(date)).is_live()
        };
        assert!(on("a", "2026-11-30") && on("b", "2999-01-01"));
        assert!(!on("a", "2026-12-01"));
    }
}
