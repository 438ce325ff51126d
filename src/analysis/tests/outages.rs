//! Which runs are outages, by hand.

use super::*;
use crate::analysis::outage::find;
use crate::analysis::settings::OutageSettings;

const NONE: [usize; 0] = [];

/// The places of the outages, every result kept.
fn outages(window: &Window, settings: &OutageSettings) -> Vec<usize> {
    let keep = window.rows.iter().flatten().map(|row| row.test).collect();
    let found = find(&window.history(keep), settings);
    (0..found.len()).filter(|run| found[*run]).collect()
}

fn by_default(strips_of_tests: &[&[&str]]) -> Vec<usize> {
    outages(&strips(0, &strips_of_tests.concat()), &OutageSettings::default())
}

#[test]
fn runs_without_results_do_not_lower_what_is_usual_of_a_line() {
    // Three of twenty fail in nearly every run; ten of twenty are less than five times as many.
    let (usual, others, mass) = ("FF.FF      ", ".....      ", "..F..      ");
    assert_eq!(by_default(&[&[usual; 3], &[others; 7], &[mass; 10]]), NONE);
    assert_eq!(by_default(&[&[others; 10], &[mass; 10]]), [2], "where none usually fails");
}

#[test]
fn just_so_many_times_the_usual_share_is_no_outage() {
    // One of eight is usual, four of eight are four times as many.
    let window = strips(0, &[&["FF.FF"][..], &["....."; 3], &["..F.."; 4]].concat());
    let times = |times_median| OutageSettings { times_median, ..OutageSettings::default() };
    assert_eq!(outages(&window, &times(4.0)), NONE);
    assert_eq!(outages(&window, &times(3.5)), [2]);
}

#[test]
fn a_run_without_results_is_nobodys_neighbour() {
    assert_eq!(by_default(&[&["..F .."; 5]]), [2]);
}

#[test]
fn tests_that_a_neighbour_skipped_did_not_pass_there() {
    let others = "....";
    assert_eq!(by_default(&[&["..Fs"; 5], &[others; 5]]), NONE);
    assert_eq!(by_default(&[&["..Fs"; 3], &["..F."; 2], &[others; 5]]), NONE, "two are no mass");
    assert_eq!(by_default(&[&["..F."; 5], &[others; 5]]), [2]);
}

#[test]
fn the_last_run_is_an_outage_where_its_revision_passed_in_another_run() {
    let last = |revision: u8| {
        let strips: Vec<Vec<char>> = vec!["..F".chars().collect(); 5];
        let window = window(&[(0, 1, 0, 0), (0, 2, 0, 0), (0, revision, 0, 0)], &strips);
        outages(&window, &OutageSettings::default())
    };
    assert_eq!((last(2), last(3)), (vec![2], vec![]));
}
