//! Maven Surefire: patterns for `-Dtest`.
//!
//! `!Class#method` leaves out a method; the class is qualified and inner classes are
//! `Outer$Inner`. JUnit 4 has its rows as methods of their own, `method[text]`, where `?` stands
//! for each character that is special or may be; JUnit 5 knows no rows. `a+b` are two methods.
//! Where `-Dtest` only leaves out, Surefire looks for tests in every class, so Surefire's own
//! default names stand in front, once more with `$` where reports have inner classes: a project
//! with `<includes>` of its own puts these there. `excludesFile` refuses methods. An empty pattern is
//! none. The last `-Dtest` counts. Measured on Surefire 2.22 with JUnit 4.13 and 5.9.

use super::jvm::{self, JvmTest, Part};
use super::language::{Frame, Language, Only};
use super::request::{Expressed, Request};
use super::selected::{Place, Selection};
use super::{Emitted, Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "surefire",
    aliases: &["maven"],
    summary: "patterns for -Dtest of Maven Surefire (2.19 and later)",
    usage: "mvn test -Dtest=\"$(cat FILE)\" -Dsurefire.failIfNoSpecifiedTests=false",
    producers: &["surefire"],
    emit,
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::End,
        not_with: &[],
        usage: "xargs -d '\\n' -a FILE mvn test",
    }),
};

const LANGUAGE: Language = Language {
    words: |test| match jvm::parse(test) {
        Ok(JvmTest { part: Part::Row, .. }) if test.name.contains('/') => {
            Expressed::Not("Surefire takes a slash for the end of a directory".to_owned())
        }
        Ok(parsed) => Expressed::As(pattern(test, parsed)),
        Err(why) => Expressed::Not(why.to_owned()),
    },
    caught,
    globs: true,
    why: "Surefire cannot tell these rows of data from the listed ones",
    leave_out: Frame { before: "!", between: ",!", after: "", empty: "" },
    only: Only::Text(
        // Modules in which none of them is must not fail; older and newer names of the property.
        &["-DfailIfNoTests=false", "-Dsurefire.failIfNoSpecifiedTests=false"],
        Frame { before: "-Dtest=", between: ",", after: "", empty: "" },
    ),
    bytes_max: None,
};

fn pattern(test: &TestName, parsed: JvmTest<'_>) -> String {
    let JvmTest { class, method, part } = parsed;
    match part {
        Part::Whole => format!("{class}#{method}"),
        Part::Numbered => format!("{class}#{method}+{method}[*"),
        Part::Row => {
            let plain = |c: char| c.is_alphanumeric() || "_$ []()-:=".contains(c);
            let row = test.name.chars().map(|c| if plain(c) { c } else { '?' });
            format!("{class}#{}", row.collect::<String>())
        }
    }
}

/// Surefire's default names, and the same for their inner classes.
const DEFAULT_NAMES: &str = "Test*,*Test,*Tests,*TestCase";
const INNER_NAMES: &str = "Test*$*,*Test$*,*Tests$*,*TestCase$*";

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = LANGUAGE.leave_out(request);
    if emitted.text.is_empty() {
        return emitted;
    }
    let listed = request.entries.iter().map(|entry| &entry.test);
    let has_inner = listed.chain(request.known).any(|test| test.classname.contains('$'));
    let names = match has_inner {
        true => format!("{DEFAULT_NAMES},{INNER_NAMES}"),
        false => DEFAULT_NAMES.to_owned(),
    };
    emitted.text = format!("{names},{}", emitted.text);
    emitted
}

/// The test, and the pattern for all rows of its method.
fn caught(test: &TestName) -> Vec<String> {
    let Ok(JvmTest { class, method, part }) = jvm::parse(test) else { return Vec::new() };
    let all = format!("{class}#{method}[*");
    match part {
        Part::Whole => vec![format!("{class}#{method}"), all],
        Part::Numbered => vec![all],
        Part::Row => vec![format!("{class}#{}", test.name), all],
    }
}
