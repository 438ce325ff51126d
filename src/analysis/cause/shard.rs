//! Shard: does it fail more in one part of a suite that was cut into several?
//!
//! Nothing in a report says which shard it is. What repeats from run to run does: the name of its
//! file (`junit-2.xml`), of the folder that it is in (`shard-2/junit.xml`), and of the CI job.

use std::collections::BTreeSet;

use super::contrast::sharpest;
use super::{Case, Cause, Finding, Shard, Signal};

pub(super) const SIGNAL: Signal = Signal { name: "shard", ask };

fn ask(case: &Case<'_>) -> Option<Finding> {
    let trials = &case.trials.all;
    let shards: Vec<[Option<Shard>; 3]> = trials
        .iter()
        .map(|trial| {
            let origin = case.history.origins.of(trial.seen.run, trial.seen.position);
            let folder = origin.and_then(|origin| origin.folder);
            [
                origin.map(|origin| Shard::File(origin.file.to_owned())),
                folder.map(|folder| Shard::Folder(folder.to_owned())),
                trial.run.job.clone().map(Shard::Job),
            ]
        })
        .collect();
    let names: BTreeSet<Shard> = shards.iter().flatten().flatten().cloned().collect();
    let candidates = names.into_iter().map(|name| {
        let inside = shards.iter().map(|shards| shards.iter().flatten().any(|one| *one == name));
        let inside = inside.collect();
        (name, inside)
    });
    let (shard, split, p) = sharpest(trials, candidates, case.factorials)?;
    Some(Finding { p, cause: Some(Cause::Shard { shard, split }) })
}
