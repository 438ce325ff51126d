//! Apple's entropy: how much the results of one revision disagree.
//!
//! For each revision, f is the entropy -Σ p log₂ p of its passed and failed attempts, in every run
//! and every lane: 0 where they agree, 1 where half of them failed. The score is the mean of f over
//! all revisions, newer ones weighing more.
//!
//! Source: "Modeling and ranking flaky tests at Apple", as in [`weighted`](super::weighted), which
//! ranks by this score; the threshold is the one of our benchmark.

use serde::{Deserialize, Serialize};

use super::flip_rate::clearing;
use super::rule::{Breakage, Case, Finding, Limits, Scope, Sign};
use super::weighted::{Per, Result, Weighted, groups};
use super::{Docket, MethodEntry};
use crate::analysis::settings::{Lanes, Outages};

pub(super) const METHOD: MethodEntry = MethodEntry {
    name: "entropy",
    summary: "Apple's entropy: how much the results of one revision disagree",
    weighs: false,
    outages: |settings| settings.entropy.outages,
    judge,
};

/// The numbers of the `entropy` method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntropySettings {
    /// From this weighted entropy a test is flaky.
    pub threshold: f64,
    /// How much weight a revision loses with each one after it.
    pub fading: f64,
    /// Which results are looked at together.
    pub per: Per,
    /// Fewer results than this say nothing.
    pub min_runs: u32,
    /// So many failures in a row on the main line are a breakage.
    pub broken_runs: u32,
    /// Fewest results before a flaky test is recommended for quarantine.
    pub quarantine_runs: u32,
    /// Whose results count.
    pub lanes: Lanes,
    /// Whether results of runs that were set aside count.
    pub outages: Outages,
}

impl Default for EntropySettings {
    fn default() -> Self {
        Self {
            threshold: 0.05,
            fading: 0.1,
            per: Per::Revision,
            min_runs: 1,
            broken_runs: 3,
            quarantine_runs: 5,
            lanes: Lanes::All,
            outages: Outages::Count,
        }
    }
}

fn judge(docket: &Docket<'_>) -> Vec<super::Opinion> {
    let settings = &docket.settings.entropy;
    let scope = Scope { lanes: settings.lanes, outages: settings.outages };
    let limits = Limits {
        min_runs: settings.min_runs,
        broken_runs: settings.broken_runs,
        quarantine_runs: settings.quarantine_runs,
    };
    docket.each(|docket, unit, evidence, vanished| {
        let mut case = Case::of(docket, unit, evidence, vanished, scope);
        let finding = case.troubled().then(|| {
            // Nobody knows which of the tests that share a name failed there.
            case.results.retain(|(seen, _)| !seen.unclear());
            find(&case.results, settings)
        });
        case.opinion(finding, limits)
    })
}

/// The entropy of passed and failed attempts, in bits.
fn entropy(group: &[Result<'_>]) -> f64 {
    let failed: f64 = group.iter().map(|(seen, _)| f64::from(seen.bad_attempts)).sum();
    let passed = group.iter().filter(|(seen, _)| !seen.outcome.is_bad()).count() as f64;
    let part = |count: f64| match count / (failed + passed) {
        share if share > 0.0 => -share * share.log2(),
        _ => 0.0,
    };
    part(failed) + part(passed)
}

fn find(results: &[Result<'_>], settings: &EntropySettings) -> Finding {
    let groups = groups(results, settings.per);
    let values: Vec<f64> = groups.iter().map(|group| entropy(group)).collect();
    let weighted = Weighted::of(values.iter().copied(), settings.fading);
    let score = weighted.mean();
    let split = values.iter().filter(|value| **value > 0.0).count() as u32;
    let one = match settings.per {
        Per::Day => "day",
        Per::Revision => "revision",
    };
    let mut rule = match split {
        0 => format!("The results of each {one} agree"),
        split => format!(
            "Passed and failed on {split} of {}: an entropy of {score:.3} of at most 1, newer \
             {one}s weighing more; flaky from {}",
            settings.per.count(groups.len() as u32),
            settings.threshold,
        ),
    };
    let sign = match score {
        score if score <= 0.0 => Sign::None,
        score if score >= settings.threshold => Sign::Holds,
        _ => Sign::Some,
    };
    let left =
        if sign == Sign::Holds { weighted.groups_to_fall_below(settings.threshold) } else { None };
    // A run more is a revision more, as a rule; how many runs a day will have, nobody knows.
    let clean_runs = left.filter(|_| settings.per == Per::Revision);
    if let (Some(left), None) = (left, clean_runs) {
        rule += &clearing(left);
    }
    Finding { sign, score, rule, clean_runs, breakage: Breakage::InARow }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Strip, rule, verdict_of};
    use super::*;
    use crate::analysis::Settings;
    use crate::analysis::verdict::{NextStep, Status, Verdict};

    fn judged(strip: &Strip, change: impl Fn(&mut EntropySettings)) -> Verdict {
        let mut settings = Settings { method: "entropy".into(), ..Settings::default() };
        change(&mut settings.entropy);
        verdict_of(strip, &settings)
    }

    #[test]
    fn the_entropy_is_that_of_all_attempts_on_a_revision() {
        // Revision a: one failed and three passed attempts, H(1/4) = 0.811278; then b, c: none.
        // (0.81 · 0.811278) / 2.71 = 0.242486.
        let strip = Strip::new(".F....").revisions("aaaabc");
        let verdict = judged(&strip, |_| {});
        assert!((verdict.score.unwrap() - 0.81 * 0.811_278_124_459_132_8 / 2.71).abs() < 1e-12);
        assert_eq!(verdict.status, Status::Flaky);
        assert_eq!(
            rule(&verdict),
            "Passed and failed on 1 of 3 revisions: an entropy of 0.242 of at most 1, newer \
             revisions weighing more; flaky from 0.05"
        );
        assert_eq!(verdict.next, [NextStep::CleanRuns { runs: 7 }]);
    }

    #[test]
    fn retries_count_by_attempt_and_lasting_failures_do_not() {
        // One failed and one passed attempt: 1 bit.
        assert_eq!(judged(&Strip::new("r"), |_| {}).score, Some(1.0));
        // Three failed attempts agree with each other.
        assert_eq!(judged(&Strip::new("R"), |_| {}).score, Some(0.0));
        let changed = judged(&Strip::new("..FF.."), |_| {});
        assert_eq!((changed.status, changed.score), (Status::Healthy, Some(0.0)));
        assert_eq!(rule(&changed), "The results of each revision agree");
        assert_eq!(judged(&Strip::new("..FFF"), |_| {}).status, Status::NewlyBroken);
    }

    #[test]
    fn every_number_is_a_setting() {
        let strip = Strip::new(".F....").revisions("aaaabc");
        assert_eq!(judged(&strip, |s| s.threshold = 0.3).status, Status::Suspect);
        assert_eq!(judged(&strip, |s| s.fading = 1.0).score, Some(0.0));
        assert_eq!(judged(&strip, |s| s.per = Per::Day).score, Some(0.0));
        assert_eq!(judged(&strip, |s| s.min_runs = 7).status, Status::New);
        assert!(!judged(&strip, |s| s.quarantine_runs = 7).quarantine);
        let change = Strip::new(".F").revisions("aa").lanes("DC");
        assert_eq!(judged(&change, |_| {}).score, Some(1.0));
        assert_eq!(judged(&change, |s| s.lanes = Lanes::Main).score, Some(0.0));
    }
}
