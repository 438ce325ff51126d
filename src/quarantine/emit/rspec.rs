//! RSpec: one pattern for `--example-matches` that matches every full description but those listed.
//!
//! RSpec leaves out by tag, and runs by pattern: so the pattern is a negative one. It compares
//! the descriptions of groups and example, joined as RSpec joins them, which is the name in the
//! reports of rspec_junit_formatter; it knows no file. An example that describes itself (`it {
//! … }`, "is expected to …") has its name only after it ran, and cannot be met. Several `-e` and `-E` run
//! what any of them matches. An empty pattern matches all. Measured on RSpec 3.12.

use super::language::{Frame, Language, Only};
use super::regex_text::escape;
use super::request::Expressed;
use super::selected::{Place, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "rspec",
    aliases: &[],
    summary: "a pattern for rspec --example-matches",
    usage: "rspec --example-matches \"$(cat FILE)\"",
    producers: &["rspec"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::End,
        not_with: &["--", "-e", "--example", "-E", "--example-matches"],
        usage: "xargs -d '\\n' -a FILE rspec",
    }),
};

/// The set of Ruby's `Regexp.escape`, but for white space.
const SPECIAL: &str = r"\.*?+^$|()[]{}-#";

const LANGUAGE: Language = Language {
    words,
    caught: |test| match is_rspec(test) {
        true => vec![test.name.split_whitespace().collect::<Vec<_>>().join(" ")],
        false => Vec::new(),
    },
    globs: false,
    why: "RSpec compares descriptions without their file and white space",
    leave_out: Frame {
        before: r"\A(?![[:space:]]*(?:",
        between: "|",
        after: r")[[:space:]]*\z)",
        empty: "",
    },
    only: Only::Text(
        &["--example-matches"],
        Frame { before: r"\A[[:space:]]*(?:", between: "|", after: r")[[:space:]]*\z", empty: "" },
    ),
    bytes_max: None,
};

/// The class is the path of the file with dots: `spec.models.cart_spec`.
fn is_rspec(test: &TestName) -> bool {
    test.file.ends_with(".rb") || test.classname.ends_with("_spec")
}

fn words(test: &TestName) -> Expressed {
    if !is_rspec(test) {
        return Expressed::Not("not an example of RSpec: its file is no .rb".to_owned());
    }
    if ["is expected to ", "is expected not to "].iter().any(|own| test.name.contains(own)) {
        return Expressed::Not("it describes itself, and only when it ran".to_owned());
    }
    let words: Vec<String> =
        test.name.split_whitespace().map(|word| escape(word, SPECIAL)).collect();
    match words.is_empty() {
        true => Expressed::Not("it has no name".to_owned()),
        false => Expressed::As(words.join("[[:space:]]+")),
    }
}
