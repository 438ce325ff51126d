//! The filter: a Bayesian judgement over two hidden causes of failure, *flake* and *breakage*,
//! with an explanation of each run as a whole (docs/DETECTION.md).
//!
//! [`filter`] works in two steps. A [`pass`] over the runs of each variant explains every run from
//! what all its tests did: as usual, a shared cause, a bad commit, an outage. Then each test that
//! ever failed is [`replay`]ed alone against these explanations, for everything that a person
//! wants to know of it. Tests that never failed cost next to nothing: those of a module that ran
//! in the same runs cannot be told apart, and share one state.

pub mod belief;
pub mod episode;
pub mod explain;
pub mod forecast;
mod hindsight;
mod knowledge;
mod lasting;
pub mod ledger;
pub mod model;
pub mod pass;
pub mod replay;
pub mod settings;

use std::collections::{BTreeMap, HashMap};

use self::belief::{Observed, actionable, broken};
use self::knowledge::Knowledge;
use self::pass::{Explained, Pass, RunAbout, Slot, SlotResult, TakenBack};
use self::replay::{Course, OUTAGE_CERTAIN, Replay};
pub use self::settings::FilterSettings;
use super::history::{History, Seen, Unit};
use crate::model::{Lane, Outcome, Repeat};

/// Fewer units than this are not worth another thread.
const UNITS_PER_THREAD_MIN: usize = 256;

/// Runs whose results are fetched at once: each visit to a test's results then reads a few whole
/// lines of memory, not a part of one.
const RUNS_PER_BLOCK: usize = 16;

/// What the filter believes of one test in one variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Belief {
    /// P(flaky at a rate of 1 % or more).
    pub score: f64,
    /// P(broken on the main line).
    pub broken: f64,
    /// Its course; only for tests that failed outside outages.
    pub course: Option<Box<Course>>,
}

/// A window, filtered.
#[derive(Debug, Clone, PartialEq)]
pub struct Filtered {
    /// Each run, explained, in the order of the history.
    pub runs: Vec<Explained>,
    /// What is believed of each unit of the history, in its order.
    pub units: Vec<Belief>,
}

impl Filtered {
    /// Which runs were outages.
    #[must_use]
    pub fn outages(&self) -> Vec<bool> {
        self.runs.iter().map(Explained::is_outage).collect()
    }
}

impl Explained {
    /// The run as a whole was an outage, more likely than not.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        self.failing >= explain::OUTAGE_TESTS_MIN && self.weights.outage >= OUTAGE_CERTAIN
    }
}

/// How a result is read; `None` where it says nothing: it did not run, or different tests share
/// its name.
#[must_use]
pub fn observed(seen: &Seen) -> Option<Observed> {
    match (seen.outcome, seen.repeat, seen.bad_attempts) {
        (Outcome::Skipped, ..) => None,
        (_, Repeat::Ambiguous, 1..) => None,
        (Outcome::Failed | Outcome::Errored, Repeat::Ambiguous, 0) => None,
        (_, _, failed) if seen.retried() => Some(Observed { failed, passed: true }),
        (Outcome::Passed, ..) => Some(Observed::PASS),
        (Outcome::Failed | Outcome::Errored, Repeat::Retried, failed) => {
            Some(Observed { failed: failed.max(1), passed: false })
        }
        // Several executions on purpose say as much as one.
        (Outcome::Failed | Outcome::Errored, ..) => Some(Observed::FAIL),
    }
}

/// Filters a window; with `moments` every course keeps what was believed after each run.
#[must_use]
pub fn filter(history: &History, settings: &FilterSettings, moments: Moments) -> Filtered {
    let abouts = abouts(history);
    let mut runs: Vec<Option<Explained>> = vec![None; history.runs.len()];
    let mut units: Vec<Belief> = Vec::with_capacity(history.units.len());
    for variant in 0..history.variants.len() as u32 {
        let from = history.units.partition_point(|unit| unit.variant < variant);
        let until = history.units.partition_point(|unit| unit.variant <= variant);
        let Some(of_variant) = history.units.get(from..until) else { continue };
        let seats = Seats::new(history, variant, of_variant);
        let pass = pass(history, settings, &abouts, (variant, of_variant, &seats), &mut runs);
        let places = places(history, variant);
        let known = match moments {
            Moments::Keep => Knowledge::new(&runs, pass.taken_back(), &places),
            Moments::Forget => Knowledge::default(),
        };
        take_back(&places, &pass, &mut runs);
        let one = |(unit, slot): (&Unit, &u32)| {
            let (classes, on_main) = pass.belief(*slot).unwrap_or_default();
            let asked = if history.asks_for(unit.test) { Moments::Keep } else { moments };
            let mut course = replay(unit, settings, &runs, asked).map(Box::new);
            let then = |runs: &[_]| replay(unit, settings, runs, moments);
            if let Some(course) = &mut course
                && let Some(moments) = known.moments(unit.module, &then)
            {
                course.moments = moments;
            }
            // The replay knows what the pass learned too late: which outages were none.
            let (classes, on_main) = course
                .as_ref()
                .map_or((classes, on_main), |course| (course.classes, course.broken));
            Belief { score: actionable(&classes), broken: broken(&classes, &on_main), course }
        };
        units.extend(in_parallel(of_variant, &seats.slot_of, &one));
    }
    // Every run has a variant; the pass of that variant explained it.
    Filtered { runs: runs.into_iter().flatten().collect(), units }
}

/// What `one` makes of each unit and its slot, in their order; tests do not depend on each other.
fn in_parallel(
    units: &[Unit],
    slots: &[u32],
    one: &(impl Fn((&Unit, &u32)) -> Belief + Sync),
) -> Vec<Belief> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = units.len().div_ceil(threads).max(UNITS_PER_THREAD_MIN);
    let of = |(units, slots): (&[Unit], &[u32])| units.iter().zip(slots).map(one).collect();
    let mut parts = units.chunks(part).zip(slots.chunks(part));
    let first = parts.next();
    std::thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(move || of(part))).collect();
        let mut beliefs: Vec<Belief> = first.map(of).unwrap_or_default();
        for other in others {
            match other.join() {
                Ok(more) => beliefs.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        beliefs
    })
}

/// Whether courses keep what was believed after each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moments {
    /// Only the end; of tests that the history is asked about every moment, in the light of what
    /// is known of each run in the end.
    #[default]
    Forget,
    /// Every moment, as it was believed then, for a back-test.
    Keep,
}

fn pass<'s>(
    history: &History,
    settings: &'s FilterSettings,
    abouts: &[RunAbout],
    (variant, units, seats): (u32, &[Unit], &Seats),
    explained: &mut [Option<Explained>],
) -> Pass<'s> {
    let mut pass = Pass::new(&settings.model, seats.slots.clone());
    let mut results = Results::new(history, units, seats);
    for block in places(history, variant).chunks(RUNS_PER_BLOCK) {
        results.fetch(block);
        for (place, results) in block.iter().zip(&mut results.of_block) {
            let about = (abouts.get(*place), history.executed.get(*place));
            let (Some(about), Some(executed)) = about else { continue };
            let quiet = (seats.kept.len() as u32..).zip(&seats.quiet);
            let ran = quiet.filter(|(_, bit)| executed.has(**bit));
            let pass_of = |slot| SlotResult { slot, observed: Observed::PASS, signature: None };
            results.extend(ran.map(|(slot, _)| pass_of(slot)));
            if let Some(explained) = explained.get_mut(*place) {
                *explained = Some(pass.step(about, results));
            }
        }
    }
    pass
}

/// The results of tests that keep them, turned from test by test to run by run.
struct Results<'a> {
    history: &'a History,
    units: &'a [Unit],
    kept: &'a [u32],
    /// The results still to come of each kept unit.
    ahead: Vec<&'a [Seen]>,
    /// Those of each run of the block, by slot.
    of_block: Vec<Vec<SlotResult>>,
}

impl<'a> Results<'a> {
    fn new(history: &'a History, units: &'a [Unit], seats: &'a Seats) -> Self {
        let seen = |unit: &u32| units.get(*unit as usize).map_or(&[][..], |unit| &unit.seen);
        Self {
            history,
            units,
            kept: &seats.kept,
            ahead: seats.kept.iter().map(seen).collect(),
            of_block: vec![Vec::new(); RUNS_PER_BLOCK],
        }
    }

    /// Turns the results of the next runs.
    fn fetch(&mut self, block: &[usize]) {
        self.of_block.iter_mut().for_each(Vec::clear);
        for ((slot, unit), ahead) in (0_u32..).zip(self.kept).zip(&mut self.ahead) {
            let mut at = 0;
            while let Some((seen, rest)) = ahead.split_first() {
                while block.get(at).is_some_and(|place| *place < seen.run as usize) {
                    at += 1;
                }
                // Only the last block is shorter, and nothing comes behind it.
                let Some(results) = self.of_block.get_mut(at) else { break };
                *ahead = rest;
                let Some(observed) = observed(seen) else { continue };
                let test = || self.units.get(*unit as usize).map(|unit| unit.test);
                let signature = match observed.troubled() {
                    true => test().and_then(|test| self.history.signature(seen.run, test)),
                    false => None,
                };
                results.push(SlotResult { slot, observed, signature });
            }
        }
    }
}

/// Takes back what looked like outages and lasted.
fn take_back(places: &[usize], pass: &Pass<'_>, runs: &mut [Option<Explained>]) {
    for TakenBack { run, module, .. } in pass.taken_back() {
        let place = places.get(*run as usize);
        if let Some(Some(explained)) = place.and_then(|place| runs.get_mut(*place)) {
            explained.take_back(*module);
        }
    }
}

/// The runs of a variant, as places in the history.
fn places(history: &History, variant: u32) -> Vec<usize> {
    let runs = history.runs.iter().enumerate();
    runs.filter(|(_, run)| run.variant == variant).map(|(place, _)| place).collect()
}

/// Follows a test alone; `None` for one that never failed outside an outage.
fn replay(
    unit: &Unit,
    settings: &FilterSettings,
    runs: &[Option<Explained>],
    moments: Moments,
) -> Option<Course> {
    let at = |seen: &Seen| Some((runs.get(seen.run as usize)?.as_ref()?, observed(seen)?));
    let telling = |seen: &Seen| {
        at(seen).is_some_and(|(run, observed)| {
            observed.troubled() && run.around(unit.module).outage < OUTAGE_CERTAIN
        })
    };
    if !unit.seen.iter().any(telling) {
        return None;
    }
    let mut replay = Replay::new(settings, unit.module);
    if moments == Moments::Keep {
        replay = replay.with_moments();
    }
    for seen in &unit.seen {
        if let Some((run, observed)) = at(seen) {
            replay.observe(seen.run, run, observed);
        }
    }
    Some(replay.finish())
}

/// Which slot of the pass each unit of a variant sits in.
struct Seats {
    slots: Vec<Slot>,
    /// The slot of each unit.
    slot_of: Vec<u32>,
    /// The unit in each of the first slots: tests that keep their results.
    kept: Vec<u32>,
    /// For each slot behind: the bit of one of its tests.
    quiet: Vec<u32>,
}

impl Seats {
    fn new(history: &History, variant: u32, units: &[Unit]) -> Self {
        let mut seats = Self {
            slots: Vec::new(),
            slot_of: vec![0; units.len()],
            kept: Vec::new(),
            quiet: Vec::new(),
        };
        for (place, unit) in units.iter().enumerate().filter(|(_, unit)| !unit.seen.is_empty()) {
            if let Some(slot) = seats.slot_of.get_mut(place) {
                *slot = seats.kept.len() as u32;
            }
            seats.kept.push(place as u32);
            seats.slots.push(Slot { module: unit.module, tests: 1 });
        }
        let presence = presence(history, variant);
        let mut cohorts: HashMap<(u32, u128), u32> = HashMap::new();
        for (place, unit) in units.iter().enumerate().filter(|(_, unit)| unit.seen.is_empty()) {
            let ran = presence.get(unit.place as usize).copied().unwrap_or(0);
            let next = seats.slots.len() as u32;
            let slot = *cohorts.entry((unit.module, ran)).or_insert(next);
            if slot == next {
                seats.quiet.push(unit.place);
                seats.slots.push(Slot { module: unit.module, tests: 0 });
            }
            if let Some(slot) = seats.slots.get_mut(slot as usize) {
                slot.tests += 1;
            }
            if let Some(of) = seats.slot_of.get_mut(place) {
                *of = slot;
            }
        }
        seats
    }
}

/// For each place of a test, a fingerprint of the runs that executed it: tests with one
/// fingerprint ran together (two that did not share it with a chance of 2⁻¹²⁸).
///
/// A run marks the tests that it executed or those that it did not, whichever are fewer: both tell
/// the two apart.
fn presence(history: &History, variant: u32) -> Vec<u128> {
    let places = history.units.iter().map(|unit| unit.place + 1).max().unwrap_or(0);
    let mut prints = vec![0_u128; places as usize];
    for (place, (run, executed)) in (1_u64..).zip(history.runs.iter().zip(&history.executed)) {
        if run.variant != variant {
            continue;
        }
        let mark = u128::from(mixed(place)) << 64 | u128::from(mixed(!place));
        let mut add = |test: u32| {
            if let Some(print) = prints.get_mut(test as usize) {
                *print = print.wrapping_add(mark);
            }
        };
        match executed.count() > places / 2 {
            true => executed.missing(places).for_each(&mut add),
            false => executed.iter().for_each(&mut add),
        }
    }
    prints
}

/// SplitMix64's finaliser (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014): spreads consecutive numbers over all 64 bits.
const fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Branches and revisions as numbers. A run without a revision is one of its own.
fn abouts(history: &History) -> Vec<RunAbout> {
    let mut revisions: BTreeMap<&str, u32> = BTreeMap::new();
    let mut branches: BTreeMap<(Lane, Option<&str>), u32> = BTreeMap::new();
    let mut abouts = Vec::with_capacity(history.runs.len());
    for (fresh, run) in (0_u32..).zip(&history.runs) {
        let revision = match run.revision.as_deref() {
            Some(name) => *revisions.entry(name).or_insert(fresh),
            None => fresh,
        };
        let known = branches.len() as u32;
        let name = run.branch.as_deref().or(run.revision.as_deref());
        let branch = (!run.on_main).then(|| *branches.entry((run.lane, name)).or_insert(known));
        abouts.push(RunAbout { branch, revision, started: run.started });
    }
    abouts
}

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests;
