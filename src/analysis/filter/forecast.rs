//! What would change a verdict: the filter run forward on results that may come.

use super::belief::{
    Broken, Circumstance, Drift, Likelihood, Observed, actionable, broken, next_revision, weigh,
};
use super::model::{CLASSES, Classes, Model};

/// Runs that a forecast looks ahead at most.
pub const FORECAST_RUNS_MAX: u32 = 2_000;
/// Re-runs of one revision that a forecast looks ahead at most.
pub const RERUNS_MAX: u32 = 10;

/// On which line a forecast's runs lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// New revisions of the main line.
    Main,
    /// New branches.
    Branches,
}

/// How many passing runs of new revisions bring P(flaky) below `target`; `None` beyond
/// [`FORECAST_RUNS_MAX`].
#[must_use]
pub fn clean_runs(
    model: &Model,
    classes: &Classes,
    on_main: &Broken,
    ahead: Ahead,
    target: f64,
) -> Option<u32> {
    let pass = Likelihood::of(model, Observed::PASS, &Circumstance::USUAL);
    let drift = Drift::new(model);
    let (mut classes, mut on_main) = (*classes, *on_main);
    for runs in 0..=FORECAST_RUNS_MAX {
        if actionable(&classes) < target {
            return Some(runs);
        }
        match ahead {
            Ahead::Main => {
                on_main = next_revision(model, Some(&on_main), None);
                drift.apply(&mut classes);
                weigh(&mut classes, &mut on_main, &pass);
            }
            Ahead::Branches => {
                let mut on_branch = next_revision(model, None, Some(&[0.0; CLASSES]));
                weigh(&mut classes, &mut on_branch, &pass);
            }
        }
    }
    None
}

/// How many re-runs of the failing revision settle what is suspect: a pass among them proves a
/// flake, and so many failures in a row mean a breakage (P(broken) reaches `threshold`).
///
/// `after_failure` is P(broken | class) after the failure. At least 1, at most [`RERUNS_MAX`].
#[must_use]
pub fn reruns_to_settle(
    model: &Model,
    classes: &Classes,
    after_failure: &Broken,
    threshold: f64,
) -> u32 {
    let fail = Likelihood::of(model, Observed::FAIL, &Circumstance::USUAL);
    let (mut classes, mut state) = (*classes, *after_failure);
    for reruns in 1..RERUNS_MAX {
        weigh(&mut classes, &mut state, &fail);
        if broken(&classes, &state) >= threshold {
            return reruns;
        }
    }
    RERUNS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test of one class alone.
    fn only(class: usize) -> Classes {
        let mut classes = [0.0; CLASSES];
        classes[class] = 1.0;
        classes
    }

    #[test]
    fn a_loud_flake_clears_sooner_than_a_rare_one() {
        let model = Model::default();
        let none = [1e-4; CLASSES];
        let runs = |class: usize| {
            let mut classes = only(class).map(|p| p * 0.9);
            classes[0] = 0.1;
            clean_runs(&model, &classes, &none, Ahead::Main, 0.25).unwrap()
        };
        assert!(runs(7) < runs(5) && runs(5) < runs(3) && runs(3) < runs(2));
        // 0.9 · 0.35ⁿ / (0.1 + 0.9 · 0.35ⁿ) < 0.25 needs 0.35ⁿ < 0.037: n = 4 without drift.
        assert_eq!(runs(7), 4);
    }

    #[test]
    fn what_is_below_already_needs_no_run() {
        let model = Model::default();
        let none = [0.0; CLASSES];
        for ahead in [Ahead::Main, Ahead::Branches] {
            assert_eq!(clean_runs(&model, &only(0), &none, ahead, 0.25), Some(0));
        }
    }

    #[test]
    fn a_score_at_the_target_is_not_below_it_yet() {
        let model = Model::default();
        let mut classes = only(0).map(|p| p * 0.75);
        classes[2] = 0.25;
        for ahead in [Ahead::Main, Ahead::Branches] {
            // One pass is more likely of a healthy test than of one that fails at 1 %.
            assert_eq!(clean_runs(&model, &classes, &[1e-4; CLASSES], ahead, 0.25), Some(1));
        }
    }

    #[test]
    fn reruns_settle_sooner_what_already_looks_broken() {
        let model = Model::default();
        let classes = model.prior();
        let [unsure, sure] =
            [0.2, 0.8].map(|p| reruns_to_settle(&model, &classes, &[p; CLASSES], 0.9));
        assert!(sure <= unsure, "{sure} {unsure}");
        assert!((1..=RERUNS_MAX).contains(&unsure));
    }
}
