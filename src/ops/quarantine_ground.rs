//! What every use of the list stands on: the judged window, names, and the list itself.

use chrono::NaiveDate;

use crate::context::owners::Owners;
use crate::model::Timestamp;
use crate::quarantine::list::List;
use crate::quarantine::policy::PolicySettings;
use crate::quarantine::update::Scene;
use crate::store::Store;
use crate::store::query::{TestNo, TestRow};

use super::Watcher;
use super::judge::{JudgeRequest, Judged, JudgingError, Names, judge};
use super::quarantine_file::{resolve, tests_on};

/// The judged window with its names.
pub struct Ground {
    /// The verdicts and what they were made from.
    pub judged: Judged,
    /// The names of all tests that were judged.
    pub names: Names,
    /// All tests of the project.
    pub tests: Vec<TestRow>,
    /// False where only some cells, lanes or branches were looked at.
    pub whole: bool,
}

/// Judges the window so that every result of the tests on the list is at hand, and gives the list
/// the names of the history.
///
/// # Errors
/// [`JudgingError`]: an unusable history, or settings that make no sense.
pub fn survey(
    store: &dyn Store,
    request: &JudgeRequest,
    owners: Option<Owners>,
    list: &mut List,
    watcher: &dyn Watcher,
) -> Result<Ground, JudgingError> {
    let tests = store.all_tests(&request.project)?;
    resolve(list, &tests);
    let listed = tests_on(list, &tests);
    let judged = judge(store, request, &listed, watcher)?;
    let verdicts = judged.judgement.verdicts.iter();
    let named = verdicts.map(|verdict| verdict.test).chain(listed);
    let names = Names::of_tests(store, named, owners)?;
    let window = &request.window;
    let whole = window.branches.is_empty() && window.lane.is_none() && window.variant.is_none();
    Ok(Ground { judged, names, tests, whole })
}

impl Ground {
    /// Who should mend a test, where CODEOWNERS says.
    #[must_use]
    pub fn owner(&self, test: TestNo) -> Option<String> {
        let owners = self.names.owners(test);
        (!owners.is_empty()).then(|| owners.join(" "))
    }

    /// Looks at the list's tests on a day.
    pub fn on<T>(
        &self,
        today: NaiveDate,
        policy: &PolicySettings,
        look: impl FnOnce(&Scene<'_>) -> T,
    ) -> T {
        let label = |test: TestNo| self.names.label(test).label;
        let owner = |test: TestNo| self.owner(test);
        let Judged { judgement, history, .. } = &self.judged;
        let mut scene = Scene::new(judgement, history, policy, &label, &owner, today);
        scene.whole = self.whole;
        look(&scene)
    }
}

/// The calendar day of a time, in UTC; the first of all where the calendar has none.
#[must_use]
pub fn day(time: Timestamp) -> NaiveDate {
    time.to_utc().map(|time| time.date_naive()).unwrap_or_default()
}
