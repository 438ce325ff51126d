//! Why tests of one run failed together: as usual, for a shared cause, for a bad commit, or
//! because the machine did.
//!
//! For the number k of failing tests among n, with L the number that the tests' own states lead to
//! expect, four explanations compete:
//!
//! | explanation | likelihood of k |
//! | --- | --- |
//! | usual | Poisson(k; L + 0.02) |
//! | systemic | p_systemic · G(k) |
//! | bad commit, only in the first run of a revision | p_bad · (0.4 for k = 1, else 0.6 · G(k)) |
//! | outage | p_outage / (n + 1): any number is as likely |
//!
//! Where at least three failures look alike (one signature), each of them multiplies a likelihood by
//! how often failures do under that explanation: 0.05 as usual, 0.3 systemic, 0.6 for a bad commit
//! or an outage, which have one cause and so one message. Without texts nothing is multiplied.
//!
//! with G(k) = (1/6)(5/6)^(k-1), the sizes of groups that fail together.

use std::collections::VecDeque;

use super::model::Model;
use crate::analysis::special::ln_gamma;

/// Below so many failing tests nothing is called an outage.
pub const OUTAGE_TESTS_MIN: u32 = 3;
/// Below so many failing tests nothing is a group.
pub const GROUP_TESTS_MIN: u32 = 2;
/// What is expected at least, so that one failure is never impossible.
const EXPECTED_MIN: f64 = 0.02;

/// What is counted of a run, or of one module in it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Failures {
    /// Tests that failed at the first attempt.
    pub failing: u32,
    /// Tests that ran.
    pub tests: u32,
    /// How many failures the tests' states lead to expect.
    pub expected: f64,
    /// The most failures that look alike.
    pub alike: u32,
}

/// How probable each explanation is; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// The tests' own states explain it.
    pub usual: f64,
    /// A cause that flaky tests share.
    pub systemic: f64,
    /// The revision broke a group of tests.
    pub bad_commit: f64,
    /// The machine failed, not the tests.
    pub outage: f64,
}

impl Weights {
    /// The same tests fail again and again: the code broke.
    pub const LASTING: Self = Self { usual: 0.0, systemic: 0.0, bad_commit: 1.0, outage: 0.0 };
    /// Nothing failed.
    pub const QUIET: Self = Self { usual: 1.0, systemic: 0.0, bad_commit: 0.0, outage: 0.0 };

    /// Of the failures counted, where `bad_commit` is how likely a bad commit shows here; `None`
    /// where the revision ran before.
    #[must_use]
    pub fn of(model: &Model, count: &Failures, bad_commit: Option<f64>) -> Self {
        let Failures { failing, tests, expected, alike } = *count;
        let k = f64::from(failing);
        let alike = if alike >= model.alike_tests { f64::from(alike) } else { 0.0 };
        let [alike_usual, alike_systemic, alike_common] =
            [model.alike_usual, model.alike_systemic, model.alike_common].map(|p| alike * p.ln());
        let expected = expected + EXPECTED_MIN;
        let group = (1.0_f64 / 6.0).ln() + (k - 1.0) * (5.0_f64 / 6.0).ln();
        let usual = k * expected.ln() - expected - ln_gamma(k + 1.0) + alike_usual;
        let systemic = model.systemic.ln() + group + alike_systemic;
        let bad = bad_commit.map_or(f64::NEG_INFINITY, |prior| {
            let size = if failing == 1 { 0.4_f64.ln() } else { 0.6_f64.ln() + group };
            prior.ln() + size + alike_common
        });
        let outage = model.outage.ln() - (f64::from(tests) + 1.0).ln() + alike_common;
        let most = usual.max(systemic).max(bad).max(outage);
        let [usual, systemic, bad_commit, outage] =
            [usual, systemic, bad, outage].map(|weight| (weight - most).exp());
        Self { usual, systemic, bad_commit, outage }.normalised()
    }

    /// The same group failed together before.
    #[must_use]
    fn recurring(self, model: &Model) -> Self {
        Self { systemic: self.systemic * model.recurrence, ..self }.normalised()
    }

    fn normalised(self) -> Self {
        let sum = self.usual + self.systemic + self.bad_commit + self.outage;
        Self {
            usual: self.usual / sum,
            systemic: self.systemic / sum,
            bad_commit: self.bad_commit / sum,
            outage: self.outage / sum,
        }
    }
}

/// The groups of tests of one module that failed together, latest last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Groups {
    kept: VecDeque<(u32, Vec<u32>)>,
}

impl Groups {
    /// True where at least half of the group failed together before, in another event than the one
    /// that goes on; `run` counts the runs.
    fn recur(&self, model: &Model, run: u32, group: &[u32]) -> bool {
        self.kept.iter().any(|(when, before)| {
            let common = common(before, group);
            let all = before.len() + group.len() - common;
            when + 1 < run
                && common >= GROUP_TESTS_MIN as usize
                && common as f64 >= model.same_group * all as f64
        })
    }

    fn remember(&mut self, model: &Model, run: u32, group: Vec<u32>) {
        self.kept.push_back((run, group));
        while self.kept.len() > model.groups_kept as usize {
            self.kept.pop_front();
        }
    }
}

/// How many elements two sorted lists share.
pub(super) fn common(one: &[u32], other: &[u32]) -> usize {
    one.iter().filter(|test| other.binary_search(test).is_ok()).count()
}

/// What one module did in one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModuleCount {
    /// Its numbers.
    pub failures: Failures,
    /// Its tests that failed, sorted.
    pub failing: Vec<u32>,
}

/// One run, before it is explained.
#[derive(Debug, Clone, Copy)]
pub struct RunCount {
    /// Its numbers.
    pub failures: Failures,
    /// The prior of a bad commit; `None` where the revision ran before.
    pub bad_commit: Option<f64>,
    /// The run's number in its variant.
    pub run: u32,
}

/// One module of a run, explained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModuleExplained {
    /// The module.
    pub module: u32,
    /// Its tests that ran.
    pub tests: u32,
    /// Its tests that failed.
    pub failing: u32,
    /// The explanations of its failures.
    pub weights: Weights,
    /// True where the same group failed together before.
    pub recurring: bool,
    /// What holds for its tests.
    pub around: super::belief::Circumstance,
}

impl ModuleExplained {
    /// Says that it was no outage after all, but a breakage.
    pub(super) fn take_back(&mut self) {
        self.weights = Weights::LASTING;
        self.around.outage = 0.0;
        self.around.bad_commit = f64::from(self.failing) / f64::from(self.tests.max(1));
    }
}

/// Explains one module within a run whose own explanation gives `whole`.
#[must_use]
pub fn module(
    model: &Model,
    run: &RunCount,
    whole: &super::belief::Circumstance,
    number: u32,
    count: ModuleCount,
    groups: &mut Groups,
) -> ModuleExplained {
    let Failures { failing, tests, .. } = count.failures;
    let mut around = *whole;
    let mut weights = Weights::of(model, &count.failures, run.bad_commit);
    let mut recurring = false;
    if failing >= GROUP_TESTS_MIN && model.recurrence > 0.0 {
        let credible = weights.outage < 0.5 && whole.outage < 0.5;
        recurring = credible && groups.recur(model, run.run, &count.failing);
        if credible {
            groups.remember(model, run.run, count.failing);
        }
        if recurring {
            weights = weights.recurring(model);
            around.outage = around.outage.min(weights.outage);
        }
    }
    let share = f64::from(failing) / f64::from(tests.max(1));
    if failing >= OUTAGE_TESTS_MIN && weights.outage > whole.outage {
        around.outage = weights.outage;
        around.share = clip(share);
    }
    if failing >= GROUP_TESTS_MIN {
        around.bad_commit = weights.bad_commit * (1.0 - around.outage) * share;
    }
    ModuleExplained { module: number, tests, failing, weights, recurring, around }
}

/// Explains a run as a whole: its weights, and what holds for tests of modules without failures.
#[must_use]
pub fn whole(model: &Model, run: &RunCount) -> (Weights, super::belief::Circumstance) {
    let Failures { failing, tests, .. } = run.failures;
    let weights = Weights::of(model, &run.failures, run.bad_commit);
    let outage = if failing >= OUTAGE_TESTS_MIN { weights.outage } else { 0.0 };
    let share = clip(f64::from(failing) / f64::from(tests.max(1)));
    (weights, super::belief::Circumstance { outage, share, bad_commit: 0.0 })
}

/// A share that no result can contradict.
fn clip(share: f64) -> f64 {
    share.clamp(0.05, 0.98)
}
