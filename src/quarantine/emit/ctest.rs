//! ctest: one pattern for `--exclude-regex`.
//!
//! CMake's regular expressions work on bytes and know neither look-ahead nor `\s`; all of
//! `^$.[]|()*+?{}\` can be escaped. An empty pattern for `-E` removes nothing; an empty one for
//! `-R` runs nothing. Of several, the last one counts. A pattern whose compiled form exceeds 64 KiB
//! is ignored without a word. The report turns a line break in a name into a space, and what is
//! white space but no blank or tab is lost at its ends: such a test is not met. Measured on CMake 3.25.

use super::language::{Frame, Language, Only};
use super::regex_text::escape;
use super::request::Expressed;
use super::selected::{Place, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "ctest",
    aliases: &[],
    summary: "a pattern for ctest --exclude-regex",
    usage: "ctest --exclude-regex \"$(cat FILE)\"",
    producers: &["ctest"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::End,
        not_with: &["-I", "--tests-information", "--rerun-failed"],
        usage: "xargs -d '\\n' -a FILE ctest",
    }),
};

const SPECIAL: &str = r"^$.[]|()*+?{}\";
/// A character of a pattern takes up to 2.7 bytes of the 65,535 of its compiled form.
const PATTERN_BYTES_MAX: usize = 24_000;
const ANY_OF: Frame = Frame { before: "", between: "|", after: "", empty: "" };

const LANGUAGE: Language = Language {
    words,
    caught: |test| match is_ctest(test) {
        true => vec![test.name.clone()],
        false => Vec::new(),
    },
    globs: false,
    why: "ctest knows no class",
    leave_out: ANY_OF,
    only: Only::Text(&["--tests-regex"], ANY_OF),
    bytes_max: Some((
        PATTERN_BYTES_MAX,
        "ctest ignores a pattern without a word where its compiled form exceeds 64 KiB, so shorten \
         the list",
    )),
};

fn is_ctest(test: &TestName) -> bool {
    test.classname == test.name || test.classname.is_empty()
}

fn words(test: &TestName) -> Expressed {
    if !is_ctest(test) {
        return Expressed::Not("not a test of ctest: its class is not its name".to_owned());
    }
    if test.name.is_empty() || test.name.contains(char::is_control) {
        return Expressed::Not("its name is empty or has a control character".to_owned());
    }
    // Reports write a tab as a space, and no white space at the ends.
    let name = escape(&test.name, SPECIAL).replace(' ', "[ \t]");
    Expressed::As(format!("^[ \t]*{name}[ \t]*$"))
}
