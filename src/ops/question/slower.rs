//! Which tests got slower?

use super::Scene;
use crate::analysis::slower::{Pace, PaceBuilder, PaceSettings};
use crate::report::view::question::SlowerView;
use crate::store::StoreError;

/// The tests that take another time than before.
///
/// Costs one more fold over the window: times of healthy tests are not kept otherwise.
///
/// # Errors
/// Where the history cannot be read.
pub fn slower(scene: &Scene<'_>) -> Result<SlowerView, StoreError> {
    let settings = PaceSettings::default();
    let pace = pace(scene, &settings)?;
    let changed = pace.slower.iter().chain(&pace.faster).map(|one| one.test);
    let names = scene.names(changed)?;
    let runs = &scene.judged.judgement.runs;
    let about = scene.about(SlowerView::SCHEMA);
    Ok(SlowerView::new(about, &pace, &settings, runs, &|test| names.label(test)))
}

/// What changed its pace in the window.
///
/// # Errors
/// Where the history cannot be read.
pub(super) fn pace(scene: &Scene<'_>, settings: &PaceSettings) -> Result<Pace, StoreError> {
    scene.watcher.phase("comparing durations");
    let mut builder = PaceBuilder::new(&scene.judged.judgement.runs);
    scene.store.fold(&scene.judged.runs, &mut |place, rows| builder.add(place, rows))?;
    Ok(builder.finish(settings))
}
