//! Which reports are one run.

use std::collections::{BTreeMap, HashSet};

use super::{BatchRun, Pending};
use crate::model::hash::RunKey;

/// Reports with a build go by its key; others by context and group, unless they share a test.
pub(super) fn runs(pending: Vec<Pending>) -> Vec<BatchRun> {
    let mut built: BTreeMap<RunKey, Vec<Pending>> = BTreeMap::new();
    let mut folders: BTreeMap<String, Vec<Pending>> = BTreeMap::new();
    let mut runs = Vec::new();
    for one in pending {
        match (&one.context.build, &one.group) {
            (Some(_), _) => built.entry(one.context.key(one.entry.hash)).or_default().push(one),
            (None, Some(group)) => {
                let key = format!("{group}\n{:?}", one.context);
                folders.entry(key).or_default().push(one);
            }
            (None, None) => runs.extend(run_of(vec![one])),
        }
    }
    runs.extend(built.into_values().filter_map(run_of));
    for folder in folders.into_values() {
        if are_disjoint(&folder) {
            runs.extend(run_of(folder));
        } else {
            let mut hashes = HashSet::new();
            let once = folder.into_iter().filter(|one| hashes.insert(one.entry.hash));
            runs.extend(once.filter_map(|one| run_of(vec![one])));
        }
    }
    runs
}

/// True where no test is in two of these reports, which are of one project.
fn are_disjoint(folder: &[Pending]) -> bool {
    let places = || folder.iter().flat_map(|one| one.entry.tests.iter()).map(|test| test as usize);
    let mut seen = vec![false; places().max().map_or(0, |last| last + 1)];
    places().all(|place| seen.get_mut(place).is_some_and(|seen| !std::mem::replace(seen, true)))
}

fn run_of(mut pending: Vec<Pending>) -> Option<BatchRun> {
    pending.sort_by(|left, right| {
        let key = |one: &Pending| (one.entry.started, one.entry.hash);
        key(left).cmp(&key(right)).then_with(|| left.entry.source.cmp(&right.entry.source))
    });
    let context = pending.first()?.context.clone();
    let mut run = BatchRun { context, entries: Vec::with_capacity(pending.len()) };
    let mut hashes = HashSet::new();
    for one in pending {
        run.absorb(&one.context);
        if hashes.insert(one.entry.hash) {
            run.entries.push(one.entry);
        }
    }
    Some(run)
}
