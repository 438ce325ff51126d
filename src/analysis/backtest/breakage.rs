//! Regressions of the main line, in hindsight: what a rule must not hide.

use std::collections::HashSet;

use crate::analysis::filter::episode::Attribution;
use crate::analysis::filter::observed;
use crate::analysis::filter::replay::Course;
use crate::analysis::history::{History, Unit};

/// From so many revisions on, failures in a row are a regression beyond the noise.
pub const BREAKAGE_REVISIONS_MIN: usize = 3;
/// From this probability on a cause is the cause.
pub const CAUSE_LIKELY: f64 = 0.5;

/// Failures in a row of one test on the main line that were no flakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakage {
    /// The runs that failed, oldest first.
    pub runs: Vec<u32>,
}

/// What caused the test's failure in a run, where the filter says.
#[must_use]
pub fn causes(course: Option<&Course>, run: u32) -> Option<Attribution> {
    let failures = &course?.failures;
    let place = failures.binary_search_by_key(&run, |failure| failure.run).ok()?;
    failures.get(place).map(|failure| failure.causes)
}

/// The regressions of one test: failures on the main line, each more likely a regression than
/// not, that lasted [`BREAKAGE_REVISIONS_MIN`] revisions or still last.
///
/// Failures in an outage say nothing and are passed over; anything else ends a regression.
#[must_use]
pub fn breakages(history: &History, unit: &Unit, course: Option<&Course>) -> Vec<Breakage> {
    let mut found = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    for seen in &unit.seen {
        let of_main = history.is_on_main(seen.run);
        if !of_main || observed(seen).is_none() {
            continue;
        }
        let causes = causes(course, seen.run).filter(|_| seen.outcome.is_bad());
        match causes {
            Some(causes) if causes.outage >= CAUSE_LIKELY => {}
            Some(causes) if causes.regression >= CAUSE_LIKELY => open.push(seen.run),
            _ => found.extend(lasting(history, std::mem::take(&mut open))),
        }
    }
    if !open.is_empty() {
        found.push(Breakage { runs: open });
    }
    found
}

fn lasting(history: &History, runs: Vec<u32>) -> Option<Breakage> {
    let named = runs.iter().filter_map(|run| history.run(*run)?.revision.as_deref());
    let revisions: HashSet<&str> = named.clone().collect();
    // A run without a revision is one of its own.
    let nameless = runs.len() - named.count();
    (revisions.len() + nameless >= BREAKAGE_REVISIONS_MIN).then_some(Breakage { runs })
}
