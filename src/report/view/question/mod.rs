//! Answers to the questions that people ask of a history: each a published shape, and a sheet.

mod associations;
mod clusters;
mod costs;
mod healed;
mod owners;
mod revision;
mod since;
mod slower;

pub use associations::{AssociationView, AssociationsView};
pub use clusters::{ClusterTest, ClusterView, ClustersView, TogetherGroup};
pub use costs::{CostView, CostsView};
pub use healed::{HealedTest, HealedView};
pub use owners::{OwnerView, OwnersInput, OwnersView};
pub use revision::{FailedTest, RevisionInput, RevisionRun, RevisionView};
pub use since::{MovedTest, RateMoved, SinceInput, SinceView};
pub use slower::{PaceView, SlowerView};

use serde::Serialize;

use super::super::phrase;
use super::super::sheet::Sheet;
use super::{RunsView, TestLabel, WindowText, WindowView};
use crate::analysis::verdict::Judgement;
use crate::model::in_variant;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum QuestionView {
    /// Which tests cost most.
    Costs(CostsView),
    /// What is new since a moment.
    Since(Box<SinceView>),
    /// What one revision brought.
    Revision(RevisionView),
    /// Which failures are one and the same cause.
    Clusters(ClustersView),
    /// Who owns the tests that need a person.
    Owners(OwnersView),
    /// Does it only fail on one machine, shard, variant or hour.
    Associations(AssociationsView),
    /// Which tests got slower.
    Slower(SlowerView),
    /// What healed.
    Healed(HealedView),
}

impl QuestionView {
    /// The answer as a sheet.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        match self {
            Self::Costs(view) => view.sheet(),
            Self::Since(view) => view.sheet(),
            Self::Revision(view) => view.sheet(),
            Self::Clusters(view) => view.sheet(),
            Self::Owners(view) => view.sheet(),
            Self::Associations(view) => view.sheet(),
            Self::Slower(view) => view.sheet(),
            Self::Healed(view) => view.sheet(),
        }
    }
}

/// What every answer says of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AboutView {
    /// The name and version of the shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// Which runs were looked at.
    pub window: WindowView,
    /// The method that judged.
    pub method: &'static str,
    /// The runs of the window.
    pub runs: RunsView,
}

impl AboutView {
    /// Describes what was looked at.
    #[must_use]
    pub fn new(
        schema: &'static str,
        project: &str,
        window: &WindowText,
        judgement: &Judgement,
    ) -> Self {
        Self {
            schema,
            project: project.to_owned(),
            window: WindowView::new(window),
            method: judgement.method,
            runs: RunsView::new(&judgement.runs),
        }
    }

    /// The answer below its head; of a window without runs there is nothing to say.
    fn head(&self, title: &str, answer: Sheet) -> Sheet {
        let answer = match self.runs.total {
            0 => Sheet {
                lead: vec!["No runs in this window, so there is nothing to say yet.".to_owned()],
                ..Sheet::default()
            },
            _ => answer,
        };
        Sheet {
            title: title.to_owned(),
            project: self.project.clone(),
            window: phrase::window(&self.window, &self.runs),
            ..answer
        }
    }
}

/// A test that an answer names, in one variant or in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NamedTest {
    /// The test as it is printed and typed.
    pub test: String,
    /// The matrix cell; empty where runs have none, or where all are meant.
    pub variant: String,
    /// The test's identity, in hexadecimal.
    pub id: String,
    /// Its owners; empty where unknown.
    pub owners: Vec<String>,
}

impl NamedTest {
    /// Names a test.
    #[must_use]
    pub fn new(label: TestLabel, variant: &str) -> Self {
        Self {
            test: label.label,
            variant: variant.to_owned(),
            id: label.id.to_string(),
            owners: label.owners,
        }
    }

    /// The test with its variant behind it, as one prints it.
    #[must_use]
    pub fn label(&self) -> String {
        in_variant(&self.test, &self.variant)
    }
}

/// Three significant digits: small p-values are all digits that six decimals would cut off.
fn digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
