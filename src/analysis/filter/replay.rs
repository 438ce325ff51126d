//! One test's course through its runs, once the runs are explained.
//!
//! The pass couples tests only through what it says of each run, so that a single test can be
//! followed again in every detail: what each result weighed, what each failure was, when the test
//! came to be called flaky and when no longer.

use std::collections::HashMap;

use super::belief::{
    Broken, Drift, Likelihood, Observed, actionable, broken, flaky, next_revision, suspect_commit,
    weigh,
};
use super::episode::{Attributed, Episode, Episodic};
use super::hindsight::Hindsight;
use super::ledger::{Kind, Ledger};
use super::model::{CLASSES, Classes, Model};
use super::pass::Explained;
use super::settings::FilterSettings;

/// From this probability on a run, or a module in it, is taken for an outage.
pub const OUTAGE_CERTAIN: f64 = 0.5;
/// Below this P(flaky) old proof is forgotten: whatever made it flaky is gone.
pub const FORGOTTEN_BELOW: f64 = 0.05;
/// A failure that is over after more revisions than this was a breakage that was mended.
pub const BLIP_REVISIONS: u32 = 2;

/// What was believed after one run of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The run, as a place in the history.
    pub run: u32,
    /// P(flaky at an actionable rate).
    pub score: f64,
    /// P(broken) on the main line.
    pub broken: f64,
    /// Something proves flakiness, or failures recovered by themselves.
    pub guarded: bool,
    /// It was called flaky.
    pub flagged: bool,
    /// It was called flaky then or before.
    pub was_flagged: bool,
    /// It was called broken then or before.
    pub was_broken: bool,
    /// See [`Course::has_evidence`].
    pub evidence: bool,
}

/// Everything that following one test tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// The classes in the end.
    pub classes: Classes,
    /// P(broken | class) on the main line in the end.
    pub broken: Broken,
    /// It is called flaky: it came over the upper threshold with evidence and not below the lower.
    pub flagged: bool,
    /// The run with which it was last called flaky, whether it still is or not.
    pub flagged_since: Option<u32>,
    /// The last run after which it was called broken.
    pub last_broken: Option<u32>,
    /// Times it failed and passed on one revision; forgotten with the flakiness itself.
    pub proofs: u32,
    /// Failures that recovered by themselves, proofs within a run included.
    pub recoveries: u32,
    /// Those of them that failed on one revision only.
    pub isolated: u32,
    /// Branches on which it failed, but not among many.
    pub branches: u32,
    /// What weighed how much.
    pub ledger: Ledger,
    /// Its failures and what each was, oldest first.
    pub failures: Vec<Attributed>,
    /// Failures that are flakes, more likely than not.
    pub flakes: u32,
    /// Runs in which it could have shown a flake: neither broken nor in an outage.
    pub chances: u32,
    /// What was believed after each run, where that was asked for.
    pub moments: Vec<Moment>,
    /// P(broken | class) after its last failure outside an outage.
    pub after_failure: Option<Broken>,
}

impl Course {
    /// There is evidence of flakiness whatever the probability: a failure and a pass on one
    /// revision, or two failures that recovered by themselves.
    #[must_use]
    pub const fn has_evidence(&self) -> bool {
        self.proofs >= 1 || self.recoveries >= 2
    }
}

#[derive(Debug, Clone)]
struct Line {
    broken: Broken,
    /// One more than the last revision; 0 where it never ran here.
    seen: u32,
    /// The part of the breakage that came from the main line.
    inherited: f64,
    /// Revisions in a row that failed.
    streak: u32,
    /// The line's epoch in which it failed last, outside outages.
    failed_in: Option<u32>,
    /// The same for passes.
    passed_in: Option<u32>,
    episode: Episode,
    counted: bool,
    failed: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            broken: [0.0; CLASSES],
            seen: 0,
            inherited: 0.0,
            streak: 0,
            failed_in: None,
            passed_in: None,
            episode: Episode::default(),
            counted: false,
            failed: false,
        }
    }
}

/// Follows one test.
pub struct Replay<'m> {
    model: &'m Model,
    settings: &'m FilterSettings,
    module: u32,
    drift: Drift,
    ran: bool,
    lines: HashMap<u32, Line>,
    main_broken: Broken,
    keep_moments: bool,
    hindsight: Hindsight,
    course: Course,
}

impl<'m> Replay<'m> {
    /// Starts to follow a test of a module.
    #[must_use]
    pub fn new(settings: &'m FilterSettings, module: u32) -> Self {
        let model = &settings.model;
        Self {
            model,
            settings,
            module,
            drift: Drift::new(model),
            ran: false,
            lines: HashMap::new(),
            main_broken: [0.0; CLASSES],
            keep_moments: false,
            hindsight: Hindsight::default(),
            course: Course {
                classes: model.prior(),
                broken: [0.0; CLASSES],
                flagged: false,
                flagged_since: None,
                last_broken: None,
                proofs: 0,
                recoveries: 0,
                isolated: 0,
                branches: 0,
                ledger: Ledger::new(&model.prior()),
                failures: Vec::new(),
                flakes: 0,
                chances: 0,
                moments: Vec::new(),
                after_failure: None,
            },
        }
    }

    /// Keeps what is believed after each run, too.
    #[must_use]
    pub fn with_moments(self) -> Self {
        Self { keep_moments: true, ..self }
    }

    /// Takes the test's next result, in the run at `run`.
    pub fn observe(&mut self, run: u32, explained: &Explained, observed: Observed) {
        let mut line = self.lines.remove(&explained.line).unwrap_or_default();
        let new_revision = self.reach(&mut line, explained);
        let around = explained.around(self.module);
        suspect_commit(&mut line.broken, around.bad_commit);
        let likelihood = Likelihood::of(self.model, observed, &around);
        let prior = line.broken;
        let nats = super::ledger::weight(&self.course.classes, &prior, &likelihood);
        self.hindsight.see(&prior, &likelihood, new_revision && explained.is_main);
        weigh(&mut self.course.classes, &mut line.broken, &likelihood);
        if explained.is_main {
            self.main_broken = line.broken;
        }
        let step = Step {
            run,
            explained,
            observed,
            nats,
            in_outage: around.outage >= OUTAGE_CERTAIN,
            in_group: explained
                .module(self.module)
                .is_some_and(|m| m.weights.bad_commit >= 0.5 && m.failing > 1),
            one: Episodic {
                run,
                prior,
                likelihood,
                new_revision,
                bad_commit: around.bad_commit,
                inherited: line.inherited,
            },
        };
        self.settle(&mut line, &step);
        self.lines.insert(explained.line, line);
        self.judge(run);
    }

    /// The course up to here.
    #[must_use]
    pub fn finish(mut self) -> Course {
        let mut lines: Vec<(u32, Line)> = std::mem::take(&mut self.lines).into_iter().collect();
        lines.sort_unstable_by_key(|(number, _)| *number);
        for (_, mut line) in lines {
            if line.episode.is_open() {
                let Episode { is_main, in_group, is_proof, .. } = line.episode;
                let kind = match (is_proof, in_group, is_main, line.streak) {
                    (true, ..) => Kind::Proof,
                    (false, true, ..) => Kind::BadCommit,
                    (false, false, true, _) => Kind::FailsNow,
                    (false, false, false, ..=BLIP_REVISIONS) => Kind::Branches,
                    (false, false, false, _) => Kind::Lasting,
                };
                self.close(&mut line, kind, None, 0.0);
            }
        }
        let mut course = self.course;
        course.broken = self.main_broken;
        course.failures = self.hindsight.understand(self.model, &self.drift);
        course.flakes = course.failures.iter().filter(|failure| failure.is_flake()).count() as u32;
        course.chances += course.flakes;
        course
    }

    /// Moves the test to the run's revision; true where it was not there yet.
    fn reach(&mut self, line: &mut Line, explained: &Explained) -> bool {
        let revision = explained.revision.saturating_add(1);
        if line.seen == revision {
            return false;
        }
        let before = (line.seen != 0).then_some(line.broken);
        let main = (!explained.is_main).then_some(self.main_broken);
        let reached = next_revision(self.model, before.as_ref(), main.as_ref());
        if let Some(main) = main {
            line.inherited = self.inherited(line.inherited, before.as_ref(), &reached, &main);
        }
        line.broken = if self.ran { reached } else { [self.model.born_broken; CLASSES] };
        line.seen = revision;
        self.ran = true;
        if explained.is_main {
            let before = self.course.classes;
            self.drift.apply(&mut self.course.classes);
            self.course.ledger.drift(&before, &self.course.classes);
        }
        true
    }

    /// The part of a branch's breakage that the main line brought.
    fn inherited(
        &self,
        known: f64,
        before: Option<&Broken>,
        reached: &Broken,
        main: &Broken,
    ) -> f64 {
        let reach = if before.is_none() { 1.0 } else { self.model.inherits };
        let sum = |of: &Broken| broken(&self.course.classes, of);
        let all = sum(reached);
        let from_main = sum(main) * reach;
        let kept = before.map_or(0.0, |before| sum(before) * (1.0 - self.model.mends_branch));
        if all > 0.0 { ((from_main + known * kept) / all).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Counts a result for what it was, and opens or closes the line's episode of failures.
    fn settle(&mut self, line: &mut Line, step: &Step<'_>) {
        let Step { explained, observed, in_outage, .. } = *step;
        let same = line.failed_in == Some(explained.epoch);
        match (observed.troubled(), observed.retried(), in_outage) {
            (true, _, true) => {
                self.course.ledger.add(Kind::Outage, step.nats, 1);
                self.wait(vec![step.one], explained.is_main, None);
            }
            (true, true, false) => {
                self.course.recoveries += 1;
                self.course.proofs += 1;
                self.course.ledger.prove(step.run, step.nats, 1);
                self.wait(vec![step.one], explained.is_main, None);
                self.course.after_failure = Some(line.broken);
            }
            (true, false, false) => {
                line.streak += u32::from(explained.fresh || line.streak == 0);
                line.failed_in = Some(explained.epoch);
                line.episode.is_main = explained.is_main;
                if !explained.is_main && !step.in_group && !line.failed {
                    line.failed = true;
                    self.course.branches += 1;
                }
                line.episode.in_group |= step.in_group;
                // Its pass on this revision is as good a proof as one that follows.
                if line.passed_in == Some(explained.epoch) {
                    line.episode.is_proof = true;
                    self.course.proofs += 1;
                }
                self.course.after_failure = Some(line.broken);
                if let Some(early) = line.episode.push(step.one, step.nats) {
                    self.wait(early, explained.is_main, None);
                }
            }
            (false, _, _) => {
                let blip = (1..=BLIP_REVISIONS).contains(&line.streak);
                self.course.recoveries += u32::from(blip);
                self.course.isolated += u32::from(line.streak == 1);
                let proof = same && !in_outage;
                self.course.proofs += u32::from(proof);
                if !in_outage {
                    line.passed_in = Some(explained.epoch);
                }
                self.course.chances += u32::from(!in_outage);
                if line.episode.is_open() {
                    let kind = match (
                        proof || line.episode.is_proof,
                        line.episode.in_group,
                        blip,
                        explained.is_main,
                    ) {
                        (true, ..) => Kind::Proof,
                        (false, true, ..) => Kind::BadCommit,
                        (false, false, true, true) => Kind::Recovered,
                        (false, false, true, false) => Kind::Branches,
                        (false, false, false, _) => Kind::Lasting,
                    };
                    self.close(line, kind, Some(step.one), step.nats);
                } else {
                    let kind = if in_outage { Kind::Outage } else { Kind::Passes };
                    self.course.ledger.add(kind, step.nats, u32::from(!in_outage));
                }
                line.streak = 0;
            }
        }
    }

    /// Ends the line's episode of failures with the pass that followed, if one did.
    fn close(&mut self, line: &mut Line, kind: Kind, pass: Option<Episodic>, nats: f64) {
        let (failures, weight) = line.episode.take();
        let count = match (kind, line.counted) {
            (Kind::Branches, true) => 0,
            (Kind::Branches | Kind::Proof | Kind::Recovered, _) => 1,
            _ => failures.len() as u32,
        };
        line.counted |= kind == Kind::Branches;
        match (kind, failures.last()) {
            (Kind::Proof, Some(last)) => self.course.ledger.prove(last.run, weight + nats, 1),
            _ => self.course.ledger.add(kind, weight + nats, count),
        }
        self.wait(failures, line.episode.is_main, pass);
    }

    fn wait(&mut self, failures: Vec<Episodic>, is_main: bool, pass: Option<Episodic>) {
        self.hindsight.wait(&self.course.classes, failures, is_main, pass);
    }

    /// Flags with hysteresis: in over the upper threshold and with evidence, out below the lower.
    fn judge(&mut self, run: u32) {
        let course = &mut self.course;
        if flaky(&course.classes) < FORGOTTEN_BELOW {
            course.proofs = 0;
            course.recoveries = 0;
            course.isolated = 0;
            course.branches = 0;
        }
        let score = actionable(&course.classes);
        let some = course.isolated >= 1 || course.branches >= self.settings.branches;
        let guarded = course.has_evidence() || (some && score >= self.settings.single_recovery);
        let enters = score >= self.settings.enter() && guarded;
        let stays = course.flagged && score >= self.settings.leave();
        if enters && !course.flagged {
            course.flagged_since = Some(run);
        }
        course.flagged = enters || stays;
        let broken = broken(&course.classes, &self.main_broken);
        if broken >= self.settings.broken {
            course.last_broken = Some(run);
        }
        if self.keep_moments {
            let moment = Moment {
                run,
                score,
                broken,
                guarded,
                flagged: course.flagged,
                was_flagged: course.flagged_since.is_some(),
                was_broken: course.last_broken.is_some(),
                evidence: course.has_evidence(),
            };
            course.moments.push(moment);
        }
    }
}

/// One result with what it weighed.
#[derive(Clone, Copy)]
struct Step<'a> {
    run: u32,
    explained: &'a Explained,
    observed: Observed,
    nats: f64,
    in_outage: bool,
    in_group: bool,
    one: Episodic,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_proof_is_forgotten_below_the_threshold_and_not_at_it() {
        let settings = FilterSettings::default();
        for (flaky, kept) in [(FORGOTTEN_BELOW, 1), (0.04, 0)] {
            let mut replay = Replay::new(&settings, 0);
            let mut classes = [0.0; CLASSES];
            (classes[0], classes[1]) = (1.0 - flaky, flaky);
            replay.course.classes = classes;
            replay.course.proofs = 1;
            replay.judge(0);
            assert_eq!(replay.course.proofs, kept, "{flaky}");
        }
    }

    #[test]
    fn nothing_of_a_branch_that_cannot_be_broken_is_inherited() {
        let settings = FilterSettings::default();
        let (replay, sound) = (Replay::new(&settings, 0), [0.0; CLASSES]);
        assert_eq!(replay.inherited(0.5, Some(&sound), &sound, &sound), 0.0);
    }
}
