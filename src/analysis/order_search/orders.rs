//! The orders in which a dependence may show itself.

use super::{Plan, Purpose};

/// This part of the budget at most goes into orders that may show a dependence.
const SIGHTINGS_PART: u32 = 3;

/// The orders to try, the first one last.
pub(super) fn sightings(plan: &Plan) -> Vec<(Vec<usize>, Purpose)> {
    let listed: Vec<usize> = (0..plan.tests).collect();
    let remembered = plan.remembered.iter().filter(|_| plan.free);
    let mut orders: Vec<(Vec<usize>, Purpose)> =
        remembered.map(|order| (order.clone(), Purpose::Remembered)).collect();
    let most = (plan.budget / SIGHTINGS_PART).max(2) as usize + orders.len();
    let last = |order: &mut Vec<usize>| {
        if let Some(victim) = plan.victim {
            order.retain(|test| *test != victim);
            order.push(victim);
        }
    };
    if !plan.free {
        orders.push((listed, Purpose::AsListed));
    } else {
        let mut order = listed.clone();
        last(&mut order);
        let first = if plan.victim.is_some() { Purpose::Last } else { Purpose::AsListed };
        orders.push((order, first));
        let mut order: Vec<usize> = listed.iter().rev().copied().collect();
        last(&mut order);
        orders.push((order, Purpose::Reversed));
        let mut chance = Chance(plan.seed);
        while orders.len() < most {
            let mut order = listed.clone();
            chance.shuffle(&mut order);
            last(&mut order);
            orders.push((order, Purpose::Shuffled));
        }
    }
    orders.reverse();
    orders
}

/// Numbers by chance from a seed (SplitMix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            let other = self.next() % (last as u64 + 1);
            order.swap(last, other as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_by_chance_are_those_of_the_published_generator() {
        // What the authors' splitmix64.c gives from 1234567 on.
        let mut chance = Chance(1_234_567);
        let numbers = [(); 3].map(|()| chance.next());
        let published =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(numbers, published);
    }

    #[test]
    fn any_order_may_come_out_by_chance() {
        let shuffled = |seed: u64| {
            let mut order = [0, 1, 2];
            Chance(seed).shuffle(&mut order);
            order
        };
        let orders: BTreeSet<[usize; 3]> = (0..200).map(shuffled).collect();
        assert_eq!(orders.len(), 6);
    }

    #[test]
    fn remembered_orders_come_on_top_of_the_others() {
        let plan = |remembered| Plan {
            tests: 9,
            victim: None,
            remembered,
            suspects: Vec::new(),
            free: true,
            budget: 30,
            seed: 1,
        };
        let purposes = |remembered: usize| -> Vec<Purpose> {
            let orders = sightings(&plan(vec![vec![8, 0]; remembered]));
            orders.into_iter().rev().map(|(_, purpose)| purpose).collect()
        };
        // A third of the budget, whatever is remembered.
        let others = purposes(0);
        assert_eq!(others.len(), 10);
        assert_eq!(purposes(2), [vec![Purpose::Remembered; 2], others].concat());
    }
}
