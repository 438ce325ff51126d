//! How long a test takes: the median of its recent passing results, in bounded memory; and how long
//! the tests of a suite take.

use crate::model::Micros;

/// Durations kept for each test and variant: odd, so that the median is one of them.
pub const DURATIONS_KEPT: usize = 11;

/// The last [`DURATIONS_KEPT`] durations of passing results.
///
/// Times of failures say how long a failure takes, and old times describe an old test; the median
/// of the recent rest shrugs off five outliers. Values keep 24 significant bits: exact to the
/// microsecond up to 16 s, to 1 part in 16 million beyond.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RecentDurations {
    kept: [f32; DURATIONS_KEPT],
    seen: u32,
}

impl RecentDurations {
    /// Adds the duration of one more passing result, which follows all added before.
    pub fn add(&mut self, duration: Micros) {
        if let Some(place) = self.kept.get_mut(self.seen as usize % DURATIONS_KEPT) {
            *place = duration.0 as f32;
        }
        self.seen = self.seen.wrapping_add(1);
        if self.seen == 0 {
            // Keeps "more than kept" true after 2³² results.
            self.seen = DURATIONS_KEPT as u32;
        }
    }

    /// The median; the lower of the two middle ones where their number is even.
    #[must_use]
    pub fn median(&self) -> Option<Micros> {
        let count = (self.seen as usize).min(DURATIONS_KEPT);
        let mut sorted = self.kept;
        let sorted = sorted.get_mut(..count)?;
        sorted.sort_unstable_by(f32::total_cmp);
        let middle = count.checked_sub(1)? / 2;
        sorted.get(middle).map(|&micros| Micros(micros as u64))
    }

    /// The mean of the middle half: as close to the next run as a mean where nothing strange
    /// happened, and moved by no quarter of strange runs. What sums up many tests needs a mean: the
    /// medians of skewed times add up to less than their sum.
    #[must_use]
    pub fn middle_mean(&self) -> Option<Micros> {
        let count = (self.seen as usize).min(DURATIONS_KEPT);
        let mut sorted = self.kept;
        let sorted = sorted.get_mut(..count)?;
        sorted.sort_unstable_by(f32::total_cmp);
        let cut = count / 4;
        let middle = sorted.get(cut..count.checked_sub(cut)?)?;
        if middle.is_empty() {
            return None;
        }
        let sum: f64 = middle.iter().map(|&micros| f64::from(micros)).sum();
        Some(Micros((sum / middle.len() as f64).round() as u64))
    }
}

/// Where one class of durations ends and the next begins: what people tell apart.
const CLASS_ENDS: [Micros; 7] = [
    Micros(1_000),
    Micros(10_000),
    Micros(100_000),
    Micros(1_000_000),
    Micros(10_000_000),
    Micros(60_000_000),
    Micros(600_000_000),
];
/// The slow end of a suite: one test in so many.
const SLOW_ONE_IN: usize = 20;

/// How long the tests of a suite take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distribution {
    /// Tests by how long they take, shortest class first; empty where no time is known.
    pub classes: Vec<Class>,
    /// Tests whose time is known.
    pub tests: u64,
    /// What all of them take together.
    pub total: Micros,
    /// The slowest twentieth of them, rounded up.
    pub slowest_tests: u64,
    /// What these take together.
    pub slowest_total: Micros,
}

/// Tests that take about as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// They take at least so long.
    pub from: Micros,
    /// And less than this; `None` for the slowest class.
    pub below: Option<Micros>,
    /// How many there are.
    pub tests: u64,
    /// What they take together.
    pub total: Micros,
}

impl Distribution {
    /// The distribution of these durations, one for each test.
    #[must_use]
    pub fn new(durations: impl IntoIterator<Item = Micros>) -> Self {
        let mut durations: Vec<Micros> = durations.into_iter().collect();
        if durations.is_empty() {
            return Self::default();
        }
        durations.sort_unstable();
        let sum = |some: &[Micros]| {
            Micros(some.iter().fold(0, |sum: u64, one| sum.saturating_add(one.0)))
        };
        let mut rest = durations.as_slice();
        let mut classes = Vec::new();
        let mut from = Micros(0);
        for below in CLASS_ENDS.into_iter().map(Some).chain([None]) {
            let count = rest.partition_point(|one| below.is_none_or(|below| *one < below));
            let (class, more) = rest.split_at(count);
            classes.push(Class { from, below, tests: count as u64, total: sum(class) });
            rest = more;
            from = below.unwrap_or(from);
        }
        let slow = durations.len().div_ceil(SLOW_ONE_IN);
        let (_, slowest) = durations.split_at(durations.len() - slow);
        Self {
            classes,
            tests: durations.len() as u64,
            total: sum(&durations),
            slowest_tests: slow as u64,
            slowest_total: sum(slowest),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn median_of(values: &[u64]) -> Option<u64> {
        let mut recent = RecentDurations::default();
        values.iter().for_each(|&value| recent.add(Micros(value)));
        recent.median().map(|median| median.0)
    }

    #[test]
    fn median_of_none_one_and_few() {
        assert_eq!(median_of(&[]), None);
        assert_eq!(median_of(&[7]), Some(7));
        assert_eq!(median_of(&[9, 1]), Some(1));
        assert_eq!(median_of(&[9, 1, 5]), Some(5));
        assert_eq!(median_of(&[0, 0, 16_000_000]), Some(0));
    }

    #[test]
    fn a_few_outliers_do_not_move_it() {
        let mut values = vec![100; 6];
        values.extend([9_000_000; 5]);
        assert_eq!(median_of(&values), Some(100));
    }

    #[test]
    fn the_middle_mean_forgets_a_quarter_at_either_end() {
        let of = |values: &[u64]| {
            let mut recent = RecentDurations::default();
            values.iter().for_each(|&value| recent.add(Micros(value)));
            recent.middle_mean().map(|mean| mean.0)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some(7));
        assert_eq!(of(&[1, 4]), Some(3));
        assert_eq!(of(&[0, 10, 20, 9_000_000]), Some(15));
        assert_eq!(of(&[1, 1, 5, 6, 7, 8, 9, 9_000_000]), Some(7));
    }

    #[test]
    fn a_duration_on_the_border_belongs_to_the_class_above() {
        let found = Distribution::new([999, 1_000, 9_999, 700_000_000].map(Micros));
        let counts: Vec<u64> = found.classes.iter().map(|class| class.tests).collect();
        assert_eq!(counts, [1, 2, 0, 0, 0, 0, 0, 1]);
        assert_eq!((found.slowest_tests, found.slowest_total), (1, Micros(700_000_000)));
        assert_eq!(Distribution::new([]), Distribution::default());
        assert_eq!(Distribution::new([Micros(u64::MAX); 2]).total, Micros(u64::MAX));
    }

    proptest! {
        #[test]
        fn every_test_is_in_the_class_of_its_duration(values in prop::collection::vec(0_u64..1_000_000_000, 1..80)) {
            let found = Distribution::new(values.iter().copied().map(Micros));
            for class in &found.classes {
                let inside = |value: &&u64| {
                    class.from.0 <= **value && class.below.is_none_or(|below| **value < below.0)
                };
                let (tests, total) = values.iter().filter(inside).fold((0, 0), |(n, sum), value| (n + 1, sum + value));
                prop_assert_eq!((class.tests, class.total.0), (tests, total));
            }
            prop_assert_eq!(found.total.0, values.iter().sum::<u64>());
            prop_assert!(found.slowest_total.0 * found.tests >= found.total.0 * found.slowest_tests);
        }

        #[test]
        fn equals_the_sorted_middle_of_the_last_ones(values in prop::collection::vec(0_u64..16_000_000, 1..60)) {
            let from = values.len().saturating_sub(DURATIONS_KEPT);
            let mut last = values[from..].to_vec();
            last.sort_unstable();
            prop_assert_eq!(median_of(&values), Some(last[(last.len() - 1) / 2]));
        }
    }
}
