//! What a test was at each moment, in the light of everything that came later.
//!
//! The filter knows only the past. Whether old failures were flakes or a breakage depends on what
//! the test was then, and later results tell of that, too: twenty passes after a row of failures
//! say that the test is not one that fails two times of three. So failures wait until the end, and
//! the classes of their time are corrected by the message of all later results (the backward half
//! of the forward-backward algorithm, over classes).

use super::belief::{Broken, Drift, Likelihood};
use super::episode::{Attributed, Episodic, attribute};
use super::model::{CLASSES, Classes, Model};

/// Failures that wait to be understood.
#[derive(Debug, Clone)]
struct Waiting {
    /// How many results were seen when the episode ended.
    at: usize,
    /// The classes then.
    classes: Classes,
    failures: Vec<Episodic>,
    is_main: bool,
    pass: Option<Episodic>,
}

/// All results of a test by what each says of its class.
#[derive(Debug, Clone, Default)]
pub(super) struct Hindsight {
    seen: Vec<Seen>,
    waiting: Vec<Waiting>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// How likely the result was for each class.
    likely: Classes,
    /// The classes drifted before it.
    drifted: bool,
}

impl Hindsight {
    /// Notes a result.
    pub(super) fn see(&mut self, broken: &Broken, likelihood: &Likelihood, drifted: bool) {
        let mut likely = likelihood.sound;
        for (likely, broken) in likely.iter_mut().zip(broken) {
            *likely = broken * likelihood.broken + (1.0 - broken) * *likely;
        }
        self.seen.push(Seen { likely, drifted });
    }

    /// Lets the failures of an episode wait; `classes` is what is believed after the last result.
    pub(super) fn wait(
        &mut self,
        classes: &Classes,
        failures: Vec<Episodic>,
        is_main: bool,
        pass: Option<Episodic>,
    ) {
        let (at, classes) = (self.seen.len(), *classes);
        self.waiting.push(Waiting { at, classes, failures, is_main, pass });
    }

    /// What all failures were, oldest first.
    pub(super) fn understand(self, model: &Model, drift: &Drift) -> Vec<Attributed> {
        let mut message = [1.0; CLASSES];
        let mut waiting = self.waiting;
        waiting.sort_by_key(|one| one.at);
        let mut understood = Vec::new();
        for at in (0..=self.seen.len()).rev() {
            while let Some(one) = waiting.pop_if(|one| one.at == at) {
                let classes = corrected(&one.classes, &message);
                let Waiting { failures, is_main, pass, .. } = one;
                understood.extend(attribute(model, &classes, &failures, is_main, pass.as_ref()));
            }
            let Some(seen) = at.checked_sub(1).and_then(|before| self.seen.get(before)) else {
                break;
            };
            message = before(&message, seen, drift);
        }
        understood.sort_by_key(|failure| failure.run);
        understood
    }
}

/// The message before a result: it is likely so, and the classes may have drifted towards it.
fn before(message: &Classes, seen: &Seen, drift: &Drift) -> Classes {
    let mut before = *message;
    for (message, likely) in before.iter_mut().zip(seen.likely) {
        *message *= likely;
    }
    if seen.drifted {
        before = drift.expected(&before);
    }
    // Only proportions count; the product of many falls below any float.
    let most = before.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    before.map(|message| message / most)
}

fn corrected(classes: &Classes, message: &Classes) -> Classes {
    let mut corrected = *classes;
    corrected.iter_mut().zip(message).for_each(|(class, message)| *class *= message);
    let sum: f64 = corrected.iter().sum();
    if sum > 0.0 { corrected.map(|class| class / sum) } else { *classes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::filter::belief::{Circumstance, Observed, weigh};

    #[test]
    fn a_message_that_contradicts_all_that_was_believed_changes_nothing() {
        let (mut classes, mut message) = ([0.0; CLASSES], [1.0; CLASSES]);
        (classes[0], message[0]) = (1.0, 0.0);
        assert_eq!(corrected(&classes, &message), classes);
    }

    /// Every path of classes through a few results, weighed one by one.
    #[test]
    fn the_message_is_the_sum_over_all_paths() {
        let model = Model {
            becomes_flaky: 0.1,
            becomes_healthy: 0.2,
            changes_rate: 0.3,
            ..Model::default()
        };
        let drift = Drift::new(&model);
        let sound = [0.0; CLASSES];
        let likelihood = |observed| Likelihood::of(&model, observed, &Circumstance::USUAL);
        let later = [Observed::FAIL, Observed::PASS, Observed::PASS].map(likelihood);
        let mut message = [1.0; CLASSES];
        for likelihood in later.iter().rev() {
            let seen = Seen { likely: likelihood.sound, drifted: true };
            message = before(&message, &seen, &drift);
        }
        // Forwards from a certain class, the probability of all results is the message itself.
        let forwards = |class: usize| {
            let mut classes = [0.0; CLASSES];
            classes[class] = 1.0;
            let mut all = 1.0;
            for likelihood in &later {
                drift.apply(&mut classes);
                all *=
                    classes.iter().zip(likelihood.sound).map(|(p, likely)| p * likely).sum::<f64>();
                weigh(&mut classes, &mut sound.clone(), likelihood);
            }
            all
        };
        let scale = forwards(3) / message[3];
        for (class, message) in message.iter().enumerate() {
            assert!((forwards(class) - message * scale).abs() < 1e-12, "class {class}");
        }
    }
}
