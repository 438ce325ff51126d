//! Host: does it fail more on one machine than on the others?
//!
//! Reports name the machine (`hostname`). Machines that live for one run only, as containers and
//! hosted runners do, can show nothing and cost nothing.

use super::contrast::{repeated, sharpest};
use super::{Case, Cause, Finding, Signal};

pub(super) const SIGNAL: Signal = Signal { name: "host", ask };

fn ask(case: &Case<'_>) -> Option<Finding> {
    let trials = &case.trials.all;
    let hosts = repeated(
        trials
            .iter()
            .map(|trial| case.history.origins.of(trial.seen.run, trial.seen.position)?.host),
    );
    let (host, split, p) = sharpest(trials, hosts.into_iter(), case.factorials)?;
    Some(Finding { p, cause: Some(Cause::Host { host: host.to_owned(), split }) })
}
