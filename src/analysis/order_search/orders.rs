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
