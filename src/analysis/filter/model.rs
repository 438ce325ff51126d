//! The constants of the filter, in one block, with where each comes from.

use serde::{Deserialize, Serialize};

/// How many hidden classes of flake rate there are: class 0 is healthy.
pub const CLASSES: usize = 8;

/// A number for each class.
pub type Classes = [f64; CLASSES];

/// How often a test of each class fails on sound code.
///
/// Class 0 is a healthy test (cosmic rays, killed processes); the others cover what 280 flaky
/// tests with up to 10,000 reruns each showed (Lam et al. 2020, FlakeFlagger 2021): median 0.7 %,
/// 90 % below 18 %.
pub const RATES: Classes = [2e-5, 0.003, 0.01, 0.03, 0.08, 0.20, 0.40, 0.65];

/// How flaky tests spread over the classes: Beta(0.28, 3.87), the maximum likelihood fit to those
/// rates, cut at 0.2 % and made discrete.
pub const FLAKY_SHARES: Classes = [0.0, 0.22, 0.24, 0.20, 0.14, 0.11, 0.06, 0.03];

/// From this rate on flakiness is worth acting on: it reddens one run in a hundred.
pub const ACTIONABLE_RATE: f64 = 0.01;

/// First actionable class: the first whose rate reaches [`ACTIONABLE_RATE`].
pub const FIRST_ACTIONABLE: usize = 2;

/// The constants of the model.
///
/// Halving or tripling any of them moves the benchmark's mean F1 by at most 0.03, so that nobody
/// needs to tune them; they are one block so that whoever wants to can.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Model {
    /// Probability that a test is flaky before anything is known of it.
    pub flaky_prior: f64,
    /// Chance that one revision of the main line breaks a test.
    pub breaks_main: f64,
    /// Chance that one revision of a branch breaks a test.
    pub breaks_branch: f64,
    /// Chance that one revision of the main line mends what is broken.
    pub mends_main: f64,
    /// Chance that one revision of a branch mends what is broken.
    pub mends_branch: f64,
    /// Part of the main line's breakage that reaches a branch with each of its later revisions.
    pub inherits: f64,
    /// Chance that a test is broken when it runs for the first time ever.
    pub born_broken: f64,
    /// Chance that a broken test passes all the same.
    pub broken_passes: f64,
    /// Chance, over that of its rate, that a flake fails again at once (0.22 was measured on
    /// reruns; a little more is safer against bursts).
    pub fails_again: f64,
    /// Chance that one revision of the main line makes a healthy test flaky.
    pub becomes_flaky: f64,
    /// Chance that one revision of the main line makes a flaky test healthy.
    pub becomes_healthy: f64,
    /// Chance that one revision of the main line changes how flaky a flaky test is.
    pub changes_rate: f64,
    /// How likely a run is an outage: any number of its tests fails.
    pub outage: f64,
    /// Most revisions in a row of one line that one outage spans while it hits the same tests; what
    /// lasts longer is a breakage.
    pub outage_revisions: u32,
    /// How likely tests fail together for a cause that they share, more than their rates say.
    pub systemic: f64,
    /// How likely the first run of a revision shows that it broke several tests: main line.
    pub bad_commit_main: f64,
    /// The same on a branch, where work is in progress.
    pub bad_commit_branch: f64,
    /// How much likelier a shared cause is where the same tests failed together before.
    pub recurrence: f64,
    /// Share of tests that two groups must have in common (Jaccard) to be the same.
    pub same_group: f64,
    /// How likely a test that fails shares its failure's signature with others of the run: as
    /// usual.
    pub alike_usual: f64,
    /// The same where tests flake together.
    pub alike_systemic: f64,
    /// The same where the revision broke a group, or the machine failed: one cause, one message.
    pub alike_common: f64,
    /// Fewest failures that look alike for that to count.
    pub alike_tests: u32,
    /// Groups remembered for each module.
    pub groups_kept: u32,
    /// Branches remembered; the longest unused are forgotten first.
    pub branches_kept: u32,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            flaky_prior: 0.10,
            breaks_main: 3e-4,
            breaks_branch: 4e-3,
            mends_main: 0.20,
            mends_branch: 0.35,
            inherits: 0.3,
            born_broken: 0.2,
            broken_passes: 0.005,
            fails_again: 0.25,
            becomes_flaky: 2.5e-4,
            becomes_healthy: 0.003,
            changes_rate: 0.003,
            outage: 0.01,
            outage_revisions: 2,
            systemic: 0.1,
            bad_commit_main: 0.02,
            bad_commit_branch: 0.15,
            recurrence: 20.0,
            same_group: 0.5,
            alike_usual: 0.05,
            alike_systemic: 0.3,
            alike_common: 0.6,
            alike_tests: 3,
            groups_kept: 40,
            branches_kept: 80,
        }
    }
}

impl Model {
    /// The classes of a test about which nothing is known.
    #[must_use]
    pub fn prior(&self) -> Classes {
        let shares = flaky_shares();
        let mut prior = shares.map(|share| share * self.flaky_prior);
        prior[0] = 1.0 - self.flaky_prior;
        prior
    }
}

/// [`FLAKY_SHARES`], made to sum to 1.
#[must_use]
pub fn flaky_shares() -> Classes {
    let sum: f64 = FLAKY_SHARES.iter().sum();
    FLAKY_SHARES.map(|share| share / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_the_prior_sum_to_one() {
        assert!((flaky_shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let prior = Model::default().prior();
        assert!((prior.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((prior[1..].iter().sum::<f64>() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn the_first_actionable_class_is_the_first_that_reaches_the_rate() {
        let first = RATES.iter().position(|rate| *rate >= ACTIONABLE_RATE);
        assert_eq!(first, Some(FIRST_ACTIONABLE));
    }
}
