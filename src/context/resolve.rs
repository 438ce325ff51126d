//! Who wins where the sources differ.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::ci::shard::shard_of;
use super::ci::{self, Detected};
use super::git::Checkout;
use super::sidecar::Sidecar;
use crate::model::limits::CONTEXT_FILE_BYTES_MAX;
use crate::model::{Facts, Lane, PartFacts, RunContext, Shard};

/// Branches that count as the default one where neither CI nor git knows it.
const CUSTOMARY_DEFAULTS: [&str; 2] = ["main", "master"];
/// Where bors and bors-ng test changes; a repository may also use these names for its default.
const BORS: [&str; 4] = ["staging", "trying", "auto", "try"];
/// The project of a run about which nothing is known.
const NO_PROJECT: &str = "unnamed";

/// What the user said by flags and variables; it beats what the sidecar, CI and git say.
pub type Overrides = Facts;

/// What CI and git say about where flakedb runs now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// The CI, if there is one.
    pub ci: Option<Detected>,
    /// The git working copy.
    pub git: Checkout,
    /// The default branch, where the configuration names it; it beats what CI and git say.
    pub default_branch: Option<String>,
    /// Which part of its suite the job is, where CI splits it.
    pub shard: Option<Shard>,
    /// The name of the directory that stands in for an unknown project.
    pub directory: Option<String>,
}

impl Surroundings {
    /// Looks at the environment and at the git working copy of `directory`.
    #[must_use]
    pub fn gather(directory: &Path) -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let ci = ci::detect(&variable, &read_small);
        // CI checks a commit out and builds in it; its changes are no surprise to anybody.
        let git = match ci {
            Some(_) => Checkout::of(directory),
            None => Checkout::with_changes(directory),
        };
        let root = git.root.clone().or_else(|| directory.canonicalize().ok());
        let name =
            root.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into());
        Self { ci, git, default_branch: None, shard: shard_of(&variable), directory: name }
    }

    fn default_branch(&self) -> Option<&str> {
        let by_ci = self.ci.as_ref().and_then(|ci| ci.default_branch.as_deref());
        self.default_branch.as_deref().or(by_ci).or(self.git.default_branch.as_deref())
    }
}

fn read_small(path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).ok()?;
    file.take(CONTEXT_FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The context of a run: flags and variables beat the sidecar, which beats CI, which beats git.
///
/// A sidecar that names a run (by revision, build or start) tells of another run than the one that
/// is going on now; of CI and git it then takes only the project. Git's branch is believed only
/// while the revision is git's own.
#[must_use]
pub fn resolve(
    overrides: &Overrides,
    sidecar: Option<&Sidecar>,
    surroundings: &Surroundings,
) -> RunContext {
    let said = sidecar.map(|sidecar| sidecar.facts.clone()).unwrap_or_default();
    let elsewhere = said.name_a_run();
    settle(overrides.clone().or(said), elsewhere, surroundings)
}

/// What is said about one report besides its run: its shard, and its seed.
///
/// Flags and the sidecar beat the report, which knows better than the job that reads it; reports that
/// a sidecar says are of another run were not made by this job.
#[must_use]
pub fn resolve_part(
    overrides: &Overrides,
    sidecar: Option<&Sidecar>,
    surroundings: &Surroundings,
) -> PartFacts {
    let said = sidecar.map(|sidecar| sidecar.facts.clone()).unwrap_or_default();
    let elsewhere = said.name_a_run();
    PartFacts {
        shard: overrides.shard.clone().or(said.shard),
        seed: overrides.seed.clone().or(said.seed),
        shard_of_job: surroundings.shard.filter(|_| !elsewhere).map(|shard| shard.to_string()),
    }
}

/// The context of a run whose only report says `stated` about it.
///
/// Flags and the sidecar beat it, as they were written for this run. It beats CI, unless it was
/// written by the job that is going on now.
#[must_use]
pub fn resolve_stated(
    overrides: &Overrides,
    sidecar: Option<&Sidecar>,
    stated: Facts,
    surroundings: &Surroundings,
) -> RunContext {
    let said = sidecar.map(|sidecar| sidecar.facts.clone()).unwrap_or_default();
    let ci = surroundings.ci.as_ref().map(|ci| &ci.context);
    let is_now = stated.revision.is_some()
        && ci.is_some_and(|ci| ci.revision == stated.revision)
        && !said.name_a_run();
    let stated = match ci {
        Some(ci) if is_now => ci.clone().or(stated),
        _ => stated,
    };
    let said = said.or(stated);
    let elsewhere = said.name_a_run() && !is_now;
    settle(overrides.clone().or(said), elsewhere, surroundings)
}

/// The context of one run of a history that was kept elsewhere.
///
/// What is stated stays as it is. Flags and sidecars were written for all of its runs, so they fill
/// in what is left out, but never what names a single run: that would make one run of all.
#[must_use]
pub fn resolve_past(
    overrides: &Overrides,
    sidecar: Option<&Sidecar>,
    stated: Facts,
    surroundings: &Surroundings,
) -> RunContext {
    let said = sidecar.map(|sidecar| sidecar.facts.clone()).unwrap_or_default();
    let said = overrides.clone().or(said);
    let of_all = Facts {
        project: said.project,
        branch: said.branch,
        lane: said.lane.filter(|_| stated.branch.is_none()),
        variant: said.variant,
        ..Facts::default()
    };
    settle(stated.or(of_all), true, surroundings)
}

/// Completes what is known from CI and git; `elsewhere` is a run other than the one that is going on
/// now.
fn settle(known: Facts, elsewhere: bool, surroundings: &Surroundings) -> RunContext {
    let ci = surroundings.ci.as_ref().map(|ci| ci.context.clone()).unwrap_or_default();
    let ci = if elsewhere { Facts { project: ci.project, ..Facts::default() } } else { ci };
    let known = known.or(ci);
    let git = &surroundings.git;
    let revision = known.revision.clone().or_else(|| git.revision.clone().filter(|_| !elsewhere));
    let same = revision == git.revision && !elsewhere;
    let branch = known.branch.clone().or_else(|| git.branch.clone().filter(|_| same));
    let project = known.project.or_else(|| git.project.clone());
    RunContext {
        project: project
            .or_else(|| surroundings.directory.clone())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| NO_PROJECT.to_owned()),
        lane: known.lane.unwrap_or_else(|| lane(branch.as_deref(), surroundings.default_branch())),
        revision,
        branch,
        variant: known.variant.unwrap_or_default(),
        build: known.build,
        attempt: known.attempt.unwrap_or(1).max(1),
        job: known.job,
        url: known.url,
        started: known.started,
    }
}

/// The lane of a branch about which nobody said more.
fn lane(branch: Option<&str>, default_branch: Option<&str>) -> Lane {
    match (branch, default_branch) {
        (Some(branch), Some(default)) if branch == default => Lane::Default,
        (Some(branch), None) if CUSTOMARY_DEFAULTS.contains(&branch) => Lane::Default,
        (Some(branch), _) if is_merge_queue(branch) || BORS.contains(&branch) => Lane::Change,
        (Some(branch), _) if is_pull_request(branch) => Lane::Change,
        _ => Lane::Other,
    }
}

/// True for a branch that only a merge queue makes to test a change: GitHub's, Mergify's, Trunk's,
/// Graphite's and Rust's bors'.
pub(super) fn is_merge_queue(branch: &str) -> bool {
    const BEGINNINGS: [&str; 5] =
        ["gh-readonly-queue/", "mergify/merge-queue/", "trunk-merge/", "gtmq_", "automation/bors/"];
    BEGINNINGS.iter().any(|start| branch.starts_with(start))
}

/// True for the names that CI gives to the branch of a pull request: Jenkins' `PR-12`, GitHub's
/// `pull/12/merge`, GitLab's `merge-requests/12/head`.
fn is_pull_request(branch: &str) -> bool {
    const BEGINNINGS: [&str; 6] =
        ["PR-", "MR-", "pr/", "pull/", "merge-requests/", "pull-requests/"];
    let branch = branch.strip_prefix("refs/").unwrap_or(branch);
    let number = BEGINNINGS.iter().find_map(|start| branch.strip_prefix(start));
    let number = number.and_then(|rest| rest.split('/').next());
    number.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
