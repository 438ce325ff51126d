//! Stubs: which requests they match, and what they answer.
//!
//! A [`Stub`] comes from the builder, a rule file ([`RuleFile`]) or the admin API; all three spell the
//! same things. [`Stubs`] holds those of one namespace, and what they count.

mod builder;
mod condition;
mod fields;
mod locate;
mod nearness;
mod pattern;
mod read_condition;
mod read_reply;
mod read_stub;
mod read_then;
mod replies;
mod rules;
mod store;
mod template;
mod text_match;
mod then;

use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::fault::FaultRule;
use crate::testkit::mock_server::reply::Reply;
use crate::testkit::mock_server::script::Script;
use crate::testkit::mock_server::timing::Timing;

pub(crate) use condition::ROUTE_NAMES;
pub use fields::StubError;
pub(crate) use replies::{DefaultReplies, default_replies};
pub use rules::{RuleError, RuleFile, RuleSettings};
pub use store::{Listed, Stubs};
pub use text_match::{PatternError, TextMatch};

/// The priority of a stub that says none; 1 comes before it.
pub const PRIORITY: u32 = 5;
/// The state of a scenario before any stub changes it.
pub const START: &str = "start";

/// A request as stubs see it.
pub struct Facts<'a> {
    /// The request.
    pub exchange: &'a Exchange,
    /// The path of its route (`/api/chat`).
    pub route: &'static str,
    /// What it asks for.
    pub asked: &'a Asked,
    /// What it says, however it is spelt: the same for the same request.
    pub identity: [u8; 16],
    /// The how manieth time, from 1, that this request is seen.
    pub n: u64,
    /// What templates draw from.
    pub chance: Chance,
}

/// One stub: conditions that all must hold, and one answer or several in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Stub {
    name: Option<String>,
    priority: u32,
    conditions: Vec<condition::Condition>,
    scenario: String,
    when_state: Option<String>,
    then_state: Option<String>,
    times: Option<u64>,
    counting: Counting,
    answers: Vec<then::Then>,
    exhausted: Exhausted,
    /// For answers that have none of their own.
    timing: Timing,
    /// For answers that have none of their own.
    faults: Vec<FaultRule>,
}

impl Default for Stub {
    fn default() -> Self {
        Self {
            name: None,
            priority: PRIORITY,
            conditions: Vec::new(),
            scenario: String::new(),
            when_state: None,
            then_state: None,
            times: None,
            counting: Counting::Stub,
            answers: Vec::new(),
            exhausted: Exhausted::RepeatLast,
            timing: Timing::default(),
            faults: Vec::new(),
        }
    }
}

/// What a stub's `times` and `replies` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// Every request that it answers, in order of arrival.
    #[default]
    Stub,
    /// Each request apart, by what it says.
    Request,
}

/// What comes after the last of several replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exhausted {
    /// The last, again and again.
    #[default]
    RepeatLast,
    /// The first again.
    Cycle,
    /// An error of status 500 that says so.
    Error,
    /// The next stub that matches.
    Fallthrough,
}

impl Exhausted {
    const ALL: [(Self, &'static str); 4] = [
        (Self::RepeatLast, "repeat_last"),
        (Self::Cycle, "cycle"),
        (Self::Error, "error"),
        (Self::Fallthrough, "fallthrough"),
    ];

    fn named(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(exhausted, _)| *exhausted)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("repeat_last", |(_, name)| *name)
    }
}

/// What a matching stub wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Answer this.
    Reply(Reply),
    /// Answer by `--auto`, or by default.
    Auto,
    /// Answer these bytes.
    Raw {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: bytes::Bytes,
    },
    /// Answer this, at its own times.
    Script(Script),
    /// Refuse in the API's own shape.
    Refuse(crate::testkit::mock_server::refusal::Refusal),
}

/// A stub that matched.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// Its id, unique in its namespace.
    pub id: u64,
    /// Its name, or `stub 3`.
    pub name: String,
    /// What it wants.
    pub action: Action,
    /// Headers beside those that the answer has by itself; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its times.
    pub timing: Timing,
    /// Its faults.
    pub faults: Vec<FaultRule>,
}

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
