//! One series of measurements: where its level changes, by the test of Pettitt.
//!
//! U(t) counts the pairs of a value up to t and one behind it, those that fall less those that rise;
//! the change is where |U| is largest. Ranks alone matter, so that outliers and the shape of the
//! distribution do not. The chance of a largest |U| of K in n values that have no change is
//! approximately 2 exp(-6 K² / (n³ + n²)) (A. N. Pettitt, *Applied Statistics* 28, 1979): for few
//! values, and where values are equal, more than the exact one.

/// Where a series changes most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// How many values stand before the change.
    pub at: usize,
    /// The values behind it are the larger ones.
    pub rises: bool,
    /// The chance of a change this large where there is none, either way.
    pub p: f64,
}

/// The largest change of a series with at least `side` values on either side of it, the first of
/// equals; `None` where there is no such place, or a value is no number.
///
/// Costs the square of the number of values.
#[must_use]
pub fn pettitt(values: &[f64], side: usize) -> Option<Change> {
    let side = side.max(1);
    if values.len() < 2 * side || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut sum = 0_i64;
    let (mut at, mut largest) = (side, 0_i64);
    for (place, value) in values.iter().enumerate().take(values.len() - side) {
        let above = values.iter().filter(|other| value > other).count() as i64;
        let below = values.iter().filter(|other| value < other).count() as i64;
        sum += above - below;
        if place + 1 >= side && sum.abs() > largest.abs() {
            (at, largest) = (place + 1, sum);
        }
    }
    let (n, k) = (values.len() as f64, largest as f64);
    let p = 2.0 * (-6.0 * k * k / (n * n * n + n * n)).exp();
    Some(Change { at, rises: largest < 0, p: p.min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: all pairs, one by one.
    fn largest(values: &[f64], side: usize) -> i64 {
        let u = |t: usize| -> i64 {
            let (before, after) = values.split_at(t);
            let sign = |a: &f64, b: &f64| i64::from(a > b) - i64::from(a < b);
            before.iter().flat_map(|a| after.iter().map(move |b| sign(a, b))).sum()
        };
        (side..=values.len() - side).map(|t| u(t).abs()).max().unwrap()
    }

    fn permuted(values: &mut Vec<f64>, from: usize, visit: &mut dyn FnMut(&[f64])) {
        if from == values.len() {
            return visit(values);
        }
        for other in from..values.len() {
            values.swap(from, other);
            permuted(values, from + 1, visit);
            values.swap(from, other);
        }
    }

    #[test]
    fn a_step_is_found_where_it_is() {
        let mut values = vec![1.0, 1.2, 0.9, 1.1, 1.0, 1.05, 2.0, 2.1, 1.9, 2.2, 2.05, 2.0];
        let change = pettitt(&values, 3).unwrap();
        assert_eq!((change.at, change.rises), (6, true));
        // K = 6 * 6: 2 exp(-6 * 1296 / 1872).
        assert!((change.p - 0.031_407_8).abs() < 1e-6, "{}", change.p);
        values.reverse();
        assert!(!pettitt(&values, 3).unwrap().rises);
    }

    #[test]
    fn a_change_has_enough_values_on_either_side() {
        // The last value alone stands out; seven before and three behind is as near as one gets.
        let mut values = vec![1.0; 9];
        values.push(9.0);
        assert_eq!(pettitt(&values, 3).unwrap().at, 7);
        assert_eq!(pettitt(&values[..5], 3), None);
        assert_eq!(pettitt(&[1.0, 2.0], 1).unwrap().at, 1);
    }

    #[test]
    fn what_never_changes_has_no_change() {
        assert_eq!(pettitt(&[3.0; 20], 5).unwrap().p, 1.0);
        assert_eq!(pettitt(&[1.0, 2.0, 3.0], 2), None);
        assert_eq!(pettitt(&[1.0, f64::NAN, 3.0], 1), None);
    }

    #[test]
    fn no_p_value_is_smaller_than_that_of_all_orders() {
        // Of distinct values, and of some that are equal: every order is as likely as any other.
        for values in
            [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 4.0, 4.0]]
        {
            let mut seen: Vec<(i64, f64)> = Vec::new();
            permuted(&mut values.to_vec(), 0, &mut |order| {
                seen.push((largest(order, 1), pettitt(order, 1).unwrap().p));
            });
            let all = seen.len() as f64;
            for (k, p) in seen.iter().step_by(97) {
                let exact = seen.iter().filter(|(other, _)| other >= k).count() as f64 / all;
                assert!(*p >= exact - 1e-12, "{k}: {p} {exact}");
            }
        }
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_definition(values in prop::collection::vec(0_u8..20, 4..40), side in 1_usize..3) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let (n, k) = (values.len() as f64, largest(&values, side) as f64);
            let expected = (2.0 * (-6.0 * k * k / (n.powi(3) + n.powi(2))).exp()).min(1.0);
            prop_assert!((pettitt(&values, side).unwrap().p - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn where_nothing_changes_nothing_rises() {
        let change = pettitt(&[1.0; 4], 1).unwrap();
        assert_eq!((change.rises, change.p), (false, 1.0));
    }
}
