//! GoogleTest: a negative pattern for `--gtest_filter`.
//!
//! Names are whole; only `*` and `?` are special, `:` parts them and the first `-` begins what is
//! left out, and none of these may be in a test's name. An empty filter runs nothing, so an empty
//! list is `*`. The last `--gtest_filter` counts. Measured on GoogleTest 1.12.

use super::language::{Frame, Language, Only};
use super::request::Expressed;
use super::selected::{Place, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "gtest",
    aliases: &["googletest"],
    summary: "a pattern for --gtest_filter of a GoogleTest program",
    usage: "./tests --gtest_filter=\"$(cat FILE)\"",
    producers: &["gtest"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::End,
        not_with: &[],
        usage: "xargs -d '\\n' -a FILE ./tests",
    }),
};

const LANGUAGE: Language = Language {
    words: |test| match name(test) {
        Some(name) => Expressed::As(name),
        None => Expressed::Not("not a test of GoogleTest: it is named Suite.Test".to_owned()),
    },
    caught: |test| name(test).into_iter().collect(),
    globs: false,
    why: "GoogleTest programs do not know each other's tests",
    leave_out: Frame { before: "-", between: ":", after: "", empty: "*" },
    only: Only::Text(&[], Frame { before: "--gtest_filter=", between: ":", after: "", empty: "*" }),
    bytes_max: None,
};

fn name(test: &TestName) -> Option<String> {
    let word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '/')
    };
    (word(&test.classname) && word(&test.name)).then(|| format!("{}.{}", test.classname, test.name))
}
