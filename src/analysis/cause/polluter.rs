//! The polluter: which other test, running before this one in the same report, makes it fail?
//!
//! Where the worker is known, only what the same worker ran before counts: what another process does
//! at the same time has no order.
//!
//! Only where the order of execution changes. Unlike the signals this one needs every result of the
//! runs, not only those of tests that failed, so that it is asked for a few tests at a time. Each
//! test that ever ran before is a candidate; Fisher's exact test compares the runs in which it ran
//! before with the others, and the smallest p-value is multiplied by the number of candidates that
//! could have come out. Failing without it counts as well: some tests rely on what another one
//! leaves behind.

use std::collections::{BTreeMap, HashMap};

use super::contrast::{Share, Split, testable};
use super::{Cause, Causes, Hint};
use crate::analysis::statistics::counts::{LnFactorials, Table};
use crate::analysis::verdict::Judgement;
use crate::model::Outcome;
use crate::store::query::{RunRows, TestNo};

/// Tests looked at in one go at most: each is found anew in every run.
const VICTIMS_MAX: usize = 20;
/// A test that makes this one fail that much more often, or less, is named; below it only the place
/// in the order is.
const SEPARATION: f64 = 0.5;

/// A search for the polluters of some tests, run by run.
#[derive(Debug)]
pub struct Search {
    victims: Vec<Victim>,
    /// For each run: the victims that count in it, with the place of the trial.
    wanted: BTreeMap<u32, Vec<(usize, usize)>>,
}

#[derive(Debug)]
struct Victim {
    test: TestNo,
    variant: String,
    failed: Vec<bool>,
    /// The worker is known in some of the runs.
    in_worker: bool,
    /// For each test that ever ran before: one bit for each trial.
    before: HashMap<TestNo, Vec<u64>>,
}

impl Search {
    /// A search for those of `tests` whose order changes; of more than a few the first.
    #[must_use]
    pub fn new(causes: &Causes, tests: &[TestNo]) -> Self {
        let mut search = Self { victims: Vec::new(), wanted: BTreeMap::new() };
        let examined = causes
            .examined
            .iter()
            .filter(|examined| examined.shuffled && tests.contains(&examined.test));
        for (place, examined) in examined.take(VICTIMS_MAX).enumerate() {
            for (trial, (run, _)) in examined.trials.iter().enumerate() {
                search.wanted.entry(*run).or_default().push((place, trial));
            }
            search.victims.push(Victim {
                test: examined.test,
                variant: examined.variant.clone(),
                failed: examined.trials.iter().map(|(_, failed)| *failed).collect(),
                in_worker: false,
                before: HashMap::new(),
            });
        }
        search
    }

    /// The runs that [`add`](Self::add) needs, as places in the history, in order.
    pub fn runs(&self) -> impl Iterator<Item = u32> + '_ {
        self.wanted.keys().copied()
    }

    /// Takes the rows of one of the runs.
    pub fn add(&mut self, run: u32, rows: &RunRows<'_>) {
        for (victim, trial) in self.wanted.get(&run).map_or(&[][..], Vec::as_slice) {
            if let Some(victim) = self.victims.get_mut(*victim) {
                victim.add(*trial, rows);
            }
        }
    }

    /// Puts what was found in the place of hints on the order alone.
    pub fn settle(self, judgement: &mut Judgement) {
        let largest = self.victims.iter().map(|victim| victim.failed.len()).max().unwrap_or(0);
        let factorials = LnFactorials::up_to(largest as u32);
        let found: Vec<_> = self
            .victims
            .iter()
            .filter_map(|victim| Some((victim, victim.polluter(&factorials)?)))
            .collect();
        judgement.causes.family.answer(found.iter().map(|(_, (_, p))| *p));
        for (victim, (cause, p)) in found {
            let q = judgement.causes.family.q(p);
            let parted = cause.split().is_some_and(is_parted);
            if q > judgement.causes.false_discovery_rate || !parted {
                continue;
            }
            let verdicts = judgement.verdicts.iter_mut();
            for verdict in
                verdicts.filter(|one| one.test == victim.test && one.variant == victim.variant)
            {
                verdict.hints.retain(|hint| !matches!(hint.cause, Cause::Position { .. }));
                verdict.hints.push(Hint { cause: cause.clone(), p: Some(p), q: Some(q) });
                verdict.hints.sort_by(Hint::by_strength);
            }
        }
    }
}

fn is_parted(split: Split) -> bool {
    (split.inside.rate() - split.outside.rate()).abs() >= SEPARATION
}

impl Victim {
    fn add(&mut self, trial: usize, rows: &RunRows<'_>) {
        let Some(at) = rows.iter().position(|row| row.test == self.test) else { return };
        let ends = rows.reports.iter().map(|report| report.end as usize);
        let start = ends.take_while(|end| *end <= at).last().unwrap_or(0);
        let words = self.failed.len().div_ceil(64);
        let worker = rows.rows.get(at).map_or(0, |row| row.worker);
        self.in_worker |= worker > 0;
        for row in rows.get(start..at).unwrap_or_default() {
            if row.outcome == Outcome::Skipped || (worker > 0 && row.worker != worker) {
                continue;
            }
            let bits = self.before.entry(row.test).or_insert_with(|| vec![0; words]);
            if let Some(word) = bits.get_mut(trial / 64) {
                *word |= 1 << (trial % 64);
            }
        }
    }

    fn split(&self, bits: &[u64]) -> Split {
        let mut shares = [Share { failed: 0, runs: 0 }; 2];
        for (trial, failed) in self.failed.iter().enumerate() {
            let inside = bits.get(trial / 64).is_some_and(|word| word >> (trial % 64) & 1 == 1);
            let share = &mut shares[usize::from(!inside)];
            share.runs += 1;
            share.failed += u32::from(*failed);
        }
        Split { inside: shares[0], outside: shares[1] }
    }

    /// The test that separates failures from passes best, with a p-value for the choice.
    fn polluter(&self, factorials: &LnFactorials) -> Option<(Cause, f64)> {
        // Tests that ran before in the same runs are one candidate.
        let mut groups: BTreeMap<&[u64], Vec<TestNo>> = BTreeMap::new();
        for (test, bits) in &self.before {
            groups.entry(bits.as_slice()).or_default().push(*test);
        }
        let mut attainable = Vec::new();
        let mut best: Option<(Vec<TestNo>, Split, f64)> = None;
        for (bits, tests) in groups {
            let split = self.split(bits);
            if split.is_idle() {
                continue;
            }
            let table = split.table();
            attainable.push(least(table, factorials));
            let p = factorials.either_way(table);
            if best.as_ref().is_none_or(|(_, _, least)| p < *least) {
                best = Some((tests, split, p));
            }
        }
        let count = testable(&mut attainable);
        let (mut tests, split, p) = best.filter(|_| count > 0)?;
        tests.sort_unstable();
        let alike = tests.split_off(1);
        let (name, scopes) = (String::new(), Vec::new());
        let in_worker = self.in_worker;
        let test = *tests.first()?;
        let cause = Cause::Polluter { test, name, split, alike, scopes, in_worker };
        Some((cause, (p * count as f64).min(1.0)))
    }
}

/// The smallest p-value that the margins allow, either way.
fn least(table: Table, factorials: &LnFactorials) -> f64 {
    let most = table.drawn.min(table.marked);
    let fewest = (table.drawn + table.marked).saturating_sub(table.all);
    let at = |hits| factorials.either_way(Table { hits, ..table });
    at(most).min(at(fewest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_changes_the_rate_by_less_than_half_is_not_named() {
        let share = |failed| Share { failed, runs: 4 };
        let parted =
            |inside, outside| is_parted(Split { inside: share(inside), outside: share(outside) });
        assert_eq!([parted(3, 1), parted(0, 2), parted(2, 1)], [true, true, false]);
    }

    #[test]
    fn the_rarest_split_that_the_margins_allow_may_be_that_of_the_fewest_failures() {
        // Of C(10, 4) = 210 choices 15 hit four of the six, and one hits none.
        let table = Table { hits: 2, drawn: 6, marked: 4, all: 10 };
        let least = least(table, &LnFactorials::up_to(10));
        assert!((least - 1.0 / 210.0).abs() < 1e-12, "{least}");
    }

    #[test]
    fn of_equals_the_one_that_ran_before_in_the_earlier_trials_is_named() {
        let early = (1 << 10) - 1;
        let victim = Victim {
            test: TestNo(0),
            variant: String::new(),
            failed: (0..20).map(|trial| trial < 10).collect(),
            in_worker: false,
            before: HashMap::from([(TestNo(7), vec![early]), (TestNo(5), vec![early << 10])]),
        };
        let (cause, p) = victim.polluter(&LnFactorials::up_to(20)).unwrap();
        assert_eq!(cause.test(), Some(TestNo(7)));
        // Either way, of two candidates: 2 * 2 / C(20, 10).
        assert!((p - 4.0 / 184_756.0).abs() < 1e-12, "{p}");
    }
}
