//! Regex text: names as literal patterns, and names with any white space between their words.

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

/// A pattern that matches every full name but those listed; empty for an empty list.
pub(super) fn none_of<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("^(?!\\s*(?:{})\\s*$)\n", names.join("|")),
    }
}
