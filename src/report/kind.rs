//! The kinds of views, by which a format says what it can write.

use super::View;

/// What a view is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The verdicts of a window.
    Report,
    /// The history under each of several rules.
    Backtest,
    /// One test.
    Show,
    /// What an ingest did.
    Ingest,
    /// What is wrong with some reports.
    Validate,
    /// The quarantine list.
    Quarantine,
    /// Changes to the quarantine list.
    QuarantineUpdate,
    /// What is wrong with the quarantine list.
    QuarantineLint,
    /// What the policy would have done to a history.
    QuarantineSimulation,
    /// Several methods side by side.
    Compare,
    /// The decision on a run.
    Gate,
    /// What a hunt found.
    Hunt,
    /// Who ran what.
    Workers,
    /// A suite in shards.
    Split,
    /// What shards really took.
    SplitReview,
    /// Which tests depend on which.
    Order,
    /// A whole window on one page.
    Dashboard,
    /// The answer to a question.
    Question,
}

impl Kind {
    /// The kind in words, for messages.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Report => "the verdicts of a window",
            Self::Backtest => "a back-test",
            Self::Show => "one test",
            Self::Ingest => "an ingest",
            Self::Validate => "a validation",
            Self::Quarantine => "the quarantine list",
            Self::QuarantineUpdate => "changes to the quarantine list",
            Self::QuarantineLint => "findings on the quarantine list",
            Self::QuarantineSimulation => "a simulation of the quarantine",
            Self::Compare => "a comparison of methods",
            Self::Gate => "the decision on a run",
            Self::Hunt => "a hunt",
            Self::Workers => "the work of several workers",
            Self::Split => "a suite in shards",
            Self::SplitReview => "what shards took",
            Self::Order => "a search for order dependence",
            Self::Dashboard => "a page of everything",
            Self::Question => "the answer to a question",
        }
    }
}

impl View<'_> {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Report(_) => Kind::Report,
            Self::Backtest(_) => Kind::Backtest,
            Self::Show(_) => Kind::Show,
            Self::Ingest(_) => Kind::Ingest,
            Self::Validate(_) => Kind::Validate,
            Self::Quarantine(_) => Kind::Quarantine,
            Self::QuarantineUpdate(_) => Kind::QuarantineUpdate,
            Self::QuarantineLint(_) => Kind::QuarantineLint,
            Self::QuarantineSimulation(_) => Kind::QuarantineSimulation,
            Self::Compare(_) => Kind::Compare,
            Self::Gate(_) => Kind::Gate,
            Self::Hunt(_) => Kind::Hunt,
            Self::Workers(_) => Kind::Workers,
            Self::Split(_) => Kind::Split,
            Self::SplitReview(_) => Kind::SplitReview,
            Self::Order(_) => Kind::Order,
            Self::Dashboard(_) => Kind::Dashboard,
            Self::Question(_) => Kind::Question,
        }
    }
}
