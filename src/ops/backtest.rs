//! The window again under each of several rules: which threshold fits this project.

use crate::analysis::backtest::{Backtest, backtest as replay};
use crate::report::view::{BacktestInput, BacktestView};
use crate::store::Store;
use crate::store::query::TestNo;

use super::Watcher;
use super::judge::{Folded, JudgeRequest, JudgingError, Names, fold};

/// Tries every rule on the window of a request, and describes what each would have done.
///
/// # Errors
/// An unusable history, or settings that make no sense.
pub fn backtest(
    store: &dyn Store,
    request: &JudgeRequest,
    watcher: &dyn Watcher,
) -> Result<BacktestView, JudgingError> {
    let Folded { history, .. } = fold(store, request, &[], watcher)?;
    watcher.phase("replaying the window");
    let tested = replay(&history, &request.settings)?;
    let names = Names::of_tests(store, named(&tested), None)?;
    Ok(BacktestView::new(
        &tested,
        &|test| names.label(test),
        BacktestInput {
            project: &request.project,
            window: &request.window_text(),
            settings: &request.settings,
        },
    ))
}

/// Every test that any rule says something of; what is hidden was flagged before.
fn named(tested: &Backtest) -> impl Iterator<Item = TestNo> + '_ {
    tested.trials.iter().flat_map(|trial| &trial.flags).map(|flag| flag.subject.test)
}
