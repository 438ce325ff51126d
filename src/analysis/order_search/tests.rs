//! Searches in simulated suites with planted dependences of many kinds; the replays are counted.

use proptest::prelude::*;

use super::orders::Chance;
use super::*;

/// What a test does to the state that all share, and what it needs of it.
#[derive(Debug, Clone, Copy)]
enum Acts {
    /// Sets this bit.
    Sets(u8),
    /// Takes it away.
    Clears(u8),
    /// Fails where all these bits are set.
    FailsWith(u8),
    /// Fails unless all these bits are set.
    Needs(u8),
    /// Fails in this part of its executions, by chance.
    Chance(f64),
    /// Fails in this replay alone, the first is 1.
    FailsIn(usize),
    /// Has no result.
    Skips,
    /// Has none unless all these bits are set.
    SkipsWithout(u8),
}

/// A suite whose every replay starts from nothing.
struct Suite {
    acts: Vec<(usize, Acts)>,
    tests: usize,
    chance: Chance,
    /// All replays, with their length.
    made: Vec<(Purpose, usize)>,
    sorted: bool,
}

impl Suite {
    fn new(tests: usize, acts: &[(usize, Acts)]) -> Self {
        let acts = acts.to_vec();
        Self { acts, tests, chance: Chance(7), made: Vec::new(), sorted: false }
    }
}

impl Stage for Suite {
    fn replay(&mut self, order: &[usize], purpose: Purpose) -> Option<Vec<Seen>> {
        self.made.push((purpose, order.len()));
        let mut order = order.to_vec();
        if self.sorted {
            order.sort_unstable();
        }
        let mut seen = vec![Seen::Absent; self.tests];
        let mut state = 0_u8;
        for test in order {
            let mut outcome = Seen::Passed;
            for (_, acts) in self.acts.iter().filter(|(place, _)| *place == test) {
                let fails = match acts {
                    Acts::Sets(bits) => {
                        state |= bits;
                        false
                    }
                    Acts::Clears(bits) => {
                        state &= !bits;
                        false
                    }
                    Acts::FailsWith(bits) => state & bits == *bits,
                    Acts::Needs(bits) => state & bits != *bits,
                    Acts::Chance(share) => (self.chance.next() as f64) < share * u64::MAX as f64,
                    Acts::FailsIn(replay) => self.made.len() == *replay,
                    Acts::Skips => {
                        outcome = Seen::Absent;
                        false
                    }
                    Acts::SkipsWithout(bits) => {
                        if state & bits != *bits {
                            outcome = Seen::Absent;
                        }
                        false
                    }
                };
                if fails {
                    outcome = Seen::Failed;
                }
            }
            seen[test] = outcome;
        }
        Some(seen)
    }
}

fn plan(tests: usize, victim: Option<usize>, budget: u32) -> Plan {
    Plan {
        tests,
        victim,
        remembered: Vec::new(),
        suspects: Vec::new(),
        free: true,
        budget,
        seed: 1,
    }
}

fn run(suite: &mut Suite, plan: &Plan) -> Found {
    let found = search(plan, suite);
    assert_eq!(found.replays as usize, suite.made.len());
    assert!(found.replays <= plan.budget, "{found:?}");
    found
}

/// The verdict on a test, with what it needs.
fn of(found: &Found, test: usize) -> (Verdict, Option<Role>, Vec<usize>) {
    let case = found.cases.iter().find(|case| case.test == test).unwrap();
    (case.verdict, case.role, case.needed.clone())
}

#[test]
fn purposes_and_verdicts_have_their_words() {
    for (purpose, word) in [
        (Purpose::Remembered, "remembered"),
        (Purpose::AsListed, "as-listed"),
        (Purpose::Reversed, "reversed"),
        (Purpose::Shuffled, "shuffled"),
        (Purpose::Last, "last"),
        (Purpose::Alone, "alone"),
        (Purpose::Again, "again"),
        (Purpose::Halving, "halving"),
        (Purpose::Confirming, "confirming"),
    ] {
        assert_eq!(purpose.word(), word);
    }
    for (verdict, word) in [
        (Verdict::Proven, "proven"),
        (Verdict::Flaky, "flaky"),
        (Verdict::AlwaysFails, "always-fails"),
        (Verdict::Cleared, "cleared"),
        (Verdict::DidNotRun, "did-not-run"),
        (Verdict::NotDecided, "not-decided"),
    ] {
        assert_eq!(verdict.word(), word);
    }
}

#[test]
fn a_polluter_among_300_is_proven_within_30_replays_whoever_it_is() {
    let mut most = 0;
    for polluter in (0..300).step_by(7) {
        for victim in [0, 1, 150, 298, 299].into_iter().filter(|victim| *victim != polluter) {
            for named in [None, Some(victim)] {
                let acts = [(polluter, Acts::Sets(1)), (victim, Acts::FailsWith(1))];
                let found = run(&mut Suite::new(300, &acts), &plan(300, named, 30));
                let wanted = (Verdict::Proven, Some(Role::Victim), vec![polluter]);
                assert_eq!(of(&found, victim), wanted);
                let case = &found.cases[0];
                assert_eq!((case.with, case.without), (all(5), none(5)));
                most = most.max(found.replays);
            }
        }
    }
    // Two orders, alone, again, nine halvings of 299, the polluter alone, twice five to be sure.
    assert_eq!(most, 2 + 1 + 1 + 9 + 1 + 10);
}

const fn all(of: u32) -> Failures {
    Failures { failed: of, of }
}

const fn none(of: u32) -> Failures {
    Failures { failed: 0, of }
}

#[test]
fn a_brittle_test_names_its_state_setter() {
    for (setter, brittle) in [(3, 250), (250, 3), (298, 299)] {
        let acts = [(setter, Acts::Sets(1)), (brittle, Acts::Needs(1))];
        let found = run(&mut Suite::new(300, &acts), &plan(300, None, 30));
        let wanted = (Verdict::Proven, Some(Role::Brittle), vec![setter]);
        assert_eq!(of(&found, brittle), wanted);
        assert_eq!((found.cases[0].with, found.cases[0].without), (none(5), all(5)));
    }
}

#[test]
fn tests_that_clean_up_mislead_nobody() {
    // As listed a cleaner stands between; the other way round the victim comes first.
    let acts = [
        (10, Acts::Sets(1)),
        (20, Acts::Clears(1)),
        (30, Acts::FailsWith(1)),
        (40, Acts::Clears(1)),
    ];
    let found = run(&mut Suite::new(300, &acts), &plan(300, None, 40));
    assert_eq!(of(&found, 30), (Verdict::Proven, Some(Role::Victim), vec![10]));
}

#[test]
fn several_victims_of_one_polluter_cost_little_more() {
    let acts = [(10, Acts::Sets(1)), (50, Acts::FailsWith(1)), (60, Acts::FailsWith(1))];
    let found = run(&mut Suite::new(300, &acts), &plan(300, None, 40));
    for victim in [50, 60] {
        assert_eq!(of(&found, victim), (Verdict::Proven, Some(Role::Victim), vec![10]));
    }
    assert!(found.replays <= 24 + 12, "{}", found.replays);
}

#[test]
fn what_is_left_when_the_budget_is_spent_is_not_decided_and_says_how_far_it_came() {
    let acts = [(123, Acts::Sets(1)), (299, Acts::FailsWith(1))];
    let found = run(&mut Suite::new(300, &acts), &plan(300, Some(299), 8));
    let case = &found.cases[0];
    assert_eq!((case.verdict, case.role), (Verdict::NotDecided, Some(Role::Victim)));
    // 299 halved five times.
    assert_eq!(case.among, 9);
    assert!(found.cut);
    // One replay more or less on both sides proves nothing.
    let found = run(&mut Suite::new(300, &acts), &plan(300, Some(299), 17));
    assert_eq!(of(&found, 299), (Verdict::NotDecided, Some(Role::Victim), vec![123]));
}

#[test]
fn what_does_not_depend_on_order_is_said_so() {
    let acts = [(5, Acts::Chance(1.0)), (7, Acts::Skips)];
    let found = |victim| run(&mut Suite::new(40, &acts), &plan(40, Some(victim), 30));
    assert_eq!(of(&found(5), 5).0, Verdict::AlwaysFails);
    assert_eq!(of(&found(6), 6).0, Verdict::Cleared);
    assert_eq!(of(&found(7), 7).0, Verdict::DidNotRun);
    let nobody = run(&mut Suite::new(40, &acts), &plan(40, None, 30));
    assert_eq!((nobody.cases, nobody.open, nobody.failing), (vec![], vec![], vec![5]));
    assert_eq!((nobody.orders, nobody.cut), (10, false));
}

#[test]
fn what_fails_and_passes_in_one_order_is_flaky() {
    // In the first order; neither alone nor in that order again.
    let found = run(&mut Suite::new(3, &[(2, Acts::FailsIn(1))]), &plan(3, Some(2), 30));
    assert_eq!(of(&found, 2), (Verdict::Flaky, None, vec![]));
    assert_eq!((found.replays, found.cases[0].among), (3, 0));
}

#[test]
fn three_replays_each_way_are_enough_for_a_proof() {
    let acts = [(0, Acts::Sets(1)), (1, Acts::FailsWith(1))];
    let found = |budget| run(&mut Suite::new(2, &acts), &plan(2, Some(1), budget));
    // The order, alone, again: three, and six to be sure.
    let nine = found(9);
    assert_eq!(of(&nine, 1), (Verdict::Proven, Some(Role::Victim), vec![0]));
    assert_eq!((nine.cases[0].with, nine.cases[0].without), (all(3), none(3)));
    assert_eq!((nine.replays, nine.cut), (9, false));
    let eight = found(8);
    assert_eq!(of(&eight, 1), (Verdict::NotDecided, Some(Role::Victim), vec![0]));
    assert_eq!((eight.replays, eight.cut), (7, true), "what proves nothing is not begun");
}

#[test]
fn a_runner_with_an_order_of_its_own_is_searched_by_parts() {
    let acts = [(10, Acts::Sets(1)), (200, Acts::FailsWith(1)), (100, Acts::Chance(1.0))];
    let mut suite = Suite { sorted: true, ..Suite::new(300, &acts) };
    let plan = Plan { free: false, ..plan(300, None, 30) };
    let found = run(&mut suite, &plan);
    assert_eq!(of(&found, 200), (Verdict::Proven, Some(Role::Victim), vec![10]));
    assert_eq!(of(&found, 100).0, Verdict::AlwaysFails);
}

#[test]
fn an_order_that_the_history_remembers_comes_first() {
    let acts = [(10, Acts::Sets(1)), (20, Acts::Clears(1)), (30, Acts::FailsWith(1))];
    let mut order: Vec<usize> = (0..300).filter(|test| *test != 10).collect();
    order.insert(25, 10);
    let plan = Plan { remembered: vec![order], ..plan(300, Some(30), 30) };
    let mut suite = Suite::new(300, &acts);
    let found = run(&mut suite, &plan);
    assert_eq!(suite.made[0], (Purpose::Remembered, 300));
    assert_eq!(of(&found, 30), (Verdict::Proven, Some(Role::Victim), vec![10]));
    assert!(found.replays <= 19, "{}", found.replays);
}

#[test]
fn tests_that_the_history_suspects_come_first_and_cost_little() {
    let acts = [(10, Acts::Sets(1)), (30, Acts::FailsWith(1)), (40, Acts::Needs(1))];
    let suspect = |test, orders: &[&[usize]]| Suspect {
        test,
        orders: orders.iter().map(|order| order.to_vec()).collect(),
    };
    let first = |suspects| Plan { suspects, ..plan(300, None, 30) };
    // The order, alone, again, twice five to be sure.
    let mut suite = Suite::new(300, &acts);
    let found = run(&mut suite, &first(vec![suspect(30, &[&[10, 30], &[5, 30]])]));
    assert_eq!(of(&found, 30), (Verdict::Proven, Some(Role::Victim), vec![10]));
    assert_eq!(suite.made[0], (Purpose::Remembered, 2));
    assert!(suite.made.iter().all(|(_, tests)| *tests <= 2), "{:?}", suite.made);
    assert_eq!((found.replays, found.failing), (13, vec![]));
    // One that needs another is seen by passing behind it.
    let found = run(&mut Suite::new(300, &acts), &first(vec![suspect(40, &[&[10, 40]])]));
    assert_eq!(of(&found, 40), (Verdict::Proven, Some(Role::Brittle), vec![10]));
    // A wrong suspicion takes two replays, and the search goes on as without it.
    let acts = [(10, Acts::Sets(1)), (30, Acts::FailsWith(1))];
    let wrong = vec![suspect(50, &[&[20, 50]]), suspect(60, &[])];
    let found = run(&mut Suite::new(300, &acts), &first(wrong));
    assert_eq!(of(&found, 30), (Verdict::Proven, Some(Role::Victim), vec![10]));
    assert_eq!(found.cases.len(), 1);
}

#[test]
fn a_suspect_that_does_not_run_alone_does_not_end_the_search() {
    let acts = [(10, Acts::Sets(1)), (30, Acts::FailsWith(1)), (50, Acts::SkipsWithout(1))];
    let suspects = vec![Suspect { test: 50, orders: vec![vec![10, 50]] }];
    let found = run(&mut Suite::new(300, &acts), &Plan { suspects, ..plan(300, None, 40) });
    assert_eq!(of(&found, 30), (Verdict::Proven, Some(Role::Victim), vec![10]));
    assert_eq!((found.cases.len(), found.cut), (1, false));
}

#[test]
fn a_flaky_test_is_almost_never_called_dependent() {
    let mut wrong = 0;
    for seed in 0..2_000_u64 {
        let share = [0.05, 0.2, 0.5, 0.8, 0.95][(seed % 5) as usize];
        let mut suite = Suite::new(60, &[(30, Acts::Chance(share))]);
        suite.chance = Chance(seed);
        let named = (seed % 2 == 0).then_some(30);
        let found = run(&mut suite, &Plan { seed, ..plan(60, named, 30) });
        wrong += u32::from(found.cases.iter().any(|case| case.verdict == Verdict::Proven));
    }
    // At most 4⁻³ where the budget was short, 4⁻⁵ else.
    assert!(wrong <= 4, "{wrong}");
}

proptest! {
    #[test]
    fn two_polluters_that_need_each_other_are_both_named(
        tests in 3_usize..300, places in any::<[prop::sample::Index; 3]>(), named: bool,
    ) {
        let [one, other, victim] = places.map(|place| place.index(tests));
        prop_assume!(one != other && one != victim && other != victim);
        let acts = [(one, Acts::Sets(1)), (other, Acts::Sets(2)), (victim, Acts::FailsWith(3))];
        let plan = plan(tests, named.then_some(victim), 60);
        let found = run(&mut Suite::new(tests, &acts), &plan);
        // Nine orders by chance miss it now and then; what is said is right.
        if let Some(case) = found.cases.iter().find(|case| case.test == victim) {
            prop_assert_eq!(case.verdict, Verdict::Proven);
            let mut needed = case.needed.clone();
            needed.sort_unstable();
            prop_assert_eq!(needed, [one.min(other), one.max(other)]);
            prop_assert!(found.replays <= 20 + 2 + 2 * 10 + 10);
        }
    }

    #[test]
    fn one_polluter_is_found_whatever_cleans_up(
        tests in 2_usize..120, polluter: prop::sample::Index, victim: prop::sample::Index,
        cleaners in prop::collection::vec(any::<prop::sample::Index>(), 0..3), seed: u64,
    ) {
        let (polluter, victim) = (polluter.index(tests), victim.index(tests));
        prop_assume!(polluter != victim);
        let mut acts = vec![(polluter, Acts::Sets(1)), (victim, Acts::FailsWith(1))];
        let cleaners = cleaners.iter().map(|place| place.index(tests));
        acts.extend(cleaners.filter(|c| *c != polluter && *c != victim).map(|c| (c, Acts::Clears(1))));
        let plan = Plan { seed, ..plan(tests, Some(victim), 40) };
        let found = run(&mut Suite::new(tests, &acts), &plan);
        let (verdict, _, needed) = of(&found, victim);
        prop_assert!(matches!(verdict, Verdict::Proven | Verdict::Cleared), "{verdict:?}");
        if verdict == Verdict::Proven {
            prop_assert_eq!(needed, [polluter]);
        }
    }

    #[test]
    fn the_budget_is_never_exceeded(
        tests in 1_usize..60, budget in 1_u32..40, share in 0.0_f64..1.0, seed: u64,
    ) {
        let mut suite = Suite::new(tests, &[(0, Acts::Chance(share))]);
        suite.chance = Chance(seed);
        let found = search(&Plan { seed, ..plan(tests, None, budget) }, &mut suite);
        prop_assert!(found.replays <= budget);
        prop_assert_eq!(found.replays as usize, suite.made.len());
    }
}

#[test]
fn what_was_looked_into_is_not_open() {
    let acts = [(3, Acts::Sets(1)), (8, Acts::FailsWith(1))];
    let found = run(&mut Suite::new(20, &acts), &plan(20, None, 30));
    assert_eq!(of(&found, 8).0, Verdict::Proven);
    assert_eq!((found.open, found.cut), (vec![], false));
}

/// A suite of ten whose test 4 fails in the first replay, and which ends after so many.
struct FailsOnce {
    made: u32,
    most: u32,
}

impl Stage for FailsOnce {
    fn replay(&mut self, _: &[usize], _: Purpose) -> Option<Vec<Seen>> {
        self.made += 1;
        let mut seen = vec![Seen::Passed; 10];
        if self.made == 1 {
            seen[4] = Seen::Failed;
        }
        (self.made <= self.most).then_some(seen)
    }
}

#[test]
fn a_failure_that_its_own_order_does_not_show_again_is_a_flake() {
    let found = search(&plan(10, Some(4), 30), &mut FailsOnce { made: 0, most: 30 });
    assert_eq!(of(&found, 4), (Verdict::Flaky, None, vec![]));
}

#[test]
fn a_search_that_is_ended_while_a_suspect_runs_alone_makes_no_further_replay() {
    let suspects = vec![Suspect { test: 4, orders: vec![vec![1, 4]] }];
    let mut stage = FailsOnce { made: 0, most: 1 };
    let found = search(&Plan { suspects, ..plan(10, None, 30) }, &mut stage);
    assert_eq!((stage.made, found.cut, found.cases), (2, true, vec![]));
}

#[test]
fn a_suspect_is_looked_into_once_and_only_where_it_runs() {
    let acts = [(10, Acts::Sets(1)), (30, Acts::FailsWith(1))];
    let suspect = |test, order: &[usize]| Suspect { test, orders: vec![order.to_vec()] };
    let mut suite = Suite::new(300, &acts);
    let twice = vec![suspect(30, &[10, 30]), suspect(30, &[10, 30])];
    let found = run(&mut suite, &Plan { suspects: twice, ..plan(300, None, 30) });
    assert_eq!((found.cases.len(), found.replays), (1, 13));
    let mut suite = Suite::new(60, &[(50, Acts::Skips)]);
    let absent = vec![suspect(50, &[20, 50])];
    run(&mut suite, &Plan { suspects: absent, ..plan(60, None, 30) });
    assert!(suite.made.iter().all(|(purpose, _)| *purpose != Purpose::Alone), "{:?}", suite.made);
}

/// The first numbers of the reference implementation of SplitMix64 from this seed.
#[test]
fn numbers_by_chance_are_those_of_the_reference() {
    let mut chance = Chance(1_234_567);
    let numbers = [chance.next(), chance.next(), chance.next()];
    let reference =
        [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
    assert_eq!(numbers, reference);
}
