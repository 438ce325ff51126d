//! cargo-nextest: `list --message-format json`, or lines of a binary and a test.

use serde_json::Value;

use super::{ListedTest, Lister, Listing, ListingError, Takes, json, missing, with, without};
use crate::model::TestName;

pub(super) const LISTER: Lister = Lister {
    name: "nextest",
    summary: "what `cargo nextest list` prints, with --message-format json or without",
    command,
    read,
    looks: |text| {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
        text.contains("\"rust-suites\"") || (lines.peek().is_some() && lines.all(is_line))
    },
    takes: Takes::Filter,
};

/// Options of `run` that `list` does not have, with a value of their own.
const RUN_ONLY: [&str; 4] = ["--retries", "--test-threads", "-j", "--jobs"];
/// Those without a value.
const RUN_ONLY_ALONE: [&str; 3] = ["--no-fail-fast", "--fail-fast", "--no-capture"];

fn command(words: &[String]) -> Option<Vec<String>> {
    let run = words.iter().position(|word| ["run", "r"].contains(&word.as_str()))?;
    let mut words = words.to_vec();
    if let Some(word) = words.get_mut(run) {
        "list".clone_into(word);
    }
    let mut words = without(&words, &RUN_ONLY);
    words.retain(|word| !RUN_ONLY_ALONE.contains(&word.as_str()));
    Some(with(words, &["--message-format", "json"]))
}

/// `demo::api answers`: two words of Rust in small letters, the first the id of a binary.
fn is_line(line: &str) -> bool {
    let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-:/".contains(c);
    let two = line.split_once(' ');
    two.is_some_and(|(binary, test)| {
        !test.contains(['-', '/']) && [binary, test].iter().all(|word| word.chars().all(small))
    })
}

fn read(text: &str) -> Result<Listing, ListingError> {
    match text.trim_start().starts_with('{') {
        true => read_json(text),
        false => read_lines(text),
    }
}

fn read_json(text: &str) -> Result<Listing, ListingError> {
    let document = json(text)?;
    let suites = document.get("rust-suites").and_then(Value::as_object);
    let suites = suites.ok_or_else(|| missing("`rust-suites`"))?;
    let mut tests = Vec::new();
    for (binary, suite) in suites {
        let cases = suite.get("testcases").and_then(Value::as_object).into_iter().flatten();
        for (name, case) in cases {
            // Ignored ones, and those that the filters of the command leave out, do not run.
            let status = case.pointer("/filter-match/status").and_then(Value::as_str);
            if status.is_none_or(|status| status == "matches") {
                tests.push(test(binary, name));
            }
        }
    }
    Ok(Listing::of(tests))
}

/// Lines as `demo::api answers`; or a binary with a colon, and its tests indented below.
fn read_lines(text: &str) -> Result<Listing, ListingError> {
    let mut tests = Vec::new();
    let mut binary = None;
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    for (place, line) in numbered {
        let indented = line.starts_with(char::is_whitespace);
        let line = line.trim();
        match (indented, binary, line.strip_suffix(':'), line.split_once(' ')) {
            (true, Some(binary), ..) => tests.push(test(binary, line)),
            (false, _, Some(head), _) => binary = Some(head),
            (false, _, None, Some((binary, name))) => tests.push(test(binary, name.trim())),
            _ => {
                let message = "expected a binary and a test, as in `demo::api answers`".to_owned();
                return Err(ListingError { line: place + 1, message });
            }
        }
    }
    Ok(Listing::of(tests))
}

fn test(binary: &str, name: &str) -> ListedTest {
    let names = TestName {
        label: format!("{binary}::{name}"),
        suite: binary.to_owned(),
        classname: binary.to_owned(),
        name: name.to_owned(),
        file: String::new(),
    };
    ListedTest::new(format!("{binary} {name}"), names)
}
