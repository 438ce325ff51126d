//! Apple's flip rate: how often the outcome changes among the results of one day.
//!
//! For each day with n results of the main line, f is the number of changes of outcome between
//! consecutive results over n - 1; the score is the mean of f over all days, newer days weighing
//! more. Days with one result count as steady.
//!
//! Source: "Modeling and ranking flaky tests at Apple", as in [`weighted`](super::weighted), which
//! ranks by this score; the threshold is the one at which our benchmark found it best.

use serde::{Deserialize, Serialize};

use super::rule::{Breakage, Case, Finding, Limits, Scope, Sign, percent, place};
use super::weighted::{Per, Result, Weighted, groups};
use super::{Docket, MethodEntry};
use crate::analysis::settings::{Lanes, Outages};

pub(super) const METHOD: MethodEntry = MethodEntry {
    name: "flip-rate",
    summary: "Apple's flip rate: how often the outcome changes within a day",
    weighs: false,
    outages: |settings| settings.flip_rate.outages,
    judge,
};

/// The numbers of the `flip-rate` method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct FlipRateSettings {
    /// From this weighted flip rate a test is flaky.
    pub threshold: f64,
    /// How much weight a day loses with each day after it.
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

impl Default for FlipRateSettings {
    fn default() -> Self {
        Self {
            threshold: 0.1,
            fading: 0.1,
            per: Per::Day,
            min_runs: 3,
            broken_runs: 3,
            quarantine_runs: 5,
            lanes: Lanes::Main,
            outages: Outages::Count,
        }
    }
}

fn judge(docket: &Docket<'_>) -> Vec<super::Opinion> {
    let settings = &docket.settings.flip_rate;
    let scope = Scope { lanes: settings.lanes, outages: settings.outages };
    let limits = Limits {
        min_runs: settings.min_runs,
        broken_runs: settings.broken_runs,
        quarantine_runs: settings.quarantine_runs,
    };
    docket.each(|docket, unit, evidence, vanished| {
        let case = Case::of(docket, unit, evidence, vanished, scope);
        let finding = case.troubled().then(|| find(&case.results, settings));
        case.opinion(finding, limits)
    })
}

/// Changes of outcome between consecutive results.
fn flips(group: &[Result<'_>]) -> u32 {
    let bad = |result: &Result<'_>| result.0.outcome.is_bad();
    group.iter().zip(group.iter().skip(1)).filter(|(one, next)| bad(one) != bad(next)).count()
        as u32
}

fn find(results: &[Result<'_>], settings: &FlipRateSettings) -> Finding {
    let groups = groups(results, settings.per);
    let rate = |group: &Vec<Result<'_>>| {
        f64::from(flips(group)) / group.len().saturating_sub(1).max(1) as f64
    };
    let weighted = Weighted::of(groups.iter().map(rate), settings.fading);
    let score = weighted.mean();
    let sum: u32 = groups.iter().map(|group| flips(group)).sum();
    let uneasy = groups.iter().filter(|group| flips(group) > 0).count() as u32;
    let one = match settings.per {
        Per::Day => "day",
        Per::Revision => "revision",
    };
    let where_ = place(settings.lanes);
    let mut rule = match sum {
        0 => format!("Never changed outcome within a {one}{where_}"),
        sum => format!(
            "Changed outcome {} within a {one}{where_}, on {uneasy} of {}: a flip rate of {}, \
             newer {one}s weighing more; flaky from {}",
            times(sum),
            settings.per.count(groups.len() as u32),
            percent(score),
            percent(settings.threshold),
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

/// How many days more clear a test, in words.
pub(super) fn clearing(days: u32) -> String {
    match days {
        1 => "; 1 more day without a failure clears it".to_owned(),
        days => format!("; {days} more days without a failure clear it"),
    }
}

/// How often in words.
pub(super) fn times(times: u32) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        times => format!("{times} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Strip, rule, verdict_of};
    use super::*;
    use crate::analysis::Settings;
    use crate::analysis::verdict::{NextStep, Status, Verdict};

    fn judged(strip: &Strip, change: impl Fn(&mut FlipRateSettings)) -> Verdict {
        let mut settings = Settings { method: "flip-rate".into(), ..Settings::default() };
        change(&mut settings.flip_rate);
        verdict_of(strip, &settings)
    }

    #[test]
    fn flips_count_within_a_day_and_fade() {
        // Four runs a day: .F.. has 2 flips of 3, .... none: f = 2/3, 0, so that the score is
        // (0.9 · 2/3) / 1.9 = 0.3158.
        let verdict = judged(&Strip::new(".F......").runs_a_day(4), |_| {});
        assert!((verdict.score.unwrap() - 0.6 / 1.9).abs() < 1e-12);
        assert_eq!(verdict.status, Status::Flaky);
        // 0.9^k (2/3) / Σ 0.9^i: k = 4 0.4374 / 4.0951 = 0.1068, k = 5 0.39366 / 4.68559 = 0.084.
        assert_eq!(
            rule(&verdict),
            "Changed outcome twice within a day on the main line, on 1 of 2 days: a flip rate of \
             32 %, newer days weighing more; flaky from 10 %; 4 more days without a failure clear \
             it"
        );
        assert!(verdict.next.is_empty());
    }

    #[test]
    fn one_result_a_day_never_flips() {
        let verdict = judged(&Strip::new(".F.F.F.."), |_| {});
        assert_eq!((verdict.status, verdict.score), (Status::Healthy, Some(0.0)));
        assert_eq!(rule(&verdict), "Never changed outcome within a day on the main line");
        let failing = judged(&Strip::new(".F.F.F.F"), |_| {});
        assert_eq!(failing.status, Status::Suspect);
    }

    #[test]
    fn by_revision_the_forecast_is_in_runs() {
        let strip = Strip::new("F....").revisions("aabcd");
        let verdict = judged(&strip, |settings| settings.per = Per::Revision);
        // f = 1, 0, 0, 0: 0.729 / 3.439 = 0.212; three more are below 0.1: 0.531 / 5.217 = 0.1019.
        assert!((verdict.score.unwrap() - 0.729 / 3.439).abs() < 1e-12);
        assert_eq!(verdict.next, [NextStep::CleanRuns { runs: 4 }]);
    }

    #[test]
    fn every_number_is_a_setting() {
        let strip = Strip::new(".F......").runs_a_day(4);
        assert_eq!(judged(&strip, |s| s.threshold = 0.4).status, Status::Suspect);
        assert_eq!(judged(&strip, |s| s.fading = 1.0).status, Status::Healthy);
        assert_eq!(judged(&strip, |s| s.min_runs = 9).status, Status::New);
        assert!(!judged(&strip, |s| s.quarantine_runs = 9).quarantine);
        let broken = Strip::new(".F..FF").runs_a_day(4);
        assert_eq!(judged(&broken, |s| s.broken_runs = 2).status, Status::NewlyBroken);
    }
}
