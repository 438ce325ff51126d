//! Worker: does it fail more with one worker than with the others?
//!
//! Workers have numbers that return from run to run (`gw3`, slot 3), and with them what belongs to a
//! number: a port, a database, a directory. A name that appears once can show nothing.

use super::contrast::{repeated, sharpest};
use super::{Case, Cause, Finding, Signal};

pub(super) const SIGNAL: Signal = Signal { name: "worker", ask };

fn ask(case: &Case<'_>) -> Option<Finding> {
    let trials = &case.trials.all;
    let workers = repeated(
        trials
            .iter()
            .map(|trial| case.history.origins.of(trial.seen.run, trial.seen.position)?.worker),
    );
    let (worker, split, p) = sharpest(trials, workers.into_iter(), case.factorials)?;
    Some(Finding { p, cause: Some(Cause::Worker { worker: worker.to_owned(), split }) })
}
