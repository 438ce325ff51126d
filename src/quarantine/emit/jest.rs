//! jest: one pattern for `--testNamePattern` that matches every full name but those listed.
//!
//! jest forgets about case, and joins several patterns by a comma, so that they match nothing. The
//! tests that do not match are reported as skipped.

use super::language::{Language, Only};
use super::regex_text::{NONE_OF, ONE_OF, words};
use super::request::{Expressed, Request};
use super::selected::{Place, Selected, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "jest",
    aliases: &[],
    summary: "a pattern for jest --testNamePattern",
    usage: "jest --testNamePattern=\"$(cat FILE)\"",
    producers: &["jest-junit"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: only,
        place: Place::End,
        not_with: &["--", "-t", "--testNamePattern"],
        usage: "xargs -d '\\n' -a FILE npx jest",
    }),
};

/// Endings of files that hold JavaScript tests.
const FILE_ENDINGS: [&str; 8] = [".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts"];

const LANGUAGE: Language = Language {
    words: pattern,
    // jest compiles the pattern without regard to case, and knows no file.
    caught: |test| vec![words(&full_name(test)).join(" ").to_lowercase()],
    globs: false,
    why: "jest compares names without their file, case and white space",
    leave_out: NONE_OF,
    only: Only::Text(&["--testNamePattern"], ONE_OF),
    bytes_max: None,
};

fn only(request: &Request<'_>) -> Option<Selected> {
    let Some(files) = whole_files(request) else { return LANGUAGE.only(request) };
    let arguments = std::iter::once("--runTestsByPath".to_owned()).chain(files).collect();
    Some(Selected { arguments, ..Selected::default() })
}

/// The files of a request that names files alone, as jest lists them; `None` where it names tests.
pub(super) fn whole_files(request: &Request<'_>) -> Option<Vec<String>> {
    let file = |test: &TestName| {
        (test.name.is_empty() && !test.file.is_empty()).then(|| test.file.clone())
    };
    request.entries.iter().map(|entry| file(&entry.test)).collect()
}

fn pattern(test: &TestName) -> Expressed {
    let words = words(&full_name(test));
    match words.is_empty() {
        true => Expressed::Not("it has no name".to_owned()),
        false => Expressed::As(words.join("\\s+")),
    }
}

/// Titles of the enclosing blocks and of the test, as jest joins them.
fn full_name(test: &TestName) -> String {
    let classname = test.classname.as_str();
    let no_title = classname.is_empty()
        || classname == test.name
        || classname == test.suite
        || classname == test.file
        || is_file(classname);
    match no_title {
        true => test.name.clone(),
        false => format!("{classname} {}", test.name),
    }
}

/// True for the path of a JavaScript file.
pub(super) fn is_file(text: &str) -> bool {
    FILE_ENDINGS.iter().any(|ending| text.ends_with(ending))
}
