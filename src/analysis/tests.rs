//! Whole judgements: hand-computed histories, a direct recount, and laws.

mod outages;
mod questions;
mod recorded;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use proptest::prelude::*;
use serde::Deserialize;

use super::changes::{Side, changes};
use super::evidence::{Evidence, Reading};
use super::filter::ledger::{Entry, Kind};
use super::late::settled;
use super::method::METHODS;
use super::settings::Lanes;
use super::streak::StreakKind;
use super::trail::Trail;
use super::verdict::{Fact, Judgement, Status, Verdict};
use super::{History, HistoryBuilder, Settings, judge};
use crate::model::{Lane, Micros, Outcome, Timestamp};
use crate::store::query::{ReportRow, ResultRow, RunNo, RunRow, RunRows, TestNo};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    title: String,
    lanes: String,
    revisions: String,
    branches: Option<String>,
    variants: Option<String>,
    test: Vec<FixtureTest>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FixtureTest {
    strip: String,
    #[serde(default = "once")]
    copies: u32,
    expect: Vec<Expect>,
}

const fn once() -> u32 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Expect {
    #[serde(default)]
    variant: String,
    status: String,
    threshold: String,
    /// What the filter says, where that is not the status.
    filter: Option<String>,
    executions: u32,
    failures: u32,
    #[serde(default)]
    retried: u32,
    #[serde(default)]
    skipped: u32,
    flips: u32,
    reddened_alone: Option<u32>,
    rate: Option<[f64; 3]>,
    facts: Vec<String>,
    quarantine: Option<bool>,
}

/// Runs with their rows, as the store would give them.
#[derive(Debug, Clone)]
struct Window {
    runs: Vec<RunRow>,
    rows: Vec<Vec<ResultRow>>,
}

impl Window {
    fn history(&self, keep: HashSet<TestNo>) -> History {
        let mut builder = HistoryBuilder::new(&self.runs, keep, &Settings::default().outage);
        for (run, rows) in self.rows.iter().enumerate() {
            builder.add(run, rows);
        }
        builder.finish()
    }

    fn judge_by(&self, method: &str) -> Judgement {
        let settings = Settings { method: method.into(), ..Settings::default() };
        let bad = self.rows.iter().flatten().filter(|row| row.bad_attempts > 0);
        let keep: HashSet<TestNo> = bad.map(|row| row.test).collect();
        judge(&self.history(keep), &settings).unwrap()
    }

    fn judge(&self) -> Judgement {
        self.judge_by("evidence")
    }

    /// The evidence about the first test, whose every result is kept where it is among `keep`.
    fn evidence(&self, keep: &[u32]) -> Evidence {
        let history = self.history(keep.iter().copied().map(TestNo).collect());
        let outages = vec![false; history.runs.len()];
        Reading::new(&history, &outages, &Settings::default()).of(&history.units[0])
    }

    /// The trail of the first test, each run one report of the machine `w1`.
    fn trail(&self) -> Trail {
        let (settings, asked) = (Settings::default(), TestNo(0));
        let mut builder = HistoryBuilder::new(&self.runs, HashSet::from([asked]), &settings.outage);
        for (run, rows) in self.rows.iter().enumerate() {
            let (host, end) = ("w1".to_owned(), rows.len() as u32);
            let reports = [ReportRow { host, end, ..ReportRow::default() }];
            builder.add_reports(run, &RunRows { rows, reports: &reports, workers: &[] });
        }
        let history = History { asked: vec![asked], ..builder.finish() };
        let verdicts = judge(&history, &settings).unwrap().verdicts;
        let verdict = verdicts.into_iter().find(|verdict| verdict.test == asked).unwrap();
        *verdict.trail.unwrap()
    }
}

fn run(no: usize, lane: Lane, revision: Option<&str>, branch: &str, variant: &str) -> RunRow {
    RunRow {
        no: RunNo(no as u32 + 1),
        started: Timestamp(1_790_000_000_000 + no as i64 * 3_600_000),
        revision: revision.map(str::to_owned),
        branch: Some(branch.to_owned()),
        lane,
        variant: variant.to_owned(),
        build: Some(no.to_string()),
        ..RunRow::bare(no as u32)
    }
}

#[test]
fn late_runs_stand_with_their_revision() {
    let order = |revisions: &str, branches: &str| -> String {
        let told = revisions.chars().zip(branches.chars()).enumerate();
        let rows = told.map(|(no, (revision, branch))| {
            let revision = (revision != '-').then(|| revision.to_string());
            run(no, Lane::Default, revision.as_deref(), &branch.to_string(), "")
        });
        let settled = settled(rows.collect());
        settled.iter().map(|run| run.revision.as_deref().unwrap_or("-")).collect()
    };
    assert_eq!(order("aabbcc", "mmmmmm"), "aabbcc");
    assert_eq!(order("abcac", "mmmmm"), "aabcc");
    assert_eq!(order("abcaabdb", "mmmmmmmm"), "aaabbbcd");
    assert_eq!(order("a--a", "mmmm"), "a--a", "no revision, no newer one");
    assert_eq!(order("abab", "mxmx"), "abab", "two branches take turns");
}

fn row(test: u32, strip: char) -> Option<ResultRow> {
    let row = ResultRow::marked(test, strip);
    assert!(row.is_some() || strip == ' ', "`{strip}` in a strip");
    row.map(|row| ResultRow { duration: Some(Micros(1_000 + u64::from(test))), ..row })
}

fn lane(letter: char) -> Lane {
    match letter {
        'D' => Lane::Default,
        'C' => Lane::Change,
        'O' => Lane::Other,
        other => panic!("`{other}` is no lane"),
    }
}

impl Fixture {
    fn window(&self) -> Window {
        let at = |line: &Option<String>, place: usize, default: char| {
            line.as_ref().map_or(default, |line| line.chars().nth(place).unwrap())
        };
        let revisions: Vec<char> = self.revisions.chars().collect();
        let runs: Vec<RunRow> = self
            .lanes
            .chars()
            .enumerate()
            .map(|(no, letter)| {
                let revision = revisions[no].to_string();
                let variant = match at(&self.variants, no, '-') {
                    '-' => String::new(),
                    letter => format!("os={letter}"),
                };
                let branch = at(&self.branches, no, 'm').to_string();
                let revision = (revision != "-").then_some(revision.as_str());
                run(no, lane(letter), revision, &branch, &variant)
            })
            .collect();
        let strips = self.test.iter().flat_map(|test| (0..test.copies).map(move |_| &test.strip));
        let mut rows = vec![Vec::new(); runs.len()];
        for (test, strip) in strips.enumerate() {
            assert_eq!(strip.chars().count(), runs.len(), "{}: {strip}", self.title);
            for (run, letter) in strip.chars().enumerate() {
                rows[run].extend(row(test as u32, letter));
            }
        }
        Window { runs, rows }
    }
}

fn kinds(verdict: &Verdict) -> Vec<String> {
    let kind = |fact| serde_json::to_value(fact).unwrap()["kind"].as_str().unwrap().to_owned();
    verdict.facts.iter().map(kind).collect()
}

fn check(title: &str, expect: &Expect, verdict: &Verdict) {
    let counts = (verdict.executions, verdict.failures, verdict.retried, verdict.skipped);
    let expected = (expect.executions, expect.failures, expect.retried, expect.skipped);
    assert_eq!(counts, expected, "{title}: executions, failures, retried, skipped");
    assert_eq!(verdict.status.word(), expect.status, "{title}: {verdict:?}");
    assert_eq!(verdict.flips, expect.flips, "{title}: flips");
    assert_eq!(kinds(verdict), expect.facts, "{title}: facts");
    if let Some([value, low, high]) = expect.rate {
        for (is, should) in
            [(verdict.rate.value, value), (verdict.rate.low, low), (verdict.rate.high, high)]
        {
            assert!((is - should).abs() < 0.000_051, "{title}: {is} {should}");
        }
    }
    if let Some(quarantine) = expect.quarantine {
        assert_eq!(verdict.quarantine, quarantine, "{title}: quarantine");
    }
    if let Some(alone) = expect.reddened_alone {
        assert_eq!(verdict.harm.alone, alone, "{title}: reddened alone");
    }
}

/// Every fixture with the name of its file, in the order of names.
fn fixtures() -> Vec<(String, Fixture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/history");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    assert!(files.len() >= 12, "{files:?}");
    let read = |path: &Path| {
        toml::from_str(&std::fs::read_to_string(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), read(path))).collect()
}

#[test]
fn hand_computed_histories() {
    for (_, fixture) in fixtures() {
        let window = fixture.window();
        let (judged, classic) = (window.judge(), window.judge_by("threshold"));
        let filtered = window.judge_by("filter");
        let mut test = 0;
        for about in &fixture.test {
            for no in test..test + about.copies {
                for expect in &about.expect {
                    let of = |judgement: &Judgement| {
                        let same = |verdict: &&Verdict| {
                            verdict.test == TestNo(no) && verdict.variant == expect.variant
                        };
                        judgement.verdicts.iter().find(same).unwrap().clone()
                    };
                    check(&fixture.title, expect, &of(&judged));
                    let title = format!("{} by the classic rule", fixture.title);
                    assert_eq!(of(&classic).status.word(), expect.threshold, "{title}");
                    let wanted = expect.filter.as_ref().unwrap_or(&expect.status);
                    let title = format!("{}, {} by the filter", fixture.title, about.strip);
                    assert_eq!(of(&filtered).status.word(), wanted, "{title}");
                }
            }
            test += about.copies;
        }
    }
}

/// Thirty of forty tests broken by one revision, run after run: at first an outage, then no more.
#[test]
fn what_lasts_is_a_breakage_from_its_first_run_on() {
    let runs: Vec<RunRow> =
        (0..30).map(|no| run(no, Lane::Default, Some(&format!("r{no}")), "main", "")).collect();
    let rows: Vec<Vec<ResultRow>> = (0..30)
        .map(|no| {
            (0..40)
                .filter_map(|test| row(test, if no >= 20 && test < 30 { 'F' } else { '.' }))
                .collect()
        })
        .collect();
    let judged_after = |count: usize| {
        let (runs, rows) = (runs[..count].to_vec(), rows[..count].to_vec());
        Window { runs, rows }.judge_by("filter")
    };
    let of = |judgement: &Judgement, status: Status| {
        judgement.verdicts.iter().filter(|verdict| verdict.status == status).count()
    };
    let (early, late) = (judged_after(22), judged_after(24));
    assert_eq!(early.runs.iter().filter(|run| run.outage).count(), 2);
    assert_eq!(of(&early, Status::Healthy), 40);
    assert_eq!(late.runs.iter().filter(|run| run.outage).count(), 0);
    assert_eq!((of(&late, Status::NewlyBroken), of(&late, Status::Healthy)), (30, 10));
    let broken = late.verdicts.iter().find(|verdict| verdict.status == Status::NewlyBroken);
    let since = Fact::FailsSince {
        runs: 4,
        first_bad: Some("r20".into()),
        last_good: Some("r19".into()),
        since: runs[20].started,
    };
    assert!(broken.unwrap().facts.contains(&since), "{broken:#?}");
}

/// One run of a random window: lane, revision, branch and variant by small numbers.
type Shape = (u8, u8, u8, u8);

fn windows() -> impl Strategy<Value = Window> {
    let shapes = prop::collection::vec((0_u8..3, 0_u8..8, 0_u8..4, 0_u8..2), 1..40);
    let strips = prop::collection::vec(
        prop::collection::vec(
            prop::sample::select(vec!['.', '.', '.', '.', '.', 'F', 'E', 's', 'r', 'R', 'a', ' ']),
            40,
        ),
        1..9,
    );
    (shapes, strips).prop_map(|(shapes, strips)| window(&shapes, &strips))
}

fn window(shapes: &[Shape], strips: &[Vec<char>]) -> Window {
    let letter = |n: u8| char::from(b'a' + n).to_string();
    let runs: Vec<RunRow> = shapes
        .iter()
        .enumerate()
        .map(|(no, &(lane, revision, branch, variant))| {
            let lane = Lane::from_code(lane).unwrap();
            let revision = (revision > 0).then(|| letter(revision));
            run(no, lane, revision.as_deref(), &letter(branch), &format!("v={variant}"))
        })
        .collect();
    let rows = (0..runs.len())
        .map(|run| {
            let of_test = |(test, strip): (usize, &Vec<char>)| row(test as u32, strip[run]);
            strips.iter().enumerate().filter_map(of_test).collect()
        })
        .collect();
    Window { runs, rows }
}

/// What can be counted without any of the code under test.
#[derive(Debug, PartialEq, Eq, Default)]
struct Recount {
    executed: u32,
    bad: u32,
    retried: u32,
    skipped: u32,
}

fn recount(window: &Window, outages: &[bool]) -> BTreeMap<(TestNo, String), Recount> {
    let mut counts: BTreeMap<(TestNo, String), Recount> = BTreeMap::new();
    for (run, (about, rows)) in window.runs.iter().zip(&window.rows).enumerate() {
        for row in rows {
            let count = counts.entry((row.test, about.variant.clone())).or_default();
            match row.outcome {
                _ if outages[run] => {}
                Outcome::Skipped => count.skipped += 1,
                outcome => {
                    count.executed += 1;
                    count.bad += u32::from(outcome.is_bad());
                    count.retried += u32::from(row.is_flaky());
                }
            }
        }
    }
    counts
}

fn ignored(verdict: &Verdict) -> u32 {
    let left_out = |fact: &Fact| match fact {
        Fact::IgnoredChanges { failures } | Fact::Ambiguous { runs: failures } => *failures,
        _ => 0,
    };
    verdict.facts.iter().map(left_out).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn counts_equal_a_direct_recount(window in windows()) {
        let judgement = window.judge();
        let outages: Vec<bool> = judgement.runs.iter().map(|run| run.outage).collect();
        let counts = recount(&window, &outages);
        prop_assert_eq!(counts.len(), judgement.verdicts.len());
        for verdict in &judgement.verdicts {
            let count = &counts[&(verdict.test, verdict.variant.clone())];
            let ignored = ignored(verdict);
            let counted = Recount {
                executed: verdict.executions + ignored,
                bad: verdict.failures + ignored,
                retried: verdict.retried,
                skipped: verdict.skipped,
            };
            prop_assert_eq!(&counted, count);
        }
    }

    #[test]
    fn the_order_of_rows_within_a_run_changes_nothing(window in windows(), seed in any::<u64>()) {
        let mut shuffled = window.clone();
        for (run, rows) in shuffled.rows.iter_mut().enumerate() {
            let turn = (seed as usize).wrapping_add(run) % rows.len().max(1);
            rows.rotate_left(turn);
            if (seed >> (run % 64)) & 1 == 1 {
                rows.reverse();
            }
        }
        for method in METHODS {
            prop_assert_eq!(window.judge_by(method.name), shuffled.judge_by(method.name));
        }
    }

    #[test]
    fn a_passing_run_of_other_tests_changes_nothing_for_a_test(window in windows()) {
        // A variant of its own, so that neither presence nor neighbours of a run change.
        let mut more = window.clone();
        let no = more.runs.len();
        let lane = more.runs[0].lane;
        more.runs.push(run(no, lane, Some("new"), "m", "v=other"));
        more.rows.push((100..120).filter_map(|test| row(test, '.')).collect());
        let (before, after) = (window.judge(), more.judge());
        let old: Vec<&Verdict> =
            after.verdicts.iter().filter(|verdict| verdict.test.0 < 100).collect();
        prop_assert_eq!(before.verdicts.iter().collect::<Vec<_>>(), old);
    }

    #[test]
    fn statuses_keep_their_word(window in windows()) {
        let judgement = window.judge();
        for verdict in &judgement.verdicts {
            let facts = kinds(verdict);
            let has = |kind: &str| facts.iter().any(|fact| fact == kind);
            prop_assert!(verdict.rate.low <= verdict.rate.value);
            prop_assert!(verdict.rate.value <= verdict.rate.high);
            match verdict.status {
                Status::Flaky => {
                    let shown = ["passed-on-retry", "both-on-one-revision",
                        "recovered-by-itself", "unrelated-branches"];
                    prop_assert!(shown.iter().any(|kind| has(kind)), "{:?}", verdict);
                }
                Status::NewlyBroken | Status::Broken => prop_assert!(has("fails-since")),
                _ => prop_assert!(!verdict.quarantine),
            }
            if matches!(verdict.status, Status::NewlyBroken | Status::Broken) {
                prop_assert!(!verdict.quarantine);
            }
        }
        let order = |verdict: &Verdict| match verdict.status {
            Status::NewlyBroken | Status::Broken => 0,
            Status::Fixed => 2,
            Status::New | Status::Stale => 3,
            Status::Healthy => 4,
            _ => 1,
        };
        let verdicts = &judgement.verdicts;
        prop_assert!(verdicts.iter().map(order).is_sorted());
        for pair in verdicts.windows(2).filter(|pair| order(&pair[0]) == order(&pair[1])) {
            prop_assert!(pair[0].harm.share >= pair[1].harm.share);
        }
    }

    #[test]
    fn the_classic_rule_is_what_its_words_say(window in windows()) {
        let judgement = window.judge_by("threshold");
        for verdict in &judgement.verdicts {
            let all: Vec<bool> = window.rows.iter().zip(&window.runs)
                .filter(|(_, run)| run.variant == verdict.variant)
                .flat_map(|(rows, _)| rows.iter().filter(|row| row.test == verdict.test))
                .filter(|row| row.outcome != Outcome::Skipped)
                .map(|row| row.outcome.is_bad())
                .collect();
            let last = &all[all.len().saturating_sub(10)..];
            let bad = last.iter().filter(|bad| **bad).count();
            let flaky = last.len() >= 3 && bad > 0 && bad < last.len() && bad * 10 >= last.len() * 3;
            prop_assert_eq!(verdict.status == Status::Flaky, flaky, "{:?}", last);
            prop_assert_eq!(verdict.quarantine, flaky && last.len() >= 5);
        }
    }
}

#[test]
fn a_method_that_does_not_exist_is_refused_by_name() {
    let settings = Settings { method: "oracle".into(), ..Settings::default() };
    let error = judge(&super::History::default(), &settings).unwrap_err();
    let known: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
    let message = format!("no method is called `oracle`; choose one of {}", known.join(", "));
    assert_eq!(error.to_string(), message);
}

#[test]
fn an_empty_window_has_no_verdicts() {
    let judgement = judge(&super::History::default(), &Settings::default()).unwrap();
    assert!(judgement.runs.is_empty() && judgement.verdicts.is_empty());
}

#[test]
fn settings_are_read_with_defaults_and_refuse_what_they_do_not_know() {
    let settings: Settings = toml::from_str(
        "method = 'threshold'\n[threshold]\nmin-runs = 4\nlanes = 'main'\n[outage]\nshare = 0.5",
    )
    .unwrap();
    assert_eq!((settings.threshold.min_runs, settings.threshold.window), (4, 10));
    assert_eq!(settings.threshold.lanes, Lanes::Main);
    assert!(toml::from_str::<Settings>("metod = 'x'").is_err());
    assert!(toml::from_str::<Settings>("[evidence]\nmin_runs = 1").is_err());
}

#[test]
fn one_test_can_be_looked_at_closely_although_it_never_failed() {
    let window = window(&[(0, 1, 0, 0), (0, 2, 0, 1), (0, 3, 0, 0)], &[vec!['.'; 40]]);
    let history = window.history(HashSet::from([TestNo(0)]));
    let places = |variant: &str| -> Vec<u32> {
        let unit = history.unit(TestNo(0), variant).unwrap();
        unit.cells().iter().map(|cell| cell.run).collect()
    };
    assert_eq!((places("v=0"), places("v=1")), (vec![0, 2], vec![1]));
    assert!(history.unit(TestNo(1), "v=0").is_none());
    assert!(history.unit(TestNo(0), "v=2").is_none());
    let judgement = judge(&history, &Settings::default()).unwrap();
    let verdict = judgement.verdicts.iter().find(|verdict| verdict.variant == "v=0").unwrap();
    assert_eq!(verdict.duration_median, Some(Micros(1_000)));
}

#[test]
fn a_skip_is_no_run() {
    let strip: Vec<char> = "..F.ss".chars().chain(std::iter::repeat_n(' ', 34)).collect();
    let judgement = window(&[(0, 1, 0, 0); 6], &[strip, vec!['s'; 40]]).judge();
    let of =
        |test: u32| judgement.verdicts.iter().find(|verdict| verdict.test == TestNo(test)).unwrap();
    assert_eq!(of(0).last_run, judgement.runs[3].started);
    assert_eq!(of(0).last_failure, Some(judgement.runs[2].started));
    assert_eq!(of(1).last_run, judgement.runs[5].started);
}

/// One strip for each test, the runs of one lane, each with a revision of its own.
fn strips(lane: u8, strips: &[&str]) -> Window {
    let runs = strips[0].len() as u8;
    let shapes: Vec<Shape> = (1..=runs).map(|revision| (lane, revision, 0, 0)).collect();
    let strips: Vec<Vec<char>> = strips.iter().map(|strip| strip.chars().collect()).collect();
    window(&shapes, &strips)
}

#[test]
fn a_test_that_keeps_no_results_is_counted_like_one_that_does() {
    let window = strips(0, &["..s....s."]);
    for keep in [&[][..], &[0]] {
        let Evidence { executions, skipped, clean, .. } = window.evidence(keep);
        assert_eq!((executions, skipped, clean), (7, 2, 7), "{keep:?}");
    }
}

#[test]
fn what_a_breakage_did_is_no_part_of_the_rate_that_the_next_streak_is_held_against() {
    // Four of four with retries: 4.28 / 8.15 = 0.525 with the prior, so that a flake fails again
    // with 0.148 + 0.852 * 0.525 = 0.595; ln 0.01 / ln 0.595 = 8.9. A pass later, the ten failures
    // set aside, four of five: 0.468, 0.546, 7.6.
    let evidence = strips(0, &["rrrrFFFFFFFFFF.F"]).evidence(&[0]);
    let told: Vec<_> = evidence.streaks.iter().map(|one| (one.kind, one.needed)).collect();
    assert_eq!(told, [(StreakKind::Breakage, 9), (StreakKind::Open, 8)]);
}

#[test]
fn each_run_without_a_revision_counts_as_one() {
    let strip = "....FFF....";
    let window = window(&[(0, 0, 0, 0); 11], &[strip.chars().collect()]);
    let Evidence { streaks, recoveries, .. } = window.evidence(&[0]);
    assert_eq!((streaks[0].unnamed, streaks[0].kind), (3, StreakKind::Breakage));
    assert_eq!(recoveries, 0);
}

#[test]
fn a_test_vanished_only_where_others_ran() {
    let (gone, there) = ("............        ", "....................");
    let status = |lane: u8, tests: &[&str]| {
        let judgement = strips(lane, tests).judge();
        judgement.verdicts.iter().find(|verdict| verdict.test == TestNo(0)).unwrap().status
    };
    for lane in 0..3 {
        assert_eq!(status(lane, &[gone, there]), Status::Stale, "{lane}");
        assert_eq!(status(lane, &[gone]), Status::Healthy, "{lane}");
    }
}

#[test]
fn a_trail_tells_where_results_came_from_and_what_was_tried_again() {
    let mut window = strips(0, &[".r.r", "...."]);
    // A skipped attempt was tried again, and nothing failed.
    window.rows[1][0].bad_attempts = 0;
    let trail = window.trail();
    let places: Vec<_> = trail
        .places
        .iter()
        .map(|place| (place.run, place.host.as_deref(), place.before, place.tests))
        .collect();
    assert_eq!(places, [0, 1, 2, 3].map(|run| (run, Some("w1"), 0, 2)));
    let tried: Vec<_> = trail.retried.iter().map(|one| (one.run, one.failed)).collect();
    assert_eq!(tried, [(3, 1)]);
}

#[test]
fn a_pass_on_retry_is_kept_whether_anybody_asked_for_it_or_not() {
    let history = strips(0, &["..r."]).history(HashSet::new());
    assert_eq!(history.units[0].seen.first().map(|seen| seen.run), Some(2));
}

#[test]
fn results_take_no_room_for_runs_that_do_not_come() {
    let history = strips(0, &[&"F".repeat(20)]).history(HashSet::new());
    let seen = &history.units[0].seen;
    assert!(seen.len() == 20 && seen.capacity() < 30, "{}", seen.capacity());
}

#[test]
fn each_run_counts_on_one_side_of_a_moment() {
    let whole = strips(0, &["..F.F...."]);
    let (judgement, history) = (whole.judge(), whole.history(HashSet::new()));
    let side = Side { judgement: &judgement, history: &history };
    let changed = changes(side, side, judgement.runs[4].started);
    assert_eq!((changed.runs_before, changed.runs_since), ((1, 4), (1, 5)));
}

#[test]
fn a_window_of_one_run_is_compared_with_the_next() {
    let Window { runs, rows } = strips(0, &[&("F".to_owned() + &".".repeat(29))]);
    let part = |range: std::ops::Range<usize>| Window {
        runs: runs[range.clone()].to_vec(),
        rows: rows[range].to_vec(),
    };
    let (before, now) = (part(0..1), part(1..30));
    let (was, is) = (before.judge(), now.judge());
    let (old, new) = (before.history(HashSet::new()), now.history(HashSet::new()));
    let changed = changes(
        Side { judgement: &was, history: &old },
        Side { judgement: &is, history: &new },
        runs[1].started,
    );
    // One of 30 places for the only failure.
    let rates: Vec<_> = changed.rates.iter().map(|one| (one.before, one.since)).collect();
    assert_eq!(rates, [((1, 1), (0, 29))]);
    assert!((changed.rates[0].p - 1.0 / 30.0).abs() < 1e-12);
}

#[test]
fn an_outage_beyond_doubt_is_counted_though_it_weighs_nothing() {
    // 20 tests with a failure or two of their own, and many that fail in the outage alone.
    let own: Vec<String> = (0..20)
        .map(|test| {
            let failed = |run: usize| run == 9 || run == test % 9 || (test > 9 && run == 11);
            (0..14).map(|run| if failed(run) { 'F' } else { '.' }).collect()
        })
        .collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let judgement = strips(0, &[&own[..], &[".........F...."; 600]].concat()).judge_by("filter");
    let outage = |test: u32| {
        let verdict = judgement.verdicts.iter().find(|one| one.test == TestNo(test)).unwrap();
        let entries = &verdict.weighing.as_ref().unwrap().entries;
        entries.iter().find(|(kind, _)| *kind == Kind::Outage).map(|(_, entry)| *entry)
    };
    let entries: Vec<_> = (0..20).map(outage).collect();
    // Of a good part of them 0 itself.
    let counted = |entry: Entry| entry.count == 1 && entry.nats.abs() < 1e-12;
    assert!(entries.iter().all(|entry| entry.is_some_and(counted)), "{entries:?}");
}
