//! Runners that take names joined to one text: a row of data for each.

use std::collections::BTreeSet;

use super::request::{Expressed, Request, note_length};
use super::selected::Selected;
use super::{Emitted, TestName};

/// How a runner takes names.
pub(super) struct Language {
    /// The runner's words for one test.
    pub(super) words: fn(&TestName) -> Expressed,
    /// What the runner compares of a test, itself first, then what it is taken for besides: a
    /// listed test takes along all that are taken for it. Empty for a test of other runners.
    pub(super) caught: fn(&TestName) -> Vec<String>,
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
    /// These, and then for each test the option and its words.
    Each(&'static [&'static str], Option<&'static str>),
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
        self.note_collateral(request, words.by_word.values(), &mut emitted.notes);
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
            Only::Each(before, option) => {
                selected.arguments = owned(before);
                for word in words.by_word.keys() {
                    selected.arguments.extend(option.map(str::to_owned));
                    selected.arguments.push(word.clone());
                }
            }
        }
        self.note_collateral(request, words.by_word.values(), &mut selected.notes);
        selected.missing = words.missing.into_iter().cloned().collect();
        Some(selected)
    }

    fn note_collateral<'a>(
        &self,
        request: &Request<'_>,
        listed: impl Iterator<Item = &'a &'a TestName>,
        notes: &mut Vec<String>,
    ) {
        let own = |test: &TestName| (self.caught)(test).into_iter().next();
        let listed: BTreeSet<String> = listed.filter_map(|test| own(test)).collect();
        let goes_along =
            |test: &TestName| (self.caught)(test).iter().any(|text| listed.contains(text));
        request.note_collateral(goes_along, self.why, notes);
    }
}
