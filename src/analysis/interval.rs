//! Intervals and sample sizes for shares: how much a handful of runs can say.

use super::special::beta_quantile;
use super::verdict::Rate;

/// The 97.5 % quantile of the normal distribution: half of a two-sided 95 % interval.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// Parameters of the Beta distribution of real flake rates: maximum likelihood over 280 flaky
/// tests with up to 10,000 reruns each (Lam et al. 2020, FlakeFlagger 2021).
pub const FLAKE_RATE_PRIOR: (f64, f64) = (0.28, 3.87);

/// The share `bad` of `total` with its 95 % Wilson score interval; 0 in [0, 1] for no results.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
/// JASA 22 (1927): the set of rates that a two-sided score test at 5 % does not reject.
/// Unlike the textbook interval it stays inside [0, 1] and is honest for 0 of n.
///
/// ```
/// use flakedb::analysis::interval::wilson;
/// let rate = wilson(1, 10);
/// assert!((rate.low - 0.0179).abs() < 1e-4 && (rate.high - 0.4042).abs() < 1e-4);
/// ```
#[must_use]
pub fn wilson(bad: u32, total: u32) -> Rate {
    score_interval(bad, total, Z_95)
}

/// The same for another quantile `z` of the normal distribution, such as 1.645 for 90 %.
#[must_use]
pub fn score_interval(bad: u32, total: u32, z: f64) -> Rate {
    if total == 0 {
        return Rate { value: 0.0, low: 0.0, high: 1.0 };
    }
    let bad = bad.min(total);
    let n = f64::from(total);
    let p = f64::from(bad) / n;
    let z2 = z * z;
    let centre = p + z2 / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends one bound is exact; rounding must not push it past the share itself.
    let low = if bad == 0 { 0.0 } else { ((centre - half) / scale).max(0.0) };
    let high = if bad == total { 1.0 } else { ((centre + half) / scale).min(1.0) };
    Rate { value: p, low, high }
}

/// The flake rate after `flakes` of `chances` runs: the mean and the central 95 % of the posterior
/// Beta(a + flakes, b + chances - flakes) under [`FLAKE_RATE_PRIOR`] Beta(a, b).
///
/// ```
/// use flakedb::analysis::interval::flake_rate;
/// let rate = flake_rate(4, 100);
/// assert!((rate.value - 4.28 / 104.15).abs() < 1e-12);
/// assert!(0.010 < rate.low && rate.low < rate.value && rate.value < rate.high);
/// assert!(rate.high < 0.10);
/// ```
#[must_use]
pub fn flake_rate(flakes: u32, chances: u32) -> Rate {
    let flakes = flakes.min(chances);
    let (a, b) = FLAKE_RATE_PRIOR;
    let (a, b) = (a + f64::from(flakes), b + f64::from(chances - flakes));
    let quantile = |p: f64| beta_quantile(p, a, b);
    Rate { value: a / (a + b), low: quantile(0.025), high: quantile(0.975) }
}

/// The mean of the flake rate after `bad` of `total` runs, under [`FLAKE_RATE_PRIOR`].
///
/// A share of 1 of 1 says little; this says 25 % and moves to the plain share as results come in.
#[must_use]
pub fn expected_rate(bad: u32, total: u32) -> f64 {
    let (a, b) = FLAKE_RATE_PRIOR;
    (f64::from(bad.min(total)) + a) / (f64::from(total) + a + b)
}

/// How many runs in a row an event of chance `p` must stay away before its absence is surprising
/// at `alpha`: the smallest n with (1 - p)ⁿ ≤ alpha. For small `p` and 5 % this is the rule of
/// three, 3 / p.
///
/// Saturates at `u32::MAX` for `p` = 0, and is 1 for `p` ≥ 1.
#[must_use]
pub fn runs_to_exclude(p: f64, alpha: f64) -> u32 {
    if p >= 1.0 {
        return 1;
    }
    runs_until_unlikely(1.0 - p, alpha)
}

/// The smallest rate that `clean` runs without a failure exclude at 95 %, as one failure in so
/// many runs: 1 / (1 - 0.05^(1/n)), about n / 3. `None` for no runs.
///
/// ```
/// use flakedb::analysis::interval::excluded_one_in;
/// assert_eq!((excluded_one_in(0), excluded_one_in(59), excluded_one_in(299)), (None, Some(20), Some(100)));
/// ```
#[must_use]
pub fn excluded_one_in(clean: u32) -> Option<u32> {
    let rate = 1.0 - 0.05_f64.powf(1.0 / f64::from(clean));
    (clean > 0).then(|| (1.0 / rate).round() as u32)
}

/// The share `bad` of `total` with its exact two-sided interval at `confidence`; [0, 1] for none.
///
/// Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in
/// the case of the binomial", Biometrika 26 (1934): the rates at which neither so many nor so few
/// failures are surprising, which are quantiles of Beta distributions. It covers at least as often
/// as it says, whatever the rate, which is what a claim to have excluded one needs.
///
/// ```
/// use flakedb::analysis::interval::clopper_pearson;
/// let rate = clopper_pearson(1, 10, 0.95);
/// assert!((rate.low - 0.002_529).abs() < 1e-6 && (rate.high - 0.445_016).abs() < 1e-6);
/// ```
#[must_use]
pub fn clopper_pearson(bad: u32, total: u32, confidence: f64) -> Rate {
    if total == 0 {
        return Rate { value: 0.0, low: 0.0, high: 1.0 };
    }
    let bad = bad.min(total);
    let tail = (1.0 - confidence.clamp(0.0, 1.0)) / 2.0;
    let (k, good) = (f64::from(bad), f64::from(total - bad));
    let low = if bad == 0 { 0.0 } else { beta_quantile(tail, k, good + 1.0) };
    let high = if bad == total { 1.0 } else { beta_quantile(1.0 - tail, k + 1.0, good) };
    Rate { value: k / f64::from(total), low, high }
}

/// The rate above which `clean` runs without an event exclude it at `confidence`, exactly:
/// 1 - (1 - confidence)^(1/n), the one-sided bound of [`clopper_pearson`]; 1 for no runs.
///
/// At 95 % and many runs it is the rule of three, 3 / n.
///
/// ```
/// use flakedb::analysis::interval::excluded_rate;
/// assert!((excluded_rate(299, 0.95) - 0.009_969).abs() < 1e-6);
/// ```
#[must_use]
pub fn excluded_rate(clean: u32, confidence: f64) -> f64 {
    if clean == 0 {
        return 1.0;
    }
    let alpha = (1.0 - confidence).clamp(0.0, 1.0);
    -(alpha.ln() / f64::from(clean)).exp_m1()
}

/// How often in a row something of chance `q` must happen before chance is excluded at `alpha`:
/// the smallest n ≥ 1 with qⁿ ≤ alpha.
#[must_use]
pub fn runs_until_unlikely(q: f64, alpha: f64) -> u32 {
    let q = q.clamp(0.0, 1.0);
    if q <= 0.0 {
        return 1;
    }
    if q >= 1.0 {
        return u32::MAX;
    }
    let runs = (alpha.clamp(f64::MIN_POSITIVE, 1.0).ln() / q.ln() - 1e-9).ceil();
    if runs.is_nan() || runs >= f64::from(u32::MAX) { u32::MAX } else { (runs as u32).max(1) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF, Normal};

    use super::*;

    #[test]
    fn z_is_the_quantile() {
        let normal = Normal::new(0.0, 1.0).unwrap();
        assert!((normal.inverse_cdf(0.975) - Z_95).abs() < 1e-9);
    }

    /// The definition, by bisection: the rates at which |p̂ - p| = z·√(p(1-p)/n).
    fn brute(bad: u32, total: u32) -> (f64, f64) {
        let n = f64::from(total);
        let share = f64::from(bad) / n;
        let rejected = |p: f64| (share - p).abs() > Z_95 * (p * (1.0 - p) / n).sqrt();
        let edge = |mut inside: f64, mut outside: f64| {
            for _ in 0..200 {
                let middle = f64::midpoint(inside, outside);
                if rejected(middle) { outside = middle } else { inside = middle }
            }
            inside
        };
        (
            if bad == 0 { 0.0 } else { edge(share, 0.0) },
            if bad == total { 1.0 } else { edge(share, 1.0) },
        )
    }

    #[test]
    fn wilson_agrees_with_its_definition() {
        for total in 1..=60_u32 {
            for bad in 0..=total {
                let (low, high) = brute(bad, total);
                let rate = wilson(bad, total);
                assert!((rate.low - low).abs() < 1e-9, "{bad}/{total}: {} {low}", rate.low);
                assert!((rate.high - high).abs() < 1e-9, "{bad}/{total}: {} {high}", rate.high);
            }
        }
    }

    #[test]
    fn wilson_covers_close_to_95_percent_on_average() {
        let (mut covered, mut cases) = (0.0, 0.0);
        for step in 1..200 {
            let p = f64::from(step) / 200.0;
            let binomial = Binomial::new(p, 40).unwrap();
            for bad in 0..=40_u32 {
                let below = if bad == 0 { 0.0 } else { binomial.cdf(u64::from(bad) - 1) };
                let weight = binomial.cdf(u64::from(bad)) - below;
                let rate = wilson(bad, 40);
                if rate.low <= p && p <= rate.high {
                    covered += weight;
                }
            }
            cases += 1.0;
        }
        let coverage: f64 = covered / cases;
        assert!((0.945..0.965).contains(&coverage), "{coverage}");
    }

    #[test]
    fn the_flake_rate_is_the_central_part_of_an_independent_beta_distribution() {
        let all_of_few = (0..=150_u32).flat_map(|n| (0..=n).map(move |k| (k, n)));
        let some_of_many = [1_000_u32, 5_000, 100_000].into_iter().flat_map(|n| {
            [0, 1, 2, 10, n / 100, n / 10, n / 2, n - 1, n].into_iter().map(move |k| (k, n))
        });
        for (k, n) in all_of_few.chain(some_of_many) {
            let (a, b) = (0.28 + f64::from(k), 3.87 + f64::from(n - k));
            let beta = Beta::new(a, b).unwrap();
            let rate = flake_rate(k, n);
            for (bound, share) in [(rate.low, 0.025), (rate.high, 0.975)] {
                let found = beta.cdf(bound);
                assert!((found - share).abs() < 1e-9, "{k} of {n}: {bound} is at {found}");
            }
            assert!((rate.value - a / (a + b)).abs() < 1e-12);
            assert!(rate.low < rate.value && rate.value < rate.high, "{k} of {n}");
        }
    }

    #[test]
    fn wilson_is_the_score_interval_over_the_whole_range() {
        let z = Normal::new(0.0, 1.0).unwrap().inverse_cdf(0.975);
        for n in [1_u32, 2, 7, 40, 365, 1_000, 20_000] {
            for k in (0..=n).step_by((n as usize / 97).max(1)) {
                let (share, total) = (f64::from(k) / f64::from(n), f64::from(n));
                let rate = wilson(k, n);
                // At both bounds the score is z: (share - p)² · n = z² · p (1 - p).
                for p in [rate.low, rate.high] {
                    let score = (share - p).powi(2) * total - z * z * p * (1.0 - p);
                    assert!(score.abs() < 1e-9 * total.max(1.0), "{k} of {n}: {p} {score}");
                }
            }
        }
    }

    #[test]
    fn exact_bounds_are_where_the_binomial_tails_are() {
        for confidence in [0.8, 0.95, 0.99] {
            let tail = (1.0 - confidence) / 2.0;
            for n in [1_u32, 2, 5, 10, 60, 299, 2_000] {
                for k in [0, 1, 2, n / 3, n / 2, n - 1, n].into_iter().filter(|k| *k <= n) {
                    let rate = clopper_pearson(k, n, confidence);
                    let at_most = |p: f64| Binomial::new(p, n.into()).unwrap().cdf(k.into());
                    let at_least = |p: f64| match k {
                        0 => 1.0,
                        k => 1.0 - Binomial::new(p, n.into()).unwrap().cdf(u64::from(k) - 1),
                    };
                    let (low, high) = (at_least(rate.low), at_most(rate.high));
                    assert!(k == 0 || (low - tail).abs() < 1e-8, "{k} of {n}: {low}");
                    assert!(k == n || (high - tail).abs() < 1e-8, "{k} of {n}: {high}");
                    assert!(rate.low <= rate.value && rate.value <= rate.high);
                }
            }
        }
        assert_eq!(clopper_pearson(0, 0, 0.95), Rate { value: 0.0, low: 0.0, high: 1.0 });
    }

    #[test]
    fn clean_runs_exclude_what_they_would_have_shown() {
        for n in [1_u32, 3, 59, 299, 100_000] {
            for confidence in [0.9, 0.95, 0.999] {
                let rate = excluded_rate(n, confidence);
                let none = Binomial::new(rate, n.into()).unwrap().cdf(0);
                assert!((none - (1.0 - confidence)).abs() < 1e-9, "{n} at {confidence}: {none}");
                let beta = Beta::new(1.0, n.into()).unwrap();
                assert!((beta.cdf(rate) - confidence).abs() < 1e-9);
            }
        }
        let (exact, rule_of_three) = (excluded_rate(10_000, 0.95), 3.0 / 10_000.0);
        assert!((exact / rule_of_three - 1.0).abs() < 0.002);
        assert!((excluded_rate(0, 0.95) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn no_results_say_nothing() {
        assert_eq!(wilson(0, 0), Rate { value: 0.0, low: 0.0, high: 1.0 });
    }

    #[test]
    fn the_published_table_of_reruns() {
        for (p, runs) in
            [(0.2, 14), (0.1, 29), (0.05, 59), (0.02, 149), (0.01, 299), (0.001, 2_995)]
        {
            assert_eq!(runs_to_exclude(p, 0.05), runs, "{p}");
        }
        assert_eq!(runs_to_exclude(0.0, 0.05), u32::MAX);
        assert_eq!(runs_to_exclude(1.0, 0.05), 1);
        assert_eq!(runs_until_unlikely(0.148, 0.01), 3);
        assert_eq!(runs_until_unlikely(0.5, 0.25), 2);
    }

    #[test]
    fn what_is_no_number_is_never_excluded() {
        assert_eq!(runs_until_unlikely(f64::NAN, 0.05), u32::MAX);
        assert_eq!(runs_until_unlikely(0.5, f64::NAN), u32::MAX);
    }

    #[test]
    fn no_clean_runs_exclude_no_rate() {
        // 1 / (1 - 0.05^(1/n)): 1.05 for one run, 20.2 for 59.
        assert_eq!([0, 1, 59].map(excluded_one_in), [None, Some(1), Some(20)]);
    }

    proptest! {
        #[test]
        fn bounds_enclose_the_share_and_shrink_with_data(bad in 0_u32..5_000, more in 0_u32..5_000) {
            let total = bad + more;
            let rate = wilson(bad, total);
            prop_assert!(0.0 <= rate.low && rate.low <= rate.value);
            prop_assert!(rate.value <= rate.high && rate.high <= 1.0);
            if total > 0 {
                let twice = wilson(bad * 2, total * 2);
                prop_assert!(twice.high - twice.low < rate.high - rate.low);
            }
        }

        #[test]
        fn excluding_runs_is_the_smallest_number(p in 0.001_f64..0.999, alpha in 0.001_f64..0.5) {
            let n = runs_to_exclude(p, alpha);
            prop_assert!((1.0 - p).powi(n as i32) <= alpha * (1.0 + 1e-6));
            if n > 1 {
                prop_assert!((1.0 - p).powi(n as i32 - 1) > alpha * (1.0 - 1e-6));
            }
            // The same question asked the other way round.
            prop_assert!(excluded_rate(n, 1.0 - alpha) <= p * (1.0 + 1e-6));
        }
    }
}
