//! Simulations of small histories, by hand.

use super::*;
use crate::analysis::Settings;
use crate::quarantine::list::{Rule, Target};
use crate::quarantine::policy::PolicySettings;
use crate::quarantine::testing::{World, day_no, strip};

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
