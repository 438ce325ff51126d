//! Questions that people ask of a history: one file each, and one line in [`answer`].

pub mod clusters;
pub mod owners;
pub mod slower;

use crate::context::owners::Owners;
use crate::report::view::QuestionView;
use crate::report::view::question::AboutView;
use crate::store::{Store, StoreError};

use super::Watcher;
use super::judge::{JudgeRequest, Judged, JudgingError, Names, judge};
use crate::store::query::TestNo;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Which failures are one and the same cause?
    Clusters,
    /// Who owns the tests that fail?
    Owners,
    /// Which tests got slower?
    Slower,
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

/// Answers a question about the window of a request.
///
/// # Errors
/// An unusable history, or settings that make no sense.
pub fn answer(
    question: &Question,
    store: &dyn Store,
    request: &JudgeRequest,
    owners: Option<&Owners>,
    watcher: &dyn Watcher,
) -> Result<QuestionView, JudgingError> {
    let judged = judge(store, request, &[], watcher)?;
    let scene = Scene { store, request, judged: &judged, owners, watcher };
    Ok(match question {
        Question::Clusters => QuestionView::Clusters(clusters::clusters(&scene)?),
        Question::Owners => QuestionView::Owners(owners::owners(&scene)?),
        Question::Slower => QuestionView::Slower(slower::slower(&scene)?),
    })
}
