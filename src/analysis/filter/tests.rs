//! The filter against an independent implementation, against itself in other orders, and laws.

use std::collections::HashSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::belief::{Observed, actionable, broken};
use super::model::{CLASSES, Model};
use super::pass::{Pass, RunAbout, Slot, SlotResult};
use super::replay::{Course, Replay};
use super::settings::FilterSettings;
use crate::model::Timestamp;

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
