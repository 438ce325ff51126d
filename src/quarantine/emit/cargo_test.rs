//! cargo test: arguments of the test binaries, one for each line.
//!
//! `--exact` makes `--skip` and names take whole names. Names know no binary, so a test of the
//! same name in another binary goes along. Reports are those of libtest (`--format junit`), which
//! split a name into module and function and write `crate` where there is no module, or those of
//! cargo-nextest, which keep it whole. rustdoc splits arguments at blanks, so that a test in
//! documentation cannot be named; one name with a blank would even keep all of them from running.
//! Measured on Rust 1.97.

use super::language::{Frame, Language, Only};
use super::request::Expressed;
use super::selected::{Place, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "cargo-test",
    aliases: &["libtest"],
    summary: "a file of arguments for the test binaries of cargo test",
    usage: "xargs -d '\\n' -a FILE cargo test --",
    producers: &["libtest", "cargo-nextest"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::AfterDashes,
        not_with: &[],
        usage: "xargs -d '\\n' -a FILE cargo test --",
    }),
};

const LANGUAGE: Language = Language {
    words,
    caught: |test| name(test).into_iter().collect(),
    globs: false,
    why: "cargo test gives every binary the same names",
    leave_out: Frame { before: "--exact\n--skip=", between: "\n--skip=", after: "\n", empty: "" },
    only: Only::Each(&["--exact"]),
    bytes_max: Some((
        super::ARGUMENT_BYTES_MAX,
        "xargs starts cargo test several times above 128 KiB, each with a part of the list, so \
         shorten it",
    )),
};

fn words(test: &TestName) -> Expressed {
    match name(test) {
        Ok(name) => Expressed::As(name),
        Err(why) => Expressed::Not(why.to_owned()),
    }
}

/// The suite of all that libtest itself reports.
const LIBTEST_SUITE: &str = "test";

/// The name that the test binary itself lists.
fn name(test: &TestName) -> Result<String, &'static str> {
    let TestName { suite, classname, name, .. } = test;
    if name.is_empty() || [classname, name].iter().any(|part| part.contains(char::is_control)) {
        return Err("its name is empty or has a control character");
    }
    if name.contains(char::is_whitespace) {
        return Err(
            "rustdoc splits arguments at blanks; leave out all of it with --lib --bins --tests",
        );
    }
    if name.starts_with('-') {
        return Err("its name looks like an option");
    }
    if suite != LIBTEST_SUITE || classname == LIBTEST_SUITE {
        return Ok(name.clone());
    }
    match classname.as_str() {
        "crate" | "integration" | "" => Ok(name.clone()),
        module => Ok(format!("{module}::{name}")),
    }
}
