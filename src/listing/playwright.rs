//! Playwright: `test --list`, with `--reporter=json` or without.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ListedTest, Lister, Listing, ListingError, Takes, json, missing, text_of, with};
use crate::model::TestName;

pub(super) const LISTER: Lister = Lister {
    name: "playwright",
    summary: "what `playwright test --list` prints, with --reporter=json or without",
    command,
    read,
    looks: |text| {
        let json = text.contains("\"suites\"") && text.contains("\"specs\"");
        json || text.lines().any(|line| of_line(line).is_some())
    },
    takes: Takes::Words,
};

/// What joins the titles of blocks and test, in reports and in lists.
const JOINT: &str = " › ";
/// What would end or split a pattern; Playwright takes the path of a file for one.
const SPECIAL: [char; 12] = ['(', ')', '[', ']', '{', '}', '+', '*', '?', '^', '$', '|'];
/// Suites within suites; more is no answer of Playwright.
const DEPTH_MAX: usize = 64;

fn command(words: &[String]) -> Option<Vec<String>> {
    let words = words.iter().filter(|word| !word.starts_with("--reporter")).cloned().collect();
    Some(with(words, &["--list", "--reporter=json"]))
}

fn read(text: &str) -> Result<Listing, ListingError> {
    if !text.trim_start().starts_with('{') {
        return Ok(of_lines(text));
    }
    let document = json(text)?;
    let suites = document.get("suites").and_then(Value::as_array);
    let root = document.pointer("/config/rootDir").and_then(Value::as_str).unwrap_or("");
    let mut tests = Vec::new();
    for suite in suites.ok_or_else(|| missing("`suites`"))? {
        // The outermost suite is the file.
        walk(suite, &mut Vec::new(), root, &mut tests);
    }
    // A spec stands there once for each project; the command line selects projects otherwise.
    let mut listing = Listing::of(tests);
    listing.notes.clear();
    Ok(listing)
}

/// Lines name no directory, so that the word of one file may match another one as well.
fn of_lines(text: &str) -> Listing {
    let mut listing =
        Listing { notes: Vec::new(), ..Listing::of(text.lines().filter_map(of_line)) };
    let files: BTreeSet<&str> = listing.tests.iter().map(|test| test.test.file.as_str()).collect();
    let inside = |file: &&&str| files.iter().any(|other| other != *file && other.ends_with(**file));
    if let Some(file) = files.iter().find(inside) {
        listing.notes.push(format!(
            "`{file}` is also the end of another path, and Playwright would run both; list with \
             --reporter=json"
        ));
    }
    listing
}

fn walk<'a>(suite: &'a Value, titles: &mut Vec<&'a str>, root: &str, tests: &mut Vec<ListedTest>) {
    let inner = |key: &str| suite.get(key).and_then(Value::as_array).into_iter().flatten();
    for spec in inner("specs") {
        titles.push(text_of(spec, "title"));
        let line = spec.get("line").and_then(Value::as_u64).unwrap_or(0);
        // Reports leave out blocks without a title.
        let named: Vec<&str> = titles.iter().copied().filter(|title| !title.is_empty()).collect();
        tests.push(test(text_of(spec, "file"), line, &named.join(JOINT), root));
        titles.pop();
    }
    if titles.len() < DEPTH_MAX {
        for below in inner("suites") {
            titles.push(text_of(below, "title"));
            walk(below, titles, root, tests);
            titles.pop();
        }
    }
}

/// `  [chromium] › sub/a.spec.ts:3:5 › Outer › passes`, with a project or without.
fn of_line(line: &str) -> Option<ListedTest> {
    let line = line.trim();
    let line = match line.starts_with('[') {
        true => line.split_once(JOINT)?.1,
        false => line,
    };
    let (place, name) = line.split_once(JOINT)?;
    let mut parts = place.rsplitn(3, ':');
    let (_column, number, file) = (parts.next()?, parts.next()?, parts.next()?);
    Some(test(file, number.parse().ok()?, name, ""))
}

fn test(file: &str, line: u64, name: &str, root: &str) -> ListedTest {
    let mut word = String::new();
    if !root.is_empty() {
        // Else the same path below another directory would run as well.
        word = format!("{root}/");
    }
    word.push_str(file);
    let word: String = word
        .chars()
        .flat_map(|c| SPECIAL.contains(&c).then_some('\\').into_iter().chain([c]))
        .collect();
    let names = TestName {
        label: format!("{file}::{name}"),
        suite: file.to_owned(),
        classname: file.to_owned(),
        name: name.to_owned(),
        file: file.to_owned(),
    };
    ListedTest::new(format!("{word}:{line}"), names)
}
