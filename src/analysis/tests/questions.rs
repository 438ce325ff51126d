//! What is asked of a judgement, and what it tells of runs: small histories, by hand.

use super::*;
use crate::analysis::at_revision::{AtRevision, FailedHere, FailureKind, at_revision};
use crate::analysis::changes::{Side, changes};
use crate::analysis::event::events;
use crate::analysis::filter::episode::{Attributed, Attribution};
use crate::analysis::filter::explain::Weights;
use crate::analysis::filter::replay::{Course, Replay};
use crate::analysis::filter::{FilterSettings, Moments, filter};
use crate::analysis::settings::OutageSettings;
use crate::analysis::verdict::EventKind;

/// Runs of one variant, each with its lane, its revision (`-` for none) and its branch.
type Line = (Lane, &'static str, &'static str);

fn window_of(lines: &[Line], strips: &[&str]) -> Window {
    let runs = lines.iter().enumerate().map(|(no, (lane, revision, branch))| {
        run(no, *lane, (*revision != "-").then_some(*revision), branch, "")
    });
    let rows = (0..lines.len()).map(|run| {
        let letters = (0..).zip(strips).map(|(test, strip)| (test, strip.chars().nth(run)));
        letters.filter_map(|(test, letter)| row(test, letter?)).collect()
    });
    Window { runs: runs.collect(), rows: rows.collect() }
}

/// The main line alone, the runs of these revisions.
fn main_line(revisions: &[&'static str], strips: &[&str]) -> Window {
    let lines: Vec<Line> = revisions.iter().map(|one| (Lane::Default, *one, "main")).collect();
    window_of(&lines, strips)
}

/// By the method that says nothing of the causes of single failures.
fn at(window: &Window, revision: &str) -> AtRevision {
    let history = window.history((0..9).map(TestNo).collect());
    let judgement = judge(&history, &settings_of("evidence")).unwrap();
    at_revision(&judgement, &history, revision)
}

fn settings_of(method: &str) -> Settings {
    Settings { method: method.into(), ..Settings::default() }
}

fn failed_kinds(window: &Window, revision: &str) -> Vec<FailureKind> {
    at(window, revision).failed.iter().map(|one| one.kind).collect()
}

/// Two changes, and another branch of one's name.
const CHANGES: [Line; 5] = [
    (Lane::Default, "r1", "main"),
    (Lane::Change, "c1", "a"),
    (Lane::Change, "c2", "b"),
    (Lane::Other, "o1", "a"),
    (Lane::Change, "c3", "a"),
];

#[test]
fn a_test_appears_with_the_revision_that_first_executes_it() {
    let mut window = main_line(&["r1", "r2", "r3"], &["...", "s..", " ..", "  ."]);
    assert_eq!(at(&window, "r2").appeared, [TestNo(1), TestNo(2)]);
    assert_eq!(at(&window, "r3").appeared, [TestNo(3)]);
    assert_eq!(at(&window, "r1").appeared, [], "nothing came before, so nothing is new");
    // Nor does a skip elsewhere make it known.
    window.runs[0].variant = "os=windows".into();
    assert_eq!(at(&window, "r2").appeared, [TestNo(1), TestNo(2)]);
}

#[test]
fn the_revision_before_is_that_of_the_same_branch_or_else_of_the_main_line() {
    let window = window_of(&CHANGES, &["....."]);
    let previous = |revision| at(&window, revision).previous;
    assert_eq!(previous("c3").as_deref(), Some("c1"));
    assert_eq!(previous("c2").as_deref(), Some("r1"));
    assert_eq!(previous("r1"), None);
}

#[test]
fn a_run_without_a_revision_is_none_to_compare_with() {
    let window = main_line(&["r1", "-", "r2"], &["..."]);
    let at = at(&window, "r2");
    assert_eq!((at.previous.as_deref(), at.previous_runs), (Some("r1"), vec![0]));
}

#[test]
fn retries_are_told_with_the_failures_of_a_revision() {
    let one = |failed, retried, ran| FailedHere {
        verdict: 0,
        kind: FailureKind::Flake,
        failed,
        retried,
        ran,
    };
    assert_eq!(at(&main_line(&["r1", "r2"], &[".r"]), "r2").failed, [one(0, 1, 1)]);
    let both = main_line(&["r1", "r2", "r2", "r2"], &[".Fr."]);
    assert_eq!(at(&both, "r2").failed, [one(1, 1, 3)], "as many failed as were retried");
}

#[test]
fn a_test_that_also_passes_on_the_revision_flakes() {
    let window = main_line(&["r1", "r2", "r2"], &[".F."]);
    assert_eq!(failed_kinds(&window, "r2"), [FailureKind::Flake]);
}

#[test]
fn a_test_that_fails_since_the_revision_began_there() {
    let window = main_line(&["r1", "r2", "r3", "r4"], &["..FF"]);
    assert_eq!(failed_kinds(&window, "r3"), [FailureKind::Began]);
    assert_eq!(failed_kinds(&window, "r4"), [FailureKind::Continued]);
}

#[test]
fn a_failure_of_a_change_goes_on_where_its_own_branch_failed_before() {
    assert_eq!(failed_kinds(&window_of(&CHANGES, &[".F..F"]), "c3"), [FailureKind::Continued]);
    // Others' failures are none of its own.
    assert_eq!(failed_kinds(&window_of(&CHANGES, &["..FFF"]), "c3"), [FailureKind::Unclear]);
}

#[test]
fn a_failure_of_a_change_goes_on_where_the_main_line_fails() {
    let lines = &CHANGES[..2];
    assert_eq!(failed_kinds(&window_of(lines, &["FF"]), "c1"), [FailureKind::Continued]);
    assert_eq!(failed_kinds(&window_of(lines, &[".F"]), "c1"), [FailureKind::Unclear]);
}

#[test]
fn several_failures_of_a_revision_are_what_they_are_on_average() {
    let window = main_line(&["r1", "r2", "r2", "r3"], &[".FF."]);
    let history = window.history(HashSet::from([TestNo(0)]));
    let kind = |causes: Attribution| {
        let mut judgement = judge(&history, &settings_of("filter")).unwrap();
        let weighing = judgement.verdicts[0].weighing.as_mut().unwrap();
        weighing.failures = [1, 2].map(|run| Attributed { run, causes }).into();
        at_revision(&judgement, &history, "r2").failed[0].kind
    };
    let broke = Attribution { flake: 0.4, regression: 0.3, change: 0.3, outage: 0.0 };
    assert_eq!(kind(broke), FailureKind::Began, "the code, whoever changed it");
    let unsure = Attribution { regression: 0.2, change: 0.2, outage: 0.2, ..broke };
    assert_eq!(kind(unsure), FailureKind::Unclear);
    assert_eq!(kind(Attribution { flake: 0.5, ..unsure }), FailureKind::Flake);
}

#[test]
fn a_run_at_the_moment_between_two_windows_is_one_of_the_later() {
    let window = strips(0, &["....................FFFFFFFFFFFFFFFFFFFF"]);
    let history = window.history(HashSet::from([TestNo(0)]));
    let judgement = judge(&history, &settings_of("evidence")).unwrap();
    let side = Side { judgement: &judgement, history: &history };
    let changes = changes(side, side, history.runs[20].started);
    let [rate] = changes.rates.as_slice() else { panic!("{changes:#?}") };
    assert_eq!((rate.before, rate.since), ((0, 20), (20, 20)));
    assert_eq!((changes.runs_before, changes.runs_since), ((0, 20), (20, 20)));
}

#[test]
fn a_suite_failed_in_mass_where_more_than_the_share_did() {
    let half = OutageSettings { share: 0.5, ..OutageSettings::default() };
    let in_mass =
        |tests: &[&str]| strips(0, tests).history(HashSet::new()).runs[0].failed_in_mass(&half);
    assert!(!in_mass(&["F", "F", "F", ".", ".", "."]), "as many as the share, not more");
    assert!(in_mass(&["F", "F", "F", "F", ".", "."]));
    assert!(!in_mass(&["F", "F"]), "too few tests, whatever their share");
}

#[test]
fn changes_alone_are_no_main_line() {
    let has_main = |lane| strips(lane, &["..."]).history(HashSet::new()).has_main();
    assert_eq!([0, 1].map(has_main), [true, false]);
}

#[test]
fn a_retry_makes_a_test_that_nobody_named_keep_its_results() {
    let kept = |strip: &str| -> Vec<u32> {
        let history = strips(0, &[strip]).history(HashSet::new());
        history.units[0].seen.iter().map(|seen| seen.run).collect()
    };
    assert_eq!(kept("..r.."), [2, 3, 4]);
    assert_eq!(kept("...F."), [3, 4]);
    assert!(kept(".....").is_empty());
}

/// What is said of the second of three runs, in which three of four tests failed, where they
/// failed for these causes and a module's failures are explained so.
fn told_of(causes: Option<Attribution>, weights: Weights) -> Vec<(EventKind, f64)> {
    let settings = FilterSettings::default();
    let history = strips(0, &[".F.", ".F.", ".F.", "..."]).history(HashSet::new());
    let mut filtered = filter(&history, &settings, Moments::Forget);
    for unit in &mut filtered.units {
        let failures = causes.map(|causes| Attributed { run: 1, causes }).into_iter().collect();
        let course = Replay::new(&settings, 0).finish();
        unit.course = Some(Box::new(Course { failures, ..course }));
    }
    let run = &mut filtered.runs[1];
    run.weights = Weights::QUIET;
    (run.modules[0].weights, run.modules[0].recurring) = (weights, true);
    assert_eq!(run.modules[0].failing, 3);
    events(&history, &filtered).iter().map(|event| (event.kind, event.probability)).collect()
}

const LIKELY: f64 = 0.75;
const NOTHING: Weights = Weights { usual: 0.25, systemic: 0.0, bad_commit: 0.0, outage: 0.0 };

#[test]
fn only_a_group_that_flakes_together_is_held_to_be_a_bad_commit_after_all() {
    let code = Attribution { flake: 0.375, regression: 0.375, change: 0.25, outage: 0.0 };
    let told = |weights| told_of(Some(code), weights);
    let systemic = Weights { systemic: LIKELY, ..NOTHING };
    assert_eq!(told(systemic), [(EventKind::BadCommit, 0.625)], "by the tests that failed");
    let bad_commit = Weights { bad_commit: LIKELY, ..NOTHING };
    assert_eq!(told(bad_commit), [(EventKind::BadCommit, LIKELY)], "by the run itself");
    let outage = Weights { outage: LIKELY, ..NOTHING };
    assert_eq!(told(outage), [(EventKind::Outage, LIKELY)]);
}

#[test]
fn a_group_stays_one_where_nothing_says_more_of_the_code_than_of_the_tests() {
    let systemic = Weights { systemic: LIKELY, ..NOTHING };
    let even = Attribution { flake: 0.5, regression: 0.25, change: 0.25, outage: 0.0 };
    assert_eq!(told_of(Some(even), systemic), [(EventKind::SystemicGroup, LIKELY)]);
    assert_eq!(told_of(None, systemic), [(EventKind::SystemicGroup, LIKELY)]);
}
