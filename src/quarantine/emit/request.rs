//! One list on its way to a runner: what of it can be said, and what goes along.

use std::collections::{BTreeMap, BTreeSet};

use super::{ARGUMENT_BYTES_MAX, EmitEntry, TestName};

/// Tests named in one note; the rest are only counted.
const NAMES_PER_NOTE_MAX: usize = 5;

/// What an emitter is given.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// In the order given, without duplicates.
    pub(super) entries: Vec<&'a EmitEntry>,
    /// The tests of the newest runs.
    pub(super) known: &'a [TestName],
    pub(super) purpose: Purpose,
}

/// What a list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The listed tests must not run.
    LeaveOut,
    /// The listed tests run, and their failures do not count.
    Excuse,
    /// No others must run.
    Only,
    /// No others must run, and these in their order where the runner can be told.
    InOrder,
}

/// The tests of a list in a runner's words.
#[derive(Debug, Default)]
pub(super) struct Words<'a> {
    /// Sorted and without duplicates, with the test that each came from.
    pub(super) by_word: BTreeMap<String, &'a TestName>,
    /// Tests for which there are none.
    pub(super) missing: Vec<&'a TestName>,
}

/// What became of one test of the list.
#[derive(Debug)]
pub(super) enum Expressed {
    /// The runner's own words for it.
    As(String),
    /// Why it cannot be expressed.
    Not(String),
}

impl<'a> Request<'a> {
    /// The same list for something else.
    pub(super) fn with(&self, purpose: Purpose) -> Request<'a> {
        Request { entries: self.entries.clone(), known: self.known, purpose }
    }

    /// The runner's words for each listed test; notes take what cannot be expressed.
    pub(super) fn express(
        &self,
        words: impl Fn(&TestName) -> Expressed,
        notes: &mut Vec<String>,
    ) -> Words<'_> {
        // Runners know no variants: one test is one word, and one note.
        let mut by_test: BTreeMap<&TestName, Vec<&EmitEntry>> = BTreeMap::new();
        for entry in &self.entries {
            by_test.entry(&entry.test).or_default().push(entry);
        }
        let mut expressed = Words::default();
        for (test, listed) in by_test {
            match words(test) {
                Expressed::As(text) if text.contains(commands_terminal) => {
                    let label = printable(&test.label);
                    notes.push(format!("left out `{label}`: a terminal would obey its name"));
                    expressed.missing.push(test);
                }
                Expressed::As(text) => {
                    expressed.by_word.entry(text).or_insert(test);
                    notes.extend(also_elsewhere(test, &listed, self.purpose));
                }
                Expressed::Not(why) => {
                    notes.push(format!("left out `{}`: {why}", printable(&test.label)));
                    expressed.missing.push(test);
                }
            }
        }
        expressed
    }

    /// Known tests that are not listed, but that `removes` says go with the list.
    pub(super) fn note_collateral(
        &self,
        removes: impl Fn(&TestName) -> bool,
        why: &str,
        notes: &mut Vec<String>,
    ) {
        let listed = |test: &TestName| self.entries.iter().any(|entry| entry.test == *test);
        let mut also: Vec<&str> = self
            .known
            .iter()
            .filter(|test| removes(test) && !listed(test))
            .map(|test| test.label.as_str())
            .collect();
        also.sort_unstable();
        also.dedup();
        if also.is_empty() {
            return;
        }
        let named: Vec<String> = also
            .iter()
            .take(NAMES_PER_NOTE_MAX)
            .map(|label| format!("`{}`", printable(label)))
            .collect();
        let more = match also.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let also = match self.purpose {
            Purpose::LeaveOut => "also removes",
            Purpose::Excuse => "also excuses",
            Purpose::Only | Purpose::InOrder => "also runs",
        };
        notes.push(format!("{also} {}{more}: {why}", named.join(", ")));
    }
}

/// What begins a command to a terminal, of seven bits or of eight.
const fn commands_terminal(c: char) -> bool {
    matches!(c, '\u{1b}' | '\u{80}'..='\u{9f}')
}

/// Where else a runner removes a test, which it does whatever the variant.
fn also_elsewhere(test: &TestName, listed: &[&EmitEntry], purpose: Purpose) -> Option<String> {
    let others: BTreeSet<&str> = listed
        .iter()
        .flat_map(|entry| &entry.other_variants)
        .map(String::as_str)
        .filter(|other| !listed.iter().any(|entry| entry.variant == *other))
        .collect();
    if others.is_empty() {
        return None;
    }
    let name = |other: &&str| match *other {
        "" => "runs without a variant".to_owned(),
        other => printable(other),
    };
    let mut named: Vec<String> = others.iter().take(NAMES_PER_NOTE_MAX).map(name).collect();
    let more = others.len() - named.len();
    if more > 0 {
        named.push(format!("{more} more variants"));
    }
    let mend = match listed.iter().map(|entry| &entry.variant).find(|text| !text.is_empty()) {
        Some(variant) => {
            format!("; emit for one variant with --variant {}", printable(variant))
        }
        None => String::new(),
    };
    let gone = match purpose {
        Purpose::LeaveOut => "removed",
        Purpose::Excuse => "excused",
        Purpose::Only | Purpose::InOrder => "run",
    };
    Some(format!(
        "`{}` is also {gone} in {}, where it is not flaky{mend}",
        printable(&test.label),
        named.join(" and in ")
    ))
}

/// Control characters as escapes, so that a note is always one line of text.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Says so where a text is too long for one argument.
pub(super) fn note_length(text: &str, notes: &mut Vec<String>) {
    if text.len() > ARGUMENT_BYTES_MAX {
        notes.push(format!(
            "the text has {} bytes; Linux takes at most 128 KiB in one argument, so shorten the list",
            text.len()
        ));
    }
}
