//! mocha: one pattern for `--grep` that matches every full title but those listed.
//!
//! mocha has `--invert` too, but with it an empty pattern would remove everything. A pattern in
//! slashes may have flags, one without has none: letters keep their case. Of several `--grep` the
//! last one counts. A full title is all titles joined by one space, and no file. Reports tell it
//! in four ways: mocha's own `xunit` splits off the last title; mocha-junit-reporter writes the
//! full title as the name (or, by an option, as the class), and for Jenkins joins all but the last
//! title by dots. Measured on mocha 11.7 and 12.0.

use super::language::{Language, Only};
use super::regex_text::{JAVASCRIPT, NONE_OF, ONE_OF, escape, words};
use super::request::Expressed;
use super::selected::{Place, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "mocha",
    aliases: &[],
    summary: "a pattern for mocha --grep",
    usage: "npx mocha --grep \"$(cat FILE)\"",
    producers: &["mocha", "mocha-junit-reporter"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::End,
        not_with: &["--", "-i", "--invert", "-f", "--fgrep"],
        usage: "xargs -d '\\n' -a FILE npx mocha",
    }),
};

const LANGUAGE: Language = Language {
    words: |test| match pattern(test) {
        words if words.is_empty() => Expressed::Not("it has no name".to_owned()),
        words => Expressed::As(words),
    },
    caught: |test| vec![plain(test)],
    globs: false,
    why: "mocha compares full titles without their file and white space",
    leave_out: NONE_OF,
    only: Only::Text(&["--grep"], ONE_OF),
    bytes_max: None,
};

/// The only suite of mocha's own reporter.
const XUNIT_SUITE: &str = "Mocha Tests";

/// How a report tells a full title.
enum Title<'a> {
    Whole(&'a str),
    /// The titles of the blocks, joined by a space or by dots, and the last title.
    Split(&'a str, &'a str, bool),
}

fn title(test: &TestName) -> Title<'_> {
    let TestName { suite, classname, name, .. } = test;
    if suite == XUNIT_SUITE {
        return Title::Split(classname, name, false);
    }
    // For Jenkins the suite ends in the class, `Root Suite.outer.inner`, else in its own title.
    let in_class = suite.strip_suffix(classname.as_str());
    let in_class = in_class.is_some_and(|before| before.is_empty() || before.ends_with('.'));
    if classname.is_empty() || (classname == name && !in_class) {
        return Title::Whole(name);
    }
    if classname != name && name.ends_with(classname.as_str()) {
        return Title::Whole(name);
    }
    if classname != name && classname.ends_with(name.as_str()) {
        return Title::Whole(classname);
    }
    Title::Split(classname, name, true)
}

fn pattern(test: &TestName) -> String {
    match title(test) {
        Title::Whole(title) => words(title).join("\\s+"),
        Title::Split(blocks, name, false) => words(&format!("{blocks} {name}")).join("\\s+"),
        Title::Split(blocks, name, true) => {
            // Whether a dot joins two titles or stands in one cannot be told.
            let word = |word: &str| {
                word.split('.').map(|part| escape(part, JAVASCRIPT)).collect::<Vec<_>>()
            };
            let blocks: Vec<String> =
                blocks.split_whitespace().map(|text| word(text).join("(?:\\.|\\s+)")).collect();
            [blocks, words(name)].concat().join("\\s+")
        }
    }
}

/// The full title without what the pattern leaves open.
fn plain(test: &TestName) -> String {
    let title = match title(test) {
        Title::Whole(title) => title.to_owned(),
        Title::Split(blocks, name, false) => format!("{blocks} {name}"),
        Title::Split(blocks, name, true) => format!("{} {name}", blocks.replace('.', " ")),
    };
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}
