//! What is new since a moment?

use super::{Moment, QuestionError, Scene, revision};
use crate::analysis::changes::{Side, changes};
use crate::model::Timestamp;
use crate::ops::judge::{JudgeRequest, judge};
use crate::report::view::WindowText;
use crate::report::view::question::{SinceInput, SinceView};
use crate::store::query::TestNo;

/// What changed from the window that ended at the moment to the one that ends now, both judged by
/// one method.
///
/// # Errors
/// An unusable history, settings that make no sense, or a revision that is none.
pub fn since(scene: &Scene<'_>, moment: &Moment) -> Result<SinceView, QuestionError> {
    let now = scene.judged;
    let newest = now.judgement.runs.iter().map(|run| run.started).max().unwrap_or(Timestamp(0));
    let (at, revision) = match moment {
        Moment::Ago { millis } => (Timestamp(newest.0.saturating_sub(*millis)), None),
        Moment::At(time) => (*time, None),
        Moment::Revision(typed) => {
            let (revision, started) =
                revision::resolve(&now.judgement.runs, typed, scene.commit_of)?;
            (started, Some(revision))
        }
    };
    let window = WindowText {
        until: Some(scene.request.window.until.map_or(at, |until| until.min(at))),
        ..scene.request.window.clone()
    };
    let request = JudgeRequest { window, ..scene.request.clone() };
    let before = judge(scene.store, &request, &[], scene.watcher)?;
    let found = changes(
        Side { judgement: &before.judgement, history: &before.history },
        Side { judgement: &now.judgement, history: &now.history },
        at,
    );
    let verdicts = now.judgement.verdicts.iter().chain(&before.judgement.verdicts);
    let names = scene.names(verdicts.map(|verdict| verdict.test))?;
    let is_new = |test: &TestNo| names.row(*test).is_some_and(|row| row.first_seen >= at);
    let mut appeared: Vec<TestNo> =
        now.judgement.verdicts.iter().map(|verdict| verdict.test).filter(is_new).collect();
    appeared.sort_unstable();
    appeared.dedup();
    if before.judgement.runs.is_empty() {
        appeared.clear();
    }
    let input = SinceInput {
        moment: at,
        revision: revision.as_deref(),
        window_before: &request.window_text(),
        before: &before.judgement,
        now: &now.judgement,
        changes: &found,
        appeared: &appeared,
        names: &|test| names.label(test),
    };
    Ok(SinceView::new(scene.about(SinceView::SCHEMA), input))
}
