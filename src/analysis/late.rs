//! Late runs: an older revision that is built again after a newer one had its turn.
//!
//! Whoever looks for the commit that broke something builds old ones again, and a slow job of one
//! push may start after the next. By the clock such a run looks as if the code went back: a
//! breakage seems mended and broken anew. So it takes its place behind the other runs of its
//! revision, where what it says about that code belongs.

use std::collections::{BTreeMap, HashMap};

use crate::model::Lane;
use crate::store::query::RunRow;

/// Moves late runs of a line of revisions behind the last earlier run of their revision.
///
/// `runs` come oldest first; all others keep their order.
#[must_use]
pub fn settled(runs: Vec<RunRow>) -> Vec<RunRow> {
    let late = late(&runs);
    if late.is_empty() {
        return runs;
    }
    // Behind each run that another belongs behind: those others, in order.
    let mut followers: HashMap<usize, Vec<usize>> = HashMap::new();
    for (place, behind) in &late {
        followers.entry(*behind).or_default().push(*place);
    }
    let mut left: Vec<Option<RunRow>> = runs.into_iter().map(Some).collect();
    let mut settled = Vec::with_capacity(left.len());
    for place in 0..left.len() {
        if late.contains_key(&place) {
            continue;
        }
        let behind = followers.remove(&place).unwrap_or_default();
        let here = std::iter::once(place).chain(behind);
        settled.extend(here.filter_map(|place| left.get_mut(place)?.take()));
    }
    settled
}

/// The places of late runs, each with that of the run that it belongs behind, which is not late.
fn late(runs: &[RunRow]) -> BTreeMap<usize, usize> {
    let mut now: HashMap<(Lane, Option<&str>), &str> = HashMap::new();
    let mut last: HashMap<(Lane, Option<&str>, &str), usize> = HashMap::new();
    let mut late = BTreeMap::new();
    for (place, run) in runs.iter().enumerate() {
        let Some(revision) = run.revision.as_deref() else { continue };
        let line = (run.lane, run.branch.as_deref());
        let known = last.get(&(line.0, line.1, revision)).copied();
        match (known, now.get(&line)) {
            (Some(behind), Some(newest)) if *newest != revision => {
                late.insert(place, behind);
            }
            _ => {
                now.insert(line, revision);
                last.insert((line.0, line.1, revision), place);
            }
        }
    }
    late
}
