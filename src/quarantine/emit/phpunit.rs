//! PHPUnit: one pattern for `--filter` that matches every test but those listed.
//!
//! PHPUnit compares `Class::method`, with ` with data set "…"` or ` with data set #0` behind it,
//! by PCRE on bytes. The pattern is in slashes, as otherwise PHPUnit takes `@` and `#` for data
//! sets and forgets about case. Class names have no dots, so reports' dots are backslashes. A line
//! break in the name of a data set is a space in the report, so white space is left open. Of
//! several `--filter` the last one counts; an empty one matches all; one that compiles to more than
//! 64 KiB runs no test. Measured on PHPUnit 9.6.

use super::language::{Frame, Language, Only};
use super::regex_text::escape;
use super::request::Expressed;
use super::selected::{Place, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "phpunit",
    aliases: &[],
    summary: "a pattern for phpunit --filter",
    usage: "phpunit --filter \"$(cat FILE)\"",
    producers: &["phpunit"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::End,
        not_with: &["--"],
        usage: "xargs -d '\\n' -a FILE phpunit",
    }),
};

/// The set of PHP's `preg_quote`, and the slash around the pattern.
const SPECIAL: &str = r".\+*?[^]$(){}=!<>|:-#/";
/// A character of a pattern takes up to 2 bytes of the 65,536 of its compiled form.
pub(super) const PATTERN_BYTES_MAX: usize = 24_000;

const LANGUAGE: Language = Language {
    words: |test| match words(test) {
        Ok(words) => Expressed::As(words),
        Err(why) => Expressed::Not(why.to_owned()),
    },
    caught: |test| words(test).into_iter().collect(),
    globs: false,
    why: "PHPUnit compares names without their file",
    leave_out: Frame { before: r"/\A(?!(?:", between: "|", after: r")\z)/", empty: "" },
    only: Only::Text(
        &["--filter"],
        Frame { before: r"/\A(?:", between: "|", after: r")\z/", empty: "" },
    ),
    bytes_max: Some((
        PATTERN_BYTES_MAX,
        "PHPUnit runs no test where a pattern compiles to more than 64 KiB, so shorten the list",
    )),
};

fn words(test: &TestName) -> Result<String, &'static str> {
    let class = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '\\');
    if test.classname.is_empty() || !test.classname.chars().all(class) || test.name.is_empty() {
        return Err("not a test of PHPUnit: it is named Class::method");
    }
    let method = test.name.split(" with data set ").next().unwrap_or_default();
    if !method.chars().all(|c| c == '_' || c.is_alphanumeric()) {
        return Err(
            "its name is no method; Pest names its tests so, and filters them in another way",
        );
    }
    if test.name.contains(char::is_control) {
        return Err("its name has a control character");
    }
    let class = escape(&test.classname.replace('.', "\\"), SPECIAL);
    // `\s` knows only the white space of ASCII here; the report keeps how much there is.
    let name = escape(&test.name, SPECIAL).replace(' ', "\\s");
    Ok(format!("{class}::{name}"))
}
