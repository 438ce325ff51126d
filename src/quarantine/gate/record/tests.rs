use proptest::prelude::*;
use statrs::distribution::{Beta, Binomial, Continuous, DiscreteCDF};

use super::*;

const LEVEL: f64 = 0.01;

fn record(everywhere: Vec<bool>) -> Record {
    Record { everywhere, branch: Vec::new() }
}

/// P(X ≥ k) of a binomial, by statrs.
fn binomial_tail(k: u32, w: u32, rate: f64) -> f64 {
    match k {
        0 => 1.0,
        k => Binomial::new(rate, u64::from(w)).unwrap().sf(u64::from(k) - 1),
    }
}

#[test]
fn a_long_record_gives_the_binomial_tail() {
    for rate in [0.005, 0.02, 0.1, 0.3, 0.5, 0.9] {
        let n = 200_000_000_u32;
        let s = (f64::from(n) * rate) as u32;
        for w in WINDOWS {
            for k in 0..=w as u32 {
                let ours = predicted_tail(k, w as u32, s, n);
                let theirs = binomial_tail(k, w as u32, f64::from(s) / f64::from(n));
                let close = (ours - theirs).abs() <= 1e-5 * theirs + 1e-12;
                assert!(close, "rate {rate}, {k} of {w}: {ours} {theirs}");
            }
        }
    }
}

#[test]
fn a_short_record_gives_the_binomial_tail_averaged_over_what_it_leaves_open() {
    // The integral over the rate, by the midpoint rule on x = sin²(t), where the posterior has no
    // poles: dx = 2 sin(t) cos(t) dt.
    const STEPS: u32 = 4_000;
    for (s, n) in [(0, 0), (0, 5), (1, 10), (5, 10), (10, 10), (2, 200), (40, 200)] {
        let posterior = Beta::new(f64::from(s) + 0.5, f64::from(n - s) + 0.5).unwrap();
        for w in WINDOWS.map(|w| w as u32) {
            for k in 0..=w {
                let step = std::f64::consts::FRAC_PI_2 / f64::from(STEPS);
                let at = |place: u32| {
                    let t = (f64::from(place) + 0.5) * step;
                    let x = t.sin().powi(2);
                    binomial_tail(k, w, x) * posterior.pdf(x) * 2.0 * t.sin() * t.cos() * step
                };
                let theirs: f64 = (0..STEPS).map(at).sum();
                let ours = predicted_tail(k, w, s, n);
                let close = (ours - theirs).abs() <= 1e-4 * theirs + 1e-9;
                assert!(close, "{s} of {n}, then {k} of {w}: {ours} {theirs}");
            }
        }
    }
}

#[test]
fn one_failure_is_no_evidence_however_rare() {
    let mut runs = vec![false; 5_000];
    runs.push(true);
    assert_eq!(record(runs).worse(LEVEL), None);
    assert_eq!(record(vec![true]).worse(LEVEL), None);
    assert_eq!(record(Vec::new()).worse(LEVEL), None);
}

#[test]
fn a_failure_that_is_not_in_a_row_is_no_evidence() {
    let mut runs = vec![false; 200];
    runs.extend([true, true, true, false, true]);
    assert_eq!(record(runs).worse(LEVEL), None);
}

#[test]
fn the_numbers_are_those_of_the_clearest_window() {
    let mut runs = vec![false; 190];
    runs.extend([true; 10]);
    let worse = record(runs).worse(LEVEL).unwrap();
    assert_eq!((worse.recent_bad, worse.recent), (10, 10));
    assert_eq!((worse.record_bad, worse.record), (0, 190));
    assert!((worse.level - LEVEL / 4.0).abs() < 1e-15);
    assert!(worse.p < worse.level && worse.p > 0.0);
    assert_eq!(worse.p, predicted_tail(10, 10, 0, 190));
}

#[test]
fn a_branch_that_breaks_the_test_is_seen_among_the_passes_of_others() {
    // Two of three runs are those of other branches, where it passes.
    let mut everywhere = vec![false; 200];
    let branch: Vec<bool> = (0..16).map(|run| run >= 10).collect();
    (0..6).for_each(|_| everywhere.extend([false, false, true]));
    assert_eq!(record(everywhere.clone()).worse(LEVEL), None);
    let worse = Record { everywhere, branch }.worse(LEVEL).unwrap();
    assert_eq!((worse.recent_bad, worse.recent), (5, 5));
    assert!((worse.level - LEVEL / 8.0).abs() < 1e-15);
}

#[test]
fn the_record_before_leaves_this_run_out() {
    assert_eq!(record(vec![true, false, true, true]).before(), (2, 3));
    assert_eq!(record(vec![true]).before(), (0, 0));
    assert_eq!(Record::default().before(), (0, 0));
}

#[test]
fn a_record_shorter_than_a_window_has_no_such_window() {
    // Three runs: the record before them is empty, and anything may follow an empty record.
    assert_eq!(
        record(vec![true; 3]).worse(0.999),
        Some(Worse {
            recent_bad: 3,
            recent: 3,
            record_bad: 0,
            record: 0,
            p: predicted_tail(3, 3, 0, 0),
            level: 0.999 / 4.0,
        })
        .filter(|worse| worse.p < worse.level)
    );
    assert_eq!(record(vec![true; 2]).worse(0.999), None);
}

#[test]
fn a_chance_at_the_level_is_no_rise_and_one_below_is() {
    // One tail fits into four runs; the level is divided by four, which is exact.
    let runs = record(vec![false, true, true, true]);
    let chance = predicted_tail(3, 3, 0, 1);
    assert_eq!(runs.worse(4.0 * chance), None);
    assert!(runs.worse(4.0 * chance * (1.0 + 1e-9)).is_some());
}

/// A generator for simulations: xorshift64*, seeded.
struct Dice(u64);

impl Dice {
    fn hits(&mut self, rate: f64) -> bool {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        (bits as f64 / (1_u64 << 53) as f64) < rate
    }
}

const RATES: [f64; 8] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5];

/// How often a test of a constant rate is called worse, per run, and per run that it fails in.
fn alarms(rate: f64, known: usize, dice: &mut Dice) -> (f64, f64) {
    const TRIALS: u32 = 20_000;
    let (mut alarms, mut failed) = (0_u32, 0_u32);
    for _ in 0..TRIALS {
        let runs: Vec<bool> = (0..=known).map(|_| dice.hits(rate)).collect();
        if runs.last() == Some(&true) {
            failed += 1;
            alarms += u32::from(record(runs).worse(LEVEL).is_some());
        }
    }
    (f64::from(alarms) / f64::from(TRIALS), f64::from(alarms) / f64::from(failed.max(1)))
}

#[test]
fn a_constant_rate_is_called_worse_no_more_often_than_the_level_says() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for known in [5, 20, 50, 200] {
        for rate in RATES {
            let (per_run, per_failure) = alarms(rate, known, &mut dice);
            assert!(per_run <= LEVEL / 4.0, "rate {rate} after {known} runs: {per_run}");
            let enough = rate >= 0.02;
            assert!(!enough || per_failure <= 2.0 * LEVEL, "rate {rate}: {per_failure} a failure");
        }
    }
}

#[test]
fn a_test_that_fails_always_is_caught_soon() {
    // (rate before, failures in a row until caught at the latest), after a record of 200 runs.
    for (rate, caught) in [
        (0.0, 2),
        (0.005, 2),
        (0.01, 2),
        (0.02, 2),
        (0.05, 3),
        (0.1, 3),
        (0.2, 5),
        (0.3, 8),
        (0.5, 10),
    ] {
        let bad = (200.0 * rate) as usize;
        // Failures spread evenly, the last of them well before the end.
        let mut runs: Vec<bool> = (0..200).map(|run| bad > 0 && run % (200 / bad) == 0).collect();
        let mut needed = 0;
        while record(runs.clone()).worse(LEVEL).is_none() {
            runs.push(true);
            needed += 1;
            assert!(needed <= 40, "rate {rate}");
        }
        assert_eq!(needed, caught, "rate {rate}");
    }
}

#[test]
fn a_test_that_fails_always_stays_caught_for_hundreds_of_runs() {
    let mut runs: Vec<bool> = (0..200).map(|run| run % 50 == 0).collect();
    runs.extend([true; 3]);
    for more in 0..150 {
        assert!(record(runs.clone()).worse(LEVEL).is_some(), "{more}");
        runs.push(true);
    }
}

proptest! {
    #[test]
    fn the_tail_is_a_chance_and_falls_with_the_failures_asked_for(
        w in 1_u32..40, s in 0_u32..300, n in 0_u32..300,
    ) {
        let mut last = 1.0 + 1e-12;
        for k in 0..=w {
            let p = predicted_tail(k, w, s, n);
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!(p <= last + 1e-12);
            last = p;
        }
        prop_assert!((predicted_tail(0, w, s, n) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn more_failures_in_the_record_make_failures_now_less_of_a_surprise(
        w in 1_u32..30, k in 1_u32..30, s in 0_u32..199,
    ) {
        let k = k.min(w);
        let (fewer, more) = (predicted_tail(k, w, s, 200), predicted_tail(k, w, s + 1, 200));
        prop_assert!(fewer <= more + 1e-12);
    }
}
