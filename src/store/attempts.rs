//! What became of a test that several reports of one run speak of.
//!
//! Reports of a run are taken in order of their start, ties broken by their hash. A report whose
//! every test was bad in the reports before it is a re-run of what failed: its results are further
//! attempts. Any other overlap is a repetition or a clash of names, and no evidence of flakiness
//! by itself.

use std::collections::HashMap;

use crate::model::{Outcome, Repeat};
use crate::store::query::{ResultRow, TestNo};

/// Puts the results of a run's reports, in the order of the reports, into one row for each test.
///
/// Rows keep the order in which their tests first appear, or first run where an earlier report
/// skipped them. With them comes where the rows of each report end.
#[must_use]
pub fn combine_reports(mut reports: Vec<Vec<ResultRow>>) -> (Vec<ResultRow>, Vec<u32>) {
    if reports.len() <= 1 {
        let rows = reports.pop().unwrap_or_default();
        let end = rows.len() as u32;
        return (rows, vec![end]);
    }
    let mut rows: Vec<ResultRow> = Vec::new();
    let mut ends = Vec::with_capacity(reports.len());
    let mut left: Vec<usize> = Vec::new();
    let mut places: HashMap<TestNo, usize> = HashMap::new();
    for report in reports {
        let known = |row: &ResultRow| places.get(&row.test).and_then(|&place| rows.get(place));
        let rerun = !report.is_empty()
            && report.iter().all(|row| known(row).is_some_and(|before| before.outcome.is_bad()));
        let overlap = if rerun { Overlap::Rerun } else { Overlap::Other };
        for row in report {
            let place = places.get(&row.test).copied();
            match place.and_then(|place| Some((place, rows.get_mut(place)?))) {
                // Where it ran is where it belongs, not where a sibling shard listed it.
                Some((place, before)) if runs_at_last(before, &row) => {
                    left.push(place);
                    places.insert(row.test, rows.len());
                    rows.push(row);
                }
                Some((_, before)) => *before = combine(before, &row, overlap),
                None => {
                    places.insert(row.test, rows.len());
                    rows.push(row);
                }
            }
        }
        ends.push(rows.len() as u32);
    }
    close_up(&mut rows, &mut ends, left);
    (rows, ends)
}

fn runs_at_last(before: &ResultRow, after: &ResultRow) -> bool {
    class(before.outcome) == Class::Skipped && class(after.outcome) != Class::Skipped
}

/// Takes out the rows at the places that were left.
fn close_up(rows: &mut Vec<ResultRow>, ends: &mut [u32], mut left: Vec<usize>) {
    if left.is_empty() {
        return;
    }
    left.sort_unstable();
    for end in ends {
        *end -= left.partition_point(|place| *place < *end as usize) as u32;
    }
    let mut place = 0..;
    rows.retain(|_| place.next().is_none_or(|place| left.binary_search(&place).is_err()));
}

/// How the later of two reports relates to the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// It holds nothing but what had failed.
    Rerun,
    /// Anything else.
    Other,
}

/// What an outcome amounts to when records are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Passed,
    Bad,
    Skipped,
}

const fn class(outcome: Outcome) -> Class {
    match outcome {
        Outcome::Passed => Class::Passed,
        Outcome::Failed | Outcome::Errored => Class::Bad,
        Outcome::Skipped => Class::Skipped,
    }
}

/// The outcome and the repeat of two records of one test, `before` and `after`.
///
/// | before | after | as a re-run | otherwise |
/// | --- | --- | --- | --- |
/// | any | skipped | as before | as before |
/// | skipped | any | as after | as after |
/// | bad | passed | retried, passed: flaky | ambiguous, bad |
/// | bad | bad | retried, as after | repeated, the worse |
/// | passed | bad | cannot be | ambiguous, bad |
/// | passed | passed | cannot be | repeated, passed |
///
/// Two skipped records are repeated. What a record already was (ambiguous before retried before
/// repeated) is never lost by a repetition.
#[must_use]
pub fn judge_pair(
    before: (Outcome, Repeat),
    after: (Outcome, Repeat),
    overlap: Overlap,
) -> (Outcome, Repeat) {
    match (class(before.0), class(after.0), overlap) {
        (Class::Skipped, Class::Skipped, _) => (Outcome::Skipped, Repeat::Repeated),
        (_, Class::Skipped, _) => before,
        (Class::Skipped, _, _) => after,
        (Class::Bad, _, Overlap::Rerun) => match before.1 {
            Repeat::Ambiguous => (after.0, Repeat::Ambiguous),
            Repeat::Single | Repeat::Retried | Repeat::Repeated => (after.0, Repeat::Retried),
        },
        (Class::Passed, Class::Passed, _) | (Class::Bad, Class::Bad, Overlap::Other) => {
            (worse(before.0, after.0), stronger(before.1, after.1))
        }
        (Class::Passed, Class::Bad, _) | (Class::Bad, Class::Passed, Overlap::Other) => {
            (worse(before.0, after.0), Repeat::Ambiguous)
        }
    }
}

/// Errored before failed before passed; a skipped record never comes here with another.
fn worse(left: Outcome, right: Outcome) -> Outcome {
    match (left, right) {
        (Outcome::Errored, _) | (_, Outcome::Errored) => Outcome::Errored,
        (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
        (Outcome::Passed, _) | (_, Outcome::Passed) => Outcome::Passed,
        (Outcome::Skipped, Outcome::Skipped) => Outcome::Skipped,
    }
}

const fn stronger(left: Repeat, right: Repeat) -> Repeat {
    match (left, right) {
        (Repeat::Ambiguous, _) | (_, Repeat::Ambiguous) => Repeat::Ambiguous,
        (Repeat::Retried, _) | (_, Repeat::Retried) => Repeat::Retried,
        (Repeat::Single | Repeat::Repeated, Repeat::Single | Repeat::Repeated) => Repeat::Repeated,
    }
}

/// Skipped records are no executions beside others that are.
fn combine(before: &ResultRow, after: &ResultRow, overlap: Overlap) -> ResultRow {
    let (outcome, repeat) =
        judge_pair((before.outcome, before.repeat), (after.outcome, after.repeat), overlap);
    match (class(before.outcome), class(after.outcome)) {
        (Class::Passed | Class::Bad, Class::Skipped) => *before,
        (Class::Skipped, Class::Passed | Class::Bad) => *after,
        (Class::Skipped, Class::Skipped) | (Class::Passed | Class::Bad, _) => ResultRow {
            test: before.test,
            outcome,
            repeat,
            attempts: before.attempts.saturating_add(after.attempts),
            bad_attempts: before.bad_attempts.saturating_add(after.bad_attempts),
            duration: after.duration.or(before.duration),
            worker: before.worker,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Errored, Failed, Passed, Skipped};
    use Repeat::{Ambiguous, Repeated, Retried, Single};

    #[test]
    fn every_line_of_the_table() {
        for (before, after, rerun, other) in [
            (Failed, Passed, Some((Passed, Retried)), (Failed, Ambiguous)),
            (Errored, Passed, Some((Passed, Retried)), (Errored, Ambiguous)),
            (Failed, Errored, Some((Errored, Retried)), (Errored, Repeated)),
            (Errored, Failed, Some((Failed, Retried)), (Errored, Repeated)),
            (Failed, Failed, Some((Failed, Retried)), (Failed, Repeated)),
            (Failed, Skipped, Some((Failed, Single)), (Failed, Single)),
            (Passed, Passed, None, (Passed, Repeated)),
            (Passed, Failed, None, (Failed, Ambiguous)),
            (Passed, Skipped, None, (Passed, Single)),
            (Skipped, Passed, None, (Passed, Single)),
            (Skipped, Errored, None, (Errored, Single)),
            (Skipped, Skipped, None, (Skipped, Repeated)),
        ] {
            let pair = |overlap| judge_pair((before, Single), (after, Single), overlap);
            if let Some(rerun) = rerun {
                assert_eq!(pair(Overlap::Rerun), rerun, "{before:?} then {after:?} as a re-run");
            }
            assert_eq!(pair(Overlap::Other), other, "{before:?} then {after:?}");
        }
    }

    #[test]
    fn what_a_record_was_is_not_lost() {
        let pair = |one, two| judge_pair((Passed, one), (Passed, two), Overlap::Other).1;
        assert_eq!(pair(Retried, Single), Retried);
        assert_eq!(pair(Single, Retried), Retried);
        assert_eq!(pair(Retried, Ambiguous), Ambiguous);
        let again = judge_pair((Failed, Ambiguous), (Passed, Single), Overlap::Rerun);
        assert_eq!(again, (Passed, Ambiguous));
    }

    #[test]
    fn a_rerun_of_what_failed_makes_flaky_what_then_passes() {
        let first = vec![
            ResultRow::bare(1, Passed),
            ResultRow::bare(2, Failed),
            ResultRow::bare(3, Errored),
        ];
        let second = vec![ResultRow::bare(3, Failed), ResultRow::bare(2, Passed)];
        let third = vec![ResultRow::bare(3, Passed)];
        let (rows, ends) = combine_reports(vec![first, second, third]);
        assert_eq!(ends, [3, 3, 3]);
        let brief: Vec<_> = rows
            .iter()
            .map(|row| (row.test.0, row.outcome, row.attempts, row.bad_attempts))
            .collect();
        assert_eq!(brief, [(1, Passed, 1, 0), (2, Passed, 2, 1), (3, Passed, 3, 2)]);
        assert_eq!(rows.iter().filter(|row| row.is_flaky()).count(), 2);
    }

    #[test]
    fn shards_that_list_each_others_tests_as_skipped_do_not_clash() {
        let (rows, ends) = combine_reports(vec![
            vec![
                ResultRow::bare(2, Skipped),
                ResultRow::bare(1, Passed),
                ResultRow::bare(3, Passed),
            ],
            vec![
                ResultRow::bare(1, Skipped),
                ResultRow::bare(2, Failed),
                ResultRow::bare(4, Passed),
            ],
        ]);
        assert_eq!(
            rows,
            [
                ResultRow::bare(1, Passed),
                ResultRow::bare(3, Passed),
                ResultRow::bare(2, Failed),
                ResultRow::bare(4, Passed)
            ]
        );
        assert_eq!(ends, [2, 4]);
    }

    #[test]
    fn a_report_with_one_test_that_had_passed_is_no_rerun() {
        let (rows, _) = combine_reports(vec![
            vec![ResultRow::bare(1, Passed), ResultRow::bare(2, Failed)],
            vec![ResultRow::bare(1, Passed), ResultRow::bare(2, Passed)],
        ]);
        assert_eq!((rows[0].outcome, rows[0].repeat), (Passed, Repeated));
        assert_eq!((rows[1].outcome, rows[1].repeat), (Failed, Ambiguous));
    }

    #[test]
    fn a_row_that_leaves_the_head_of_a_report_takes_no_end_before_it_along() {
        let (rows, ends) = combine_reports(vec![
            vec![ResultRow::bare(1, Passed)],
            vec![ResultRow::bare(2, Skipped)],
            vec![ResultRow::bare(2, Passed)],
        ]);
        assert_eq!(rows, [ResultRow::bare(1, Passed), ResultRow::bare(2, Passed)]);
        assert_eq!(ends, [1, 1, 2]);
    }
}
