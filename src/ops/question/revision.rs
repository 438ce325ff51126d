//! What did this revision bring?

use std::collections::BTreeMap;

use super::{QuestionError, Scene, slower};
use crate::analysis::at_revision::at_revision;
use crate::analysis::slower::{PaceChange, PaceSettings};
use crate::analysis::verdict::JudgedRun;
use crate::model::Timestamp;
use crate::report::escape;
use crate::report::view::question::{PaceView, RevisionInput, RevisionView};

/// Revisions named where the one that was typed is none, or could be several.
const NAMED_MAX: usize = 5;
/// Characters of the shortest hash that git itself prints.
const SHORT_HASH_MIN: usize = 7;

/// What the runs of a revision show that the runs before did not.
///
/// # Errors
/// An unusable history, or what was typed is no revision of the window or could be several.
pub fn revision(scene: &Scene<'_>, typed: &str) -> Result<RevisionView, QuestionError> {
    let judgement = &scene.judged.judgement;
    let (revision, _) = resolve(&judgement.runs, typed, scene.commit_of)?;
    let found = at_revision(judgement, &scene.judged.history, &revision);
    let pace = slower::pace(scene, &PaceSettings::default())?;
    // Of many passes not all are compared: the change lies somewhere after the last one before it.
    let here = |one: &&PaceChange| {
        found.runs.iter().any(|run| (one.last_before + 1..=one.first_after).contains(run))
    };
    let [longer, shorter] =
        [&pace.slower, &pace.faster].map(|all| all.iter().filter(here).collect::<Vec<_>>());
    let failed = found.failed.iter().filter_map(|one| judgement.verdicts.get(one.verdict));
    let tests = failed
        .map(|verdict| verdict.test)
        .chain(found.appeared.iter().copied())
        .chain(found.vanished.iter().map(|(test, _)| *test))
        .chain(longer.iter().chain(&shorter).map(|one| one.test));
    let names = scene.names(tests)?;
    let views = |changes: &[&PaceChange]| -> Vec<PaceView> {
        let view = |one: &&PaceChange| PaceView::new(one, &judgement.runs, names.label(one.test));
        changes.iter().map(view).collect()
    };
    let input = RevisionInput {
        revision: &revision,
        judgement,
        found: &found,
        pace: [&views(&longer), &views(&shorter)],
        names: &|test| names.label(test),
    };
    Ok(RevisionView::new(scene.about(RevisionView::SCHEMA), input))
}

/// The revision of these runs that is called so or begins so, or that git calls so, and when its first run started.
///
/// # Errors
/// Where there is none, or several.
pub(super) fn resolve(
    runs: &[JudgedRun],
    typed: &str,
    commit_of: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, Timestamp), QuestionError> {
    let mut started: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for run in runs {
        if let Some(revision) = run.revision.as_deref() {
            let first = started.entry(revision).or_insert(run.started);
            *first = (*first).min(run.started);
        }
    }
    if let Some(first) = started.get(typed) {
        return Ok((typed.to_owned(), *first));
    }
    let begins = |revision: &&str| !typed.is_empty() && revision.starts_with(typed);
    let mut found: Vec<&str> = started.keys().copied().filter(begins).collect();
    let hash = if found.is_empty() { commit_of(typed) } else { None };
    if let Some(hash) = &hash {
        // Reports may have been ingested with short hashes.
        let named = |one: &&str| one.len() >= SHORT_HASH_MIN && hash.starts_with(*one);
        found = started.keys().copied().filter(named).collect();
    }
    match found.as_slice() {
        [only] => Ok(((*only).to_owned(), started.get(only).copied().unwrap_or(Timestamp(0)))),
        [] if started.is_empty() => Err(QuestionError::NoRevisions),
        [] => {
            let mut latest: Vec<(Timestamp, &str)> =
                started.iter().map(|(revision, first)| (*first, *revision)).collect();
            latest.sort_unstable_by(|one, other| other.cmp(one));
            let latest: Vec<&str> = latest.into_iter().map(|(_, revision)| revision).collect();
            Err(QuestionError::NoRevision { typed: shown(typed), latest: list(&latest) })
        }
        several => Err(QuestionError::SeveralRevisions {
            typed: shown(typed),
            count: several.len(),
            list: list(several),
        }),
    }
}

fn shown(typed: &str) -> String {
    escape::line(typed).into_owned()
}

fn list(revisions: &[&str]) -> String {
    let mut lines: Vec<String> =
        revisions.iter().take(NAMED_MAX).map(|one| format!("\n  {}", escape::line(one))).collect();
    let more = revisions.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        lines.push(format!("\n  and {more} more"));
    }
    lines.concat()
}
