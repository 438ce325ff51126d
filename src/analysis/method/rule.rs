//! What the methods that go by a rule share: which results count, what fails at the moment, and
//! how what a rule finds becomes an opinion.

use super::{Docket, Opinion};
use crate::analysis::evidence::Evidence;
use crate::analysis::history::{Run, Seen, Unit};
use crate::analysis::settings::{Lanes, Outages};
use crate::analysis::verdict::{Fact, NextStep, Status};
use crate::model::counted;

/// Nothing is forecast beyond so many runs: nobody waits for them.
const FORECAST_RUNS_MAX: u32 = 1_000;

/// Which results a rule counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    pub(super) lanes: Lanes,
    pub(super) outages: Outages,
}

/// The numbers that every rule has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Fewer results than this say nothing.
    pub(super) min_runs: u32,
    /// So many failures in a row on the main line are a breakage.
    pub(super) broken_runs: u32,
    /// Fewest results before a flaky test is recommended for quarantine.
    pub(super) quarantine_runs: u32,
}

/// How strongly a rule speaks of flakiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Not at all.
    None,
    /// Something of what it counts is there, but not enough.
    Some,
    /// It holds.
    Holds,
}

/// What a rule makes of one case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) sign: Sign,
    /// The rule's own number.
    pub(super) score: f64,
    /// The rule in words, with the numbers of this case.
    pub(super) rule: String,
    /// Passes from here on until it no longer holds, where that can be told.
    pub(super) clean_runs: Option<u32>,
    /// How it tells a breakage.
    pub(super) breakage: Breakage,
}

/// How a rule tells a breakage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breakage {
    /// By failures in a row, like most.
    InARow,
    /// In its own way, and this is one.
    Yes,
    /// In its own way, and this is none.
    No,
}

/// The results of one unit as a rule counts them.
#[derive(Debug, Clone)]
pub(super) struct Case<'a> {
    /// Those that were executed, oldest first; none for a test that was never bad.
    pub(super) results: Vec<(&'a Seen, &'a Run)>,
    /// How many there are, for a test that was never bad as well.
    pub(super) total: u32,
    /// Failures in a row at the end of the main line.
    failing: u32,
    passed_on_main: bool,
    vanished: bool,
}

impl<'a> Case<'a> {
    pub(super) fn of(
        docket: &Docket<'a>,
        unit: &'a Unit,
        evidence: &Evidence,
        vanished: bool,
        scope: Scope,
    ) -> Self {
        let set_aside = |run: u32| docket.outages.get(run as usize) == Some(&true);
        let executed = unit.seen.iter().filter(|seen| seen.executed());
        let counted = executed
            .filter(|seen| scope.outages == Outages::Count || !set_aside(seen.run))
            .filter_map(|seen| Some((seen, docket.history.run(seen.run)?)));
        let mut case = Self {
            results: Vec::new(),
            total: 0,
            failing: 0,
            passed_on_main: evidence.passed_on_main,
            vanished,
        };
        for (seen, run) in counted {
            if run.on_main {
                let bad = seen.outcome.is_bad();
                case.failing = if bad { case.failing + 1 } else { 0 };
                case.passed_on_main |= !bad;
            }
            if scope.lanes == Lanes::All || run.on_main {
                case.results.push((seen, run));
            }
        }
        let ran_there = scope.lanes == Lanes::All || unit.tally.ran_on_main();
        case.total = match (unit.seen.is_empty(), scope.outages) {
            (false, _) => case.results.len() as u32,
            (true, _) if !ran_there => 0,
            (true, Outages::Count) => unit.tally.executed,
            (true, Outages::LeaveOut) => evidence.executions,
        };
        case
    }

    /// True where there is anything that a rule could count.
    pub(super) fn troubled(&self) -> bool {
        self.results.iter().any(|(seen, _)| seen.troubled())
    }

    /// What fails now comes before what ever flickered, so that a breakage is never hidden.
    fn status(&self, finding: Option<&Finding>, limits: Limits) -> Status {
        let sign = finding.map_or(Sign::None, |finding| finding.sign);
        let scarce = self.total < limits.min_runs.max(1);
        let breaks = match finding.map_or(Breakage::No, |finding| finding.breakage) {
            Breakage::InARow => self.failing >= limits.broken_runs.max(1),
            Breakage::Yes => true,
            Breakage::No => false,
        };
        match (self.vanished, scarce, breaks, sign) {
            (true, ..) => Status::Stale,
            (_, true, ..) => Status::New,
            (_, _, true, _) if self.passed_on_main => Status::NewlyBroken,
            (_, _, true, _) => Status::Broken,
            (_, _, _, Sign::Holds) => Status::Flaky,
            (_, _, _, Sign::Some) => Status::Suspect,
            (_, _, _, Sign::None) if self.failing > 0 => Status::Suspect,
            (_, _, _, Sign::None) => Status::Healthy,
        }
    }

    /// The opinion that follows; `None` for a case without trouble.
    pub(super) fn opinion(&self, finding: Option<Finding>, limits: Limits) -> Opinion {
        let status = self.status(finding.as_ref(), limits);
        let clean_runs = finding.as_ref().and_then(|finding| finding.clean_runs);
        let next = match (status, clean_runs) {
            (Status::New, _) => Some(NextStep::MoreResults {
                runs: limits.min_runs.max(1).saturating_sub(self.total),
            }),
            (Status::Flaky, Some(runs)) => Some(NextStep::CleanRuns { runs }),
            _ => None,
        };
        let score = finding.as_ref().map_or(0.0, |finding| finding.score);
        let in_a_row = || {
            let needed = limits.broken_runs.max(1);
            format!("The last {} failed; broken from {needed} in a row", results(self.failing))
        };
        let text = finding.map(|finding| match (status, finding.breakage) {
            (Status::NewlyBroken | Status::Broken, Breakage::InARow) => in_a_row(),
            _ => finding.rule,
        });
        Opinion {
            score: Some(score),
            quarantine: status == Status::Flaky && self.total >= limits.quarantine_runs,
            facts: text.map(|text| Fact::Rule { text }).into_iter().collect(),
            next: next.into_iter().collect(),
            ..Opinion::of(status)
        }
    }
}

/// The fewest passes from here on after which a rule no longer holds: `holds` is asked for numbers
/// of passes, and once it says no for one, it is expected to say so for all larger ones.
pub(super) fn clean_runs(holds: impl Fn(u32) -> bool) -> Option<u32> {
    let (mut yes, mut no) = (0, 1);
    while holds(no) {
        if no >= FORECAST_RUNS_MAX {
            return None;
        }
        yes = no;
        no = (no * 2).min(FORECAST_RUNS_MAX);
    }
    while no - yes > 1 {
        let middle = u32::midpoint(yes, no);
        if holds(middle) { yes = middle } else { no = middle }
    }
    Some(no)
}

/// A number of results in words.
pub(super) fn results(count: u32) -> String {
    counted(count, "result")
}

/// A share with its unit.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", crate::model::percent(share))
}

/// Where the results that count come from, in words.
pub(super) const fn place(lanes: Lanes) -> &'static str {
    match lanes {
        Lanes::All => "",
        Lanes::Main => " on the main line",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_passes_are_found_and_never_beyond_the_horizon() {
        for fewest in [1, 2, 3, 17, 64, 65, 999, 1_000] {
            assert_eq!(clean_runs(|passes| passes < fewest), Some(fewest));
        }
        assert_eq!(clean_runs(|_| true), None);
        assert_eq!(clean_runs(|passes| passes < 1_001), None);
    }

    #[test]
    fn shares_read_as_people_write_them() {
        for (share, wanted) in [
            (0.0, "0 %"),
            (0.000_4, "<0.1 %"),
            (0.019, "1.9 %"),
            (0.05, "5 %"),
            (0.304, "30 %"),
            (0.999_9, ">99.9 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), wanted);
        }
    }
}
