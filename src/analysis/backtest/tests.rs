//! Back-tests of small histories, by hand; and laws.

use std::collections::HashSet;

use proptest::prelude::*;

use super::breakage::{Breakage, breakages};
use super::rule::{Rule, Stand};
use super::{Backtest, Bench, Case, Trial, backtest};
use crate::analysis::filter::episode::{Attributed, Attribution};
use crate::analysis::filter::replay::{Course, Moment, Replay};
use crate::analysis::filter::{FilterSettings, Moments, filter};
use crate::analysis::judge::judged_run;
use crate::analysis::settings::{Lanes, Outages, ThresholdSettings};
use crate::analysis::verdict::JudgedRun;
use crate::analysis::{History, HistoryBuilder, Settings};
use crate::model::{Lane, Timestamp};
use crate::store::query::{ResultRow, RunNo, RunRow, TestNo};

/// What some tests did, a strip each: `.` passed, `F` failed, `r` passed on retry.
#[derive(Debug, Clone)]
struct Window {
    strips: Vec<String>,
    /// A letter for each run: `D` or `C`.
    lanes: String,
    /// A letter for each run.
    revisions: String,
}

/// A revision for each run: `abc…`.
fn each(runs: usize) -> String {
    (0..runs as u32).filter_map(|no| char::from_u32(u32::from('a') + no)).collect()
}

impl Window {
    fn new(strips: &[&str]) -> Self {
        let runs = strips[0].len();
        Self {
            strips: strips.iter().map(|strip| (*strip).to_owned()).collect(),
            lanes: "D".repeat(runs),
            revisions: each(runs),
        }
    }

    fn run(&self, no: usize) -> RunRow {
        let is_main = self.lanes.as_bytes()[no] == b'D';
        RunRow {
            no: RunNo(no as u32 + 1),
            started: Timestamp(1_790_000_000_000 + no as i64 * 3_600_000),
            revision: self.revisions.chars().nth(no).map(String::from),
            branch: Some(if is_main { "main".to_owned() } else { format!("b{no}") }),
            lane: if is_main { Lane::Default } else { Lane::Change },
            build: Some(no.to_string()),
            ..RunRow::bare(no as u32)
        }
    }

    /// The first `count` runs.
    fn history(&self, count: usize) -> History {
        let settings = Settings::default();
        let runs: Vec<RunRow> = (0..count).map(|no| self.run(no)).collect();
        let marks = |no: usize| {
            let strips = (0..).zip(&self.strips);
            strips.filter_map(move |(test, strip)| ResultRow::marked(test, strip.chars().nth(no)?))
        };
        let bad = (0..count).flat_map(marks).filter(|row| row.bad_attempts > 0);
        let keep: HashSet<TestNo> = bad.map(|row| row.test).collect();
        let mut builder = HistoryBuilder::new(&runs, keep, &settings.outage);
        for no in 0..count {
            builder.add(no, &marks(no).collect::<Vec<_>>());
        }
        builder.finish()
    }

    fn whole(&self) -> History {
        self.history(self.revisions.chars().count())
    }

    fn backtest(&self) -> Backtest {
        backtest(&self.whole(), &Settings::default()).unwrap()
    }
}

fn classic(tested: &Backtest) -> &Trial {
    tested.trials.iter().find(|trial| matches!(trial.rule, Rule::Classic(_))).unwrap()
}

fn in_force(tested: &Backtest) -> &Trial {
    tested.trials.iter().find(|trial| trial.in_force).unwrap()
}

/// A course that believed so after each run: score, P(broken), guarded.
fn course_of(moments: &[(f64, f64, bool)]) -> Course {
    let settings = FilterSettings::default();
    let moment = |(run, (score, broken, guarded)): (u32, &(f64, f64, bool))| Moment {
        run,
        score: *score,
        broken: *broken,
        guarded: *guarded,
        flagged: false,
        was_flagged: false,
        was_broken: false,
        evidence: *guarded,
    };
    let moments = (0..).zip(moments).map(moment).collect();
    Course { moments, ..Replay::new(&settings, 0).finish() }
}

fn stands(rule: &Rule, course: &Course) -> Vec<Stand> {
    let history = Window::new(&["FFFFFF"]).whole();
    rule.follow(&history, &history.units[0], Some(course), &[], 0.9)
}

fn flaky(stands: &[Stand]) -> String {
    stands.iter().map(|stand| if stand.flaky { '!' } else { '-' }).collect()
}

#[test]
fn thresholds_are_those_of_the_grid_and_of_the_settings() {
    let filter = FilterSettings { flaky: 0.4, ..FilterSettings::default() };
    let rules = Rule::all(&filter, &ThresholdSettings::default());
    let ways: Vec<(f64, f64)> = rules
        .iter()
        .filter_map(|rule| match rule {
            Rule::Filter { flaky, stay } => Some((*flaky, *stay)),
            Rule::Classic(_) => None,
        })
        .collect();
    assert_eq!(ways.len() + 1, rules.len());
    // Nobody leaves above where they enter.
    let expected = [(0.2, 0.2), (0.35, 0.3), (0.4, 0.3), (0.5, 0.3), (0.7, 0.3), (0.9, 0.3)];
    assert_eq!(ways, expected);
    let strict = FilterSettings { strict: true, ..FilterSettings::default() };
    assert_eq!(Rule::filter(&strict, 0.5), Rule::Filter { flaky: 0.5, stay: 0.3 });
}

#[test]
fn the_threshold_to_enter_is_the_one_that_is_tried_not_the_strict_one() {
    let strict = FilterSettings { strict: true, ..FilterSettings::default() };
    assert_eq!(Rule::filter(&strict, 0.2), Rule::Filter { flaky: 0.2, stay: 0.2 });
}

#[test]
fn a_test_comes_in_with_evidence_over_the_upper_and_out_below_the_lower_threshold() {
    let course = course_of(&[
        (0.1, 0.0, false),
        (0.4, 0.0, false),
        (0.4, 0.0, true),
        (0.31, 0.95, true),
        (0.29, 0.0, true),
        (0.34, 0.0, true),
    ]);
    let rule = Rule::filter(&FilterSettings::default(), 0.35);
    let found = stands(&rule, &course);
    assert_eq!(flaky(&found), "--!!--");
    let forgives: Vec<bool> = found.iter().map(|stand| stand.forgives()).collect();
    assert_eq!(forgives, [false, false, true, false, false, false], "broken is not forgiven");
    let rule = Rule::filter(&FilterSettings::default(), 0.7);
    assert_eq!(flaky(&stands(&rule, &course)), "------");
}

#[test]
fn the_classic_rule_counts_the_latest_results() {
    let stands = |strip: &str, lanes: &str, outages: &[bool], settings: &ThresholdSettings| {
        let window = Window { lanes: lanes.to_owned(), ..Window::new(&[strip]) };
        let history = window.whole();
        let rule = Rule::Classic(settings.clone());
        flaky(&rule.follow(&history, &history.units[0], None, outages, 0.9))
    };
    let all = ThresholdSettings::default();
    // 1 of 3, 2 of 4, 2 of 5, 2 of 6, and 2 of 7 is less than 30 %.
    assert_eq!(stands(".F.F...", "DDDDDDD", &[], &all), "--!!!!-");
    // Three failures and no pass are no flakiness; with a window of three they are all there is.
    assert_eq!(stands("FFF", "DDD", &[], &all), "---");
    let short = ThresholdSettings { window: 3, ..ThresholdSettings::default() };
    assert_eq!(stands(".FFFF.", "DDDDDD", &[], &short), "--!--!");
    let main = ThresholdSettings { lanes: Lanes::Main, ..ThresholdSettings::default() };
    assert_eq!(stands(".FCF.F", "DCDDDD", &[], &main), "--!!", "runs of the main line only");
    let past = ThresholdSettings { outages: Outages::LeaveOut, ..ThresholdSettings::default() };
    assert_eq!(stands("..F..", "DDDDD", &[false, false, true, false, false], &past), "----");
}

fn failed(run: u32, flake: f64, regression: f64, outage: f64) -> Attributed {
    let change = 1.0 - flake - regression - outage;
    Attributed { run, causes: Attribution { flake, regression, change, outage } }
}

#[test]
fn a_regression_lasts_three_revisions_or_still_lasts() {
    let found = |strip: &str, revisions: &str, lanes: &str, failures: &[Attributed]| {
        let window = Window {
            strips: vec![strip.to_owned()],
            lanes: lanes.to_owned(),
            revisions: revisions.to_owned(),
        };
        let history = window.whole();
        let course = Course { failures: failures.to_vec(), ..course_of(&[]) };
        let runs = breakages(&history, &history.units[0], Some(&course));
        runs.into_iter().map(|Breakage { runs }| runs).collect::<Vec<_>>()
    };
    let broke = |runs: &[u32]| -> Vec<Attributed> {
        runs.iter().map(|run| failed(*run, 0.1, 0.8, 0.0)).collect()
    };
    let main = "DDDDDD";
    assert_eq!(found(".FFF..", "abcdef", main, &broke(&[1, 2, 3])), [vec![1, 2, 3]]);
    assert!(found(".FF...", "abcdef", main, &broke(&[1, 2])).is_empty(), "too short");
    assert!(found(".FFF..", "abbbef", main, &broke(&[1, 2, 3])).is_empty(), "one revision");
    assert_eq!(found("....FF", "abcdef", main, &broke(&[4, 5])), [vec![4, 5]], "still lasts");
    let other = "DDCDDD";
    assert_eq!(found(".FFFF.", "abcdef", other, &broke(&[1, 2, 3, 4])), [vec![1, 3, 4]]);
    let mut outage = broke(&[1, 2, 3, 4]);
    outage[1] = failed(2, 0.0, 0.1, 0.9);
    assert_eq!(found(".FFFF.", "abcdef", main, &outage), [vec![1, 3, 4]], "says nothing");
    let mut flake = broke(&[1, 2, 3, 4]);
    flake[1] = failed(2, 0.9, 0.1, 0.0);
    assert!(found(".FFFF.", "abcdef", main, &flake).is_empty(), "a flake ends it");
}

#[test]
fn a_failing_run_without_a_revision_counts_as_a_revision_of_its_own() {
    let found = |strip: &str, failing: &[u32]| {
        // The first two runs have a revision.
        let window = Window { revisions: "ab".to_owned(), ..Window::new(&[strip]) };
        let history = window.history(strip.len());
        let failures = failing.iter().map(|run| failed(*run, 0.1, 0.8, 0.0)).collect();
        let course = Course { failures, ..course_of(&[]) };
        let runs = breakages(&history, &history.units[0], Some(&course));
        runs.into_iter().map(|Breakage { runs }| runs).collect::<Vec<_>>()
    };
    assert_eq!(found("FFF..", &[0, 1, 2]), [vec![0, 1, 2]]);
    assert!(found(".FF..", &[1, 2]).is_empty(), "too short");
}

#[test]
fn a_run_turns_green_where_all_that_failed_was_called_flaky_before() {
    // Called flaky by the classic rule from the third run on; the other test never.
    let tested = Window::new(&[".F.F.F.", ".....F."]).backtest();
    let trial = classic(&tested);
    assert_eq!(tested.runs.iter().filter(|run| run.is_red()).count(), 3);
    assert_eq!(trial.greened, 1, "the run of index 3: the first knew nothing, the last held both");
    let flag = &trial.flags[0];
    assert_eq!((flag.subject.test, flag.since, flag.until), (TestNo(0), 2, None));
    assert_eq!(trial.flagged_at_end(), 1);
}

/// A test that the classic rule calls flaky from the third run on, so that it forgives the fourth
/// and the sixth: a flake, and one that the code has more part in than the test itself.
fn forgiven_twice(change: impl FnOnce(&mut [JudgedRun])) -> Trial {
    let (history, settings) = (Window::new(&[".F.F.F"]).whole(), Settings::default());
    let failures =
        vec![failed(1, 1.0, 0.0, 0.0), failed(3, 1.0, 0.0, 0.0), failed(5, 0.4, 0.3, 0.0)];
    let course = Course { failures, ..course_of(&[]) };
    let cases = [Case::new(&history, &history.units[0], Some(&course))];
    let mut runs: Vec<JudgedRun> =
        history.runs.iter().map(|run| judged_run(&history, run, false)).collect();
    change(&mut runs);
    let bench = Bench {
        history: &history,
        runs: &runs,
        cases: &cases,
        set_aside: &[],
        settings: &settings,
    };
    bench.try_out(Rule::Classic(ThresholdSettings::default()))
}

#[test]
fn a_run_is_green_wrongly_where_the_code_broke_whoever_changed_it() {
    let trial = forgiven_twice(|_| {});
    assert_eq!((trial.greened, trial.greened_wrongly), (2, 1));
    assert_eq!(trial.changes_hidden, 0, "on the main line no change is to blame alone");
}

#[test]
fn a_run_stays_red_where_a_suite_failed_or_the_machine_did() {
    let suite = forgiven_twice(|runs| runs[3].suite_failures = 1);
    assert_eq!((suite.greened, suite.greened_wrongly), (1, 1));
    let machine = forgiven_twice(|runs| runs[5].outage = true);
    assert_eq!((machine.greened, machine.greened_wrongly), (1, 0));
}

#[test]
fn the_classic_rule_is_in_force_where_the_settings_name_it() {
    let settings = Settings { method: "threshold".to_owned(), ..Settings::default() };
    let tested = backtest(&Window::new(&[".F.F.F"]).whole(), &settings).unwrap();
    assert!(matches!(in_force(&tested).rule, Rule::Classic(_)));
    assert_eq!(tested.trials.iter().filter(|trial| trial.in_force).count(), 1);
}

#[test]
fn a_flaky_test_that_breaks_is_hidden_until_it_is_probably_broken() {
    let window =
        Window::new(&["..r.........r...........FFFFFFFF", "................................"]);
    let tested = window.backtest();
    assert_eq!(tested.regressions, 1);
    let trial = in_force(&tested);
    assert_eq!(trial.rule, Rule::Filter { flaky: 0.35, stay: 0.3 });
    let [hidden] = trial.hidden.as_slice() else { panic!("{trial:#?}") };
    assert_eq!((hidden.from, hidden.failed), (24, 8));
    // By hand: hidden as long as the belief before the run called it flaky and not probably broken.
    let history = window.whole();
    let filtered = filter(&history, &FilterSettings::default(), Moments::Keep);
    let course = filtered.units[0].course.as_ref().unwrap();
    let shown = course.moments.iter().find(|moment| moment.broken >= 0.5).unwrap().run + 1;
    assert_eq!(hidden.shown_from, Some(shown));
    assert_eq!(hidden.hidden, shown - 24);
    assert_eq!(trial.hidden_runs_max(), hidden.hidden);
    assert_eq!(trial.greened_wrongly, hidden.hidden);
}

#[test]
fn nobody_knew_of_a_late_run_before_it_started() {
    let window = Window::new(&[".r.F.........F"]);
    let hidden = |late: bool| {
        let mut history = window.whole();
        if late {
            history.runs[1].started = Timestamp(history.runs[13].started.0 - 1);
        }
        let tested = backtest(&history, &Settings::default()).unwrap();
        in_force(&tested).greened
    };
    assert_eq!(hidden(false), 2, "known at once, the proof fences off both failures");
    assert_eq!(hidden(true), 1, "only the failure that came after the late run");
}

proptest! {
    #[test]
    fn a_threshold_ends_where_the_verdicts_under_it_end(
        strip in "[.]{3}([.F]|[.]{4}|r[.]{5}){5,40}",
        flaky in prop::sample::select(vec![0.2, 0.35, 0.5, 0.7, 0.9]),
    ) {
        let window = Window::new(&[&strip, &".".repeat(strip.len())]);
        let history = window.whole();
        let tested = backtest(&history, &Settings::default()).unwrap();
        let same = |trial: &&Trial| trial.rule == Rule::filter(&FilterSettings::default(), flaky);
        let trial = tested.trials.iter().find(same).unwrap();
        let filter = FilterSettings { flaky, ..FilterSettings::default() };
        let settings = Settings { filter: filter.clone(), ..Settings::default() };
        let filtered = super::filter(&history, &settings.filter, Moments::Forget);
        let flagged = filtered.units.iter().filter(|belief| {
            belief.course.as_ref().is_some_and(|course| course.flagged)
        });
        prop_assert_eq!(trial.flagged_at_end(), flagged.count());
    }
}

#[test]
fn what_a_change_broke_itself_is_a_number() {
    // Flaky on the main line; one change breaks it, or so it seems.
    let window = Window {
        lanes: "DDDDDDDDDDDDCDDDD".to_owned(),
        ..Window::new(&[".r.r..r..r..F....", "................."])
    };
    let tested = window.backtest();
    let trial = in_force(&tested);
    let filtered = filter(&window.whole(), &FilterSettings::default(), Moments::Keep);
    let course = filtered.units[0].course.as_ref().unwrap();
    let own = course.failures.iter().filter(|failure| failure.causes.change >= 0.5).count();
    assert_eq!(trial.changes_hidden as usize, own);
    assert!(trial.hidden.is_empty());
}

#[test]
fn a_history_without_runs_or_failures_has_nothing_to_tell() {
    let none = Window::new(&["..."]).history(0);
    let tested = backtest(&none, &Settings::default()).unwrap();
    assert!(tested.runs.is_empty() && tested.trials.len() == 6);
    let quiet = Window::new(&["....."]).backtest();
    assert!(quiet.trials.iter().all(|trial| trial.flags.is_empty() && trial.greened == 0));
    let unknown = Settings { method: "oracle".to_owned(), ..Settings::default() };
    assert!(backtest(&none, &unknown).is_err());
}

/// Thirty of forty tests broken together in a row, as an outage is at first.
fn broken_together(runs: usize, from: usize, length: usize) -> Window {
    let strip = |test: usize| -> String {
        (0..runs)
            .map(|run| match test < 30 && (from..from + length).contains(&run) {
                true => 'F',
                false if test == 0 && run % 4 == 1 => 'r',
                false => '.',
            })
            .collect()
    };
    let strips: Vec<String> = (0..40).map(strip).collect();
    let strips: Vec<&str> = strips.iter().map(String::as_str).collect();
    Window::new(&strips)
}

/// For each test and rule, the runs after which it was called flaky, and whether it was forgiven.
fn known(window: &Window, count: usize, before: usize) -> Vec<(TestNo, usize, u32, bool)> {
    let history = window.history(count);
    let settings = Settings::default();
    let filtered = filter(&history, &settings.filter, Moments::Keep);
    let rules = Rule::all(&settings.filter, &settings.threshold);
    let mut known = Vec::new();
    for (unit, belief) in history.units.iter().zip(&filtered.units) {
        for (no, rule) in rules.iter().enumerate() {
            let course = belief.course.as_deref();
            let stands = rule.follow(&history, unit, course, &[], settings.filter.broken);
            let early = stands.iter().filter(|stand| stand.flaky && (stand.run as usize) < before);
            known.extend(early.map(|stand| (unit.test, no, stand.run, stand.forgives())));
        }
    }
    known.sort_unstable();
    known
}

#[test]
fn that_an_outage_was_none_is_known_only_once_it_lasts() {
    let window = broken_together(24, 14, 8);
    for count in 14..24 {
        assert_eq!(known(&window, count, count), known(&window, 24, count), "{count} runs");
    }
    let history = window.whole();
    let filtered = filter(&history, &FilterSettings::default(), Moments::Keep);
    assert!(filtered.outages().iter().all(|outage| !outage), "all taken back in the end");
    let course = filtered.units[0].course.as_ref().unwrap();
    let at = |run: u32| course.moments.iter().find(|moment| moment.run == run).unwrap().broken;
    assert!(at(15) < 0.1 && at(16) > 0.9, "{} {}", at(15), at(16));
}

prop_compose! {
    fn windows()(
        runs in 1_usize..22,
        tests in 1_usize..9,
    )(
        marks in prop::collection::vec(
            prop::collection::vec(prop_oneof![12 => Just('.'), 2 => Just('F'), 1 => Just('r'), 1 => Just(' ')], runs),
            tests,
        ),
        lanes in prop::collection::vec(prop_oneof![3 => Just('D'), 1 => Just('C')], runs),
        repeats in prop::collection::vec(prop::bool::weighted(0.2), runs),
        group in prop::option::of((0..runs, 1_usize..6)),
    ) -> Window {
        let mut marks = marks;
        if let Some((from, length)) = group {
            marks.extend(vec![vec!['.'; lanes.len()]; 24]);
            for strip in marks.iter_mut().skip(1).take(20) {
                strip.iter_mut().skip(from).take(length).for_each(|mark| *mark = 'F');
            }
        }
        let mut lanes: String = lanes.into_iter().collect();
        lanes.replace_range(..1, "D");
        let mut revision = 0_u32;
        let revisions = repeats.iter().map(|again| {
            revision += u32::from(!again);
            char::from_u32(u32::from('a') + revision).unwrap()
        });
        Window {
            revisions: revisions.collect(),
            strips: marks.into_iter().map(String::from_iter).collect(),
            lanes,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn later_runs_change_nothing_that_was_said_before(window in windows(), cut in any::<prop::sample::Index>()) {
        let runs = window.lanes.len();
        let cut = cut.index(runs + 1);
        prop_assert_eq!(known(&window, cut, cut), known(&window, runs, cut));
    }

    #[test]
    fn a_higher_threshold_flags_greens_and_hides_no_more(window in windows()) {
        let tested = window.backtest();
        let filters: Vec<&Trial> =
            tested.trials.iter().filter(|trial| matches!(trial.rule, Rule::Filter { .. })).collect();
        for pair in filters.windows(2) {
            let (low, high) = (pair[0], pair[1]);
            prop_assert!(high.flags.len() <= low.flags.len());
            prop_assert!(high.flagged_at_end() <= low.flagged_at_end());
            prop_assert!(high.greened <= low.greened);
            prop_assert!(high.greened_wrongly <= low.greened_wrongly);
            prop_assert!(high.hidden_runs() <= low.hidden_runs());
            prop_assert!(high.changes_hidden <= low.changes_hidden);
        }
    }

    #[test]
    fn the_threshold_in_force_says_in_the_end_what_the_filter_says(window in windows()) {
        let history = window.whole();
        let settings = Settings::default();
        let tested = backtest(&history, &settings).unwrap();
        let filtered = filter(&history, &settings.filter, Moments::Keep);
        let courses = filtered.units.iter().filter_map(|belief| belief.course.as_ref());
        let flagged = courses.filter(|course| course.flagged).count();
        prop_assert_eq!(in_force(&tested).flagged_at_end(), flagged);
        prop_assert_eq!(tested, backtest(&history, &settings).unwrap());
    }

    #[test]
    fn no_rule_does_more_than_there_is(window in windows()) {
        let tested = window.backtest();
        let red = tested.runs.iter().filter(|run| run.is_red() && !run.outage).count();
        for trial in &tested.trials {
            prop_assert!(trial.greened as usize <= red);
            prop_assert!(trial.greened_wrongly <= trial.greened);
            prop_assert!(trial.hidden.len() <= tested.regressions as usize);
            for hidden in &trial.hidden {
                prop_assert!(hidden.from < tested.runs.len() as u32);
                prop_assert!((1..=hidden.failed).contains(&hidden.hidden));
                prop_assert!(hidden.hidden < hidden.failed || hidden.shown_from.is_none());
            }
            for flag in &trial.flags {
                prop_assert!(flag.until.is_none_or(|until| until > flag.since));
                prop_assert!(flag.flakes <= flag.flakes_ever);
            }
        }
    }
}
