//! Tests of the JVM: class and method from what reports say.
//!
//! Filters of Gradle and Surefire name methods. A row of data is a part of one: reports write
//! `method[1]` (JUnit 4), `method(int)[1]` or `method{int}[1]` (JUnit 5).

use super::TestName;

/// The class and the method.
///
/// # Errors
/// Why the name of the report is no method.
pub(super) fn method(test: &TestName) -> Result<(&str, &str), &'static str> {
    let class = test.classname.as_str();
    if class.is_empty() || !class.split('.').all(is_identifier) {
        return Err("its class name is no class of Java");
    }
    let method = test.name.split(['(', '[', '{']).next().unwrap_or_default();
    match is_identifier(method) && method != class {
        true => Ok((class, method)),
        false => Err("its name is no method of Java but a display name, or its class's set-up"),
    }
}

/// The method as one word, by which rows of data go together.
pub(super) fn caught(test: &TestName) -> Vec<String> {
    method(test).map(|(class, method)| format!("{class}.{method}")).into_iter().collect()
}

fn is_identifier(text: &str) -> bool {
    text.chars().enumerate().all(|(place, c)| {
        c == '_' || c == '$' || c.is_alphabetic() || (place > 0 && c.is_alphanumeric())
    }) && !text.is_empty()
}
