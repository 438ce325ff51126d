//! The plan of changes to the list, proposed or written.

use std::path::PathBuf;

use chrono::NaiveDate;

use crate::context::owners::Owners;
use crate::quarantine::list::{Edit, List, edit};
use crate::quarantine::policy::PolicySettings;
use crate::quarantine::update::{Action, Change, Update};
use crate::report::view::{Applied, ChangeView, UpdateView, WindowView, WithheldView};
use crate::store::Store;

use super::Watcher;
use super::judge::{JudgeRequest, JudgingError};
use super::quarantine_file::{ListFile, ListFileError, load, save};
use super::quarantine_ground::{Ground, survey};

/// Which list to bring up to date.
pub struct UpdateRequest {
    /// The window and the method.
    pub judge: JudgeRequest,
    /// The rules of the list.
    pub policy: PolicySettings,
    /// Who owns which file.
    pub owners: Option<Owners>,
    /// The list's file, which need not be there.
    pub path: PathBuf,
    /// The day on which terms are looked at, in UTC.
    pub today: NaiveDate,
    /// Whether changes are written.
    pub state: Applied,
}

/// Why a list cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The window could not be judged.
    #[error(transparent)]
    Judging(#[from] JudgingError),
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] ListFileError),
}

/// Plans the changes, and writes them where that was asked; a list without a file is made.
///
/// # Errors
/// [`UpdateError`]: an unusable history or file.
pub fn update(
    store: &dyn Store,
    request: UpdateRequest,
    watcher: &dyn Watcher,
) -> Result<UpdateView, UpdateError> {
    let file = load(&request.path)?;
    let mut list = file.as_ref().map(|file| file.list.clone()).unwrap_or_default();
    let UpdateRequest { judge, policy, owners, path, today, state } = request;
    let ground = survey(store, &judge, owners, &mut list, watcher)?;
    let plan = ground.on(today, &policy, |scene| scene.plan(&list));
    if state == Applied::Written && !plan.changes.is_empty() {
        write(file.as_ref(), &path, &plan)?;
    }
    Ok(UpdateView {
        project: judge.project.clone(),
        window: WindowView::new(&judge.window_text()).text,
        list: path.display().to_string(),
        today: today.to_string(),
        state,
        policy: words(&policy),
        ..view(&plan, &ground)
    })
}

fn write(
    file: Option<&ListFile>,
    path: &std::path::Path,
    plan: &Update,
) -> Result<(), UpdateError> {
    let edits: Vec<Edit> = plan.changes.iter().filter_map(edit_of).collect();
    let before = file.map(|file| file.text.as_str());
    let text = edit(before.unwrap_or(""), &edits)
        .map_err(|error| ListFileError::Invalid { path: path.to_path_buf(), error })?;
    Ok(save(path, before, &text)?)
}

fn edit_of(change: &Change) -> Option<Edit> {
    match (change.at, change.action) {
        (None, _) => Some(Edit::Add(change.entry.clone())),
        (Some(at), Action::Extend) => Some(Edit::Extend {
            at,
            expires: change.entry.expires?,
            evidence: change.entry.evidence.clone(),
        }),
        (Some(at), _) => Some(Edit::Remove(at)),
    }
}

fn view(plan: &Update, ground: &Ground) -> UpdateView {
    let change = |change: &Change| {
        let file = match change.tests.as_slice() {
            [only] => ground.names.label(*only).file,
            _ => String::new(),
        };
        let mut view = ChangeView::new(change, file);
        let owner = change.tests.first().and_then(|test| ground.owner(*test));
        view.owner = view.owner.or(owner);
        view
    };
    let withheld = plan.withheld.iter().map(|withheld| WithheldView {
        test: ground.names.label(withheld.test).label,
        why: withheld.why.clone(),
    });
    UpdateView {
        changes: plan.changes.iter().map(change).collect(),
        refused: plan.refused.iter().map(change).collect(),
        kept: plan.kept as u64,
        withheld: withheld.collect(),
        budget: Some(plan.budget.into()),
        ..UpdateView::default()
    }
}

/// The rules that a reviewer must know, with their numbers.
fn words(policy: &PolicySettings) -> Vec<String> {
    vec![
        format!(
            "An entry holds for {} days and is extended while its test still flakes",
            policy.expires_days
        ),
        format!(
            "It is released after {} or more runs without a flake in every cell that had one, as \
             many as make it improbable that the test is as flaky as before; or after {} since the \
             revision that its entry names as fixed",
            policy.release_runs, policy.release_runs
        ),
        "A broken test neither enters nor stays".to_owned(),
    ]
}

/// The list as it is, with the names of the history; nothing where there is no file.
///
/// # Errors
/// Where the file cannot be read, or says what it cannot mean.
pub(super) fn listed(path: &std::path::Path) -> Result<(Option<ListFile>, List), ListFileError> {
    let file = load(path)?;
    let list = file.as_ref().map(|file| file.list.clone()).unwrap_or_default();
    Ok((file, list))
}
