//! What must never reach a reader raw: control characters, terminal escapes, bidirectional marks, and
//! the commands that a CI system takes out of a job's log.
//!
//! Names and failure texts come from reports, so from anybody. Whatever would move a cursor,
//! change a colour, reorder or hide text, set a variable or mask a word is spelled out instead.

use std::borrow::Cow;

/// What GitHub, and Gitea and Forgejo with it, take for a command where a line begins with two colons
/// and one of these words, in any case.
const WORKFLOW_COMMANDS: [&str; 16] = [
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "set-secret",
    "stop-commands",
    "warning",
];

/// The text on one line, with everything invisible spelled out, and so the first character of what
/// a CI system would take for a command.
///
/// ```
/// use flakedb::report::escape::line;
/// assert_eq!(line("red \u{1b}[31m\nnext"), r"red \u{1b}[31m\nnext");
/// assert_eq!(line("a\u{202e}b"), r"a\u{202e}b");
/// ```
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    let may_command = text.contains("##") || text.starts_with("::") || text.contains(" ::");
    if !may_command && !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut begins = true;
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            hidden if is_hidden(hidden) => out.extend(hidden.escape_unicode()),
            '#' if is_bracketed_command(rest) => out.push_str("\\u{23}"),
            // A line may be broken in front of any word.
            ':' if begins && is_workflow_command(rest) => out.push_str("\\u{3a}"),
            shown => out.push(shown),
        }
        begins = c == ' ' || is_hidden(c);
    }
    Cow::Owned(out)
}

/// True for what Azure Pipelines, TeamCity and older GitHub runners take for a command wherever it
/// stands in a line: `##[group]`, `##vso[task.setvariable …]`, `##teamcity[setParameter …]`.
#[must_use]
pub fn is_bracketed_command(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("##") else { return false };
    rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('[')
}

/// True for what GitHub takes for a command where a line begins with it: `::set-output name=a::b`.
#[must_use]
pub fn is_workflow_command(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("::") else { return false };
    let end = rest.find(|c: char| c == ':' || c.is_whitespace()).unwrap_or(rest.len());
    let word = rest.get(..end).unwrap_or_default();
    WORKFLOW_COMMANDS.iter().any(|command| command.eq_ignore_ascii_case(word))
}

/// A finished page none of whose lines begins with a workflow command, wherever its lines were broken.
#[must_use]
pub fn page(text: &str) -> Cow<'_, str> {
    let begins = |line: &str| is_workflow_command(line.trim_start());
    if !text.contains("::") || !text.lines().any(begins) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        match line.split_at_checked(indent) {
            Some((blank, words)) if begins(words) => {
                out.push_str(blank);
                out.push_str("\\u{3a}");
                out.push_str(words.get(1..).unwrap_or_default());
            }
            _ => out.push_str(line),
        }
    }
    Cow::Owned(out)
}

/// The lines of a longer text, each safe to print; tabs become four spaces.
pub fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|text| line(&text.replace('\t', "    ")).into_owned())
}

/// At most `chars` characters of an escaped text; what was cut is counted behind it.
#[must_use]
pub fn shortened(text: &str, chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let kept = text.get(..end).unwrap_or(text);
            let all = super::sentence::number(text.chars().count() as u64);
            Cow::Owned(format!("{kept}… ({all} characters)"))
        }
    }
}

/// At most `chars` characters of an escaped text, the last an ellipsis where some were cut: for
/// narrow columns, where no count fits.
#[must_use]
pub fn cut(text: &str, chars: usize) -> String {
    if text.chars().nth(chars).is_none() {
        return text.to_owned();
    }
    text.chars().take(chars.saturating_sub(1)).chain(['…']).collect()
}

/// The two ends of an escaped text of more than `chars` characters; how long it was stands between.
#[must_use]
pub fn shortened_inside(text: &str, chars: usize) -> Cow<'_, str> {
    let all = text.chars().count();
    if all <= chars {
        return Cow::Borrowed(text);
    }
    let start: String = text.chars().take(chars / 2).collect();
    let end: String = text.chars().skip(all - chars / 2).collect();
    Cow::Owned(format!("{start}… ({} characters) …{end}", super::sentence::number(all as u64)))
}

/// True for characters that act on a terminal or hide or reorder text.
///
/// The joiners U+200C and U+200D stay: Persian, Hindi and emoji cannot be written without them.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e00ff}'
            // The last variation selectors: unassigned, and the marks of `palette`.
            | '\u{e01e0}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_out_what_acts_or_hides_and_keeps_what_is_text() {
        for (text, shown) in [
            ("plain name[1]", "plain name[1]"),
            ("naïve 日本語 👩\u{200d}💻", "naïve 日本語 👩\u{200d}💻"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{2066}b\u{2069}", "a\\u{2066}b\\u{2069}"),
            ("soft\u{ad}hyphen\u{feff}", "soft\\u{ad}hyphen\\u{feff}"),
            ("\u{e01e3}", "\\u{e01e3}"),
            ("##vso[task.setvariable variable=a]b", "\\u{23}#vso[task.setvariable variable=a]b"),
            ("a ###[add-mask]b ##teamcity[x]", "a #\\u{23}#[add-mask]b \\u{23}#teamcity[x]"),
            ("## Heading [1] a##b[", "## Heading [1] a\\u{23}#b["),
            ("::set-output name=a::b ::ERROR::c", "\\u{3a}:set-output name=a::b \\u{3a}:ERROR::c"),
            ("::ns::test cart::error::new ::errors", "::ns::test cart::error::new ::errors"),
        ] {
            assert_eq!(line(text), shown);
        }
        assert_eq!(lines("a\r\n\tb\x08").collect::<Vec<_>>(), ["a", "    b\\u{8}"]);
    }

    #[test]
    fn no_line_of_a_page_begins_with_a_command() {
        let broken = "  cart::\n  ::error file=a::b\n::warning::c\nrest ::notice::\n";
        let inert = "  cart::\n  \\u{3a}:error file=a::b\n\\u{3a}:warning::c\nrest ::notice::\n";
        assert_eq!(page(broken), inert);
        assert_eq!(page("a::b\n  ::ns::c"), "a::b\n  ::ns::c");
    }

    #[test]
    fn cuts_at_the_end_only_and_says_how_much_there_was() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!((cut("äöü", 3), cut("äöüß", 3)), ("äöü".to_owned(), "äö…".to_owned()));
        assert_eq!(shortened_inside("äöü", 3), "äöü");
        assert_eq!(shortened_inside("a/bcdef/z", 4), "a/… (9 characters) …/z");
        assert_eq!(shortened(&"ä".repeat(1200), 2), "ää… (1,200 characters)");
    }
}
