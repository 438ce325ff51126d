//! Reports of generated histories, read back, tell the truth.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::junit::{ReadOptions, read};
use crate::model::Outcome;
use crate::testkit::generators::junit::DIALECTS;
use crate::testkit::generators::{Generate, Order, Source, write};

fn histories() -> Histories {
    Histories::of(DIALECTS[0])
}

/// The tests that the reports of a run show as failed and passed, by flakedb's own reader.
fn read_run(run: &Run) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut failed, mut passed) = (BTreeSet::new(), BTreeSet::new());
    for file in &run.files {
        let report = read(file.content.as_bytes(), &ReadOptions::default()).report;
        for result in &report.results {
            let test = report.tests.get(result.test).expect("a known test").label();
            let told = if result.outcome.is_bad() { &mut failed } else { &mut passed };
            told.insert(test);
        }
    }
    (failed, passed)
}

#[test]
fn reports_of_every_dialect_show_what_the_truth_says() {
    for dialect in DIALECTS {
        let history = Histories::of(dialect).runs(12).retries(1).one(&mut Source::seeded(7));
        let mut failures: BTreeMap<String, usize> = BTreeMap::new();
        for run in &history.runs {
            let (failed, passed) = read_run(run);
            let truth: BTreeSet<String> = run.truth.failed.iter().cloned().collect();
            assert_eq!(failed, truth, "{} {}", dialect.name, run.id);
            assert_eq!(failed.len() + passed.len(), history.truth.tests.len(), "{}", dialect.name);
            for test in failed {
                *failures.entry(test).or_default() += 1;
            }
        }
        for test in &history.truth.tests {
            let was = test.was.as_ref().and_then(|was| failures.get(was)).unwrap_or(&0);
            let now = failures.get(&test.test).unwrap_or(&0);
            assert_eq!(was + now, test.failures, "{} {}", dialect.name, test.test);
        }
    }
}

#[test]
fn each_fate_shows_in_its_runs() {
    for seed in 0..20 {
        let history = histories().runs(80).outages(0).one(&mut Source::seeded(seed));
        let mut at: Vec<String> = Vec::new();
        for run in &history.runs {
            let revision = &run.sidecar.revision;
            if run.sidecar.branch == "main" && at.last() != Some(revision) {
                at.push(revision.clone());
            }
        }
        let place = |revision: &str| at.iter().position(|known| known == revision).expect("main");
        for run in history.runs.iter().filter(|run| run.sidecar.branch == "main") {
            let now = place(&run.sidecar.revision);
            let (failed, passed) = read_run(run);
            for test in &history.truth.tests {
                let fails = failed.contains(&test.test);
                match &test.fate {
                    Fate::Healthy | Fate::Slow { .. } => assert!(!fails, "{}", test.test),
                    Fate::Broken { since } => assert_eq!(fails, now >= place(since)),
                    Fate::Fixed { since, until } => {
                        assert_eq!(fails, (place(since)..place(until)).contains(&now));
                    }
                    Fate::Renamed { since } => {
                        let (old, new) = (test.was.as_ref().expect("a former name"), &test.test);
                        let is_new = now >= place(since);
                        assert_eq!((passed.contains(old), passed.contains(new)), (!is_new, is_new));
                    }
                    Fate::Flaky { .. } => {}
                }
            }
        }
    }
}

#[test]
fn flaky_tests_fail_at_their_rate() {
    let histories = histories().runs(400).flaky(10).rate(0.2).outages(0);
    let history = histories.one(&mut Source::seeded(7));
    let flaky = history.truth.tests.iter().filter(|test| matches!(test.fate, Fate::Flaky { .. }));
    let (mut failures, mut attempts) = (0, 0);
    for test in flaky {
        failures += test.failures;
        attempts += history.runs.len();
    }
    let rate = failures as f64 / attempts as f64;
    // Ten tests in some 600 runs: the rate is within four standard deviations.
    let deviation = (0.2 * 0.8 / attempts as f64).sqrt();
    assert!((rate - 0.2).abs() < 4.0 * deviation, "{rate}");
}

#[test]
fn slow_tests_take_four_times_as_long() {
    let history = histories().runs(80).outages(0).one(&mut Source::seeded(7));
    let slow = history.truth.tests.iter().find(|test| matches!(test.fate, Fate::Slow { .. }));
    let slow = slow.expect("a slow test");
    let Fate::Slow { since, factor } = &slow.fate else { unreachable!() };
    let (mut before, mut behind, mut is_slow) = (Vec::new(), Vec::new(), false);
    for run in &history.runs {
        is_slow |= run.sidecar.revision == *since;
        for (module, case) in run.tests.cases() {
            let label = DIALECTS[0].label("shop", &module.name, &case.behaviour);
            if label == slow.test {
                let times = if is_slow { &mut behind } else { &mut before };
                times.push(case.last.duration_ms);
            }
        }
    }
    let mean = |times: &[u64]| times.iter().sum::<u64>() as f64 / times.len() as f64;
    let ratio = mean(&behind) / mean(&before);
    assert!((ratio / *factor as f64 - 1.0).abs() < 0.15, "{ratio}");
}

#[test]
fn outages_take_most_tests_of_one_attempt() {
    let history = histories().outages(3).one(&mut Source::seeded(7));
    assert_eq!(history.truth.outages.len(), 3);
    for run in history.runs.iter().filter(|run| run.truth.outage) {
        let errors = run.tests.cases().filter(|(_, case)| case.outcome() == Outcome::Errored);
        assert!(errors.count() * 2 > history.truth.tests.len());
        assert_eq!(run.sidecar.attempt, 1);
    }
}

#[test]
fn runs_follow_each_other_and_name_themselves_once() {
    let history = histories().one(&mut Source::seeded(7));
    let starts: Vec<&str> = history.runs.iter().map(|run| run.sidecar.started.as_str()).collect();
    assert!(starts.is_sorted());
    let builds: BTreeSet<(&str, u32)> =
        history.runs.iter().map(|run| (run.sidecar.build.as_str(), run.sidecar.attempt)).collect();
    assert_eq!(builds.len(), history.runs.len());
    let paths: BTreeSet<String> = history.files().into_iter().map(|file| file.path).collect();
    assert_eq!(paths.len(), 1 + 2 * history.runs.len());
}

/// What the reports show of a test: all its names, and how often it ran and failed outside outages.
fn told_of(history: &History, test: &TestFate) -> (BTreeSet<String>, usize, usize) {
    let (mut names, mut ran, mut failures) = (BTreeSet::new(), 0, 0);
    for run in &history.runs {
        let (failed, passed) = read_run(run);
        for name in [Some(&test.test), test.was.as_ref()].into_iter().flatten() {
            let told = [&failed, &passed].map(|told| usize::from(told.contains(name)));
            if told != [0, 0] {
                names.insert(name.clone());
                ran += usize::from(!run.truth.outage);
                failures += if run.truth.outage { 0 } else { told[0] };
            }
        }
    }
    (names, ran, failures)
}

#[test]
fn the_truth_of_a_short_history_is_in_its_reports_too() {
    for runs in 0..8 {
        for seed in 0..12 {
            let histories = histories().runs(runs).healthy(2).flaky(1).rate(0.5);
            let history = histories.one(&mut Source::seeded(seed));
            assert!(history.runs.len() >= runs.max(1));
            let tested: BTreeSet<&str> =
                history.runs.iter().map(|run| run.sidecar.revision.as_str()).collect();
            for test in &history.truth.tests {
                let context = format!("{runs} runs of seed {seed}: {test:?}");
                let (names, ran, failures) = told_of(&history, test);
                assert!(names.contains(&test.test), "{context}");
                assert_eq!(names.len(), 1 + usize::from(test.was.is_some()), "{context}");
                let changes: Vec<&String> = match &test.fate {
                    Fate::Healthy | Fate::Flaky { .. } => Vec::new(),
                    Fate::Fixed { since, until } => vec![since, until],
                    Fate::Broken { since } | Fate::Renamed { since } | Fate::Slow { since, .. } => {
                        vec![since]
                    }
                };
                assert!(changes.iter().all(|at| tested.contains(at.as_str())), "{context}");
                let fails = matches!(test.fate, Fate::Broken { .. } | Fate::Fixed { .. });
                assert!(!fails || failures > 0, "{context}");
                assert!(!fails || failures < ran, "{context}");
            }
        }
    }
}

#[test]
fn a_flaky_test_is_what_its_reports_show() {
    let statuses = |rate, runs| {
        let histories = histories().runs(runs).rate(rate).flaky(1).outages(0).broken(0).fixed(0);
        let history = histories.one(&mut Source::seeded(7));
        let flaky = |test: &TestFate| matches!(test.fate, Fate::Flaky { .. });
        history.truth.tests.into_iter().find(flaky).expect("a flaky test").statuses
    };
    assert_eq!(statuses(1.0, 60), ["broken", "newly-broken"]);
    assert_eq!(statuses(0.0, 60), ["healthy", "new"]);
    assert_eq!(statuses(0.3, 60)[0], "flaky");
    // A row of failures at the end looks like a breakage.
    assert!(statuses(0.97, 60).contains(&"broken"));
    assert!(!statuses(0.1, 60).contains(&"broken"));
}

#[test]
fn lines_tell_the_attempts_that_reports_tell() {
    for dialect in DIALECTS {
        for retries in [1, 2, 3] {
            let histories = Histories::of(dialect).runs(6).flaky(6).rate(0.6).retries(retries);
            let history = histories.one(&mut Source::seeded(7));
            for (run, line) in history.runs.iter().zip(&history.lines()[1..]) {
                let told: BTreeMap<(String, String), Vec<String>> = line["results"]
                    .as_array()
                    .expect("results")
                    .iter()
                    .map(|result| {
                        let text = |key: &str| result[key].as_str().expect("a text").to_owned();
                        let listed = result["attempts"].as_array();
                        let mut attempts: Vec<String> = listed.map_or_else(Vec::new, |listed| {
                            listed.iter().map(|one| one.as_str().expect("a text").into()).collect()
                        });
                        // What ingest does: another outcome than the last one's is one more.
                        if attempts.last() != Some(&text("outcome")) {
                            attempts.push(text("outcome"));
                        }
                        ((text("classname"), text("name")), attempts)
                    })
                    .collect();
                for file in &run.files {
                    let report = read(file.content.as_bytes(), &ReadOptions::default()).report;
                    for result in &report.results {
                        let test = report.tests.get(result.test).expect("a known test");
                        let mut attempts: Vec<&str> =
                            result.attempts.iter().map(|attempt| attempt.outcome.word()).collect();
                        if attempts.is_empty() {
                            attempts.push(result.outcome.word());
                        }
                        let context = format!("{} {retries} {}", dialect.name, test.label());
                        let key = (test.classname.to_owned(), test.name.to_owned());
                        assert_eq!(told.get(&key).expect(&context), &attempts, "{context}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_history_never_asks_for_more_than_memory_holds() {
    let histories = histories().healthy(usize::MAX).retries(usize::MAX).runs(usize::MAX);
    assert!(!histories.fits());
    let (runs, retries) = histories.size();
    assert_eq!((runs, retries), (1, 100));
    assert!(histories.healthy(0).retries(0).runs(usize::MAX).fits());
    let order = Order::of("history").expect("a kind");
    let order = order.set("healthy", "100000").expect("alone it fits fewer runs");
    let error = write(&order, &mut Vec::new()).unwrap_err().to_string();
    assert!(error.starts_with("runs=60 does not do for history: write less"), "{error}");
}

#[test]
fn a_history_is_written_as_files_and_as_lines() {
    let histories = histories().runs(2).healthy(2).flaky(1).rate(1.0).broken(0).fixed(0).outages(0);
    let histories = histories.renamed(0).slow(0);
    let history = histories.one(&mut Source::seeded(7));
    let files = history.files();
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path).expect("a file");
        String::from_utf8(file.bytes.clone()).expect("UTF-8")
    };
    insta::assert_snapshot!("sidecar", text("run-0001/flakedb-run.toml"));
    insta::assert_snapshot!("truth", text("truth.json"));
    let lines = history.lines();
    assert_eq!(lines.len(), history.runs.len() + 1);
    insta::assert_snapshot!("line", format!("{:#}", lines[1]));
}

#[test]
fn every_flawed_history_differs_in_the_file_it_names() {
    let mut stream = Source::seeded(7).item("flawed", 0);
    let sound = histories().runs(2).outages(0).generate(&mut stream.clone()).files();
    for flawed in histories().invalid(&mut stream) {
        let at = flawed.at.clone();
        let (flaw, files) = (flawed.flaw, flawed.files());
        let changed: Vec<&str> = files
            .iter()
            .zip(&sound)
            .filter(|(flawed, sound)| flawed.bytes != sound.bytes)
            .map(|(flawed, _)| flawed.path.as_str())
            .collect();
        assert_eq!(changed, [format!("{flaw}/{at}")]);
    }
}
