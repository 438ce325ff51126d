//! Company: does it fail more in runs with several workers than in those with one?
//!
//! What fails only beside others shares something with them. A run whose reports name no worker
//! counts as one with a single worker, and the hint says so: most runners name workers only where
//! there are several.

use super::contrast::sharpest;
use super::{Case, Cause, Finding, Signal};

pub(super) const SIGNAL: Signal = Signal { name: "company", ask };

fn ask(case: &Case<'_>) -> Option<Finding> {
    let trials = &case.trials.all;
    let workers: Vec<u32> =
        trials.iter().map(|trial| case.history.origins.workers(trial.seen.run)).collect();
    let several = workers.iter().map(|workers| *workers > 1).collect();
    let ((), split, p) = sharpest(trials, std::iter::once(((), several)), case.factorials)?;
    let unnamed = workers.contains(&0);
    Some(Finding { p, cause: Some(Cause::Company { unnamed, split }) })
}
