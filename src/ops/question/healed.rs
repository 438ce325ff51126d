//! What healed?

use super::Scene;
use crate::analysis::healed;
use crate::report::view::question::HealedView;
use crate::store::StoreError;

/// The tests that were broken or flaky and pass now.
///
/// # Errors
/// Where the history cannot be read.
pub fn healed(scene: &Scene<'_>) -> Result<HealedView, StoreError> {
    let judgement = &scene.judged.judgement;
    let found = healed::healed(judgement);
    let verdicts = found.iter().filter_map(|one| judgement.verdicts.get(one.verdict));
    let names = scene.names(verdicts.map(|verdict| verdict.test))?;
    let about = scene.about(HealedView::SCHEMA);
    Ok(HealedView::new(about, judgement, &found, &|verdict| names.label(verdict.test)))
}
