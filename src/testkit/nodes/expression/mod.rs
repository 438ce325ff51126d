//! Small expressions over messages: `len(content) > 0 and 'refund' in content`.
//!
//! Jinja's expressions, by [minijinja](https://docs.rs/minijinja): comparisons, `and`, `or`, `not`,
//! `in`, arithmetic, dotted paths, filters (`content|lower`) and tests (`structured.score is
//! defined`). They reach nothing but the names that they are given, and the work that they may do is
//! bounded. `<` between values of different types compares the types: `int(content) > 5`, not
//! `content > 5`. Other than in the system that these nodes come from, an expression is never a program
//! of the host language, one that cannot be read is refused where the node is made, and one that
//! fails where it is evaluated says why.

mod condition;
mod functions;
mod scope;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::violation::{Rule, Violation};
use crate::testkit::nearest::hint;
use crate::testkit::shown::cut;

pub use condition::Condition;
pub use functions::{FUNCTIONS, METHODS};
pub use scope::Scope;

/// Characters of an expression, at most.
pub const CHARS_MAX: usize = 2_000;
/// Operators, dots, brackets and words like `not` of an expression, at most. Each may be a level that
/// reading, evaluating and dropping it go down, on a stack that has an end.
pub const OPERATORS_MAX: usize = 150;
/// Brackets within brackets, at most.
pub const BRACKETS_MAX: usize = 20;
/// What one evaluation may cost: an instruction is 1, and so are 64 bytes of text that it handles.
pub const FUEL: u64 = 200_000;

/// The names that an expression over a message can use, besides [`FUNCTIONS`].
///
/// `content` and `task` are texts, empty where the message has none; `structured`, `metadata` (both
/// of the payload) and `variables` (of the context) are objects; `routes` is a list; `route`,
/// `compound_route` and `confidence` are none where the message has none.
pub const MESSAGE_NAMES: &[&str] = &[
    "content",
    "task",
    "structured",
    "metadata",
    "route",
    "routes",
    "compound_route",
    "confidence",
    "variables",
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    for name in ["range", "dict", "debug", "namespace"] {
        environment.remove_global(name);
    }
    functions::add(&mut environment);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
});

/// An expression that could be read.
///
/// ```
/// use flakedb::testkit::nodes::expression::{Expression, MESSAGE_NAMES, Scope};
/// use flakedb::testkit::nodes::{ExecutionContext, Message, Payload};
///
/// let long = Expression::parse("len(content) > 3 and 'x' not in content", MESSAGE_NAMES)?;
/// let message = Message::new("trace-1", "user", Payload::text("four"));
/// let context = ExecutionContext::new("trace-1", "graph");
/// assert_eq!(long.holds(&Scope::of(&message, &context)), Ok(true));
/// # Ok::<(), flakedb::testkit::nodes::Violation>(())
/// ```
#[derive(Clone)]
pub struct Expression {
    source: String,
    compiled: Arc<minijinja::Expression<'static, 'static>>,
}

/// An expression that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}`: {reason}")]
pub struct ExpressionError {
    /// The expression.
    pub expression: String,
    /// What went wrong.
    pub reason: String,
}

impl Expression {
    /// Reads an expression that uses these names and [`FUNCTIONS`].
    ///
    /// # Errors
    /// Where it is too long or too deep, cannot be read, or uses a name, filter, test or method that there is
    /// not.
    pub fn parse(source: &str, names: &[&str]) -> Result<Self, Violation> {
        let wrong = |reason: String| {
            Violation::new(Rule::BadExpression, "", format!("`{}`: {reason}", cut(source)))
        };
        let length = source.chars().count();
        if length > CHARS_MAX {
            return Err(wrong(format!("{length} characters, {CHARS_MAX} at most")));
        }
        let (operators, brackets) = depth(&words(source));
        for (count, most, what) in [
            (brackets, BRACKETS_MAX, "brackets within brackets"),
            (operators, OPERATORS_MAX, "operators and dots"),
        ] {
            if count > most {
                return Err(wrong(format!("{count} {what}, {most} at most")));
            }
        }
        let compiled = ENVIRONMENT
            .compile_expression_owned(source.to_owned())
            .map_err(|error| wrong(reason(&error)))?;
        let known = || names.iter().chain(FUNCTIONS).copied();
        // Sorted, so that the same expression always says the same.
        let used: BTreeSet<String> = compiled.undeclared_variables(false).into_iter().collect();
        if let Some(name) = used.iter().find(|used| known().all(|known| known != used.as_str())) {
            let mend = match hint(name, known()) {
                mend if mend.is_empty() => {
                    format!("; there are {}", known().collect::<Vec<_>>().join(", "))
                }
                mend => mend,
            };
            return Err(wrong(format!("no name `{}`{mend}", cut(name))));
        }
        if let Some((what, name)) = unknown_word(source) {
            return Err(wrong(format!("no {what} `{}`", cut(name))));
        }
        Ok(Self { source: source.to_owned(), compiled: Arc::new(compiled) })
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it uses a name.
    pub(in crate::testkit::nodes) fn uses(&self, name: &str) -> bool {
        self.compiled.undeclared_variables(false).contains(name)
    }

    /// What it comes to, as JSON.
    ///
    /// # Errors
    /// Where it uses what is not there, does what cannot be done, or costs too much.
    pub fn evaluate(&self, scope: &Scope) -> Result<serde_json::Value, ExpressionError> {
        let value = self.value(scope)?;
        if value.is_undefined() {
            return Err(self.failed("a value is not there".to_owned()));
        }
        serde_json::to_value(&value).map_err(|error| self.failed(error.to_string()))
    }

    /// Whether it holds: as in Python, all does but false, none, 0 and what is empty.
    ///
    /// # Errors
    /// As for [`Expression::evaluate`]; what is not there neither holds nor does not.
    pub fn holds(&self, scope: &Scope) -> Result<bool, ExpressionError> {
        let value = self.value(scope)?;
        if value.is_undefined() {
            return Err(self.failed("a value is not there".to_owned()));
        }
        Ok(value.is_true())
    }

    fn value(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        self.compiled.eval(scope.value()).map_err(|error| self.failed(reason(&error)))
    }

    fn failed(&self, reason: String) -> ExpressionError {
        ExpressionError { expression: self.source.clone(), reason }
    }
}

impl FromStr for Expression {
    type Err = Violation;

    /// An expression over a message, see [`MESSAGE_NAMES`].
    fn from_str(source: &str) -> Result<Self, Violation> {
        Self::parse(source, MESSAGE_NAMES)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// An error without its place: an expression is one line, and is shown beside it.
fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{} ({})", detail, error.kind()),
        None if error.kind() == ErrorKind::UndefinedError => "a value is not there".to_owned(),
        None => error.kind().to_string(),
    }
}

/// The first filter, test or method that there is not; otherwise only its evaluation would tell.
fn unknown_word(source: &str) -> Option<(&'static str, &str)> {
    let is_known = |question: &str, name: &str| {
        let scope = Value::from_pairs([("name", name)]);
        ENVIRONMENT
            .compile_expression_owned(format!("name is {question}"))
            .and_then(|expression| expression.eval(scope))
            .is_ok_and(|known| known.is_true())
    };
    let words = words(source);
    for (at, word) in words.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).and_then(|at| words.get(at)).copied();
        let is_name = word.starts_with(|first: char| first.is_alphabetic() || first == '_');
        if !is_name {
            continue;
        }
        let is_call = words.get(at + 1) == Some(&"(");
        let tested = before(1) == Some("is") || (before(1), before(2)) == (Some("not"), Some("is"));
        let (what, known) = match before(1) {
            Some("|") => ("filter", is_known("filter", word)),
            Some(".") if is_call => ("method", METHODS.contains(word)),
            _ if tested && *word != "not" => ("test", is_known("test", word)),
            _ => continue,
        };
        if !known {
            return Some((what, word));
        }
    }
    None
}

/// How many levels an expression may have by its operators, and has by its brackets.
fn depth(words: &[&str]) -> (usize, usize) {
    let (mut operators, mut open, mut deepest) = (0, 0_usize, 0);
    for word in words {
        let is_sign = !word.starts_with(|first: char| first.is_alphanumeric() || first == '_');
        match *word {
            "(" | "[" | "{" => {
                operators += 1;
                open += 1;
                deepest = deepest.max(open);
            }
            ")" | "]" | "}" => open = open.saturating_sub(1),
            "," | ":" => {}
            "not" | "and" | "or" | "in" | "is" | "if" | "else" => operators += 1,
            _ if is_sign && !word.starts_with(['"', '\'']) => operators += 1,
            _ => {}
        }
    }
    (operators, deepest)
}

/// The names and signs of an expression; texts, numbers and spaces are left out.
fn words(source: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let length = match first {
            '"' | '\'' => text_length(rest, first),
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        if !first.is_whitespace() {
            words.push(word);
        }
        rest = after;
    }
    words
}

/// The bytes of the text in quotes that `rest` begins with.
fn text_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + letter.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}
