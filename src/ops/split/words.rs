//! The tests of a shard as its runner takes them.

use std::collections::BTreeSet;

use crate::analysis::split::By;
use crate::listing::{ListedTest, Lister, Takes};
use crate::model::TestName;
use crate::quarantine::emit::{Format, select};

/// How the tests of a shard are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Print {
    /// As the runner's command line takes them: words, or arguments that select.
    #[default]
    Auto,
    /// The runner's word for each test, one a line.
    Words,
    /// Arguments that make the runner run only these, one a line.
    Args,
    /// As flakedb prints tests, one a line.
    Names,
}

/// The runner has no words for these tests.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WordsError(String);

/// Some tests in the words of their runner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// What is printed, line by line.
    pub lines: Vec<String>,
    /// For people.
    pub notes: Vec<String>,
}

/// What is to be written, and how.
#[derive(Debug, Clone, Copy)]
pub struct Writing<'a> {
    /// Whose tests they are.
    pub lister: &'static Lister,
    /// How they are written.
    pub print: Print,
    /// What stayed together.
    pub by: By,
    /// The command that will run them; empty where it is not known.
    pub command: &'a [String],
}

/// Writes the tests of a shard; `all` are the tests of all shards.
///
/// # Errors
/// [`WordsError`], where the runner cannot be told to run just these.
pub fn write(
    writing: &Writing<'_>,
    shard: &[&ListedTest],
    all: &[ListedTest],
) -> Result<Written, WordsError> {
    let Writing { lister, print, by, .. } = *writing;
    let word = |test: &&ListedTest| test.word.clone();
    let whole = shard.iter().any(|test| test.test.name.is_empty());
    let lines = match (print, lister.takes) {
        (_, _) if shard.is_empty() => Vec::new(),
        (Print::Names, _) => shard.iter().map(|test| test.test.label.clone()).collect(),
        (Print::Words, _) | (_, Takes::Words) => each_once(shard.iter().map(word)),
        (_, Takes::Files { file, .. }) if by == By::File || whole => {
            each_once(shard.iter().map(|test| file(test)))
        }
        (_, Takes::Filter | Takes::Files { .. }) => return arguments(writing, shard, all),
    };
    Ok(Written { lines, notes: Vec::new() })
}

/// The first of each.
fn each_once(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut met = BTreeSet::new();
    words.filter(|word| met.insert(word.clone())).collect()
}

fn arguments(
    writing: &Writing<'_>,
    shard: &[&ListedTest],
    all: &[ListedTest],
) -> Result<Written, WordsError> {
    let lister = writing.lister;
    let refuse = |why: &str| WordsError(format!("{} {why}", lister.name));
    let format = Format::find(lister.name);
    let format = format.ok_or_else(|| refuse("has no arguments that select tests"))?;
    let tests: Vec<TestName> = shard.iter().map(|test| test.test.clone()).collect();
    let known: Vec<TestName> = all.iter().map(|test| test.test.clone()).collect();
    let selected = select(format, &tests, &known).ok_or_else(|| {
        refuse(
            "has no arguments for these tests, or they are longer than a command may be; deal \
             --by file, or to more shards",
        )
    })?;
    if let Some(test) = selected.missing.first() {
        return Err(refuse(&format!(
            "has no words for {} of these tests, such as {}; deal --by file",
            selected.missing.len(),
            test.label
        )));
    }
    if let Err(word) = selected.command(writing.command, "") {
        return Err(refuse(&format!(
            "would run more than these, because `{word}` of the command selects tests as well"
        )));
    }
    if selected.file.is_some() {
        return Err(refuse("selects by a file of code; print --print words instead"));
    }
    let mut lines = selected.arguments;
    if let Takes::Files { file, .. } = lister.takes {
        // Named files and packages are all that has to be looked at.
        lines.extend(shard.iter().map(|test| file(test)).collect::<BTreeSet<String>>());
    }
    Ok(Written { lines, notes: selected.notes })
}
