//! The policy replayed over the history, night by night, each from what was known then.

use chrono::{Days, NaiveDate};

use crate::model::Timestamp;
use crate::quarantine::list::List;
use crate::quarantine::policy::PolicySettings;
use crate::quarantine::simulate::{Hindsight, Simulation};
use crate::report::view::SimulationView;
use crate::store::query::Window;
use crate::store::{Store, StoreError};

use super::Watcher;
use super::judge::{DEFAULT_RUNS, Folded, JudgeRequest, JudgingError, Names, fold};
use super::quarantine_file::resolve;
use super::quarantine_ground::{Ground, day, survey};

/// What to replay.
pub struct SimulateRequest {
    /// The method; its window ends on each day in turn.
    pub judge: JudgeRequest,
    /// The rules of the list.
    pub policy: PolicySettings,
    /// The list whose `always` and `never` rules hold.
    pub rules: List,
    /// The first day, in UTC.
    pub from: NaiveDate,
    /// The first day that is not replayed any more; `None` for the one after the newest run.
    pub until: Option<NaiveDate>,
}

/// Replays the days, and describes what the list would have held, spared and hidden.
///
/// # Errors
/// [`JudgingError`]: an unusable history, or settings that make no sense.
pub fn simulate(
    store: &dyn Store,
    mut request: SimulateRequest,
    watcher: &dyn Watcher,
) -> Result<SimulationView, JudgingError> {
    let newest = newest(store, &request.judge)?;
    let after = newest.and_then(|newest| newest.checked_add_days(Days::new(1)));
    let until = request.until.or(after).unwrap_or(request.from).max(request.from);
    let tests = store.all_tests(&request.judge.project)?;
    resolve(&mut request.rules, &tests);
    let hindsight = hindsight(store, &request, until, watcher)?;
    let mut simulation = Simulation::new(hindsight, &request.rules);
    watcher.phase("replaying the days");
    watcher.steps((until - request.from).num_days().max(0).unsigned_abs());
    let mut known: Option<(Option<Timestamp>, Ground)> = None;
    for today in request.from.iter_days().take_while(|day| *day < until) {
        let newest = newest_before(store, &request.judge, today)?;
        // Nothing new to judge: only terms went on.
        let ground = match known.take().filter(|(last, _)| *last == newest) {
            Some((_, ground)) => ground,
            None => {
                let judge = before(&request.judge, today);
                survey(store, &judge, None, &mut simulation.list().clone(), &super::Unwatched)?
            }
        };
        let plan = ground.on(today, &request.policy, |scene| scene.plan(simulation.list()));
        simulation.day(today, &plan);
        known = Some((newest, ground));
        watcher.step();
    }
    let simulated = simulation.finish();
    Ok(SimulationView::new(&simulated, &request.judge.project, request.from, until))
}

/// The request with a window that ends where the day begins.
fn before(judge: &JudgeRequest, today: NaiveDate) -> JudgeRequest {
    let mut judge = judge.clone();
    judge.window.until = Some(midnight(today));
    judge
}

fn midnight(day: NaiveDate) -> Timestamp {
    let start = day.and_hms_opt(0, 0, 0);
    start.map(|start| Timestamp::from(start.and_utc())).unwrap_or_default()
}

fn newest(store: &dyn Store, judge: &JudgeRequest) -> Result<Option<NaiveDate>, StoreError> {
    let last = store.runs(&judge.project, &Window { last_runs: Some(1), ..Window::default() })?;
    Ok(last.last().map(|run| day(run.started)))
}

fn newest_before(
    store: &dyn Store,
    judge: &JudgeRequest,
    today: NaiveDate,
) -> Result<Option<Timestamp>, StoreError> {
    let window = Window { last_runs: Some(1), until: Some(midnight(today)), ..Window::default() };
    Ok(store.runs(&judge.project, &window)?.last().map(|run| run.started))
}

/// What the failures of these days were, with as much before them as is judged otherwise.
fn hindsight(
    store: &dyn Store,
    request: &SimulateRequest,
    until: NaiveDate,
    watcher: &dyn Watcher,
) -> Result<Hindsight, JudgingError> {
    let (since, until) = (Some(midnight(request.from)), Some(midnight(until)));
    let days = Window { since, until, ..Window::default() };
    let runs = store.runs(&request.judge.project, &days)?.len() as u32;
    let mut judge = request.judge.clone();
    judge.window.last_runs = Some(runs.saturating_add(DEFAULT_RUNS));
    judge.window.last_days = None;
    judge.window.until = until;
    let Folded { history, .. } = fold(store, &judge, &[], watcher)?;
    let names = Names::of_tests(store, history.units.iter().map(|unit| unit.test), None)?;
    let label = |test| names.label(test).label;
    Ok(Hindsight::new(&history, &request.judge.settings, &label))
}
