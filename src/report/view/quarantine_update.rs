//! Changes to the quarantine list, proposed or made.

use serde::Serialize;

use super::StandingView;
use crate::model::in_variant;
use crate::quarantine::list::{Entry, Target};
use crate::quarantine::update::{Budget, Change};

/// One change.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChangeView {
    /// `enter`, `extend`, `release`, `expire`, `stale` or `remove`.
    pub action: &'static str,
    /// The test or the pattern.
    pub test: String,
    /// True where `test` is a pattern.
    pub pattern: bool,
    /// The pairs of the matrix cells that are meant; empty for all.
    pub variant: String,
    /// The source file of the test; empty where unknown.
    pub file: String,
    /// Who should mend it.
    pub owner: Option<String>,
    /// Where the repair is tracked.
    pub ticket: Option<String>,
    /// The day it came in.
    pub since: Option<String>,
    /// The day it must be out, after the change.
    pub expires: Option<String>,
    /// Why, as a sentence.
    pub why: String,
    /// The numbers behind it; `None` where nobody asked the history.
    pub now: Option<StandingView>,
}

impl ChangeView {
    /// A change of the plan; `file` is where its test stands.
    #[must_use]
    pub fn new(change: &Change, file: String) -> Self {
        Self {
            why: change.why.clone(),
            now: Some(StandingView::new(&change.figures)),
            file,
            ..Self::of_entry(change.action.word(), &change.entry)
        }
    }

    /// What is done to an entry.
    #[must_use]
    pub fn of_entry(action: &'static str, entry: &Entry) -> Self {
        Self {
            action,
            test: entry.target.to_string(),
            pattern: matches!(entry.target, Target::Pattern(_)),
            variant: entry.variant.to_string(),
            owner: entry.owner.clone(),
            ticket: entry.ticket.clone(),
            since: entry.since.map(|day| day.to_string()),
            expires: entry.expires.map(|day| day.to_string()),
            why: entry.reason.clone().unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The test with the cells that are meant.
    #[must_use]
    pub fn name(&self) -> String {
        in_variant(&self.test, &self.variant)
    }
}

/// A test that does not belong on the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WithheldView {
    /// The test.
    pub test: String,
    /// Why, to stand behind its name and a colon.
    pub why: String,
}

/// How full the list is, in tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BudgetView {
    /// At most so many.
    pub limit: u64,
    /// So many before.
    pub before: u64,
    /// So many after.
    pub after: u64,
}

impl From<Budget> for BudgetView {
    fn from(budget: Budget) -> Self {
        Self {
            limit: budget.limit.into(),
            before: budget.before.into(),
            after: budget.after.into(),
        }
    }
}

/// Whether changes are proposed or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Applied {
    /// Nothing was written.
    #[default]
    Proposed,
    /// The file holds them.
    Written,
}

/// Changes to the list: `flakedb quarantine update`, `add` and `remove`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UpdateView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// Which runs were looked at, in words; empty where none were.
    pub window: String,
    /// The file.
    pub list: String,
    /// The day on which terms were looked at, in UTC.
    pub today: String,
    /// `proposed` or `written`.
    pub state: Applied,
    /// The changes.
    pub changes: Vec<ChangeView>,
    /// What would enter if the budget allowed, the most harmful first.
    pub refused: Vec<ChangeView>,
    /// Entries that stay as they are.
    pub kept: u64,
    /// Why some tests do not belong on the list: flaky ones that do not enter, and broken ones that
    /// a pattern or a rule hides.
    pub withheld: Vec<WithheldView>,
    /// How full the list is; `None` where nobody asked the history.
    pub budget: Option<BudgetView>,
    /// What a test must do to be released, and how long an entry holds, in words.
    pub policy: Vec<String>,
}

impl UpdateView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.quarantine-update.v1";

    /// The changes of one action.
    pub fn of<'a>(&'a self, action: &'a str) -> impl Iterator<Item = &'a ChangeView> {
        self.changes.iter().filter(move |change| change.action == action)
    }
}

impl Default for UpdateView {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA,
            project: String::new(),
            window: String::new(),
            list: String::new(),
            today: String::new(),
            state: Applied::Proposed,
            changes: Vec::new(),
            refused: Vec::new(),
            kept: 0,
            withheld: Vec::new(),
            budget: None,
            policy: Vec::new(),
        }
    }
}
