//! The numbers of the filter: where probabilities become words, and the model's constants.

use serde::{Deserialize, Serialize};

use super::model::Model;

/// The numbers of the filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct FilterSettings {
    /// From this P(flaky) on a test with evidence is flaky.
    pub flaky: f64,
    /// The same for teams that dread a false quarantine (`--strict`).
    pub flaky_strict: f64,
    /// Use the strict one.
    pub strict: bool,
    /// From this P(flaky) on weaker evidence is enough: a single failure, of one revision, that
    /// recovered by itself, or failures on unrelated branches. Else it takes two recoveries, or a
    /// proof on one revision.
    pub single_recovery: f64,
    /// So many branches that have nothing else in common are unrelated branches.
    pub branches: u32,
    /// Below this P(flaky) a flaky test is no longer flaky.
    pub stay: f64,
    /// Below this P(flaky) a test that was flaky has recovered.
    pub recovered: f64,
    /// From this P(broken) on a test is broken.
    pub broken: f64,
    /// From this P(broken) on a flaky test is not recommended for quarantine: it would hide a
    /// breakage as likely as not.
    pub withhold: f64,
    /// Passing runs after which a broken test is fixed rather than recovering.
    pub fixed_runs: u32,
    /// Fewer executions than this say nothing, unless they prove something.
    pub min_runs: u32,
    /// Fewest executions before a flaky test is recommended for quarantine.
    pub quarantine_runs: u32,
    /// The part of the recommended tests that may be wrongly there, on average.
    pub false_discovery_rate: f64,
    /// The constants of the model.
    pub model: Model,
}

impl Default for FilterSettings {
    fn default() -> Self {
        Self {
            flaky: 0.35,
            flaky_strict: 0.5,
            strict: false,
            single_recovery: 0.6,
            branches: 3,
            stay: 0.3,
            recovered: 0.05,
            broken: 0.9,
            withhold: 0.5,
            fixed_runs: 3,
            min_runs: 5,
            quarantine_runs: 5,
            false_discovery_rate: 0.05,
            model: Model::default(),
        }
    }
}

impl FilterSettings {
    /// The threshold below which a flaky test is no longer flaky, never above the one to enter.
    #[must_use]
    pub const fn leave(&self) -> f64 {
        self.stay.min(self.enter())
    }

    /// The threshold that a test must reach to be called flaky.
    #[must_use]
    pub const fn enter(&self) -> f64 {
        if self.strict { self.flaky_strict } else { self.flaky }
    }
}
