//! Suspects of the history: tests whose failures go together with what ran before them.

use std::collections::HashMap;

use crate::analysis::cause::{Cause, Hint};
use crate::analysis::order_search::Suspect;
use crate::listing::ListedTest;
use crate::ops::Watcher;
use crate::ops::causes::deepen;
use crate::ops::judge::{JudgeRequest, JudgingError, judge};
use crate::store::Store;
use crate::store::query::TestNo;

use super::remembered;

/// Suspects worth their replays, the likeliest.
const SUSPECTS_MAX: usize = 3;
/// Replays for each of them, before it is known to be one.
const ORDERS_MAX: usize = 2;
/// Tests whose polluters are looked for.
const DEEPENED_MAX: usize = 20;

/// The tests of today whose hints name a polluter or a place in the order, the likeliest first, with
/// orders that may show it; with `victim` that test alone.
pub(super) fn of(
    store: &dyn Store,
    judging: &JudgeRequest,
    tests: &[ListedTest],
    victim: Option<usize>,
    watcher: &dyn Watcher,
) -> Result<Vec<Suspect>, JudgingError> {
    let mut judged = judge(store, judging, &[], watcher)?;
    let names = |test: &ListedTest| (test.test.classname.clone(), test.test.name.clone());
    let places: HashMap<(String, String), usize> =
        tests.iter().enumerate().map(|(place, test)| (names(test), place)).collect();
    let by_no: HashMap<TestNo, usize> = store
        .all_tests(&judging.project)?
        .into_iter()
        .filter_map(|row| Some((row.no, *places.get(&(row.classname, row.name))?)))
        .collect();
    let is_meant = |test: &TestNo| {
        by_no.get(test).is_some_and(|place| victim.is_none_or(|victim| victim == *place))
    };
    let verdicts = judged.judgement.verdicts.iter();
    let mut hinted: Vec<TestNo> = verdicts
        .filter(|verdict| verdict.hints.iter().any(is_of_order) && is_meant(&verdict.test))
        .map(|verdict| verdict.test)
        .collect();
    hinted.dedup();
    hinted.truncate(DEEPENED_MAX);
    deepen(store, &judging.project, &mut judged, &hinted)?;
    let verdicts = judged.judgement.verdicts.iter();
    let mut found: Vec<(&Hint, TestNo)> = verdicts
        .filter(|verdict| hinted.contains(&verdict.test))
        .flat_map(|verdict| verdict.hints.iter().map(|hint| (hint, verdict.test)))
        .filter(|(hint, _)| is_of_order(hint))
        .collect();
    found.sort_by(|(one, _), (other, _)| one.by_strength(other));
    let mut suspects: Vec<Suspect> = Vec::new();
    for (hint, no) in found {
        let Some(place) = by_no.get(&no).copied() else { continue };
        if suspects.len() == SUSPECTS_MAX || suspects.iter().any(|known| known.test == place) {
            continue;
        }
        let mut orders: Vec<Vec<usize>> = told(hint, place, &by_no).into_iter().collect();
        if let Some(test) = tests.get(place).filter(|_| victim.is_none()) {
            orders.extend(remembered::orders(store, &judging.project, test, tests)?);
        }
        orders.truncate(ORDERS_MAX);
        suspects.push(Suspect { test: place, orders });
    }
    Ok(suspects)
}

const fn is_of_order(hint: &Hint) -> bool {
    matches!(hint.cause, Cause::Polluter { .. } | Cause::Position { .. })
}

/// The tests that a hint names, and this one behind them.
fn told(hint: &Hint, place: usize, by_no: &HashMap<TestNo, usize>) -> Option<Vec<usize>> {
    let Cause::Polluter { .. } = hint.cause else { return None };
    let named = hint.cause.tests().filter_map(|test| by_no.get(&test).copied());
    let mut order: Vec<usize> = named.filter(|test| *test != place).collect();
    order.sort_unstable();
    order.dedup();
    let any = !order.is_empty();
    order.push(place);
    any.then_some(order)
}
