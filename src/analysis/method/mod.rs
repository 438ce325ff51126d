//! Methods: ways to come from evidence to verdicts. Each is one file and one line in a table.
//!
//! A method sees the whole window at once, so that one that weighs tests of a run against each
//! other fits as well as one that looks at each test alone.

mod changepoint;
mod entropy;
mod evidence;
mod filter;
mod flip_rate;
#[cfg(test)]
mod laws;
mod rule;
mod same_revision;
#[cfg(test)]
mod testing;
mod threshold;
mod weighted;
mod wilson;

pub use changepoint::ChangepointSettings;
pub use entropy::EntropySettings;
pub(super) use filter::status_at;
pub use flip_rate::FlipRateSettings;
pub use same_revision::SameRevisionSettings;
pub use weighted::Per;
pub use wilson::WilsonSettings;

use super::evidence::Evidence;
use super::filter::Filtered;
use super::history::{History, Unit};
use super::settings::{Outages, Settings};
use super::verdict::{Fact, NextStep, Status, Weighing};

/// What a method is given.
#[derive(Debug, Clone, Copy)]
pub struct Docket<'a> {
    /// The window.
    pub history: &'a History,
    /// Which of its runs are set aside, one flag for each; none where the method counts them all.
    pub outages: &'a [bool],
    /// The evidence about each unit of the history, in the same order.
    pub evidence: &'a [Evidence],
    /// Which units vanished, in the same order.
    pub vanished: &'a [bool],
    /// What the filter makes of the window, for the method that asks for it.
    pub filtered: Option<&'a Filtered>,
    /// Every number.
    pub settings: &'a Settings,
}

impl Opinion {
    /// A status without anything else.
    #[must_use]
    pub const fn of(status: Status) -> Self {
        Self {
            status,
            probability: None,
            broken_probability: None,
            weighing: None,
            score: None,
            quarantine: false,
            facts: Vec::new(),
            next: Vec::new(),
        }
    }
}

impl<'a> Docket<'a> {
    /// Judges each unit on its own, in the order of the history.
    fn each(&self, judge: impl Fn(&Self, &'a Unit, &'a Evidence, bool) -> Opinion) -> Vec<Opinion> {
        let units = self.history.units.iter().zip(self.evidence).zip(self.vanished);
        units.map(|((unit, evidence), vanished)| judge(self, unit, evidence, *vanished)).collect()
    }
}

/// What a method makes of one unit; the counts of its verdict are the same under every method.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// What the test is.
    pub status: Status,
    /// P(flaky), where the method gives a probability.
    pub probability: Option<f64>,
    /// P(broken on the main line), where the method gives a probability.
    pub broken_probability: Option<f64>,
    /// What the filter weighed.
    pub weighing: Option<Box<Weighing>>,
    /// The method's own number, the higher the flakier, where it has one.
    pub score: Option<f64>,
    /// It should be quarantined.
    pub quarantine: bool,
    /// Facts of the method itself; they come before the evidence.
    pub facts: Vec<Fact>,
    /// What would change this opinion.
    pub next: Vec<NextStep>,
}

/// One method.
#[derive(Debug, Clone, Copy)]
pub struct MethodEntry {
    /// The name that is typed and stored.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// It weighs by the filter, whose outages then hold.
    pub weighs: bool,
    /// Whether it looks past outages or counts them like any run.
    pub outages: fn(&Settings) -> Outages,
    /// One opinion for each unit of the history, in its order.
    pub judge: fn(&Docket<'_>) -> Vec<Opinion>,
}

/// The method used where none is named.
pub const DEFAULT_METHOD: &str = filter::METHOD.name;

/// All methods.
pub const METHODS: &[MethodEntry] = &[
    filter::METHOD,
    evidence::METHOD,
    threshold::METHOD,
    same_revision::METHOD,
    flip_rate::METHOD,
    entropy::METHOD,
    wilson::METHOD,
    changepoint::METHOD,
];

/// The method of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static MethodEntry> {
    METHODS.iter().find(|method| method.name == name)
}
