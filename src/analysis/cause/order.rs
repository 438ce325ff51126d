//! Order: does it fail depending on how many tests ran before it?
//!
//! Only where the order changes from run to run, as under a random order. Counted is what ran
//! before it in the same report, not its share: a run that stops at the first failure would make
//! every failing test the last one. Where the worker is known, what counts is what the same worker
//! ran before; places of the two kinds are not comparable, and the more frequent kind is asked.

use super::duration::median;
use super::{Case, Cause, Finding, Signal};
use crate::analysis::statistics::ranks::compare;

pub(super) const SIGNAL: Signal = Signal { name: "order", ask };

/// The order changes where nine of ten places lie apart by at least this part of a report…
const SPREAD_PART: f64 = 0.1;
/// … and by so many tests: new tests push the old ones along, which is no other order.
const SPREAD_LEAST: f64 = 3.0;

/// The place of one result.
struct Placed {
    failed: bool,
    /// How many tests ran before it in its report, and how many the report has.
    before: f64,
    rows: f64,
}

/// The places of the results, and whether they are those within a worker.
fn places(case: &Case<'_>) -> Option<(Vec<Placed>, bool)> {
    let mut kinds = [Vec::new(), Vec::new()];
    for trial in &case.trials.all {
        let place = case.history.origins.of(trial.seen.run, trial.seen.position)?;
        let (before, rows) = (f64::from(place.before), f64::from(place.rows));
        let placed = Placed { failed: trial.failed, before, rows };
        kinds[usize::from(place.worker.is_some())].push(placed);
    }
    let [in_report, in_worker] = kinds;
    let is_worker = in_worker.len() >= in_report.len();
    Some((if is_worker { in_worker } else { in_report }, is_worker))
}

/// True where its place in the order changes from run to run.
pub(super) fn varies(case: &Case<'_>) -> bool {
    places(case).is_some_and(|(places, _)| is_spread(&places))
}

fn is_spread(places: &[Placed]) -> bool {
    let mut before: Vec<f64> = places.iter().map(|place| place.before).collect();
    before.sort_by(f64::total_cmp);
    let cut = before.len() / 20;
    let (Some(low), Some(high)) = (before.get(cut), before.iter().rev().nth(cut)) else {
        return false;
    };
    let rows = median(places.iter().map(|place| place.rows).collect());
    high - low >= SPREAD_LEAST.max(SPREAD_PART * rows)
}

fn ask(case: &Case<'_>) -> Option<Finding> {
    let (places, in_worker) = places(case).filter(|(places, _)| is_spread(places))?;
    let (failed, passed): (Vec<&Placed>, Vec<&Placed>) =
        places.iter().partition(|place| place.failed);
    let [failed, passed] =
        [failed, passed].map(|places| places.iter().map(|place| place.before).collect::<Vec<_>>());
    let difference = compare(&failed, &passed)?;
    let (failed, passed) = (median(failed) as u32, median(passed) as u32);
    let cause = Cause::Position { failed, passed, in_worker };
    Some(Finding { p: difference.p, cause: Some(cause) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(before: &[u32], rows: u32) -> bool {
        let placed = |before: &u32| Placed {
            failed: false,
            before: f64::from(*before),
            rows: f64::from(rows),
        };
        is_spread(&before.iter().map(placed).collect::<Vec<_>>())
    }

    #[test]
    fn a_place_changes_where_it_moves_by_three_tests_and_a_tenth_of_the_report() {
        assert!(!spread(&[10; 20], 30), "always the eleventh");
        assert!(spread(&[2, 2, 2, 5, 5, 5], 25), "three further");
        assert!(!spread(&[2, 2, 2, 4, 4, 4], 25), "two further");
        assert!(!spread(&[0, 0, 0, 5, 5, 5], 100), "five of a hundred");
        assert!(spread(&[0, 0, 0, 10, 10, 10], 100), "ten of a hundred");
        let mut once = [10; 20];
        once[7] = 25;
        assert!(!spread(&once, 30), "one of twenty");
    }
}
