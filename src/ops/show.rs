//! One test with everything that is known about it.

use std::collections::HashMap;
use std::path::PathBuf;

use chrono::NaiveDate;

use crate::analysis::cluster::cluster;
use crate::analysis::match_name::{self, Fit};
use crate::analysis::verdict::{FailureCluster, Verdict};
use crate::context::git::{FileVersions, commits_between};
use crate::context::owners::Owners;
use crate::model::{Timestamp, Variant};
use crate::quarantine::list::{Entry, Happening, List, ListEvent, Rule, Target, events, parse};
use crate::report::escape;
use crate::report::view::{
    ListEventView, ListedView, QuarantineEntry, QuarantineRule, ShowInput, ShowView,
};
use crate::store::query::{BadRow, RunNo, RunRow, TestRow};
use crate::store::{Store, StoreError};

use super::Watcher;
use super::causes;
use super::judge::{JudgeRequest, JudgingError, Names, judge_closely};
use super::latest_failure::latest_of;
use super::quarantine_file::{ListFile, resolve};

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
    /// Nothing is called so, but some names are a few letters away.
    #[error("no test is called `{typed}`; the nearest are:{list}")]
    Misspelt {
        /// What was typed.
        typed: String,
        /// The nearest, a line each.
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

/// Commits of the quarantine list that are looked at for what became of entries: some years of a
/// list that changes every week.
const LIST_VERSIONS_MAX: usize = 100;
/// Breakages whose commits git is asked to count, the latest.
const COUNTED_BREAKAGES_MAX: usize = 5;

/// Which test to show, and what to show of it.
#[derive(Debug)]
pub struct ShowRequest {
    /// The window and how to judge it.
    pub judge: JudgeRequest,
    /// The test, or part of its name.
    pub typed: String,
    /// Who owns which file.
    pub owners: Option<Owners>,
    /// The quarantine list, where there is one.
    pub list: Option<ListFile>,
    /// The day on which terms of the list are looked at, in UTC.
    pub today: NaiveDate,
    /// The working copy whose git may know the revisions.
    pub directory: PathBuf,
    /// Show texts whole.
    pub full: bool,
}

/// Finds the test that was typed, judges the window, and describes it.
///
/// # Errors
/// [`ShowError`]: no such test, several, none in the window, or an unusable history.
pub fn show(
    store: &dyn Store,
    request: ShowRequest,
    watcher: &dyn Watcher,
) -> Result<ShowView, ShowError> {
    let ShowRequest { judge, typed, owners, list, today, directory, full } = request;
    watcher.phase("finding the test");
    let tests = store.all_tests(&judge.project)?;
    let test = find(&tests, &typed, &judge.project)?;
    let mut judged = judge_closely(store, &judge, test.no, watcher)?;
    causes::deepen(store, &judge.project, &mut judged, &[test.no])?;
    let verdicts: Vec<&Verdict> =
        judged.judgement.verdicts.iter().filter(|verdict| verdict.test == test.no).collect();
    if verdicts.is_empty() {
        return Err(ShowError::NotInWindow { test: escape::line(&test.label()).into() });
    }
    let names = Names::of(store, verdicts.iter().copied(), owners)?;
    let bad = store.bad_results(&judge.project, &judged.runs, Some(test.no))?;
    let failures = failures(store, &bad, &judged.runs)?;
    let latest = latest_of(store, &bad, &judged, &names, &verdicts)?;
    watcher.phase("asking git");
    let listed = list.map(|file| listed(&file, test, today));
    let mut view = ShowView::new(
        &judged.judgement,
        ShowInput {
            project: &judge.project,
            window: &judge.window_text(),
            label: &names.label(test.no),
            verdicts: &verdicts,
            failures: &failures,
            others: &[],
            listed,
        },
    );
    view.full = full;
    for (variant, failure) in view.variants.iter_mut().zip(latest) {
        variant.verdict.latest_failure = failure;
    }
    for variant in &mut view.variants {
        for breakage in variant.trail.breakages.iter_mut().rev().take(COUNTED_BREAKAGES_MAX) {
            breakage.commits = breakage.range.as_ref().and_then(|range| {
                let (good, bad) = range.split_once("..")?;
                commits_between(&directory, good, bad)
            });
        }
    }
    Ok(view)
}

/// What the list says of a test, and what became of its entries.
fn listed(file: &ListFile, test: &TestRow, today: NaiveDate) -> ListedView {
    let label = test.label();
    let means = |entry: &Entry| entry.target.means(&label);
    let understood = |mut list: List| {
        resolve(&mut list, std::slice::from_ref(test));
        list
    };
    let now = understood(file.list.clone());
    let rules = |word: &'static str, rules: &[Rule]| -> Vec<QuarantineRule> {
        let meant = rules.iter().filter(|rule| rule.target.means(&label));
        meant.map(|rule| QuarantineRule::of(word, rule, 1)).collect()
    };
    let FileVersions { versions, cut } = FileVersions::of(&file.path, LIST_VERSIONS_MAX);
    let mut lists: Vec<Option<List>> =
        versions.iter().map(|version| parse(&version.text).ok().map(&understood)).collect();
    // Without any version git knows nothing of the file, and when entries came in is unknown.
    if !lists.is_empty() {
        lists.push(Some(now.clone()));
    }
    let event = |event: &ListEvent| {
        let version = versions.get(event.version);
        let (word, before) = match event.happening {
            Happening::Entered => ("entered", None),
            Happening::Extended { from } => ("extended", from),
            Happening::Shortened { from } => ("shortened", from),
            Happening::Left => ("left", None),
        };
        ListEventView {
            committed: version.map(|version| version.committed.to_rfc3339()),
            revision: version.map(|version| version.revision.clone()),
            event: word,
            test: event.entry.target.to_string(),
            pattern: matches!(event.entry.target, Target::Pattern(_)),
            variant: event.entry.variant.to_string(),
            expires: event.entry.expires.map(|day| day.to_string()),
            expired_before: before.map(|day| day.to_string()),
        }
    };
    ListedView {
        list: file.path.display().to_string(),
        entries: now
            .entries
            .iter()
            .filter(|entry| means(entry))
            .map(|entry| QuarantineEntry::of(entry, today))
            .collect(),
        rules: rules("never", &now.never).into_iter().chain(rules("always", &now.always)).collect(),
        events: events(&lists, !cut, &means).iter().map(event).collect(),
        events_cut: cut,
    }
}

/// The failures of a test's bad results in the given runs, grouped by signature.
fn failures(
    store: &dyn Store,
    bad: &[BadRow],
    runs: &[RunRow],
) -> Result<Vec<FailureCluster>, StoreError> {
    let mut wanted: Vec<_> = bad.iter().filter_map(|row| row.failure).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let started: HashMap<RunNo, (Timestamp, &str)> =
        runs.iter().map(|run| (run.no, (run.started, run.variant.as_str()))).collect();
    Ok(cluster(bad, &store.failures(&wanted)?, &|run| started.get(&run).copied()))
}

/// The test that was typed, with its variant behind it or without.
pub(super) fn find<'a>(
    tests: &'a [TestRow],
    typed: &str,
    project: &str,
) -> Result<&'a TestRow, ShowError> {
    // Screens print the identity where a name cannot be typed.
    if let Some(test) = tests.iter().find(|test| test.id.to_string() == typed) {
        return Ok(test);
    }
    let labels: Vec<String> = tests.iter().map(TestRow::label).collect();
    let mut found = match_name::find(typed, &labels);
    // What a screen printed may be typed back, spelt-out characters and all.
    let printed = |test: &&TestRow| escape::line(&test.label()) == typed;
    if found.first().is_none_or(|best| best.fit != Fit::Exact)
        && let Some(test) = tests.iter().find(printed)
    {
        return Ok(test);
    }
    if let Some(test) = without_variant(typed).filter(|_| found.is_empty()) {
        found = match_name::find(test, &labels);
    }
    match found.as_slice() {
        [only] => tests.get(only.place),
        [] => None,
        several => {
            let misspelt = several.first().is_some_and(|best| best.fit == Fit::Misspelt);
            let mut shown: Vec<&String> = several
                .iter()
                .take(CANDIDATES_SHOWN)
                .filter_map(|one| labels.get(one.place))
                .collect();
            shown.sort_unstable();
            let mut list: String =
                shown.into_iter().map(|label| format!("\n  {}", escape::line(label))).collect();
            let more = several.len().saturating_sub(CANDIDATES_SHOWN);
            if more > 0 {
                list += &format!("\n  and {more} more");
            }
            if misspelt {
                return Err(ShowError::Misspelt { typed: escape::line(typed).into(), list });
            }
            return Err(ShowError::Several {
                typed: escape::line(typed).into(),
                count: several.len(),
                list,
            });
        }
    }
    .ok_or_else(|| ShowError::Unknown {
        typed: escape::line(typed).into(),
        project: escape::line(project).into(),
    })
}

/// What stands before ` [os=linux]`; `None` where no variant stands at the end.
fn without_variant(typed: &str) -> Option<&str> {
    let (test, variant) = typed.strip_suffix(']')?.rsplit_once(" [")?;
    variant.parse::<Variant>().is_ok_and(|variant| !variant.is_empty()).then_some(test)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TestId;
    use crate::store::query::TestNo;

    fn row(no: u32, name: &str) -> TestRow {
        TestRow {
            no: TestNo(no),
            id: TestId([no as u8; 16]),
            suite: String::new(),
            classname: "c".to_owned(),
            name: name.to_owned(),
            file: String::new(),
            qualified: false,
            first_seen: Timestamp(0),
        }
    }

    #[test]
    fn a_name_is_found_as_it_is_printed() {
        let tests = [row(1, "\u{202e}rtl"), row(2, "rtl"), row(3, "Test_A"), row(4, "test_a")];
        for (typed, no) in [
            (r"c::\u{202e}rtl", 1),
            ("c::\u{202e}rtl", 1),
            ("c::rtl", 2),
            ("test_a", 4),
            ("Test_A", 3),
        ] {
            assert_eq!(find(&tests, typed, "shop").unwrap().no, TestNo(no), "{typed}");
        }
    }
}
