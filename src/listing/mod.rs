//! L1: what a runner lists as its tests, from bytes to names, pure.
//!
//! A [`Lister`] is one runner: how it is asked, and how its answer is read. One file and one line in
//! [`LISTERS`]. Names come out as reports of that runner name them, so that the history knows them.

mod go;
mod jest;
mod lines;
mod nextest;
mod playwright;
mod pytest;
mod rspec;
mod vitest;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::model::TestName;

/// One test, or one file where that is all that a runner lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedTest {
    /// The runner's own word for it, as its command line takes it: a node id, a path.
    pub word: String,
    /// The names that reports give it; the name is empty where a whole file is meant.
    pub test: TestName,
    /// What must stay together with it, where the runner says so (`xdist_group`).
    pub group: Option<String>,
}

/// What a runner listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// In the order of the runner, each once.
    pub tests: Vec<ListedTest>,
    /// What people should know: lines that were not understood, tests that are ignored.
    pub notes: Vec<String>,
}

/// A listing that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ListingError {
    /// Where, from 1.
    pub line: usize,
    /// What is wrong, and what is expected.
    pub message: String,
}

/// How the tests of one runner are listed.
#[derive(Debug, Clone, Copy)]
pub struct Lister {
    /// The name that is typed; that of its row in `quarantine::gate::RUNNERS`, where it has one.
    pub name: &'static str,
    /// One line for people: what to hand over.
    pub summary: &'static str,
    /// The command that lists what a test command would run; `None` where it cannot be told.
    pub command: fn(&[String]) -> Option<Vec<String>>,
    /// Reads the answer.
    ///
    /// # Errors
    /// [`ListingError`] where it is no listing of this runner.
    pub read: fn(&str) -> Result<Listing, ListingError>,
    /// True where a text is, by its looks, such an answer.
    pub looks: fn(&str) -> bool,
    /// How its runner is told to run some tests.
    pub takes: Takes,
}

/// What a runner's command line takes to run only some tests.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// The word of each test.
    Words,
    /// An expression that selects tests.
    Filter,
    /// The words of files or packages; an expression where a file is to be divided.
    Files {
        /// The word of a test's file.
        file: fn(&ListedTest) -> String,
        /// What the expression sees of a test. Tests that are alike run together wherever one of
        /// them does, so they belong into one shard.
        seen: fn(&ListedTest) -> String,
    },
}

impl Takes {
    /// True where files stay whole unless somebody wants them divided.
    #[must_use]
    pub const fn whole_files(self) -> bool {
        matches!(self, Self::Files { .. })
    }
}

/// All listers.
pub const LISTERS: &[Lister] = &[
    pytest::LISTER,
    nextest::LISTER,
    go::LISTER,
    jest::LISTER,
    vitest::LISTER,
    playwright::LISTER,
    rspec::LISTER,
    lines::LISTER,
];

impl Lister {
    /// The lister of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        LISTERS.iter().find(|lister| lister.name == name)
    }

    /// The lister whose answer a text looks like; one test a line where it looks like none.
    #[must_use]
    pub fn detect(text: &str) -> &'static Self {
        LISTERS.iter().find(|lister| (lister.looks)(text)).unwrap_or(&lines::LISTER)
    }
}

impl ListedTest {
    /// A test without a group.
    fn new(word: impl Into<String>, test: TestName) -> Self {
        Self { word: word.into(), test, group: None }
    }
}

impl Listing {
    /// A listing of these tests; those that stand there twice are left out and noted.
    fn of(tests: impl IntoIterator<Item = ListedTest>) -> Self {
        let mut met = HashSet::new();
        let (mut kept, mut again) = (Vec::new(), 0_usize);
        // A name of nothing selects nothing, or everything.
        for test in tests.into_iter().filter(|test| !test.word.is_empty()) {
            // Playwright has one word for all tests of a line.
            let names = [&test.word, &test.test.classname, &test.test.name].map(String::clone);
            match met.insert(names) {
                true => kept.push(test),
                false => again += 1,
            }
        }
        let mut listing = Self { tests: kept, notes: Vec::new() };
        if again > 0 {
            listing.notes.push(format!("{again} of the lines name a test that was listed before"));
        }
        listing
    }
}

/// Text as JSON.
fn json(text: &str) -> Result<serde_json::Value, ListingError> {
    serde_json::from_str(text.trim()).map_err(|error| ListingError {
        line: error.line(),
        message: format!("this is no whole JSON document: {error}"),
    })
}

/// A text of a JSON object; empty where there is none.
fn text_of<'a>(value: &'a serde_json::Value, key: &str) -> &'a str {
    value.get(key).and_then(serde_json::Value::as_str).unwrap_or("")
}

/// An answer that misses what all such answers have.
fn missing(what: &str) -> ListingError {
    ListingError { line: 1, message: format!("{what} is missing") }
}

/// The words of a command without those options, which take a value behind `=` or in the next word.
fn without(words: &[String], options: &[&str]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut skip = false;
    for word in words {
        if std::mem::take(&mut skip) {
            continue;
        }
        match options.iter().find(|option| word.starts_with(**option)) {
            Some(option) if word.len() == option.len() => skip = true,
            Some(option) if word.get(option.len()..).is_some_and(|rest| rest.starts_with('=')) => {}
            _ => kept.push(word.clone()),
        }
    }
    kept
}

/// The words of a command with `added` at its end, but in front of a `--` that another program's
/// arguments follow.
fn with(mut words: Vec<String>, added: &[&str]) -> Vec<String> {
    let at = words.iter().position(|word| word == "--").unwrap_or(words.len());
    words.splice(at..at, added.iter().map(|word| (*word).to_owned()));
    words
}
