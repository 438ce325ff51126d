//! Causes: what the history shows of why a test fails, as hints that are never verdicts.
//!
//! A signal is one question about one test, such as "does it fail more on one machine?", with an
//! exact test of significance: one file here and one line in [`SIGNALS`]. Only tests with enough
//! counted failures are asked ([`HintSettings::min_failures`]), from the first of these failures to
//! the last, so that a test that was mended is not compared with the time after. Over all tests and
//! signals of the window the rate of false discoveries is held at
//! [`HintSettings::false_discovery_rate`]; whatever lies above it is not said at all.
//!
//! What a hint never is: part of a verdict. A history sees that failures and a machine go together,
//! not which of them is the cause of the other.

mod burst;
mod clock;
mod company;
mod contrast;
mod duration;
mod hint;
mod host;
mod order;
pub mod polluter;
mod shard;
pub mod signature;
mod together;
mod trials;
mod variant;
mod worker;

pub use clock::When;
pub use contrast::{Share, Split};
pub use hint::{Cause, Hint, Shard};
pub use trials::{Trial, Trials, explained};

use super::history::History;
use super::settings::HintSettings;
use super::statistics::counts::LnFactorials;
use super::statistics::discovery::Family;
use crate::store::query::TestNo;

/// Tests whose failures are compared with each other's at most: pairs grow with the square.
const COMPARED_MAX: usize = 2_000;

/// One question about one test.
#[derive(Debug, Clone, Copy)]
pub struct Signal {
    /// What it is called in the documentation.
    pub name: &'static str,
    /// The answer; `None` where the question cannot be asked, which must not depend on which of the
    /// results failed.
    ask: fn(&Case<'_>) -> Option<Finding>,
}

/// All signals.
pub const SIGNALS: &[Signal] = &[
    order::SIGNAL,
    worker::SIGNAL,
    company::SIGNAL,
    shard::SIGNAL,
    host::SIGNAL,
    variant::SIGNAL,
    clock::SIGNAL,
    duration::SIGNAL,
    together::SIGNAL,
    burst::SIGNAL,
];

/// What a signal is asked about.
#[derive(Debug, Clone, Copy)]
struct Case<'a> {
    history: &'a History,
    /// The results of one test in one variant, from its first counted failure to its last.
    trials: &'a Trials<'a>,
    /// All results of the same test in other variants.
    siblings: &'a [Trials<'a>],
    /// All others with enough failures, whole.
    others: &'a [Trials<'a>],
    factorials: &'a LnFactorials,
}

/// What a signal answers.
#[derive(Debug, Clone, PartialEq)]
struct Finding {
    /// The chance of a difference this large where there is none.
    p: f64,
    /// What to say; nothing where the difference is too small to matter, however sure it is.
    cause: Option<Cause>,
}

/// What was looked at, for those who look closer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Causes {
    /// Each test and variant with enough failures.
    pub examined: Vec<Examined>,
    /// The p-values of all questions that were asked.
    pub family: Family,
    /// The rate of false discoveries that hints keep.
    pub false_discovery_rate: f64,
}

/// One test in one variant whose failures were looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// The test.
    pub test: TestNo,
    /// The matrix cell as printed.
    pub variant: String,
    /// From its first counted failure to its last: the run, as a place in the history, and whether
    /// the test failed there.
    pub trials: Vec<(u32, bool)>,
    /// Its place in the order of execution changes.
    pub shuffled: bool,
}

/// Looks for causes: the hints on each unit of the history, in its order, and what was looked at.
///
/// `counts` tells whether the result of a unit (its place in the history) in a run says anything of
/// the test itself: failures that an outage or a breakage explains do not.
#[must_use]
pub fn find(
    history: &History,
    settings: &HintSettings,
    counts: &dyn Fn(usize, u32) -> bool,
) -> (Vec<Vec<Hint>>, Causes) {
    let mut hints = vec![Vec::new(); history.units.len()];
    let examined = examined(history, settings, counts);
    let factorials = LnFactorials::up_to(history.runs.len() as u32);
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    let mut causes =
        Causes { false_discovery_rate: settings.false_discovery_rate, ..Causes::default() };
    let mut compared: Vec<Trials<'_>> = examined.clone();
    compared.sort_by_key(|trials| std::cmp::Reverse(trials.failures()));
    compared.truncate(COMPARED_MAX);
    for whole in &examined {
        let trials = whole.spell();
        let siblings = siblings(history, whole, counts);
        let case = Case {
            history,
            trials: &trials,
            siblings: &siblings,
            others: &compared,
            factorials: &factorials,
        };
        let answers = SIGNALS.iter().filter_map(|signal| (signal.ask)(&case));
        findings.extend(answers.map(|finding| (whole.place, finding)));
        causes.examined.push(Examined {
            test: trials.unit.test,
            variant: history
                .variants
                .get(trials.unit.variant as usize)
                .cloned()
                .unwrap_or_default(),
            trials: trials.all.iter().map(|trial| (trial.seen.run, trial.failed)).collect(),
            shuffled: order::varies(&case),
        });
    }
    let open = causes.examined.iter().filter(|examined| examined.shuffled).count();
    causes.family = Family::new(findings.iter().map(|(_, finding)| finding.p).collect(), open);
    for (place, finding) in findings {
        let q = causes.family.q(finding.p);
        if let (Some(hints), Some(cause)) = (hints.get_mut(place), finding.cause)
            && q <= settings.false_discovery_rate
        {
            hints.push(Hint { cause, p: Some(finding.p), q: Some(q) });
        }
    }
    hints.iter_mut().for_each(|hints| hints.sort_by(Hint::by_strength));
    (hints, causes)
}

/// The units with enough failures.
fn examined<'a>(
    history: &'a History,
    settings: &HintSettings,
    counts: &dyn Fn(usize, u32) -> bool,
) -> Vec<Trials<'a>> {
    let troubled = |seen: &[super::history::Seen]| {
        seen.iter().filter(|seen| seen.troubled()).count() >= settings.min_failures as usize
    };
    let kept = history.units.iter().enumerate().filter(|(_, unit)| troubled(&unit.seen));
    kept.map(|(place, unit)| Trials::of(history, place, unit, &|run| counts(place, run)))
        .filter(|trials| trials.failures() >= settings.min_failures.max(1))
        .collect()
}

/// The same test in other variants.
fn siblings<'a>(
    history: &'a History,
    of: &Trials<'_>,
    counts: &dyn Fn(usize, u32) -> bool,
) -> Vec<Trials<'a>> {
    if history.variants.len() < 2 {
        return Vec::new();
    }
    let variants = (0..history.variants.len() as u32).filter(|variant| *variant != of.unit.variant);
    variants
        .filter_map(|variant| {
            let key = |unit: &super::history::Unit| (unit.variant, unit.test);
            let place = history.units.binary_search_by_key(&(variant, of.unit.test), key).ok()?;
            let unit = history.units.get(place)?;
            Some(Trials::of(history, place, unit, &|run| counts(place, run)))
        })
        .collect()
}

#[cfg(test)]
mod tests;
