//! Playwright: one pattern for `--grep-invert`, between slashes, which keeps the case of letters.
//!
//! Playwright matches a pattern anywhere in project, file, titles and tags, joined by spaces, each
//! title followed by its tags; the report joins titles by ` › ` and leaves out projects and tags
//! that are no part of a title. So the pattern names file and titles and lets tags be; a test
//! whose title is the listed one and a tag goes along. Of several `--grep` the last one counts,
//! and an empty pattern removes nothing. Measured on Playwright 1.65.

use super::jest::is_file;
use super::language::{Frame, Language, Only};
use super::regex_text::words;
use super::request::Expressed;
use super::selected::{Place, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "playwright",
    aliases: &[],
    summary: "a pattern for playwright test --grep-invert",
    usage: "npx playwright test --grep-invert \"$(cat FILE)\"",
    producers: &["playwright"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::End,
        not_with: &["--"],
        usage: "xargs -d '\\n' -a FILE npx playwright test",
    }),
};

const LANGUAGE: Language = Language {
    words: pattern,
    caught,
    globs: false,
    why: "what follows a title may be a tag, and white space does not count",
    leave_out: MATCHES,
    only: Only::Text(&["--grep"], MATCHES),
    bytes_max: None,
};

const MATCHES: Frame =
    Frame { before: r"/(?:^|\s)(?:", between: "|", after: r")(?:\s+@\S+)*\s*$/", empty: "" };
/// What joins titles in reports.
const JOINT: &str = "›";

fn pattern(test: &TestName) -> Expressed {
    if !is_file(&test.classname) {
        return Expressed::Not("not a test of Playwright: its class name is no file".to_owned());
    }
    let titles = words(&test.name);
    if titles.is_empty() {
        return Expressed::Not("it has no name".to_owned());
    }
    let mut out = words(&test.classname).join("\\s+");
    out.push_str("\\s+");
    let last = titles.len() - 1;
    for (place, word) in titles.iter().enumerate() {
        match (word.as_str(), place) {
            // A joint, or the same character in a title.
            (JOINT, place) if place > 0 && place < last => {
                out.push_str("(?:(?:›|@\\S+)\\s+)*");
            }
            (word, place) => {
                out.push_str(word);
                out.push_str(if place < last { "\\s+" } else { "" });
            }
        }
    }
    Expressed::As(out)
}

/// File and titles, and the same without the words at the end that may be tags.
fn caught(test: &TestName) -> Vec<String> {
    if !is_file(&test.classname) {
        return Vec::new();
    }
    let mut titles: Vec<&str> =
        test.name.split_whitespace().filter(|word| *word != JOINT).collect();
    let mut caught = Vec::new();
    loop {
        caught.push(format!("{} {}", test.classname, titles.join(" ")));
        if !titles.pop().is_some_and(|last| last.starts_with('@')) || titles.is_empty() {
            return caught;
        }
    }
}
