//! A chain of reasoning: its steps, one after the other as its states allow.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use super::state::State;
use super::step::{Conclusion, Step, StepKind, Thinking, Verdict};
use super::traps::Trap;

/// Characters of a query, at most.
pub const QUERY_CHARS_MAX: usize = 5_000;
/// How sure a thought is: nothing speaks for it or against it.
const THOUGHT: f64 = 0.5;

/// A chain of reasoning.
///
/// ```
/// use flakedb::testkit::nodes::types::reasoning::{Chain, Conclusion, State, Thinking};
///
/// let mut chain = Chain::begin("What is 2 + 2?", None)?;
/// chain.think(Thinking::Analyze, "Two and two are four.")?;
/// let answer = "4".to_owned();
/// chain.conclude(Conclusion { answer, confidence: 0.9, caveats: vec![], uncertain: None })?;
/// assert_eq!(chain.state(), State::Completed);
/// assert!(chain.think(Thinking::Analyze, "Or not?").is_err());
/// # Ok::<(), flakedb::testkit::nodes::types::reasoning::ChainError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chain {
    id: String,
    query: String,
    state: State,
    steps: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trap: Option<Trap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<DateTime<Utc>>,
}

/// What a chain cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A query is too short or too long.
    #[error("a query of {0} characters; it needs 1 to {QUERY_CHARS_MAX}")]
    Query(usize),
    /// One state does not follow the other.
    #[error("{to} cannot follow {from}; {} can", names(from.nexts()))]
    Move {
        /// Where the chain is.
        from: State,
        /// Where it was to go.
        to: State,
    },
    /// A result without its action.
    #[error("an observation of `{0}`, which is no action of the chain")]
    NoAction(String),
    /// A check that rests on nothing.
    #[error("a verification needs a claim and evidence")]
    NoEvidence,
}

fn names(states: &[State]) -> String {
    match states {
        [] => "nothing".to_owned(),
        states => states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(", "),
    }
}

impl Chain {
    /// A chain about a query of 1 to 5,000 characters.
    ///
    /// # Errors
    /// Where the query is shorter or longer.
    pub fn begin(query: &str, trap: Option<Trap>) -> Result<Self, ChainError> {
        let length = query.chars().count();
        if !(1..=QUERY_CHARS_MAX).contains(&length) {
            return Err(ChainError::Query(length));
        }
        let hex = uuid::Uuid::new_v4().simple().to_string();
        Ok(Self {
            id: format!("chain_{}", hex.get(..12).unwrap_or(&hex)),
            query: query.to_owned(),
            state: State::Initializing,
            steps: Vec::new(),
            trap,
            completed_at: None,
        })
    }

    /// Its id: `chain_` and twelve hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is about.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Its steps, in order; ids are never used twice.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The trap that its query was found to be.
    #[must_use]
    pub fn trap(&self) -> Option<Trap> {
        self.trap
    }

    /// Adds a thought. The first one may follow at once: the chain is then analyzing.
    ///
    /// # Errors
    /// Where such a thought cannot follow.
    pub fn think(&mut self, thinking: Thinking, content: &str) -> Result<(), ChainError> {
        // A thought of the same kind goes on where the chain is.
        if self.state != thinking.state() {
            self.go(thinking.state())?;
        }
        self.push(StepKind::Thought { thinking, content: content.to_owned() }, THOUGHT);
        Ok(())
    }

    /// Adds a call of a tool, and gives its id.
    ///
    /// # Errors
    /// Where none can follow.
    pub fn act(&mut self, tool_id: &str, input: Map<String, Value>) -> Result<String, ChainError> {
        self.go(State::ExecutingAction)?;
        Ok(self.push(StepKind::Action { tool_id: tool_id.to_owned(), input }, THOUGHT))
    }

    /// Adds what a tool gave back; the action is then as sure as that.
    ///
    /// # Errors
    /// Where no tool runs, or the action is another one.
    pub fn observe(
        &mut self,
        action_id: &str,
        content: &str,
        success: bool,
    ) -> Result<(), ChainError> {
        let sure = f64::from(u8::from(success));
        let is_action =
            |step: &&mut Step| step.id == action_id && matches!(step.kind, StepKind::Action { .. });
        let action = self.steps.iter_mut().find(is_action);
        let action = action.ok_or_else(|| ChainError::NoAction(action_id.to_owned()))?;
        if !self.state.nexts().contains(&State::Observing) {
            return Err(ChainError::Move { from: self.state, to: State::Observing });
        }
        action.confidence = sure;
        self.go(State::Observing)?;
        let (action_id, content) = (action_id.to_owned(), content.to_owned());
        self.push(StepKind::Observation { action_id, content, success }, sure);
        Ok(())
    }

    /// Begins to check a claim; what comes of it is added by [`Chain::verified`].
    ///
    /// # Errors
    /// Where nothing can be checked.
    pub fn verify(&mut self) -> Result<(), ChainError> {
        self.go(State::Verifying)
    }

    /// Adds what a check came to.
    ///
    /// # Errors
    /// Where nothing is being checked, or the claim or the evidence is missing.
    pub fn verified(
        &mut self,
        claim: &str,
        evidence: Vec<String>,
        verdict: Verdict,
        reasoning: &str,
    ) -> Result<(), ChainError> {
        if self.state != State::Verifying {
            return Err(ChainError::Move { from: self.state, to: State::Verifying });
        }
        if claim.is_empty() || evidence.is_empty() {
            return Err(ChainError::NoEvidence);
        }
        let sure = match verdict {
            Verdict::Verified => 1.0,
            Verdict::Uncertain => 0.5,
            Verdict::Refuted => 0.0,
        };
        let (claim, reasoning) = (claim.to_owned(), reasoning.to_owned());
        self.push(StepKind::Verification { claim, evidence, verdict, reasoning }, sure);
        Ok(())
    }

    /// Adds the conclusion: the chain is completed.
    ///
    /// # Errors
    /// Where none can follow.
    pub fn conclude(&mut self, conclusion: Conclusion) -> Result<(), ChainError> {
        if self.state != State::Concluding {
            self.go(State::Concluding)?;
        }
        let sure = conclusion.confidence;
        self.push(StepKind::Conclusion(conclusion), sure);
        self.completed_at = Some(Utc::now());
        self.go(State::Completed)
    }

    /// Gives up. A chain that has ended stays as it is.
    pub fn fail(&mut self) {
        if !self.state.is_terminal() {
            self.state = State::Failed;
        }
    }

    /// Goes to another state.
    ///
    /// # Errors
    /// Where it cannot follow.
    pub fn go(&mut self, to: State) -> Result<(), ChainError> {
        if self.state == State::Initializing && to != State::Analyzing {
            self.go(State::Analyzing)?;
        }
        let from = self.state;
        match from.nexts().contains(&to) {
            true => {
                self.state = to;
                Ok(())
            }
            false => Err(ChainError::Move { from, to }),
        }
    }

    /// Checks whose evidence was for the claim.
    #[must_use]
    pub fn verifications(&self) -> usize {
        let is_for = |step: &&Step| {
            matches!(step.kind, StepKind::Verification { verdict: Verdict::Verified, .. })
        };
        self.steps.iter().filter(is_for).count()
    }

    /// How often the question was taken apart.
    #[must_use]
    pub fn depth(&self) -> usize {
        let is_deeper = |step: &&Step| {
            matches!(step.kind, StepKind::Thought { thinking: Thinking::Decompose, .. })
        };
        self.steps.iter().filter(is_deeper).count()
    }

    /// How sure all of it is, 0 to 1: the mean of its steps by their [weights](StepKind::weight); 0
    /// where there are none.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        let weights: f64 = self.steps.iter().map(|step| step.kind.weight()).sum();
        let sure: f64 = self.steps.iter().map(|step| step.kind.weight() * step.confidence).sum();
        if weights > 0.0 { sure / weights } else { 0.0 }
    }

    fn push(&mut self, kind: StepKind, confidence: f64) -> String {
        let id = format!("step_{}", self.steps.len() + 1);
        self.steps.push(Step { id: id.clone(), kind, confidence });
        id
    }
}
