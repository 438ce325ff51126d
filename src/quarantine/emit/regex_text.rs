//! Regex text: names as literal patterns, and names with any white space between their words.

use super::language::Frame;

/// `text` with every character of `special` behind a backslash.
pub(super) fn escape(text: &str, special: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Special in JavaScript, `/` for people who paste the pattern into a literal.
pub(super) const JAVASCRIPT: &str = r"\^$.*+?()[]{}|/";

/// The words of a JavaScript test's full name, escaped, with any white space between them: titles
/// hold line breaks and double spaces, which reports flatten.
pub(super) fn words(full_name: &str) -> Vec<String> {
    full_name.split_whitespace().map(|word| escape(word, JAVASCRIPT)).collect()
}

/// A JavaScript pattern that matches every full name but those listed; empty for an empty list.
pub(super) const NONE_OF: Frame =
    Frame { before: r"^(?!\s*(?:", between: "|", after: r")\s*$)", empty: "" };

/// A JavaScript pattern that matches the listed full names.
pub(super) const ONE_OF: Frame =
    Frame { before: r"^\s*(?:", between: "|", after: r")\s*$", empty: "" };
