//! Burst: does it fail more in the run after a failure?
//!
//! Such a test fails in spells: something around it is down for a while, or a failure leaves
//! something behind. Compared are consecutive runs of one line: the main line or one branch, the
//! one with most of them. Lines that fail at rates of their own, put together, would look like
//! spells.

use std::collections::BTreeMap;

use super::{Case, Cause, Finding, Share, Signal, Split};

pub(super) const SIGNAL: Signal = Signal { name: "burst", ask };

/// Fewer runs than this after a failure, or after a pass, say nothing.
const FEWEST: u32 = 4;

/// Runs of one line that followed another.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    /// Whether the last run failed.
    last: Option<bool>,
    after_failure: Share,
    after_pass: Share,
}

impl Line {
    fn pairs(&self) -> u32 {
        self.after_failure.runs + self.after_pass.runs
    }
}

fn ask(case: &Case<'_>) -> Option<Finding> {
    let mut lines: BTreeMap<Option<&str>, Line> = BTreeMap::new();
    for trial in &case.trials.all {
        let branch = (!trial.run.on_main).then(|| trial.run.branch.as_deref().unwrap_or(""));
        let line = lines.entry(branch).or_default();
        if let Some(failed_before) = line.last.replace(trial.failed) {
            let share = if failed_before { &mut line.after_failure } else { &mut line.after_pass };
            share.runs += 1;
            share.failed += u32::from(trial.failed);
        }
    }
    let longest = lines.into_values().rev().max_by_key(Line::pairs)?;
    let split = Split { inside: longest.after_failure, outside: longest.after_pass };
    if split.inside.runs < FEWEST || split.outside.runs < FEWEST {
        return None;
    }
    let p = case.factorials.at_least(split.table());
    Some(Finding { p, cause: Some(Cause::Burst { split }) })
}
