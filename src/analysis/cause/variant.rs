//! Variant: does it fail more in this cell of the matrix than in the others?
//!
//! The results of the same test in its other variants are those of the same time. What is named is
//! the pair that sets this variant apart (`os=windows`), else the variant as a whole.

use std::collections::BTreeSet;

use super::contrast::sharpest;
use super::trials::Trial;
use super::{Case, Cause, Finding, Signal};

pub(super) const SIGNAL: Signal = Signal { name: "variant", ask };

fn ask(case: &Case<'_>) -> Option<Finding> {
    let (first, last) = case.trials.span()?;
    let mut trials: Vec<Trial<'_>> = case.trials.all.clone();
    let siblings = case.siblings.iter().flat_map(|trials| &trials.all);
    trials.extend(siblings.filter(|trial| (first..=last).contains(&trial.seen.run)));
    let variant = |trial: &Trial<'_>| {
        case.history.variants.get(trial.run.variant as usize).map_or("", String::as_str)
    };
    let own = case.trials.all.first().map(variant)?;
    let pairs: BTreeSet<&str> =
        own.split(',').chain([own]).filter(|pair| !pair.is_empty()).collect();
    let candidates = pairs.into_iter().map(|pair| {
        let has = |trial: &Trial<'_>| {
            let variant = variant(trial);
            variant == pair || variant.split(',').any(|one| one == pair)
        };
        (pair, trials.iter().map(has).collect())
    });
    let (pair, split, p) = sharpest(&trials, candidates, case.factorials)?;
    Some(Finding { p, cause: Some(Cause::Variant { variant: pair.to_owned(), split }) })
}
