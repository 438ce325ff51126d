//! Host: does it fail more on one machine than on the others?
//!
//! Reports name the machine (`hostname`). Machines that live for one run only, as containers and
//! hosted runners do, can show nothing and cost nothing.

use std::collections::BTreeSet;

use super::contrast::sharpest;
use super::{Case, Cause, Finding, Signal};

pub(super) const SIGNAL: Signal = Signal { name: "host", ask };

fn ask(case: &Case<'_>) -> Option<Finding> {
    let trials = &case.trials.all;
    let hosts: Vec<Option<&str>> = trials
        .iter()
        .map(|trial| case.history.origins.of(trial.seen.run, trial.seen.position)?.host)
        .collect();
    let names: BTreeSet<&str> = hosts.iter().copied().flatten().collect();
    let candidates = names
        .into_iter()
        .map(|name| (name, hosts.iter().map(|host| *host == Some(name)).collect()));
    let (name, split, p) = sharpest(trials, candidates, case.factorials)?;
    Some(Finding { p, cause: Some(Cause::Host { host: name.to_owned(), split }) })
}
