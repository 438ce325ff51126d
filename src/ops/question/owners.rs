//! Who owns the tests that fail?

use super::Scene;
use crate::report::view::question::{OwnersInput, OwnersView};
use crate::store::StoreError;

/// What each owner's tests are, and what they cost.
///
/// # Errors
/// Where the history cannot be read.
pub fn owners(scene: &Scene<'_>) -> Result<OwnersView, StoreError> {
    let judgement = &scene.judged.judgement;
    let names = scene.names(judgement.verdicts.iter().map(|verdict| verdict.test))?;
    let input = match scene.owners {
        Some(_) => OwnersInput::Known,
        None => OwnersInput::Unknown,
    };
    let about = scene.about(OwnersView::SCHEMA);
    Ok(OwnersView::new(about, judgement, input, &|verdict| names.label(verdict.test)))
}
