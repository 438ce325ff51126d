//! Emitters: the list in the words of a runner. Each is one file and one line in a table.
//!
//! The text removes exactly the listed tests, or a note says what it cannot do: an entry that
//! cannot be expressed is named, and so is every known test that goes with one. An empty list is
//! text that the runner accepts and that removes nothing. The exact rules were measured on the
//! runners themselves (pytest 9.2, cargo-nextest 0.9.143, go 1.27, jest 30.5, vitest 4.1, and those
//! that each file names), and tests/runners holds both to them.
//!
//! [`select`] turns a format round, so that a retry runs only what failed.

mod cargo_test;
mod ctest;
mod dotnet;
mod go;
mod gradle;
mod gtest;
mod jest;
mod json;
mod jvm;
mod language;
mod list;
mod mocha;
mod nextest;
mod nextest_config;
mod phpunit;
mod playwright;
mod pytest;
mod pytest_nonblocking;
mod pytest_plugin;
mod regex_text;
mod request;
mod rspec;
mod selected;
mod surefire;
mod toml;
mod vitest;

use std::collections::BTreeSet;

use crate::model::Timestamp;

use request::{Purpose, Request};
use selected::Selection;
pub use selected::{FILE, Selected, SelectedFile};

pub use crate::model::TestName;

/// The longest text that fits one argument on Linux, with some room for the rest of the command.
pub const ARGUMENT_BYTES_MAX: usize = 100 << 10;
/// The producer of reports that nothing tells apart.
const UNKNOWN: &str = "unknown";

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
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// One line for people.
    pub summary: &'static str,
    /// How to give the text to the runner, where FILE holds it.
    pub usage: &'static str,
    /// Whose tests it can name, as the reader of reports names producers; empty for all.
    producers: &'static [&'static str],
    emit: fn(&Request<'_>) -> Emitted,
    /// The format turned round, where the runner has a way.
    only: Option<Selection>,
}

/// All formats.
pub const FORMATS: &[Format] = &[
    list::FORMAT,
    json::FORMAT,
    toml::FORMAT,
    pytest::FORMAT,
    pytest_plugin::FORMAT,
    pytest_nonblocking::FORMAT,
    nextest::FORMAT,
    nextest_config::FORMAT,
    cargo_test::FORMAT,
    go::FORMAT,
    jest::FORMAT,
    vitest::FORMAT,
    mocha::FORMAT,
    playwright::FORMAT,
    gtest::FORMAT,
    ctest::FORMAT,
    rspec::FORMAT,
    phpunit::FORMAT,
    gradle::FORMAT,
    surefire::FORMAT,
    dotnet::FORMAT,
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
        FORMATS.iter().find(|format| format.name == name || format.aliases.contains(&name))
    }

    /// How to run only the listed tests, where FILE holds the text of the selection; `None` where
    /// the runner has no way.
    #[must_use]
    pub fn only_usage(&self) -> Option<&'static str> {
        self.only.map(|selection| selection.usage)
    }
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
    let request = Request { entries: wanted, known, purpose: Purpose::LeaveOut };
    let mut emitted = (format.emit)(&request);
    if foreign > 0 {
        let tests = if foreign == 1 { "test" } else { "tests" };
        emitted
            .notes
            .push(format!("left out {foreign} {tests} of other runners than {}", format.name));
    }
    emitted
}

/// The arguments that make a runner run only these tests, for retries.
///
/// `known` is as for [`emit`]. `None` where the runner has no way, where it has words for none of
/// the tests, or where the words are longer than a command may be: whoever gets `None` runs all.
#[must_use]
pub fn select(format: &Format, tests: &[TestName], known: &[TestName]) -> Option<Selected> {
    selected(format, tests, known, Purpose::Only)
}

/// The same, with the tests in their order where the runner can be told: [`Selected::order`].
#[must_use]
pub fn select_in_order(
    format: &Format,
    tests: &[TestName],
    known: &[TestName],
) -> Option<Selected> {
    selected(format, tests, known, Purpose::InOrder)
}

fn selected(
    format: &Format,
    tests: &[TestName],
    known: &[TestName],
    purpose: Purpose,
) -> Option<Selected> {
    let selection = format.only?;
    let entries: Vec<EmitEntry> = tests.iter().cloned().map(EmitEntry::of).collect();
    let request = Request { entries: entries.iter().collect(), known, purpose };
    selection.of(&request)
}

impl EmitEntry {
    /// An entry of which nothing but the test is known.
    #[must_use]
    pub fn of(test: TestName) -> Self {
        Self {
            test,
            producers: Vec::new(),
            variant: String::new(),
            other_variants: Vec::new(),
            owner: None,
            reason: String::new(),
            since: None,
            expires: None,
        }
    }
}

#[cfg(test)]
mod edge_tests;
#[cfg(test)]
mod runner_tests;
#[cfg(test)]
mod tests;
