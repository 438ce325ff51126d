//! Methods: ways to come from evidence to verdicts. Each is one file and one line in a table.
//!
//! A method sees the whole window at once, so that one that weighs tests of a run against each
//! other fits as well as one that looks at each test alone.

mod evidence;
mod threshold;

use super::evidence::Evidence;
use super::history::{History, Unit};
use super::settings::Settings;
use super::verdict::{Fact, NextStep, Status};

/// What a method is given.
#[derive(Debug, Clone, Copy)]
pub struct Docket<'a> {
    /// The window.
    pub history: &'a History,
    /// Which of its runs are set aside, one flag for each.
    pub outages: &'a [bool],
    /// The evidence about each unit of the history, in the same order.
    pub evidence: &'a [Evidence],
    /// Which units vanished, in the same order.
    pub vanished: &'a [bool],
    /// Every number.
    pub settings: &'a Settings,
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
    /// How sure, where the method gives a probability.
    pub probability: Option<f64>,
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
    /// One opinion for each unit of the history, in its order.
    pub judge: fn(&Docket<'_>) -> Vec<Opinion>,
}

/// The method used where none is named.
pub const DEFAULT_METHOD: &str = "evidence";

/// All methods.
pub const METHODS: &[MethodEntry] = &[evidence::METHOD, threshold::METHOD];

/// The method of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static MethodEntry> {
    METHODS.iter().find(|method| method.name == name)
}
