//! Questions that people ask of a history: one file each, and one line in [`answer`].

pub mod associations;
pub mod clusters;
pub mod costs;
pub mod healed;
pub mod owners;
pub mod revision;
pub mod since;
pub mod slower;

use crate::context::owners::Owners;
use crate::model::Timestamp;
use crate::report::view::QuestionView;
use crate::report::view::question::AboutView;
use crate::store::{Store, StoreError};

use super::Watcher;
use super::judge::{JudgeRequest, Judged, JudgingError, Names, judge};
use crate::store::query::TestNo;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Which tests cost most?
    Costs,
    /// What is new since this moment?
    Since(Moment),
    /// What did this revision, or the one that begins so, bring?
    Revision(String),
    /// Which failures are one and the same cause?
    Clusters,
    /// Who owns the tests that fail?
    Owners,
    /// Does it only fail on one machine, shard, variant or hour?
    Associations,
    /// Which tests got slower?
    Slower,
    /// What healed?
    Healed,
}

/// A moment of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// So long before the last run of the window.
    Ago {
        /// In milliseconds.
        millis: i64,
    },
    /// This time.
    At(Timestamp),
    /// The first run of this revision, or of the one that begins so.
    Revision(String),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// The window could not be judged.
    #[error(transparent)]
    Judging(#[from] JudgingError),
    /// No run of the window says which revision it tested.
    #[error("no run of this window has a revision")]
    NoRevisions,
    /// What was typed is no revision of the window.
    #[error("no revision in the window begins with `{typed}`; the latest are:{latest}")]
    NoRevision {
        /// What was typed.
        typed: String,
        /// The latest revisions, a line each.
        latest: String,
    },
    /// What was typed could be several revisions.
    #[error("`{typed}` could be {count} revisions:{list}")]
    SeveralRevisions {
        /// What was typed.
        typed: String,
        /// How many.
        count: usize,
        /// Some of them, a line each.
        list: String,
    },
}

impl From<StoreError> for QuestionError {
    fn from(error: StoreError) -> Self {
        Self::Judging(error.into())
    }
}

/// What an answer is made from.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The history.
    pub store: &'a dyn Store,
    /// Which runs were judged, and how.
    pub request: &'a JudgeRequest,
    /// What came of it.
    pub judged: &'a Judged,
    /// Whose files are whose, where it is known.
    pub owners: Option<&'a Owners>,
    /// The hash of what git calls so.
    pub commit_of: &'a dyn Fn(&str) -> Option<String>,
    /// Who follows.
    pub watcher: &'a dyn Watcher,
}

impl Scene<'_> {
    fn about(&self, schema: &'static str) -> AboutView {
        let window = self.request.window_text();
        AboutView::new(schema, &self.request.project, &window, &self.judged.judgement)
    }

    fn names(&self, tests: impl IntoIterator<Item = TestNo>) -> Result<Names, StoreError> {
        Names::of_tests(self.store, tests, self.owners.cloned())
    }
}

/// Answers a question about the window of a request; `commit_of` gives the hash of what git calls so.
///
/// # Errors
/// An unusable history, settings that make no sense, or a revision that is none.
pub fn answer(
    question: &Question,
    store: &dyn Store,
    request: &JudgeRequest,
    owners: Option<&Owners>,
    commit_of: &dyn Fn(&str) -> Option<String>,
    watcher: &dyn Watcher,
) -> Result<QuestionView, QuestionError> {
    let judged = judge(store, request, &[], watcher)?;
    let scene = Scene { store, request, judged: &judged, owners, commit_of, watcher };
    Ok(match question {
        Question::Costs => QuestionView::Costs(costs::costs(&scene)?),
        Question::Since(moment) => QuestionView::Since(Box::new(since::since(&scene, moment)?)),
        Question::Revision(typed) => QuestionView::Revision(revision::revision(&scene, typed)?),
        Question::Clusters => QuestionView::Clusters(clusters::clusters(&scene)?),
        Question::Owners => QuestionView::Owners(owners::owners(&scene)?),
        Question::Associations => QuestionView::Associations(associations::associations(&scene)?),
        Question::Healed => QuestionView::Healed(healed::healed(&scene)?),
        Question::Slower => QuestionView::Slower(slower::slower(&scene)?),
    })
}
