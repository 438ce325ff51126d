//! Maven Surefire: patterns for `-Dtest`.
//!
//! `!Class#method` leaves out a method with all its rows of data; the class is qualified and
//! inner classes are `Outer$Inner`. Where `-Dtest` only leaves out, Surefire looks for tests in
//! every class, so Surefire's own default names stand in front, once more with `$` for inner
//! classes: a project with `<includes>` of its own puts these there. `excludesFile` refuses
//! methods. An empty pattern is none. The last `-Dtest` counts. Measured on Surefire 2.22.

use super::language::{Frame, Language, Only};
use super::request::Expressed;
use super::selected::{Place, Selection};
use super::{Format, jvm};

pub(super) const FORMAT: Format = Format {
    name: "surefire",
    aliases: &["maven"],
    summary: "patterns for -Dtest of Maven Surefire (2.19 and later)",
    usage: "mvn test -Dtest=\"$(cat FILE)\" -Dsurefire.failIfNoSpecifiedTests=false",
    producers: &["surefire"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::End,
        not_with: &[],
        usage: "xargs -d '\\n' -a FILE mvn test",
    }),
};

const LANGUAGE: Language = Language {
    words: |test| match jvm::method(test) {
        Ok((class, method)) => Expressed::As(format!("{class}#{method}")),
        Err(why) => Expressed::Not(why.to_owned()),
    },
    caught: jvm::caught,
    why: "Surefire knows methods, not their rows of data",
    leave_out: Frame {
        before: "Test*,*Test,*Tests,*TestCase,Test*$*,*Test$*,*Tests$*,*TestCase$*,!",
        between: ",!",
        after: "",
        empty: "",
    },
    only: Only::Text(
        // Modules in which none of them is must not fail; older and newer names of the property.
        &["-DfailIfNoTests=false", "-Dsurefire.failIfNoSpecifiedTests=false"],
        Frame { before: "-Dtest=", between: ",", after: "", empty: "" },
    ),
    bytes_max: None,
};
