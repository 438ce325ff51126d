//! A set of small numbers: which tests a run executed, a bit each.

/// A set of small numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    /// Adds a number.
    pub fn insert(&mut self, number: u32) {
        let word = number as usize / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= 1 << (number % 64);
        }
    }

    /// True where the number is one of them.
    #[must_use]
    pub fn has(&self, number: u32) -> bool {
        let word = self.words.get(number as usize / 64);
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// How many numbers there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// The numbers, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.words).flat_map(|(at, &word)| bits(at, word))
    }

    /// The numbers below `limit` that are not in the set, smallest first.
    pub fn missing(&self, limit: u32) -> impl Iterator<Item = u32> + '_ {
        let words = self.words.iter().copied().chain(std::iter::repeat(0));
        let of_limit = (0..limit.div_ceil(64)).zip(words);
        of_limit.flat_map(|(at, word)| bits(at, !word)).take_while(move |number| *number < limit)
    }
}

/// The numbers of one word.
fn bits(at: u32, mut left: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = (left != 0).then(|| left.trailing_zeros())?;
        left &= left - 1;
        Some(at * 64 + bit)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holds_what_was_put_in(numbers in prop::collection::btree_set(0_u32..300, 0..40), limit in 0_u32..400) {
            let mut set = BitSet::default();
            numbers.iter().for_each(|&number| set.insert(number));
            prop_assert_eq!(set.iter().collect::<BTreeSet<u32>>(), numbers.clone());
            prop_assert_eq!(set.count() as usize, numbers.len());
            let missing: Vec<u32> = (0..limit).filter(|number| !numbers.contains(number)).collect();
            prop_assert_eq!(set.missing(limit).collect::<Vec<u32>>(), missing);
            prop_assert!((0..400).all(|number| set.has(number) == numbers.contains(&number)));
        }
    }
}
