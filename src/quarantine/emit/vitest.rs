//! vitest: one pattern for `-t` that matches every full name but those listed.
//!
//! Reports join titles by ` > `, the pattern sees them joined by one space, and a title may hold a
//! ` > ` of its own: the pattern takes both.

use std::collections::BTreeSet;

use super::jest::{is_file, whole_files};
use super::language::{Language, Only};
use super::regex_text::{NONE_OF, ONE_OF, words};
use super::request::{Expressed, Request};
use super::selected::{Place, Selected, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "vitest",
    aliases: &[],
    summary: "a pattern for vitest -t",
    usage: "vitest run -t \"$(cat FILE)\"",
    producers: &["vitest"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: only,
        place: Place::End,
        not_with: &["--", "-t", "--testNamePattern"],
        usage: "xargs -d '\\n' -a FILE npx vitest run",
    }),
};

const LANGUAGE: Language = Language {
    words: pattern,
    caught,
    globs: false,
    why: "vitest compares names without their file and white space",
    leave_out: NONE_OF,
    only: Only::Text(&["--testNamePattern"], ONE_OF),
    bytes_max: None,
};

/// Files bound the names: others may have tests of the same name.
fn only(request: &Request<'_>) -> Option<Selected> {
    if let Some(files) = whole_files(request) {
        return Some(Selected { arguments: files, ..Selected::default() });
    }
    let tests = request.entries.iter().map(|entry| &entry.test);
    let files: BTreeSet<&String> =
        tests.map(|test| &test.classname).filter(|name| is_file(name)).collect();
    let known: Vec<TestName> =
        request.known.iter().filter(|test| files.contains(&test.classname)).cloned().collect();
    let inside =
        Request { entries: request.entries.clone(), known: &known, purpose: request.purpose };
    let mut selected = LANGUAGE.only(&inside)?;
    selected.arguments.extend(files.into_iter().cloned());
    Some(selected)
}

fn caught(test: &TestName) -> Vec<String> {
    let words = words(&test.name).into_iter().filter(|word| word != ">");
    let plain = words.collect::<Vec<_>>().join(" ");
    is_file(&test.classname).then_some(plain).into_iter().collect()
}

fn pattern(test: &TestName) -> Expressed {
    if !is_file(&test.classname) {
        return Expressed::Not("not a test of vitest: its class name is no file".to_owned());
    }
    let words = words(&test.name);
    let last = words.len().saturating_sub(1);
    let mut out = String::new();
    for (place, word) in words.iter().enumerate() {
        match (word.as_str(), place) {
            (">", place) if place > 0 && place < last => out.push_str("(?:>\\s+)?"),
            (word, place) => {
                out.push_str(word);
                out.push_str(if place < last { "\\s+" } else { "" });
            }
        }
    }
    match out.is_empty() {
        true => Expressed::Not("it has no name".to_owned()),
        false => Expressed::As(out),
    }
}
