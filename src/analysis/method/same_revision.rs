//! Both outcomes on one revision, lately: the rule that CI services ship.
//!
//! A test is flaky where it passed and failed on one revision, at least so often within so many
//! days; retries within a run count, and so do other runs of the revision.
//!
//! Sources: CircleCI ("Test Insights": passed and failed on one commit within 14 days, forgotten
//! 14 days after the last flake), Harness CI (the same; `clear-runs = 5`), Mergify ("different
//! conclusions on one SHA"), Trunk (pass-on-retry monitor; `days = 7`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rule::{Breakage, Case, Finding, Limits, Scope, Sign};
use super::{Docket, MethodEntry};
use crate::analysis::history::{Run, Seen};
use crate::analysis::settings::{Lanes, Outages};
use crate::model::{Timestamp, counted};

pub(super) const METHOD: MethodEntry = MethodEntry {
    name: "same-revision",
    summary: "passed and failed on one revision lately, as CI services have it",
    weighs: false,
    outages: |settings| settings.same_revision.outages,
    judge,
};

/// The numbers of the `same-revision` method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct SameRevisionSettings {
    /// Both outcomes must be at most so many days apart, and are forgotten after as many, counted
    /// back from the newest run.
    pub days: u32,
    /// On so many revisions at least.
    pub revisions: u32,
    /// Passes in a row after which everything before is forgotten; 0 for never.
    pub clear_runs: u32,
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

impl Default for SameRevisionSettings {
    fn default() -> Self {
        Self {
            days: 14,
            revisions: 1,
            clear_runs: 0,
            min_runs: 1,
            broken_runs: 3,
            quarantine_runs: 5,
            lanes: Lanes::All,
            outages: Outages::Count,
        }
    }
}

fn judge(docket: &Docket<'_>) -> Vec<super::Opinion> {
    let settings = &docket.settings.same_revision;
    let scope = Scope { lanes: settings.lanes, outages: settings.outages };
    let limits = Limits {
        min_runs: settings.min_runs,
        broken_runs: settings.broken_runs,
        quarantine_runs: settings.quarantine_runs,
    };
    let now = docket.history.runs.iter().map(|run| run.started).max().unwrap_or_default();
    docket.each(|docket, unit, evidence, vanished| {
        let case = Case::of(docket, unit, evidence, vanished, scope);
        let finding = case.troubled().then(|| find(&case, now, settings));
        case.opinion(finding, limits)
    })
}

fn find(case: &Case<'_>, now: Timestamp, settings: &SameRevisionSettings) -> Finding {
    let clean = case.results.iter().rev().take_while(|(seen, _)| !seen.troubled()).count() as u32;
    let cleared = settings.clear_runs > 0 && clean >= settings.clear_runs;
    let mut moments = if cleared { Vec::new() } else { moments(&case.results, settings.days) };
    moments.retain(|moment| *moment >= now.minus_days(settings.days));
    moments.sort_unstable();
    let (count, needed) = (moments.len() as u32, settings.revisions.max(1));
    let days = counted(settings.days, "day");
    let mut rule = match (count, cleared) {
        (_, true) => format!("Passed {clean} times in a row, which clears it"),
        (0, _) => format!("No revision both passed and failed within the last {days}"),
        (count, _) => {
            let revisions = counted(count, "revision");
            format!("Passed and failed on {revisions} within the last {days}")
        }
    };
    if count > 0 {
        rule += &format!("; flaky from {needed}");
    }
    // The rule ends when the last moment but so many is too old.
    let ends = moments.len().checked_sub(needed as usize).and_then(|place| moments.get(place));
    if let Some(moment) = ends {
        let end = Timestamp(moment.0.saturating_add(days_ms(settings.days)));
        rule += &format!("; forgotten after {} unless it happens again", end.to_date());
    }
    let sign = match count {
        0 => Sign::None,
        count if count < needed => Sign::Some,
        _ => Sign::Holds,
    };
    let clean_runs = (settings.clear_runs > 0).then(|| settings.clear_runs.saturating_sub(clean));
    Finding { sign, score: f64::from(count), rule, clean_runs, breakage: Breakage::InARow }
}

const fn days_ms(days: u32) -> i64 {
    Timestamp::DAY_MS.saturating_mul(days as i64)
}

/// When each revision with both outcomes was last known to have them.
///
/// A failure is contradicted by a pass of its revision at most `days` away: from the failure on
/// where that pass came before it, else from the pass on.
fn moments(results: &[(&Seen, &Run)], days: u32) -> Vec<Timestamp> {
    let mut revisions: BTreeMap<Result<&str, u32>, Vec<(&Seen, Timestamp)>> = BTreeMap::new();
    for (seen, run) in results.iter().filter(|(seen, _)| !seen.unclear()) {
        // A run without a revision can only contradict itself.
        let key = run.revision.as_deref().ok_or(seen.run);
        revisions.entry(key).or_default().push((seen, run.started));
    }
    let near = |one: Timestamp, other: Timestamp| one.0.abs_diff(other.0) <= days_ms(days) as u64;
    let known = |same: &Vec<(&Seen, Timestamp)>| {
        let passed = same.iter().filter(|(seen, _)| !seen.outcome.is_bad());
        let passes: Vec<Timestamp> = passed.map(|(_, at)| *at).collect();
        let contradicted = |failed: Timestamp| {
            let after = passes.partition_point(|passed| *passed <= failed);
            let before = after.checked_sub(1).and_then(|place| passes.get(place));
            match (before, passes.get(after)) {
                (Some(passed), _) if near(*passed, failed) => Some(failed),
                (_, Some(passed)) if near(*passed, failed) => Some(*passed),
                _ => None,
            }
        };
        let failures = same.iter().filter(|(seen, _)| seen.troubled());
        failures.filter_map(|(_, failed)| contradicted(*failed)).max()
    };
    revisions.values().filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Strip, rule, verdict_of};
    use super::*;
    use crate::analysis::Settings;
    use crate::analysis::verdict::{NextStep, Status};

    fn settings(change: impl Fn(&mut SameRevisionSettings)) -> Settings {
        let mut settings = Settings { method: "same-revision".into(), ..Settings::default() };
        change(&mut settings.same_revision);
        settings
    }

    /// One run a day; letters are revisions.
    fn said(
        strip: &str,
        revisions: &str,
        change: impl Fn(&mut SameRevisionSettings),
    ) -> (Status, f64, String) {
        let verdict = verdict_of(&Strip::new(strip).revisions(revisions), &settings(change));
        (verdict.status, verdict.score.unwrap(), rule(&verdict))
    }

    #[test]
    fn both_outcomes_on_one_revision_are_flaky_until_they_are_forgotten() {
        let (status, score, rule) = said("..F..", "abccd", |_| {});
        assert_eq!((status, score), (Status::Flaky, 1.0));
        // The failure of 3 January is contradicted by the pass of 4 January.
        assert_eq!(
            rule,
            "Passed and failed on 1 revision within the last 14 days; flaky from 1; forgotten \
             after 2026-01-18 unless it happens again"
        );
        let quiet = ".".repeat(14);
        let (status, score, rule) = said(&format!("F.{quiet}"), "aabcdefghijklmno", |_| {});
        assert_eq!((status, score), (Status::Flaky, 1.0), "{rule}");
        let (status, score, rule) = said(&format!("F.{quiet}."), "aabcdefghijklmnop", |_| {});
        assert_eq!((status, score), (Status::Healthy, 0.0));
        assert_eq!(rule, "No revision both passed and failed within the last 14 days");
    }

    #[test]
    fn retries_count_and_other_revisions_do_not() {
        assert_eq!(said("..r..", "abcde", |_| {}).0, Status::Flaky);
        assert_eq!(said("..r..", "-----", |_| {}).0, Status::Flaky);
        assert_eq!(said("..F..", "abcde", |_| {}).0, Status::Healthy);
        assert_eq!(said("..F..", "-----", |_| {}).0, Status::Healthy);
        assert_eq!(said(".a...", "bbbbb", |_| {}).0, Status::Healthy, "shared names prove nothing");
        assert_eq!(said("..r.F", "abcde", |_| {}).0, Status::Flaky);
        assert_eq!(said("..rFFF", "abcdef", |_| {}).0, Status::NewlyBroken);
        assert_eq!(said("RRR", "abc", |_| {}).0, Status::Broken);
    }

    #[test]
    fn every_number_is_a_setting() {
        let strip = ("r.r..", "abcde");
        assert_eq!(said(strip.0, strip.1, |s| s.revisions = 2).0, Status::Flaky);
        assert_eq!(said(strip.0, strip.1, |s| s.revisions = 3).0, Status::Suspect);
        assert_eq!(said(strip.0, strip.1, |s| s.days = 1).0, Status::Healthy);
        // Four days lie between the two outcomes of revision a.
        assert_eq!(said("F....", "abcda", |s| s.days = 4).0, Status::Flaky);
        assert_eq!(said("F....", "abcda", |s| s.days = 3).0, Status::Healthy);
        assert_eq!(said("r....", "abcde", |s| s.clear_runs = 4).0, Status::Healthy);
        let step = verdict_of(
            &Strip::new("r....").revisions("abcde"),
            &settings(|settings| settings.clear_runs = 5),
        );
        assert_eq!(step.next, [NextStep::CleanRuns { runs: 1 }]);
        assert_eq!(said("r....", "abcde", |s| s.min_runs = 6).0, Status::New);
    }

    #[test]
    fn a_pass_of_the_same_revision_long_before_proves_nothing() {
        let status = |days| said(".....F.", "abcdeaf", |settings| settings.days = days).0;
        assert_eq!([status(4), status(5)], [Status::Healthy, Status::Flaky]);
    }
}
