//! Dividing a suite into shards that take about as long, the same way on every machine.
//!
//! Longest processing time first: units in order of length, each to the shard with the least to do
//! (at most 4/3 of the best possible makespan; Graham 1969), then moves and swaps out of the slowest
//! shard while that shortens it. Only whole numbers are compared and every tie is broken by name, so
//! nodes that see the same tests and times agree without a word.

use std::collections::BTreeMap;

use crate::model::Micros;

/// What stays together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// Every test is dealt by itself.
    #[default]
    Test,
    /// The tests of a file stay together (`loadfile`).
    File,
    /// The tests of a class, or of a module outside of classes (`loadscope`).
    Class,
    /// Tests that name a group stay with it; all others are dealt by themselves (`loadgroup`).
    Group,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Test, Self::File, Self::Class, Self::Group];

    /// The word that selects it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::File => "file",
            Self::Class => "class",
            Self::Group => "group",
        }
    }
}

/// Tests that stay together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its name, which no other unit has.
    pub key: String,
    /// How long its tests take, one after the other.
    pub time: Micros,
    /// How many there are.
    pub tests: u32,
}

/// Which shard runs what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// The shard of each unit, from 0, in the order of the units that were given.
    pub shard_of: Vec<u32>,
    /// What each shard has to do.
    pub loads: Vec<Load>,
}

/// What one shard has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// How long its tests take.
    pub time: Micros,
    /// Its tests.
    pub tests: u64,
    /// Its units.
    pub units: u64,
}

/// How even some loads are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Balance {
    /// What the slowest shard takes.
    pub makespan: Micros,
    /// What a shard takes on average.
    pub mean: Micros,
    /// The slowest over the mean: 1 where all take as long.
    pub imbalance: f64,
}

/// Rounds of moves and swaps; each shortens the slowest shard, so that few are ever needed.
const ROUNDS_MAX: usize = 2_000;
/// Most shards that are looked at for a swap with the slowest, from the fastest on.
const PARTNERS_MAX: usize = 64;

/// Puts tests into units: each with its key, its time.
///
/// The order of what is given does not matter.
#[must_use]
pub fn units<'a>(tests: impl IntoIterator<Item = (&'a str, Micros)>) -> Vec<Unit> {
    let mut by_key: BTreeMap<&str, (u64, u32)> = BTreeMap::new();
    for (key, time) in tests {
        let entry = by_key.entry(key).or_default();
        entry.0 = entry.0.saturating_add(time.0);
        entry.1 = entry.1.saturating_add(1);
    }
    let unit =
        |(key, (time, tests)): (&str, _)| Unit { key: key.to_owned(), time: Micros(time), tests };
    by_key.into_iter().map(unit).collect()
}

/// Deals units to so many shards, at least one.
#[must_use]
pub fn split(units: &[Unit], shards: u32) -> Partition {
    let mut deal = Deal::new(units, shards.max(1) as usize);
    deal.longest_first();
    for _ in 0..ROUNDS_MAX {
        if !deal.improve() {
            break;
        }
    }
    deal.finish()
}

impl Balance {
    /// How even these times are; `None` where there is nothing to do.
    #[must_use]
    pub fn of(times: impl IntoIterator<Item = Micros>) -> Option<Self> {
        let (mut most, mut sum, mut count) = (0_u64, 0_u64, 0_u64);
        for time in times {
            most = most.max(time.0);
            sum = sum.saturating_add(time.0);
            count += 1;
        }
        if sum == 0 {
            return None;
        }
        let mean = sum as f64 / count as f64;
        Some(Self {
            makespan: Micros(most),
            mean: Micros(mean.round() as u64),
            imbalance: most as f64 / mean,
        })
    }
}

/// The times of shards that get equal numbers of tests, in the order of the listing: what splitting
/// by count makes of them.
#[must_use]
pub fn by_count(times: &[Micros], shards: u32) -> Vec<Micros> {
    let shards = shards.max(1) as usize;
    let mut loads = vec![Micros(0); shards];
    for (place, time) in times.iter().enumerate() {
        // The first ones get one more where it does not come out even.
        if let Some(load) = loads.get_mut(place * shards / times.len().max(1)) {
            load.0 = load.0.saturating_add(time.0);
        }
    }
    loads
}

/// Shards while they are filled.
struct Deal<'a> {
    units: &'a [Unit],
    /// The units of each shard, as places in `units`, longest first.
    shards: Vec<Vec<usize>>,
    times: Vec<u64>,
    tests: Vec<u64>,
}

impl<'a> Deal<'a> {
    fn new(units: &'a [Unit], shards: usize) -> Self {
        Self {
            units,
            shards: vec![Vec::new(); shards],
            times: vec![0; shards],
            tests: vec![0; shards],
        }
    }

    fn time(&self, unit: usize) -> u64 {
        self.units.get(unit).map_or(0, |unit| unit.time.0)
    }

    fn put(&mut self, unit: usize, shard: usize) {
        let time = self.time(unit);
        let count = self.units.get(unit).map_or(0, |unit| u64::from(unit.tests));
        let rank = rank(self.units, unit);
        let (Some(held), Some(sum), Some(tests)) =
            (self.shards.get_mut(shard), self.times.get_mut(shard), self.tests.get_mut(shard))
        else {
            return;
        };
        let at = held.partition_point(|other| self::rank(self.units, *other) < rank);
        held.insert(at, unit);
        *sum = sum.saturating_add(time);
        *tests += count;
    }

    fn take(&mut self, unit: usize, shard: usize) {
        let time = self.time(unit);
        let count = self.units.get(unit).map_or(0, |unit| u64::from(unit.tests));
        if let Some(held) = self.shards.get_mut(shard) {
            held.retain(|other| *other != unit);
        }
        if let (Some(sum), Some(tests)) = (self.times.get_mut(shard), self.tests.get_mut(shard)) {
            *sum = sum.saturating_sub(time);
            *tests = tests.saturating_sub(count);
        }
    }

    fn longest_first(&mut self) {
        let mut order: Vec<usize> = (0..self.units.len()).collect();
        order.sort_by_key(|unit| rank(self.units, *unit));
        // A heap would be quicker for thousands of shards, which nobody has.
        for unit in order {
            let least = (0..self.shards.len()).min_by_key(|shard| {
                (self.times.get(*shard).copied(), self.tests.get(*shard).copied(), *shard)
            });
            self.put(unit, least.unwrap_or(0));
        }
    }

    /// Shortens the slowest shard by one move or swap; false where none does.
    fn improve(&mut self) -> bool {
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        order.sort_by_key(|shard| (self.times.get(*shard).copied(), *shard));
        let Some((slowest, others)) = order.split_last() else { return false };
        for other in others.iter().take(PARTNERS_MAX) {
            let Some((out, back)) = self.exchange(*slowest, *other) else { continue };
            self.take(out, *slowest);
            if let Some(back) = back {
                self.take(back, *other);
                self.put(back, *slowest);
            }
            self.put(out, *other);
            return true;
        }
        false
    }

    /// The unit that leaves the slowest shard, and the one that comes back for it, so that the later
    /// of the two shards ends earliest; `None` where it would not end earlier than now.
    fn exchange(&self, slow: usize, fast: usize) -> Option<(usize, Option<usize>)> {
        let gap = self.times.get(slow)?.checked_sub(*self.times.get(fast)?)?;
        let (from, to) = (self.shards.get(slow)?, self.shards.get(fast)?);
        // What is moved by `d` leaves a gap of |gap - 2d|; 0 < d < gap shortens the slow one.
        let rest = |moved: u64| gap.abs_diff(moved.saturating_mul(2));
        let mut best: Option<(u64, usize, Option<usize>)> = None;
        let mut consider = |moved: u64, out: usize, back: Option<usize>| {
            let better = best.is_none_or(|(known, ..)| rest(moved) < known);
            if moved > 0 && moved < gap && better {
                best = Some((rest(moved), out, back));
            }
        };
        for out in from {
            let time = self.time(*out);
            consider(time, *out, None);
            // The partner is best where `time - partner` is next to half of the gap.
            let wanted = time.saturating_sub(gap / 2);
            let at = to.partition_point(|unit| self.time(*unit) > wanted);
            for place in [at.checked_sub(1), Some(at)].into_iter().flatten() {
                if let Some(back) = to.get(place) {
                    consider(time.saturating_sub(self.time(*back)), *out, Some(*back));
                }
            }
        }
        best.map(|(_, out, back)| (out, back))
    }

    fn finish(self) -> Partition {
        let mut shard_of = vec![0; self.units.len()];
        let mut loads = Vec::with_capacity(self.shards.len());
        for (shard, held) in self.shards.iter().enumerate() {
            for unit in held {
                if let Some(slot) = shard_of.get_mut(*unit) {
                    *slot = shard as u32;
                }
            }
            loads.push(Load {
                time: Micros(self.times.get(shard).copied().unwrap_or(0)),
                tests: self.tests.get(shard).copied().unwrap_or(0),
                units: held.len() as u64,
            });
        }
        Partition { shard_of, loads }
    }
}

/// The longest first, ties by name.
fn rank(units: &[Unit], place: usize) -> (std::cmp::Reverse<u64>, &str) {
    units.get(place).map_or((std::cmp::Reverse(0), ""), |unit| {
        (std::cmp::Reverse(unit.time.0), unit.key.as_str())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(times: &[u64]) -> Vec<Unit> {
        let named = |(place, time): (usize, &u64)| Unit {
            key: format!("t{place:05}"),
            time: Micros(*time),
            tests: 1,
        };
        times.iter().enumerate().map(named).collect()
    }

    fn loads(partition: &Partition) -> Vec<u64> {
        partition.loads.iter().map(|load| load.time.0).collect()
    }

    /// The least possible makespan, by trying everything.
    fn best(times: &[u64], loads: &mut Vec<u64>) -> u64 {
        let Some((first, rest)) = times.split_first() else {
            return loads.iter().copied().max().unwrap_or(0);
        };
        (0..loads.len())
            .map(|shard| {
                loads[shard] += first;
                let found = best(rest, loads);
                loads[shard] -= first;
                found
            })
            .min()
            .unwrap_or(0)
    }

    #[test]
    fn swaps_mend_what_longest_first_gets_wrong() {
        // Longest first makes 17 and 13 of these (8, 5, 4 against 7, 6).
        let partition = split(&of(&[8, 7, 6, 5, 4]), 2);
        assert_eq!(loads(&partition), [15, 15]);
        assert_eq!(loads(&split(&of(&[3, 3, 2, 2, 2]), 2)), [6, 6]);
    }

    /// What two shards of these units exchange, as places: the slow one's come first.
    fn exchanged(slow: &[u64], fast: &[u64]) -> Option<(usize, Option<usize>)> {
        let units = of(&[slow, fast].concat());
        let mut deal = Deal::new(&units, 2);
        (0..units.len()).for_each(|unit| deal.put(unit, usize::from(unit >= slow.len())));
        deal.exchange(0, 1)
    }

    #[test]
    fn the_exchange_that_evens_out_most_is_made() {
        // 17 and 13: 8 against 7 leaves a gap of 2, 8 against 6 none.
        assert_eq!(exchanged(&[8, 5, 4], &[7, 6]), Some((0, Some(4))));
        // 29 and 25: 8 would be best against 10, and 9 is next to it.
        assert_eq!(exchanged(&[15, 10, 4], &[16, 9]), Some((1, Some(4))));
    }

    #[test]
    fn of_exchanges_that_even_out_alike_the_first_by_name_is_made() {
        assert_eq!(exchanged(&[2, 2], &[]), Some((0, None)));
        assert_eq!(exchanged(&[10, 10], &[8, 8]), Some((0, Some(2))));
    }

    #[test]
    fn each_way_of_staying_together_has_its_word() {
        assert_eq!(By::ALL.map(By::word), ["test", "file", "class", "group"]);
    }

    #[test]
    fn tests_of_no_time_are_dealt_by_number() {
        let partition = split(&of(&[0; 10]), 4);
        let mut tests: Vec<u64> = partition.loads.iter().map(|load| load.tests).collect();
        tests.sort_unstable();
        assert_eq!(tests, [2, 2, 3, 3]);
        assert_eq!(Balance::of(partition.loads.iter().map(|load| load.time)), None);
    }

    #[test]
    fn more_shards_than_units_leave_some_empty() {
        let partition = split(&of(&[5, 3]), 4);
        assert_eq!(loads(&partition), [5, 3, 0, 0]);
        let balance = Balance::of(partition.loads.iter().map(|load| load.time)).unwrap();
        assert_eq!(
            (balance.makespan, balance.mean, balance.imbalance),
            (Micros(5), Micros(2), 2.5)
        );
    }

    #[test]
    fn units_add_up_what_stays_together() {
        let found = units([("b", Micros(2)), ("a", Micros(1)), ("b", Micros(3))]);
        let wanted = [("a", 1, 1), ("b", 5, 2)];
        let found: Vec<_> =
            found.iter().map(|unit| (unit.key.as_str(), unit.time.0, unit.tests)).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn splitting_by_count_gives_each_the_same_number() {
        let times: Vec<Micros> = [9, 1, 1, 1, 1].map(Micros).to_vec();
        assert_eq!(by_count(&times, 2), [Micros(11), Micros(2)]);
        assert_eq!(by_count(&[], 2), [Micros(0), Micros(0)]);
    }

    #[test]
    fn as_many_shards_as_tests_get_one_each() {
        let times = [9, 1, 2, 4, 3].map(Micros);
        assert_eq!(by_count(&times, 5), times);
    }

    proptest! {
        #[test]
        fn every_unit_is_in_exactly_one_shard_whatever_the_order(
            times in prop::collection::vec(0_u64..10_000_000, 0..80),
            shards in 1_u32..20,
            seed in any::<u64>(),
        ) {
            let units = of(&times);
            let partition = split(&units, shards);
            prop_assert_eq!(partition.shard_of.len(), units.len());
            // The loads, added up anew from where each unit went.
            let mut sums = vec![(0_u64, 0_u64); shards as usize];
            for (unit, shard) in units.iter().zip(&partition.shard_of) {
                sums[*shard as usize].0 += unit.time.0;
                sums[*shard as usize].1 += 1;
            }
            let found: Vec<_> = partition.loads.iter().map(|load| (load.time.0, load.tests)).collect();
            prop_assert_eq!(sums, found);
            // Shuffled by a key of their own.
            let mut shuffled: Vec<usize> = (0..units.len()).collect();
            shuffled.sort_by_key(|place| (*place as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
            let other: Vec<Unit> = shuffled.iter().map(|place| units[*place].clone()).collect();
            let again = split(&other, shards);
            for (place, shard) in shuffled.iter().zip(&again.shard_of) {
                prop_assert_eq!(partition.shard_of[*place], *shard);
            }
        }

        #[test]
        fn the_slowest_is_within_four_thirds_of_the_best_there_is(
            times in prop::collection::vec(1_u64..100, 1..9),
            shards in 1_u32..4,
        ) {
            let found = loads(&split(&of(&times), shards)).into_iter().max().unwrap_or(0);
            let least = best(&times, &mut vec![0; shards as usize]);
            prop_assert!(found >= least && found * 3 <= least * 4, "{found} against {least}");
        }

        #[test]
        fn no_single_move_out_of_the_slowest_shard_would_help(
            times in prop::collection::vec(1_u64..1_000, 1..60),
            shards in 2_u32..9,
        ) {
            let units = of(&times);
            let partition = split(&units, shards);
            let loads = loads(&partition);
            let most = *loads.iter().max().unwrap();
            let least = *loads.iter().min().unwrap();
            let slowest = loads.iter().rposition(|load| *load == most).unwrap();
            for (unit, shard) in units.iter().zip(&partition.shard_of) {
                if *shard as usize == slowest {
                    prop_assert!(least + unit.time.0 >= most);
                }
            }
        }
    }

    #[test]
    fn each_way_to_group_has_a_word() {
        assert_eq!(By::ALL.map(By::word), ["test", "file", "class", "group"]);
    }

    /// Two shards that hold the first so many units, and the rest.
    fn dealt(units: &[Unit], first: usize) -> Deal<'_> {
        let mut deal = Deal::new(units, 2);
        (0..units.len()).for_each(|unit| deal.put(unit, usize::from(unit >= first)));
        deal
    }

    #[test]
    fn a_move_that_only_changes_which_shard_is_slow_is_none() {
        let units = of(&[4]);
        assert_eq!(dealt(&units, 1).exchange(0, 1), None);
    }

    #[test]
    fn the_swap_that_leaves_the_least_gap_is_taken() {
        // 30 against 15: 20 for 12 makes 22 and 23; 10 for 1, the next best, 21 and 24.
        let units = of(&[20, 10, 12, 1, 1, 1]);
        assert_eq!(dealt(&units, 2).exchange(0, 1), Some((0, Some(2))));
    }
}
