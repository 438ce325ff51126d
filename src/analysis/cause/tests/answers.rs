//! What one signal by itself answers about results that are written down.

use super::super::contrast::sharpest;
use super::super::{burst, duration, together};
use super::*;
use crate::analysis::evidence::Evidence;
use crate::analysis::filter::episode::{Attributed, Attribution};
use crate::analysis::verdict::Weighing;

/// Runs of one report; each test is a strip of `F` failed and `.` passed.
fn strips(strips: &[&str]) -> Window {
    let mark = |test: usize, run: usize| strips[test].as_bytes()[run];
    let of_run = |run: usize| -> Vec<Made> {
        (0..strips.len()).map(|test| (test as u32, mark(test, run) == b'F', 20)).collect()
    };
    let run = |no: usize| MadeRun {
        hour: no as i64,
        variant: "",
        reports: vec![("w".to_owned(), "j.xml".to_owned(), of_run(no))],
    };
    made((0..strips[0].len()).map(run).collect())
}

/// What a signal answers about a test, all of whose results count.
fn answer(window: &Window, test: u32, signal: &Signal) -> Option<Finding> {
    let history = window.history();
    let trials = |(place, unit)| Trials::of(&history, place, unit, &|_| true);
    let all: Vec<Trials<'_>> = history.units.iter().enumerate().map(trials).collect();
    let trials = all.iter().find(|trials| trials.unit.test == TestNo(test)).unwrap();
    let factorials = LnFactorials::up_to(2 * history.runs.len() as u32);
    let case =
        Case { history: &history, trials, siblings: &[], others: &all, factorials: &factorials };
    (signal.ask)(&case)
}

fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-9
}

/// What is answered of spells, where a test did so on these branches.
fn spells(branches: &[(&str, &str)]) -> Option<Finding> {
    let strip: String = branches.iter().map(|(_, strip)| *strip).collect();
    let names = branches.iter().flat_map(|(name, strip)| strip.chars().map(move |_| *name));
    let mut window = strips(&[&strip]);
    for (run, name) in window.runs.iter_mut().zip(names) {
        run.branch = Some(name.to_owned());
        run.lane = if name == "main" { Lane::Default } else { Lane::Change };
    }
    answer(&window, 0, &burst::SIGNAL)
}

#[test]
fn spells_are_looked_for_where_most_runs_follow_another() {
    let finding = spells(&[("main", ".."), ("a", "....FFFFF")]).unwrap();
    // After a failure four of four fail, after a pass one of four: C(5, 4) of C(8, 4) choices.
    assert!(near(finding.p, 5.0 / 70.0), "{finding:?}");
    let split =
        Split { inside: Share { failed: 4, runs: 4 }, outside: Share { failed: 1, runs: 4 } };
    assert_eq!(finding.cause, Some(Cause::Burst { split }));
    // Here that is the main line, in which two runs follow a failure: too few.
    let main = "...........F...........F......";
    assert_eq!(spells(&[("main", main), ("a", "....FFFFF....FFFFF")]), None);
}

#[test]
fn a_bad_and_a_good_branch_are_no_spell() {
    assert_eq!(spells(&[("main", ".."), ("bad", "FFFFFF"), ("good", "......")]), None);
}

/// What is answered of durations, where failures and passes took so many milliseconds.
fn timed(failed: &[u64], passed: &[u64]) -> Option<Finding> {
    let run = |(no, (failed, ms)): (usize, (bool, &u64))| MadeRun {
        hour: no as i64,
        variant: "",
        reports: vec![("w".to_owned(), "j.xml".to_owned(), vec![(0, failed, *ms)])],
    };
    let times = failed.iter().map(|ms| (true, ms)).chain(passed.iter().map(|ms| (false, ms)));
    answer(&made(times.enumerate().map(run).collect()), 0, &duration::SIGNAL)
}

#[test]
fn four_failures_and_four_passes_are_times_enough_to_compare() {
    let finding = timed(&[900; 4], &[300; 4]).unwrap();
    // The longest four of eight, or the shortest.
    assert!(near(finding.p, 2.0 / 70.0), "{finding:?}");
    let cause = Cause::Duration { failed: Micros(900_000), passed: Micros(300_000) };
    assert_eq!(finding.cause, Some(cause));
    assert_eq!(timed(&[900; 3], &[300; 9]), None);
    assert_eq!(timed(&[900; 9], &[300; 3]), None);
}

#[test]
fn only_a_large_factor_and_a_large_difference_are_worth_a_look() {
    let told =
        |failed: u64, passed: u64| timed(&[failed; 4], &[passed; 4]).unwrap().cause.is_some();
    assert!(told(1_250, 1_000) && told(700, 1_000), "a quarter longer, or as much sooner");
    assert!(!told(1_200, 1_000) && !told(900, 1_000), "too small a factor");
    assert!(!told(60, 30) && !told(30, 60), "twice as long, and only 30 ms");
}

#[test]
fn others_that_fail_along_are_counted_where_chance_does_not_explain_them() {
    let all = "FFF.......";
    let finding = answer(&strips(&[all, all, all, "FF........"]), 0, &together::SIGNAL).unwrap();
    // Three failures of ten in the same runs: 1 of C(10, 3) choices, among three tests.
    assert!(near(finding.p, 3.0 / 120.0), "{finding:?}");
    // Two of the same three: 3 of C(10, 2), which is chance among three tests.
    let cause =
        Cause::Together { test: TestNo(1), name: String::new(), both: 3, either: 3, others: 1 };
    assert_eq!(finding.cause, Some(cause));
}

#[test]
fn of_things_that_tell_alike_the_first_is_named() {
    let history = strips(&["FFFFFF.............."]).history();
    let trials = Trials::of(&history, 0, &history.units[0], &|_| true);
    let inside = |first: usize| (0..20).map(|run| (first..first + 3).contains(&run)).collect();
    let candidates = [("one", inside(0)), ("other", inside(3))];
    let factorials = LnFactorials::up_to(20);
    let (name, split, p) = sharpest(&trials.all, candidates.into_iter(), &factorials).unwrap();
    assert_eq!((name, split.inside), ("one", Share { failed: 3, runs: 3 }));
    // C(6, 3) of C(20, 3) choices, for either of two.
    assert!(near(p, 2.0 * 20.0 / 1_140.0), "{p}");
}

#[test]
fn a_failure_that_is_a_flake_as_likely_as_not_is_the_tests_own() {
    let is_explained = |flake: f64| {
        let causes = Attribution { flake, regression: 1.0 - flake, change: 0.0, outage: 0.0 };
        let weighing = Weighing::bare(Attributed { run: 7, causes });
        explained(&Evidence::default(), Some(&weighing), &[], 7)
    };
    assert!(!is_explained(0.5) && is_explained(0.49));
}
