//! The steps of a chain of reasoning.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::state::State;

/// What a thought does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// Looks at the question, or at what there is.
    Analyze,
    /// Takes the question apart: a level deeper.
    Decompose,
    /// Puts together what there is.
    Synthesize,
    /// Looks for what is wrong with it.
    Critique,
}

impl Thinking {
    pub(super) const fn state(self) -> State {
        match self {
            Self::Analyze => State::Analyzing,
            Self::Decompose => State::Decomposing,
            Self::Synthesize => State::Synthesizing,
            Self::Critique => State::Verifying,
        }
    }
}

/// What a check of a claim came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The evidence is for it.
    Verified,
    /// The evidence is against it.
    Refuted,
    /// The evidence does not decide.
    Uncertain,
}

/// What a step is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StepKind {
    /// Something was thought.
    Thought {
        /// What the thought does.
        thinking: Thinking,
        /// The thought.
        content: String,
    },
    /// A tool was called.
    Action {
        /// The tool.
        tool_id: String,
        /// What it was given.
        input: Map<String, Value>,
    },
    /// What a tool gave back.
    Observation {
        /// The step that called it.
        action_id: String,
        /// The output, or why there is none.
        content: String,
        /// Whether there is an output.
        success: bool,
    },
    /// A claim was checked.
    Verification {
        /// The claim.
        claim: String,
        /// What speaks for it or against it; never empty.
        evidence: Vec<String>,
        /// What it came to.
        verdict: Verdict,
        /// Why.
        reasoning: String,
    },
    /// The answer.
    Conclusion(Conclusion),
}

impl StepKind {
    /// How much the step counts in the chain's confidence.
    #[must_use]
    pub const fn weight(&self) -> f64 {
        match self {
            Self::Thought { .. } => 1.0,
            Self::Action { .. } | Self::Observation { .. } => 0.5,
            Self::Verification { .. } => 2.0,
            Self::Conclusion(_) => 3.0,
        }
    }
}

/// An answer, and how far to trust it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    /// The answer.
    pub answer: String,
    /// How sure the model is, 0 to 1.
    pub confidence: f64,
    /// What to mind.
    #[serde(default)]
    pub caveats: Vec<String>,
    /// Why it is uncertain, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertain: Option<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its id in the chain: `step_1`.
    pub id: String,
    /// What it is.
    #[serde(flatten)]
    pub kind: StepKind,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
}
