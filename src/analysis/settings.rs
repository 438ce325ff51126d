//! Every number of the judgement, with its default.

use serde::{Deserialize, Serialize};

pub use super::method::{
    ChangepointSettings, EntropySettings, FlipRateSettings, SameRevisionSettings, WilsonSettings,
};

/// How to judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The name of the method: an entry of [`METHODS`](super::method::METHODS).
    pub method: String,
    /// The numbers of the `filter` method, the default.
    pub filter: super::filter::FilterSettings,
    /// The numbers of the `evidence` method.
    pub evidence: EvidenceSettings,
    /// The numbers of the `threshold` method.
    pub threshold: ThresholdSettings,
    /// The numbers of the `same-revision` method.
    pub same_revision: SameRevisionSettings,
    /// The numbers of the `flip-rate` method.
    pub flip_rate: FlipRateSettings,
    /// The numbers of the `entropy` method.
    pub entropy: EntropySettings,
    /// The numbers of the `wilson` method.
    pub wilson: WilsonSettings,
    /// The numbers of the `changepoint` method.
    pub changepoint: ChangepointSettings,
    /// When a run is set aside, whatever the method.
    pub outage: OutageSettings,
    /// When hints on the cause of failures are given, whatever the method.
    pub hints: HintSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: super::method::DEFAULT_METHOD.to_owned(),
            filter: super::filter::FilterSettings::default(),
            evidence: EvidenceSettings::default(),
            threshold: ThresholdSettings::default(),
            same_revision: SameRevisionSettings::default(),
            flip_rate: FlipRateSettings::default(),
            entropy: EntropySettings::default(),
            wilson: WilsonSettings::default(),
            changepoint: ChangepointSettings::default(),
            outage: OutageSettings::default(),
            hints: HintSettings::default(),
        }
    }
}

/// The numbers of the `evidence` method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EvidenceSettings {
    /// Fewer executions than this say nothing, unless they prove flakiness.
    pub min_runs: u32,
    /// From so many failures that recovered by themselves a test is flaky; below it is suspect.
    pub recoveries: u32,
    /// From failures on so many unrelated branches a test is flaky; from two it is suspect.
    pub branches: u32,
    /// A failure that is over after more revisions than this was a breakage that was mended.
    pub blip_revisions: u32,
    /// Fewest failed attempts in a row that make a test broken; tests with a known flake rate
    /// need more.
    pub broken_runs: u32,
    /// Chance that a flake fails again when tried again (0.148 measured on real reruns).
    pub fails_again: f64,
    /// Error accepted when failures in a row are called a breakage.
    pub broken_alpha: f64,
    /// Error accepted when passes in a row clear a flaky test.
    pub clear_alpha: f64,
    /// Fewest passes in a row that clear a flaky test.
    pub clear_runs: u32,
    /// Passes in a row after which a broken test is fixed rather than recovering.
    pub fixed_runs: u32,
    /// How often to re-run one revision to tell a flake from a breakage.
    pub reruns: u32,
    /// Fewest executions before a flaky test is recommended for quarantine.
    pub quarantine_runs: u32,
}

impl Default for EvidenceSettings {
    fn default() -> Self {
        Self {
            min_runs: 5,
            recoveries: 2,
            branches: 3,
            blip_revisions: 2,
            broken_runs: 3,
            fails_again: 0.148,
            broken_alpha: 0.01,
            clear_alpha: 0.05,
            clear_runs: 10,
            fixed_runs: 3,
            reruns: 3,
            quarantine_runs: 5,
        }
    }
}

/// The numbers of the `threshold` method, the classic rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ThresholdSettings {
    /// Only so many of the latest results count.
    pub window: u32,
    /// Fewer results than this say nothing.
    pub min_runs: u32,
    /// From this share of failures a test that also passes is flaky.
    pub threshold: f64,
    /// Fewest results before a flaky test is recommended for quarantine.
    pub quarantine_runs: u32,
    /// Whose results count.
    pub lanes: Lanes,
    /// Whether results of runs that were set aside count.
    pub outages: Outages,
}

impl Default for ThresholdSettings {
    fn default() -> Self {
        Self {
            window: 10,
            min_runs: 3,
            threshold: 0.3,
            quarantine_runs: 5,
            lanes: Lanes::All,
            outages: Outages::Count,
        }
    }
}

impl ThresholdSettings {
    /// The rule itself, for so many results of which so many are bad.
    #[must_use]
    pub fn is_flaky(&self, results: u32, bad: u32) -> bool {
        let share = f64::from(bad) / f64::from(results.max(1));
        results >= self.min_runs && bad > 0 && bad < results && share >= self.threshold
    }
}

/// Which runs a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lanes {
    /// All of them, in the order of time.
    #[default]
    All,
    /// Only the main line: the default branch, or all other runs where there is none.
    Main,
}

/// What a rule does with the results of runs that were set aside as outages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outages {
    /// Counts them like any others, as the rules do that services ship.
    #[default]
    Count,
    /// Looks past them.
    LeaveOut,
}

/// When a run is set aside as an outage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct OutageSettings {
    /// More than this share of the tests of a run must fail.
    pub share: f64,
    /// And more than so many times the median share of its lane and variant.
    pub times_median: f64,
    /// And at least so many tests.
    pub min_tests: u32,
    /// Longest row of runs that one outage spans; longer rows are a breakage.
    pub max_runs: u32,
}

impl Default for OutageSettings {
    fn default() -> Self {
        Self { share: 0.2, times_median: 5.0, min_tests: 3, max_runs: 2 }
    }
}

/// When hints on the cause of failures are given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct HintSettings {
    /// Tests with fewer failures that count are not looked at: with five, hardly anything but
    /// chance could be told.
    pub min_failures: u32,
    /// Share of the hints that may be chance, over all tests and signals of the window.
    pub false_discovery_rate: f64,
}

impl Default for HintSettings {
    fn default() -> Self {
        Self { min_failures: 6, false_discovery_rate: 0.05 }
    }
}
