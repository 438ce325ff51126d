//! One report, one code and one screen of all batches.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::batch::Batch;
use super::crash::End;
use super::crew::State;
use super::{Setting, Worked};
use crate::context::child::{Ended, How};
use crate::junit::merge::{MadeCase, Part, made, merge};
use crate::model::TestName;
use crate::quarantine::gate::runners::Runner;
use crate::report::view::{CrashedView, SlowTestView, WorkerView, WorkersView};

/// The end that no gate excuses, where the process' own code would read as "tests failed".
const UNEXCUSED: How = How::Exited(125);
/// So many of the slowest tests are kept.
const SLOWEST_MAX: usize = 10;

/// What an account is made from.
pub(super) struct Account<'a> {
    pub(super) setting: &'a Setting<'a>,
    pub(super) state: State,
    pub(super) started: SystemTime,
    pub(super) took: Duration,
    /// The signal by which we were told to end.
    pub(super) asked: Option<i32>,
    /// The end where no batch was run.
    pub(super) nothing_ran: How,
}

/// Puts together what all batches came to.
pub(super) fn account(account: Account<'_>) -> Worked {
    let Account { setting, mut state, started, took, asked, nothing_ran } = account;
    // Within a worker in the order in which it ran them.
    state.batches.sort_by_key(|batch| (batch.worker, batch.number));
    let asked = asked.or_else(|| state.batches.iter().find_map(|batch| batch.ended.asked));
    let own = match how(&setting.runner, &state.batches) {
        // What was stopped before all had run has not passed.
        None | Some(How::Exited(0)) if state.stopped.is_some() => nothing_ran,
        own => own.unwrap_or(nothing_ran),
    };
    let ended = Ended {
        // Processes end in as many ways as there are of them; what we were told is one.
        how: asked.map_or(own, How::Signalled),
        asked,
        started,
        took,
    };
    let document = document(setting, &state.batches);
    let bad = |batch: &Batch| {
        let bad = batch.seen.iter().filter(|one| one.outcome.is_bad());
        bad.map(|one| (one.test.clone(), one.failure.clone())).collect::<Vec<_>>()
    };
    let failures: Vec<(TestName, String)> = state.batches.iter().flat_map(bad).collect();
    let view = view(setting, state, took);
    Worked { ended, document, view, failures }
}

/// How the command would have ended: what says most against it.
fn how(runner: &Runner, batches: &[Batch]) -> Option<How> {
    let has_bad = |batch: &Batch| batch.seen.iter().any(|one| one.outcome.is_bad());
    let weight = |batch: &&Batch| match (batch.end, batch.ended.how) {
        (_, How::TimedOut) => 5,
        (End::Crashed, _) => 4,
        (End::Refused, _) => 3,
        (End::Whole, How::Exited(0)) => 0,
        (End::Whole, How::Exited(code)) if runner.means_failed(code) && has_bad(batch) => 1,
        (End::Whole, _) => 3,
        // It was ended by us, and what it says is our own word.
        (End::Stopped, How::Exited(0)) => 0,
        (End::Stopped, _) => 2,
    };
    let worst = batches.iter().rev().max_by_key(weight)?;
    let ours = |batch: &Batch| batch.end == End::Stopped && batch.ended.asked.is_none();
    let has_failed = batches.iter().any(has_bad);
    let may_be_excused = |code: i32| code == 0 || runner.means_failed(code);
    Some(match worst.ended.how {
        // Python dies with 1 where memory is out, and 1 is "tests failed", which the gate excuses.
        How::Exited(code) if worst.end == End::Crashed && may_be_excused(code) => UNEXCUSED,
        // It says that tests failed and names none; the failures of others must not hide that.
        How::Exited(code)
            if worst.end == End::Whole
                && runner.means_failed(code)
                && has_failed
                && !has_bad(worst) =>
        {
            UNEXCUSED
        }
        // Enough tests had failed, so that is what the runner would have said.
        _ if ours(worst) && worst.ended.how != How::TimedOut && has_failed => {
            let code = runner.failed.first().map_or(1, |(low, _)| *low);
            How::Exited(code)
        }
        how => how,
    })
}

fn document(setting: &Setting<'_>, batches: &[Batch]) -> Vec<u8> {
    let mut parts = Vec::new();
    for batch in batches {
        let mut properties = vec![("flakedb.worker".to_owned(), batch.worker.to_string())];
        let shard = setting.shard.iter().map(|shard| ("flakedb.shard".to_owned(), shard.clone()));
        properties.extend(shard);
        let own = (!batch.made.is_empty()).then(|| made(&batch.made));
        let all = batch.documents.iter().cloned().chain(own);
        parts.extend(all.map(|bytes| Part { bytes, properties: properties.clone() }));
    }
    merge(&parts)
}

/// Where each test ran, in order.
fn view(setting: &Setting<'_>, state: State, took: Duration) -> WorkersView {
    let wall = took.as_secs_f64();
    let mut workers: Vec<WorkerView> = (0..setting.workers())
        .map(|worker| WorkerView { worker, ..WorkerView::default() })
        .collect();
    let mut slowest = Vec::new();
    let mut crashed = Vec::new();
    for batch in &state.batches {
        let seconds: f64 = batch.seen.iter().filter_map(|one| one.seconds).sum();
        let busy = batch.ended.took.as_secs_f64();
        if let Some(worker) = workers.get_mut(batch.worker as usize) {
            worker.add(batch, seconds, busy);
        }
        slowest.extend(batch.seen.iter().filter_map(|one| {
            let seconds = one.seconds?;
            Some(SlowTestView { test: one.test.label.clone(), worker: batch.worker, seconds })
        }));
        crashed.extend(batch.fate.culprit.map(|place| CrashedView {
            test: label(setting, place),
            worker: batch.worker,
            how: batch.ended.how.words(),
        }));
    }
    for worker in &mut workers {
        worker.settle(wall);
    }
    slowest.sort_by(|a, b| b.seconds.total_cmp(&a.seconds).then_with(|| a.test.cmp(&b.test)));
    slowest.truncate(SLOWEST_MAX);
    let mut without: Vec<usize> = state.without;
    without.sort_unstable();
    without.dedup();
    let mut notes: BTreeMap<String, ()> = BTreeMap::new();
    notes.extend(state.notes.into_iter().map(|note| (note, ())));
    WorkersView {
        schema: WorkersView::SCHEMA,
        dist: setting.dist.word(),
        tests: setting.tests.len() as u64,
        seconds: wall,
        test_seconds: workers.iter().map(|worker| worker.test_seconds).sum(),
        workers,
        slowest,
        crashed,
        without_result: without.into_iter().map(|place| label(setting, place)).collect(),
        stopped: state.stopped,
        shared: None,
        notes: notes.into_keys().collect(),
    }
    .rounded()
}

fn label(setting: &Setting<'_>, place: usize) -> String {
    setting.tests.get(place).map_or_else(String::new, |test| test.test.label.clone())
}

impl WorkerView {
    fn add(&mut self, batch: &Batch, seconds: f64, busy: f64) {
        let made = |case: &&MadeCase| case.error.is_none();
        self.batches += 1;
        self.tests += (batch.seen.len() + batch.made.len()) as u64;
        self.failed += batch.seen.iter().filter(|one| one.outcome.is_bad()).count() as u64;
        self.failed += u64::from(batch.fate.culprit.is_some());
        let told: f64 = batch.made.iter().filter(made).filter_map(|case| case.seconds).sum();
        self.test_seconds += seconds + told;
        self.start_seconds += (busy - seconds - told).max(0.0);
        self.crashes += u32::from(batch.end == End::Crashed);
    }

    /// Its time is what its tests took, what its processes took besides, and the rest.
    fn settle(&mut self, wall: f64) {
        self.idle_seconds = (wall - self.test_seconds - self.start_seconds).max(0.0);
    }
}

#[cfg(test)]
mod unit {
    use super::super::crash::{Fate, Seen};
    use super::*;
    use crate::model::Outcome;

    fn batch(code: i32, end: End, failed: usize) -> Batch {
        let seen = |n: usize| Seen {
            test: TestName { name: n.to_string(), ..TestName::default() },
            outcome: if n < failed { Outcome::Failed } else { Outcome::Passed },
            seconds: None,
            failure: String::new(),
        };
        let (started, took) = (SystemTime::UNIX_EPOCH, Duration::ZERO);
        Batch {
            worker: 0,
            number: 1,
            tests: vec![0, 1],
            ended: Ended { how: How::Exited(code), asked: None, started, took },
            end,
            documents: Vec::new(),
            seen: (0..2).map(seen).collect(),
            fate: Fate::default(),
            made: Vec::new(),
            log: std::path::PathBuf::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn what_died_never_ends_in_a_code_that_can_be_excused() {
        let runner = Runner { name: "pytest".into(), failed: vec![(1, 1)], others: Vec::new() };
        let failed = || batch(1, End::Whole, 1);
        for (batches, wanted) in [
            (vec![batch(0, End::Whole, 0), failed()], 1),
            // A process that died without a whole report, with the code of failed tests or of none.
            (vec![failed(), batch(1, End::Crashed, 0)], 125),
            (vec![batch(0, End::Crashed, 0), batch(0, End::Whole, 0)], 125),
            (vec![failed(), batch(139, End::Crashed, 0)], 139),
            // "Tests failed", and no test that did.
            (vec![failed(), batch(1, End::Whole, 0)], 125),
            (vec![batch(0, End::Whole, 0), batch(1, End::Whole, 0)], 1),
            (vec![failed(), batch(2, End::Refused, 0)], 2),
            (vec![failed(), batch(130, End::Stopped, 0)], 1),
        ] {
            let ends: Vec<_> = batches.iter().map(|one| (one.ended.how, one.end)).collect();
            assert_eq!(how(&runner, &batches), Some(How::Exited(wanted)), "{ends:?}");
        }
        assert_eq!(how(&runner, &[]), None);
        assert!(!runner.means_failed(125));
    }
}
