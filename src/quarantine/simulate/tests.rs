//! Simulations of small histories, by hand.

use super::*;
use crate::analysis::Settings;
use crate::quarantine::list::{Rule, Target};
use crate::quarantine::policy::PolicySettings;
use crate::quarantine::testing::{World, day_no, strip};
use crate::quarantine::update::{Change, Figures};

/// Lives through the days from 1 up to `days`, each decided from the runs before it.
fn simulated(world: &World, days: usize, rules: &List) -> Simulated {
    let policy = PolicySettings::default();
    let whole = world.history(days * world.runs_a_day);
    let hindsight = Hindsight::new(&whole, &Settings::default(), &|test| format!("t{}", test.0));
    let mut simulation = Simulation::new(hindsight, rules);
    for day in 1..days {
        let plan = world.plan(simulation.list(), day * world.runs_a_day, &policy);
        simulation.day(day_no(day), &plan);
    }
    simulation.finish()
}

#[test]
fn what_it_spares_and_hides_is_counted_by_hand() {
    // Flaky for 10 days of 4 runs, one of every second day red; then broken for 20 runs, then
    // mended and clean for so long that it is released.
    let flaky = strip(&[("r...F...", 5), ("F", 20), (".", 180)]);
    let world = World { healthy: 30, ..World::new(&[&flaky]) };
    let result = simulated(&world, 52, &List::default());
    let term = &result.terms[result.terms.len() - 1];
    assert_eq!(term.entry.target, Target::Test("t0".into()));
    // Some days are evidence enough; from then on every second day, 9 the last, turns green.
    let from = (term.from - day_no(0)).num_days();
    let spared = (from..10).filter(|day| day % 2 == 1).count() as u32;
    assert!((2..=6).contains(&from), "{term:?}");
    assert_eq!(result.greened - result.greened_wrongly, spared);
    assert_eq!(result.regressions, 1);
    let [hidden] = result.hidden.as_slice() else { panic!("{result:?}") };
    // Some nights after it broke it is known to be broken; from then on every failure is shown.
    assert!([8, 12, 16].contains(&hidden.hidden), "{hidden:?}");
    assert_eq!(hidden.hidden, result.greened_wrongly);
    assert_eq!(hidden.failed, 20);
    assert_eq!(hidden.from.to_utc().unwrap().date_naive(), day_no(10));
    assert_eq!(hidden.hidden_ms(), i64::from(hidden.hidden / 4) * Timestamp::DAY_MS);
    assert_eq!(term.until.map(|(_, why)| why), Some(Action::Release));
    assert_eq!((result.days, result.runs, result.builds), (51, 204, 204));
    assert_eq!(result.builds_red, 5 + 20);
    assert_eq!(result.held_max, 1);
    assert!(result.held_mean < 1.0 && result.held_mean > 0.1, "{result:?}");
}

#[test]
fn a_rule_that_says_never_spares_nothing() {
    let world = World { healthy: 30, ..World::new(&[&strip(&[("r..F", 10)])]) };
    let rule = Rule { line: 1, target: Target::Test("t0".into()), reason: "so".into() };
    let never = List { never: vec![rule.clone()], ..List::default() };
    let result = simulated(&world, 10, &never);
    assert_eq!((result.greened, result.terms.len(), result.held_max), (0, 0, 0));
    let always = List { always: vec![rule], ..List::default() };
    let result = simulated(&world, 10, &always);
    assert_eq!((result.greened, result.builds_red), (9, 9));
    assert!(result.terms.is_empty());
}

#[test]
fn a_build_is_green_only_if_all_its_runs_are() {
    // Another test fails, once, in a run in which the flaky one fails as well.
    let other = strip(&[(".", 31), ("F", 1), (".", 8)]);
    let world = World { healthy: 30, ..World::new(&[&strip(&[("r..F", 10)]), &other]) };
    let with = simulated(&world, 10, &List::default());
    let without = World { healthy: 30, ..World::new(&[&strip(&[("r..F", 10)])]) };
    let without = simulated(&without, 10, &List::default());
    assert_eq!(with.builds_red, without.builds_red);
    assert_eq!(with.greened + 1, without.greened);
}

/// A simulation of runs of one day each: tests that failed, errors of suites, whether it was an
/// outage. Test `t0` alone is on the list, and fails in every run with a failure.
fn by_hand(runs: &[(u32, u32, bool)]) -> Simulation {
    let past = |(no, &(bad, suite_failures, outage)): (usize, &(u32, u32, bool))| PastRun {
        started: Timestamp(0),
        day: day_no(no),
        revision: None,
        build: (no.to_string(), 1),
        bad,
        suite_failures,
        outage,
    };
    let failed = (0..).zip(runs).filter(|(_, (bad, ..))| *bad > 0);
    let case = Case {
        name: TestName { label: "t0".into(), ..TestName::default() },
        variant: String::new(),
        failures: failed.map(|(run, _)| (run, false)).collect(),
        regressions: Vec::new(),
    };
    let runs = runs.iter().enumerate().map(past).collect();
    Simulation::new(Hindsight { runs, cases: vec![case] }, &List::default())
}

fn change(action: Action, test: &str) -> Change {
    Change {
        action,
        at: None,
        entry: Entry::new(Target::Test(test.into())),
        tests: Vec::new(),
        why: String::new(),
        figures: Figures::default(),
    }
}

fn changes(changes: &[(Action, &str)]) -> Update {
    let changes = changes.iter().map(|(action, test)| change(*action, test)).collect();
    Update { changes, ..Update::default() }
}

#[test]
fn a_list_excuses_tests_and_neither_machines_nor_suites() {
    let runs = [
        (1, 0, false), // red for the listed test alone
        (2, 0, false), // for another one as well
        (0, 1, false), // for a suite that never ran
        (1, 1, false), // for both
        (1, 0, true),  // the machine failed
        (0, 0, false), // green
    ];
    let mut simulation = by_hand(&runs);
    simulation.day(day_no(0), &changes(&[(Action::Enter, "t0")]));
    (1..runs.len()).for_each(|day| simulation.day(day_no(day), &Update::default()));
    let result = simulation.finish();
    assert_eq!((result.runs, result.builds_red, result.greened), (6, 5, 1));
}

#[test]
fn each_stay_is_of_its_own_entry() {
    let mut simulation = by_hand(&[]);
    simulation.day(day_no(1), &changes(&[(Action::Enter, "t0"), (Action::Enter, "t1")]));
    let extended = || Update {
        changes: vec![Change { at: Some(0), ..change(Action::Extend, "t0") }],
        ..Update::default()
    };
    simulation.day(day_no(5), &extended());
    simulation.day(day_no(9), &extended());
    let released = Change { at: Some(0), ..change(Action::Release, "t0") };
    simulation.day(day_no(12), &Update { changes: vec![released], ..Update::default() });
    simulation.day(day_no(14), &changes(&[(Action::Enter, "t0")]));
    let terms = simulation.finish().terms;
    let said: Vec<_> = terms
        .iter()
        .map(|term| {
            let until = term.until.map(|(_, action)| action.word());
            (term.entry.target.to_string(), term.extended, until, term.days(day_no(20)))
        })
        .collect();
    let wanted = [("t0", 0, None, 6), ("t0", 2, Some("release"), 11), ("t1", 0, None, 19)];
    let wanted = wanted.map(|(test, times, until, days)| (test.to_owned(), times, until, days));
    assert_eq!(said, wanted);
}
