//! What must have come, as a test writes it.

use serde_json::Value;

use crate::testkit::mock_server::stub::{Stub, TextMatch};

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// At least so often.
    pub least: u64,
    /// At most so often; `None`: any number.
    pub most: Option<u64>,
}

impl Count {
    pub(super) fn holds(self, times: u64) -> bool {
        times >= self.least && self.most.is_none_or(|most| times <= most)
    }

    /// `exactly 2 requests`, `no request`, `at least 1 request`.
    pub(super) fn describe(self) -> String {
        let requests = |n: u64| if n == 1 { "request" } else { "requests" };
        match (self.least, self.most) {
            (_, Some(0)) => "no request".to_owned(),
            (least, Some(most)) if least == most => format!("exactly {least} {}", requests(least)),
            (0, Some(most)) => format!("at most {most} {}", requests(most)),
            (least, Some(most)) => format!("{least} to {most} requests"),
            (least, None) => format!("at least {least} {}", requests(least)),
        }
    }
}

/// Requests that must have come: conditions that all hold, and how often; at least once where
/// nothing else is said.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "it does nothing until it is verified"]
pub struct Expect {
    pub(super) pattern: Stub,
    pub(super) count: Count,
}

/// What is verified: one kind of requests by their number, or several by their order.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// So many requests of a kind.
    Requests(Box<Expect>),
    /// Requests that came after one another; others may have come in between.
    InOrder(Vec<Expect>),
}

impl From<Expect> for Expectation {
    fn from(expect: Expect) -> Self {
        Self::Requests(Box::new(expect))
    }
}

/// # Which
impl Expect {
    /// Any requests, the server's own pages and listings among them.
    pub fn requests() -> Self {
        Self::that(Stub::any())
    }

    /// Requests that a stub's conditions hold for; what it answers makes no difference.
    pub fn that(pattern: Stub) -> Self {
        Self { pattern, count: Count { least: 1, most: None } }
    }

    fn and(self, with: impl FnOnce(Stub) -> Stub) -> Self {
        Self { pattern: with(self.pattern), ..self }
    }

    /// To a route by its path (`*` for any text in it), or by a short name (`chat`, `v1.chat`).
    pub fn to(self, route: impl Into<String>) -> Self {
        self.and(|stub| stub.route(route))
    }

    /// For a model, whatever the case; `*` stands for any text, `?` for a letter.
    pub fn model(self, model: impl Into<String>) -> Self {
        self.and(|stub| stub.model(model))
    }

    /// The last text of the user (or a text to embed) is exactly this.
    pub fn user(self, text: impl Into<String>) -> Self {
        self.and(|stub| stub.user(text))
    }

    /// The last text of the user (or a text to embed) has this in it.
    pub fn user_contains(self, text: impl Into<String>) -> Self {
        self.and(|stub| stub.user_contains(text))
    }

    /// The last text of the user has a match of this regular expression in it.
    pub fn user_matches(self, pattern: impl Into<String>) -> Self {
        self.and(|stub| stub.user_matches(pattern))
    }

    /// The last text of the user is so.
    pub fn user_text(self, text: TextMatch) -> Self {
        self.and(|stub| stub.user_text(text))
    }

    /// The system prompt has this in it.
    pub fn system_contains(self, text: impl Into<String>) -> Self {
        self.and(|stub| stub.system_contains(text))
    }

    /// Any message has this in it.
    pub fn any_message_contains(self, text: impl Into<String>) -> Self {
        self.and(|stub| stub.any_message_contains(text))
    }

    /// The conversation has so many messages of the user.
    pub fn turn(self, turn: usize) -> Self {
        self.and(|stub| stub.turn(turn))
    }

    /// The newest message is a tool's result.
    pub fn has_tool_result(self) -> Self {
        self.and(Stub::has_tool_result)
    }

    /// The newest message is a tool's result with this in it.
    pub fn tool_result_contains(self, text: impl Into<String>) -> Self {
        self.and(|stub| stub.tool_result_contains(text))
    }

    /// A tool of this name is on offer.
    pub fn offers_tool(self, name: impl Into<String>) -> Self {
        self.and(|stub| stub.offers_tool(name))
    }

    /// The answer is to have a format, JSON or a schema.
    pub fn has_format(self) -> Self {
        self.and(Stub::has_format)
    }

    /// There are images.
    pub fn has_images(self) -> Self {
        self.and(Stub::has_images)
    }

    /// An option, under its native name, has this value; `null` is also absent.
    pub fn option(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.and(|stub| stub.option(name, value))
    }

    /// The answer streams, or does not.
    pub fn streams(self, streams: bool) -> Self {
        self.and(|stub| stub.streams(streams))
    }

    /// A header has exactly this value.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.and(|stub| stub.header(name, value))
    }

    /// The JSON body has this value at a pointer (`/options/seed`); of an object, only the keys of
    /// `value` count.
    pub fn body_at(self, pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        self.and(|stub| stub.body(pointer, value))
    }

    /// The JSON body has at least what this has.
    pub fn body(self, subset: impl Into<Value>) -> Self {
        self.body_at("", subset)
    }
}

/// # How often
impl Expect {
    /// Exactly so often.
    pub fn times(self, times: u64) -> Self {
        self.count(Count { least: times, most: Some(times) })
    }

    /// Exactly once.
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Not once.
    pub fn never(self) -> Self {
        self.times(0)
    }

    /// So often or more.
    pub fn at_least(self, times: u64) -> Self {
        self.count(Count { least: times, most: None })
    }

    /// So often or less, none among it.
    pub fn at_most(self, times: u64) -> Self {
        self.count(Count { least: 0, most: Some(times) })
    }

    /// From so often to so often.
    pub fn between(self, least: u64, most: u64) -> Self {
        self.count(Count { least, most: Some(most.max(least)) })
    }

    /// So often.
    pub fn count(self, count: Count) -> Self {
        Self { count, ..self }
    }

    /// These requests after one another, each at least as often as it says; others may come between. One
    /// that is `never` must not come between its neighbours.
    pub fn in_order(steps: impl IntoIterator<Item = Self>) -> Expectation {
        Expectation::InOrder(steps.into_iter().collect())
    }

    /// What is wanted, for people.
    pub(super) fn describe(&self) -> String {
        format!("{} {}", self.count.describe(), self.pattern.describe())
    }
}
