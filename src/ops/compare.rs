//! Several methods on one window: read once, judged by each.

use crate::analysis::disagreement::disputes;
use crate::analysis::verdict::Judgement;
use crate::analysis::{self, Settings};
use crate::context::owners::Owners;
use crate::report::view::{CompareInput, CompareView};
use crate::store::Store;

use super::Watcher;
use super::judge::{Folded, JudgeRequest, JudgingError, Names, fold};

/// Judges the window by the method of the request and by each of `others`, and says where they
/// differ.
///
/// # Errors
/// An unusable history, or settings that make no sense.
pub fn compare(
    store: &dyn Store,
    request: &JudgeRequest,
    others: &[&str],
    owners: Option<Owners>,
    watcher: &dyn Watcher,
) -> Result<CompareView, JudgingError> {
    let Folded { history, .. } = fold(store, request, &[], watcher)?;
    watcher.phase("judging");
    let reference = request.settings.method.as_str();
    let rest = others.iter().copied().filter(|method| *method != reference);
    let judgements: Vec<Judgement> = std::iter::once(reference)
        .chain(rest)
        .map(|method| {
            let settings = Settings { method: method.to_owned(), ..request.settings.clone() };
            analysis::judge(&history, &settings)
        })
        .collect::<Result<_, _>>()?;
    let disputes = disputes(&judgements);
    let tests = disputes.iter().filter_map(|dispute| dispute.verdicts.first().copied());
    let names = Names::of(store, tests, owners)?;
    let window = request.window_text();
    let input = CompareInput { project: &request.project, window: &window, reference };
    Ok(CompareView::new(&judgements, &disputes, &|verdict| names.label(verdict.test), input))
}
