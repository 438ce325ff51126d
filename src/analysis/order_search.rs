//! The search for tests whose outcome depends on what ran before them, by replays.
//!
//! The words are the field's (iDFlakies, iFixFlakies): a *victim* passes alone and fails behind its
//! *polluters*; a *brittle* test fails alone and passes behind its *state-setters*. What is run is
//! somebody else's matter ([`Stage`]); here it is decided what to run next.
//!
//! One replay shows the outcome alone, another one of the opposite behind other tests. Then the
//! shortest end of those tests that still does it is looked for by halving. Every such end runs as
//! it ran in the whole order, so that a test which cleans up misleads nobody: ⌈log₂ n⌉ replays for
//! one test among n and one to see that it is enough, and as many again where it needs another. Last, fresh replays confirm it.

mod orders;
mod suspects;

use std::collections::{BTreeMap, BTreeSet};

use orders::sightings;
pub use suspects::Suspect;

/// Replays to confirm with, each with and without: a test that fails by chance, however often,
/// looks so with a probability of 4⁻ᵏ at most.
pub const CONFIRMATIONS: u32 = 5;
/// With fewer nothing is called proven (4⁻³ is 1.6 %).
pub const CONFIRMATIONS_LEAST: u32 = 3;
/// Tests that need one another, at most; more are no explanation that helps.
const NEEDED_MAX: usize = 4;

/// What a replay showed of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It did not run, was skipped, or nothing is known of it.
    Absent,
}

/// Why a replay is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The order in which the history saw a failure.
    Remembered,
    /// The order of the runner.
    AsListed,
    /// That order from its end.
    Reversed,
    /// An order by chance.
    Shuffled,
    /// All others, and then the test.
    Last,
    /// The test and nothing else.
    Alone,
    /// The tests before it once more, and nothing else.
    Again,
    /// Only some of them.
    Halving,
    /// What was found, to be sure.
    Confirming,
}

impl Purpose {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Remembered => "remembered",
            Self::AsListed => "as-listed",
            Self::Reversed => "reversed",
            Self::Shuffled => "shuffled",
            Self::Last => "last",
            Self::Alone => "alone",
            Self::Again => "again",
            Self::Halving => "halving",
            Self::Confirming => "confirming",
        }
    }
}

/// Where replays are made.
pub trait Stage {
    /// Runs these tests, and no others, in this order; what was seen of each test of the suite.
    /// `None` ends the search.
    fn replay(&mut self, order: &[usize], purpose: Purpose) -> Option<Vec<Seen>>;
}

/// What to search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// So many tests, numbered as the runner lists them.
    pub tests: usize,
    /// The test in question; `None` for whichever shows itself.
    pub victim: Option<usize>,
    /// Orders in which the history saw it fail, the most telling first.
    pub remembered: Vec<Vec<usize>>,
    /// Where no test is named: those that the history suspects, the most likely first.
    pub suspects: Vec<Suspect>,
    /// False where the runner runs all parts in its own order.
    pub free: bool,
    /// Replays at most.
    pub budget: u32,
    /// For orders by chance.
    pub seed: u64,
}

/// What a test is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It passes alone and fails behind polluters.
    Victim,
    /// It fails alone and passes behind state-setters.
    Brittle,
}

/// What the replays say of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It depends on the tests named: every confirming replay says so.
    Proven,
    /// It passed and failed in one and the same order: no matter of order.
    Flaky,
    /// It failed in every order, and alone.
    AlwaysFails,
    /// It passed in every order, and alone.
    Cleared,
    /// It has no result where it was to run.
    DidNotRun,
    /// The replays were over before it was decided.
    NotDecided,
}

impl Verdict {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Flaky => "flaky",
            Self::AlwaysFails => "always-fails",
            Self::Cleared => "cleared",
            Self::DidNotRun => "did-not-run",
            Self::NotDecided => "not-decided",
        }
    }
}

/// Failures among replays of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// It failed in so many.
    pub failed: u32,
    /// Replays.
    pub of: u32,
}

impl Failures {
    fn add(&mut self, seen: Seen) {
        self.of += 1;
        self.failed += u32::from(seen == Seen::Failed);
    }
}

/// One test that was looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The test.
    pub test: usize,
    /// What it is; `None` where it depends on nothing that was seen.
    pub role: Option<Role>,
    /// The polluters or state-setters in their order, as far as they are known.
    pub needed: Vec<usize>,
    /// Tests among which the rest of them is; 0 where all are named.
    pub among: usize,
    /// What is said of it.
    pub verdict: Verdict,
    /// Confirming replays behind the tests named.
    pub with: Failures,
    /// Confirming replays alone.
    pub without: Failures,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The tests that were looked into, in that order.
    pub cases: Vec<Case>,
    /// Tests that failed in one order and passed in another, and were not looked into any more.
    pub open: Vec<usize>,
    /// Tests that failed in every order that had them.
    pub failing: Vec<usize>,
    /// Replays made.
    pub replays: u32,
    /// Orders that were tried to see a dependence.
    pub orders: u32,
    /// True where it ended before the search was over, by the budget or by somebody.
    pub cut: bool,
}

/// The end of the replays.
struct Over;

struct Trial {
    order: Vec<usize>,
    seen: Vec<Seen>,
}

struct Search<'a> {
    plan: &'a Plan,
    stage: &'a mut dyn Stage,
    replays: u32,
    trials: Vec<Trial>,
    /// Orders that are to be tried, the next one last.
    sightings: Vec<(Vec<usize>, Purpose)>,
    /// For a test behind others: how often it passed and failed.
    memory: BTreeMap<(usize, Vec<usize>), Failures>,
    cases: Vec<Case>,
    /// True once the test that is looked into had no result.
    absent: bool,
}

/// Searches until everything that shows itself is decided or the budget is spent.
pub fn search(plan: &Plan, stage: &mut dyn Stage) -> Found {
    let mut search = Search {
        plan,
        stage,
        replays: 0,
        trials: Vec::new(),
        sightings: sightings(plan),
        memory: BTreeMap::new(),
        cases: Vec::new(),
        absent: false,
    };
    let ended = match plan.victim {
        Some(victim) => search.look_into(victim),
        None => search.look_at_suspects().and_then(|()| search.look_around()),
    };
    search.finish(ended.is_err())
}

impl Search<'_> {
    fn finish(self, cut: bool) -> Found {
        let looked: BTreeSet<usize> = self.cases.iter().map(|case| case.test).collect();
        let open = self.differing().into_iter().filter(|test| !looked.contains(test)).collect();
        let of = |test: usize| self.outcomes(test);
        let mut failing: Vec<usize> =
            (0..self.plan.tests).filter(|test| of(*test) == (false, true)).collect();
        // What is said of a case says more than the orders that happened to be tried.
        let said = self.cases.iter().filter(|case| case.verdict != Verdict::AlwaysFails);
        said.for_each(|case| failing.retain(|test| *test != case.test));
        let orders = self.trials.len() as u32;
        Found { cases: self.cases, open, failing, replays: self.replays, orders, cut }
    }

    /// Looks into each test that shows itself, until one is proven.
    fn look_around(&mut self) -> Result<(), Over> {
        loop {
            while let Some(test) = self.candidate() {
                self.look_into(test)?;
            }
            if self.cases.iter().any(|case| case.verdict == Verdict::Proven) || !self.sight()? {
                return Ok(());
            }
        }
    }

    /// The first test that nobody looked into and that may depend on the order.
    fn candidate(&self) -> Option<usize> {
        let is_new = |test: &usize| self.cases.iter().all(|case| case.test != *test);
        if self.plan.free {
            return self.differing().into_iter().find(is_new);
        }
        // Its own order is all that it has: what fails there may pass alone.
        (0..self.plan.tests).filter(|test| self.outcomes(*test).1).find(is_new)
    }

    /// Tests that failed in one order and passed in another.
    fn differing(&self) -> Vec<usize> {
        (0..self.plan.tests).filter(|test| self.outcomes(*test) == (true, true)).collect()
    }

    /// Whether a test passed and whether it failed in the orders so far.
    fn outcomes(&self, test: usize) -> (bool, bool) {
        let seen = |wanted| self.trials.iter().any(|trial| trial.seen.get(test) == Some(&wanted));
        (seen(Seen::Passed), seen(Seen::Failed))
    }

    /// Tries the next order; false where there is none.
    fn sight(&mut self) -> Result<bool, Over> {
        let Some((order, purpose)) = self.sightings.pop() else { return Ok(false) };
        let seen = self.replay(&order, purpose)?;
        // What stands before every test would be a square of memory.
        if let Some(victim) = self.plan.victim
            && let Some(place) = order.iter().position(|test| *test == victim)
        {
            let before = order.get(..place).unwrap_or_default().to_vec();
            self.remember(victim, before, seen.get(victim).copied().unwrap_or(Seen::Absent));
        }
        self.trials.push(Trial { order, seen });
        Ok(true)
    }

    fn replay(&mut self, order: &[usize], purpose: Purpose) -> Result<Vec<Seen>, Over> {
        if self.replays >= self.plan.budget {
            return Err(Over);
        }
        self.replays += 1;
        self.stage.replay(order, purpose).ok_or(Over)
    }

    fn remember(&mut self, test: usize, before: Vec<usize>, seen: Seen) {
        if seen != Seen::Absent {
            self.memory.entry((test, before)).or_default().add(seen);
        }
    }

    /// What becomes of the test behind these, whatever the listing says of their order.
    fn behind(&mut self, before: &[usize], test: usize, purpose: Purpose) -> Result<Seen, Over> {
        let mut order = before.to_vec();
        order.push(test);
        // What did not run once may have met with an accident.
        for _ in 0..2 {
            let seen = self.replay(&order, purpose)?.get(test).copied().unwrap_or(Seen::Absent);
            if seen != Seen::Absent {
                self.remember(test, before.to_vec(), seen);
                return Ok(seen);
            }
        }
        self.absent = true;
        Err(Over)
    }

    /// Decides on one test; the case is there even where the replays are over before.
    fn look_into(&mut self, test: usize) -> Result<(), Over> {
        let mut case = Case {
            test,
            role: None,
            needed: Vec::new(),
            among: 0,
            verdict: Verdict::NotDecided,
            with: Failures::default(),
            without: Failures::default(),
        };
        let ended = self.decide(&mut case);
        let absent = std::mem::take(&mut self.absent);
        if absent {
            case.verdict = Verdict::DidNotRun;
        }
        if self.is_contradicted(&case) {
            case.verdict = Verdict::Flaky;
            case.role = None;
            case.needed.clear();
            case.among = 0;
        }
        self.cases.push(case);
        if absent { Ok(()) } else { ended }
    }

    /// True where one and the same order showed both, which no order explains.
    fn is_contradicted(&self, case: &Case) -> bool {
        let of_test = self.memory.iter().filter(|((test, _), _)| *test == case.test);
        of_test.into_iter().any(|(_, seen)| seen.failed > 0 && seen.failed < seen.of)
    }

    fn decide(&mut self, case: &mut Case) -> Result<(), Over> {
        let test = case.test;
        if self.plan.victim.is_some() {
            self.sight()?;
        }
        let alone = match self.memory.get(&(test, Vec::new())) {
            Some(seen) if seen.failed == seen.of => Seen::Failed,
            Some(_) => Seen::Passed,
            None => self.behind(&[], test, Purpose::Alone)?,
        };
        let (wanted, role) = match alone {
            Seen::Failed => (Seen::Passed, Role::Brittle),
            _ => (Seen::Failed, Role::Victim),
        };
        let before = loop {
            if let Some(before) = self.shortest(test, wanted) {
                break before;
            }
            if self.is_contradicted(case) {
                return Ok(());
            }
            if !self.sight()? {
                case.verdict = match alone {
                    Seen::Failed => Verdict::AlwaysFails,
                    _ => Verdict::Cleared,
                };
                return Ok(());
            }
        };
        case.role = Some(role);
        case.among = before.len();
        if !self.is_known(case, wanted)? {
            let again = self.behind(&before, test, Purpose::Again)?;
            if again != wanted {
                // Once as now, once as then: by itself.
                self.remember(test, before, wanted);
                return Ok(());
            }
            self.narrow(case, before, wanted)?;
        }
        self.confirm(case, alone)
    }

    /// The fewest tests before this one, in an order in which it was seen so.
    fn shortest(&self, test: usize, wanted: Seen) -> Option<Vec<usize>> {
        let befores = self.trials.iter().filter(|trial| trial.seen.get(test) == Some(&wanted));
        let befores = befores.filter_map(|trial| {
            let place = trial.order.iter().position(|one| *one == test)?;
            trial.order.get(..place)
        });
        let shortest = befores.filter(|before| !before.is_empty()).min_by_key(|one| one.len());
        shortest.map(<[usize]>::to_vec)
    }

    /// Tries what other tests were found to need: polluters seldom have one victim.
    fn is_known(&mut self, case: &mut Case, wanted: Seen) -> Result<bool, Over> {
        let proven = self.cases.iter().filter(|other| other.verdict == Verdict::Proven);
        let known: BTreeSet<Vec<usize>> = proven
            .map(|other| other.needed.clone())
            .filter(|needed| !needed.contains(&case.test))
            .collect();
        for needed in known {
            if self.behind(&needed, case.test, Purpose::Halving)? == wanted {
                (case.needed, case.among) = (needed, 0);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Finds which of the tests before it are needed.
    fn narrow(&mut self, case: &mut Case, before: Vec<usize>, wanted: Seen) -> Result<(), Over> {
        let mut rest = before;
        loop {
            // An end of so many is too short, one of so many is enough.
            let (mut short, mut enough) = (0, rest.len());
            while enough - short > 1 {
                case.among = enough - short;
                let middle = short + (enough - short) / 2;
                let tried = [&case.needed, end(&rest, middle)].concat();
                if self.behind(&tried, case.test, Purpose::Halving)? == wanted {
                    enough = middle;
                } else {
                    short = middle;
                }
            }
            let kept = end(&rest, enough).to_vec();
            let Some((first, others)) = kept.split_first() else { return Ok(()) };
            case.needed.push(*first);
            case.among = others.len();
            if others.is_empty() {
                return Ok(());
            }
            let needed = case.needed.clone();
            if self.behind(&needed, case.test, Purpose::Halving)? == wanted {
                case.among = 0;
                return Ok(());
            }
            if needed.len() == NEEDED_MAX {
                return Err(Over);
            }
            rest = others.to_vec();
        }
    }

    /// Fresh replays with and without what was found, by turns.
    fn confirm(&mut self, case: &mut Case, alone: Seen) -> Result<(), Over> {
        let left = (self.plan.budget - self.replays) / 2;
        let times = left.min(CONFIRMATIONS);
        let needed = case.needed.clone();
        for _ in 0..times {
            let seen = self.behind(&needed, case.test, Purpose::Confirming)?;
            case.with.add(seen);
            if seen == alone {
                return Ok(());
            }
            let seen = self.behind(&[], case.test, Purpose::Confirming)?;
            case.without.add(seen);
            if seen != alone {
                return Ok(());
            }
        }
        if times < CONFIRMATIONS_LEAST {
            return Err(Over);
        }
        case.verdict = Verdict::Proven;
        Ok(())
    }
}

/// The last so many.
fn end(tests: &[usize], length: usize) -> &[usize] {
    tests.get(tests.len().saturating_sub(length)..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
