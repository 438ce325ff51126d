//! Special functions: the logarithms of Gamma and Beta, the distribution function of the Beta
//! distribution and its inverse.
//!
//! Each comes from its published formula, in a form that keeps its digits for the large counts of
//! long histories. Arguments outside the domain give NaN; nothing here panics.

use std::f64::consts::PI;

/// From here on Stirling's series with the terms below is exact to the last bit.
const STIRLING_FROM: f64 = 10.0;

/// Stirling's series, B₂ₖ / (2k (2k - 1)) for k = 1 … 8: DLMF 5.11.1.
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1_260.0,
    -1.0 / 1_680.0,
    1.0 / 1_188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3_617.0 / 122_400.0,
];

/// The continued fraction needs about √max(a, b) terms: enough for counts of a hundred million.
const FRACTION_TERMS_MAX: u32 = 20_000;
/// The normal distribution function is 1 to the last bit from here on.
const NORMAL_MAX: f64 = 8.0;
/// Newton's method needs about six steps; bisection, which guards it, never more than these.
const QUANTILE_STEPS_MAX: u32 = 200;

/// ln Γ(x) for x > 0.
///
/// Source: DLMF 5.11.1 (Stirling's series), after lifting a small x with Γ(x + 1) = x Γ(x).
/// The error is below 2·10⁻¹⁴, or as much of the result where that is large.
///
/// ```
/// use flakedb::analysis::special::ln_gamma;
/// assert!((ln_gamma(5.0) - 24_f64.ln()).abs() < 1e-14);
/// ```
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    let (mut lifted, mut product) = (x, 1.0);
    while lifted < STIRLING_FROM {
        product *= lifted;
        lifted += 1.0;
    }
    let main = (lifted - 0.5) * lifted.ln() - lifted + 0.5 * (2.0 * PI).ln();
    main + stirling_rest(lifted) - product.ln()
}

/// What Stirling's formula leaves of ln Γ(x), for x ≥ [`STIRLING_FROM`].
fn stirling_rest(x: f64) -> f64 {
    let square = 1.0 / (x * x);
    STIRLING.iter().rev().fold(0.0, |sum, term| sum * square + term) / x
}

/// ln B(a, b) = ln Γ(a) + ln Γ(b) - ln Γ(a + b), for a, b > 0.
///
/// Source: DLMF 5.12.1. For large arguments the big parts of Stirling's formula are cancelled on
/// paper first, as in A. R. `DiDonato` and A. H. Morris, "Algorithm 708", ACM TOMS 18 (1992).
///
/// ```
/// use flakedb::analysis::special::ln_beta;
/// // B(2, 3) = 1! 2! / 4! = 1 / 12.
/// assert!((ln_beta(2.0, 3.0) + 12_f64.ln()).abs() < 1e-14);
/// ```
#[must_use]
pub fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if !is_shape(small) || !is_shape(large) {
        return f64::NAN;
    }
    let sum = small + large;
    let part = small / sum;
    match (small < STIRLING_FROM, large < STIRLING_FROM) {
        (_, true) => ln_gamma(small) + ln_gamma(large) - ln_gamma(sum),
        (true, false) => {
            let rest = stirling_rest(large) - stirling_rest(sum);
            ln_gamma(small) + rest + small - small * sum.ln() + (large - 0.5) * (-part).ln_1p()
        }
        (false, false) => {
            let main = 0.5 * (2.0 * PI).ln() - 0.5 * large.ln();
            main + beta_rest(small, large)
                + (small - 0.5) * (small / sum).ln()
                + large * (-part).ln_1p()
        }
    }
}

fn beta_rest(a: f64, b: f64) -> f64 {
    stirling_rest(a) + stirling_rest(b) - stirling_rest(a + b)
}

fn is_shape(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

/// The regularised incomplete Beta function Iₓ(a, b): the chance that a share with the
/// distribution Beta(a, b) is at most `x`. `x` is taken into [0, 1]; a, b > 0.
///
/// Source: DLMF 8.17.22 (continued fraction) with 8.17.4 (symmetry). Up to the mean the relative
/// error is below 10⁻¹², beyond it the absolute one is.
///
/// ```
/// use flakedb::analysis::special::beta_cdf;
/// // Beta(2, 1) has the distribution function x².
/// assert!((beta_cdf(0.3, 2.0, 1.0) - 0.09).abs() < 1e-15);
/// ```
#[must_use]
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if x.is_nan() || !is_shape(a) || !is_shape(b) {
        return f64::NAN;
    }
    let x = x.clamp(0.0, 1.0);
    lower_tail(x, 1.0 - x, a, b)
}

/// Iₓ(a, b) with y = 1 - x given as well, so that neither loses digits near its end.
fn lower_tail(x: f64, y: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    // The fraction converges fast on this side of the mean only.
    if x < (a + 1.0) / (a + b + 2.0) {
        (power(x, y, a, b) / a * fraction(x, a, b)).clamp(0.0, 1.0)
    } else {
        (1.0 - power(x, y, a, b) / b * fraction(y, b, a)).clamp(0.0, 1.0)
    }
}

/// xᵃ yᵇ / B(a, b), with y = 1 - x.
///
/// For large a and b, the huge logarithms are taken relative to the mean, where they cancel:
/// a ln x + b ln y = a ln x₀ + b ln y₀ - a φ(d / x₀) - b φ(-d / y₀), with x₀ = a / (a + b),
/// d = x - x₀ and φ(u) = u - ln(1 + u).
fn power(x: f64, y: f64, a: f64, b: f64) -> f64 {
    if a < STIRLING_FROM || b < STIRLING_FROM {
        let (ln_x, ln_y) = if x < y { (x.ln(), (-x).ln_1p()) } else { ((-y).ln_1p(), y.ln()) };
        return (a * ln_x + b * ln_y - ln_beta(a, b)).exp();
    }
    let sum = a + b;
    let (x0, y0) = (a / sum, b / sum);
    let away = if x0 <= y0 { x - x0 } else { y0 - y };
    let exponent = a * excess(away / x0) + b * excess(-away / y0) + beta_rest(a, b);
    (a * y0 / (2.0 * PI)).sqrt() * (-exponent).exp()
}

/// φ(u) = u - ln(1 + u), without loss near 0: ln(1 + u) = 2 atanh(r) with r = u / (2 + u), so that
/// φ(u) = u r - 2 (r³/3 + r⁵/5 + …).
fn excess(u: f64) -> f64 {
    if u.abs() > 0.3 {
        return u - u.ln_1p();
    }
    let r = u / (2.0 + u);
    let square = r * r;
    // r ≤ 0.18: fourteen terms reach the last bit.
    let series = (1..=14).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    u * r - 2.0 * r * square * series
}

/// The continued fraction of the incomplete Beta function, by the modified method of Lentz
/// (I. J. Thompson and A. R. Barnett, J. Comput. Phys. 64, 1986).
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for term in 1..=FRACTION_TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            step = c * d;
            value *= step;
        }
        if (step - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

/// The quantile of the distribution Beta(a, b): the `x` with Iₓ(a, b) = `p`. `p` is taken into
/// [0, 1]; a, b > 0.
///
/// Source: Newton's method on ln Iₓ as a function of ln x, where both tails are nearly straight;
/// its derivative is xᵃ (1 - x)ᵇ⁻¹ / (B(a, b) Iₓ). Bisection guards it.
///
/// ```
/// use flakedb::analysis::special::beta_quantile;
/// // Beta(2, 1) has the distribution function x².
/// assert!((beta_quantile(0.09, 2.0, 1.0) - 0.3).abs() < 1e-15);
/// ```
#[must_use]
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if p.is_nan() || !is_shape(a) || !is_shape(b) {
        return f64::NAN;
    }
    let p = p.clamp(0.0, 1.0);
    let middle = lower_tail(0.5, 0.5, a, b);
    // Whichever end is nearer is solved for, so that no digits are lost towards it.
    match p {
        p if p <= 0.0 => 0.0,
        p if p >= 1.0 => 1.0,
        p if p <= middle => quantile_below_half(p, a, b),
        p => 1.0 - quantile_below_half(1.0 - p, b, a),
    }
}

/// The quantile where it lies in (0, ½].
fn quantile_below_half(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 0.5_f64);
    // The leading term of the series, xᵃ / (a B(a, b)), or the mean where that is far off.
    let first = ((p.ln() + a.ln() + ln_beta(a, b)) / a).exp();
    let mut x = if first > 0.0 && first < 0.5 { first } else { (a / (a + b)).min(0.25) };
    for _ in 0..QUANTILE_STEPS_MAX {
        let y = 1.0 - x;
        let tail = lower_tail(x, y, a, b);
        if tail < p {
            low = x;
        } else {
            high = x;
        }
        let slope = power(x, y, a, b) / (y * tail);
        let step = (p / tail).ln() / slope;
        let newton = x * step.exp();
        let inside = newton > low && newton < high;
        let next = if inside { newton } else { between(low, high) };
        let close = (next - x).abs() <= 2.0 * f64::EPSILON * x;
        x = next;
        if close || high - low <= f64::EPSILON * high {
            break;
        }
    }
    x
}

/// Half way between two numbers in the order of their representation, so that a result near 0 is
/// reached as soon as any other.
fn between(low: f64, high: f64) -> f64 {
    f64::from_bits(u64::midpoint(low.to_bits(), high.to_bits()))
}

/// The quantile of the normal distribution: the `z` that it stays below with chance `p`. Beyond
/// |z| = 8, where `p` has no digits left, it stops.
///
/// Source: Newton's method on Φ(z) = ½ + φ(z) (z + z³/3 + z⁵/(3·5) + …), G. Marsaglia, "Evaluating
/// the normal distribution", J. Stat. Softw. 11 (2004).
///
/// ```
/// use flakedb::analysis::special::normal_quantile;
/// assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
/// ```
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() {
        return f64::NAN;
    }
    if p < 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let mut z = 0.0_f64;
    for _ in 0..QUANTILE_STEPS_MAX {
        let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
        let (mut term, mut sum, mut odd) = (z, z, 1.0);
        while term > f64::EPSILON * sum {
            odd += 2.0;
            term *= z * z / odd;
            sum += term;
        }
        // Φ is concave here, so that steps from below never go too far.
        let step = (p.min(1.0) - 0.5 - density * sum) / density;
        let next = (z + step).clamp(0.0, NORMAL_MAX);
        let close = (next - z).abs() <= 1e-15 * next;
        z = next;
        if close {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use statrs::function::{beta, gamma};

    use super::*;

    const SHAPES: [f64; 15] =
        [1e-3, 0.03, 0.28, 0.5, 1.0, 1.3, 3.87, 9.99, 10.0, 17.0, 103.87, 400.5, 3e3, 2e4, 1e5];
    const SHARES: [f64; 13] =
        [1e-12, 1e-6, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999, 0.999_999, 1.0];

    /// How much statrs loses: it takes differences of numbers as large as ln Γ(a + b).
    fn lost(a: f64, b: f64) -> f64 {
        1e-15 * gamma::ln_gamma(a + b).abs()
    }

    /// statrs stops after 140 terms of the fraction, which are too few where both are large; the
    /// values of sixty digits below reach there.
    fn beyond_statrs(a: f64, b: f64) -> bool {
        a.min(b) > 1e4
    }

    fn close(ours: f64, theirs: f64, relative: f64, absolute: f64) -> bool {
        (ours - theirs).abs() <= relative * theirs.abs() + absolute
    }

    #[test]
    fn gamma_and_beta_agree_with_statrs() {
        for a in SHAPES {
            let (ours, theirs) = (ln_gamma(a), gamma::ln_gamma(a));
            assert!(close(ours, theirs, 1e-13, 1e-13), "ln_gamma({a}): {ours} {theirs}");
            for b in SHAPES {
                let (ours, theirs) = (ln_beta(a, b), beta::ln_beta(a, b));
                let absolute = 1e-13 + lost(a, b);
                assert!(close(ours, theirs, 1e-12, absolute), "{a} {b}: {ours} {theirs}");
            }
        }
    }

    #[test]
    fn the_distribution_agrees_with_statrs() {
        for a in SHAPES {
            for b in SHAPES {
                for x in SHARES.iter().copied().filter(|_| !beyond_statrs(a, b)) {
                    let (ours, theirs) = (beta_cdf(x, a, b), beta::beta_reg(a, b, x));
                    let error = 2e-13 + lost(a, b);
                    assert!(close(ours, theirs, error, error), "{x} {a} {b}: {ours} {theirs}");
                }
            }
        }
    }

    /// Values to 20 digits by mpmath 1.3 with 60 digits: loggamma(a) + loggamma(b) - loggamma(a + b).
    #[test]
    fn beta_agrees_with_sixty_digits() {
        for (a, b, exact) in [
            (1e-8, 1e-8, 19.113_827_924_512_31),
            (0.001, 1e6, 6.893_363_375_325_389),
            (0.3, 0.5, 1.516_103_259_342_938),
            (9.5, 10.5, -13.709_925_546_998_462),
            (10.0, 10.0, -13.736_229_227_036_555),
            (12.0, 1e9, -231.176_882_263_483_05),
            (1e5, 1e5, -138_633.927_061_348_06),
            (1e8, 2e8, -190_954_258.577_113_13),
        ] {
            let ours = ln_beta(a, b);
            assert!(close(ours, exact, 2e-15, 2e-14), "{a} {b}: {ours} {exact}");
            assert_eq!(ours.to_bits(), ln_beta(b, a).to_bits());
        }
    }

    /// Values to 20 digits by mpmath 1.3 with 60 digits: betainc(a, b, 0, x, regularized=True).
    #[test]
    fn the_distribution_agrees_with_sixty_digits() {
        for (x, a, b, exact) in [
            (0.001, 0.28, 3.87, 0.228_138_373_569_155_28),
            (0.5, 1e-6, 1e-6, 0.5),
            (0.999, 300.28, 2.87, 0.994_983_110_642_073_1),
            (1e-12, 0.3, 0.5, 0.000_183_841_462_281_746_1),
            (0.01, 2.3, 400.5, 0.874_850_080_610_410_1),
            (0.2, 2e4, 8e4, 0.500_630_784_155_501_7),
            (0.2005, 2e4, 8e4, 0.654_175_406_350_460_2),
            (0.1, 2e3, 8e3, 2.305_417_727_770_347e-195),
            (0.9, 12.0, 5e4, 1.0),
            (0.5, 1e6, 1e6, 0.5),
            (0.500_05, 1e6, 1e6, 0.556_231_451_166_583_1),
            (1e-4, 1e-3, 1e4, 0.999_780_391_661_433_3),
            (0.3, 5_000.5, 0.5, 0.0),
            (1e-6, 1.0, 1e6, 0.632_120_742_768_355),
        ] {
            let ours = beta_cdf(x, a, b);
            assert!(close(ours, exact, 1e-12, 0.0), "{x} {a} {b}: {ours} {exact}");
        }
    }

    /// Values to 20 digits by mpmath 1.3 with 60 digits: bisection on betainc.
    #[test]
    fn the_quantile_agrees_with_sixty_digits() {
        for (p, a, b, exact) in [
            (0.025, 0.28, 3.87, 3.711_357_182_252_652e-7),
            (0.025, 1.28, 103.87, 0.000_618_980_122_056_041_8),
            (0.975, 1.28, 103.87, 0.040_082_997_090_935_74),
            (0.5, 0.3, 0.5, 0.252_205_010_128_956_8),
            (0.975, 0.28, 4_003.87, 0.000_456_733_767_065_422_05),
            (0.001, 0.01, 5.0, 1.253_990_451_122_840_7e-301),
            (0.999, 0.5, 0.5, 0.999_997_532_600_929),
        ] {
            let ours = beta_quantile(p, a, b);
            assert!(close(ours, exact, 1e-12, 0.0), "{p} {a} {b}: {ours} {exact}");
        }
    }

    #[test]
    fn the_quantile_is_the_inverse_of_what_statrs_computes() {
        for a in SHAPES {
            for b in SHAPES {
                for p in [1e-9, 1e-3, 0.025, 0.05, 0.5, 0.95, 0.975, 0.999] {
                    let x = beta_quantile(p, a, b);
                    // Beyond these ends one step of `x` is more than the tolerance, or nothing is.
                    if x > 1e-300 && x < 1.0 - 1e-5 && !beyond_statrs(a, b) {
                        let back = beta::beta_reg(a, b, x);
                        let error = 2e-13 + lost(a, b);
                        assert!(close(back, p, error, error), "{p} {a} {b}: {x} {back}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_normal_quantile_agrees_with_statrs() {
        use statrs::distribution::{ContinuousCDF, Normal};
        let normal = Normal::new(0.0, 1.0).unwrap();
        for p in [1e-9, 1e-4, 0.025, 0.2, 0.5, 0.6, 0.95, 0.975, 0.999_9, 1.0 - 1e-9] {
            let (ours, theirs) = (normal_quantile(p), normal.inverse_cdf(p));
            assert!(close(ours, theirs, 1e-7, 1e-12), "{p}: {ours} {theirs}");
            // Their distribution function is more exact than its inverse.
            assert!(close(normal.cdf(ours), p, 1e-7, 1e-15), "{p}: {ours}");
        }
        // To 20 digits by mpmath 1.3: sqrt(2) * erfinv(0.9) and sqrt(2) * erfinv(0.998).
        assert!(close(normal_quantile(0.95), 1.644_853_626_951_472_7, 1e-15, 0.0));
        assert!(close(normal_quantile(0.999), 3.090_232_306_167_813_5, 1e-13, 0.0));
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (-NORMAL_MAX, NORMAL_MAX));
        assert!(normal_quantile(f64::NAN).is_nan());
    }

    #[test]
    fn the_ends_and_what_lies_outside() {
        assert_eq!((beta_cdf(0.0, 2.0, 3.0), beta_cdf(1.0, 2.0, 3.0)), (0.0, 1.0));
        assert_eq!((beta_cdf(-1.0, 2.0, 3.0), beta_cdf(7.0, 2.0, 3.0)), (0.0, 1.0));
        assert_eq!((beta_quantile(0.0, 2.0, 3.0), beta_quantile(1.0, 2.0, 3.0)), (0.0, 1.0));
    }

    #[test]
    fn the_last_quantile_is_one_where_all_that_a_float_can_hold_lies_below_a_half() {
        assert_eq!(beta_quantile(1.0, 1.0, 1e6), 1.0);
    }

    #[test]
    fn without_a_share_or_shapes_there_is_no_distribution() {
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(beta_cdf(0.5, wrong, 1.0).is_nan() && beta_cdf(0.5, 1.0, wrong).is_nan());
            assert!(beta_quantile(0.5, wrong, 1.0).is_nan() && ln_beta(wrong, 1.0).is_nan());
            // At the ends the distribution is known without a look at the shapes.
            assert!(beta_cdf(0.0, wrong, 1.0).is_nan() && beta_cdf(0.0, 1.0, wrong).is_nan());
        }
        assert!(ln_gamma(0.0).is_nan() && ln_gamma(-2.5).is_nan() && ln_gamma(f64::NAN).is_nan());
        assert!(
            beta_cdf(f64::NAN, 1.0, 1.0).is_nan() && beta_quantile(f64::NAN, 1.0, 1.0).is_nan()
        );
    }

    proptest! {
        #[test]
        fn both_directions_are_monotone_inverse_and_symmetric(
            a in -6.0_f64..12.0, b in -6.0_f64..12.0, p in 0.0_f64..1.0, q in 0.0_f64..1.0,
        ) {
            let (a, b) = (a.exp(), b.exp());
            let (low, high) = if p < q { (p, q) } else { (q, p) };
            prop_assert!(beta_cdf(low, a, b) <= beta_cdf(high, a, b) + 1e-14);
            let (from, to) = (beta_quantile(low, a, b), beta_quantile(high, a, b));
            prop_assert!((0.0..=1.0).contains(&from) && from <= to + 1e-14);
            prop_assert!((beta_cdf(p, a, b) + beta_cdf(1.0 - p, b, a) - 1.0).abs() < 1e-9);
            if from > 1e-300 && from < 1.0 - 1e-6 {
                prop_assert!((beta_cdf(from, a, b) - low).abs() < 1e-9, "{from}");
            }
        }

        #[test]
        fn gamma_obeys_its_recurrence(x in -8.0_f64..14.0) {
            let x = x.exp();
            let (one, next) = (ln_gamma(x), ln_gamma(x + 1.0));
            prop_assert!((next - one - x.ln()).abs() <= 1e-13 + 1e-15 * next.abs());
        }
    }

    /// Exact sums of 60 digits: the chance of at least `a` of `a + b - 1` trials that hit with `x`.
    #[test]
    fn next_to_an_end_no_digits_are_lost() {
        for (x, a, b, exact) in [
            (1e-8, 20.0, 1e9, 0.003_454_342_517_020_424_5),
            (5e-9, 20.0, 2e9, 0.003_454_342_246_438_608_3),
            (1e-9, 20.0, 1e10, 0.003_454_342_029_973_168_5),
        ] {
            let ours = beta_cdf(x, a, b);
            assert!(close(ours, exact, 1e-12, 0.0), "{x} {a} {b}: {ours} {exact}");
        }
    }

    #[test]
    fn shapes_that_one_more_does_not_change_still_give_a_chance() {
        // 1e17 + 1 is 1e17: the fraction starts with 1 / 0.
        assert!((0.0..=1.0).contains(&beta_cdf(0.5, 1e17, 1e17)));
    }

    #[test]
    fn shapes_too_small_for_any_digits_still_have_their_quantile_between_the_ends() {
        // The chance of the leading term is lost in rounding here, and may come out as infinity.
        for power in 14..300 {
            for a in [1.0, 1.7, 2.3, 3.1, 5.9, 8.3].map(|digits| digits * 10_f64.powi(-power)) {
                let x = beta_quantile(0.5, a, a);
                assert!((0.0..=1.0).contains(&x), "{a}: {x}");
            }
        }
    }
}
