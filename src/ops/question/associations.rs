//! Does it only fail on one machine, shard, variant or hour?

use super::Scene;
use crate::report::view::question::AssociationsView;
use crate::store::StoreError;

/// All hints of the window.
///
/// # Errors
/// Where the history cannot be read.
pub fn associations(scene: &Scene<'_>) -> Result<AssociationsView, StoreError> {
    let judgement = &scene.judged.judgement;
    let hinted = judgement.verdicts.iter().filter(|verdict| !verdict.hints.is_empty());
    let names = scene.names(hinted.map(|verdict| verdict.test))?;
    let about = scene.about(AssociationsView::SCHEMA);
    let failures = scene.request.settings.hints.min_failures;
    let label = |verdict: &crate::analysis::verdict::Verdict| names.label(verdict.test);
    Ok(AssociationsView::new(about, judgement, failures, &label))
}
