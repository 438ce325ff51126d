//! jest: one pattern for `--testNamePattern` that matches every full name but those listed.

use std::collections::BTreeSet;

use super::regex_text::{none_of, words};
use super::{Emitted, Expressed, Format, Request, TestName, note_length};

pub(super) const FORMAT: Format = Format {
    name: "jest",
    summary: "a pattern for jest --testNamePattern",
    usage: "jest --testNamePattern=\"$(cat FILE)\"",
    producers: &["jest-junit"],
    emit,
};

/// Endings of files that hold JavaScript tests.
const FILE_ENDINGS: [&str; 8] = [".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts"];

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    let patterns = request.express(pattern, &mut emitted.notes);
    emitted.text = none_of(patterns.keys());
    note_length(&emitted.text, &mut emitted.notes);
    // jest compiles the pattern without regard to case, and knows no file.
    let plain = |test: &TestName| words(&full_name(test)).join(" ").to_lowercase();
    let listed: BTreeSet<String> = patterns.values().map(|test| plain(test)).collect();
    let why = "jest compares names without their file, case and white space";
    request.note_collateral(|test| listed.contains(&plain(test)), why, &mut emitted.notes);
    emitted
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
