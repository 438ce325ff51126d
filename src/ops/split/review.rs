//! What the shards of the last build really took, against what they were likely to.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::analysis::split::{Balance, split, units};
use crate::model::{Micros, Shard};
use crate::ops::Watcher;
use crate::report::view::{RanView, SplitReviewView};
use crate::store::query::{RunNo, RunRow, TestNo};
use crate::store::{Store, StoreError};

use super::times::{Times, TimesRequest};

/// Why there is nothing to review.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// The history could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The window has no run.
    #[error("no run of this window has a report")]
    NoRuns,
}

/// What one shard ran.
#[derive(Debug, Default)]
struct Ran {
    tests: Vec<(TestNo, Micros)>,
}

/// Reviews the last build of a window; `build` names another one.
///
/// # Errors
/// [`ReviewError`].
pub fn review(
    store: &dyn Store,
    request: &TimesRequest,
    build: Option<&str>,
    watcher: &dyn Watcher,
) -> Result<SplitReviewView, ReviewError> {
    let runs = request.runs(store)?;
    let of_build = |run: &RunRow| build.is_none_or(|build| run.build.as_deref() == Some(build));
    let last = runs.iter().rev().find(|run| of_build(run)).ok_or(ReviewError::NoRuns)?;
    // The jobs of one build are one run, or several where each named a variant of its own.
    let same = |run: &&RunRow| match &last.build {
        Some(build) => run.build.as_ref() == Some(build) && run.attempt == last.attempt,
        None => run.no == last.no,
    };
    let mut reviewed: Vec<RunRow> = runs.iter().filter(same).cloned().collect();
    if last.build.is_none() {
        reviewed = without_build(store, &runs, last)?;
    }
    let is_reviewed = |run: &RunRow| reviewed.iter().any(|other| other.no == run.no);
    let earlier = |run: &&RunRow| run.started <= last.started && !is_reviewed(run);
    let before: Vec<RunRow> = runs.iter().filter(earlier).cloned().collect();
    let shards = ran(store, &reviewed, watcher)?;
    let times = Times::of_runs(store, &before, watcher)?;
    let names = names(store, &shards)?;
    Ok(view(request, last, &shards, &times, &names))
}

/// The last run and, where it is one shard, the newest run of each other shard of its commit.
fn without_build(
    store: &dyn Store,
    runs: &[RunRow],
    last: &RunRow,
) -> Result<Vec<RunRow>, StoreError> {
    let alike = |run: &&RunRow| {
        run.no == last.no
            || (run.build.is_none()
                && run.revision.is_some()
                && run.revision == last.revision
                && run.started <= last.started)
    };
    let maybe: Vec<RunRow> = runs.iter().filter(alike).cloned().collect();
    let mut shard_of: HashMap<RunNo, Shard> = HashMap::new();
    store.fold(&maybe, &mut |place, rows| {
        let shard = rows.reports.first().and_then(|report| report.shard.parse().ok());
        if let (Some(run), Some(shard), 1) = (maybe.get(place), shard, rows.reports.len()) {
            shard_of.insert(run.no, shard);
        }
    })?;
    let Some(of_last) = shard_of.get(&last.no) else { return Ok(vec![last.clone()]) };
    let mut met = HashSet::new();
    let newest = |run: &&RunRow| {
        let shard = shard_of.get(&run.no).filter(|shard| shard.all() == of_last.all());
        shard.is_some_and(|shard| met.insert(shard.place()))
    };
    let mut found: Vec<RunRow> = maybe.iter().rev().filter(newest).cloned().collect();
    found.reverse();
    Ok(found)
}

/// The shards of a build: its reports, put together by the shard that they name.
fn ran(
    store: &dyn Store,
    runs: &[RunRow],
    watcher: &dyn Watcher,
) -> Result<BTreeMap<String, Ran>, StoreError> {
    let mut shards: BTreeMap<String, Ran> = BTreeMap::new();
    store.fold(runs, &mut |place, rows| {
        let run = runs.get(place);
        let mut start = 0;
        for report in rows.reports {
            let end = report.end as usize;
            let job = run.and_then(|run| run.job.clone());
            let name = match (report.shard.is_empty(), job) {
                (false, _) => report.shard.clone(),
                // Each job stored a run of its own.
                (true, Some(job)) if runs.len() > 1 && rows.reports.len() == 1 => job,
                (true, _) => report.source.clone(),
            };
            let shard = shards.entry(name).or_default();
            for row in rows.rows.get(start..end).unwrap_or_default() {
                shard.tests.push((row.test, row.duration.unwrap_or(Micros(0))));
            }
            start = end;
        }
        watcher.step();
    })?;
    Ok(shards)
}

fn names(
    store: &dyn Store,
    shards: &BTreeMap<String, Ran>,
) -> Result<HashMap<TestNo, String>, StoreError> {
    let mut numbers: Vec<TestNo> =
        shards.values().flat_map(|shard| shard.tests.iter().map(|(test, _)| *test)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    Ok(store.tests(&numbers)?.into_iter().map(|row| (row.no, row.label())).collect())
}

fn view(
    request: &TimesRequest,
    last: &RunRow,
    shards: &BTreeMap<String, Ran>,
    times: &Times,
    names: &HashMap<TestNo, String>,
) -> SplitReviewView {
    let sum = |some: &mut dyn Iterator<Item = Micros>| {
        Micros(some.fold(0, |sum: u64, one| sum.saturating_add(one.0)))
    };
    let mut out = Vec::new();
    let (mut real, mut predicted) = (Vec::new(), Vec::new());
    for (name, shard) in shards {
        let took = sum(&mut shard.tests.iter().map(|(_, time)| *time));
        let likely = |test: &TestNo| times.of_number(*test);
        let known = shard.tests.iter().any(|(test, _)| likely(test).is_some());
        // A test without a past counts as what it took: it says nothing about the prediction.
        let wanted = sum(&mut shard.tests.iter().map(|(test, time)| likely(test).unwrap_or(*time)));
        let off = shard.tests.iter().filter_map(|(test, time)| {
            let more = time.0.checked_sub(likely(test)?.0)?;
            Some((more, *test))
        });
        let most = off.max_by_key(|(more, test)| (*more, std::cmp::Reverse(*test)));
        let most = most.filter(|(more, _)| *more > 0);
        real.push(took);
        predicted.push(wanted);
        out.push(RanView {
            shard: name.clone(),
            tests: shard.tests.len() as u64,
            seconds: took.as_seconds(),
            predicted_seconds: known.then(|| wanted.as_seconds()),
            most_off: most.and_then(|(_, test)| names.get(&test).cloned()).unwrap_or_default(),
            most_off_seconds: most.map_or(0.0, |(more, _)| Micros(more).as_seconds()),
        });
    }
    let any = out.iter().any(|shard| shard.predicted_seconds.is_some());
    out.sort_by(|one, other| {
        other.seconds.total_cmp(&one.seconds).then_with(|| one.shard.cmp(&other.shard))
    });
    let keys: Vec<(String, Micros)> = shards
        .values()
        .flat_map(|shard| &shard.tests)
        .map(|(test, time)| (test.0.to_string(), *time))
        .collect();
    let anew =
        split(&units(keys.iter().map(|(key, time)| (key.as_str(), *time))), shards.len() as u32);
    SplitReviewView {
        schema: SplitReviewView::SCHEMA,
        project: request.project.clone(),
        build: last.build.clone(),
        revision: last.revision.clone(),
        started: last.started.to_rfc3339(),
        real: Balance::of(real).map(Into::into),
        predicted: Balance::of(predicted).filter(|_| any).map(Into::into),
        possible: Balance::of(anew.loads.iter().map(|load| load.time)).map(Into::into),
        notes: notes(shards, last.build.is_none()),
        shards: out,
    }
}

fn notes(shards: &BTreeMap<String, Ran>, unnamed: bool) -> Vec<String> {
    if unnamed && shards.len() > 1 && shards.keys().all(|name| name.parse::<Shard>().is_ok()) {
        let newest = "nothing names this build: these are the newest reports of the shards of its \
                      commit";
        return vec![newest.to_owned()];
    }
    let alone = "this build has one shard; reports of several are one run where they share a build \
                 (--build, or the CI's own)";
    if shards.len() < 2 { vec![alone.to_owned()] } else { Vec::new() }
}
