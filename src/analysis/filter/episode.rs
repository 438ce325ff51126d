//! Failures in a row on one line, and what each of them was in the light of what followed.
//!
//! While failures go on, nobody can tell a flake from a breakage; the pass that ends them can. The
//! forward beliefs of the filter are therefore corrected by what came after (the backward half of
//! the forward-backward algorithm; L. R. Rabiner, "A tutorial on hidden Markov models", Proc. IEEE
//! 77 (1989), section III), over the episode and the pass that ended it.

use serde::Serialize;

use super::belief::{Broken, Likelihood};
use super::model::{CLASSES, Classes, Model};

/// Failures of one episode that are kept to be corrected; earlier ones of a longer episode are a
/// breakage beyond doubt.
const EPISODE_KEPT: usize = 64;

/// What caused a failure: probabilities that sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Attribution {
    /// The test itself.
    pub flake: f64,
    /// The main line was broken.
    pub regression: f64,
    /// The change on whose branch it ran.
    pub change: f64,
    /// The machine.
    pub outage: f64,
}

/// A failure and what caused it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attributed {
    /// The run, as a place in the history.
    pub run: u32,
    /// What caused it.
    pub causes: Attribution,
}

impl Attributed {
    /// More likely a flake than anything else.
    #[must_use]
    pub fn is_flake(&self) -> bool {
        self.causes.flake >= 0.5
    }
}

/// A result of an episode, as it is needed later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episodic {
    /// The run, as a place in the history.
    pub run: u32,
    /// P(broken | class) before it.
    pub prior: Broken,
    /// How likely it was.
    pub likelihood: Likelihood,
    /// The first of its revision.
    pub new_revision: bool,
    /// Probability that the revision broke it among a group.
    pub bad_commit: f64,
    /// The part of the breakage that the main line brought to a branch.
    pub inherited: f64,
}

/// Failures in a row on one line.
#[derive(Debug, Clone, Default)]
pub struct Episode {
    /// On the main line.
    pub is_main: bool,
    /// One of its failures was among many of one bad commit.
    pub in_group: bool,
    /// The test passed on the revision of one of its failures.
    pub is_proof: bool,
    failures: Vec<Episodic>,
    nats: f64,
}

impl Episode {
    /// Failures wait to be understood.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Adds a failure; returns those that are too many to wait.
    pub fn push(&mut self, failure: Episodic, nats: f64) -> Option<Vec<Episodic>> {
        let early =
            (self.failures.len() >= EPISODE_KEPT).then(|| std::mem::take(&mut self.failures));
        self.failures.push(failure);
        self.nats += nats;
        early
    }

    /// Ends the episode: its failures, and what they weighed.
    pub fn take(&mut self) -> (Vec<Episodic>, f64) {
        self.in_group = false;
        self.is_proof = false;
        (std::mem::take(&mut self.failures), std::mem::take(&mut self.nats))
    }
}

/// What each failure of an episode was, given the pass that ended it, if one did.
///
/// `classes` is what is believed of the test at the end of the episode.
#[must_use]
pub fn attribute(
    model: &Model,
    classes: &Classes,
    failures: &[Episodic],
    is_main: bool,
    pass: Option<&Episodic>,
) -> Vec<Attributed> {
    let mut later = pass.map_or(Message::NONE, |pass| Message::NONE.before(model, pass, is_main));
    let mut out: Vec<Attributed> = Vec::with_capacity(failures.len());
    for failure in failures.iter().rev() {
        out.push(Attributed {
            run: failure.run,
            causes: causes(classes, failure, &later, is_main),
        });
        later = later.before(model, failure, is_main);
    }
    out.reverse();
    out
}

/// How likely everything later is, for each class, on sound and on broken code.
struct Message {
    sound: Classes,
    broken: Classes,
}

impl Message {
    const NONE: Self = Self { sound: [1.0; CLASSES], broken: [1.0; CLASSES] };

    /// The message before a result: the result is likely so, and a revision may lie before it.
    fn before(&self, model: &Model, result: &Episodic, is_main: bool) -> Self {
        let (breaks, mends) = match is_main {
            true => (model.breaks_main, model.mends_main),
            false => (model.breaks_branch, model.mends_branch),
        };
        let breaks = breaks + (1.0 - breaks) * result.bad_commit;
        let mut before = Self::NONE;
        for class in 0..CLASSES {
            let (Some(&later_sound), Some(&later_broken), Some(&likely)) =
                (self.sound.get(class), self.broken.get(class), result.likelihood.sound.get(class))
            else {
                continue;
            };
            let sound = likely * later_sound;
            let broken = result.likelihood.broken * later_broken;
            let (sound, broken) = match result.new_revision {
                true => (
                    breaks * broken + (1.0 - breaks) * sound,
                    mends * sound + (1.0 - mends) * broken,
                ),
                false => (sound, broken),
            };
            // Only the proportion of the two counts; both together may fall below any float.
            let scale = (sound + broken).max(f64::MIN_POSITIVE);
            if let (Some(to_sound), Some(to_broken)) =
                (before.sound.get_mut(class), before.broken.get_mut(class))
            {
                *to_sound = sound / scale;
                *to_broken = broken / scale;
            }
        }
        before
    }
}

fn causes(classes: &Classes, failure: &Episodic, later: &Message, is_main: bool) -> Attribution {
    let Likelihood { sound, broken, outage } = failure.likelihood;
    let mut causes = Attribution { flake: 0.0, regression: 0.0, change: 0.0, outage: 0.0 };
    let rows = classes.iter().zip(failure.prior).zip(sound).zip(later.sound).zip(later.broken);
    for ((((class, prior), sound), later_sound), later_broken) in rows {
        let by_breakage = prior * broken * later_broken;
        let by_flake = (1.0 - prior) * sound * later_sound;
        let both = by_breakage + by_flake;
        if both <= 0.0 {
            continue;
        }
        let breakage = class * by_breakage / both;
        let flake = class * by_flake / both;
        // What is too unlikely for any float has no part in an outage.
        let part = |of: f64| if of > 0.0 { outage / of } else { 0.0 };
        let (in_broken, in_sound) = (part(broken), part(sound));
        causes.outage += breakage * in_broken + flake * in_sound;
        causes.flake += flake * (1.0 - in_sound);
        let breakage = breakage * (1.0 - in_broken);
        let inherited = if is_main { 1.0 } else { failure.inherited };
        causes.regression += breakage * inherited;
        causes.change += breakage * (1.0 - inherited);
    }
    causes
}
