//! A whole window on one page: verdicts, the suite over time, and the quarantine.

use chrono::NaiveDate;

use crate::context::owners::Owners;
use crate::quarantine::list::List;
use crate::quarantine::policy::PolicySettings;
use crate::report::view::{
    DashboardInput, DashboardView, Explain, Listing, ReportInput, ReportView,
};
use crate::store::Store;
use crate::store::query::TestNo;

use super::Watcher;
use super::causes::deepen;
use super::judge::{JudgeRequest, JudgingError};
use super::quarantine_file::ListFile;
use super::quarantine_ground::survey;
use super::quarantine_list;
use super::question::Scene;
use super::question::clusters::clusters;
use super::question::owners::owners as owners_of;
use super::question::slower::slower;

/// Tests whose causes are looked at closely: those that a page tells of first.
const DEEPENED_MAX: usize = 30;

/// Which page to make.
pub struct DashboardRequest {
    /// The window and the method.
    pub judge: JudgeRequest,
    /// The rules of the quarantine.
    pub policy: PolicySettings,
    /// Who owns which file.
    pub owners: Option<Owners>,
    /// The list that a team reviews, where there is one.
    pub list: Option<ListFile>,
    /// The day on which terms are looked at, in UTC.
    pub today: NaiveDate,
    /// Which verdicts to list.
    pub listing: Listing,
}

/// Judges the window and describes it.
///
/// # Errors
/// [`JudgingError`]: an unusable history, or settings that make no sense.
pub fn dashboard(
    store: &dyn Store,
    request: DashboardRequest,
    watcher: &dyn Watcher,
) -> Result<DashboardView, JudgingError> {
    let DashboardRequest { judge, policy, owners, list, today, listing } = request;
    let mut file = list;
    let mut none = List::default();
    let list = file.as_mut().map_or(&mut none, |file| &mut file.list);
    let mut ground = survey(store, &judge, owners.clone(), list, watcher)?;
    watcher.phase("looking at causes");
    let verdicts = ground.judged.judgement.verdicts.iter();
    let troubled = verdicts.filter(|verdict| Listing::Attention.shows(verdict));
    let worst: Vec<TestNo> = troubled.map(|verdict| verdict.test).take(DEEPENED_MAX).collect();
    deepen(store, &judge.project, &mut ground.judged, &worst)?;
    let judgement = &ground.judged.judgement;
    let report = ReportView::new(
        judgement,
        &|verdict| ground.names.label(verdict.test),
        ReportInput {
            project: &judge.project,
            window: &judge.window_text(),
            listing,
            modules: &ground.judged.modules,
            explain: Explain::No,
        },
    );
    let scene = Scene {
        store,
        request: &judge,
        judged: &ground.judged,
        owners: owners.as_ref(),
        // No section asks for a revision.
        commit_of: &|_| None,
        watcher,
    };
    let shown = judgement.verdicts.iter().enumerate().filter(|(_, one)| listing.shows(one));
    let listed = shown.map(|(place, _)| place).collect();
    let quarantine =
        file.as_ref().map(|file| quarantine_list::view(&ground, file, &policy, today, &judge));
    let input = DashboardInput {
        report,
        listed,
        clusters: clusters(&scene)?,
        owners: owners_of(&scene)?,
        slower: slower(&scene)?,
        quarantine,
    };
    Ok(DashboardView::new(judgement, input))
}
