//! Which run each result of a report belongs to: dialect variants are runs of their own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{Attempt, Report, RunContext, TestResult};
use crate::store::attempts::{Overlap, judge_pair};

/// The results of a report that belong to one run.
pub(super) struct Part<'a> {
    pub(super) context: RunContext,
    pub(super) results: Vec<Cow<'a, TestResult>>,
    /// Their places in the report.
    pub(super) places: Vec<usize>,
    /// True where this is the whole report, so that its own counts hold.
    pub(super) whole: bool,
    /// True for the one part that carries what belongs to no test.
    pub(super) first: bool,
}

/// A result with its place in the report.
type Placed<'a> = (usize, Cow<'a, TestResult>);

pub(super) fn parts<'a>(context: &RunContext, report: &'a Report) -> Vec<Part<'a>> {
    let usable = |result: &TestResult| {
        let known =
            |failure: Option<u32>| failure.is_none_or(|at| (at as usize) < report.failures.len());
        (result.test.0 as usize) < report.tests.len()
            && known(result.failure)
            && result.attempts.iter().all(|attempt| known(attempt.failure))
    };
    if is_one_run(report) && report.results.iter().all(usable) {
        let results: Vec<_> = report.results.iter().map(Cow::Borrowed).collect();
        let places = (0..results.len()).collect();
        return vec![Part { context: context.clone(), results, places, whole: true, first: true }];
    }
    let mut by_variant = BTreeMap::new();
    let results = report.results.iter().enumerate();
    for (at, result) in results.filter(|(_, result)| usable(result)) {
        let dialect = result.variant.and_then(|place| report.variants.get(place.place()));
        by_variant.entry(dialect).or_insert_with(Vec::new).push((at, Cow::Borrowed(result)));
    }
    let mut by_run: BTreeMap<_, Vec<Placed<'a>>> = BTreeMap::new();
    for (dialect, results) in by_variant {
        let variant = context.variant.clone();
        let variant =
            dialect.map_or_else(|| variant.clone(), |more| variant.clone().with_all(more));
        by_run.entry(variant).or_default().extend(results);
    }
    if by_run.is_empty() {
        by_run.insert(context.variant.clone(), Vec::new());
    }
    let whole = by_run.len() == 1;
    let part = |(place, (variant, results))| {
        let (places, results) = one_per_test(results, report.tests.len()).into_iter().unzip();
        let context = RunContext { variant, ..context.clone() };
        Part { context, results, places, whole, first: place == 0 }
    };
    by_run.into_iter().enumerate().map(part).collect()
}

/// True where no result has a variant, and each is of the test at its own place, as in almost all
/// reports: then no two are of one test.
fn is_one_run(report: &Report) -> bool {
    let is_plain = |(place, result): (usize, &TestResult)| {
        result.variant.is_none() && result.test.0 as usize == place
    };
    report.results.iter().enumerate().all(is_plain)
}

/// Puts together results of one test, which meet where a flag overrides the dialect's variant.
fn one_per_test(results: Vec<Placed<'_>>, tests: usize) -> Vec<Placed<'_>> {
    let mut places: Vec<Option<u32>> = vec![None; tests];
    let mut kept: Vec<Placed<'_>> = Vec::with_capacity(results.len());
    for (at, result) in results {
        let Some(place) = places.get_mut(result.test.0 as usize) else { continue };
        match place.and_then(|place| kept.get_mut(place as usize)) {
            Some((_, before)) => *before = Cow::Owned(joined(before, &result)),
            None => {
                *place = Some(kept.len() as u32);
                kept.push((at, result));
            }
        }
    }
    kept
}

fn joined(before: &TestResult, after: &TestResult) -> TestResult {
    let attempts = |result: &TestResult| match result.attempts.as_slice() {
        [] => vec![Attempt {
            outcome: result.outcome,
            duration: result.duration,
            failure: result.failure,
        }],
        listed => listed.to_vec(),
    };
    let (outcome, repeat) =
        judge_pair((before.outcome, before.repeat), (after.outcome, after.repeat), Overlap::Other);
    TestResult {
        outcome,
        repeat,
        duration: after.duration.or(before.duration),
        failure: after.failure.or(before.failure),
        attempts: [attempts(before), attempts(after)].concat().into(),
        ..before.clone()
    }
}
