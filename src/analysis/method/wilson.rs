//! The interval of the failure rate: flaky where it is surely above nothing and below everything.
//!
//! The Wilson score interval of the share of failures among the latest results of the main line:
//! flaky where its lower bound is at least `lower`, its upper one at most `upper`, and the test
//! does not fail right now. It cannot tell a breakage that was mended from a flake.
//!
//! Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
//! JASA 22 (1927); the use for flaky tests is a common one in dashboards.

use serde::{Deserialize, Serialize};

use super::rule::{
    Breakage, Case, Finding, Limits, Scope, Sign, clean_runs, percent, place, results,
};
use super::{Docket, MethodEntry};
use crate::analysis::interval::score_interval;
use crate::analysis::settings::{Lanes, Outages};
use crate::analysis::special::normal_quantile;
use crate::analysis::verdict::Rate;

pub(super) const METHOD: MethodEntry = MethodEntry {
    name: "wilson",
    summary: "a failure rate that is surely above 1 %, and the test does not fail right now",
    weighs: false,
    outages: |settings| settings.wilson.outages,
    judge,
};

/// The numbers of the `wilson` method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct WilsonSettings {
    /// Only so many of the latest results count.
    pub window: u32,
    /// How sure the two bounds are together, between 0 and 1.
    pub confidence: f64,
    /// The lower bound of a flaky test's failure rate is at least this.
    pub lower: f64,
    /// And its upper bound at most this.
    pub upper: f64,
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

impl Default for WilsonSettings {
    fn default() -> Self {
        Self {
            window: 100,
            confidence: 0.9,
            lower: 0.01,
            upper: 0.95,
            min_runs: 3,
            broken_runs: 3,
            quarantine_runs: 5,
            lanes: Lanes::Main,
            outages: Outages::Count,
        }
    }
}

fn judge(docket: &Docket<'_>) -> Vec<super::Opinion> {
    let settings = &docket.settings.wilson;
    let scope = Scope { lanes: settings.lanes, outages: settings.outages };
    let limits = Limits {
        min_runs: settings.min_runs,
        broken_runs: settings.broken_runs,
        quarantine_runs: settings.quarantine_runs,
    };
    let z = normal_quantile(0.5 + settings.confidence.clamp(0.0, 0.999_999) / 2.0);
    docket.each(|docket, unit, evidence, vanished| {
        let case = Case::of(docket, unit, evidence, vanished, scope);
        let bads: Vec<bool> = case.results.iter().map(|(seen, _)| seen.outcome.is_bad()).collect();
        let finding = case.troubled().then(|| find(&bads, z, settings));
        case.opinion(finding, limits)
    })
}

/// The interval after so many passes more.
fn interval(bads: &[bool], passes: u32, z: f64, settings: &WilsonSettings) -> Rate {
    let old = settings.window.saturating_sub(passes) as usize;
    let latest = bads.get(bads.len().saturating_sub(old)..).unwrap_or_default();
    let bad = latest.iter().filter(|bad| **bad).count() as u32;
    score_interval(bad, latest.len() as u32 + passes.min(settings.window), z)
}

fn holds(rate: Rate, settings: &WilsonSettings) -> bool {
    rate.value > 0.0 && rate.low >= settings.lower && rate.high <= settings.upper
}

fn find(bads: &[bool], z: f64, settings: &WilsonSettings) -> Finding {
    let rate = interval(bads, 0, z, settings);
    let count = (bads.len() as u32).min(settings.window);
    let bad = (rate.value * f64::from(count)).round();
    let rule = format!(
        "{bad:.0} of the last {}{} failed: a rate of {} to {}, {} sure; flaky from {} to {}",
        results(count),
        place(settings.lanes),
        percent(rate.low),
        percent(rate.high),
        percent(settings.confidence),
        percent(settings.lower),
        percent(settings.upper),
    );
    let holding = holds(rate, settings);
    let sign = match (holding, rate.value > 0.0) {
        (true, _) => Sign::Holds,
        (false, true) => Sign::Some,
        (false, false) => Sign::None,
    };
    let ahead = |passes| holds(interval(bads, passes, z, settings), settings);
    let clean_runs = if holding { clean_runs(ahead) } else { None };
    Finding { sign, score: rate.low, rule, clean_runs, breakage: Breakage::InARow }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Strip, rule, verdict_of};
    use super::*;
    use crate::analysis::Settings;
    use crate::analysis::verdict::{NextStep, Status, Verdict};

    fn judged(strip: &str, change: impl Fn(&mut WilsonSettings)) -> Verdict {
        let mut settings = Settings { method: "wilson".into(), ..Settings::default() };
        change(&mut settings.wilson);
        verdict_of(&Strip::new(strip), &settings)
    }

    #[test]
    fn the_interval_decides_and_the_rule_says_so() {
        // 3 of 10 with z = 1.6449: p = 0.3, z² = 2.7055; centre 0.3 + 0.1353 = 0.4353, half width
        // 1.6449 √(0.021 + 0.006764) = 0.2741, over 1.27055: 0.1269 to 0.5583.
        let verdict = judged(".F.F.F....", |_| {});
        assert_eq!(verdict.status, Status::Flaky);
        assert!((verdict.score.unwrap() - 0.126_9).abs() < 1e-4, "{:?}", verdict.score);
        assert_eq!(
            rule(&verdict),
            "3 of the last 10 results on the main line failed: a rate of 13 % to 56 %, 90 % sure; \
             flaky from 1 % to 95 %"
        );
        assert!(verdict.quarantine);
    }

    #[test]
    fn passes_clear_it_once_the_lower_bound_is_below() {
        // One failure in n, z = 1.6449: the lower bound is 0.010207 for n = 22 and 0.009760 for
        // n = 23 (computed apart, with the textbook formula).
        let verdict = judged("F.........", |_| {});
        assert_eq!((verdict.status, &*verdict.next), (Status::Flaky, STEPS));
        let settled = judged(&("F".to_owned() + &".".repeat(22)), |_| {});
        assert_eq!(settled.status, Status::Suspect);
        // It leaves the window at last.
        let gone = judged(&("F".to_owned() + &".".repeat(100)), |_| {});
        assert_eq!((gone.status, gone.score), (Status::Healthy, Some(0.0)));
    }

    const STEPS: &[NextStep] = &[NextStep::CleanRuns { runs: 13 }];

    #[test]
    fn what_fails_now_is_broken_and_not_flaky() {
        assert_eq!(judged("..FF.F.FFF", |_| {}).status, Status::NewlyBroken);
        assert_eq!(judged("FFFFF", |_| {}).status, Status::Broken);
        assert_eq!(judged("FFFFF", |s| s.broken_runs = 6).status, Status::Suspect);
        assert_eq!(judged("F.", |_| {}).status, Status::New);
        assert_eq!(judged("..........", |_| {}).status, Status::Healthy);
    }

    #[test]
    fn every_number_is_a_setting() {
        let strip = ".F.F.F....";
        assert_eq!(judged(strip, |s| s.lower = 0.2).status, Status::Suspect);
        assert_eq!(judged(strip, |s| s.upper = 0.5).status, Status::Suspect);
        assert_eq!(judged(strip, |s| s.confidence = 0.999_9).status, Status::Flaky);
        assert_eq!(judged(strip, |s| s.window = 4).status, Status::Healthy);
        assert_eq!(judged(strip, |s| s.min_runs = 11).status, Status::New);
        assert!(!judged(strip, |s| s.quarantine_runs = 11).quarantine);
    }

    #[test]
    fn without_a_failure_no_rate_is_above_nothing() {
        // Each of its retries passed.
        assert_eq!(judged("r.....r...", |s| s.lower = 0.0).status, Status::Healthy);
    }

    #[test]
    fn only_the_main_line_counts_unless_told_otherwise() {
        let strip = Strip::new(".F.F......").lanes("DCDCDDDDDD");
        let mut settings = Settings { method: "wilson".into(), ..Settings::default() };
        assert_eq!(verdict_of(&strip, &settings).status, Status::Healthy);
        settings.wilson.lanes = Lanes::All;
        assert_eq!(verdict_of(&strip, &settings).status, Status::Flaky);
    }
}
