//! What a match is replaced with, read once: so that it is put together part by part, and none of
//! them is written where it would be too much.

use regex::{Captures, Regex};

/// A part of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// What a group of the match took.
    Group(usize),
}

impl Part {
    /// The text of the part for a match; empty where its group took no part.
    pub(super) fn of<'a>(&'a self, captures: &Captures<'a>) -> &'a str {
        match self {
            Self::Text(text) => text,
            Self::Group(at) => captures.get(*at).map_or("", |group| group.as_str()),
        }
    }
}

/// Reads a replacement as the `regex` crate does: `$1`, `$name`, `${name}` are groups (those that
/// the pattern has not are empty), `$$` is a `$`, and any other `$` is itself.
pub(super) fn parts(replacement: &str, pattern: &Regex) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        push(&mut parts, before);
        if let Some(after) = after.strip_prefix('$') {
            push(&mut parts, "$");
            rest = after;
        } else if let Some((name, after)) = group(after) {
            parts.extend(number(name, pattern).map(Part::Group));
            rest = after;
        } else {
            push(&mut parts, "$");
            rest = after;
        }
    }
    push(&mut parts, rest);
    parts
}

fn push(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        Some(Part::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

/// The name that a `$` is followed by, and what comes after it.
fn group(after: &str) -> Option<(&str, &str)> {
    if let Some(braced) = after.strip_prefix('{') {
        return braced.split_once('}');
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let end = after.find(|letter| !is_name(letter)).unwrap_or(after.len());
    (end > 0).then(|| after.split_at(end))
}

fn number(name: &str, pattern: &Regex) -> Option<usize> {
    match name.parse::<usize>() {
        Ok(number) => (number < pattern.captures_len()).then_some(number),
        Err(_) => pattern.capture_names().position(|known| known == Some(name)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_replacement_means_what_it_means_to_the_regex_crate(
            replacement in r"([$\{}0-3xé_+ ]|name|\$\{|\$\$){0,12}", text in "[abc]{0,8}",
        ) {
            let pattern = Regex::new("(a)|(?<name>b+)(?<x>c)?").unwrap();
            let parts = parts(&replacement, &pattern);
            for captures in pattern.captures_iter(&text) {
                let mut expanded = String::new();
                captures.expand(&replacement, &mut expanded);
                let made: String = parts.iter().map(|part| part.of(&captures)).collect();
                prop_assert_eq!(made, expanded);
            }
        }
    }
}
