//! The classic rule: enough failures among the latest results, and passes as well.

use super::{Docket, MethodEntry, Opinion};
use crate::analysis::evidence::Evidence;
use crate::analysis::history::Unit;
use crate::analysis::settings::{Lanes, ThresholdSettings};
use crate::analysis::verdict::{Fact, NextStep, Status};

pub(super) const METHOD: MethodEntry = MethodEntry {
    name: "threshold",
    summary: "the classic rule: a share of failures among the latest results",
    judge,
};

fn judge(docket: &Docket<'_>) -> Vec<Opinion> {
    docket.each(|docket, unit, evidence, _| {
        let settings = &docket.settings.threshold;
        let latest = Latest::of(docket, unit, settings);
        let status = status(latest, evidence, settings);
        let missing = settings.min_runs.saturating_sub(latest.results);
        Opinion {
            status,
            probability: None,
            quarantine: status == Status::Flaky && latest.results >= settings.quarantine_runs,
            facts: if latest.bad > 0 { vec![latest.rule(settings)] } else { Vec::new() },
            next: match status {
                Status::New => vec![NextStep::MoreResults { runs: missing }],
                Status::Flaky => latest.steps_to_clear(settings),
                _ => Vec::new(),
            },
        }
    })
}

/// The latest results of one unit.
#[derive(Debug, Clone, Copy)]
struct Latest {
    results: u32,
    bad: u32,
    /// One bit for each result, the latest lowest; only the 128 latest are needed for a forecast.
    bits: u128,
    /// Something older than these results passed.
    passed_before: bool,
}

impl Latest {
    fn of(docket: &Docket<'_>, unit: &Unit, settings: &ThresholdSettings) -> Self {
        let mut latest = Self { results: 0, bad: 0, bits: 0, passed_before: false };
        if unit.seen.is_empty() {
            latest.results = unit.tally.executed.min(settings.window);
            return latest;
        }
        let main = docket.history.main_lane();
        let counts = |run: u32| match settings.lanes {
            Lanes::All => true,
            Lanes::Main => docket.history.run(run).map(|run| run.lane) == main,
        };
        let results = unit.seen.iter().rev().filter(|seen| seen.executed() && counts(seen.run));
        for seen in results {
            let bad = seen.outcome.is_bad();
            if latest.results >= settings.window {
                latest.passed_before |= !bad;
                continue;
            }
            if latest.results < u128::BITS {
                latest.bits |= u128::from(bad) << latest.results;
            }
            latest.results += 1;
            latest.bad += u32::from(bad);
        }
        latest
    }

    fn is_flaky(self, settings: &ThresholdSettings) -> bool {
        let share = f64::from(self.bad) / f64::from(self.results.max(1));
        self.results >= settings.min_runs
            && self.bad > 0
            && self.bad < self.results
            && share >= settings.threshold
    }

    /// Passes from here on until the rule no longer holds.
    fn steps_to_clear(self, settings: &ThresholdSettings) -> Vec<NextStep> {
        let mut ahead = self;
        let limit = settings.window.min(u128::BITS);
        for runs in 1..=limit {
            let oldest = limit.saturating_sub(1);
            let drops_bad = ahead.results >= limit && ahead.bits >> oldest & 1 == 1;
            ahead.bad -= u32::from(drops_bad && ahead.bad > 0);
            ahead.results = (ahead.results + 1).min(limit);
            ahead.bits <<= 1;
            if !ahead.is_flaky(settings) {
                return vec![NextStep::CleanRuns { runs }];
            }
        }
        Vec::new()
    }

    fn rule(self, settings: &ThresholdSettings) -> Fact {
        let share = 100.0 * f64::from(self.bad) / f64::from(self.results.max(1));
        Fact::Rule {
            text: format!(
                "{} of the last {} results failed ({share:.0} %); flaky from {:.0} % of at least \
                 {} results, with passes among them",
                self.bad,
                self.results,
                100.0 * settings.threshold,
                settings.min_runs,
            ),
        }
    }
}

fn status(latest: Latest, evidence: &Evidence, settings: &ThresholdSettings) -> Status {
    let scarce = latest.results < settings.min_runs;
    let passed_before = latest.passed_before || evidence.passed_on_main;
    match (scarce, latest.bad, latest.is_flaky(settings)) {
        (true, _, _) => Status::New,
        (false, 0, _) => Status::Healthy,
        (false, _, true) => Status::Flaky,
        (false, bad, false) if bad < latest.results => Status::Suspect,
        (false, _, false) if passed_before => Status::NewlyBroken,
        (false, _, false) => Status::Broken,
    }
}
