//! What is wrong with a definition, a message or a graph: a rule with a stable name, and where.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What can be wrong. The names are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name: `unknown_key`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What the rule asks for, in one sentence.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

rules! {
    /// A required field is there and not null.
    Missing = "missing",
    /// A field is one of those that the type knows.
    UnknownKey = "unknown_key",
    /// A value has the JSON type of its field.
    WrongType = "wrong_type",
    /// A number is not below its least.
    BelowMinimum = "below_minimum",
    /// A number is not above its greatest.
    AboveMaximum = "above_maximum",
    /// An identifier is a lower-case letter, then lower-case letters, digits, `_` and `.`.
    BadIdentifier = "bad_identifier",
    /// A version is three numbers with dots between.
    BadVersion = "bad_version",
    /// A time is RFC 3339.
    BadTime = "bad_time",
    /// A word is one of those that the field takes.
    NotAChoice = "not_a_choice",
    /// A list is not shorter than its least.
    TooFew = "too_few",
    /// A text is not shorter than its least.
    TooShort = "too_short",
    /// A text is not longer than its greatest.
    TooLong = "too_long",
    /// A transform has the parameters that it needs.
    MissingParameter = "missing_parameter",
    /// A regular expression can be read.
    BadPattern = "bad_pattern",
    /// An expression can be read.
    BadExpression = "bad_expression",
    /// A text has only the characters that its field takes.
    BadCharacter = "bad_character",
    /// An address of mail is a name, `@` and a host.
    BadEmail = "bad_email",
    /// A URL is `http` or `https` with a host: one where a server can be asked.
    BadUrl = "bad_url",
    /// A setting that another setting needs is there.
    MissingCompanion = "missing_companion",
    /// Two settings agree.
    Contradiction = "contradiction",
    /// No two nodes of a graph have one id.
    DuplicateNode = "duplicate_node",
    /// No two edges of a graph are the same.
    DuplicateEdge = "duplicate_edge",
    /// An entry point is a node of the graph.
    UnknownEntryPoint = "unknown_entry_point",
    /// An exit point is a node of the graph.
    UnknownExitPoint = "unknown_exit_point",
    /// A protected node is a node of the graph.
    UnknownProtected = "unknown_protected",
    /// An edge begins at a node of the graph.
    UnknownEdgeFrom = "unknown_edge_from",
    /// An edge ends at a node of the graph.
    UnknownEdgeTo = "unknown_edge_to",
    /// A node named in a configuration (a body, a target) is a node of the graph.
    UnknownReference = "unknown_reference",
    /// An entry point is of type entry.
    EntryPointType = "entry_point_type",
    /// An exit point is of type exit.
    ExitPointType = "exit_point_type",
    /// No edge leaves an exit.
    EdgeOutOfExit = "edge_out_of_exit",
    /// Every node can be reached from an entry point.
    Unreachable = "unreachable",
    /// From every node on a path an exit point can be reached.
    DeadEnd = "dead_end",
    /// A graph has no cycle, unless it allows cycles.
    Cycle = "cycle",
    /// A message of a context is of the context's trace.
    ForeignTrace = "foreign_trace",
    /// A message is within the context's greatest size.
    MessageSize = "message_size",
    /// A context's messages together are within its greatest size.
    TotalSize = "total_size",
    /// A context has no more messages than it may.
    MessageCount = "message_count",
    /// The parts of a duration are together not more than the whole.
    PartsExceedWhole = "parts_exceed_whole",
    /// A count agrees with what it counts.
    WrongCount = "wrong_count",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which rule is broken.
    pub rule: Rule,
    /// Where: keys and indices with dots between, as `nodes.2.config.timeout_ms`; empty for the
    /// whole.
    pub at: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Violation {
    /// A violation of `rule` at `at`.
    #[must_use]
    pub fn new(rule: Rule, at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { rule, at: at.into(), message: message.into() }
    }

    /// The same, seen from one level further out.
    #[must_use]
    pub fn below(mut self, key: &str) -> Self {
        self.at = match self.at.is_empty() {
            true => key.to_owned(),
            false => format!("{key}.{}", self.at),
        };
        self
    }
}

/// Several violations in one text.
pub(crate) fn joined(violations: &[Violation]) -> String {
    violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; ")
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.is_empty() {
            true => write!(f, "{} ({})", self.message, self.rule),
            false => write!(f, "{}: {} ({})", self.at, self.message, self.rule),
        }
    }
}
