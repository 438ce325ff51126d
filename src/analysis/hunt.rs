//! Hunting: how often to repeat a command, when to stop, and what the repetitions say.
//!
//! What is repeated (a command, and every test in its reports) passes or fails; a [`Ledger`] counts
//! both, apart for runs that were alone and for those that had others beside them.

use super::interval::{clopper_pearson, excluded_rate, expected_rate, runs_to_exclude};
use super::verdict::Rate;

/// Failures in a row from the first run on after which something is broken: a flake that looks so
/// fails in at least 74 % of its runs, at 95 %.
pub const ALWAYS_RUNS: u32 = 10;

/// How much to look for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// So many runs.
    pub runs: u32,
    /// How sure what is excluded is to be.
    pub confidence: f64,
}

impl Goal {
    /// As many runs as exclude every flake rate above `rate`: the smallest n with
    /// (1 - rate)ⁿ ≤ 1 - confidence, which is ln(1 - confidence) / ln(1 - rate), rounded up.
    ///
    /// ```
    /// use flakedb::analysis::hunt::Goal;
    /// assert_eq!(Goal::excluding(0.01, 0.95).runs, 299);
    /// ```
    #[must_use]
    pub fn excluding(rate: f64, confidence: f64) -> Self {
        Self { runs: runs_to_exclude(rate, 1.0 - confidence), confidence }
    }

    /// How likely a flake of this rate shows itself at least once; never certain.
    #[must_use]
    pub fn power(&self, rate: f64) -> f64 {
        let power = -(f64::from(self.runs) * (-rate.clamp(0.0, 1.0)).ln_1p()).exp_m1();
        power.min(1.0 - f64::EPSILON)
    }

    /// The rate above which clean runs exclude a flake.
    #[must_use]
    pub fn excluded_by(&self, clean: u32) -> f64 {
        excluded_rate(clean, self.confidence)
    }

    /// The rate below which failures in every one of so many runs exclude a flake.
    #[must_use]
    pub fn rate_at_least(&self, failures: u32) -> f64 {
        1.0 - self.excluded_by(failures)
    }
}

/// What one run showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It held.
    Passed,
    /// It did not.
    Failed,
    /// Both within one run: it passed when the runner tried it again.
    Both,
}

/// Passes and failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Runs in which it passed, if only in the end.
    pub passed: u32,
    /// Runs in which it failed, if only at first.
    pub failed: u32,
    /// Runs in which it did both, counted as either.
    pub both: u32,
}

impl Tally {
    /// Runs in all.
    #[must_use]
    pub const fn runs(&self) -> u32 {
        self.passed + self.failed - self.both
    }

    fn add(&mut self, seen: Seen) {
        self.passed += u32::from(seen != Seen::Failed);
        self.failed += u32::from(seen != Seen::Passed);
        self.both += u32::from(seen == Seen::Both);
    }
}

/// Whether other runs went on at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// Nothing else of ours ran.
    Alone,
    /// Others ran beside it.
    Beside,
}

/// Everything that was seen of one command or test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    /// In runs that were alone.
    pub alone: Tally,
    /// In runs beside others.
    pub beside: Tally,
}

/// What the runs say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It failed when alone, and passed: a flake.
    Flaky,
    /// It failed beside others only.
    UnderLoad,
    /// It failed whenever it ran: broken.
    AlwaysFails,
    /// It never failed.
    Clean,
}

impl Finding {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flaky => "flaky",
            Self::UnderLoad => "under-load",
            Self::AlwaysFails => "always-fails",
            Self::Clean => "clean",
        }
    }
}

impl Ledger {
    /// Counts one more run.
    pub fn add(&mut self, company: Company, seen: Seen) {
        match company {
            Company::Alone => self.alone.add(seen),
            Company::Beside => self.beside.add(seen),
        }
    }

    /// Runs in all.
    #[must_use]
    pub const fn runs(&self) -> u32 {
        self.alone.runs() + self.beside.runs()
    }

    /// Failures in all.
    #[must_use]
    pub const fn failed(&self) -> u32 {
        self.alone.failed + self.beside.failed
    }

    const fn passed(&self) -> u32 {
        self.alone.passed + self.beside.passed
    }

    /// What the runs so far say.
    ///
    /// | failed alone | failed beside others | passed | |
    /// | --- | --- | --- | --- |
    /// | no | no | any | clean |
    /// | yes | any | yes | flaky |
    /// | no | yes | yes | under load |
    /// | any of the two | | no | always fails |
    #[must_use]
    pub const fn finding(&self) -> Finding {
        match (self.alone.failed > 0, self.beside.failed > 0, self.passed() > 0) {
            (false, false, _) => Finding::Clean,
            (_, _, false) => Finding::AlwaysFails,
            (true, _, true) => Finding::Flaky,
            (false, true, true) => Finding::UnderLoad,
        }
    }

    /// True where it failed so often without a single pass that it is broken, not flaky.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.passed() == 0 && self.failed() >= ALWAYS_RUNS
    }

    /// The failure rate with its exact interval; of runs alone where it failed there, else of all.
    #[must_use]
    pub fn rate(&self, confidence: f64) -> Rate {
        match self.alone.failed {
            0 => clopper_pearson(self.failed(), self.runs(), confidence),
            failed => clopper_pearson(failed, self.alone.runs(), confidence),
        }
    }

    /// How many runs alone would show again what failed beside others, if it had nothing to do
    /// with them: enough to meet a flake of the expected rate at the goal's confidence, and no more
    /// than the goal has.
    #[must_use]
    pub fn runs_to_verify(&self, goal: &Goal) -> u32 {
        let rate = expected_rate(self.beside.failed, self.beside.runs());
        runs_to_exclude(rate, 1.0 - goal.confidence).min(goal.runs).max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use statrs::distribution::{Binomial, DiscreteCDF};

    use super::*;

    fn ledger(alone: (u32, u32), beside: (u32, u32)) -> Ledger {
        let tally = |(passed, failed)| Tally { passed, failed, both: 0 };
        Ledger { alone: tally(alone), beside: tally(beside) }
    }

    #[test]
    fn every_line_of_the_table() {
        for (alone, beside, wanted) in [
            ((0, 0), (0, 0), Finding::Clean),
            ((9, 0), (0, 0), Finding::Clean),
            ((9, 0), (9, 0), Finding::Clean),
            ((9, 1), (0, 0), Finding::Flaky),
            ((0, 1), (9, 0), Finding::Flaky),
            ((0, 1), (9, 1), Finding::Flaky),
            ((9, 1), (0, 9), Finding::Flaky),
            ((0, 0), (9, 1), Finding::UnderLoad),
            ((9, 0), (0, 1), Finding::UnderLoad),
            ((0, 1), (0, 0), Finding::AlwaysFails),
            ((0, 0), (0, 1), Finding::AlwaysFails),
            ((0, 1), (0, 1), Finding::AlwaysFails),
        ] {
            assert_eq!(ledger(alone, beside).finding(), wanted, "{alone:?} {beside:?}");
        }
    }

    #[test]
    fn every_finding_has_its_word() {
        for (finding, word) in [
            (Finding::Flaky, "flaky"),
            (Finding::UnderLoad, "under-load"),
            (Finding::AlwaysFails, "always-fails"),
            (Finding::Clean, "clean"),
        ] {
            assert_eq!(finding.word(), word);
        }
    }

    #[test]
    fn no_number_of_runs_makes_it_certain_to_meet_a_flake() {
        let goal = Goal { runs: 1_000, confidence: 0.95 };
        // By hand: 0.1 to the power of 1,000 is far below what can be taken from 1.
        for rate in [0.9, 1.0] {
            let power = goal.power(rate);
            assert!(power < 1.0 && power > 0.999_999, "{rate}: {power}");
        }
    }

    #[test]
    fn both_outcomes_in_one_run_are_a_flake_by_themselves() {
        let mut once = Ledger::default();
        once.add(Company::Alone, Seen::Both);
        assert_eq!((once.finding(), once.runs(), once.failed()), (Finding::Flaky, 1, 1));
    }

    #[test]
    fn ten_failures_and_no_pass_are_a_breakage() {
        assert!(!ledger((0, 9), (0, 0)).is_broken());
        assert!(ledger((0, 9), (0, 1)).is_broken());
        assert!(!ledger((1, 30), (0, 0)).is_broken());
        let goal = Goal { runs: 10, confidence: 0.95 };
        assert!((goal.rate_at_least(10) - 0.741_134).abs() < 1e-6);
        // The tail it comes from: at this rate ten of ten have a chance of 5 %.
        let none_passes = Binomial::new(1.0 - goal.rate_at_least(10), 10).unwrap().cdf(0);
        assert!((none_passes - 0.05).abs() < 1e-9);
    }

    #[test]
    fn what_failed_beside_others_is_verified_with_enough_runs() {
        let goal = Goal::excluding(0.01, 0.95);
        assert_eq!(ledger((0, 0), (3, 1)).runs_to_verify(&goal), 18);
        assert_eq!(ledger((0, 0), (100_000, 1)).runs_to_verify(&goal), 299);
        assert!(ledger((0, 0), (0, 1)).runs_to_verify(&goal) > 1);
    }

    proptest! {
        #[test]
        fn the_goal_finds_what_it_promises(rate in 0.001_f64..0.5, confidence in 0.5_f64..0.999) {
            let goal = Goal::excluding(rate, confidence);
            let missed = Binomial::new(rate, goal.runs.into()).unwrap().cdf(0);
            prop_assert!((1.0 - goal.power(rate) - missed).abs() < 1e-9);
            prop_assert!(goal.power(rate) >= confidence - 1e-6);
            prop_assert!(goal.excluded_by(goal.runs) <= rate * (1.0 + 1e-6));
        }

        #[test]
        fn more_clean_runs_exclude_more(clean in 1_u32..5_000, confidence in 0.5_f64..0.999) {
            let goal = Goal { runs: clean, confidence };
            prop_assert!(goal.excluded_by(clean + 1) < goal.excluded_by(clean));
        }
    }

    #[test]
    fn runs_alone_and_beside_others_are_runs_alike() {
        assert_eq!(ledger((2, 1), (1, 1)).runs(), 5);
    }
}
