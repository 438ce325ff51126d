//! Co-failure: does another test fail in the same runs?
//!
//! Two tests fail together where half of the runs in which either failed are runs in which both did
//! (Jaccard 0.5, the limit of the study that found 75 % of flaky tests in such groups) and chance
//! does not explain it. Outages are left out, or everything would fail with everything.

use super::{Case, Cause, Finding, Signal, Trials};
use crate::analysis::statistics::counts::Table;

pub(super) const SIGNAL: Signal = Signal { name: "co-failure", ask };

/// From this share of common failures on, two tests fail together.
const JACCARD: f64 = 0.5;

struct Pair<'a> {
    other: &'a Trials<'a>,
    both: u32,
    either: u32,
    p: f64,
}

fn ask(case: &Case<'_>) -> Option<Finding> {
    let unit = case.trials.unit;
    let others = case
        .others
        .iter()
        .filter(|other| other.unit.variant == unit.variant && other.unit.test != unit.test);
    let pairs: Vec<Pair<'_>> = others.filter_map(|other| pair(case, other)).collect();
    let count = pairs.len() as f64;
    let fails_along = |pair: &Pair<'_>| f64::from(pair.both) >= JACCARD * f64::from(pair.either);
    let along = pairs.iter().filter(|pair| fails_along(pair));
    let best = along.clone().min_by(|one, other| {
        one.p.total_cmp(&other.p).then(one.other.unit.test.cmp(&other.other.unit.test))
    });
    let Some(best) = best else {
        // The question was asked; the strongest answer among those that do not fail along.
        let p = pairs.iter().map(|pair| pair.p).reduce(f64::min)?;
        return Some(Finding { p: (p * count).min(1.0), cause: None });
    };
    let p = (best.p * count).min(1.0);
    let cause = Cause::Together {
        test: best.other.unit.test,
        name: String::new(),
        both: best.both,
        either: best.either,
        others: along
            .filter(|pair| pair.p * count <= super::contrast::LEVEL)
            .count()
            .saturating_sub(1) as u32,
    };
    Some(Finding { p, cause: Some(cause) })
}

/// Both tests over the runs that have both; `None` where nothing can be told.
fn pair<'a>(case: &Case<'_>, other: &'a Trials<'a>) -> Option<Pair<'a>> {
    let table = case.trials.table_with(other);
    let Table { hits: both, drawn, marked, all } = table;
    let either = drawn + marked - both;
    if either == 0 || drawn == all || marked == all {
        return None;
    }
    Some(Pair { other, both, either, p: case.factorials.at_least(table) })
}
