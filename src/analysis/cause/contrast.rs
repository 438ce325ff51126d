//! Some results against the rest: does the test fail more among them?
//!
//! The engine of all signals that name one of several things. Each thing sets some results apart;
//! Fisher's exact test compares them with all others; the smallest p-value is multiplied by the
//! number of things that could have come out at all (R. E. Tarone, *Biometrics* 46, 1990). Things
//! that set apart the same results are one.

use std::collections::{BTreeMap, BTreeSet};

use super::trials::Trial;
use crate::analysis::statistics::counts::{LnFactorials, Table};

/// A number of failures among a number of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Runs in which it failed.
    pub failed: u32,
    /// Runs.
    pub runs: u32,
}

impl Share {
    /// Failures per run; 0 without runs.
    #[must_use]
    pub fn rate(self) -> f64 {
        if self.runs == 0 { 0.0 } else { f64::from(self.failed) / f64::from(self.runs) }
    }
}

/// Some results against the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// What is set apart.
    pub inside: Share,
    /// The rest.
    pub outside: Share,
}

impl Split {
    /// The split that `inside` makes of these results.
    #[must_use]
    pub fn of(trials: &[Trial<'_>], inside: &[bool]) -> Self {
        let mut shares = [Share { failed: 0, runs: 0 }; 2];
        for (trial, inside) in trials.iter().zip(inside) {
            let share = &mut shares[usize::from(!*inside)];
            share.runs += 1;
            share.failed += u32::from(trial.failed);
        }
        Self { inside: shares[0], outside: shares[1] }
    }

    /// The split as a table of counts.
    #[must_use]
    pub const fn table(self) -> Table {
        Table {
            hits: self.inside.failed,
            drawn: self.inside.runs,
            marked: self.inside.failed + self.outside.failed,
            all: self.inside.runs + self.outside.runs,
        }
    }

    /// True where either side is empty.
    #[must_use]
    pub const fn is_idle(self) -> bool {
        self.inside.runs == 0 || self.outside.runs == 0
    }
}

/// The level below which a candidate must be able to come out to be counted.
pub(super) const LEVEL: f64 = 0.05;

/// The names that at least two results have, each with which results those are. What happened once
/// cannot be told from chance.
pub(super) fn repeated<'n>(
    names: impl Iterator<Item = Option<&'n str>>,
) -> BTreeMap<&'n str, Vec<bool>> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut count = 0;
    for name in names {
        if let Some(name) = name {
            places.entry(name).or_default().push(count);
        }
        count += 1;
    }
    places.retain(|_, places| places.len() > 1);
    let flags = |places: Vec<usize>| {
        let mut flags = vec![false; count];
        for place in places {
            if let Some(flag) = flags.get_mut(place) {
                *flag = true;
            }
        }
        flags
    };
    places.into_iter().map(|(name, places)| (name, flags(places))).collect()
}

/// How many of the candidates could come out significant at all, by the smallest p-value that the
/// margins of each allow; the same for any choice of failures.
pub(super) fn testable(attainable: &mut [f64]) -> usize {
    attainable.sort_by(f64::total_cmp);
    (1..=attainable.len())
        .find(|k| attainable.partition_point(|p| *p <= LEVEL / *k as f64) <= *k)
        .map_or(0, |k| attainable.partition_point(|p| *p <= LEVEL / k as f64).min(k))
}

/// The candidate whose results fail the most beyond chance, with its split and a p-value that
/// accounts for the choice; of equals the first. `None` where no candidate could come out.
pub(super) fn sharpest<T>(
    trials: &[Trial<'_>],
    candidates: impl Iterator<Item = (T, Vec<bool>)>,
    factorials: &LnFactorials,
) -> Option<(T, Split, f64)> {
    let mut seen = BTreeSet::new();
    let mut attainable = Vec::new();
    let mut best: Option<(T, Split, f64)> = None;
    for (name, inside) in candidates {
        let split = Split::of(trials, &inside);
        if split.is_idle() || !seen.insert(inside) {
            continue;
        }
        let table = split.table();
        let most = Table { hits: table.drawn.min(table.marked), ..table };
        attainable.push(factorials.at_least(most));
        let p = factorials.at_least(table);
        if best.as_ref().is_none_or(|(_, _, least)| p < *least) {
            best = Some((name, split, p));
        }
    }
    let count = testable(&mut attainable);
    let (name, split, p) = best.filter(|_| count > 0)?;
    Some((name, split, (p * count as f64).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::{Share, Split, testable};

    #[test]
    fn a_share_is_failures_per_run_and_a_split_has_two_sides() {
        let (some, none) = (Share { failed: 1, runs: 4 }, Share::default());
        assert!((some.rate() - 0.25).abs() < 1e-9 && none.rate().abs() < 1e-9);
        let is_idle = |inside, outside| Split { inside, outside }.is_idle();
        assert!(is_idle(some, none) && is_idle(none, some) && !is_idle(some, some));
    }

    #[test]
    fn only_what_could_come_out_is_counted() {
        assert_eq!(testable(&mut []), 0);
        assert_eq!(testable(&mut [0.2, 0.06]), 0);
        assert_eq!(testable(&mut [0.2, 0.04, 0.9]), 1);
        // At 0.05 there are three, more than one; at 0.05 / 2 two.
        assert_eq!(testable(&mut [0.001, 0.02, 0.04]), 2);
        assert_eq!(testable(&mut [1e-6; 100]), 100);
    }

    #[test]
    fn a_split_with_an_empty_side_says_nothing() {
        let (some, none) = (Share { failed: 1, runs: 3 }, Share::default());
        let idle = |inside, outside| Split { inside, outside }.is_idle();
        assert_eq!([idle(some, none), idle(none, some), idle(some, some)], [true, true, false]);
    }
}
