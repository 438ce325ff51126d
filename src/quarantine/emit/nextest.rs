//! cargo-nextest: one filterset expression.
//!
//! `=` matches exactly and knows upper from lower case. A binary id that does not exist is an
//! error that stops nextest, so entries of binaries that no known test has are left out. Reports of
//! libtest name no binary. A name with white space at its ends, which only a harness of one's own
//! can have, is trimmed in the history and not met. Several `-E` run what any of them matches.

use std::collections::BTreeSet;

use super::request::{Expressed, Request, note_length};
use super::selected::{Place, Selected, Selection};
use super::{ARGUMENT_BYTES_MAX, Emitted, Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "nextest",
    aliases: &[],
    summary: "a filterset expression for cargo-nextest",
    usage: "cargo nextest run -E \"$(cat FILE)\"",
    producers: &["cargo-nextest"],
    emit,
    only: Some(Selection {
        make: only,
        place: Place::BeforeDashes,
        // Several expressions are joined by `or`.
        not_with: &["-E", "--filterset", "--filter-expr"],
        usage: "xargs -d '\\n' -a FILE cargo nextest run",
    }),
};

/// Stands between the binary id and the name while both travel as one text; in neither of them.
const BETWEEN: char = '\u{0}';
const OR: &str = " | ";

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    emitted.text = match expression(request, &mut emitted.notes) {
        None => "all()\n".to_owned(),
        Some((listed, _)) => format!("not ({listed})\n"),
    };
    note_length(&emitted.text, &mut emitted.notes);
    emitted
}

fn only(request: &Request<'_>) -> Option<Selected> {
    let mut notes = Vec::new();
    let (groups, missing) = groups(request, &mut notes)?;
    // No argument may be longer than a system takes; several are joined by `or`.
    let mut expressions: Vec<String> = Vec::new();
    for group in groups {
        match expressions.last_mut() {
            Some(last) if last.len() + OR.len() + group.len() <= ARGUMENT_BYTES_MAX => {
                *last += OR;
                *last += &group;
            }
            _ => expressions.push(group),
        }
    }
    let arguments = expressions.into_iter().flat_map(|text| ["-E".to_owned(), text]).collect();
    Some(Selected { arguments, missing, notes, ..Selected::default() })
}

/// A filterset of the listed tests, and those for which there are no words; `None` where there
/// are words for none.
pub(super) fn expression(
    request: &Request<'_>,
    notes: &mut Vec<String>,
) -> Option<(String, Vec<TestName>)> {
    let (groups, missing) = groups(request, notes)?;
    Some((groups.join(OR), missing))
}

/// The same in parts, none of them longer than half an argument may be unless one name is.
fn groups(request: &Request<'_>, notes: &mut Vec<String>) -> Option<(Vec<String>, Vec<TestName>)> {
    let live: BTreeSet<&str> = request.known.iter().map(|test| binary(&test.classname)).collect();
    let words = request.express(|test| matchers(test, &live), notes);
    let mut groups: Vec<String> = Vec::new();
    let mut last = "";
    for (binary, name) in words.by_word.keys().filter_map(|both| both.split_once(BETWEEN)) {
        let test = format!("test(={name})");
        match groups.last_mut() {
            Some(group) if last == binary && group.len() + test.len() < ARGUMENT_BYTES_MAX / 2 => {
                *group += OR;
                *group += &test;
            }
            _ => {
                close(&mut groups);
                groups.push(format!("(binary_id(={binary}) & ({test}"));
            }
        }
        last = binary;
    }
    close(&mut groups);
    let missing = words.missing.into_iter().cloned().collect();
    (!groups.is_empty()).then_some((groups, missing))
}

/// Ends the last group.
fn close(groups: &mut [String]) {
    if let Some(group) = groups.last_mut() {
        *group += "))";
    }
}

/// The binary id of a class name; stress runs put a number behind it.
fn binary(classname: &str) -> &str {
    classname.split("@stress-").next().unwrap_or(classname)
}

fn matchers(test: &TestName, live: &BTreeSet<&str>) -> Expressed {
    let id = binary(&test.classname);
    if !is_binary_id(id) || test.name.is_empty() || test.name.contains(BETWEEN) {
        return Expressed::Not("not a test of nextest: its class name is no binary id".to_owned());
    }
    if !live.is_empty() && !live.contains(id) {
        return Expressed::Not(format!("nextest refuses `{id}`, a binary that did not run lately"));
    }
    Expressed::As(format!("{}{BETWEEN}{}", escape(id), escape(&test.name)))
}

/// `crate`, `crate::test`, `crate::bin/tool`.
fn is_binary_id(id: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    let (package, target) = id.split_once("::").map_or((id, None), |(p, t)| (p, Some(t)));
    word(package) && target.is_none_or(|target| target.split('/').all(word))
}

/// A matcher's text: what would end it, split it or be trimmed from it is escaped.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let last = text.chars().count().saturating_sub(1);
    for (place, c) in text.chars().enumerate() {
        match c {
            '\\' | ')' | ',' | '/' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' ' if place == 0 || place == last => out.push_str("\\u{20}"),
            // A terminal that is shown the expression would obey it.
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
