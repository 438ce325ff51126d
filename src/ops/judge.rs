//! The verdicts of a window: what report, show and quarantine start from.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use crate::analysis::late::settled;
use crate::analysis::verdict::{Judgement, Verdict};
use crate::analysis::{self, History, HistoryBuilder, JudgeError, Settings};
use crate::context::owners::Owners;
use crate::report::view::{TestLabel, WindowText};
use crate::store::query::{Modules, RunNo, RunRow, TestNo, TestRow, Window};
use crate::store::{Store, StoreError};

use super::Watcher;

/// How many runs are judged where nothing says otherwise.
///
/// About three months of a project that runs ten times a day: rare flakes need a memory.
pub const DEFAULT_RUNS: u32 = 1_000;

/// Which runs to judge, and how.
#[derive(Debug, Clone, Default)]
pub struct JudgeRequest {
    /// The project.
    pub project: String,
    /// Which runs; its days count back from the last run, so that a history on a shelf gives the
    /// same verdicts next year.
    pub window: WindowText,
    /// The method and its numbers.
    pub settings: Settings,
}

impl JudgeRequest {
    /// The window in the words of a report.
    #[must_use]
    pub fn window_text(&self) -> WindowText {
        WindowText { last_runs: self.runs_wanted(), ..self.window.clone() }
    }

    /// A window that is bounded by time needs no bound on runs.
    fn runs_wanted(&self) -> Option<u32> {
        let timed = self.window.last_days.is_some() || self.window.since.is_some();
        self.window.last_runs.or((!timed).then_some(DEFAULT_RUNS))
    }

    pub(super) fn runs(&self, store: &dyn Store) -> Result<Vec<RunRow>, StoreError> {
        let asked = &self.window;
        let window = Window {
            last_runs: self.runs_wanted(),
            since: asked.since,
            until: asked.until,
            branches: asked.branches.clone(),
            lane: asked.lane,
            variant: asked.variant.clone(),
        };
        let Some(days) = asked.last_days else { return store.runs(&self.project, &window) };
        let newest = store.runs(&self.project, &Window { last_runs: Some(1), ..window.clone() })?;
        let from = newest.last().map(|run| run.started.minus_days(days));
        store.runs(&self.project, &Window { since: from.max(asked.since), ..window })
    }
}

/// A judgement with the rows it came from.
pub struct Judged {
    /// The verdicts.
    pub judgement: Judgement,
    /// The runs of the window, oldest first, late ones with their revision.
    pub runs: Vec<RunRow>,
    /// The names of modules, as events number them.
    pub modules: Vec<String>,
    /// What the verdicts were made from.
    pub history: History,
}

/// Why there is no judgement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgingError {
    /// The history could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings make no sense.
    #[error(transparent)]
    Judge(#[from] JudgeError),
}

/// Judges the window of a request; `keep` names tests whose every result is wanted, healthy or
/// not.
///
/// # Errors
/// [`JudgingError`]: an unusable history, or settings that make no sense.
pub fn judge(
    store: &dyn Store,
    request: &JudgeRequest,
    keep: &[TestNo],
    watcher: &dyn Watcher,
) -> Result<Judged, JudgingError> {
    judge_folded(store, request, fold(store, request, keep, watcher)?, watcher)
}

/// Judges as [`judge`] does, and has the verdict on `test` come with its trail.
///
/// # Errors
/// [`JudgingError`]: an unusable history, or settings that make no sense.
pub fn judge_closely(
    store: &dyn Store,
    request: &JudgeRequest,
    test: TestNo,
    watcher: &dyn Watcher,
) -> Result<Judged, JudgingError> {
    let mut folded = fold(store, request, &[test], watcher)?;
    folded.history.asked = vec![test];
    judge_folded(store, request, folded, watcher)
}

fn judge_folded(
    store: &dyn Store,
    request: &JudgeRequest,
    folded: Folded,
    watcher: &dyn Watcher,
) -> Result<Judged, JudgingError> {
    let Folded { history, runs, modules } = folded;
    watcher.phase("judging");
    let judgement = analysis::judge(&history, &request.settings)?;
    let mut judged = Judged { judgement, runs, modules, history };
    super::causes::name(store, &mut judged)?;
    Ok(judged)
}

/// A window, read and ready to be judged by any method.
pub struct Folded {
    /// The window.
    pub history: History,
    /// Its runs, oldest first, late ones with their revision.
    pub runs: Vec<RunRow>,
    /// The names of modules, as events number them.
    pub modules: Vec<String>,
}

/// Reads the window of a request; `keep` names tests whose every result is wanted.
///
/// # Errors
/// An unusable history.
pub fn fold(
    store: &dyn Store,
    request: &JudgeRequest,
    keep: &[TestNo],
    watcher: &dyn Watcher,
) -> Result<Folded, StoreError> {
    watcher.phase("finding runs");
    let runs = settled(request.runs(store)?);
    let bad = store.bad_tests(&request.project, &runs)?;
    let mut kept: HashSet<TestNo> = bad.into_iter().collect();
    kept.extend(keep);
    watcher.phase("folding the window");
    watcher.steps(runs.len() as u64);
    let Modules { names: modules, of } = store.modules(&request.project)?;
    let builder = HistoryBuilder::new(&runs, kept, &request.settings.outage);
    // Alone, a failure looks like nothing else.
    let several = |run: &&RunRow| run.counts.failed + run.counts.errored + run.counts.flaky > 1;
    let several: Vec<RunNo> = runs.iter().filter(several).map(|run| run.no).collect();
    let signatures = store.signatures(&request.project, &several)?;
    let mut builder = builder.with_modules(of).with_signatures(&signatures);
    store.fold(&runs, &mut |place, rows| {
        builder.add_reports(place, rows);
        watcher.step();
    })?;
    Ok(Folded { history: builder.finish(), runs, modules })
}

/// What tests are called and whose they are, for those that a screen shows.
pub struct Names {
    rows: HashMap<TestNo, TestRow>,
    owners: Option<Owners>,
    /// Of classes whose reports name no file: looking for one asks the file system.
    owners_of_classes: RefCell<HashMap<String, Vec<String>>>,
}

impl Names {
    /// Reads the names of the tests of `verdicts`.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub fn of<'a>(
        store: &dyn Store,
        verdicts: impl IntoIterator<Item = &'a Verdict>,
        owners: Option<Owners>,
    ) -> Result<Self, StoreError> {
        Self::of_tests(store, verdicts.into_iter().map(|verdict| verdict.test), owners)
    }

    /// Reads the names of some tests, each given once or more.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub fn of_tests(
        store: &dyn Store,
        tests: impl IntoIterator<Item = TestNo>,
        owners: Option<Owners>,
    ) -> Result<Self, StoreError> {
        let mut wanted: Vec<TestNo> = tests.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let rows = store.tests(&wanted)?.into_iter().map(|row| (row.no, row)).collect();
        Ok(Self { rows, owners, owners_of_classes: RefCell::default() })
    }

    /// The row of a test.
    #[must_use]
    pub fn row(&self, test: TestNo) -> Option<&TestRow> {
        self.rows.get(&test)
    }

    /// The owners of a test's file, as CODEOWNERS names them; see [`Owners::of_test`].
    #[must_use]
    pub fn owners(&self, test: TestNo) -> Vec<String> {
        let (Some(owners), Some(row)) = (&self.owners, self.row(test)) else { return Vec::new() };
        let find = || owners.of_test(&row.file, &row.classname).into_iter().map(str::to_owned);
        if !row.file.is_empty() {
            return find().collect();
        }
        let mut known = self.owners_of_classes.borrow_mut();
        known.entry(row.classname.clone()).or_insert_with(|| find().collect()).clone()
    }

    /// The test as screens show it.
    #[must_use]
    pub fn label(&self, test: TestNo) -> TestLabel {
        let row = self.row(test);
        TestLabel {
            id: row.map_or(crate::model::TestId([0; 16]), |row| row.id),
            label: row.map_or_else(|| format!("test {}", test.0), TestRow::label),
            suite: row.map_or_else(String::new, |row| row.suite.clone()),
            classname: row.map_or_else(String::new, |row| row.classname.clone()),
            name: row.map_or_else(|| format!("test {}", test.0), |row| row.name.clone()),
            file: row.map_or_else(String::new, |row| row.file.clone()),
            owners: self.owners(test),
        }
    }
}
