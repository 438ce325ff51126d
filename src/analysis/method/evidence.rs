//! Evidence: facts that prove or suggest flakiness, weighed by one decision table.

use super::{Docket, MethodEntry, Opinion};
use crate::analysis::classify::{Signs, clean_runs_needed};
use crate::analysis::evidence::Evidence;
use crate::analysis::settings::{EvidenceSettings, Outages};
use crate::analysis::verdict::{NextStep, Status};

pub(super) const METHOD: MethodEntry = MethodEntry {
    name: "evidence",
    summary: "both outcomes on the same code, or failures that recover by themselves",
    weighs: false,
    outages: |_| Outages::LeaveOut,
    judge,
};

fn judge(docket: &Docket<'_>) -> Vec<Opinion> {
    docket.each(|docket, _, evidence, vanished| {
        let settings = &docket.settings.evidence;
        let status = Signs::read(evidence, vanished, settings).status();
        Opinion {
            quarantine: status == Status::Flaky && evidence.executions >= settings.quarantine_runs,
            next: next_steps(status, evidence, settings),
            ..Opinion::of(status)
        }
    })
}

fn next_steps(status: Status, evidence: &Evidence, settings: &EvidenceSettings) -> Vec<NextStep> {
    let clear_after = |runs: u32| {
        let runs = runs.saturating_sub(evidence.clean);
        (runs > 0).then_some(NextStep::CleanRuns { runs })
    };
    let needed = clean_runs_needed(evidence, settings);
    match status {
        Status::NewlyBroken | Status::Broken | Status::Fixed | Status::Stale | Status::Healthy => {
            Vec::new()
        }
        Status::Flaky => clear_after(needed).into_iter().collect(),
        Status::Suspect => [NextStep::RerunRevision { times: settings.reruns }]
            .into_iter()
            .chain(clear_after(needed))
            .collect(),
        Status::Recovering => {
            let passes = settings.fixed_runs.saturating_sub(evidence.passes_since_streak);
            let runs = match (passes, clear_after(needed.saturating_mul(2))) {
                (0, step) => step,
                (runs, _) => Some(NextStep::CleanRuns { runs }),
            };
            runs.into_iter().collect()
        }
        Status::New => {
            let runs = settings.min_runs.saturating_sub(evidence.executions);
            vec![NextStep::MoreResults { runs }]
        }
    }
}
