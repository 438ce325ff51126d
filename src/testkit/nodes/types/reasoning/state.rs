//! The states of a chain of reasoning, and which may follow which.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing was thought yet.
    Initializing,
    /// It looks at the question, or at what it has.
    Analyzing,
    /// It takes the question apart.
    Decomposing,
    /// A tool runs.
    ExecutingAction,
    /// A tool has run.
    Observing,
    /// It checks a claim.
    Verifying,
    /// It puts together what it has.
    Synthesizing,
    /// It draws its conclusion.
    Concluding,
    /// It has a conclusion.
    Completed,
    /// It has none and will have none.
    Failed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Initializing,
        Self::Analyzing,
        Self::Decomposing,
        Self::ExecutingAction,
        Self::Observing,
        Self::Verifying,
        Self::Synthesizing,
        Self::Concluding,
        Self::Completed,
        Self::Failed,
    ];

    /// Its name: `executing_action`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initializing => "initializing",
            Self::Analyzing => "analyzing",
            Self::Decomposing => "decomposing",
            Self::ExecutingAction => "executing_action",
            Self::Observing => "observing",
            Self::Verifying => "verifying",
            Self::Synthesizing => "synthesizing",
            Self::Concluding => "concluding",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }

    /// The states that may come next; [`State::Failed`] may come after all that are not terminal.
    #[must_use]
    pub const fn nexts(self) -> &'static [Self] {
        match self {
            Self::Initializing => &[Self::Analyzing, Self::Failed],
            Self::Analyzing => &[
                Self::Decomposing,
                Self::ExecutingAction,
                Self::Verifying,
                Self::Synthesizing,
                Self::Concluding,
                Self::Failed,
            ],
            Self::Decomposing => &[
                Self::Analyzing,
                Self::ExecutingAction,
                Self::Synthesizing,
                Self::Verifying,
                Self::Failed,
            ],
            Self::ExecutingAction => &[Self::Observing, Self::Failed],
            Self::Observing => {
                &[Self::Analyzing, Self::Verifying, Self::Synthesizing, Self::Failed]
            }
            Self::Verifying => &[
                Self::Analyzing,
                Self::Synthesizing,
                Self::Verifying,
                Self::Concluding,
                Self::Failed,
            ],
            Self::Synthesizing => &[Self::Verifying, Self::Concluding, Self::Failed],
            Self::Concluding => &[Self::Completed, Self::Verifying, Self::Failed],
            Self::Completed | Self::Failed => &[],
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
