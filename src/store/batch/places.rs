//! Many places of tests, most of which follow each other.

use std::ops::Range;

/// Places in order, as stretches: a report whose tests stand as in the report before takes eight
/// bytes for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Places {
    stretches: Vec<Range<u32>>,
    len: usize,
}

impl Places {
    pub(in crate::store) const fn len(&self) -> usize {
        self.len
    }

    pub(in crate::store) fn iter(&self) -> impl Iterator<Item = u32> {
        self.stretches.iter().flat_map(Clone::clone)
    }

    pub(in crate::store) fn stretches(&self) -> &[Range<u32>] {
        &self.stretches
    }
}

impl FromIterator<u32> for Places {
    fn from_iter<T: IntoIterator<Item = u32>>(places: T) -> Self {
        let mut stretches: Vec<Range<u32>> = Vec::new();
        let mut len = 0;
        for place in places {
            len += 1;
            match stretches.last_mut() {
                Some(last) if last.end == place && place < u32::MAX => last.end += 1,
                _ => stretches.push(place..place.saturating_add(1)),
            }
        }
        stretches.shrink_to_fit();
        Self { stretches, len }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_are_those_that_went_in(places in vec(0..9_u32, 0..40)) {
            let kept: Places = places.iter().copied().collect();
            prop_assert_eq!(kept.len(), places.len());
            prop_assert_eq!(kept.iter().collect::<Vec<_>>(), places);
        }
    }

    #[test]
    fn neighbours_share_a_stretch() {
        let kept: Places = (0..1_000).chain(7..9).collect();
        assert_eq!(kept.stretches(), [0..1_000, 7..9]);
    }

    #[test]
    fn the_largest_place_of_all_ends_a_stretch() {
        let kept: Places = [u32::MAX - 1, u32::MAX].into_iter().collect();
        assert_eq!(kept.len(), 2);
        assert_eq!(kept.stretches()[0], u32::MAX - 1..u32::MAX);
    }
}
