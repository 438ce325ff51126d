//! Hints on made histories: found where there is a cause, absent where there is none.

mod answers;
mod parallel;

use std::collections::{BTreeMap, HashSet};

use super::contrast::{Share, Split};
use super::polluter::Search;
use super::*;
use crate::analysis::verdict::{Judgement, Verdict};
use crate::analysis::{HistoryBuilder, Settings, judge};
use crate::model::random::Random;
use crate::model::{Counts, Lane, Micros, Outcome, RunKey, TestId, Timestamp};
use crate::store::query::{ReportRow, ResultRow, RunNo, RunRow, RunRows, TestRow};

/// One run: its reports with host and source, and in each the tests in order.
struct MadeRun {
    hour: i64,
    variant: &'static str,
    reports: Vec<(String, String, Vec<Made>)>,
}

/// Test, failed, milliseconds.
type Made = (u32, bool, u64);

struct Window {
    runs: Vec<RunRow>,
    rows: Vec<Vec<ResultRow>>,
    reports: Vec<Vec<ReportRow>>,
    workers: Vec<Vec<String>>,
}

fn made(runs: Vec<MadeRun>) -> Window {
    let mut all =
        Window { runs: Vec::new(), rows: Vec::new(), reports: Vec::new(), workers: Vec::new() };
    for (no, run) in runs.into_iter().enumerate() {
        let (mut rows, mut reports) = (Vec::new(), Vec::new());
        for (host, source, tests) in run.reports {
            rows.extend(tests.into_iter().map(|(test, failed, ms)| ResultRow {
                duration: Some(Micros(ms * 1_000)),
                ..ResultRow::bare(test, if failed { Outcome::Failed } else { Outcome::Passed })
            }));
            reports.push(ReportRow {
                host,
                source,
                end: rows.len() as u32,
                ..ReportRow::default()
            });
        }
        all.runs.push(RunRow {
            no: RunNo(no as u32 + 1),
            key: RunKey([no as u8; 16]),
            // 2026-11-02, a Monday, 00:20.
            started: Timestamp(1_793_578_800_000 + run.hour * 3_600_000),
            revision: Some(no.to_string()),
            branch: Some("main".to_owned()),
            lane: Lane::Default,
            variant: run.variant.to_owned(),
            build: None,
            attempt: 1,
            job: None,
            url: None,
            complete: true,
            reports: reports.len() as u32,
            suite_failures: 0,
            counts: Counts::default(),
        });
        all.rows.push(rows);
        all.reports.push(reports);
        all.workers.push(Vec::new());
    }
    all
}

impl Window {
    fn of_run(&self, run: usize) -> RunRows<'_> {
        RunRows { rows: &self.rows[run], reports: &self.reports[run], workers: &self.workers[run] }
    }

    fn history(&self) -> History {
        let bad = self.rows.iter().flatten().filter(|row| row.bad_attempts > 0);
        let keep: HashSet<TestNo> = bad.map(|row| row.test).collect();
        let mut builder = HistoryBuilder::new(&self.runs, keep, &Settings::default().outage);
        for run in 0..self.rows.len() {
            builder.add_reports(run, &self.of_run(run));
        }
        builder.finish()
    }

    fn judge(&self) -> Judgement {
        judge(&self.history(), &Settings::default()).unwrap()
    }

    fn search(&self, judgement: &mut Judgement, tests: &[TestNo]) {
        let mut search = Search::new(&judgement.causes, tests);
        let places: Vec<u32> = search.runs().collect();
        for place in places {
            search.add(place, &self.of_run(place as usize));
        }
        search.settle(judgement);
    }
}

fn of(judgement: &Judgement, test: u32) -> &Verdict {
    judgement.verdicts.iter().find(|verdict| verdict.test == TestNo(test)).unwrap()
}

fn words(judgement: &Judgement, test: u32) -> Vec<&'static str> {
    of(judgement, test).hints.iter().map(|hint| hint.cause.word()).collect()
}

/// Test 0 fails where `fails` says so of (run, hour, host, random), 1 to 9 never do.
fn simple(
    count: usize,
    step: i64,
    fails: impl Fn(usize, i64, usize, &mut Random) -> (bool, u64),
) -> Window {
    let mut random = Random(3);
    made(
        (0..count)
            .map(|no| {
                let (hour, host) = (no as i64 * step, random.below(5));
                let (failed, ms) = fails(no, hour % 24, host, &mut random);
                let mut tests = vec![(0, failed, ms)];
                tests.extend((1..10).map(|test| (test, false, 20)));
                let report = (format!("w{host}"), format!("ci/{no}/junit.xml"), tests);
                MadeRun { hour, variant: "", reports: vec![report] }
            })
            .collect(),
    )
}

#[test]
fn a_bad_machine_is_named() {
    let window =
        simple(60, 5, |_, _, host, random| (random.chance(if host == 2 { 0.8 } else { 0.05 }), 20));
    let judgement = window.judge();
    let hint = &of(&judgement, 0).hints[0];
    assert!(
        matches!(&hint.cause, Cause::Host { host, split } if host == "w2" && split.inside.rate() > 0.6)
    );
    assert!(hint.q.unwrap() <= 0.05 && hint.p.unwrap() <= hint.q.unwrap());
    assert_eq!(words(&judgement, 0), ["host"]);
}

#[test]
fn a_bad_hour_is_named() {
    let window = simple(96, 5, |_, hour, _, random| {
        (random.chance(if (22..24).contains(&hour) { 0.9 } else { 0.02 }), 20)
    });
    let judgement = window.judge();
    let hint = &of(&judgement, 0).hints[0];
    assert!(
        matches!(hint.cause, Cause::Clock { when: When::Hours { from: 22, until: 24 }, .. }),
        "{hint:?}"
    );
}

#[test]
fn failures_that_take_long_are_told_from_passes() {
    let slow = simple(60, 5, |_, _, _, random| {
        let failed = random.chance(0.3);
        (failed, if failed { 900 } else { 300 } + random.below(99) as u64)
    });
    let judgement = slow.judge();
    assert_eq!(words(&judgement, 0), ["duration"]);
    // As sure, but nothing that a person would look at.
    let close = simple(60, 5, |_, _, _, random| {
        let failed = random.chance(0.3);
        (failed, if failed { 305 } else { 300 })
    });
    assert_eq!(words(&close.judge(), 0), [""; 0]);
}

#[test]
fn failures_in_spells_are_told() {
    let window = simple(240, 5, |no, _, _, random| {
        (random.chance(if no / 3 % 3 == 1 { 0.8 } else { 0.02 }), 20)
    });
    assert_eq!(words(&window.judge(), 0), ["burst"]);
}

#[test]
fn too_few_failures_say_nothing() {
    let window = simple(60, 5, |no, _, host, _| (host == 2 && no < 12, 20));
    let failures = of(&window.judge(), 0).failures;
    assert!((3..6).contains(&failures), "{failures}");
    assert_eq!((words(&window.judge(), 0), window.judge().causes.examined.len()), (vec![], 0));
}

#[test]
fn a_bad_shard_and_a_bad_variant_are_named() {
    let mut random = Random(4);
    let runs = (0..120).map(|no| {
        let (shard, windows) = (random.below(4), no % 3 == 0);
        let mut reports: Vec<(String, String, Vec<Made>)> = (0..4)
            .map(|n| {
                let others = (0..5).map(|test| (10 + n * 5 + test, false, 20)).collect();
                (String::new(), format!("run{no}/shard-{n}/junit.xml"), others)
            })
            .collect();
        reports[shard].2.push((0, random.chance(if shard == 1 { 0.7 } else { 0.03 }), 20));
        reports[0].2.push((1, random.chance(if windows { 0.4 } else { 0.01 }), 20));
        let variant = if windows { "os=windows,py=3" } else { "os=linux,py=3" };
        MadeRun { hour: no * 5, variant, reports }
    });
    let judgement = made(runs.collect()).judge();
    let shard = Shard::Folder("shard-1".to_owned());
    assert!(judgement.verdicts.iter().filter(|verdict| verdict.test == TestNo(0)).any(|verdict| {
        matches!(verdict.hints.first(), Some(Hint { cause: Cause::Shard { shard: found, .. }, .. }) if *found == shard)
    }));
    let windows = judgement
        .verdicts
        .iter()
        .find(|verdict| verdict.test == TestNo(1) && verdict.variant.contains("windows"));
    let hint = &windows.unwrap().hints[0];
    assert!(
        matches!(&hint.cause, Cause::Variant { variant, .. } if variant == "os=windows"),
        "{hint:?}"
    );
}

#[test]
fn tests_that_fail_together_are_named_and_outages_are_not() {
    let mut random = Random(5);
    let runs = (0..80).map(|no| {
        let (down, outage) = (random.chance(0.2), no == 40);
        let failed = |test: u32, random: &mut Random| match test {
            _ if outage => true,
            0 | 1 => down && random.chance(0.95),
            2 => random.chance(0.2),
            _ => false,
        };
        let tests = (0..30).map(|test| (test, failed(test, &mut random), 20)).collect();
        MadeRun { hour: no * 5, variant: "", reports: vec![("w".into(), "j.xml".into(), tests)] }
    });
    let judgement = made(runs.collect()).judge();
    assert!(judgement.runs[40].outage);
    for (test, other) in [(0, 1), (1, 0)] {
        let hint = &of(&judgement, test).hints[0];
        assert!(
            matches!(hint.cause, Cause::Together { test, both, either, .. } if test == TestNo(other) && either - both <= 3),
            "{hint:?}"
        );
    }
    assert_eq!(words(&judgement, 2), [""; 0]);
}

fn shuffled(fails: impl Fn(&[u32], u32) -> Option<bool>) -> Window {
    let mut random = Random(6);
    made(
        (0..40)
            .map(|no| {
                let mut order: Vec<u32> = (0..25).collect();
                for place in (1..order.len()).rev() {
                    order.swap(place, random.below(place + 1));
                }
                let run = |(place, test): (usize, &u32)| {
                    let before = &order[..place];
                    let failed = fails(before, *test).unwrap_or(random.chance(0.0));
                    (*test, failed, 20)
                };
                let tests = order.iter().enumerate().map(run).collect();
                MadeRun {
                    hour: no * 5,
                    variant: "",
                    reports: vec![(String::new(), format!("{no}.xml"), tests)],
                }
            })
            .collect(),
    )
}

#[test]
fn the_polluter_and_the_helper_are_named_where_no_worker_is_known() {
    let window = shuffled(|before, test| match test {
        3 => Some(before.contains(&17)),
        4 => Some(!before.contains(&9)),
        _ => None,
    });
    let mut judgement = window.judge();
    assert!(words(&judgement, 3).contains(&"order") && words(&judgement, 4).contains(&"order"));
    assert!(
        of(&judgement, 3).hints.iter().any(|hint| matches!(hint.cause, Cause::Position { .. }))
    );
    window.search(&mut judgement, &[TestNo(3), TestNo(4), TestNo(5)]);
    for (victim, culprit, worse) in [(3, 17, true), (4, 9, false)] {
        let hint = &of(&judgement, victim).hints[0];
        let Cause::Polluter { test, split, alike, in_worker, .. } = &hint.cause else {
            panic!("{hint:?}")
        };
        assert_eq!((*test, alike.len(), *in_worker), (TestNo(culprit), 0, false));
        assert_eq!(split.inside.rate() > split.outside.rate(), worse);
        assert!(
            !of(&judgement, victim)
                .hints
                .iter()
                .any(|hint| matches!(hint.cause, Cause::Position { .. }))
        );
    }
}

/// What the polluter of test 3 is and its q, where that is named at this rate of false discoveries.
fn polluter_of_3(window: &Window, false_discovery_rate: f64) -> Option<(TestNo, f64)> {
    let mut judgement = window.judge();
    judgement.causes.false_discovery_rate = false_discovery_rate;
    window.search(&mut judgement, &[TestNo(3)]);
    of(&judgement, 3).hints.iter().find_map(|hint| match &hint.cause {
        Cause::Polluter { test, .. } => Some((*test, hint.q?)),
        _ => None,
    })
}

#[test]
fn a_polluter_is_named_up_to_the_very_rate_of_false_discoveries() {
    let window = shuffled(|before, test| (test == 3).then(|| before.contains(&17)));
    let (named, q) = polluter_of_3(&window, 0.05).unwrap();
    assert_eq!((named, polluter_of_3(&window, q)), (TestNo(17), Some((TestNo(17), q))));
    assert_eq!(polluter_of_3(&window, q * 0.99), None);
}

#[test]
fn where_the_worker_of_a_test_is_not_known_all_that_ran_before_it_counts() {
    let mut window = shuffled(|before, test| (test == 3).then(|| before.contains(&17)));
    for row in window.rows.iter_mut().flatten().filter(|row| row.test != TestNo(3)) {
        row.worker = 1;
    }
    window.workers.fill(vec!["gw0".to_owned()]);
    assert_eq!(polluter_of_3(&window, 0.05).map(|(test, _)| test), Some(TestNo(17)));
}

/// Tests that fail at random, in a random order, on random machines, and take random times.
fn without_cause(seed: u64, tests: u32, runs: usize) -> Judgement {
    let mut random = Random(seed);
    let rates: Vec<f64> = (0..tests).map(|_| 0.08 + random.below(33) as f64 / 100.0).collect();
    let made_runs = (0..runs).map(|no| {
        let mut results: Vec<Made> = rates
            .iter()
            .enumerate()
            .map(|(test, rate)| (test as u32, random.chance(*rate), 20 + random.below(400) as u64))
            .collect();
        for place in (1..results.len()).rev() {
            results.swap(place, random.below(place + 1));
        }
        let second = results.split_off(results.len() / 2);
        let report = |shard: usize, results, random: &mut Random| {
            (format!("w{}", random.below(6)), format!("x/shard-{shard}.xml"), results)
        };
        let reports = vec![report(1, results, &mut random), report(2, second, &mut random)];
        let variant = if no % 4 == 0 { "os=mac" } else { "os=linux" };
        MadeRun { hour: no as i64 * 5, variant, reports }
    });
    made(made_runs.collect()).judge()
}

#[test]
fn where_there_is_no_cause_there_are_hardly_hints() {
    let (mut units, mut hinted, mut small, mut asked) = (0, 0, 0, 0);
    for seed in 0..3 {
        let judgement = without_cause(seed, 100, 160);
        units += judgement.causes.examined.len();
        let verdicts = judgement.verdicts.iter();
        hinted += verdicts.filter(|verdict| !verdict.hints.is_empty()).count();
        let known = judgement.causes.family.known();
        asked += known.len();
        small += known.iter().filter(|p| **p <= 0.05).count();
    }
    assert!(units >= 400 && asked >= 2_500, "{units} {asked}");
    assert!(hinted * 100 <= units, "{hinted} of {units}");
    // Before any adjustment, too, no signal may come out more often than it promises.
    assert!((small as f64) <= 0.05 * asked as f64, "{small} of {asked}");
}

#[test]
fn every_signal_is_named_once() {
    let names: HashSet<&str> = SIGNALS.iter().map(|signal| signal.name).collect();
    assert_eq!(names.len(), SIGNALS.len());
}

#[test]
fn branches_that_fail_more_than_the_main_line_are_no_spells() {
    for seed in 0..10 {
        let mut random = Random(seed);
        let mut window = made(
            (0..120)
                .map(|no| {
                    let failed = no % 3 == 2 && random.chance(0.6);
                    let tests = (0..10).map(|test| (test, failed && test == 0, 10)).collect();
                    let report = ("h".to_owned(), "j.xml".to_owned(), tests);
                    MadeRun { hour: no, variant: "", reports: vec![report] }
                })
                .collect(),
        );
        for (no, run) in window.runs.iter_mut().enumerate().filter(|(no, _)| no % 3 == 2) {
            run.lane = Lane::Change;
            run.branch = Some(format!("b{}", no / 12));
        }
        let hints = words(&window.judge(), 0);
        assert!(!hints.contains(&"burst"), "seed {seed}: {hints:?}");
    }
}

#[test]
fn only_tests_whose_place_changes_are_looked_at_for_their_order() {
    let examined = |window: &Window, test: u32| {
        let examined = window.judge().causes.examined;
        examined.iter().find(|one| one.test == TestNo(test)).unwrap().shuffled
    };
    let fixed = simple(40, 5, |no, _, _, _| (no % 4 == 0, 20));
    let mixed = shuffled(|before, test| (test == 3).then(|| before.contains(&17)));
    assert_eq!((examined(&fixed, 0), examined(&mixed, 3)), (false, true));
}

#[test]
fn a_cause_that_names_other_tests_is_told_with_their_names_and_scopes() {
    let row = |no: u32, classname: &str| TestRow {
        no: TestNo(no),
        id: TestId([no as u8; 16]),
        suite: String::new(),
        classname: classname.to_owned(),
        name: format!("test_{no}"),
        file: String::new(),
        qualified: false,
        first_seen: Timestamp(0),
    };
    let rows = [row(1, "shop.cart"), row(2, "shop.mail"), row(3, "shop.cart")];
    let rows: BTreeMap<TestNo, TestRow> = rows.into_iter().map(|row| (row.no, row)).collect();
    let (name, scopes) = (String::new(), Vec::new());
    let share = Share { failed: 1, runs: 2 };
    let split = Split { inside: share, outside: share };
    let (test, alike, in_worker) = (TestNo(1), vec![TestNo(2), TestNo(3)], false);
    let mut polluter = Cause::Polluter { test, name, split, alike, scopes, in_worker };
    polluter.name(&rows);
    let Cause::Polluter { name, scopes, .. } = &polluter else { panic!("{polluter:?}") };
    assert_eq!(
        (&**name, &**scopes),
        ("shop.cart::test_1", &["shop.cart", "shop.mail"].map(str::to_owned)[..])
    );
    assert_eq!(polluter.tests().collect::<Vec<_>>(), [1, 2, 3].map(TestNo));
    let (test, name) = (TestNo(2), String::new());
    let mut together = Cause::Together { test, name, both: 4, either: 5, others: 0 };
    together.name(&rows);
    assert!(matches!(&together, Cause::Together { name, .. } if name == "shop.mail::test_2"));
    assert_eq!(together.test(), Some(TestNo(2)));
    assert_eq!(Cause::Burst { split }.test(), None);
}
