//! The default method: the Bayesian filter, and one table that turns its probabilities into words.

use super::{Docket, MethodEntry, Opinion};
use crate::analysis::classify::clean_runs_needed;
use crate::analysis::evidence::Evidence;
use crate::analysis::filter::forecast::{Ahead, clean_runs, reruns_to_settle};
use crate::analysis::filter::ledger::Kind;
use crate::analysis::filter::replay::{Course, Moment};
use crate::analysis::filter::{Belief, FilterSettings};
use crate::analysis::interval::{excluded_one_in, flake_rate};
use crate::analysis::settings::{Outages, Settings};
use crate::analysis::verdict::{Fact, NextStep, Status, Weighing};

pub(super) const METHOD: MethodEntry = MethodEntry {
    name: "filter",
    summary: "weighs flake against breakage with every run, outages and bad commits explained",
    weighs: true,
    outages: |_| Outages::LeaveOut,
    judge,
};

fn judge(docket: &Docket<'_>) -> Vec<Opinion> {
    let Some(filtered) = docket.filtered else {
        return docket.each(|_, _, _, _| Opinion::of(Status::New));
    };
    let settings = &docket.settings.filter;
    let ahead = if docket.history.has_main() { Ahead::Main } else { Ahead::Branches };
    let units = filtered.units.iter().zip(docket.evidence).zip(docket.vanished);
    let mut opinions: Vec<Opinion> = units
        .map(|((belief, evidence), vanished)| {
            let signs = Signs::read(&Beliefs::of(belief), evidence, *vanished, docket.settings);
            opinion(signs.status(), belief, evidence, settings, ahead)
        })
        .collect();
    within_budget(&mut opinions, settings.false_discovery_rate);
    opinions
}

fn opinion(
    status: Status,
    belief: &Belief,
    evidence: &Evidence,
    settings: &FilterSettings,
    ahead: Ahead,
) -> Opinion {
    let course = belief.course.as_deref();
    let enough = evidence.executions >= settings.quarantine_runs;
    Opinion {
        probability: Some(belief.score),
        broken_probability: Some(belief.broken),
        weighing: course.map(|course| Box::new(weighing(course))),
        score: Some(belief.score),
        quarantine: status == Status::Flaky && enough && belief.broken < settings.withhold,
        facts: excluded(status, course, evidence).into_iter().collect(),
        next: next_steps(status, course, evidence, settings, ahead),
        ..Opinion::of(status)
    }
}

/// What so many passes say of a test that never failed.
fn excluded(status: Status, course: Option<&Course>, evidence: &Evidence) -> Option<Fact> {
    let clean = status == Status::Healthy && course.is_none();
    let one_in = excluded_one_in(evidence.executions).filter(|one_in| clean && *one_in > 1)?;
    Some(Fact::RateExcluded { runs: evidence.executions, one_in })
}

/// What the status depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Signs {
    /// It did not run lately, though it was due.
    vanished: bool,
    /// Too few executions to speak of.
    scarce: bool,
    main: Main,
    flaky: Flaky,
    /// It failed lately under a name that different tests share.
    unclear: bool,
}

/// What the main line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Main {
    /// Broken, and it never passed there in the window.
    AlwaysBroken,
    /// Broken, and it passed before.
    Broken,
    /// Its last results failed, but a flake is not excluded.
    Fails,
    /// Was broken, and passes for a few runs.
    PassesAgain,
    /// Was broken, and passes.
    Mended,
    /// Nothing of this.
    Sound,
}

/// What P(flaky) amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaky {
    /// Over the threshold, with evidence.
    Yes,
    /// Over the threshold, but one failure is no evidence.
    Maybe,
    /// Was over the threshold with evidence, and has not yet passed often enough.
    NotYetClear,
    /// Below.
    No,
}

/// What the filter believes at some time, as far as the status depends on it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Beliefs {
    score: f64,
    broken: f64,
    flagged: bool,
    was_flagged: bool,
    was_broken: bool,
    evidence: bool,
}

impl Beliefs {
    fn of(belief: &Belief) -> Self {
        let course = belief.course.as_deref();
        let is = |what: fn(&Course) -> bool| course.is_some_and(what);
        Self {
            score: belief.score,
            broken: belief.broken,
            flagged: is(|course| course.flagged),
            was_flagged: is(|course| course.flagged_since.is_some()),
            was_broken: is(|course| course.last_broken.is_some()),
            evidence: is(Course::has_evidence),
        }
    }
}

impl From<&Moment> for Beliefs {
    fn from(moment: &Moment) -> Self {
        let Moment { score, broken, flagged, was_flagged, was_broken, evidence, .. } = *moment;
        Self { score, broken, flagged, was_flagged, was_broken, evidence }
    }
}

/// The status at a moment of a test's course, given the evidence up to there.
pub(in crate::analysis) fn status_at(
    moment: &Moment,
    evidence: &Evidence,
    settings: &Settings,
) -> Status {
    Signs::read(&Beliefs::from(moment), evidence, false, settings).status()
}

impl Signs {
    fn read(belief: &Beliefs, evidence: &Evidence, vanished: bool, settings: &Settings) -> Self {
        let numbers = &settings.filter;
        let was_broken = belief.was_broken || evidence.mended().is_some();
        let fails = evidence.failing_now().is_some();
        let few = evidence.passes_since_streak < numbers.fixed_runs;
        let main = match (belief.broken >= numbers.broken, fails, was_broken) {
            (true, ..) if evidence.passed_on_main => Main::Broken,
            // A test that failed in its only run may be anything.
            (true, ..) if evidence.executions < 2 => Main::Fails,
            (true, ..) => Main::AlwaysBroken,
            (false, true, _) => Main::Fails,
            (false, false, true) if few => Main::PassesAgain,
            (false, false, true) => Main::Mended,
            (false, false, false) => Main::Sound,
        };
        let scarce = evidence.executions < numbers.min_runs;
        let flaky = match (belief.flagged, belief.was_flagged) {
            // Of a handful of runs one failure is too little, however odd it looks.
            (true, _) if !scarce || belief.evidence => Flaky::Yes,
            (true, _) => Flaky::Maybe,
            (false, _) if belief.score >= numbers.enter() => Flaky::Maybe,
            (false, true) if belief.score >= numbers.recovered => Flaky::NotYetClear,
            (false, _) => Flaky::No,
        };
        let unclear = evidence.ambiguous > 0
            && evidence.clean < clean_runs_needed(evidence, &settings.evidence);
        Self { vanished, scarce, main, flaky, unclear }
    }

    /// Read from the top: what is broken now comes before what ever flickered; proof comes before
    /// the number of results.
    const fn status(self) -> Status {
        match (self.vanished, self.main, self.flaky, self.scarce) {
            (true, ..) => Status::Stale,
            (_, Main::Broken, ..) => Status::NewlyBroken,
            (_, Main::AlwaysBroken, ..) => Status::Broken,
            (_, _, Flaky::Yes, _) => Status::Flaky,
            (_, _, _, true) => Status::New,
            (_, Main::Fails, ..) | (_, _, Flaky::Maybe, _) => Status::Suspect,
            (_, Main::PassesAgain, ..) | (_, _, Flaky::NotYetClear, _) => Status::Recovering,
            _ if self.unclear => Status::Suspect,
            (_, Main::Mended, ..) => Status::Fixed,
            (_, Main::Sound, ..) => Status::Healthy,
        }
    }
}

/// Keeps recommendations for quarantine, the surest first, while on average no more than `budget`
/// of them are wrong (Bayesian false discovery rate: the mean of 1 - P; M. A. Newton et al.,
/// Biostatistics 5 (2004)).
fn within_budget(opinions: &mut [Opinion], budget: f64) {
    let wrong = |opinion: &Opinion| 1.0 - opinion.probability.unwrap_or(0.0);
    let mut listed: Vec<usize> =
        opinions.iter().enumerate().filter(|(_, one)| one.quarantine).map(|(at, _)| at).collect();
    let chance = |at: &usize| opinions.get(*at).map_or(1.0, wrong);
    listed.sort_by(|one, other| chance(one).total_cmp(&chance(other)).then(one.cmp(other)));
    let mut sum = 0.0;
    let mut kept = 0;
    for (place, at) in listed.iter().enumerate() {
        sum += chance(at);
        if sum <= budget * (place + 1) as f64 {
            kept = place + 1;
        }
    }
    for at in listed.split_off(kept) {
        if let Some(opinion) = opinions.get_mut(at) {
            opinion.quarantine = false;
        }
    }
}

fn weighing(course: &Course) -> Weighing {
    let entries = Kind::ALL.map(|kind| (kind, course.ledger.of(kind)));
    let present = |(_, entry): &(Kind, crate::analysis::filter::ledger::Entry)| {
        entry.count > 0 || entry.nats != 0.0
    };
    Weighing {
        prior: course.ledger.prior,
        time: course.ledger.time,
        total: course.ledger.log_odds(),
        entries: entries.into_iter().filter(present).collect(),
        proofs: course.ledger.proofs.clone(),
        flaky_since: course.flagged_since,
        flakes: course.flakes,
        chances: course.chances,
        flake_rate: flake_rate(course.flakes, course.chances),
        failures: course.failures.clone(),
    }
}

fn next_steps(
    status: Status,
    course: Option<&Course>,
    evidence: &Evidence,
    settings: &FilterSettings,
    ahead: Ahead,
) -> Vec<NextStep> {
    if status == Status::New {
        let runs = settings.min_runs.saturating_sub(evidence.executions);
        return vec![NextStep::MoreResults { runs }];
    }
    // The table of statuses says so: what fails on the main line is at least suspect.
    let on_main = (ahead == Ahead::Main).then_some(NextStep::AFailure);
    let always = match status {
        Status::Stale => Some(NextStep::AnyResult),
        Status::Healthy | Status::Fixed => on_main,
        _ => None,
    };
    if let Some(step) = always {
        return vec![step];
    }
    let Some(course) = course else { return Vec::new() };
    let clear = |target: f64| {
        let runs = clean_runs(&settings.model, &course.classes, &course.broken, ahead, target);
        runs.filter(|runs| *runs > 0).map(|runs| NextStep::CleanRuns { runs })
    };
    match status {
        Status::Flaky => {
            let leaves = match clear(settings.leave()) {
                Some(NextStep::CleanRuns { runs }) => Some(NextStep::NoLongerFlaky { runs }),
                other => other,
            };
            leaves.into_iter().chain(clear(settings.recovered)).collect()
        }
        Status::Suspect => {
            let rerun = course.after_failure.map(|after| NextStep::RerunRevision {
                times: reruns_to_settle(&settings.model, &course.classes, &after, settings.broken),
            });
            rerun.into_iter().chain(clear(settings.enter())).collect()
        }
        Status::Recovering => {
            let passes = match course.last_broken.is_some() {
                true => settings.fixed_runs.saturating_sub(evidence.passes_since_streak),
                false => 0,
            };
            let was_flaky = course.flagged_since.is_some();
            let needed = match clear(settings.recovered).filter(|_| was_flaky) {
                Some(NextStep::CleanRuns { runs }) => runs.max(passes),
                _ => passes,
            };
            (needed > 0).then_some(NextStep::CleanRuns { runs: needed }).into_iter().collect()
        }
        // Where it is called flaky as well, it is flaky again once it passes.
        Status::NewlyBroken | Status::Broken if !course.flagged => {
            vec![NextStep::PassingRuns { runs: settings.fixed_runs }]
        }
        _ => Vec::new(),
    }
}
