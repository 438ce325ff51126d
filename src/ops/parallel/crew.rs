//! The workers: threads, each with one process at a time, until nothing is left to deal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::account::{Account, account};
use super::batch::{Batch, Making, Trouble};
use super::crash::End;
use super::deal::{Deal, Next};
use super::{BatchEnd, Setting, Worked, telling};
use crate::context::child::{How, StartError};
use crate::context::stopwatch::Stopwatch;
use crate::model::TestName;
use crate::ops::part::Whole;
use crate::ops::run::RunRequest;

/// How often is looked at what tests tell.
const LOOK: Duration = Duration::from_millis(100);
/// After so many crashes nothing new is learnt from more of them.
const CRASHES_MAX: usize = 50;
/// And after so many, where no test ever had a result.
const CRASHES_IN_VAIN_MAX: usize = 3;
/// The exit code where no batch could be run.
const NOTHING_RAN: i32 = 125;

/// What the workers know together.
pub(super) struct State {
    deal: Deal,
    next_number: usize,
    pub(super) batches: Vec<Batch>,
    /// What each worker runs: the number of the batch.
    running: Vec<Option<usize>>,
    /// The tests that each worker has in hand.
    held: Vec<Vec<usize>>,
    /// Tests that failed in batches that have ended.
    failed: usize,
    crashes: usize,
    refused: Option<StartError>,
    /// Why no more is dealt.
    pub(super) stopped: Option<String>,
    /// Places of tests that nobody will run.
    pub(super) without: Vec<usize>,
    pub(super) notes: Vec<String>,
}

struct Crew<'a> {
    request: &'a RunRequest<'a>,
    setting: &'a Setting<'a>,
    names: Vec<TestName>,
    state: Mutex<State>,
    changed: Condvar,
    /// Ends the processes that run.
    stop: AtomicBool,
    since: Stopwatch,
}

/// Runs the tests with all workers.
///
/// # Errors
/// [`StartError`] where the command cannot be started.
pub(in crate::ops) fn work(
    request: &RunRequest<'_>,
    setting: &Setting<'_>,
) -> Result<Worked, StartError> {
    let workers = setting.lodgings.len();
    let start_up = setting.start_up.as_secs_f64();
    let crew = Crew {
        request,
        setting,
        names: setting.tests.iter().map(|test| test.test.clone()).collect(),
        state: Mutex::new(State {
            deal: Deal::new(&setting.tests, &setting.seconds, setting.dist, workers, start_up),
            next_number: 1,
            batches: Vec::new(),
            running: vec![None; workers],
            held: vec![Vec::new(); workers],
            failed: 0,
            crashes: 0,
            refused: None,
            stopped: None,
            without: Vec::new(),
            notes: Vec::new(),
        }),
        changed: Condvar::new(),
        stop: AtomicBool::new(false),
        since: Stopwatch::start(),
    };
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..setting.workers())
            .map(|worker| {
                let crew = &crew;
                scope.spawn(move || {
                    // One that panics must not let the others wait for what it holds.
                    let worked = catch_unwind(AssertUnwindSafe(|| crew.worker(worker)));
                    crew.leave(worker, worked.is_err());
                })
            })
            .collect();
        let looking = scope.spawn(|| crew.look(&over));
        for worker in workers {
            // What panicked was caught, and said.
            let _ = worker.join();
        }
        over.store(true, Ordering::Relaxed);
        let _ = looking.join();
    });
    let (started, took) = (crew.since.started(), crew.since.elapsed());
    let mut state = crew.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = state.refused.take() {
        return Err(error);
    }
    let left = state.deal.give_up();
    state.without.extend(left);
    let asked = Some(request.stopped.load(Ordering::Relaxed)).filter(|signal| *signal != 0);
    let nothing_ran = How::Exited(NOTHING_RAN);
    Ok(account(Account { setting, state, started, took, asked, nothing_ran }))
}

impl State {
    /// The tests that a worker had in hand, and has no more.
    fn put_down(&mut self, worker: u32) -> Vec<usize> {
        self.held.get_mut(worker as usize).map(std::mem::take).unwrap_or_default()
    }
}

impl Crew<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn worker(&self, worker: u32) {
        let whole = Whole {
            command: &self.request.command,
            runner: &self.setting.runner.name,
            known: &self.names,
            variable: self.request.variable,
        };
        while let Some((number, tests)) = self.next(worker) {
            self.setting.follower.begins(worker, tests.len());
            let timeout = self.request.watch.timeout;
            let making = Making {
                setting: self.setting,
                whole: &whole,
                worker,
                number,
                tests,
                timeout: timeout.map(|limit| limit.saturating_sub(self.since.elapsed())),
                grace: self.request.watch.grace,
                stop: &self.stop,
                repository_root: self.request.repository_root.as_deref(),
            };
            let tests = making.tests.clone();
            match making.run() {
                Ok(batch) => {
                    self.tell(&batch);
                    self.take(batch);
                }
                Err(trouble) => self.refuse(worker, trouble, tests),
            }
        }
    }

    /// A worker works no more; where it panicked, its tests have no result.
    fn leave(&self, worker: u32, has_panicked: bool) {
        let mut state = self.state();
        state.deal.leave(worker as usize);
        let held = state.put_down(worker);
        if has_panicked {
            state.without.extend(held);
            self.stop(&mut state, format!("worker {worker} failed, which is a defect of flakedb"));
        }
        self.changed.notify_all();
    }

    /// The next batch of a worker, as soon as there is one; `None` where there will be none.
    fn next(&self, worker: u32) -> Option<(usize, Vec<usize>)> {
        let mut state = self.state();
        if let Some(running) = state.running.get_mut(worker as usize) {
            *running = None;
        }
        loop {
            // A signal ends the processes that run; nobody begins another.
            if state.stopped.is_some() || self.request.stopped.load(Ordering::Relaxed) != 0 {
                return None;
            }
            match state.deal.next(worker as usize, self.since.elapsed().as_secs_f64()) {
                Next::Over => {
                    self.changed.notify_all();
                    return None;
                }
                Next::Wait => {
                    // A signal wakes nobody, so it is looked for now and then.
                    let waited = self.changed.wait_timeout(state, LOOK);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Next::Batch(tests) => {
                    let number = state.next_number;
                    state.next_number += 1;
                    if let Some(running) = state.running.get_mut(worker as usize) {
                        *running = Some(number);
                    }
                    if let Some(held) = state.held.get_mut(worker as usize) {
                        held.clone_from(&tests);
                    }
                    return Some((number, tests));
                }
            }
        }
    }

    fn tell(&self, batch: &Batch) {
        let failed = batch.seen.iter().filter(|one| one.outcome.is_bad()).count();
        let failed = failed + usize::from(batch.fate.culprit.is_some());
        let is_fine = batch.ended.how == How::Exited(0) && batch.end == End::Whole;
        self.setting.follower.ends(&BatchEnd {
            worker: batch.worker,
            number: batch.number,
            tests: batch.tests.len(),
            failed,
            how: batch.ended.how.words(),
            has_failed: failed > 0 || !(is_fine || batch.end == End::Stopped),
            log: &batch.log,
        });
    }

    /// Learns from a batch, and deals again what must be.
    fn take(&self, mut batch: Batch) {
        let mut state = self.state();
        let state = &mut *state;
        if let Some(running) = state.running.get_mut(batch.worker as usize) {
            *running = None;
        }
        state.put_down(batch.worker);
        self.learn(&mut state.deal, &batch);
        state.failed += batch.seen.iter().filter(|one| one.outcome.is_bad()).count();
        state.failed += usize::from(batch.fate.culprit.is_some());
        state.notes.append(&mut batch.notes);
        state.without.append(&mut batch.fate.without);
        state.deal.put_back(std::mem::take(&mut batch.fate.again));
        for half in std::mem::take(&mut batch.fate.suspects) {
            state.deal.suspect(half);
        }
        state.crashes += usize::from(batch.end == End::Crashed);
        let how = batch.ended.how.words();
        let (is_refused, is_timed_out) =
            (batch.end == End::Refused, batch.ended.how == How::TimedOut);
        state.batches.push(batch);
        let in_vain =
            state.batches.iter().all(|batch| batch.seen.is_empty() && batch.made.is_empty());
        let why = if is_timed_out {
            Some("the time was over".to_owned())
        } else if is_refused && in_vain {
            Some(format!("the runner ended with {how} before any test ran"))
        } else if state.crashes > CRASHES_MAX {
            Some(format!("{} processes died", state.crashes))
        } else if state.crashes > CRASHES_IN_VAIN_MAX && in_vain {
            Some(format!("the processes die, whatever tests they are given ({how}, no report)"))
        } else {
            None
        };
        if let Some(why) = why {
            self.stop(state, why);
        }
        self.count_failed(state, 0);
        self.changed.notify_all();
    }

    fn learn(&self, deal: &mut Deal, batch: &Batch) {
        if batch.end != End::Whole {
            return;
        }
        let times: Option<Vec<f64>> = batch.seen.iter().map(|one| one.seconds).collect();
        let times = times.filter(|times| !times.is_empty());
        let Some(total) = times.map(|times| times.iter().sum::<f64>()) else {
            return;
        };
        let start_up = (batch.ended.took.as_secs_f64() - total).max(0.0);
        let is_known =
            |place: &&usize| self.setting.seconds.get(**place).copied().flatten().is_some();
        let known = batch.tests.iter().filter(is_known).count();
        let unknown = if known == 0 { (total, batch.seen.len()) } else { (0.0, 0) };
        deal.learn(Some(start_up), unknown);
    }

    /// Ends the run where enough tests have failed; `more` of them in processes that still run.
    fn count_failed(&self, state: &mut State, more: usize) {
        let failed = state.failed + more;
        let reached = self.setting.max_fail.is_some_and(|most| failed >= most as usize);
        if reached && state.stopped.is_none() {
            let tests = crate::report::sentence::count(failed as u64, "test");
            self.stop(state, format!("{tests} failed, which was to be the end"));
        }
    }

    fn stop(&self, state: &mut State, why: String) {
        state.stopped.get_or_insert(why);
        self.stop.store(true, Ordering::Relaxed);
    }

    fn refuse(&self, worker: u32, trouble: Trouble, tests: Vec<usize>) {
        let mut state = self.state();
        state.put_down(worker);
        state.without.extend(tests);
        let why = match trouble {
            Trouble::Start(error) => {
                let why = error.to_string();
                state.refused.get_or_insert(error);
                why
            }
            Trouble::Part(error) => error.to_string(),
            Trouble::File(path, error) => format!("{} cannot be used: {error}", path.display()),
        };
        self.stop(&mut state, why);
        self.changed.notify_all();
    }

    /// Looks now and then at what the tests tell, until all is over.
    fn look(&self, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            thread::sleep(LOOK);
            let running = self.state().running.clone();
            let mut failed = 0;
            for (worker, number) in (0_u32..).zip(&running) {
                let Some(number) = number else { continue };
                let told = telling::told(&self.setting.directory.join(format!("batch-{number}")));
                failed += told.failed;
                self.setting.follower.runs(worker, told.ended, told.running.as_deref());
            }
            if failed > 0 && self.setting.max_fail.is_some() {
                let mut state = self.state();
                // What has ended meanwhile is counted already.
                if state.running == running {
                    self.count_failed(&mut state, failed);
                }
            }
        }
    }
}
