//! Which tests cost most?

use super::Scene;
use crate::report::view::question::CostsView;
use crate::store::StoreError;

/// The tests that cost anything, the dearest first.
///
/// # Errors
/// Where the history cannot be read.
pub fn costs(scene: &Scene<'_>) -> Result<CostsView, StoreError> {
    let judgement = &scene.judged.judgement;
    let dear = judgement.verdicts.iter().filter(|verdict| CostsView::lists(verdict));
    let names = scene.names(dear.map(|verdict| verdict.test))?;
    let about = scene.about(CostsView::SCHEMA);
    Ok(CostsView::new(about, judgement, &|verdict| names.label(verdict.test)))
}
