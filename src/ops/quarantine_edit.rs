//! One entry in, or out, by hand.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::analysis::match_name::{self, Fit};
use crate::context::owners::Owners;
use crate::model::Variant;
use crate::quarantine::emit::TestName;
use crate::quarantine::list::{Cover, Edit, Entry, List, Pattern, Target, edit};
use crate::quarantine::policy::{PolicySettings, cap};
use crate::quarantine::update::{Budget, Scene};
use crate::report::escape;
use crate::report::view::{Applied, ChangeView, StandingView, UpdateView, WindowView};
use crate::store::Store;
use crate::store::query::TestRow;

use super::Watcher;
use super::judge::{JudgeRequest, JudgingError};
use super::quarantine_file::{ListFile, ListFileError, resolve, save};
use super::quarantine_ground::survey;
use super::quarantine_update::listed;
use super::show::{ShowError, find};

/// What to add.
pub struct AddRequest {
    /// The window and the method.
    pub judge: JudgeRequest,
    /// The rules of the list.
    pub policy: PolicySettings,
    /// Who owns which file.
    pub owners: Option<Owners>,
    /// The list's file, which need not be there.
    pub path: PathBuf,
    /// The day, in UTC.
    pub today: NaiveDate,
    /// The test, as a person types it, or the pattern.
    pub target: Wanted,
    /// The rest of the entry; its target, since and a missing end are filled in.
    pub entry: Entry,
}

/// Which tests are meant.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// One test, as a person types it.
    Test(String),
    /// All whose names fit.
    Pattern(String),
}

/// Why an entry is not added or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The test is unknown, or could be several.
    #[error(transparent)]
    Test(#[from] ShowError),
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] ListFileError),
    /// The list must not, or need not, have it.
    #[error("{0}")]
    Refused(String),
    /// No test is called so, but one is called like it.
    #[error("no test is called `{typed}`; did you mean `{like}`?")]
    Unclear {
        /// What was typed.
        typed: String,
        /// The test that is like it.
        like: String,
    },
    /// The list has no such entry.
    #[error("{path} has no entry for `{typed}`{like}", path = path.display())]
    NotListed {
        /// The file.
        path: PathBuf,
        /// What was typed.
        typed: String,
        /// What it has instead.
        like: String,
    },
}

impl From<JudgingError> for EditError {
    fn from(error: JudgingError) -> Self {
        Self::Test(error.into())
    }
}

/// Adds one entry.
///
/// # Errors
/// [`EditError`]; a broken test, one that the list covers already or a rule keeps off, and any test
/// above the budget are refused.
pub fn add(
    store: &dyn Store,
    request: AddRequest,
    watcher: &dyn Watcher,
) -> Result<UpdateView, EditError> {
    let (file, mut list) = listed(&request.path)?;
    let AddRequest { judge, policy, owners, path, today, target, mut entry } = request;
    let ground = survey(store, &judge, owners, &mut list, watcher)?;
    match target {
        Wanted::Test(typed) => {
            let (label, cell) = meant(&ground.tests, &typed, &judge.project)?;
            entry.target = Target::Test(label);
            entry.variant = entry.variant.with_all(&cell);
        }
        Wanted::Pattern(pattern) => entry.target = Target::Pattern(Pattern::new(pattern)),
    }
    let budget = ground.on(today, &policy, |scene| {
        entry.since = Some(today);
        entry.expires = entry.expires.or(Some(scene.in_days(policy.expires_days)));
        entry.owner = entry
            .owner
            .take()
            .or_else(|| scene.tests(&entry).first().and_then(|test| ground.owner(*test)));
        admit(&list, &entry, scene).map(|budget| (budget, scene.figures(&entry)))
    });
    let (budget, figures) = budget.map_err(EditError::Refused)?;
    write(file.as_ref(), &path, &[Edit::Add(entry.clone())])?;
    let change = ChangeView {
        now: Some(StandingView::new(&figures)),
        ..ChangeView::of_entry("enter", &entry)
    };
    Ok(UpdateView {
        project: judge.project.clone(),
        window: WindowView::new(&judge.window_text()).text,
        list: path.display().to_string(),
        today: today.to_string(),
        state: Applied::Written,
        changes: vec![change],
        kept: list.entries.len() as u64,
        budget: Some(budget.into()),
        ..UpdateView::default()
    })
}

/// The test that was typed, with the cell behind it where there is one: as a screen prints it, or
/// the end of its name. What is only like it is asked back, as the list is no place for guesses.
fn meant(tests: &[TestRow], typed: &str, project: &str) -> Result<(String, Variant), EditError> {
    let typed_entry = Entry::new(Target::Test(typed.to_owned()));
    let mut one = List { entries: vec![typed_entry], ..List::default() };
    resolve(&mut one, tests);
    let is_known = |label: &str| tests.iter().any(|test| test.label() == label);
    if let Some(entry) = one.entries.pop().filter(|entry| is_known(entry.target.as_str())) {
        return Ok((entry.target.to_string(), entry.variant));
    }
    let label = find(tests, typed, project)?.label();
    let fits = match_name::find(typed, &[&label]);
    match fits.first().is_some_and(|fit| fit.fit <= Fit::SuffixCaseApart) {
        true => Ok((label, Variant::default())),
        false => Err(EditError::Unclear {
            typed: escape::line(typed).into_owned(),
            like: escape::line(&label).into_owned(),
        }),
    }
}

/// Whether an entry may come in, and how full the list is with it.
fn admit(list: &List, entry: &Entry, scene: &Scene<'_>) -> Result<Budget, String> {
    let target = escape::line(entry.target.as_str()).into_owned();
    if entry.is_expired(scene.today) {
        return Err(format!("the entry for `{target}` would have expired already"));
    }
    if let Target::Test(label) = &entry.target {
        let name = TestName { label: label.clone(), ..TestName::default() };
        let cell = entry.variant.to_string();
        match list.cover(&name, &cell, scene.today) {
            Cover::Never(rule) => {
                let (line, reason) = (rule.line, escape::line(&rule.reason));
                return Err(format!(
                    "a rule in line {line} keeps `{target}` off the list: {reason}"
                ));
            }
            Cover::Always(rule) => {
                return Err(format!(
                    "`{target}` is on the list already, by the rule in line {}",
                    rule.line
                ));
            }
            Cover::Live(known) => {
                return Err(format!("`{target}` is on the list already, in line {}", known.line));
            }
            Cover::None | Cover::Expired(_) => {}
        }
    }
    let same = |known: &&Entry| known.target == entry.target && known.variant == entry.variant;
    if let Some(known) = list.entries.iter().find(same) {
        let line = known.line;
        return Err(format!("`{target}` is on the list already, in line {line}: extend it there"));
    }
    if scene.figures(entry).broken {
        return Err(format!("`{target}` is broken, not flaky: a list would hide that"));
    }
    let limit = cap(scene.tests_known(), scene.policy);
    let before = scene.covered(list);
    let mut with = list.clone();
    with.entries.push(entry.clone());
    let after = scene.covered(&with).len() as u32;
    let held = before.len() as u32;
    match after > limit && after > held {
        true => Err(format!(
            "the list holds {held} tests and would hold {after}; its budget is {limit}. Mend some \
             and take them off, or raise quarantine.cap-tests"
        )),
        false => Ok(Budget { limit, before: held, after }),
    }
}

/// Removes all entries of a test or pattern, as it stands in the file; with a variant, only that
/// of these cells.
///
/// # Errors
/// [`EditError`]: no such file or entry, or it cannot be written.
pub fn remove(
    path: &Path,
    typed: &str,
    variant: Option<&Variant>,
    today: NaiveDate,
) -> Result<UpdateView, EditError> {
    let (file, list) = listed(path)?;
    let found = entries_of(&list, typed, variant);
    if found.is_empty() {
        return Err(not_listed(path, &list, typed));
    }
    let edits: Vec<Edit> = found.iter().map(|at| Edit::Remove(*at)).collect();
    write(file.as_ref(), path, &edits)?;
    let removed = found.iter().filter_map(|at| list.entries.get(*at));
    let changes: Vec<ChangeView> =
        removed.map(|entry| ChangeView::of_entry("remove", entry)).collect();
    Ok(UpdateView {
        list: path.display().to_string(),
        today: today.to_string(),
        state: Applied::Written,
        kept: (list.entries.len() - changes.len()) as u64,
        changes,
        ..UpdateView::default()
    })
}

/// The entries that are meant: all of the one target that fits without doubt.
fn entries_of(list: &List, typed: &str, variant: Option<&Variant>) -> Vec<usize> {
    let mut targets: Vec<&str> = list.entries.iter().map(|entry| entry.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    let mut candidates = match_name::find(typed, &targets);
    // What is only like it is no reason to remove anything.
    candidates.retain(|candidate| candidate.fit <= Fit::SuffixCaseApart);
    let Some(only) = match_name::certain(&candidates) else { return Vec::new() };
    let Some(target) = targets.get(only.place) else { return Vec::new() };
    let fits = |entry: &Entry| {
        entry.target.as_str() == *target && variant.is_none_or(|cells| entry.variant == *cells)
    };
    let entries = list.entries.iter().enumerate();
    entries.filter(|(_, entry)| fits(entry)).map(|(at, _)| at).collect()
}

fn not_listed(path: &Path, list: &List, typed: &str) -> EditError {
    let targets: Vec<String> = list
        .entries
        .iter()
        .map(|entry| {
            let variant = match entry.variant.is_empty() {
                true => String::new(),
                false => format!(" [{}]", entry.variant),
            };
            escape::line(&format!("{}{variant}", entry.target)).into_owned()
        })
        .collect();
    let fits = match_name::find(typed, &targets);
    let named = fits.iter().filter_map(|fit| targets.get(fit.place)).take(CANDIDATES_SHOWN);
    let named: Vec<String> = named.map(|target| format!("\n  {target}")).collect();
    let like = match named.is_empty() {
        true => String::new(),
        false => format!("; it has{}", named.join("")),
    };
    EditError::NotListed { path: path.to_path_buf(), typed: escape::line(typed).into_owned(), like }
}

/// Entries named where what was typed is none of them, or several.
const CANDIDATES_SHOWN: usize = 10;

fn write(file: Option<&ListFile>, path: &Path, edits: &[Edit]) -> Result<(), EditError> {
    let before = file.map(|file| file.text.as_str());
    let text = edit(before.unwrap_or(""), edits)
        .map_err(|error| ListFileError::Invalid { path: path.to_path_buf(), error })?;
    Ok(save(path, before, &text)?)
}
