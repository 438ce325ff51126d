//! How long a test takes: the median of its recent passing results, in bounded memory.

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

    proptest! {
        #[test]
        fn equals_the_sorted_middle_of_the_last_ones(values in prop::collection::vec(0_u64..16_000_000, 1..60)) {
            let from = values.len().saturating_sub(DURATIONS_KEPT);
            let mut last = values[from..].to_vec();
            last.sort_unstable();
            prop_assert_eq!(median_of(&values), Some(last[(last.len() - 1) / 2]));
        }
    }
}
