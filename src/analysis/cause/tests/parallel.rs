//! Runs of several workers with something planted: how often it is found, and how often something
//! is found that is not there.

use statrs::distribution::{DiscreteCDF, Hypergeometric};

use super::*;

const TESTS: usize = 40;
const RUNS: usize = 120;
const WORKERS: usize = 4;

/// What one test sees of its run.
struct Seen {
    worker: usize,
    workers: usize,
    /// Tests that the same worker ran before.
    before: Vec<u32>,
    /// Tests that other workers ran; their order says nothing.
    beside: Vec<u32>,
}

/// Runs whose tests are dealt to workers at random, in one report, as a pool of workers writes it.
/// Every third run has one worker.
fn dealt(seed: u64, fails: impl Fn(u32, &Seen, &mut Random) -> bool) -> Window {
    let mut random = Random(seed);
    let mut runs = Vec::new();
    let mut workers_of = Vec::new();
    for no in 0..RUNS {
        let workers = if no % 3 == 0 { 1 } else { WORKERS };
        let mut order: Vec<u32> = (0..TESTS as u32).collect();
        for last in (1..TESTS).rev() {
            order.swap(last, random.below(last + 1));
        }
        let dealt: Vec<usize> = order.iter().map(|_| random.below(workers)).collect();
        let mut tests = Vec::new();
        for (place, test) in order.iter().enumerate() {
            let worker = dealt[place];
            let of = |same: bool| {
                let earlier = order[..place].iter().zip(&dealt);
                earlier.filter(move |(_, one)| (**one == worker) == same).map(|(test, _)| *test)
            };
            let (before, beside) = (of(true).collect(), of(false).collect());
            let seen = Seen { worker, workers, before, beside };
            tests.push((*test, fails(*test, &seen, &mut random), 20));
        }
        workers_of.push(dealt);
        let report = (String::new(), format!("ci/{no}/junit.xml"), tests);
        runs.push(MadeRun { hour: no as i64 * 5, variant: "", reports: vec![report] });
    }
    let mut window = made(runs);
    for (run, dealt) in workers_of.into_iter().enumerate() {
        window.workers[run] = (0..WORKERS).map(|no| format!("gw{no}")).collect();
        if run % 3 == 0 {
            window.workers[run].truncate(1);
        }
        for (row, worker) in window.rows[run].iter_mut().zip(dealt) {
            row.worker = worker as u16 + 1;
        }
    }
    window
}

fn hints(judgement: &Judgement) -> usize {
    judgement.verdicts.iter().map(|verdict| verdict.hints.len()).sum()
}

#[test]
fn a_bad_worker_is_named_and_its_p_value_is_that_of_an_independent_test() {
    let mut found = 0;
    for seed in 0..20 {
        let window =
            dealt(seed, |test, seen, random| test == 0 && seen.worker == 3 && random.chance(0.8));
        let judgement = window.judge();
        let hint = of(&judgement, 0).hints.iter().find_map(|hint| match &hint.cause {
            Cause::Worker { worker, split } if worker == "gw3" => Some((*split, hint.p?)),
            _ => None,
        });
        let Some((split, p)) = hint else { continue };
        found += 1;
        assert_eq!(split.outside.failed, 0);
        let all = split.inside.runs + split.outside.runs;
        let tail =
            Hypergeometric::new(all.into(), split.inside.failed.into(), split.inside.runs.into())
                .unwrap()
                .sf(u64::from(split.inside.failed) - 1);
        // Paid for is the choice among at most four workers.
        let times = p / tail;
        assert!(
            (times - times.round()).abs() < 1e-6 && (1.0..=4.0).contains(&times.round()),
            "{times}"
        );
    }
    assert!(found >= 19, "{found} of 20");
}

#[test]
fn the_test_before_it_in_the_same_worker_is_named_and_what_runs_beside_it_is_not() {
    let (mut found, mut beside) = (0, 0);
    for seed in 100..120 {
        let polluted = dealt(seed, |test, seen, _| test == 1 && seen.before.contains(&2));
        let mut judgement = polluted.judge();
        polluted.search(&mut judgement, &[TestNo(1)]);
        let named = |judgement: &Judgement, wanted: u32| {
            of(judgement, 1).hints.iter().any(|hint| {
                matches!(&hint.cause, Cause::Polluter { test, split, in_worker: true, .. }
                    if *test == TestNo(wanted) && split.outside.failed == 0)
            })
        };
        found += u32::from(named(&judgement, 2));
        // The same in another process at another time is no order at all.
        let apart = dealt(seed, |test, seen, random| {
            test == 1 && seen.beside.contains(&2) && random.chance(0.5)
        });
        let mut judgement = apart.judge();
        apart.search(&mut judgement, &[TestNo(1)]);
        beside += u32::from(named(&judgement, 2));
    }
    assert!(found >= 19 && beside == 0, "{found} and {beside} of 20");
}

#[test]
fn what_fails_only_beside_others_is_told() {
    let mut found = 0;
    for seed in 200..220 {
        let judgement =
            dealt(seed, |test, seen, random| test == 0 && seen.workers > 1 && random.chance(0.4))
                .judge();
        found += u32::from(of(&judgement, 0).hints.iter().any(|hint| {
            matches!(hint.cause, Cause::Company { unnamed: false, split } if split.outside.failed == 0)
        }));
    }
    assert!(found >= 19, "{found} of 20");
}

#[test]
fn tests_that_fail_at_random_get_hardly_a_hint() {
    let (mut windows, mut all) = (0, 0);
    for seed in 300..330 {
        let window = dealt(seed, |test, _, random| test < 12 && random.chance(0.2));
        let mut judgement = window.judge();
        let tests: Vec<TestNo> = (0..12).map(TestNo).collect();
        window.search(&mut judgement, &tests);
        let given = hints(&judgement);
        windows += u32::from(given > 0);
        all += given;
    }
    // One window in twenty may have any; beyond 5 of 30 lies 1 in 300 of chance.
    assert!(windows <= 5, "{windows} of 30 windows, {all} hints");
}

#[test]
fn a_stated_shard_is_named() {
    let mut random = Random(7);
    let mut runs = Vec::new();
    let mut shards = Vec::new();
    for no in 0..90 {
        let shard = random.below(3);
        let reports = (0..3).map(|one| {
            let mut tests = vec![(10 + one as u32, false, 20)];
            if one == shard {
                tests.push((0, random.chance(if shard == 1 { 0.7 } else { 0.02 }), 20));
            }
            (String::new(), format!("ci/{no}/junit.xml"), tests)
        });
        let reports = reports.collect();
        runs.push(MadeRun { hour: no * 5, variant: "", reports });
        shards.push(["1/3", "2/3", "3/3"]);
    }
    let mut window = made(runs);
    for (reports, shards) in window.reports.iter_mut().zip(shards) {
        for (report, shard) in reports.iter_mut().zip(shards) {
            report.shard = shard.to_owned();
        }
    }
    let judgement = window.judge();
    let hint = &of(&judgement, 0).hints[0];
    assert!(
        matches!(&hint.cause, Cause::Shard { shard: Shard::Named(name), .. } if name == "2/3"),
        "{hint:?}"
    );
}
