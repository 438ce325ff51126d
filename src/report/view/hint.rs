//! Hints on causes as they are published: the kind, the sentence, the numbers.

use serde::Serialize;

use super::super::hint;
use crate::analysis::cause::{Cause, Hint, Share};
use crate::model::Micros;

/// A number of failures among a number of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShareView {
    /// Runs in which it failed.
    pub failed: u32,
    /// Runs.
    pub runs: u32,
}

impl From<Share> for ShareView {
    fn from(share: Share) -> Self {
        Self { failed: share.failed, runs: share.runs }
    }
}

/// The middle of a measurement where the test failed, and where it passed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MediansView {
    /// Where it failed.
    pub failed: f64,
    /// Where it passed.
    pub passed: f64,
}

/// One hint on the cause of a test's failures. Only the numbers that its kind has are written.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HintView {
    /// What kind of cause: `order`, `worker`, `company`, `shard`, `host`, `variant`, `time`, `duration`, `co-failure`,
    /// `burst` or `signature`.
    pub kind: &'static str,
    /// The hint in words.
    pub sentence: String,
    /// The same in a few words.
    pub short: String,
    /// The chance of a difference this large where there is none; null for what was only counted.
    pub p: Option<f64>,
    /// The same, adjusted for all tests and signals of the window.
    pub q: Option<f64>,
    /// The machine, worker, shard, variant or time that is set apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// The other test that is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// Runs that are set apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<ShareView>,
    /// The other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<ShareView>,
    /// Of the order: what ran before it was looked at within the same worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_worker: Option<bool>,
    /// Tests that ran before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests_before: Option<MediansView>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<MediansView>,
    /// Runs in which both tests failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub both: Option<u32>,
    /// Runs in which one of two tests failed, or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub either: Option<u32>,
    /// Further tests of which the same is true, or that cannot be told from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<u32>,
    /// Failures that were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<u32>,
    /// Failures that look like the most frequent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// Different failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinds: Option<u32>,
}

impl HintView {
    /// Describes a hint.
    #[must_use]
    pub fn new(hint: &Hint) -> Self {
        let split = hint.cause.split();
        let view = Self {
            kind: hint.cause.word(),
            sentence: hint::sentence(hint),
            short: hint::short(hint),
            p: hint.p.map(digits),
            q: hint.q.map(digits),
            inside: split.map(|split| split.inside.into()),
            outside: split.map(|split| split.outside.into()),
            ..Self::default()
        };
        let medians = |failed: f64, passed: f64| Some(MediansView { failed, passed });
        match &hint.cause {
            Cause::Polluter { name, alike, in_worker, .. } => Self {
                test: Some(name.clone()),
                others: Some(alike.len() as u32),
                in_worker: Some(*in_worker),
                ..view
            },
            Cause::Position { failed, passed, in_worker } => Self {
                tests_before: medians((*failed).into(), (*passed).into()),
                in_worker: Some(*in_worker),
                ..view
            },
            Cause::Worker { worker, .. } => Self { what: Some(worker.clone()), ..view },
            Cause::Shard { shard, .. } => {
                Self { what: Some(hint::named(shard).to_owned()), ..view }
            }
            Cause::Host { host: what, .. } | Cause::Variant { variant: what, .. } => {
                Self { what: Some(what.clone()), ..view }
            }
            Cause::Clock { when, .. } => Self { what: Some(hint::time(*when)), ..view },
            Cause::Duration { failed, passed } => {
                let [failed, passed] = [failed, passed].map(|time| Micros::as_seconds(*time));
                Self { seconds: medians(failed, passed), ..view }
            }
            Cause::Together { name, both, either, others, .. } => Self {
                test: Some(name.clone()),
                both: Some(*both),
                either: Some(*either),
                others: Some(*others),
                ..view
            },
            Cause::Burst { .. } | Cause::Company { .. } => view,
            Cause::Signature { failures, most, kinds, .. } => {
                Self { failures: Some(*failures), most: Some(*most), kinds: Some(*kinds), ..view }
            }
        }
    }
}

/// Three significant digits: small p-values are all digits that six decimals would cut off.
fn digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
