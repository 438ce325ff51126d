//! A clause: one promise of a contract, why it matters, and what breaking it looks like.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;

use super::registry::RegistryTrial;
use super::trial::Trial;

/// One promise of a contract. Ids are stable: what was given is never given to another.
#[derive(Serialize)]
#[non_exhaustive]
pub struct Clause {
    /// `NC-10`: for all nodes `NC`, for one type `NT`, for registries `RC`.
    pub id: &'static str,
    /// The name of its test: `source_node`.
    pub name: &'static str,
    /// What is promised, in one sentence.
    pub promise: &'static str,
    /// Why it matters.
    pub reason: &'static str,
    /// What breaking it looks like.
    pub violation: &'static str,
    /// Whom it binds.
    #[serde(skip)]
    pub scope: Scope,
    #[serde(skip)]
    pub(crate) check: Check,
}

/// Whom a clause binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every node.
    Nodes,
    /// Nodes of one type.
    Type(&'static str),
    /// Registries.
    Registries,
}

/// How a clause is checked.
pub(crate) enum Check {
    Node(fn(Trial) -> Pin<Box<dyn Future<Output = Finding> + Send>>),
    Registry(fn(&RegistryTrial<'_>) -> Finding),
}

/// What a check finds: evidence of a promise kept, or why there is none.
pub(crate) type Finding = Result<String, Stop>;

/// Why a check ends before it could say that the promise is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The promise is broken.
    Fail(String),
    /// There was nothing to check.
    NotExercised(String),
    /// The promise does not bind this subject.
    NotApplicable(String),
}

impl Clause {
    /// `NC-10 source_node`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.id, self.name)
    }
}

impl fmt::Debug for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clause")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// `Err(Stop::Fail(…))` with a formatted text.
macro_rules! broken {
    ($($text:tt)*) => {
        return Err($crate::testkit::contracts::clause::Stop::Fail(format!($($text)*)))
    };
}
pub(crate) use broken;
