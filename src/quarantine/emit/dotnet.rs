//! dotnet test: an expression for `--filter`.
//!
//! From the documentation of `dotnet test`; no runner of it could be had to measure. Values are
//! whole, without regard to case, and `()&|=!~\` stand behind a backslash; a comma of a generic
//! type is written `%2C`. MSTest, NUnit and xUnit name rows of data each in a way of their own, so
//! that these cannot be expressed. A filter joins with no other: `--filter` may stand once.

use super::language::{Frame, Language, Only};
use super::regex_text::escape;
use super::request::Expressed;
use super::selected::{Place, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "dotnet",
    aliases: &[],
    summary: "an expression for dotnet test --filter",
    usage: "dotnet test --filter \"$(cat FILE)\"",
    producers: &["dotnet"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::BeforeDashes,
        not_with: &["--filter"],
        usage: "xargs -d '\\n' -a FILE dotnet test",
    }),
};

const SPECIAL: &str = r"\()&|=!~";

const LANGUAGE: Language = Language {
    words: |test| match name(test) {
        Ok(name) => Expressed::As(escape(&name, SPECIAL).replace(',', "%2C")),
        Err(why) => Expressed::Not(why.to_owned()),
    },
    caught: |test| name(test).map(|name| name.to_lowercase()).into_iter().collect(),
    globs: false,
    why: "dotnet test compares names without regard to case",
    leave_out: Frame {
        before: "FullyQualifiedName!=",
        between: "&FullyQualifiedName!=",
        after: "",
        empty: "",
    },
    only: Only::Text(
        &["--filter"],
        Frame {
            before: "FullyQualifiedName=",
            between: "|FullyQualifiedName=",
            after: "",
            empty: "",
        },
    ),
    bytes_max: None,
};

fn name(test: &TestName) -> Result<String, &'static str> {
    let class = test.classname.as_str();
    let blank = |text: &str| text.contains(char::is_whitespace) || text.is_empty();
    if !class.contains('.') || blank(class) || class.contains('/') {
        return Err("its class name is no class of .NET");
    }
    if test.name.contains(['(', '"']) {
        return Err("a row of data, which each framework names in its own way");
    }
    if blank(&test.name) {
        return Err("its name is no method but a display name");
    }
    Ok(format!("{class}.{}", test.name))
}
