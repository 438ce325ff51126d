//! The ledger: how much each kind of observation weighs for or against flakiness.
//!
//! Weights are in nats, the natural logarithm of how much likelier an observation is for a flaky
//! test than for a healthy one: +2.3 makes flakiness ten times as likely, -2.3 a tenth. With the
//! prior, and with what time alone changed, they sum to the logarithm of the odds that the filter
//! ends with (a test holds it to that).

use serde::Serialize;

use super::belief::{Broken, Likelihood, flaky};
use super::model::Classes;

/// Kinds of observation, those that speak loudest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Failed and passed on one revision.
    Proof,
    /// Failed on the main line, and passed again soon.
    Recovered,
    /// Failed on branches that have nothing else in common.
    Branches,
    /// Fails on the main line now.
    FailsNow,
    /// Failed for many revisions in a row.
    Lasting,
    /// Failed among many tests of a bad commit.
    BadCommit,
    /// Ran in an outage.
    Outage,
    /// Passed, with nothing before to recover from.
    Passes,
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Self; 8] = [
        Self::Proof,
        Self::Recovered,
        Self::Branches,
        Self::FailsNow,
        Self::Lasting,
        Self::BadCommit,
        Self::Outage,
        Self::Passes,
    ];
}

/// What observations of one kind weigh together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Entry {
    /// Their weight in nats; positive speaks for flakiness.
    pub nats: f64,
    /// How many there were: revisions, failures, branches or passes, as the kind says.
    pub count: u32,
}

/// Proofs that are remembered by run, the latest.
pub const PROOFS_KEPT: usize = 5;

/// The weights of one test.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// Log odds of being flaky before anything was seen.
    pub prior: f64,
    /// What time changed: with each revision a test may become flaky, or healthy.
    pub time: f64,
    /// Runs whose failure was proved to be a flake, latest last.
    pub proofs: Vec<u32>,
    entries: [Entry; Kind::ALL.len()],
}

impl Ledger {
    /// A ledger without observations.
    #[must_use]
    pub fn new(prior: &Classes) -> Self {
        Self {
            prior: log_odds(prior),
            time: 0.0,
            proofs: Vec::new(),
            entries: [Entry::default(); Kind::ALL.len()],
        }
    }

    /// What observations of a kind weigh.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Entry {
        self.entries.get(kind as usize).copied().unwrap_or_default()
    }

    /// Log odds of being flaky in the end: everything together.
    #[must_use]
    pub fn log_odds(&self) -> f64 {
        self.prior + self.time + self.entries.iter().map(|entry| entry.nats).sum::<f64>()
    }

    pub(super) fn add(&mut self, kind: Kind, nats: f64, count: u32) {
        if let Some(entry) = self.entries.get_mut(kind as usize) {
            entry.nats += nats;
            entry.count += count;
        }
    }

    pub(super) fn prove(&mut self, run: u32, nats: f64, count: u32) {
        self.add(Kind::Proof, nats, count);
        if self.proofs.len() >= PROOFS_KEPT {
            self.proofs.remove(0);
        }
        self.proofs.push(run);
    }

    pub(super) fn drift(&mut self, before: &Classes, after: &Classes) {
        self.time += log_odds(after) - log_odds(before);
    }
}

/// ln P(flaky) / P(healthy).
#[must_use]
pub fn log_odds(classes: &Classes) -> f64 {
    (flaky(classes) / classes[0]).ln()
}

/// What a result weighs: how much likelier it is for a flaky test than for a healthy one.
#[must_use]
pub fn weight(classes: &Classes, broken: &Broken, likelihood: &Likelihood) -> f64 {
    let mut by_class =
        classes.iter().zip(broken).zip(likelihood.sound).map(|((class, broken), sound)| {
            (class, broken * likelihood.broken + (1.0 - broken) * sound)
        });
    let Some((_, healthy)) = by_class.next() else { return 0.0 };
    let flaky: f64 = by_class.map(|(class, likely)| class * likely).sum();
    let share: f64 = classes.iter().skip(1).sum();
    (flaky / share / healthy).ln()
}
