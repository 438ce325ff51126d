//! One test with everything that is known about it.

use crate::analysis::cluster;
use crate::analysis::match_name::{self, Match};
use crate::analysis::verdict::{FailureCluster, Verdict};
use crate::context::owners::Owners;
use crate::report::view::{ShowInput, ShowView};
use crate::store::query::{RunRow, TestNo, TestRow};
use crate::store::{Store, StoreError};

use super::Watcher;
use super::judge::{JudgeRequest, JudgingError, Names, judge};

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShowError {
    /// What was typed is no test, and nothing is like it.
    #[error("no test of {project} is called `{typed}` or anything like it")]
    Unknown {
        /// What was typed.
        typed: String,
        /// The project.
        project: String,
    },
    /// What was typed could be several tests.
    #[error("`{typed}` could be {count} tests:{list}")]
    Several {
        /// What was typed.
        typed: String,
        /// How many.
        count: usize,
        /// The best of them, a line each.
        list: String,
    },
    /// The test has no result in the window.
    #[error("`{test}` has no result in the window; widen it with --runs, --days or --since")]
    NotInWindow {
        /// The test.
        test: String,
    },
    /// The window could not be judged.
    #[error(transparent)]
    Judging(#[from] JudgingError),
}

impl From<StoreError> for ShowError {
    fn from(error: StoreError) -> Self {
        Self::Judging(error.into())
    }
}

/// Candidates listed where what was typed is ambiguous.
const CANDIDATES_SHOWN: usize = 10;

/// Finds the test that was typed, judges the window, and describes it.
///
/// # Errors
/// [`ShowError`]: no such test, several, none in the window, or an unusable history.
pub fn show(
    store: &dyn Store,
    request: &JudgeRequest,
    typed: &str,
    owners: Option<Owners>,
    watcher: &dyn Watcher,
) -> Result<ShowView, ShowError> {
    watcher.phase("finding the test");
    let tests = store.all_tests(&request.project)?;
    let (test, others) = find(&tests, typed, &request.project)?;
    let judged = judge(store, request, &[test.no], watcher)?;
    let verdicts: Vec<&Verdict> =
        judged.judgement.verdicts.iter().filter(|verdict| verdict.test == test.no).collect();
    if verdicts.is_empty() {
        return Err(ShowError::NotInWindow { test: test.label() });
    }
    let names = Names::of(store, verdicts.iter().copied(), owners)?;
    let failures = failures(store, request, &judged.runs, test.no)?;
    Ok(ShowView::new(
        &judged.judgement,
        ShowInput {
            project: &request.project,
            window: &request.window_text(),
            label: &names.label(test.no),
            verdicts: &verdicts,
            failures: &failures,
            others: &others,
        },
    ))
}

/// The failures of a test in the given runs, grouped by signature.
fn failures(
    store: &dyn Store,
    request: &JudgeRequest,
    runs: &[RunRow],
    test: TestNo,
) -> Result<Vec<FailureCluster>, StoreError> {
    let bad = store.bad_results(&request.project, runs, Some(test))?;
    let mut wanted: Vec<_> = bad.iter().filter_map(|row| row.failure).collect();
    wanted.sort_unstable();
    wanted.dedup();
    Ok(cluster::cluster(&bad, runs, &store.failures(&wanted)?))
}

fn find<'a>(
    tests: &'a [TestRow],
    typed: &str,
    project: &str,
) -> Result<(&'a TestRow, Vec<String>), ShowError> {
    let labels: Vec<String> = tests.iter().map(TestRow::label).collect();
    let unknown =
        || ShowError::Unknown { typed: typed.to_owned(), project: project.to_owned() };
    match match_name::find(typed, &labels) {
        Match::None => Err(unknown()),
        Match::One { place, others } => {
            let others = others.iter().filter_map(|place| labels.get(*place).cloned()).collect();
            Ok((tests.get(place).ok_or_else(unknown)?, others))
        }
        Match::Several(places) => {
            let shown = places.iter().take(CANDIDATES_SHOWN).filter_map(|place| labels.get(*place));
            let mut list: String = shown.map(|label| format!("\n  {label}")).collect();
            let more = places.len().saturating_sub(CANDIDATES_SHOWN);
            if more > 0 {
                list += &format!("\n  and {more} more");
            }
            Err(ShowError::Several { typed: typed.to_owned(), count: places.len(), list })
        }
    }
}
