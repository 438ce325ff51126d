//! Policy: which tests belong on the list, for how long, and how many at most.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::analysis::verdict::{Fact, Judgement, Rate, Status, Verdict};
use crate::model::{Outcome, Timestamp};
use crate::store::query::TestNo;

/// Rules of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct PolicySettings {
    /// Verdicts that put a test on the list; broken ones cannot be named here.
    pub statuses: Vec<Listed>,
    /// Fewest executions of a listed test.
    pub min_executions: u32,
    /// Least P(flaky) with which a test enters `quarantine.toml`, where the method gives one; to
    /// stay asks for less.
    pub enter_probability: f64,
    /// Largest part of all tests that may be listed, between 0 and 1.
    pub cap_share: f64,
    /// So many tests may be listed however few there are.
    pub cap_tests: u32,
    /// An entry expires so many days after it was made or extended; where there is no
    /// `quarantine.toml`, after the newest run of the window.
    pub expires_days: u32,
    /// Fewest runs in a row without a flake, in each cell that had one, that release a test.
    pub release_runs: u32,
    /// How likely a test that is as flaky as ever may ever be released, between 0 and 1.
    pub release_error: f64,
    /// An entry is stale where its tests did not run for so many days.
    pub stale_days: u32,
    /// Findings of `quarantine lint` that are fine here, by code.
    pub allow: Vec<String>,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            statuses: vec![Listed::Flaky],
            min_executions: 5,
            enter_probability: 0.5,
            cap_share: 0.02,
            cap_tests: 20,
            expires_days: 14,
            release_runs: 30,
            release_error: 0.01,
            stale_days: 14,
            allow: Vec::new(),
        }
    }
}

/// Verdicts that may put a test on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Listed {
    /// Flaky, and recommended by the method.
    Flaky,
    /// Suspect.
    Suspect,
    /// Was flaky and is not clear yet.
    Recovering,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The test.
    pub test: TestNo,
    /// The matrix cell as printed; empty where runs have none.
    pub variant: String,
    /// Who should mend it.
    pub owner: Option<String>,
    /// Why it is listed, in one sentence.
    pub reason: String,
    /// When it was called flaky, where the method tells, else when it first failed in the window.
    pub since: Timestamp,
    /// When the entry ends by itself.
    pub expires: Timestamp,
    /// Runs with a failed attempt, flaky passes included; only flakes where the method tells.
    pub failures: u32,
    /// Of so many runs; those in which a flake could have shown where the method tells.
    pub executions: u32,
    /// Only flakes were counted, no other failures.
    pub flakes_only: bool,
    /// Their share.
    pub rate: Rate,
}

/// What the policy proposes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// What belongs on the list, the most harmful first.
    pub entries: Vec<Entry>,
    /// What would belong there, but exceeds the cap; the most harmful first.
    pub over_cap: Vec<Entry>,
    /// Tests that are flaky in one variant and broken in another: a list by name would hide the
    /// breakage, so they are left out.
    pub broken_elsewhere: Vec<TestNo>,
    /// Tests that a bare rule calls flaky while their failures look like a breakage, which a list
    /// would hide; they are left out.
    pub looks_broken: Vec<(TestNo, LooksBroken)>,
    /// The largest number of tests that may be listed.
    pub cap: u32,
}

/// Why a test that a rule calls flaky looks broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LooksBroken {
    /// So many of its last results failed in a row.
    FailsNow(u32),
    /// It never failed again after it passed again, and nothing failed and passed on one revision.
    OneStreak,
}

impl LooksBroken {
    /// The reason, to be continued with what it looks like.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::FailsNow(runs) => format!("its last {runs} results failed"),
            Self::OneStreak => "all its failures are one streak".to_owned(),
        }
    }
}

/// So many failures in a row until now look like a breakage.
const FAILS_NOW_RUNS: u32 = 3;

/// Proposes the list for a judgement.
///
/// The cap counts tests, whatever their variants. `owner` names who should mend a test. Entries
/// expire [`PolicySettings::expires_days`] after `newest`, the start of the newest run.
#[must_use]
pub fn plan(
    judgement: &Judgement,
    settings: &PolicySettings,
    owner: &dyn Fn(TestNo) -> Option<String>,
    newest: Timestamp,
) -> Plan {
    let tests: BTreeSet<TestNo> = judgement.verdicts.iter().map(|verdict| verdict.test).collect();
    let broken: BTreeSet<TestNo> = judgement
        .verdicts
        .iter()
        .filter(|verdict| matches!(verdict.status, Status::NewlyBroken | Status::Broken))
        .map(|verdict| verdict.test)
        .collect();
    let wanted = || judgement.verdicts.iter().filter(|verdict| is_wanted(verdict, settings));
    let broken_elsewhere: BTreeSet<TestNo> =
        wanted().map(|verdict| verdict.test).filter(|test| broken.contains(test)).collect();
    let looks_broken: BTreeMap<TestNo, LooksBroken> = wanted()
        .filter(|verdict| !broken.contains(&verdict.test))
        .filter_map(|verdict| Some((verdict.test, looks_broken(judgement, verdict)?)))
        .collect();
    let withheld = |test| broken.contains(test) || looks_broken.contains_key(test);
    let mut wanted: Vec<&Verdict> = wanted().filter(|verdict| !withheld(&verdict.test)).collect();
    wanted.sort_by(|one, other| by_harm(one, other));
    let cap = cap(tests.len(), settings);
    let mut ranks: BTreeMap<TestNo, usize> = BTreeMap::new();
    let (mut entries, mut over_cap) = (Vec::new(), Vec::new());
    for verdict in wanted {
        let next = ranks.len();
        let rank = *ranks.entry(verdict.test).or_insert(next);
        let entry = entry(judgement, verdict, settings, owner, newest);
        if rank < cap as usize { entries.push(entry) } else { over_cap.push(entry) }
    }
    Plan {
        entries,
        over_cap,
        broken_elsewhere: broken_elsewhere.into_iter().collect(),
        looks_broken: looks_broken.into_iter().collect(),
        cap,
    }
}

/// Whether the failures behind a rule's verdict look like a breakage.
///
/// Only for methods that count by a rule: one that weighs evidence has told breakages apart.
fn looks_broken(judgement: &Judgement, verdict: &Verdict) -> Option<LooksBroken> {
    if !verdict.facts.iter().any(|fact| matches!(fact, Fact::Rule { .. })) {
        return None;
    }
    let counts = |run: u32| judgement.runs.get(run as usize).is_none_or(|run| !run.outage);
    let bads: Vec<bool> = verdict
        .cells
        .iter()
        .filter(|cell| cell.outcome != Outcome::Skipped && counts(cell.run))
        .map(|cell| cell.outcome.is_bad())
        .collect();
    let fails_now = bads.iter().rev().take_while(|bad| **bad).count() as u32;
    let streaks =
        bads.chunk_by(|one, other| one == other).filter(|same| same.first() == Some(&true));
    let proven = verdict.retried > 0
        || verdict.facts.iter().any(|fact| matches!(fact, Fact::BothOnOneRevision { .. }));
    match (fails_now, streaks.count(), proven) {
        (_, 1, false) => Some(LooksBroken::OneStreak),
        (FAILS_NOW_RUNS.., ..) => Some(LooksBroken::FailsNow(fails_now)),
        _ => None,
    }
}

fn is_wanted(verdict: &Verdict, settings: &PolicySettings) -> bool {
    let listed = |status| settings.statuses.contains(&status);
    let status = match verdict.status {
        Status::Flaky => listed(Listed::Flaky) && verdict.quarantine,
        Status::Suspect => listed(Listed::Suspect),
        Status::Recovering => listed(Listed::Recovering),
        Status::NewlyBroken
        | Status::Broken
        | Status::Fixed
        | Status::New
        | Status::Stale
        | Status::Healthy => false,
    };
    status && verdict.executions >= settings.min_executions
}

/// Builds reddened for this test alone first: that is what a list spares the team.
fn by_harm(one: &Verdict, other: &Verdict) -> std::cmp::Ordering {
    other
        .harm
        .alone
        .cmp(&one.harm.alone)
        .then(other.failures.cmp(&one.failures))
        .then(other.rate.value.total_cmp(&one.rate.value))
        .then(one.test.cmp(&other.test))
        .then_with(|| one.variant.cmp(&other.variant))
}

/// How many of so many tests may be listed.
#[must_use]
pub fn cap(tests: usize, settings: &PolicySettings) -> u32 {
    let share = (tests as f64 * settings.cap_share.clamp(0.0, 1.0)).floor() as u32;
    share.max(settings.cap_tests)
}

fn entry(
    judgement: &Judgement,
    verdict: &Verdict,
    settings: &PolicySettings,
    owner: &dyn Fn(TestNo) -> Option<String>,
    newest: Timestamp,
) -> Entry {
    let first = || verdict.cells.iter().find(|cell| cell.outcome.is_bad() || cell.retried);
    let called = verdict.weighing.as_deref().and_then(|weighing| weighing.flaky_since);
    let since = called.or_else(|| first().map(|cell| cell.run));
    let since = since.and_then(|run| judgement.runs.get(run as usize));
    // The same numbers as the report's: where flakes are told from breakages, only they count.
    let (failures, executions, rate) = match verdict.weighing.as_deref() {
        Some(weighing) => (weighing.flakes, weighing.chances, weighing.flake_rate),
        None => (verdict.failures + verdict.retried, verdict.executions, verdict.rate),
    };
    let lifetime = i64::from(settings.expires_days).saturating_mul(Timestamp::DAY_MS);
    Entry {
        test: verdict.test,
        variant: verdict.variant.clone(),
        owner: owner(verdict.test),
        reason: reason(verdict),
        since: since.map_or(newest, |run| run.started),
        expires: Timestamp(newest.0.saturating_add(lifetime)),
        failures,
        executions,
        flakes_only: verdict.weighing.is_some(),
        rate,
    }
}

/// The facts that speak for the entry, strongest first.
fn reason(verdict: &Verdict) -> String {
    let count = |n: u32, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    let clauses: Vec<String> = verdict
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::PassedOnRetry { times, .. } => {
                Some(format!("passed on retry in {}", count(*times, "run", "runs")))
            }
            Fact::BothOnOneRevision { revisions, .. } => {
                Some(format!("failed and passed on {}", count(*revisions, "revision", "revisions")))
            }
            Fact::RecoveredByItself { times } => {
                let often = match times {
                    1 => "once".to_owned(),
                    2 => "twice".to_owned(),
                    times => format!("{times} times"),
                };
                Some(format!("recovered by itself {often}"))
            }
            Fact::UnrelatedBranches { branches } => {
                Some(format!("failed on {branches} unrelated branches"))
            }
            Fact::Rule { text } => Some(text.clone()),
            _ => None,
        })
        .collect();
    match clauses.is_empty() {
        true => format!("{} in this window", verdict.status.word()),
        false => clauses.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::harm::Harm;
    use crate::analysis::interval::wilson;
    use crate::analysis::verdict::{Cell, JudgedRun};

    fn verdict(test: u32, status: Status, reddened_alone: u32) -> Verdict {
        Verdict {
            executions: 20,
            failures: 3,
            retried: 1,
            rate: wilson(4, 20),
            flips: 4,
            facts: vec![Fact::RecoveredByItself { times: 2 }, Fact::Flips { flips: 4, pairs: 19 }],
            harm: Harm { alone: reddened_alone, ..Harm::default() },
            ..Verdict::bare(test, status)
        }
    }

    fn judged(verdicts: Vec<Verdict>) -> Judgement {
        Judgement {
            method: "evidence",
            runs: Vec::new(),
            verdicts,
            events: Vec::new(),
            causes: crate::analysis::cause::Causes::default(),
        }
    }

    fn tests_of(entries: &[Entry]) -> Vec<u32> {
        entries.iter().map(|entry| entry.test.0).collect()
    }

    fn plan_of(verdicts: Vec<Verdict>, settings: &PolicySettings) -> Plan {
        plan(&judged(verdicts), settings, &|_| Some("@team".into()), Timestamp(1_000))
    }

    #[test]
    fn only_flaky_tests_are_listed_and_broken_ones_never() {
        let verdicts = Status::ALL.iter().zip(0..).map(|(&status, no)| verdict(no, status, 0));
        let plan = plan_of(verdicts.collect(), &PolicySettings::default());
        assert_eq!(tests_of(&plan.entries), [2]);
        let entry = &plan.entries[0];
        assert_eq!(entry.reason, "recovered by itself twice");
        assert_eq!((entry.failures, entry.executions, entry.rate), (4, 20, wilson(4, 20)));
        assert_eq!(entry.expires, Timestamp(1_000 + 14 * Timestamp::DAY_MS));
        assert_eq!(entry.owner.as_deref(), Some("@team"));
    }

    #[test]
    fn a_test_that_is_broken_in_another_variant_is_left_out() {
        let broken = Verdict { variant: "os=mac".into(), ..verdict(1, Status::NewlyBroken, 0) };
        let plan = plan_of(vec![broken, verdict(1, Status::Flaky, 9)], &PolicySettings::default());
        assert!(plan.entries.is_empty());
        assert_eq!(plan.broken_elsewhere, [TestNo(1)]);
    }

    fn by_rule(strip: &str, retried: u32) -> Verdict {
        let cell = |(run, mark): (usize, char)| Cell {
            run: run as u32,
            outcome: if mark == 'F' { Outcome::Failed } else { Outcome::Passed },
            retried: false,
            duration: None,
        };
        Verdict {
            facts: vec![Fact::Rule { text: "3 of the last 10 results failed".into() }],
            cells: strip.chars().enumerate().map(cell).collect(),
            retried,
            ..verdict(1, Status::Flaky, 0)
        }
    }

    #[test]
    fn what_a_rule_calls_flaky_but_looks_broken_is_left_out_by_name() {
        use LooksBroken::{FailsNow, OneStreak};
        for (strip, retried, wanted) in [
            ("PPPPPPPFFF", 0, Some(OneStreak)),
            ("PPPFFF", 0, Some(OneStreak)),
            ("FFFPPPPPPP", 0, Some(OneStreak)),
            ("FFFPPPPPPP", 1, None),
            ("PFPPFPFFF", 0, Some(FailsNow(3))),
            ("PPPFFF", 1, Some(FailsNow(3))),
            ("PFPPFPFF", 0, None),
            ("FPFPFPP", 0, None),
        ] {
            let plan = plan_of(vec![by_rule(strip, retried)], &PolicySettings::default());
            let found = plan.looks_broken.first().map(|(_, why)| *why);
            assert_eq!((found, plan.entries.is_empty()), (wanted, wanted.is_some()), "{strip}");
        }
        let weighed = Verdict { facts: Vec::new(), ..by_rule("PPPFFF", 0) };
        assert_eq!(plan_of(vec![weighed], &PolicySettings::default()).entries.len(), 1);
    }

    #[test]
    fn a_streak_is_one_of_failures_that_count() {
        let outage = |run: &'static [usize]| {
            move |no: usize| JudgedRun { outage: run.contains(&no), ..JudgedRun::bare(no as u32) }
        };
        // Two streaks, the later in an outage or of skipped runs; one pass between two streaks.
        for (strip, outages, wanted) in [
            ("FFPPPFPP", &[5_usize][..], Some(LooksBroken::OneStreak)),
            ("FFPPPFPP", &[], None),
            ("FFPPPsPP", &[], Some(LooksBroken::OneStreak)),
            ("FPPPF", &[], None),
        ] {
            let mut verdict = by_rule(strip, 0);
            for (cell, mark) in verdict.cells.iter_mut().zip(strip.chars()) {
                cell.outcome = if mark == 's' { Outcome::Skipped } else { cell.outcome };
            }
            let runs = (0..strip.len()).map(outage(outages)).collect();
            let judgement = Judgement { runs, ..judged(vec![verdict]) };
            let found = looks_broken(&judgement, &judgement.verdicts[0]);
            assert_eq!(found, wanted, "{strip}");
        }
        assert_eq!(LooksBroken::FailsNow(4).words(), "its last 4 results failed");
        assert_eq!(LooksBroken::OneStreak.words(), "all its failures are one streak");
    }

    #[test]
    fn what_the_method_does_not_recommend_is_not_listed() {
        let verdict = Verdict { quarantine: false, ..verdict(1, Status::Flaky, 3) };
        assert!(plan_of(vec![verdict], &PolicySettings::default()).entries.is_empty());
    }

    #[test]
    fn an_entry_is_of_the_first_trouble_and_says_every_fact() {
        let cell = |run: u32, retried: bool| Cell {
            run,
            outcome: Outcome::Passed,
            retried,
            duration: None,
        };
        let verdict = Verdict {
            cells: vec![cell(0, false), cell(1, true), cell(2, true)],
            facts: vec![
                Fact::PassedOnRetry { times: 1, last: crate::store::query::RunNo(1) },
                Fact::BothOnOneRevision { revisions: 2, last: "abc".into() },
                Fact::RecoveredByItself { times: 1 },
                Fact::RecoveredByItself { times: 3 },
                Fact::UnrelatedBranches { branches: 4 },
                Fact::Rule { text: "so and so".into() },
                Fact::Flips { flips: 1, pairs: 2 },
            ],
            ..verdict(1, Status::Flaky, 0)
        };
        let run =
            |no: u32| JudgedRun { started: Timestamp(i64::from(no) * 10), ..JudgedRun::bare(no) };
        let judgement = Judgement { runs: (0..3).map(run).collect(), ..judged(vec![verdict]) };
        let settings = PolicySettings::default();
        let entry = entry(&judgement, &judgement.verdicts[0], &settings, &|_| None, Timestamp(77));
        assert_eq!(entry.since, Timestamp(10));
        assert_eq!(
            entry.reason,
            "passed on retry in 1 run; failed and passed on 2 revisions; recovered by itself once; \
             recovered by itself 3 times; failed on 4 unrelated branches; so and so"
        );
        let bare = Verdict { facts: vec![], ..Verdict::bare(1, Status::Suspect) };
        assert_eq!(reason(&bare), "suspect in this window");
    }

    #[test]
    fn over_the_cap_the_most_harmful_stay_and_the_rest_is_named() {
        let settings = PolicySettings { cap_tests: 2, cap_share: 0.0, ..Default::default() };
        let mut verdicts: Vec<Verdict> =
            (0..4).map(|no| verdict(no, Status::Flaky, no * 2)).collect();
        verdicts.push(Verdict { variant: "a=b".into(), ..verdict(3, Status::Flaky, 0) });
        let plan = plan_of(verdicts, &settings);
        assert_eq!((tests_of(&plan.entries), plan.cap), (vec![3, 2, 3], 2));
        assert_eq!(tests_of(&plan.over_cap), [1, 0]);
    }

    #[test]
    fn the_cap_is_a_share_of_all_tests_but_never_below_twenty() {
        let settings = PolicySettings::default();
        assert_eq!(cap(100, &settings), 20);
        assert_eq!(cap(5_000, &settings), 100);
    }

    #[test]
    fn too_few_executions_do_not_list_a_test() {
        let young = Verdict { executions: 4, ..verdict(1, Status::Flaky, 0) };
        assert!(plan_of(vec![young], &PolicySettings::default()).entries.is_empty());
        let suspects = PolicySettings { statuses: vec![Listed::Suspect], ..Default::default() };
        let plan = plan_of(vec![verdict(1, Status::Suspect, 0)], &suspects);
        assert_eq!(tests_of(&plan.entries), [1]);
    }
}
