//! Two samples of measurements: the Mann-Whitney test, which asks for ranks alone.
//!
//! The statistic is the sum of the first sample's ranks, ties sharing the middle of theirs. Where
//! the samples are of one kind, every choice of ranks for the first one is as likely as any other
//! (H. B. Mann and D. R. Whitney, *Annals of Mathematical Statistics* 18, 1947); for small samples
//! those choices are counted, ties and all, for larger ones their distribution is close to normal
//! with the variance that ties leave (E. L. Lehmann, *Nonparametrics*, 1975, section 1.4).

use std::cmp::Ordering;

/// Counting is exact and costs `values × chosen × largest sum`; beyond this many steps the normal
/// distribution is off by less than what anybody reads off a p-value.
const STEPS_MAX: usize = 2_000_000;

/// What the test says of two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The chance of a rank sum this far from its mean, either way.
    pub p: f64,
    /// The chance that a value of the first sample exceeds one of the second, ties counting half.
    pub exceeds: f64,
}

/// Compares two samples; `None` where one of them is empty or a value is no number.
#[must_use]
pub fn compare(first: &[f64], second: &[f64]) -> Option<Difference> {
    if first.is_empty() || second.is_empty() || first.iter().chain(second).any(|x| x.is_nan()) {
        return None;
    }
    let ranked = Ranked::new(first, second);
    let (n, m) = (first.len() as f64, second.len() as f64);
    let above = ranked.sum as f64 / 2.0 - n * (n + 1.0) / 2.0;
    let p = if ranked.steps() <= STEPS_MAX { ranked.counted() } else { ranked.normal() };
    Some(Difference { p: p.min(1.0), exceeds: above / (n * m) })
}

/// Both samples in one order; ranks are doubled, so that shared ones are whole numbers.
struct Ranked {
    /// The doubled rank of each value.
    ranks: Vec<usize>,
    /// How many values share each rank.
    ties: Vec<usize>,
    /// The doubled rank sum of the first sample.
    sum: usize,
    /// The size of the first sample.
    chosen: usize,
}

impl Ranked {
    fn new(first: &[f64], second: &[f64]) -> Self {
        let mut values: Vec<(f64, bool)> = first.iter().map(|value| (*value, true)).collect();
        values.extend(second.iter().map(|value| (*value, false)));
        values.sort_by(|one, other| one.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal));
        let (mut ranks, mut ties, mut sum, mut below) = (Vec::new(), Vec::new(), 0, 0);
        for group in values.chunk_by(|one, other| one.0 == other.0) {
            // The middle of ranks below + 1 to below + size, doubled.
            let rank = 2 * below + group.len() + 1;
            ranks.extend(std::iter::repeat_n(rank, group.len()));
            sum += rank * group.iter().filter(|(_, of_first)| *of_first).count();
            ties.push(group.len());
            below += group.len();
        }
        Self { ranks, ties, sum, chosen: first.len() }
    }

    fn largest_sum(&self) -> usize {
        self.ranks.iter().rev().take(self.chosen).sum()
    }

    fn steps(&self) -> usize {
        self.ranks.len().saturating_mul(self.chosen).saturating_mul(self.largest_sum())
    }

    /// Counts the choices of ranks by their sum: `ways[k][s]` of k ranks that sum to s.
    fn counted(&self) -> f64 {
        let width = self.largest_sum() + 1;
        let mut ways = vec![vec![0.0_f64; width]; self.chosen + 1];
        if let Some(none) = ways.first_mut().and_then(|row| row.first_mut()) {
            *none = 1.0;
        }
        for &rank in &self.ranks {
            // From the largest choice down, so that a rank is chosen once.
            for chosen in (1..=self.chosen).rev() {
                let (fewer, more) = ways.split_at_mut(chosen);
                let (Some(fewer), Some(more)) = (fewer.last(), more.first_mut()) else { continue };
                for (to, from) in more.iter_mut().skip(rank).zip(fewer) {
                    *to += from;
                }
            }
        }
        let counts = ways.last().map_or(&[][..], Vec::as_slice);
        let all: f64 = counts.iter().sum();
        let below: f64 = counts.iter().take(self.sum + 1).sum();
        let above: f64 = counts.iter().skip(self.sum).sum();
        2.0 * below.min(above) / all
    }

    /// The normal distribution with a correction for ties and for steps.
    fn normal(&self) -> f64 {
        let all = self.ranks.len() as f64;
        let (n, m) = (self.chosen as f64, all - self.chosen as f64);
        let tied: f64 = self.ties.iter().map(|&t| t as f64).map(|t| t * (t * t - 1.0)).sum::<f64>();
        let variance = n * m / 12.0 * (all + 1.0 - tied / (all * (all - 1.0)));
        let distance = (self.sum as f64 / 2.0 - n * (all + 1.0) / 2.0).abs() - 0.5;
        if variance <= 0.0 || distance <= 0.0 {
            return 1.0;
        }
        2.0 * upper_tail(distance / variance.sqrt())
    }
}

/// The chance of a standard normal value above `z`, for `z` from 0 on.
///
/// To 1 part in 10⁷ wherever it matters: the continued fraction of Laplace from 3 on (M. Abramowitz
/// and I. Stegun, *Handbook of Mathematical Functions*, 26.2.14), the series 26.2.11 below it.
fn upper_tail(z: f64) -> f64 {
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if z < 3.0 {
        let (mut term, mut sum) = (z, z);
        for odd in (3..120).step_by(2) {
            term *= z * z / f64::from(odd);
            sum += term;
        }
        return 0.5 - density * sum;
    }
    let fraction = (1..60).rev().fold(z, |below, k| z + f64::from(k) / below);
    density / fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{ContinuousCDF, Normal};

    fn near(value: f64, expected: f64, part: f64) -> bool {
        (value - expected).abs() <= part * expected.abs()
    }

    #[test]
    fn agrees_with_scipy() {
        // scipy: mannwhitneyu(first, second, method="exact").
        for (first, second, expected) in [
            (
                &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..],
                &[7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0][..],
                0.000666000666000666,
            ),
            (
                &[1.1, 2.2, 9.9, 4.4, 8.8, 7.7],
                &[1.2, 2.3, 3.4, 4.5, 5.6, 6.7, 7.8],
                0.7307692307692307,
            ),
            (
                &[5.0, 1.0, 7.0, 3.0, 20.0, 9.0, 11.0],
                &[2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0],
                0.46975524475524477,
            ),
        ] {
            let p = compare(first, second).unwrap().p;
            assert!(near(p, expected, 1e-9), "{p} {expected}");
        }
    }

    #[test]
    fn the_normal_distribution_agrees_with_scipy() {
        // scipy: mannwhitneyu(range(0, 30), [x % 17 + 0.5 * (x % 3) for x in range(40, 90)],
        // method="asymptotic", use_continuity=True).
        let first: Vec<f64> = (0..30).map(f64::from).collect();
        let second: Vec<f64> =
            (40..90).map(|x| f64::from(x % 17) + 0.5 * f64::from(x % 3)).collect();
        let p = Ranked::new(&first, &second).normal();
        assert!(near(p, 0.0032530227138007116, 1e-9), "{p}");
    }

    #[test]
    fn the_normal_tail_is_that_of_another_library() {
        let normal = Normal::new(0.0, 1.0).unwrap();
        for step in 0..800 {
            let z = f64::from(step) / 100.0;
            assert!(near(upper_tail(z), normal.sf(z), 1e-7), "{z}: {}", upper_tail(z));
        }
    }

    #[test]
    fn by_the_normal_distribution_too_equal_rank_sums_are_certain_to_be_chance() {
        assert_eq!(Ranked::new(&[1.0, 4.0], &[2.0, 3.0]).normal(), 1.0);
    }

    #[test]
    fn empty_samples_and_no_numbers_say_nothing() {
        assert_eq!(compare(&[], &[1.0]), None);
        assert_eq!(compare(&[1.0], &[f64::NAN]), None);
        let equal = compare(&[3.0; 8], &[3.0; 9]).unwrap();
        assert_eq!((equal.p, equal.exceeds), (1.0, 0.5));
    }

    /// Every choice of places for the first sample, one by one.
    fn enumerated(first: &[f64], second: &[f64]) -> f64 {
        let all: Vec<f64> = first.iter().chain(second).copied().collect();
        let rank = |value: f64| {
            let below = all.iter().filter(|other| **other < value).count();
            let equal = all.iter().filter(|other| **other == value).count();
            below as f64 + (equal as f64 + 1.0) / 2.0
        };
        let observed: f64 = first.iter().map(|value| rank(*value)).sum();
        let (mut below, mut above, mut count) = (0.0, 0.0, 0.0);
        for choice in 0_u32..1 << all.len() {
            if choice.count_ones() as usize != first.len() {
                continue;
            }
            let chosen = all.iter().enumerate().filter(|(place, _)| choice >> place & 1 == 1);
            let sum: f64 = chosen.map(|(_, value)| rank(*value)).sum();
            count += 1.0;
            below += f64::from(u8::from(sum <= observed + 1e-9));
            above += f64::from(u8::from(sum >= observed - 1e-9));
        }
        (2.0 * f64::min(below, above) / count).min(1.0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn counting_agrees_with_trying_everything(first in prop::collection::vec(0_u8..6, 1..6), second in prop::collection::vec(0_u8..6, 1..7)) {
            let first: Vec<f64> = first.into_iter().map(f64::from).collect();
            let second: Vec<f64> = second.into_iter().map(f64::from).collect();
            let p = compare(&first, &second).unwrap().p;
            prop_assert!((p - enumerated(&first, &second)).abs() < 1e-9);
        }
    }
}
