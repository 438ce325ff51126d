//! vitest: one pattern for `-t` that matches every full name but those listed.
//!
//! Reports join titles by ` > `, the pattern sees them joined by one space, and a title may hold a
//! ` > ` of its own: the pattern takes both.

use std::collections::BTreeSet;

use super::jest::is_file;
use super::regex_text::{none_of, words};
use super::{Emitted, Expressed, Format, Request, TestName, note_length};

pub(super) const FORMAT: Format = Format {
    name: "vitest",
    summary: "a pattern for vitest -t",
    usage: "vitest run -t \"$(cat FILE)\"",
    producers: &["vitest"],
    emit,
};

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    let patterns = request.express(pattern, &mut emitted.notes);
    emitted.text = none_of(patterns.keys());
    note_length(&emitted.text, &mut emitted.notes);
    let plain = |test: &TestName| -> String {
        let words = words(&test.name).into_iter().filter(|word| word != ">");
        words.collect::<Vec<_>>().join(" ")
    };
    let listed: BTreeSet<String> = patterns.values().map(|test| plain(test)).collect();
    let removes = |test: &TestName| is_file(&test.classname) && listed.contains(&plain(test));
    let why = "vitest compares names without their file and white space";
    request.note_collateral(removes, why, &mut emitted.notes);
    emitted
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
