//! Orders in which the history has seen a test fail: what ran before it in the same report, and of
//! the same worker where that is known.

use std::collections::HashMap;

use crate::listing::ListedTest;
use crate::model::Outcome;
use crate::store::query::{RunRow, RunRows, TestNo, TestRow, Window};
use crate::store::{Store, StoreError};

/// Runs that are looked at, the latest.
const RUNS_MAX: u32 = 200;
/// Failing orders that are worth a replay.
const ORDERS_MAX: usize = 2;

/// The orders of the latest runs in which the test failed behind others, as places in `tests`;
/// tests that there are no more are left out.
pub(super) fn orders(
    store: &dyn Store,
    project: &str,
    test: &ListedTest,
    tests: &[ListedTest],
) -> Result<Vec<Vec<usize>>, StoreError> {
    let all = store.all_tests(project)?;
    let places: HashMap<(&str, &str), usize> =
        tests.iter().enumerate().map(|(place, one)| (names(one), place)).collect();
    let of_row = |row: &TestRow| places.get(&(row.classname.as_str(), row.name.as_str())).copied();
    let by_no: HashMap<TestNo, usize> =
        all.iter().filter_map(|row| Some((row.no, of_row(row)?))).collect();
    let Some(no) = all.iter().find(|row| names(test) == (&row.classname, &row.name)) else {
        return Ok(Vec::new());
    };
    let window = Window { last_runs: Some(RUNS_MAX), ..Window::default() };
    let runs = store.runs(project, &window)?;
    let bad = store.bad_results(project, &runs, Some(no.no))?;
    let mut failed: Vec<RunRow> =
        runs.into_iter().filter(|run| bad.iter().any(|row| row.run == run.no)).collect();
    failed.reverse();
    let mut orders: Vec<Vec<usize>> = Vec::new();
    for run in failed {
        if orders.len() == ORDERS_MAX {
            break;
        }
        store.fold(std::slice::from_ref(&run), &mut |_, rows| {
            let ran = until(rows, no.no);
            let order: Vec<usize> =
                ran.iter().filter_map(|test| by_no.get(test)).copied().collect();
            if order.len() > 1 && !orders.contains(&order) {
                orders.push(order);
            }
        })?;
    }
    Ok(orders)
}

/// The tests that ran before this one and may have left something behind, and this one last;
/// nothing where it has no row. What another worker ran meanwhile was another process.
fn until(rows: &RunRows<'_>, test: TestNo) -> Vec<TestNo> {
    let Some(at) = rows.iter().position(|row| row.test == test) else { return Vec::new() };
    let ends = rows.reports.iter().map(|report| report.end as usize);
    let start = ends.take_while(|end| *end <= at).last().unwrap_or(0);
    let worker = rows.get(at).map_or(0, |row| row.worker);
    let ran = rows.get(start..=at).unwrap_or_default().iter();
    let ran = ran.filter(|row| row.worker == worker && row.outcome != Outcome::Skipped);
    ran.map(|row| row.test).collect()
}

fn names(test: &ListedTest) -> (&str, &str) {
    (&test.test.classname, &test.test.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Repeat;
    use crate::store::query::{ReportRow, ResultRow};

    fn row(test: u32, worker: u16, outcome: Outcome) -> ResultRow {
        ResultRow {
            test: TestNo(test),
            outcome,
            repeat: Repeat::Single,
            attempts: 1,
            bad_attempts: u32::from(outcome != Outcome::Passed),
            duration: None,
            worker,
        }
    }

    /// What ran before test 9, as numbers.
    fn before(rows: &[ResultRow], ends: &[u32]) -> Vec<u32> {
        let reports: Vec<ReportRow> =
            ends.iter().map(|end| ReportRow { end: *end, ..ReportRow::default() }).collect();
        let workers = ["gw0".to_owned(), "gw1".to_owned()];
        let run = RunRows { rows, reports: &reports, workers: &workers };
        until(&run, TestNo(9)).into_iter().map(|test| test.0).collect()
    }

    #[test]
    fn only_tests_of_the_same_worker_and_report_ran_before() {
        use Outcome::{Failed, Passed, Skipped};
        let mut rows = vec![
            row(1, 1, Passed),
            row(2, 1, Passed),
            row(3, 2, Passed),
            row(4, 1, Skipped),
            row(5, 1, Failed),
            row(9, 1, Failed),
            row(6, 1, Passed),
        ];
        assert_eq!(before(&rows, &[1, 7]), [2, 5, 9]);
        // Where no worker is known, all of the report count.
        rows.iter_mut().for_each(|row| row.worker = 0);
        assert_eq!(before(&rows, &[1, 7]), [2, 3, 5, 9]);
        assert!(before(&rows[..3], &[3]).is_empty());
    }
}
