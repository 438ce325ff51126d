//! Burst: does it fail more in the run after a failure?
//!
//! Such a test fails in spells: something around it is down for a while, or a failure leaves
//! something behind. Compared are consecutive runs of one lane.

use std::collections::BTreeMap;

use super::{Case, Cause, Finding, Share, Signal, Split};
use crate::model::Lane;

pub(super) const SIGNAL: Signal = Signal { name: "burst", ask };

/// Fewer runs than this after a failure, or after a pass, say nothing.
const FEWEST: u32 = 4;

fn ask(case: &Case<'_>) -> Option<Finding> {
    let mut last: BTreeMap<Lane, bool> = BTreeMap::new();
    let mut shares = [Share { failed: 0, runs: 0 }; 2];
    for trial in &case.trials.all {
        if let Some(failed_before) = last.insert(trial.run.lane, trial.failed) {
            let share = &mut shares[usize::from(!failed_before)];
            share.runs += 1;
            share.failed += u32::from(trial.failed);
        }
    }
    let split = Split { inside: shares[0], outside: shares[1] };
    if split.inside.runs < FEWEST || split.outside.runs < FEWEST {
        return None;
    }
    let p = case.factorials.at_least(split.table());
    Some(Finding { p, cause: Some(Cause::Burst { split }) })
}
