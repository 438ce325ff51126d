//! Shard: does it fail more in one part of a suite that was cut into several?
//!
//! Where somebody said which shard it is (`2/4`), that is asked. Else what repeats from run to run
//! tells: the name of a report's file (`junit-2.xml`), of the folder that it is in
//! (`shard-2/junit.xml`), and of the CI job.

use super::contrast::{repeated, sharpest};
use super::{Case, Cause, Finding, Shard, Signal};

pub(super) const SIGNAL: Signal = Signal { name: "shard", ask };

fn ask(case: &Case<'_>) -> Option<Finding> {
    let trials = &case.trials.all;
    let origin = |run, position| case.history.origins.of(run, position);
    let origins: Vec<_> =
        trials.iter().map(|trial| origin(trial.seen.run, trial.seen.position)).collect();
    let files = repeated(origins.iter().map(|origin| origin.map(|origin| origin.file)));
    let folders = repeated(origins.iter().map(|origin| origin.and_then(|origin| origin.folder)));
    let jobs = repeated(trials.iter().map(|trial| trial.run.job.as_deref()));
    let shard =
        |make: fn(String) -> Shard, (name, inside): (&str, _)| (make(name.to_owned()), inside);
    let named = repeated(origins.iter().map(|origin| origin.and_then(|origin| origin.shard)));
    let candidates = named
        .into_iter()
        .map(|name| shard(Shard::Named, name))
        .chain(files.into_iter().map(|file| shard(Shard::File, file)))
        .chain(folders.into_iter().map(|folder| shard(Shard::Folder, folder)))
        .chain(jobs.into_iter().map(|job| shard(Shard::Job, job)));
    let (shard, split, p) = sharpest(trials, candidates, case.factorials)?;
    Some(Finding { p, cause: Some(Cause::Shard { shard, split }) })
}
