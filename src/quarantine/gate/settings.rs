//! The settings of the gate: `[gate]` in `flakedb.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Settings of the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GateSettings {
    /// A quarantined test is worse than its record where chance explains its failures with less
    /// probability than this, between 0 and 1.
    pub p: f64,
    /// Runs that make a test's record, of its own variant.
    pub record_runs: u32,
    /// What to do where the history cannot say which tests should have run.
    pub expected: ExpectedRule,
    /// The last so many runs say which tests should run.
    pub expected_runs: u32,
    /// Fewer runs than this say nothing.
    pub expected_min_runs: u32,
    /// A test that ran in at least this share of those runs is expected, between 0 and 1.
    pub expected_share: f64,
    /// So many expected tests may be missing.
    pub tolerance: u32,
    /// Tests that were removed on purpose: names, in which `*` stands for anything.
    pub removed: Vec<String>,
    /// "Tests failed" codes by runner, over the built-in ones.
    pub runners: BTreeMap<String, Vec<i32>>,
}

/// What to do where the history cannot say which tests should have run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectedRule {
    /// Keep the code.
    #[default]
    Require,
    /// Go on without.
    IfKnown,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            p: 0.01,
            record_runs: 200,
            expected: ExpectedRule::Require,
            expected_runs: 20,
            expected_min_runs: 5,
            expected_share: 0.9,
            tolerance: 0,
            removed: Vec::new(),
            runners: BTreeMap::new(),
        }
    }
}

impl GateSettings {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// The key, its value, and what would be right.
    pub fn check(&self) -> Result<(), String> {
        let inside = |value: f64| value > 0.0 && value < 1.0;
        if !inside(self.p) {
            return Err(format!("gate.p = {}: write a number between 0 and 1", self.p));
        }
        let share = self.expected_share;
        if !(share > 0.0 && share <= 1.0) {
            return Err(format!("gate.expected-share = {share}: write a share above 0, up to 1"));
        }
        if self.expected_min_runs == 0 || self.expected_min_runs > self.expected_runs {
            return Err(format!(
                "gate.expected-min-runs = {}: write 1 to expected-runs, which is {}",
                self.expected_min_runs, self.expected_runs
            ));
        }
        for (runner, codes) in &self.runners {
            for code in codes {
                super::runners::may_mean_tests_failed(*code)
                    .map_err(|why| format!("gate.runners.{runner} has {code}: {why}"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(GateSettings::default().check(), Ok(()));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let ok = GateSettings::default;
        let coded =
            |code| GateSettings { runners: [("x".to_owned(), vec![3, code])].into(), ..ok() };
        for (settings, key) in [
            (GateSettings { p: 0.0, ..ok() }, "gate.p = 0"),
            (GateSettings { p: 1.0, ..ok() }, "gate.p = 1"),
            (GateSettings { p: f64::NAN, ..ok() }, "gate.p = NaN"),
            (GateSettings { expected_share: 0.0, ..ok() }, "gate.expected-share = 0"),
            (GateSettings { expected_share: 1.1, ..ok() }, "gate.expected-share = 1.1"),
            (GateSettings { expected_share: f64::NAN, ..ok() }, "gate.expected-share"),
            (GateSettings { expected_min_runs: 0, ..ok() }, "gate.expected-min-runs = 0"),
            (GateSettings { expected_min_runs: 21, ..ok() }, "gate.expected-min-runs = 21"),
            (coded(0), "gate.runners.x has 0"),
            (coded(137), "gate.runners.x has 137"),
        ] {
            let message = settings.check().unwrap_err();
            assert!(message.starts_with(key), "{message}");
        }
        for settings in [
            GateSettings { expected_share: 1.0, ..ok() },
            GateSettings { expected_min_runs: 20, ..ok() },
            coded(7),
        ] {
            assert_eq!(settings.check(), Ok(()));
        }
    }
}
