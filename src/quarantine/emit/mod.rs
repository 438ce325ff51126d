//! Emitters: the list in the words of a runner. Each is one file and one line in a table.
//!
//! The text removes exactly the listed tests, or a note says what it cannot do: an entry that
//! cannot be expressed is named, and so is every known test that goes with one. An empty list is
//! text that the runner accepts and that removes nothing. The exact rules were measured on the
//! runners themselves: pytest 9.2, cargo-nextest 0.9.143, go 1.27, jest 30.5, vitest 4.1.

mod go;
mod jest;
mod json;
mod list;
mod nextest;
mod pytest;
mod pytest_plugin;
mod regex_text;
mod vitest;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Timestamp;

/// The longest text that fits one argument on Linux, with some room for the rest of the command.
pub const ARGUMENT_BYTES_MAX: usize = 100 << 10;
/// The producer of reports that nothing tells apart.
const UNKNOWN: &str = "unknown";
/// Tests named in one note; the rest are only counted.
const NAMES_PER_NOTE_MAX: usize = 5;

/// A test as reports name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestName {
    /// The test as it is printed and typed.
    pub label: String,
    /// Names of the enclosing suites, joined by U+001F.
    pub suite: String,
    /// The class name, or empty.
    pub classname: String,
    /// The name.
    pub name: String,
    /// The source file, or empty.
    pub file: String,
}

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmitEntry {
    /// The test.
    pub test: TestName,
    /// The runners that reported it, as the reader of reports names them; empty where unknown.
    pub producers: Vec<String>,
    /// The matrix cell as printed; empty for none.
    pub variant: String,
    /// The other cells in which the test runs and is not flaky; runners would remove it there too.
    pub other_variants: Vec<String>,
    /// Who should mend it.
    pub owner: Option<String>,
    /// Why it is listed.
    pub reason: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When the entry ends by itself.
    pub expires: Option<Timestamp>,
}

/// The list for a runner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Emitted {
    /// What the runner takes.
    pub text: String,
    /// Entries that cannot be expressed, and tests that go with others, for people.
    pub notes: Vec<String>,
}

/// One output format.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The name that is typed.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// How to give the text to the runner, where FILE holds it.
    pub usage: &'static str,
    /// Whose tests it can name, as the reader of reports names producers; empty for all.
    producers: &'static [&'static str],
    emit: fn(&Request<'_>) -> Emitted,
}

/// All formats.
pub const FORMATS: &[Format] = &[
    list::FORMAT,
    json::FORMAT,
    pytest::FORMAT,
    pytest_plugin::FORMAT,
    nextest::FORMAT,
    go::FORMAT,
    jest::FORMAT,
    vitest::FORMAT,
];

impl Format {
    /// True where one of the producers is the runner's, or may be.
    fn names_tests_of(&self, producers: &[String]) -> bool {
        let may_be = |name: &String| name == UNKNOWN || self.producers.contains(&name.as_str());
        self.producers.is_empty() || producers.is_empty() || producers.iter().any(may_be)
    }

    /// The format of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }
}

/// What an emitter is given.
struct Request<'a> {
    /// In the order given, without duplicates.
    entries: Vec<&'a EmitEntry>,
    known: &'a [TestName],
}

/// Writes the list in a format.
///
/// `known` are the tests of the newest runs. They are needed to say what else a runner's filter
/// removes, and which entries it would refuse; without them these checks are left out.
#[must_use]
pub fn emit(format: &Format, entries: &[EmitEntry], known: &[TestName]) -> Emitted {
    let mut met = BTreeSet::new();
    let mut wanted: Vec<&EmitEntry> =
        entries.iter().filter(|entry| met.insert((&entry.test, &entry.variant))).collect();
    let all = wanted.len();
    wanted.retain(|entry| format.names_tests_of(&entry.producers));
    let foreign = all - wanted.len();
    let mut emitted = (format.emit)(&Request { entries: wanted, known });
    if foreign > 0 {
        let tests = if foreign == 1 { "test" } else { "tests" };
        emitted
            .notes
            .push(format!("left out {foreign} {tests} of other runners than {}", format.name));
    }
    emitted
}

/// What became of one test of the list.
enum Expressed {
    /// The runner's own words for it.
    As(String),
    /// Why it cannot be expressed.
    Not(String),
}

impl Request<'_> {
    /// The runner's words for each listed test, sorted and without duplicates, with the test that
    /// they came from; notes take what cannot be expressed.
    fn express(
        &self,
        words: impl Fn(&TestName) -> Expressed,
        notes: &mut Vec<String>,
    ) -> BTreeMap<String, &TestName> {
        // Runners know no variants: one test is one word, and one note.
        let mut by_test: BTreeMap<&TestName, Vec<&EmitEntry>> = BTreeMap::new();
        for entry in &self.entries {
            by_test.entry(&entry.test).or_default().push(entry);
        }
        let mut expressed = BTreeMap::new();
        for (test, listed) in by_test {
            match words(test) {
                Expressed::As(text) => {
                    expressed.entry(text).or_insert(test);
                    notes.extend(also_elsewhere(test, &listed));
                }
                Expressed::Not(why) => {
                    notes.push(format!("left out `{}`: {why}", printable(&test.label)));
                }
            }
        }
        expressed
    }

    /// Known tests that are not listed, but that `removes` says go with the list.
    fn note_collateral(
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
        notes.push(format!("also removes {}{more}: {why}", named.join(", ")));
    }
}

/// Where else a runner removes a test, which it does whatever the variant.
fn also_elsewhere(test: &TestName, listed: &[&EmitEntry]) -> Option<String> {
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
    Some(format!(
        "`{}` is also removed in {}, where it is not flaky{mend}",
        printable(&test.label),
        named.join(" and in ")
    ))
}

/// Control characters as escapes, so that a note is always one line of text.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Says so where a text is too long for one argument.
fn note_length(text: &str, notes: &mut Vec<String>) {
    if text.len() > ARGUMENT_BYTES_MAX {
        notes.push(format!(
            "the text has {} bytes; Linux takes at most 128 KiB in one argument, so shorten the list",
            text.len()
        ));
    }
}

#[cfg(test)]
mod tests;
