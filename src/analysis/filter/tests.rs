//! The filter against an independent implementation, against itself in other orders, and laws.

use std::collections::HashSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::belief::{Circumstance, Observed, actionable, broken};
use super::episode::Attribution;
use super::explain::{Failures, Groups, ModuleCount, ModuleExplained, RunCount, Weights, module};
use super::ledger::Kind;
use super::model::{CLASSES, Model};
use super::pass::{Explained, Pass, RunAbout, Slot, SlotResult};
use super::replay::{Course, Replay};
use super::settings::FilterSettings;
use super::{Moments, mixed, presence, replay};
use crate::analysis::settings::OutageSettings;
use crate::analysis::{History, HistoryBuilder};
use crate::model::{Outcome, Repeat, Timestamp};
use crate::store::query::{ResultRow, RunRow};

#[derive(Deserialize)]
struct Case {
    module: Vec<u32>,
    runs: Vec<CaseRun>,
    expect: Expect,
}

#[derive(Deserialize)]
struct CaseRun {
    branch: String,
    commit: String,
    ts: i64,
    y: String,
}

#[derive(Deserialize)]
struct Expect {
    #[serde(rename = "P")]
    classes: Vec<[f64; CLASSES]>,
    pb_main: Vec<[f64; CLASSES]>,
    pbroken: Vec<f64>,
    score: Vec<f64>,
    ev_before: Vec<f64>,
    same_before: Vec<f64>,
    pi: std::collections::BTreeMap<usize, Vec<f64>>,
}

fn observed(letter: char) -> Option<Observed> {
    let failed = |failed, passed| Some(Observed { failed, passed });
    match letter {
        '.' => failed(0, true),
        'F' | 'G' | 'H' => failed(letter as u16 - 'F' as u16 + 1, false),
        'f' | 'g' | 'h' => failed(letter as u16 - 'f' as u16 + 1, true),
        '-' => None,
        other => panic!("`{other}` in a row"),
    }
}

impl Case {
    fn abouts(&self) -> Vec<RunAbout> {
        let (mut branches, mut commits) = (Vec::new(), Vec::new());
        let number = |names: &mut Vec<String>, name: &String| {
            names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.clone());
                names.len() - 1
            }) as u32
        };
        self.runs
            .iter()
            .map(|run| RunAbout {
                branch: (run.branch != "main").then(|| number(&mut branches, &run.branch)),
                revision: number(&mut commits, &run.commit),
                started: Timestamp(run.ts * 1000),
            })
            .collect()
    }

    fn results(run: &CaseRun) -> Vec<SlotResult> {
        let letters = (0..).zip(run.y.chars());
        letters
            .filter_map(|(slot, letter)| {
                Some(SlotResult { slot, observed: observed(letter)?, signature: None })
            })
            .collect()
    }

    fn slots(&self) -> Vec<Slot> {
        self.module.iter().map(|&module| Slot { module, tests: 1 }).collect()
    }
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/filter/reference.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn near(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() <= 1e-9, "{what}: {found} is not {wanted}");
}

#[test]
fn a_hundred_histories_end_as_the_reference_does() {
    // The reference takes a breakage of many tests for an outage however long it lasts.
    let model = Model { outage_revisions: u32::MAX, ..Model::default() };
    let settings = FilterSettings { model: model.clone(), ..FilterSettings::default() };
    let cases = cases();
    assert_eq!(cases.len(), 100);
    for (number, case) in cases.iter().enumerate() {
        let mut pass = Pass::new(&model, case.slots());
        let mut replays: Vec<Replay<'_>> =
            case.module.iter().map(|&module| Replay::new(&settings, module)).collect();
        for (place, (run, about)) in case.runs.iter().zip(case.abouts()).enumerate() {
            let results = Case::results(run);
            let explained = pass.step(&about, &results);
            for one in &results {
                replays[one.slot as usize].observe(place as u32, &explained, one.observed);
            }
            if let Some(weights) = case.expect.pi.get(&place) {
                for one in &results {
                    let module = case.module[one.slot as usize];
                    let wanted = weights[one.slot as usize];
                    near(
                        explained.around(module).outage,
                        wanted,
                        &format!("{number}: run {place}"),
                    );
                }
            }
        }
        for (test, replay) in replays.into_iter().enumerate() {
            let (classes, on_main) = pass.belief(test as u32).unwrap();
            let course = replay.finish();
            let what = format!("history {number}, test {test}");
            for class in 0..CLASSES {
                near(classes[class], case.expect.classes[test][class], &what);
                near(on_main[class], case.expect.pb_main[test][class], &what);
                near(course.classes[class], classes[class], &what);
                near(course.broken[class], on_main[class], &what);
            }
            near(actionable(&classes), case.expect.score[test], &what);
            near(broken(&classes, &on_main), case.expect.pbroken[test], &what);
            near(course.ledger.log_odds(), super::ledger::log_odds(&classes), &what);
            let _ = (&case.expect.ev_before, &case.expect.same_before);
        }
    }
}

/// The branch, the revision, and a letter for each test.
type Row = (Option<u32>, u32, Vec<char>);

/// Histories as letters: runs of a few tests on two lines.
fn history() -> impl Strategy<Value = (Vec<u32>, Vec<Row>)> {
    let tests = 3_usize..9;
    tests.prop_flat_map(|tests| {
        let letter = prop_oneof![
            12 => Just('.'), 3 => Just('F'), 1 => Just('f'), 1 => Just('g'), 1 => Just('H'), 2 => Just('-')
        ];
        let run = (prop_oneof![3 => Just(None), 1 => Just(Some(0)), 1 => Just(Some(1))], 0_u32..12,
                   prop::collection::vec(letter, tests));
        (prop::collection::vec(0_u32..3, tests), prop::collection::vec(run, 1..40))
    })
}

fn steps(runs: &[Row]) -> Vec<(RunAbout, Vec<SlotResult>)> {
    let step = |(at, (branch, revision, letters)): (i64, &Row)| {
        let about = RunAbout { branch: *branch, revision: *revision, started: Timestamp(at) };
        let results = (0..).zip(letters).filter_map(|(slot, letter)| {
            Some(SlotResult { slot, observed: observed(*letter)?, signature: None })
        });
        (about, results.collect())
    };
    (0..).zip(runs).map(step).collect()
}

fn courses(module: &[u32], steps: &[(RunAbout, Vec<SlotResult>)]) -> Vec<Course> {
    let settings = FilterSettings::default();
    let model = &settings.model;
    let slots = module.iter().map(|&module| Slot { module, tests: 1 }).collect();
    let mut pass = Pass::new(model, slots);
    let mut replays: Vec<Replay<'_>> =
        module.iter().map(|&module| Replay::new(&settings, module)).collect();
    for (place, (about, results)) in (0..).zip(steps) {
        let explained = pass.step(about, results);
        for one in results {
            replays[one.slot as usize].observe(place, &explained, one.observed);
        }
    }
    replays.into_iter().map(Replay::finish).collect()
}

proptest! {
    #[test]
    fn stopping_and_going_on_changes_nothing((module, runs) in history(), stop in any::<prop::sample::Index>()) {
        let model = Model::default();
        let slots: Vec<Slot> = module.iter().map(|&module| Slot { module, tests: 1 }).collect();
        let steps = steps(&runs);
        let mut whole = Pass::new(&model, slots.clone());
        steps.iter().for_each(|(about, results)| { whole.step(about, results); });
        let stop = stop.index(steps.len() + 1);
        let mut first = Pass::new(&model, slots);
        steps[..stop].iter().for_each(|(about, results)| { first.step(about, results); });
        let mut kept = first.clone();
        drop(first);
        steps[stop..].iter().for_each(|(about, results)| { kept.step(about, results); });
        prop_assert!(kept == whole);
    }

    #[test]
    fn tests_that_cannot_be_told_apart_may_share_a_slot((module, runs) in history(), copies in 2_u32..9) {
        // One more module-0 test that passes whenever the first one runs, alone or many times.
        let model = Model::default();
        let steps = steps(&runs);
        let tests = module.len() as u32;
        let slots: Vec<Slot> = module.iter().map(|&module| Slot { module, tests: 1 }).collect();
        let mut shared = slots.clone();
        shared.push(Slot { module: 0, tests: copies });
        let mut apart = slots;
        apart.extend((0..copies).map(|_| Slot { module: 0, tests: 1 }));
        let (mut one, mut many) = (Pass::new(&model, shared), Pass::new(&model, apart));
        for (about, results) in &steps {
            let ran = results.iter().any(|result| result.slot == 0);
            let quiet = |slot| SlotResult { slot, observed: Observed::PASS, signature: None };
            let mut once = results.clone();
            let mut all = results.clone();
            if ran {
                once.push(quiet(tests));
                all.extend((0..copies).map(|copy| quiet(tests + copy)));
            }
            one.step(about, &once);
            many.step(about, &all);
        }
        for slot in 0..=tests {
            let (left, right) = (one.belief(slot).unwrap(), many.belief(slot).unwrap());
            for class in 0..CLASSES {
                prop_assert!((left.0[class] - right.0[class]).abs() < 1e-9);
                prop_assert!((left.1[class] - right.1[class]).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn beliefs_are_probabilities_and_weights_sum_up((module, runs) in history()) {
        for course in courses(&module, &steps(&runs)) {
            prop_assert!((course.classes.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!(course.broken.iter().all(|p| (0.0..=1.0).contains(p)));
            let odds = super::ledger::log_odds(&course.classes);
            prop_assert!((course.ledger.log_odds() - odds).abs() < 1e-6 * odds.abs().max(1.0));
            for failure in &course.failures {
                let causes = failure.causes;
                let parts = [causes.flake, causes.regression, causes.change, causes.outage];
                prop_assert!(parts.iter().all(|part| (-1e-12..=1.0 + 1e-9).contains(part)), "{causes:?}");
                prop_assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{causes:?}");
            }
            prop_assert!(course.flakes <= course.chances);
        }
    }

    #[test]
    fn every_failure_is_attributed_once((module, runs) in history()) {
        let steps = steps(&runs);
        for (slot, course) in (0..).zip(courses(&module, &steps)) {
            let failed: Vec<u32> = (0..)
                .zip(&steps)
                .filter(|(_, (_, results))| results.iter().any(|one| one.slot == slot && one.observed.troubled()))
                .map(|(place, _)| place)
                .collect();
            let attributed: Vec<u32> = course.failures.iter().map(|failure| failure.run).collect();
            prop_assert_eq!(&attributed, &failed);
            prop_assert_eq!(attributed.iter().collect::<HashSet<_>>().len(), attributed.len());
        }
    }
}

/// A history of runs, a letter for each test, as in the rows of the reference.
fn told(runs: &[&str]) -> History {
    let rows: Vec<RunRow> = (0..runs.len() as u32).map(RunRow::bare).collect();
    let mut builder = HistoryBuilder::new(&rows, HashSet::new(), &OutageSettings::default());
    for (no, letters) in runs.iter().enumerate() {
        let row = |(test, letter)| {
            let Observed { failed, passed } = observed(letter)?;
            let outcome = if passed { Outcome::Passed } else { Outcome::Failed };
            Some(ResultRow {
                attempts: u32::from(failed) + u32::from(passed),
                bad_attempts: failed.into(),
                ..ResultRow::bare(test, outcome)
            })
        };
        let rows: Vec<ResultRow> = (0..).zip(letters.chars()).filter_map(row).collect();
        builder.add(no, &rows);
    }
    builder.finish()
}

/// A run of the main line in which one test of each module failed.
fn failed_in(settings: &FilterSettings, modules: u32) -> Explained {
    let slots = (0..modules).map(|module| Slot { module, tests: 1 }).collect();
    let fail = |slot| SlotResult { slot, observed: Observed::FAIL, signature: None };
    let results: Vec<SlotResult> = (0..modules).map(fail).collect();
    let about = RunAbout { branch: None, revision: 0, started: Timestamp(0) };
    Pass::new(&settings.model, slots).step(&about, &results)
}

#[test]
fn rounds_that_all_passed_are_no_retry_whatever_the_record_says() {
    let round = |bad_attempts| {
        let row = ResultRow {
            repeat: Repeat::Retried,
            attempts: 3,
            bad_attempts,
            ..ResultRow::bare(0, Outcome::Passed)
        };
        let mut builder = HistoryBuilder::new(
            &[RunRow::bare(0)],
            HashSet::from([row.test]),
            &OutageSettings::default(),
        );
        builder.add(0, &[row]);
        let seen = builder.finish().units[0].seen[0];
        (row.is_flaky(), seen.retried(), super::observed(&seen).unwrap())
    };
    assert_eq!(round(0), (false, false, Observed::PASS));
    assert_eq!(round(2), (true, true, Observed { failed: 2, passed: true }));
}

#[test]
fn only_a_failure_before_a_pass_is_a_retry() {
    let retried = Observed { failed: 1, passed: true };
    let said = [Observed::PASS, Observed::FAIL, retried].map(|one| (one.troubled(), one.retried()));
    assert_eq!(said, [(false, false), (true, false), (true, true)]);
}

#[test]
fn numbers_are_mixed_as_the_published_generator_does() {
    // What SplitMix64 gives first from seed 0.
    let published = [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f];
    assert_eq!([1, 2, 3].map(mixed), published);
}

#[test]
fn tests_that_ran_in_the_same_runs_alone_share_a_fingerprint() {
    let prints = presence(&told(&["...-", "..-."]), 0);
    assert_eq!(prints[0], prints[1]);
    let halves = |print: u128| [(print >> 64) as u64, print as u64];
    for half in 0..2 {
        let of = |test: usize| halves(prints[test])[half];
        assert!(of(0) != of(2) && of(0) != of(3) && of(2) != of(3), "{half}");
    }
}

#[test]
fn a_failure_in_a_run_that_is_as_likely_an_outage_as_not_tells_nothing_of_the_test() {
    let (history, settings) = (told(&["F"]), FilterSettings::default());
    let mut explained = failed_in(&settings, 1);
    for (outage, tells) in [(0.49, true), (0.5, false)] {
        explained.modules[0].around.outage = outage;
        let runs = [Some(explained.clone())];
        let course = replay(&history.units[0], &settings, &runs, Moments::Forget);
        assert_eq!(course.is_some(), tells, "{outage}");
    }
}

#[test]
fn a_module_that_is_an_outage_by_itself_stays_one_when_the_run_is_none() {
    let mut explained = failed_in(&FilterSettings::default(), 3);
    for (one, outage) in explained.modules.iter_mut().zip([0.4, 0.5, 0.6]) {
        (one.weights.outage, one.around.outage) = (outage, 0.9);
    }
    explained.take_back(None);
    assert_eq!([0, 1, 2].map(|module| explained.around(module).outage), [0.0, 0.9, 0.9]);
    // Three of its four tests failed, for the commit and not for the machine.
    (explained.modules[1].failing, explained.modules[1].tests) = (3, 4);
    explained.take_back(Some(1));
    let around = explained.around(1);
    assert_eq!((around.outage, around.bad_commit), (0.0, 0.75));
}

#[test]
fn thousands_of_failures_that_look_alike_are_an_outage() {
    let count = Failures { failing: 2_000, tests: 2_000, expected: 1.0, alike: 2_000 };
    let weights = Weights::of(&Model::default(), &count, None);
    assert!(weights.outage > 0.99, "{weights:?}");
}

const USUAL: Circumstance = Circumstance::USUAL;

/// What is said of the module in which these of ten tests failed together.
fn together(
    model: &Model,
    groups: &mut Groups,
    (number, whole): (u32, &Circumstance),
    failing: &[u32],
) -> ModuleExplained {
    let failures = failures(failing.len() as u32);
    let run = RunCount { failures, bad_commit: None, run: number };
    let count = ModuleCount { failures, failing: failing.to_vec() };
    module(model, &run, whole, 0, count, groups)
}

fn failures(failing: u32) -> Failures {
    Failures { failing, tests: 10, expected: 0.5, alike: 0 }
}

#[test]
fn tests_that_failed_together_before_recur_until_the_group_is_forgotten() {
    let model = Model { groups_kept: 1, ..Model::default() };
    let mut groups = Groups::default();
    let runs: [(u32, &[u32], bool); 7] = [
        (0, &[1, 2], false),
        (2, &[1, 2], true),
        // One test is no group, and takes no place.
        (4, &[3], false),
        (6, &[1, 2], true),
        (8, &[5, 6], false),
        (10, &[1, 2], false),
        // The event goes on.
        (11, &[1, 2], false),
    ];
    for (run, failing, recurring) in runs {
        let said = together(&model, &mut groups, (run, &USUAL), failing);
        assert_eq!(said.recurring, recurring, "run {run}");
    }
}

#[test]
fn without_a_weight_for_recurrence_nothing_recurs() {
    let model = Model { recurrence: 0.0, ..Model::default() };
    let mut groups = Groups::default();
    let said = [0, 2].map(|run| together(&model, &mut groups, (run, &USUAL), &[1, 2]).recurring);
    assert_eq!(said, [false; 2]);
}

/// A model for which two failures are an outage exactly as likely as not.
fn undecided() -> Model {
    let model = Model { systemic: 0.0, ..Model::default() };
    let outage = |model: &Model| Weights::of(model, &failures(2), None).outage;
    let even = model.outage * (1.0 - outage(&model)) / outage(&model);
    let near = (-99..99).map(|step| f64::from_bits(even.to_bits().wrapping_add_signed(step)));
    let mut models = near.map(|outage| Model { outage, ..model.clone() });
    models.find(|model| outage(model).to_bits() == 0.5_f64.to_bits()).unwrap()
}

#[test]
fn tests_that_fail_together_in_what_may_be_an_outage_are_no_group() {
    let outage = Circumstance { outage: 0.5, ..USUAL };
    for (model, whole) in [(Model::default(), outage), (undecided(), USUAL)] {
        let mut groups = Groups::default();
        together(&model, &mut groups, (0, &whole), &[1, 2]);
        let again = together(&Model::default(), &mut groups, (2, &USUAL), &[1, 2]);
        assert!(!again.recurring, "{whole:?}");
    }
}

#[test]
fn a_module_that_is_no_likelier_an_outage_than_its_run_has_the_share_of_the_run() {
    let model = Model::default();
    let Weights { outage, .. } = Weights::of(&model, &failures(3), None);
    let whole = Circumstance { outage, share: 0.7, bad_commit: 0.0 };
    let said = together(&model, &mut Groups::default(), (0, &whole), &[1, 2, 3]);
    assert_eq!((said.around.outage, said.around.share), (outage, 0.7));
}

#[test]
fn the_branch_that_was_not_used_longest_is_forgotten_and_no_other_line() {
    let model = Model { branches_kept: 3, ..Model::default() };
    let mut pass = Pass::new(&model, vec![Slot { module: 0, tests: 1 }]);
    let branches = [None, Some(0), Some(1), Some(2), Some(1), None, Some(2), Some(0)];
    let line = |(at, branch): (u32, Option<u32>)| {
        let about = RunAbout { branch, revision: at, started: Timestamp(at.into()) };
        let result = SlotResult { slot: 0, observed: Observed::PASS, signature: None };
        pass.step(&about, &[result]).line
    };
    // With the fourth line the first branch goes, and comes back as another one.
    let lines: Vec<u32> = (0..).zip(branches).map(line).collect();
    assert_eq!(lines, [0, 1, 2, 3, 2, 0, 3, 4]);
}

/// A run of revision `revision` in which each test did what its letter says; failures look alike.
fn step(branch: Option<u32>, revision: u32, letters: &str) -> (RunAbout, Vec<SlotResult>) {
    let about = RunAbout { branch, revision, started: Timestamp(revision.into()) };
    let result = |(slot, letter)| {
        let observed = observed(letter)?;
        Some(SlotResult { slot, observed, signature: observed.troubled().then_some(7) })
    };
    (about, (0..).zip(letters.chars()).filter_map(result).collect())
}

#[test]
fn tests_that_one_commit_broke_together_did_not_fail_on_branches_of_their_own() {
    let steps = [
        step(None, 0, ".........."),
        step(Some(0), 1, "FFF......."),
        step(Some(0), 2, ".........."),
    ];
    let course = &courses(&[0; 10], &steps)[0];
    assert_eq!((course.branches, course.ledger.of(Kind::BadCommit).count), (0, 1));
}

#[test]
fn a_pass_on_retry_is_a_recovery_and_a_proof() {
    let course = &courses(&[0], &[step(None, 0, "."), step(None, 1, "f")])[0];
    assert_eq!((course.recoveries, course.proofs), (1, 1));
}

/// So many failed attempts are less likely on sound code than any float can say.
#[test]
fn failures_of_countless_attempts_have_causes_too() {
    for failed in [490, 1_000] {
        let observed = Observed { failed, passed: false };
        let (about, _) = step(None, 0, "");
        let runs = vec![(about, vec![SlotResult { slot: 0, observed, signature: None }]); 5];
        let course = &courses(&[0], &runs)[0];
        assert_eq!(course.failures.len(), 5);
        for failure in &course.failures {
            let Attribution { flake, regression, change, outage } = failure.causes;
            let all = flake + regression + change + outage;
            assert!(regression > 0.99 && (all - 1.0).abs() < 1e-9, "{failed}: {failure:?}");
        }
    }
}
