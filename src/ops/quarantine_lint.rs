//! What is wrong with the list, by the file alone or with the history.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::context::owners::Owners;
use crate::quarantine::lint::{LintFacts, lint as find};
use crate::quarantine::policy::{PolicySettings, cap};
use crate::report::view::{FindingView, LintView};
use crate::store::Store;

use super::Watcher;
use super::judge::{JudgeRequest, JudgingError};
use super::quarantine_file::ListFile;
use super::quarantine_ground::{Ground, day, survey};

/// What to look at.
pub struct LintRequest {
    /// The list.
    pub list: ListFile,
    /// The rules of the list.
    pub policy: PolicySettings,
    /// Who owns which file.
    pub owners: Option<Owners>,
    /// The day, in UTC.
    pub today: NaiveDate,
}

/// Looks at a list with the file alone, where there is no history.
#[must_use]
pub fn lint_alone(request: &LintRequest) -> LintView {
    let facts = LintFacts {
        today: request.today,
        known: None,
        gone_before: None,
        owned: &|_| false,
        budget: None,
        allow: &request.policy.allow,
    };
    let findings = find(&request.list.list, &facts);
    let note = "There is no history here: whether tests are known and run, whether CODEOWNERS has \
                owners for them, and the budget were not looked at";
    LintView { notes: vec![note.to_owned()], ..view(request, &findings) }
}

/// Looks at a list and at what the history says of it.
///
/// # Errors
/// [`JudgingError`]: an unusable history, or settings that make no sense.
pub fn lint(
    store: &dyn Store,
    mut request: LintRequest,
    judged: &JudgeRequest,
    watcher: &dyn Watcher,
) -> Result<LintView, JudgingError> {
    let owners = request.owners.take();
    let ground = survey(store, judged, owners, &mut request.list.list, watcher)?;
    let known = last_runs(&ground);
    let started = || ground.judged.judgement.runs.iter().map(|run| run.started);
    let gone_before = started().max().map(|newest| newest.minus_days(request.policy.stale_days));
    // What is not in a window that is too small may have run outside it.
    let gone_before = gone_before.filter(|gone| ground.whole && started().min() < Some(*gone));
    let numbers: BTreeMap<String, _> =
        ground.tests.iter().map(|test| (test.label(), test.no)).collect();
    let owned = |label: &str| numbers.get(label).is_some_and(|test| ground.owner(*test).is_some());
    let budget = ground.on(request.today, &request.policy, |scene| {
        (cap(scene.tests_known(), &request.policy), scene.covered(&request.list.list).len() as u32)
    });
    let facts = LintFacts {
        today: request.today,
        known: Some(&known),
        gone_before: gone_before.map(day),
        owned: &owned,
        budget: Some(budget),
        allow: &request.policy.allow,
    };
    let findings = find(&request.list.list, &facts);
    Ok(view(&request, &findings))
}

/// Every test of the history with the day of its last run in the window.
fn last_runs(ground: &Ground) -> BTreeMap<String, Option<NaiveDate>> {
    let mut known: BTreeMap<String, Option<NaiveDate>> =
        ground.tests.iter().map(|test| (test.label(), None)).collect();
    for verdict in &ground.judged.judgement.verdicts {
        let Some(row) = ground.names.row(verdict.test) else { continue };
        if let Some(last) = known.get_mut(&row.label()) {
            *last = (*last).max(Some(day(verdict.last_run)));
        }
    }
    known
}

fn view(request: &LintRequest, findings: &[crate::quarantine::lint::Finding]) -> LintView {
    let list = &request.list.list;
    LintView {
        list: request.list.path.display().to_string(),
        today: request.today.to_string(),
        entries: list.entries.len() as u64,
        rules: (list.always.len() + list.never.len()) as u64,
        findings: findings.iter().map(FindingView::from).collect(),
        ..LintView::default()
    }
}
