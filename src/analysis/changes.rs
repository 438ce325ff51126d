//! What changed between two windows of one history: two judgements of one method, and what became
//! of each test and variant from one to the other.
//!
//! The windows may overlap; how often a test fails is therefore compared on the runs before the
//! moment between them and the runs since, by Fisher's exact test, at a rate of false discoveries
//! over all tests that failed in either (Benjamini and Hochberg).

use std::collections::{BTreeMap, BTreeSet};

use super::direction::Direction;
use super::history::History;
use super::statistics::counts::{LnFactorials, Table};
use super::statistics::discovery::Family;
use super::verdict::{Judgement, Status, Verdict};
use crate::model::Timestamp;
use crate::store::query::TestNo;

/// Share of the changed rates that may be chance.
pub const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// A window with its verdicts.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The verdicts.
    pub judgement: &'a Judgement,
    /// What they were made from.
    pub history: &'a History,
}

/// A test and variant with its place among the verdicts of either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Its verdict in the earlier window, where it has one.
    pub before: Option<usize>,
    /// Its verdict in the later window, where it has one.
    pub now: Option<usize>,
}

/// A test that fails more or less often than before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateChange {
    /// Which.
    pub moved: Moved,
    /// Runs before in which it had a failed attempt, and all in which it ran.
    pub before: (u32, u32),
    /// The same since.
    pub since: (u32, u32),
    /// The chance of a difference this large where there is none.
    pub p: f64,
    /// The same, adjusted for all tests that were asked.
    pub q: f64,
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// Tests that fail now and did not before.
    pub newly_broken: Vec<Moved>,
    /// Tests that are flaky now and were not before.
    pub newly_flaky: Vec<Moved>,
    /// Tests that were broken and pass.
    pub fixed: Vec<Moved>,
    /// Tests that were flaky and are not called so any more.
    pub healed: Vec<Moved>,
    /// Tests that ran before and do not any more.
    pub vanished: Vec<Moved>,
    /// Tests that fail more or less often, the surest first.
    pub rates: Vec<RateChange>,
    /// Tests whose rates were compared.
    pub asked: u32,
    /// Red runs and all runs before the moment, outages left out.
    pub runs_before: (u32, u32),
    /// The same since.
    pub runs_since: (u32, u32),
    /// Whether fewer runs are red.
    pub direction: Direction,
}

type Key<'a> = (TestNo, &'a str);

/// Compares the window that ended at a moment with the one that ends now.
#[must_use]
pub fn changes(before: Side<'_>, now: Side<'_>, at: Timestamp) -> Changes {
    let [old, new] = [before, now].map(|side| places(side.judgement));
    let keys: BTreeSet<Key<'_>> = old.keys().chain(new.keys()).copied().collect();
    let moved: Vec<Moved> = keys
        .iter()
        .map(|key| Moved { before: old.get(key).copied(), now: new.get(key).copied() })
        .collect();
    let was = |one: &Moved| status(before.judgement, one.before);
    let is = |one: &Moved| status(now.judgement, one.now);
    let pick = |wanted: &dyn Fn(Option<Status>, Option<Status>) -> bool| {
        let mut found: Vec<Moved> =
            moved.iter().copied().filter(|one| wanted(was(one), is(one))).collect();
        // In the order of the later verdicts: the most harmful first.
        found.sort_by_key(|one| (one.now.unwrap_or(usize::MAX), one.before));
        found
    };
    let runs_before = red(before.judgement, &|started| started < at);
    let runs_since = red(now.judgement, &|started| started >= at);
    let (rates, asked) = rates(before, now, at, &moved);
    Changes {
        newly_broken: pick(&|was, is| is_broken(is) && !is_broken(was)),
        newly_flaky: pick(&|was, is| is == Some(Status::Flaky) && was != Some(Status::Flaky)),
        fixed: pick(&|was, is| is_broken(was) && passes(is)),
        healed: pick(&|was, is| was == Some(Status::Flaky) && passes(is)),
        vanished: pick(&|was, is| was.is_some_and(|was| was != Status::Stale) && is_gone(is)),
        rates,
        asked,
        runs_before,
        runs_since,
        direction: Direction::between(runs_before, runs_since),
    }
}

fn places(judgement: &Judgement) -> BTreeMap<Key<'_>, usize> {
    let key = |verdict: &'_ Verdict| verdict.test;
    let verdicts = judgement.verdicts.iter().enumerate();
    verdicts.map(|(place, verdict)| ((key(verdict), verdict.variant.as_str()), place)).collect()
}

fn status(judgement: &Judgement, place: Option<usize>) -> Option<Status> {
    judgement.verdicts.get(place?).map(|verdict| verdict.status)
}

const fn is_broken(status: Option<Status>) -> bool {
    matches!(status, Some(Status::NewlyBroken | Status::Broken))
}

const fn passes(status: Option<Status>) -> bool {
    matches!(status, Some(Status::Recovering | Status::Fixed | Status::Healthy))
}

const fn is_gone(status: Option<Status>) -> bool {
    matches!(status, None | Some(Status::Stale))
}

/// Red runs and all runs of a window, outages left out.
fn red(judgement: &Judgement, counts: &dyn Fn(Timestamp) -> bool) -> (u32, u32) {
    let runs = judgement.runs.iter().filter(|run| !run.outage && counts(run.started));
    runs.fold((0, 0), |(red, all), run| (red + u32::from(run.is_red()), all + 1))
}

fn rates(
    before: Side<'_>,
    now: Side<'_>,
    at: Timestamp,
    moved: &[Moved],
) -> (Vec<RateChange>, u32) {
    let earlier = Counter::new(before, &|started| started < at);
    let later = Counter::new(now, &|started| started >= at);
    let factorials =
        LnFactorials::up_to((before.history.runs.len() + now.history.runs.len()) as u32);
    let mut asked: Vec<RateChange> = Vec::new();
    for one in moved {
        // Most tests never fail, and need no count of the runs that they passed.
        if earlier.bad(one.before) + later.bad(one.now) == 0 {
            continue;
        }
        let (Some(before), Some(since)) = (earlier.of(one.before), later.of(one.now)) else {
            continue;
        };
        if before.1 == 0 || since.1 == 0 {
            continue;
        }
        let table = Table {
            hits: since.0,
            drawn: since.1,
            marked: before.0 + since.0,
            all: before.1 + since.1,
        };
        let p = factorials.either_way(table);
        asked.push(RateChange { moved: *one, before, since, p, q: 1.0 });
    }
    let family = Family::new(asked.iter().map(|one| one.p).collect(), 0);
    asked.iter_mut().for_each(|one| one.q = family.q(one.p));
    let count = asked.len() as u32;
    asked.retain(|one| one.q <= FALSE_DISCOVERY_RATE);
    asked.sort_by(|one, other| one.p.total_cmp(&other.p).then(one.moved.now.cmp(&other.moved.now)));
    (asked, count)
}

/// Counts the runs of a part of a window.
struct Counter<'a> {
    side: Side<'a>,
    counts: Vec<bool>,
}

impl<'a> Counter<'a> {
    fn new(side: Side<'a>, counts: &dyn Fn(Timestamp) -> bool) -> Self {
        let runs = side.judgement.runs.iter();
        Self { side, counts: runs.map(|run| !run.outage && counts(run.started)).collect() }
    }

    fn counts(&self, run: usize) -> bool {
        self.counts.get(run).copied().unwrap_or(false)
    }

    /// Runs with a failed attempt.
    fn bad(&self, verdict: Option<usize>) -> u32 {
        let verdict = verdict.and_then(|place| self.side.judgement.verdicts.get(place));
        let cells = verdict.map_or(&[][..], |verdict| verdict.cells.as_slice());
        let bad = |cell: &&super::verdict::Cell| {
            self.counts(cell.run as usize) && (cell.outcome.is_bad() || cell.retried)
        };
        cells.iter().filter(bad).count() as u32
    }

    /// Runs with a failed attempt, and runs in which the test ran; `None` where it has no verdict.
    fn of(&self, verdict: Option<usize>) -> Option<(u32, u32)> {
        let Side { judgement, history } = self.side;
        let bad = self.bad(verdict);
        let verdict = judgement.verdicts.get(verdict?)?;
        let variant = history.variants.binary_search(&verdict.variant).ok()? as u32;
        let key = |unit: &super::history::Unit| (unit.variant, unit.test);
        let unit = history.units.binary_search_by_key(&(variant, verdict.test), key).ok()?;
        let unit = history.units.get(unit)?;
        let runs = history.runs.iter().zip(&history.executed).enumerate();
        let ran = runs
            .filter(|(place, (run, executed))| {
                run.variant == variant && self.counts(*place) && executed.has(unit.place)
            })
            .count();
        Some((bad, ran as u32))
    }
}
