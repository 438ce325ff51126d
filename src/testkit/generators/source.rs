//! Where generated data comes from: one seed, and a stream of its own for every item.

use std::collections::BTreeMap;

use rand_core::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The root of generated data. The same seed gives the same bytes on every machine, ids and times
/// included.
///
/// Every kind of data has a stream of its own under it, and every item a stream of its own under
/// that: one graph more does not change the messages, and a hundred messages begin with the same
/// ten as ten do.
///
/// ```
/// use flakedb::testkit::generators::Source;
///
/// let source = Source::seeded(7);
/// let mut stream = source.fork("users").item("user", 0);
/// let again = Source::seeded(7).fork("users").item("user", 0).bits();
/// assert_eq!(stream.bits(), again);
/// ```
#[derive(Debug, Clone)]
pub struct Source {
    key: [u8; 32],
    taken: BTreeMap<String, u64>,
}

impl Source {
    /// The data of a seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let key = blake3::derive_key("flakedb testkit generators 1", &seed.to_le_bytes());
        Self { key, taken: BTreeMap::new() }
    }

    /// Data apart from all other: what is taken here changes nothing there.
    #[must_use]
    pub fn fork(&self, name: &str) -> Self {
        Self { key: under(&self.key, "fork", name), taken: BTreeMap::new() }
    }

    /// The stream of the `index`-th item of a kind, whatever was taken.
    #[must_use]
    pub fn item(&self, kind: &str, index: u64) -> Stream {
        self.items(kind).at(index)
    }

    /// The streams of a kind, whatever was taken.
    #[must_use]
    pub fn items(&self, kind: &str) -> Items {
        Items { key: under(&self.key, "item", kind) }
    }

    /// The streams of the next `count` items of a kind.
    pub fn take(&mut self, kind: &str, count: u64) -> impl Iterator<Item = Stream> + use<> {
        let items = self.items(kind);
        let taken = match self.taken.get_mut(kind) {
            Some(taken) => taken,
            None => self.taken.entry(kind.to_owned()).or_default(),
        };
        let first = *taken;
        *taken = taken.saturating_add(count);
        (first..first.saturating_add(count)).map(move |index| items.at(index))
    }
}

fn under(key: &[u8; 32], what: &str, name: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(what.as_bytes());
    hasher.update(b"\0");
    hasher.update(name.as_bytes());
    *hasher.finalize().as_bytes()
}

/// The streams of one kind of data.
#[derive(Debug, Clone)]
pub struct Items {
    key: [u8; 32],
}

impl Items {
    /// The stream of the `index`-th item.
    #[must_use]
    pub fn at(&self, index: u64) -> Stream {
        let mut seed = self.key;
        // Items differ in all four words, so that no two streams begin alike.
        for (at, word) in seed.chunks_exact_mut(8).enumerate() {
            let mixed = mixed(index.wrapping_add((at as u64) << 62)).to_le_bytes();
            for (byte, other) in word.iter_mut().zip(mixed) {
                *byte ^= other;
            }
        }
        Stream(Xoshiro256PlusPlus::from_seed(seed))
    }
}

/// SplitMix64's finalizer: every bit of the result depends on every bit of `bits`.
/// <https://prng.di.unimi.it/splitmix64.c>
const fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The decisions of one item, one after another; only whole numbers are drawn, so that every
/// platform draws the same.
#[derive(Debug, Clone)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// 64 even bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A whole number in `0..count`; 0 where `count` is 0.
    pub fn below(&mut self, count: u64) -> u64 {
        // The high half of a product; off by less than count / 2^64, and without a division.
        ((u128::from(self.bits()) * u128::from(count)) >> 64) as u64
    }

    /// A whole number from `least` to `greatest`, both included; `least` where there is none.
    pub fn integer(&mut self, least: i64, greatest: i64) -> i64 {
        match (greatest.wrapping_sub(least) as u64).checked_add(1) {
            _ if greatest < least => least,
            Some(count) => least.wrapping_add(self.below(count) as i64),
            None => self.bits() as i64,
        }
    }

    /// A number in `[0, 1)`, a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// One of `items`; none where there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }

    /// A size from `least` to `greatest`, both included; `least` where there is none.
    pub fn size(&mut self, (least, greatest): (usize, usize)) -> usize {
        let more = greatest.saturating_sub(least) as u64;
        least + self.below(more.saturating_add(1)) as usize
    }

    /// `length` lower-case hexadecimal digits.
    pub fn hex(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        self.push_hex(&mut text, length);
        text
    }

    /// The same at the end of a text.
    pub(super) fn push_hex(&mut self, text: &mut String, length: usize) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut left = length;
        while left > 0 {
            let mut bits = self.bits();
            for _ in 0..16.min(left) {
                text.push(char::from(DIGITS[(bits & 15) as usize]));
                bits >>= 4;
            }
            left = left.saturating_sub(16);
        }
    }

    /// A UUID of version 4.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        let random = ((u128::from(high) << 64) | u128::from(low)).to_be_bytes();
        let uuid = uuid::Builder::from_random_bytes(random).into_uuid();
        // Encoded in place, without the machinery of formatting.
        uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_seed_is_these_bits_on_every_machine() {
        let mut stream = Source::seeded(7).item("messages", 0);
        let drawn = (stream.bits(), stream.below(1_000), stream.integer(-5, 5), stream.uniform());
        assert_eq!(drawn, (1_942_931_203_932_999_761, 978, -2, 0.540_403_308_910_507_1));
        assert_eq!(stream.hex(20), "214021a8b7a4d276be4d");
        assert_eq!(stream.uuid(), "32944e6a-f8ad-4af0-af21-2b7610c4ee39");
    }

    #[test]
    fn what_is_taken_of_one_kind_changes_no_other() {
        let first = |source: &mut Source| source.take("b", 1).next().unwrap().bits();
        let mut alone = Source::seeded(1);
        let mut after = Source::seeded(1);
        assert_eq!(after.take("a", 5).count(), 5);
        assert_eq!(first(&mut alone), first(&mut after));
        let fork = Source::seeded(1).fork("x");
        assert_ne!(fork.item("b", 0).bits(), Source::seeded(1).item("b", 0).bits());
    }

    #[test]
    fn many_begin_as_few_do() {
        let bits = |count| -> Vec<u64> {
            Source::seeded(3).take("m", count).map(|mut stream| stream.bits()).collect()
        };
        assert_eq!(bits(100)[..10], bits(10));
        let mut twice = Source::seeded(3);
        let halves: Vec<u64> = (0..2)
            .flat_map(|_| twice.take("m", 5).collect::<Vec<_>>())
            .map(|mut stream| stream.bits())
            .collect();
        assert_eq!(halves, bits(10));
    }

    #[test]
    fn a_throw_of_a_die_shows_each_side_equally_often() {
        let mut stream = Source::seeded(11).item("die", 0);
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[(stream.integer(1, 6) - 1) as usize] += 1;
        }
        let off = counts.iter().map(|&n| (f64::from(n) - 10_000.0).powi(2) / 10_000.0).sum::<f64>();
        // Chi squared with five degrees of freedom: above 20.5 once in a thousand seeds.
        assert!(off < 20.5, "{counts:?}: {off}");
    }

    proptest! {
        #[test]
        fn numbers_stay_within_their_bounds(seed: u64, a: i64, b: i64, count: u64) {
            let mut stream = Source::seeded(seed).item("n", 0);
            let (least, greatest) = (a.min(b), a.max(b));
            for _ in 0..20 {
                let drawn = stream.integer(least, greatest);
                prop_assert!(least <= drawn && drawn <= greatest);
                prop_assert!(stream.below(count) < count.max(1));
                prop_assert!((0.0..1.0).contains(&stream.uniform()));
            }
            prop_assert_eq!(stream.integer(5, 4), 5);
        }

        #[test]
        fn uuids_are_of_version_4(seed: u64) {
            let text = Source::seeded(seed).item("id", 0).uuid();
            let id = uuid::Uuid::parse_str(&text).unwrap();
            prop_assert_eq!(id.get_version_num(), 4);
            prop_assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        }
    }
}
