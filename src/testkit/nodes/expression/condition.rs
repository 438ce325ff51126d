//! When an edge is taken.

use std::fmt;
use std::str::FromStr;

use super::scope::routes;
use super::{Expression, ExpressionError, MESSAGE_NAMES, Scope};
use crate::testkit::nodes::context::ExecutionContext;
use crate::testkit::nodes::message::Message;
use crate::testkit::nodes::violation::{Rule, Violation};

/// When an edge is taken: for a route by its name, or where an expression holds.
///
/// `code`, `code-review` and `code.specialist` are names of routes, whatever their case;
/// `confidence > 0.5` is an expression, and so is what begins with a name of [`MESSAGE_NAMES`]
/// (`structured.ok`), and `true` and `false`.
///
/// ```
/// use flakedb::testkit::nodes::expression::Condition;
/// use flakedb::testkit::nodes::{ExecutionContext, Message, Payload};
///
/// let payload = Payload { route: Some("code".to_owned()), ..Payload::default() };
/// let message = Message::new("trace-1", "router", payload);
/// let context = ExecutionContext::new("trace-1", "graph");
/// assert!(Condition::parse("code")?.holds(&message, &context));
/// assert!(Condition::parse("route == 'code'")?.holds(&message, &context));
/// assert!(!Condition::parse("math")?.holds(&message, &context));
/// # Ok::<(), flakedb::testkit::nodes::Violation>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The message was given this route.
    Route(String),
    /// This expression holds.
    Expression(Expression),
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// Where it is empty, or neither a name nor an expression that can be read.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let text = text.trim();
        if text.is_empty() {
            let message = "an empty condition; leave it out for an edge that is always taken";
            return Err(Violation::new(Rule::BadExpression, "", message));
        }
        match is_route(text) {
            true => Ok(Self::Route(text.to_owned())),
            false => Expression::parse(text, MESSAGE_NAMES).map(Self::Expression),
        }
    }

    /// Whether it holds for a message; an expression that fails does not.
    #[must_use]
    pub fn holds(&self, message: &Message, context: &ExecutionContext) -> bool {
        self.check(message, context).unwrap_or(false)
    }

    /// Whether it holds for a message, or why that cannot be said.
    ///
    /// # Errors
    /// As for [`Expression::holds`].
    pub fn check(
        &self,
        message: &Message,
        context: &ExecutionContext,
    ) -> Result<bool, ExpressionError> {
        match self {
            Self::Route(name) => {
                let name = name.to_lowercase();
                Ok(routes(message).any(|route| route.to_lowercase() == name))
            }
            Self::Expression(expression) => expression.holds(&Scope::of(message, context)),
        }
    }
}

/// Whether a text is a route's name rather than an expression.
fn is_route(text: &str) -> bool {
    const LITERALS: [&str; 6] = ["true", "false", "none", "True", "False", "None"];
    let first = text.split('.').next().unwrap_or_default();
    text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && text.chars().all(|letter| letter.is_alphanumeric() || "_-.".contains(letter))
        && !LITERALS.contains(&text)
        && !MESSAGE_NAMES.contains(&first)
}

impl FromStr for Condition {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(name) => f.write_str(name),
            Self::Expression(expression) => fmt::Display::fmt(expression, f),
        }
    }
}
