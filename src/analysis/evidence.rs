//! Evidence: what a test's results say, before anything is concluded from them.
//!
//! The results of one test in one variant are read along two kinds of lines: the main line (the
//! default branch) and one line for each other branch. A failure is attributed, in this order, to
//! an outage of its run, to both outcomes on one revision, to a breakage of the main line, to the
//! change on whose branch alone it happened, or else to the test itself.

use std::collections::{BTreeMap, BTreeSet};

use super::direction::Direction;
use super::harm::Harm;
use super::history::{History, Run, Seen, Unit};
use super::interval::{expected_rate, runs_until_unlikely};
use super::settings::Settings;
use super::statistics::counts::LnFactorials;
use super::streak::{Streak, StreakKind};
use crate::model::{Lane, Outcome, Repeat, Timestamp};
use crate::store::query::RunNo;

/// What is known of one test in one variant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Runs in which it passed or failed; outages and ignored failures left out.
    pub executions: u32,
    /// Of these, how many ended badly.
    pub failures: u32,
    /// Of these, how many passed only after a failed attempt.
    pub retried: u32,
    /// Runs in which it was skipped, outages left out.
    pub skipped: u32,
    /// The last run with a pass on retry.
    pub last_retried: Option<RunNo>,
    /// Revisions with both outcomes, across runs.
    pub conflicts: u32,
    /// The last of them.
    pub last_conflict: Option<String>,
    /// Short failures of the main line that went away by themselves, alone in their time.
    pub recoveries: u32,
    /// Branches that failed while nothing but the test explains it.
    pub branches: u32,
    /// Changes of outcome between consecutive runs of one lane.
    pub flips: u32,
    /// Pairs of consecutive runs of one lane.
    pub pairs: u32,
    /// Failing streaks of the main line, oldest first; the last one may still last.
    pub streaks: Vec<Streak>,
    /// It passed on the main line at least once.
    pub passed_on_main: bool,
    /// Runs of the main line since the last streak ended.
    pub passes_since_streak: u32,
    /// Executions since the last failed attempt.
    pub clean: u32,
    /// Executions up to and including the last failed attempt.
    pub executions_to_last_trouble: u32,
    /// Failures in outages.
    pub ignored_outages: u32,
    /// Failures on one change's branch only.
    pub ignored_changes: u32,
    /// Failures that may be of any of several tests that share its name; they count nowhere else.
    pub ambiguous: u32,
    /// What its failures cost.
    pub harm: Harm,
    /// Whether the newer half of its executions failed less often than the older, or more.
    pub direction: Direction,
    /// When it last had a failed attempt, ignored ones included.
    pub last_failure: Option<Timestamp>,
}

impl Evidence {
    /// Facts that prove flakiness by themselves: both outcomes on the same code.
    #[must_use]
    pub const fn proofs(&self) -> u32 {
        self.retried + self.conflicts
    }

    /// The streak that still lasts.
    #[must_use]
    pub fn failing_now(&self) -> Option<&Streak> {
        self.streaks.last().filter(|streak| streak.ended_by.is_none())
    }

    /// The last breakage that was mended.
    #[must_use]
    pub fn mended(&self) -> Option<&Streak> {
        self.streaks
            .iter()
            .rev()
            .find(|streak| streak.ended_by.is_some() && streak.kind == StreakKind::Breakage)
    }
}

/// The results of one unit with what they are read against.
pub(super) struct Reading<'a> {
    history: &'a History,
    outages: &'a [bool],
    settings: &'a Settings,
    factorials: LnFactorials,
}

impl<'a> Reading<'a> {
    pub(super) fn new(history: &'a History, outages: &'a [bool], settings: &'a Settings) -> Self {
        let factorials = LnFactorials::up_to(history.runs.len() as u32);
        Self { history, outages, settings, factorials }
    }

    /// The numbers that results are read with.
    pub(super) fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// The evidence about one unit.
    pub(super) fn of(&self, unit: &Unit) -> Evidence {
        match unit.seen.as_slice() {
            [] => self.quiet(unit),
            seen => self.of_results(seen),
        }
    }

    /// The evidence of some results of one unit, oldest first.
    pub(super) fn of_results(&self, all: &[Seen]) -> Evidence {
        let mut evidence = Evidence::default();
        let mut results: Vec<(&Seen, &Run)> = Vec::with_capacity(all.len());
        for seen in all {
            let Some(run) = self.history.run(seen.run) else { continue };
            if seen.troubled() {
                evidence.last_failure = evidence.last_failure.max(Some(run.started));
            }
            let outage = self.is_outage(seen.run);
            match (outage, seen.executed()) {
                (true, _) => evidence.ignored_outages += u32::from(seen.troubled()),
                (false, false) => evidence.skipped += 1,
                (false, true) => results.push((seen, run)),
            }
        }
        if !results.iter().any(|(seen, _)| seen.troubled()) {
            count(&results, &mut evidence);
            return evidence;
        }
        let conflicts = conflicts(&results);
        evidence.conflicts = conflicts.len() as u32;
        evidence.last_conflict = conflicts
            .iter()
            .max_by_key(|(_, last)| **last)
            .map(|(revision, _)| (*revision).to_owned());
        // Nobody knows which of the tests that share the name failed there.
        let unclear: Vec<u32> =
            results.iter().filter(|(seen, _)| seen.unclear()).map(|(seen, _)| seen.run).collect();
        results.retain(|(seen, _)| !seen.unclear());
        self.read_main_line(&results, &conflicts, &mut evidence);
        let ignored = self.read_branches(&results, &conflicts, &mut evidence);
        results.retain(|(seen, _)| !ignored.contains(&seen.run));
        count(&results, &mut evidence);
        evidence.direction = direction(&results, &self.factorials);
        note_unclear(&unclear, &results, &mut evidence);
        evidence
    }

    fn is_outage(&self, run: u32) -> bool {
        self.outages.get(run as usize).copied().unwrap_or(false)
    }

    /// A test that was never bad: its counters say it all.
    fn quiet(&self, unit: &Unit) -> Evidence {
        let (mut executions, mut skipped) = (unit.tally.executed, unit.tally.skipped);
        for (run, results) in &self.history.quiet_in_mass {
            let same = self.history.run(*run).is_some_and(|run| run.variant == unit.variant);
            if !same || !self.is_outage(*run) {
                continue;
            }
            let place = results.binary_search_by_key(&unit.test, |(test, _)| *test);
            match place.ok().and_then(|place| results.get(place)) {
                Some((_, Outcome::Skipped)) => skipped = skipped.saturating_sub(1),
                Some(_) => executions = executions.saturating_sub(1),
                None => {}
            }
        }
        Evidence { executions, skipped, clean: executions, ..Evidence::default() }
    }

    fn read_main_line(
        &self,
        results: &[(&Seen, &Run)],
        conflicts: &BTreeMap<&str, u32>,
        evidence: &mut Evidence,
    ) {
        let settings = &self.settings.evidence;
        let (mut runs, mut troubled) = (0_u32, 0_u32);
        let mut last_good: Option<u32> = None;
        for (seen, run) in results.iter().filter(|(_, run)| run.on_main) {
            let lasting = evidence.streaks.last_mut().filter(|streak| streak.ended_by.is_none());
            match (lasting, seen.outcome.is_bad()) {
                (Some(streak), true) => streak.extend(seen, run),
                (None, true) => {
                    // What a flake of this test would do if it were tried again.
                    let rate = expected_rate(troubled, runs);
                    let again = settings.fails_again + (1.0 - settings.fails_again) * rate;
                    let needed =
                        runs_until_unlikely(again, settings.broken_alpha).max(settings.broken_runs);
                    evidence.streaks.push(Streak::start(seen, run, last_good, needed));
                    evidence.passes_since_streak = 0;
                }
                (Some(streak), false) => {
                    let contradicted =
                        streak.revisions.iter().any(|name| conflicts.contains_key(name.as_str()));
                    streak.end(seen, contradicted, settings);
                    self.read_span(results, streak);
                    // What a breakage did says nothing about how often the test flickers.
                    if streak.kind == StreakKind::Breakage && !contradicted {
                        runs -= streak.runs;
                        troubled -= streak.runs;
                    }
                    evidence.passes_since_streak = 1;
                }
                (None, false) => evidence.passes_since_streak += 1,
            }
            if !seen.outcome.is_bad() {
                evidence.passed_on_main = true;
                last_good = Some(seen.run);
            }
            runs += 1;
            troubled += u32::from(seen.troubled());
        }
        evidence.recoveries = evidence
            .streaks
            .iter()
            .filter(|streak| streak.ended_by.is_some() && streak.kind == StreakKind::Blip)
            .count() as u32;
    }

    /// Takes a short streak for a breakage where the branches of its time failed as well.
    ///
    /// Branches hold what the main line held, so that their failures lengthen the streak. Most of
    /// those that ran must agree, since a flake passes on some of them.
    fn read_span(&self, results: &[(&Seen, &Run)], streak: &mut Streak) {
        let (StreakKind::Blip, Some(end)) = (streak.kind, streak.ended_by) else { return };
        let from = results.partition_point(|(seen, _)| seen.run < streak.first);
        let until = results.partition_point(|(seen, _)| seen.run < end);
        let mut bad_at_last = BTreeMap::new();
        let mut revisions = BTreeSet::new();
        for (seen, run) in results.get(from..until).unwrap_or_default() {
            if run.on_main || run.failed_in_mass(&self.settings.outage) {
                continue;
            }
            bad_at_last.insert(branch_of(run), seen.outcome.is_bad());
            if seen.outcome.is_bad() {
                revisions.insert(run.revision.as_deref().ok_or(seen.run));
            }
        }
        let failing = bad_at_last.values().filter(|bad| **bad).count();
        let agree = failing > bad_at_last.len() - failing;
        let failed = failing.min(revisions.len()) as u32;
        if agree && streak.runs.saturating_add(failed) >= streak.needed {
            streak.kind = StreakKind::Breakage;
        }
    }

    /// Attributes failures beside the main line; returns the runs whose failure is ignored.
    fn read_branches(
        &self,
        results: &[(&Seen, &Run)],
        conflicts: &BTreeMap<&str, u32>,
        evidence: &mut Evidence,
    ) -> BTreeSet<u32> {
        // From the first breakage on, branches may hold the broken revision.
        let broken_from = evidence
            .streaks
            .iter()
            .find(|streak| streak.kind == StreakKind::Breakage || streak.ended_by.is_none())
            .map_or(u32::MAX, |streak| streak.first);
        let mut ignored = BTreeSet::new();
        let mut in_mass = BTreeSet::new();
        let (mut branches, mut revisions) = (BTreeSet::new(), BTreeSet::new());
        for (seen, run) in results {
            let contradicted =
                run.revision.as_deref().is_some_and(|name| conflicts.contains_key(name));
            let elsewhere = run.on_main || contradicted || seen.run >= broken_from;
            if elsewhere || !seen.outcome.is_bad() {
                continue;
            }
            ignored.insert(seen.run);
            if run.failed_in_mass(&self.settings.outage) {
                in_mass.insert(seen.run);
            } else {
                branches.insert(branch_of(run));
                revisions.insert(run.revision.as_deref().ok_or(seen.run));
            }
        }
        // Two branches on one revision are one change.
        let unrelated = branches.len().min(revisions.len()) as u32;
        let settings = &self.settings.evidence;
        let known_flaky = !conflicts.is_empty()
            || evidence.recoveries >= settings.recoveries
            || results.iter().any(|(seen, _)| seen.retried());
        let failures = ignored.len() - in_mass.len();
        match (unrelated, known_flaky) {
            (2.., _) => {
                evidence.branches = unrelated;
                ignored = in_mass;
            }
            // A flaky test flickers on branches too; only a longer failure is the change's own.
            (0 | 1, true) if failures < settings.broken_runs as usize => ignored = in_mass,
            (0 | 1, _) => {}
        }
        evidence.ignored_changes = ignored.len() as u32;
        ignored
    }
}

/// Which branch a run belongs to; a run without one stands for its revision.
fn branch_of(run: &Run) -> (Lane, Option<&str>) {
    (run.lane, run.branch.as_deref().or(run.revision.as_deref()))
}

/// Revisions that passed in one run and failed in another, with the last such run.
fn conflicts<'a>(results: &[(&Seen, &'a Run)]) -> BTreeMap<&'a str, u32> {
    let named = |&(seen, run): &(&Seen, &'a Run)| {
        let revision = run.revision.as_deref().filter(|_| seen.repeat != Repeat::Ambiguous);
        revision.map(|revision| (revision, seen.outcome.is_bad(), seen.run))
    };
    // Few results are bad: only their revisions are worth a second look.
    let mut failed: BTreeMap<&str, (bool, u32)> = BTreeMap::new();
    for (revision, _, run) in results.iter().filter_map(named).filter(|(_, bad, _)| *bad) {
        failed.insert(revision, (false, run));
    }
    for (revision, _, run) in results.iter().filter_map(named).filter(|(_, bad, _)| !*bad) {
        if let Some((passed, last)) = failed.get_mut(revision) {
            *passed = true;
            *last = run.max(*last);
        }
    }
    let contradicted = failed.into_iter().filter(|(_, (passed, _))| *passed);
    contradicted.map(|(revision, (_, last))| (revision, last)).collect()
}

/// Counts what is left once outages and ignored failures are gone.
fn count(results: &[(&Seen, &Run)], evidence: &mut Evidence) {
    let mut last_in_lane: BTreeMap<Lane, bool> = BTreeMap::new();
    for (seen, run) in results {
        let bad = seen.outcome.is_bad();
        evidence.executions += 1;
        evidence.failures += u32::from(bad);
        if seen.retried() {
            evidence.retried += 1;
            evidence.last_retried = Some(run.no);
        }
        if let Some(before) = last_in_lane.insert(run.lane, bad) {
            evidence.pairs += 1;
            evidence.flips += u32::from(before != bad);
        }
        evidence.clean += 1;
        if seen.troubled() {
            evidence.clean = 0;
            evidence.executions_to_last_trouble = evidence.executions;
        }
        evidence.harm.add(seen, run);
    }
}

/// Compares the older half of the executions with the newer; a middle one is newer.
fn direction(results: &[(&Seen, &Run)], factorials: &LnFactorials) -> Direction {
    let (older, newer) = results.split_at(results.len() / 2);
    let failed = |half: &[(&Seen, &Run)]| {
        let troubled = half.iter().filter(|(seen, _)| seen.troubled());
        (troubled.count() as u32, half.len() as u32)
    };
    Direction::by(factorials, failed(older), failed(newer))
}

/// Notes failures of shared names: no evidence, but trouble that a clean row must outlast.
fn note_unclear(unclear: &[u32], results: &[(&Seen, &Run)], evidence: &mut Evidence) {
    let Some(last) = unclear.last() else { return };
    evidence.ambiguous = unclear.len() as u32;
    let after = results.iter().filter(|(seen, _)| seen.run > *last).count() as u32;
    if after < evidence.clean {
        evidence.clean = after;
        evidence.executions_to_last_trouble = evidence.executions - after;
    }
}
