//! Apple's way to weigh a number of each day or revision: the newer, the heavier.
//!
//! Source: E. Kowalczyk, K. Nair, Z. Gao, L. Silberstein, T. Long and A. Memon, "Modeling and
//! ranking flaky tests at Apple", ICSE-SEIP 2020: `Z_t = f(R_t) + (1 - λ) Z_(t-1)`, and the weighted
//! score is `Z_n / Σ (1 - λ)^i`, the mean of f over all groups with weights that fade by λ.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rule::clean_runs;
use crate::analysis::history::{Run, Seen};
use crate::model::{Timestamp, counted};

/// Which results are looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Those of one day, in UTC.
    #[default]
    Day,
    /// Those of one revision; a run without one stands for itself.
    Revision,
}

impl Per {
    /// So many groups in words.
    pub(super) fn count(self, groups: u32) -> String {
        match self {
            Self::Day => counted(groups, "day"),
            Self::Revision => counted(groups, "revision"),
        }
    }
}

/// A result with its run.
pub(super) type Result<'a> = (&'a Seen, &'a Run);

/// The results by day or revision, in the order of the first result of each.
pub(super) fn groups<'a>(results: &[Result<'a>], per: Per) -> Vec<Vec<Result<'a>>> {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Key<'a> {
        Day(i64),
        Revision(&'a str),
        Run(u32),
    }
    let mut places: BTreeMap<Key<'a>, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Result<'a>>> = Vec::new();
    for &(seen, run) in results {
        let key = match (per, run.revision.as_deref()) {
            (Per::Day, _) => Key::Day(run.started.0.div_euclid(Timestamp::DAY_MS)),
            (Per::Revision, Some(revision)) => Key::Revision(revision),
            (Per::Revision, None) => Key::Run(seen.run),
        };
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push((seen, run)),
            None => groups.push(vec![(seen, run)]),
        }
    }
    groups
}

/// The mean of some values whose weights fade into the past.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weighted {
    sum: f64,
    weights: f64,
    keep: f64,
}

impl Weighted {
    /// Of values in the order of time, which lose the part `fading` of their weight at each step.
    pub(super) fn of(values: impl IntoIterator<Item = f64>, fading: f64) -> Self {
        let start = Self { sum: 0.0, weights: 0.0, keep: 1.0 - fading.clamp(0.0, 1.0) };
        values.into_iter().fold(start, Self::then)
    }

    fn then(self, value: f64) -> Self {
        let sum = value + self.keep * self.sum;
        Self { sum, weights: 1.0 + self.keep * self.weights, ..self }
    }

    pub(super) fn mean(self) -> f64 {
        if self.weights > 0.0 { self.sum / self.weights } else { 0.0 }
    }

    /// How many values of nothing must follow until the mean is below `threshold`.
    pub(super) fn groups_to_fall_below(self, threshold: f64) -> Option<u32> {
        clean_runs(|groups| (0..groups).fold(self, |ahead, _| ahead.then(0.0)).mean() >= threshold)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_weights_are_those_of_the_paper() {
        // λ = 0.1 and f = 0.5, 0, 1: (1 + 0.9·0 + 0.81·0.5) / (1 + 0.9 + 0.81) = 1.405 / 2.71.
        let weighted = Weighted::of([0.5, 0.0, 1.0], 0.1);
        assert!((weighted.mean() - 1.405 / 2.71).abs() < 1e-15);
        assert_eq!(Weighted::of([], 0.1).mean(), 0.0);
        // 1 and then k times 0 is 0.9^k / Σ 0.9^i: 0.531441 / 5.217031 = 0.1019 for k = 6,
        // 0.4782969 / 5.6953279 = 0.084 for k = 7; without fading 1 / 10 is still enough.
        assert_eq!(Weighted::of([1.0], 0.1).groups_to_fall_below(0.1), Some(7));
        assert_eq!(Weighted::of([1.0], 0.0).groups_to_fall_below(0.1), Some(10));
    }

    proptest! {
        #[test]
        fn the_mean_is_that_of_explicit_weights(
            values in prop::collection::vec(0.0_f64..=1.0, 0..60), fading in 0.0_f64..=1.0,
        ) {
            let weight = |age: usize| (1.0 - fading).powi(age as i32);
            let ages = || values.iter().rev().enumerate();
            let sum: f64 = ages().map(|(age, value)| value * weight(age)).sum();
            let weights: f64 = ages().map(|(age, _)| weight(age)).sum();
            let wanted = if weights > 0.0 { sum / weights } else { 0.0 };
            let mean = Weighted::of(values.iter().copied(), fading).mean();
            prop_assert!((mean - wanted).abs() < 1e-12, "{mean} {wanted}");
            prop_assert!((0.0..=1.0 + 1e-12).contains(&mean));
        }
    }
}
