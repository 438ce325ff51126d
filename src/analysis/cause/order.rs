//! Order: does it fail depending on how many tests ran before it?
//!
//! Only where the order changes from run to run, as under a random order. Counted is what ran
//! before it in the same report, not its share: a run that stops at the first failure would make
//! every failing test the last one.

use super::duration::median;
use super::{Case, Cause, Finding, Signal};
use crate::analysis::statistics::ranks::compare;

pub(super) const SIGNAL: Signal = Signal { name: "order", ask };

/// The order changes where nine of ten places lie apart by at least this part of a report…
const SPREAD_PART: f64 = 0.1;
/// … and by so many tests: new tests push the old ones along, which is no other order.
const SPREAD_LEAST: f64 = 3.0;

/// For each result: how many tests ran before it in its report, and how many the report has.
fn places(case: &Case<'_>) -> Option<Vec<(f64, f64)>> {
    let place = |trial: &super::Trial<'_>| {
        let place = case.history.origins.of(trial.seen.run, trial.seen.position)?;
        Some((f64::from(place.before), f64::from(place.rows)))
    };
    case.trials.all.iter().map(place).collect()
}

/// True where its place in the order changes from run to run.
pub(super) fn varies(case: &Case<'_>) -> bool {
    places(case).is_some_and(|places| is_spread(&places))
}

fn is_spread(places: &[(f64, f64)]) -> bool {
    let mut before: Vec<f64> = places.iter().map(|(before, _)| *before).collect();
    before.sort_by(f64::total_cmp);
    let cut = before.len() / 20;
    let (Some(low), Some(high)) = (before.get(cut), before.iter().rev().nth(cut)) else {
        return false;
    };
    let rows = median(places.iter().map(|(_, rows)| *rows).collect());
    high - low >= SPREAD_LEAST.max(SPREAD_PART * rows)
}

fn ask(case: &Case<'_>) -> Option<Finding> {
    let places = places(case).filter(|places| is_spread(places))?;
    let (mut failed, mut passed) = (Vec::new(), Vec::new());
    for (trial, (before, _)) in case.trials.all.iter().zip(places) {
        if trial.failed { failed.push(before) } else { passed.push(before) }
    }
    let difference = compare(&failed, &passed)?;
    let cause = Cause::Position { failed: median(failed) as u32, passed: median(passed) as u32 };
    Some(Finding { p: difference.p, cause: Some(cause) })
}
