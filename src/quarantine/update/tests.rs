//! Plans of small histories, by hand; and the law that a constant rate does not come and go.

use proptest::prelude::*;

use super::*;
use crate::quarantine::PolicySettings;
use crate::quarantine::list::{Rule, parse};
use crate::quarantine::testing::{World, day_no, strip};

fn policy() -> PolicySettings {
    PolicySettings::default()
}

/// `enter t0 [os=a]` and the like.
fn said(update: &Update) -> Vec<String> {
    let said = |change: &Change| {
        let variant = match change.entry.variant.is_empty() {
            true => String::new(),
            false => format!(" [{}]", change.entry.variant),
        };
        format!("{} {}{variant}", change.action.word(), change.entry.target)
    };
    update.changes.iter().map(said).collect()
}

/// A pseudo-random number in 0..1 (SplitMix64).
fn random(seed: u64) -> f64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ mixed >> 31) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A test that fails at a constant rate; a run in three is tried again, and tells.
fn constant(rate: f64, seed: u64, runs: usize) -> String {
    let draw = |run: usize, salt: u64| random(seed ^ (run as u64) << 20 ^ salt << 50);
    let mark = |run: usize| match (draw(run, 1) < rate, draw(run, 2) < 1.0 / 3.0) {
        (false, _) => '.',
        (true, true) if draw(run, 3) >= rate => 'r',
        (true, _) => 'F',
    };
    (0..runs).map(mark).collect()
}

/// How often each test entered, where the plan of every day is applied.
fn entries_of(world: &World, days: usize) -> Vec<usize> {
    let boundless = PolicySettings { cap_tests: 10_000, ..policy() };
    let mut entered = vec![0; world.strips.len()];
    let mut list = List::default();
    for day in 1..=days {
        let update = world.plan(&list, day * world.runs_a_day, &boundless);
        for change in update.changes.iter().filter(|change| change.action == Action::Enter) {
            for test in &change.tests {
                entered[test.0 as usize] += 1;
            }
        }
        list = apply(&list, &update);
    }
    entered
}

#[test]
fn a_constant_rate_enters_once_and_does_not_come_and_go() {
    let rates = [0.02, 0.1, 0.3, 0.5];
    let (seeds, days) = (8, 50);
    let strip = |rate: f64, seed: u64| constant(rate, seed + (rate * 1e4) as u64, days * 4);
    let strips = rates.iter().flat_map(|rate| (0..seeds).map(|seed| strip(*rate, seed)));
    // Among few tests so many flakes would be an outage.
    let world = World { strips: strips.collect(), cells: vec![""], runs_a_day: 4, healthy: 400 };
    let entered = entries_of(&world, days);
    assert!(entered.iter().all(|times| *times <= 1), "{entered:?}");
    let of_most = entered[seeds as usize..].iter().filter(|times| **times == 1).count();
    assert_eq!(of_most, 3 * seeds as usize, "{entered:?}");
}

/// A list of one entry.
fn listed(keys: &str) -> List {
    parse(&format!("[[entry]]\ntest = \"t0\"\n{keys}\n")).unwrap()
}

#[test]
fn a_flaky_test_enters_with_owner_term_and_numbers() {
    let world = World::new(&[&strip(&[("....r...F.", 4)]), &strip(&[(".", 40)])]);
    let update = world.plan(&List::default(), 40, &policy());
    assert_eq!(said(&update), ["enter t0"]);
    let entry = &update.changes[0].entry;
    assert_eq!(entry.owner.as_deref(), Some("@team"));
    assert_eq!((entry.since, entry.expires), (Some(day_no(10)), Some(day_no(24))));
    let reason = entry.reason.as_deref().unwrap();
    assert_eq!(reason, "passed on retry in 4 runs; recovered by itself 4 times");
    let evidence = entry.evidence.as_deref().unwrap();
    assert!(evidence.starts_with("flaked in 8 of 40 runs, likely 8.8-31 %, "), "{evidence}");
    assert!(evidence.ends_with(" sure, last on 2026-01-10"), "{evidence}");
    assert_eq!(update.budget, Budget { limit: 20, before: 0, after: 1 });
}

#[test]
fn to_enter_asks_for_more_than_to_stay() {
    // It was flaky, and has been clean for 35 runs.
    let world = World::new(&[&strip(&[("r...F...", 4), (".", 35)])]);
    let kept = world.plan(&listed("since = 2026-01-02\nexpires = 2026-02-20"), 67, &policy());
    let figures = world.look(67, &policy(), |scene| scene.figures(&listed("").entries[0]));
    assert_eq!(figures.status, Some(Status::Recovering));
    assert_eq!((said(&kept), kept.kept), (vec![], 1));
    assert!(said(&world.plan(&List::default(), 67, &policy())).is_empty());
    // With a flake among the last 30 runs, the same test enters if it is sure enough.
    let world = World::new(&[&strip(&[("r..F..", 6), ("..", 1)])]);
    assert_eq!(said(&world.plan(&List::default(), 38, &policy())), ["enter t0"]);
    let surer = PolicySettings { enter_probability: 1.0, ..policy() };
    assert!(said(&world.plan(&List::default(), 38, &surer)).is_empty());
}

#[test]
fn what_stopped_to_flake_is_released_and_a_named_fix_makes_it_sooner() {
    let world = World::new(&[&strip(&[("r..F..", 10), (".", 60)])]);
    let list = listed("since = 2026-01-02\nexpires = 2026-03-20");
    let needed = world.look(60, &policy(), |scene| scene.figures(&list.entries[0]).clean_needed);
    assert!((31..60).contains(&needed), "{needed}");
    let clean = needed as usize - 2;
    assert_eq!(said(&world.plan(&list, 60 + clean - 1, &policy())), [""; 0]);
    let update = world.plan(&list, 60 + clean, &policy());
    assert_eq!(said(&update), ["release t0"]);
    let why = &update.changes[0].why;
    assert!(why.contains("without a flake since its last flake on 2026-01-15"), "{why}");
    // Whoever says that revision 60 mended it is believed after 30 runs.
    let fixed = listed("since = 2026-01-02\nexpires = 2026-03-20\nfixed = \"revision-60\"");
    assert_eq!(said(&world.plan(&fixed, 60 + 29, &policy())), [""; 0]);
    let update = world.plan(&fixed, 60 + 30, &policy());
    assert_eq!(said(&update), ["release t0"]);
    assert!(update.changes[0].why.contains("since revision revision-60"), "{update:?}");
    // Nobody is believed whose fix was followed by a flake.
    let early = listed("since = 2026-01-02\nexpires = 2026-03-20\nfixed = \"revision-40\"");
    assert_eq!(said(&world.plan(&early, 60 + 29, &policy())), [""; 0]);
}

#[test]
fn every_cell_that_flaked_must_be_clean() {
    // Runs alternate between two cells; only the second flakes, and is clean for 20 runs.
    let mut world = World::new(&[&strip(&[("...r", 20), (".", 40)])]);
    world.cells = vec!["os=linux", "os=win"];
    let list = listed("since = 2026-01-02\nexpires = 2026-03-20");
    assert_eq!(said(&world.plan(&list, 120, &policy())), [""; 0]);
    let figures = world.look(120, &policy(), |scene| scene.figures(&list.entries[0]));
    assert_eq!((figures.clean, figures.flakes, figures.runs), (20, 20, 120));
    // It would have entered for this cell alone.
    let update = world.plan(&List::default(), 84, &policy());
    assert_eq!(said(&update), ["enter t0 [os=win]"]);
}

#[test]
fn a_broken_test_neither_enters_nor_stays() {
    let world = World::new(&[&strip(&[("r..F..", 6), ("F", 20)])]);
    assert_eq!(said(&world.plan(&List::default(), 56, &policy())), [""; 0]);
    let update = world.plan(&listed("since = 2026-01-02\nexpires = 2026-03-20"), 56, &policy());
    assert_eq!(said(&update), ["release t0"]);
    assert!(update.changes[0].why.contains("it is broken, not flaky"), "{update:?}");
}

#[test]
fn one_broken_test_does_not_take_its_pattern_along_but_is_named() {
    let broken = strip(&[(".", 36), ("F", 20)]);
    let flaky = strip(&[("r..F..", 9), ("..", 1)]);
    let world = World { healthy: 30, ..World::new(&[&broken, &flaky]) };
    let text = "[[entry]]\npattern = \"t?\"\nsince = 2026-01-02\nexpires = 2026-03-20";
    let update = world.plan(&parse(text).unwrap(), 56, &policy());
    assert_eq!(said(&update), [""; 0]);
    let why = "it is broken, which the pattern t? hides".to_owned();
    assert_eq!(update.withheld, [Withheld { test: TestNo(0), why }]);
    let alone = text.replace("t?", "t0*");
    let update = world.plan(&parse(&alone).unwrap(), 56, &policy());
    assert_eq!(said(&update), ["enter t1", "release t0*"]);
}

#[test]
fn what_still_flakes_is_extended_in_time_and_what_does_not_expires() {
    let world = World::new(&[&strip(&[("r..F..", 10)])]);
    // Today is day 15, 2026-01-16.
    for (expires, wanted) in
        [("2026-01-21", &[][..]), ("2026-01-20", &["extend t0"]), ("2026-01-10", &["extend t0"])]
    {
        let update = world.plan(&listed(&format!("expires = {expires}")), 60, &policy());
        assert_eq!(said(&update), wanted, "{expires}");
        if let Some(change) = update.changes.first() {
            assert_eq!(change.entry.expires, Some(day_no(29)));
            assert!(change.why.starts_with("Still flaky: flaked in 20 of 60 runs"), "{change:?}");
        }
    }
    let healthy = World::new(&[&strip(&[(".", 60)])]);
    for (keys, wanted) in [
        // Put there by hand two runs ago: it has its term to show something.
        ("since = 2026-01-15\nexpires = 2026-01-29", &[][..]),
        ("since = 2026-01-15\nexpires = 2026-01-16", &["expire t0"]),
        ("since = 2026-01-02\nexpires = 2026-01-29", &["release t0"]),
    ] {
        assert_eq!(said(&healthy.plan(&listed(keys), 60, &policy())), wanted, "{keys}");
    }
}

#[test]
fn what_did_not_run_for_long_is_stale() {
    let world = World::new(&[&strip(&[("r..F", 4)]), &strip(&[(".", 100)])]);
    // Its last run is on day 3; the newest run of 72 is on day 17, that of 68 on day 16.
    let list = listed("since = 2026-01-02\nexpires = 2026-03-20");
    assert_eq!(said(&world.plan(&list, 68, &policy())), [""; 0]);
    let update = world.plan(&list, 72, &policy());
    assert_eq!(said(&update), ["stale t0"]);
    assert!(update.changes[0].why.starts_with("Last ran on 2026-01-04"), "{update:?}");
    let unknown = |since: &str, runs: usize| {
        let text = format!("[[entry]]\npattern = \"x*\"\nsince = {since}\n");
        said(&world.plan(&parse(&text).unwrap(), runs, &policy()))
    };
    assert_eq!(unknown("2026-01-10", 72), [""; 0]);
    assert_eq!(unknown("2026-01-02", 72), ["stale x*"]);
    // A window that reaches back 13 days does not show what ran before it.
    assert_eq!(unknown("2025-01-02", 56), [""; 0]);
}

#[test]
fn above_the_budget_nothing_enters_and_it_is_said_what_would() {
    let flaky = strip(&[("r..F..", 6)]);
    let often = strip(&[("r.FF..", 6)]);
    let world = World { healthy: 40, ..World::new(&[&flaky, &often, &flaky]) };
    let tight = PolicySettings { cap_tests: 2, ..policy() };
    let update = world.plan(&List::default(), 36, &tight);
    assert_eq!(said(&update), ["enter t1", "enter t0"]);
    assert_eq!(update.refused.len(), 1);
    assert_eq!(update.refused[0].entry.target.as_str(), "t2");
    assert_eq!(update.budget, Budget { limit: 2, before: 0, after: 2 });
    // A pattern counts all that it means, and an expired entry nothing.
    let held = parse("[[entry]]\npattern = \"t1000?\"\nsince = 2026-01-09\n[[entry]]\ntest = \"t9\"\nexpires = 2026-01-01").unwrap();
    let update = world.plan(&held, 36, &tight);
    assert_eq!((update.budget.before, update.refused.len()), (10, 3));
}

#[test]
fn rules_win_over_the_method() {
    let flaky = strip(&[("r..F..", 6)]);
    let world = World { healthy: 40, ..World::new(&[&flaky, &flaky, &flaky]) };
    let rule =
        |target: &str| Rule { line: 1, target: Target::Test(target.into()), reason: "so".into() };
    let list = List { always: vec![rule("t0")], never: vec![rule("t1")], ..List::default() };
    assert_eq!(said(&world.plan(&list, 36, &policy())), ["enter t2"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_plan_that_was_applied_leaves_nothing_to_do(
        strips in prop::collection::vec("[.]{0,20}([.FFrr]{1,3}[.]{0,9}){0,9}[.F]{0,30}", 1..5),
        terms in prop::collection::vec((0_usize..6, 0_usize..40, 0_usize..40), 0..4),
    ) {
        let world = World { healthy: 20, ..World::new(&strips.iter().map(String::as_str).collect::<Vec<_>>()) };
        let runs = strips.iter().map(String::len).max().unwrap_or(0);
        let entries = terms.into_iter().map(|(test, since, term)| Entry {
            since: Some(day_no(since)),
            expires: Some(day_no(since + term)),
            ..entry_of(format!("t{test}"), Variant::default())
        });
        let list = List { entries: entries.collect(), ..List::default() };
        let update = world.plan(&list, runs, &policy());
        let after = apply(&list, &update);
        let again = world.plan(&after, runs, &policy());
        prop_assert!(again.changes.is_empty(), "{:?} then {:?}", said(&update), said(&again));
        prop_assert_eq!(again.budget.before, update.budget.after);
        prop_assert_eq!(update.kept + update.changes.iter().filter(|c| c.at.is_some()).count(), list.entries.len());
        prop_assert!(update.budget.after <= update.budget.limit.max(update.budget.before));
    }
}

/// A figure of the one entry of a list, on the test of this name.
fn figures_of(world: &World, runs: usize, test: &str, keys: &str) -> Figures {
    let list = parse(&format!("[[entry]]\ntest = \"{test}\"\n{keys}\n")).unwrap();
    world.look(runs, &policy(), |scene| scene.figures(&list.entries[0]))
}

#[test]
fn a_breakage_neither_ends_a_clean_row_nor_begins_one() {
    let flaky = strip(&[("r...F...", 5), ("F", 20), (".", 30)]);
    let world = World { healthy: 30, ..World::new(&[&flaky]) };
    let figures = figures_of(&world, 90, "t0", "");
    // Three passes after the last flake, and thirty after the breakage.
    assert_eq!((figures.flakes, figures.clean), (10, 33), "{figures:?}");
}

#[test]
fn a_test_without_kept_results_has_its_runs_for_a_record() {
    let world = World { healthy: 3, ..World::new(&[&strip(&[("r...F...", 5)])]) };
    let figures = figures_of(&world, 40, "t10000", "");
    assert_eq!((figures.flakes, figures.runs, figures.clean), (0, 40, 40), "{figures:?}");
    assert!(!figures.hides_breakage() && !figures.is_unsteady());
    let known = world.look(40, &policy(), |scene| scene.tests_known());
    assert_eq!(known, 4);
}

#[test]
fn a_fix_is_found_by_its_revision_or_the_beginning_of_it() {
    let world = World::new(&[&strip(&[(".", 30)])]);
    let first = |revision: &str| world.look(30, &policy(), |scene| scene.first_run_of(revision));
    assert_eq!(first("revision-12"), Some(12));
    assert_eq!(first("revisio"), Some(0));
    assert_eq!(first("revision-29"), Some(29));
    assert_eq!([first("revisi"), first("revision-30"), first("")], [None; 3]);
}

const CELLS: [[&str; 2]; 2] = [["os=a", "os=b"], ["os=b", "os=a"]];

/// The clean runs of a test, and those asked for, after so many runs in turn in two cells: early in
/// one of them it often flaked, in the other one once.
fn clean_of_one_cell_that_flakes(cells: [&'static str; 2], runs: usize, keys: &str) -> (u32, u32) {
    let mut marks = vec!['.'; runs];
    (0..40).step_by(4).for_each(|run| marks[run] = 'r');
    marks[1] = 'r';
    let flaky: String = marks.into_iter().collect();
    let world = World { cells: cells.to_vec(), healthy: 30, ..World::new(&[&flaky]) };
    let figures = figures_of(&world, runs, "t0", keys);
    (figures.clean, figures.clean_needed)
}

#[test]
fn the_cell_that_lacks_most_decides() {
    // In one cell many flakes lately, in the other one long ago.
    for cells in CELLS {
        let of = |keys: &str| clean_of_one_cell_that_flakes(cells, 200, keys);
        let [one, other] = [of("variant = \"os=a\""), of("variant = \"os=b\"")];
        let lacks = |(clean, needed): (u32, u32)| i64::from(needed) - i64::from(clean);
        let worst = if lacks(one) > lacks(other) { one } else { other };
        assert_eq!(of(""), worst, "{one:?} {other:?}");
        assert_ne!(one.0 + one.1, other.0 + other.1);
        assert_ne!(worst.0 + worst.1, (one.0 + one.1).min(other.0 + other.1));
    }
}

#[test]
fn an_entry_stands_as_its_most_alarming_test_does_and_may_hide_it() {
    let broken = strip(&[(".", 30), ("F", 30)]);
    let gone = strip(&[("....F", 4)]);
    let world = World { healthy: 30, ..World::new(&[&broken, &gone]) };
    let of = |test: &str| figures_of(&world, 60, test, "");
    assert!(of("t0").hides_breakage() && of("t0").broken, "{:?}", of("t0"));
    let stale = of("t1");
    assert_eq!(stale.status, Some(crate::analysis::verdict::Status::Stale), "{stale:?}");
    assert!(!stale.hides_breakage());
    assert_eq!(of("nothing of that name").status, None);
}

#[test]
fn what_may_have_been_a_flake_ends_a_clean_row() {
    // Two in a row are neither surely a breakage nor likely a flake.
    let doubtful = strip(&[(".", 40), ("F", 2), (".", 12)]);
    let world = World { healthy: 30, ..World::new(&[&doubtful]) };
    let of = |keys: &str| figures_of(&world, 54, "t0", keys);
    let figures = of("since = 2026-01-14");
    assert_eq!((figures.flakes, figures.clean, figures.last_flake), (0, 12, Some(day_no(10))));
    assert_eq!(of("").clean, 12);
}

#[test]
fn of_two_cells_that_both_lack_clean_runs_the_one_that_lacks_more_decides() {
    // Every second of the first 19 runs of one cell flaked, 11 clean ones follow and 30 are asked
    // for; after one flake in the first run of the other cell follow 29 and 143 are asked for: the
    // first m with 3.87/5.15 · 4.87/6.15 · … (m factors) below 0.01.
    for cells in CELLS {
        let of = |keys: &str| clean_of_one_cell_that_flakes(cells, 60, keys);
        let each = cells.map(|cell| of(&format!("variant = \"{cell}\"")));
        assert_eq!(each, [(11, 30), (29, 143)]);
        assert_eq!(of(""), (29, 143), "{cells:?}");
    }
}
