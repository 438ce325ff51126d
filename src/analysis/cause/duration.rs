//! Duration: does a failure take longer than a pass, or is it over sooner?
//!
//! Longer points to waiting that ran into its limit, sooner to something that was wrong from the
//! start. The time of a retried pass is that of the pass and is left out.

use super::{Case, Cause, Finding, Signal};
use crate::analysis::statistics::ranks::compare;
use crate::model::Micros;

pub(super) const SIGNAL: Signal = Signal { name: "duration", ask };

/// Fewer times than this on either side say nothing.
const FEWEST: usize = 4;
/// Only from this factor on, and its opposite, is a difference worth a person's look (measured on
/// real reruns: 28 of 32 that differ do so by more).
const FACTOR: f64 = 1.25;
/// Writing down a failure takes some milliseconds itself: 20 where pytest first takes a comparison
/// of dates apart under a frozen clock.
const LEAST_MICROS: f64 = 50_000.0;

fn ask(case: &Case<'_>) -> Option<Finding> {
    let (mut failed, mut passed) = (Vec::new(), Vec::new());
    for trial in &case.trials.all {
        let Some(Micros(duration)) = trial.seen.duration() else { continue };
        match (trial.failed, trial.seen.outcome.is_bad()) {
            (true, true) => failed.push(duration as f64),
            (false, false) => passed.push(duration as f64),
            _ => {}
        }
    }
    if failed.len() < FEWEST || passed.len() < FEWEST {
        return None;
    }
    let difference = compare(&failed, &passed)?;
    let (failed, passed) = (median(failed), median(passed));
    let factor = failed.max(1.0) / passed.max(1.0);
    let telling =
        !(1.0 / FACTOR..FACTOR).contains(&factor) && (failed - passed).abs() >= LEAST_MICROS;
    let cause = Cause::Duration { failed: Micros(failed as u64), passed: Micros(passed as u64) };
    Some(Finding { p: difference.p, cause: telling.then_some(cause) })
}

/// The lower of the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
