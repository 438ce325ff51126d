//! Which failures are one and the same cause?

use std::collections::HashMap;

use super::Scene;
use crate::analysis::alike::{AlikeFailures, Look, alike};
use crate::analysis::company::{CompanySettings, company};
use crate::model::Failure;
use crate::report::view::question::ClustersView;
use crate::store::StoreError;
use crate::store::query::FailureNo;

/// Failures whose texts are held at one time, to tell what they look like.
const FAILURES_AT_ONCE: usize = 1_000;

/// The failures of the window by what they look like, and the tests that fail together.
///
/// # Errors
/// Where the history cannot be read.
pub fn clusters(scene: &Scene<'_>) -> Result<ClustersView, StoreError> {
    let judgement = &scene.judged.judgement;
    scene.watcher.phase("reading failures");
    let bad = scene.store.bad_results(&scene.request.project, &scene.judged.runs, None)?;
    let mut wanted: Vec<FailureNo> = bad.iter().filter_map(|row| row.failure).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut looks: HashMap<FailureNo, Look> = HashMap::with_capacity(wanted.len());
    for some in wanted.chunks(FAILURES_AT_ONCE) {
        let rows = scene.store.failures(some)?;
        let look =
            |row: &crate::store::query::FailureRow| Look { signature: row.signature, id: row.id };
        looks.extend(rows.iter().map(|row| (row.no, look(row))));
    }
    let found = alike(&bad, &looks, &judgement.runs);
    let examples = examples(scene, &found)?;
    let company = company(judgement, &CompanySettings::default());
    let in_groups = found.groups.iter().flat_map(|group| &group.tests);
    let together = company.groups.iter().flat_map(|group| &group.tests);
    let names = scene.names(in_groups.chain(together).map(|(test, _)| *test))?;
    let about = scene.about(ClustersView::SCHEMA);
    Ok(ClustersView::new(about, &found, &examples, &company, &|test| names.label(test)))
}

/// The failures that groups show.
fn examples(
    scene: &Scene<'_>,
    found: &AlikeFailures,
) -> Result<HashMap<FailureNo, Failure>, StoreError> {
    let wanted: Vec<FailureNo> = found.groups.iter().map(|group| group.example).collect();
    let mut examples = HashMap::with_capacity(wanted.len());
    for some in wanted.chunks(FAILURES_AT_ONCE) {
        for row in scene.store.failures(some)? {
            let failure = Failure { kind: row.kind, message: row.message, text: row.text };
            examples.insert(row.no, failure);
        }
    }
    Ok(examples)
}
