//! From a window and settings to a judgement.

use super::cause::{self, Hint};
use super::event::events;
use super::evidence::{Evidence, Reading};
use super::filter::{Moments, filter};
use super::history::{History, Run, Unit};
use super::interval::wilson;
use super::method::{self, Docket, MethodEntry, Opinion};
use super::outage;
use super::presence::Attendance;
use super::settings::{Outages, Settings};
use super::streak::{Streak, StreakKind};
use super::trail::Trail;
use super::verdict::{Fact, JudgedRun, Judgement, Status, Verdict, is_mended};
use crate::model::Timestamp;

/// Why nothing could be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// There is no such method.
    #[error("no method is called `{name}`; choose one of {known}")]
    UnknownMethod {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

/// Judges every test and variant of a window.
///
/// A pure function: the same history and settings give the same judgement, byte for byte.
///
/// # Errors
/// [`JudgeError::UnknownMethod`] where the settings name a method that does not exist.
pub fn judge(history: &History, settings: &Settings) -> Result<Judgement, JudgeError> {
    let method = method_of(settings)?;
    let filtered = method.weighs.then(|| filter(history, &settings.filter, Moments::Forget));
    let outages = match (&filtered, (method.outages)(settings)) {
        (Some(filtered), _) => filtered.outages(),
        (None, Outages::LeaveOut) => outage::find(history, &settings.outage),
        (None, Outages::Count) => vec![false; history.runs.len()],
    };
    let reading = Reading::new(history, &outages, settings);
    let evidence: Vec<Evidence> = history.units.iter().map(|unit| reading.of(unit)).collect();
    let attendance = Attendance::new(history);
    let vanished: Vec<bool> = history.units.iter().map(|unit| attendance.vanished(unit)).collect();
    let docket = Docket {
        history,
        outages: &outages,
        evidence: &evidence,
        vanished: &vanished,
        filtered: filtered.as_ref(),
        settings,
    };
    let opinions = (method.judge)(&docket);
    let counts = |unit: usize, run: u32| {
        let weighing = opinions.get(unit).and_then(|opinion| opinion.weighing.as_deref());
        match evidence.get(unit) {
            Some(evidence) => !cause::explained(evidence, weighing, &outages, run),
            None => false,
        }
    };
    let (hints, causes) = cause::find(history, &settings.hints, &counts);
    let mut verdicts: Vec<Verdict> = history
        .units
        .iter()
        .zip(&evidence)
        .zip(opinions)
        .zip(hints)
        .enumerate()
        .map(|(place, (((unit, evidence), opinion), hints))| {
            let trail = history.asks_for(unit.test).then(|| {
                let belief = filtered.as_ref().and_then(|filtered| filtered.units.get(place));
                let course = belief.and_then(|belief| belief.course.as_deref());
                Box::new(Trail::of(
                    &history.origins,
                    &reading,
                    unit,
                    evidence,
                    course,
                    opinion.status,
                ))
            });
            Verdict { trail, ..verdict(history, unit, evidence, opinion, hints) }
        })
        .collect();
    verdicts.sort_by(by_alarm);
    let runs = history.runs.iter().zip(&outages);
    let runs = runs.map(|(run, &outage)| judged_run(history, run, outage)).collect();
    let events = filtered.as_ref().map(|filtered| events(history, filtered)).unwrap_or_default();
    Ok(Judgement { method: method.name, runs, verdicts, events, causes })
}

/// The method that the settings name.
pub(super) fn method_of(settings: &Settings) -> Result<&'static MethodEntry, JudgeError> {
    method::find(&settings.method).ok_or_else(|| JudgeError::UnknownMethod {
        name: settings.method.clone(),
        known: method::METHODS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "),
    })
}

/// What fails now, then what may fail at any time, then the rest; of each the most harmful first,
/// then by status and by how often it fails. What follows only fixes an order.
fn by_alarm(one: &Verdict, other: &Verdict) -> std::cmp::Ordering {
    urgency(one.status)
        .cmp(&urgency(other.status))
        .then_with(|| other.harm.compared_to(&one.harm))
        .then(one.status.cmp(&other.status))
        .then(other.rate.value.total_cmp(&one.rate.value))
        .then(one.test.cmp(&other.test))
        .then_with(|| one.variant.cmp(&other.variant))
}

/// A test that fails now turns every run red until it is mended, whatever it cost so far.
const fn urgency(status: Status) -> u8 {
    match status {
        Status::NewlyBroken | Status::Broken => 0,
        Status::Flaky | Status::Suspect | Status::Recovering => 1,
        Status::Fixed => 2,
        Status::New | Status::Stale => 3,
        Status::Healthy => 4,
    }
}

fn verdict(
    history: &History,
    unit: &Unit,
    evidence: &Evidence,
    opinion: Opinion,
    hints: Vec<Hint>,
) -> Verdict {
    let mended = is_mended(opinion.status, opinion.weighing.as_deref());
    let mut facts = opinion.facts;
    facts.extend(facts_of(history, evidence, mended));
    facts.sort_by_key(|fact| bearing(opinion.status, mended, fact));
    // One outage makes a whole suite bad once; its cells would outweigh everything else.
    let only_in_outages = evidence.clean == evidence.executions
        && evidence.ignored_changes == 0
        && evidence.ambiguous == 0;
    let cells = match (opinion.status, only_in_outages) {
        (Status::Healthy, true) => Vec::new(),
        _ => unit.cells(),
    };
    // A test that was only ever skipped never ran; when it was last seen says more than nothing.
    let last_run = match unit.tally.executed {
        0 => unit.tally.last,
        _ => unit.tally.last_executed,
    };
    let started = |run: u32| history.run(run).map_or(Timestamp(0), |run| run.started);
    Verdict {
        test: unit.test,
        variant: history.variants.get(unit.variant as usize).cloned().unwrap_or_default(),
        status: opinion.status,
        probability: opinion.probability,
        broken_probability: opinion.broken_probability,
        weighing: opinion.weighing,
        score: opinion.score,
        quarantine: opinion.quarantine,
        executions: evidence.executions,
        failures: evidence.failures,
        retried: evidence.retried,
        skipped: evidence.skipped,
        rate: wilson(evidence.failures + evidence.retried, evidence.executions),
        flips: evidence.flips,
        facts,
        cells,
        last_failure: evidence.last_failure,
        last_run: started(last_run),
        duration_median: unit.tally.durations.median(),
        harm: evidence.harm,
        direction: evidence.direction,
        next: opinion.next,
        hints,
        trail: None,
    }
}

/// How much a fact bears on a status: the one that made it comes first, the rest keep their order.
const fn bearing(status: Status, mended: bool, fact: &Fact) -> u8 {
    match (status, mended, fact) {
        (_, _, Fact::Rule { .. }) | (_, true, Fact::PassesSince { .. }) => 0,
        // Failing at the moment is news about a broken test, and nothing special for a flaky one.
        (Status::Flaky | Status::Recovering, _, Fact::FailsSince { .. }) => 2,
        _ => 1,
    }
}

/// The facts, strongest first: what fails now, what proves, what suggests, what was left out.
///
/// Of a mended test the last streak was a breakage, however short.
fn facts_of(history: &History, evidence: &Evidence, mended: bool) -> Vec<Fact> {
    let failing = evidence.failing_now().map(|streak| fails_since(history, streak));
    let retried =
        evidence.last_retried.map(|last| Fact::PassedOnRetry { times: evidence.retried, last });
    let conflict = evidence
        .last_conflict
        .clone()
        .map(|last| Fact::BothOnOneRevision { revisions: evidence.conflicts, last });
    let last = evidence.streaks.last().filter(|streak| streak.ended_by.is_some());
    let blip = last.is_some_and(|streak| streak.kind == StreakKind::Blip);
    let recoveries = evidence.recoveries.saturating_sub(u32::from(mended && blip));
    let counted = [
        (recoveries, Fact::RecoveredByItself { times: recoveries }),
        (evidence.branches, Fact::UnrelatedBranches { branches: evidence.branches }),
        (evidence.flips, Fact::Flips { flips: evidence.flips, pairs: evidence.pairs }),
    ];
    let passes = last
        .filter(|streak| mended || streak.kind == StreakKind::Breakage)
        .and_then(|streak| passes_since(history, evidence, streak));
    let left_out = [
        (evidence.ambiguous, Fact::Ambiguous { runs: evidence.ambiguous }),
        (evidence.ignored_outages, Fact::IgnoredOutages { failures: evidence.ignored_outages }),
        (evidence.ignored_changes, Fact::IgnoredChanges { failures: evidence.ignored_changes }),
    ];
    let present = |(count, fact): (u32, Fact)| (count > 0).then_some(fact);
    [failing, retried, conflict]
        .into_iter()
        .flatten()
        .chain(counted.into_iter().filter_map(present))
        .chain(passes)
        .chain(left_out.into_iter().filter_map(present))
        .collect()
}

fn fails_since(history: &History, streak: &Streak) -> Fact {
    let first = history.run(streak.first);
    let last_good = streak.last_good.and_then(|run| history.run(run));
    Fact::FailsSince {
        runs: streak.runs,
        first_bad: first.and_then(|run| run.revision.clone()),
        last_good: last_good.and_then(|run| run.revision.clone()),
        since: first.map_or(Timestamp(0), |run| run.started),
    }
}

fn passes_since(history: &History, evidence: &Evidence, streak: &Streak) -> Option<Fact> {
    let first = history.run(streak.ended_by?)?;
    Some(Fact::PassesSince {
        runs: evidence.passes_since_streak,
        failed_runs: streak.runs,
        first_good: first.revision.clone(),
        since: first.started,
    })
}

pub(super) fn judged_run(history: &History, run: &Run, outage: bool) -> JudgedRun {
    JudgedRun {
        no: run.no,
        started: run.started,
        revision: run.revision.clone(),
        branch: run.branch.clone(),
        lane: run.lane,
        on_main: run.on_main,
        variant: history.variants.get(run.variant as usize).cloned().unwrap_or_default(),
        build: run.build.clone(),
        attempt: run.attempt,
        job: run.job.clone(),
        url: run.url.clone(),
        executed: run.executed,
        bad: run.bad,
        time: run.time,
        suite_failures: run.suite_failures,
        outage,
    }
}
