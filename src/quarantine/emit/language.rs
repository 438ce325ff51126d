//! Runners that take names joined to one text: a row of data for each.

use std::collections::BTreeSet;

use super::request::{Expressed, Request, Words, note_length};
use super::selected::{Selected, SelectedFile};
use super::{Emitted, TestName};

/// How a runner takes names.
pub(super) struct Language {
    /// The runner's words for one test.
    pub(super) words: fn(&TestName) -> Expressed,
    /// What the runner compares of a test, itself first, then what it is taken for besides: a
    /// listed test takes along all that are taken for it. Empty for a test of other runners.
    pub(super) caught: fn(&TestName) -> Vec<String>,
    /// True where `*` and `?` stand for others in words.
    pub(super) globs: bool,
    /// Why tests go together.
    pub(super) why: &'static str,
    /// The text that leaves tests out.
    pub(super) leave_out: Frame,
    /// The arguments that run only some.
    pub(super) only: Only,
    /// The longest text that the runner takes, in bytes, and what to do about a longer one.
    pub(super) bytes_max: Option<(usize, &'static str)>,
}

/// Words joined to a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) before: &'static str,
    pub(super) between: &'static str,
    pub(super) after: &'static str,
    /// The text of an empty list.
    pub(super) empty: &'static str,
}

/// Arguments that run only some tests.
#[derive(Debug, Clone, Copy)]
pub(super) enum Only {
    /// These, and then one text of all tests.
    Text(&'static [&'static str], Frame),
    /// These, and then the words of each test.
    Each(&'static [&'static str]),
    /// These, and a file of that name with one text of all tests.
    File(&'static [&'static str], &'static str, Frame),
}

impl Frame {
    fn text<'a>(&self, words: impl Iterator<Item = &'a String>) -> String {
        let words: Vec<&str> = words.map(String::as_str).collect();
        match words.is_empty() {
            true => self.empty.to_owned(),
            false => format!("{}{}{}", self.before, words.join(self.between), self.after),
        }
    }
}

impl Language {
    /// The text that leaves out the list.
    pub(super) fn leave_out(&self, request: &Request<'_>) -> Emitted {
        let mut emitted = Emitted::default();
        let words = request.express(self.words, &mut emitted.notes);
        emitted.text = self.leave_out.text(words.by_word.keys());
        if !emitted.text.is_empty() && !emitted.text.ends_with('\n') {
            emitted.text.push('\n');
        }
        match self.bytes_max {
            Some((bytes, mend)) if emitted.text.len() > bytes => {
                emitted.notes.push(format!("the text has {} bytes; {mend}", emitted.text.len()));
            }
            Some(_) => {}
            None => note_length(&emitted.text, &mut emitted.notes),
        }
        self.note_collateral(request, &words, &mut emitted.notes);
        emitted
    }

    /// The arguments that run only the list; `None` where they would name no test.
    pub(super) fn only(&self, request: &Request<'_>) -> Option<Selected> {
        let mut selected = Selected::default();
        let words = request.express(self.words, &mut selected.notes);
        if words.by_word.is_empty() {
            return None;
        }
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self.only {
            Only::Text(before, frame) => {
                selected.arguments = owned(before);
                let text = frame.text(words.by_word.keys());
                if self.bytes_max.is_some_and(|(bytes, _)| text.len() > bytes) {
                    return None;
                }
                selected.arguments.push(text);
            }
            Only::Each(before) => {
                selected.arguments = owned(before);
                selected.arguments.extend(words.by_word.keys().cloned());
            }
            Only::File(arguments, name, frame) => {
                selected.arguments = owned(arguments);
                let text = frame.text(words.by_word.keys());
                selected.file = Some(SelectedFile { name, text, path_variable: None });
            }
        }
        self.note_collateral(request, &words, &mut selected.notes);
        selected.missing = words.missing.into_iter().cloned().collect();
        Some(selected)
    }

    fn note_collateral(&self, request: &Request<'_>, words: &Words<'_>, notes: &mut Vec<String>) {
        let own = |test: &TestName| (self.caught)(test).into_iter().next();
        let listed: BTreeSet<String> =
            words.by_word.values().filter_map(|test| own(test)).collect();
        let globs: Vec<&str> = match self.globs {
            true => words.by_word.keys().map(String::as_str).collect(),
            false => Vec::new(),
        };
        let globs: Vec<&str> = globs.into_iter().filter(|word| word.contains(['*', '?'])).collect();
        let goes_along = |test: &TestName| {
            let caught = (self.caught)(test);
            let by_glob = || caught.first().is_some_and(|own| globs.iter().any(|g| glob(g, own)));
            caught.iter().any(|text| listed.contains(text)) || by_glob()
        };
        request.note_collateral(goes_along, self.why, notes);
    }
}

/// True where the pattern, in which `*` stands for any text and `?` for one character, is all of
/// the text.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut place) = (0, 0);
    // Where the last `*` stood, and where its text ends so far.
    let mut last: Option<(usize, usize)> = None;
    while place < text.len() {
        match (pattern.get(at), last) {
            (Some('*'), _) => {
                last = Some((at, place));
                at += 1;
            }
            (Some(c), _) if *c == '?' || text.get(place) == Some(c) => {
                at += 1;
                place += 1;
            }
            (_, Some((star, end))) => {
                last = Some((star, end + 1));
                at = star + 1;
                place = end + 1;
            }
            _ => return false,
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}
