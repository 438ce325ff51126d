//! Tests of the JVM: class, method and row of data from what reports say.
//!
//! Filters of Gradle and Surefire know the methods of JUnit 5, whose rows reports write as
//! `method(int)[1]` or `method{int}[1]`; rows of JUnit 4, written `method[text]`, are as good as
//! methods to them. A bare number, `method[1]`, may be either: JUnit 5 writes repetitions so.

use super::TestName;

/// A test of the JVM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JvmTest<'a> {
    pub(super) class: &'a str,
    pub(super) method: &'a str,
    pub(super) part: Part,
}

/// What of a method a test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it, or a row that no filter can tell from the others.
    Whole,
    /// `method[text]`: a row of JUnit 4.
    Row,
    /// `method[1]`: a row of JUnit 4 or a repetition of JUnit 5.
    Numbered,
}

/// Takes class and name apart.
///
/// # Errors
/// Why the name of the report is no method.
pub(super) fn parse(test: &TestName) -> Result<JvmTest<'_>, &'static str> {
    let class = test.classname.as_str();
    if class.is_empty() || !class.split('.').all(is_identifier) {
        return Err("its class name is no class of Java");
    }
    if test.name.contains(char::is_control) {
        return Err("its name has a control character");
    }
    let end = test.name.find(['(', '[', '{']).unwrap_or(test.name.len());
    let (method, rest) = test.name.split_at_checked(end).unwrap_or_default();
    if !is_identifier(method) || method == class {
        return Err("its name is no method of Java but a display name, or its class's set-up");
    }
    let row = rest.strip_prefix('[').and_then(|row| row.strip_suffix(']'));
    let part = match row {
        None => Part::Whole,
        Some(row) if row.bytes().all(|byte| byte.is_ascii_digit()) => Part::Numbered,
        Some(_) => Part::Row,
    };
    Ok(JvmTest { class, method, part })
}

fn is_identifier(text: &str) -> bool {
    text.chars().enumerate().all(|(place, c)| {
        c == '_' || c == '$' || c.is_alphabetic() || (place > 0 && c.is_alphanumeric())
    }) && !text.is_empty()
}
