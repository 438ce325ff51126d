//! What led to the verdict on one test, run by run.

use serde::Serialize;

use super::super::sentence;
use super::rounded;
use crate::analysis::trail::{Breakage, Point, Trail};
use crate::analysis::verdict::{JudgedRun, Status};

/// What was believed after one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PointView {
    /// Its place in the judgement's runs.
    #[serde(skip)]
    pub run: u32,
    /// When the run started.
    pub started: String,
    /// The commit under test.
    pub revision: Option<String>,
    /// P(flaky at a rate of 1 % or more).
    pub flaky: f64,
    /// P(broken on the main line).
    pub broken: f64,
    /// What the test was called; null for points far back.
    pub status: Option<&'static str>,
}

/// A run after which the test was called something else.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StatusChange {
    /// The place of the point.
    #[serde(skip)]
    pub point: usize,
    /// When the run started.
    pub started: String,
    /// The commit under test.
    pub revision: Option<String>,
    /// What it was called before.
    pub from: &'static str,
    /// What it was called then.
    pub to: &'static str,
    /// What `to` means for an eye.
    #[serde(skip)]
    pub status: Status,
    /// P(flaky at a rate of 1 % or more) then.
    pub flaky: f64,
    /// P(broken on the main line) then.
    pub broken: f64,
}

/// Failures in a row on the main line, too many for chance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BreakageView {
    /// When the first failing run started.
    pub since: String,
    /// When the passing run started that ended it; null while it lasts.
    pub until: Option<String>,
    /// How many runs in a row failed.
    pub runs: u32,
    /// The last passing revision before.
    pub last_good: Option<String>,
    /// The first failing revision.
    pub first_bad: Option<String>,
    /// What git takes for the commits between, the good one left out; null where a revision is
    /// unknown, or is no hash.
    pub range: Option<String>,
    /// How many commits these are, where git knows.
    pub commits: Option<u32>,
}

/// What retries within runs did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RetriesView {
    /// Runs in which the test was tried again after it had failed.
    pub runs: u32,
    /// Of these, how many passed in the end.
    pub helped: u32,
    /// Attempts after the first, over all these runs.
    pub further_attempts: u32,
    /// The most attempts of one run; 0 where nothing was retried.
    pub attempts_max: u32,
}

/// The trail as it is published.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrailView {
    /// What was believed after each run that says something, oldest first; empty where the method
    /// gives no probability, and for tests that never failed.
    pub points: Vec<PointView>,
    /// Where the verdict changed, oldest first.
    pub changes: Vec<StatusChange>,
    /// Where the main line broke, oldest first.
    pub breakages: Vec<BreakageView>,
    /// What retries did.
    pub retries: RetriesView,
}

impl TrailView {
    pub(super) fn new(trail: &Trail, runs: &[JudgedRun]) -> Self {
        let mut retries = RetriesView::default();
        for tried in &trail.retried {
            let attempts = u32::from(tried.failed) + u32::from(tried.passed);
            retries.runs += 1;
            retries.helped += u32::from(tried.passed);
            retries.further_attempts += attempts.saturating_sub(1);
            retries.attempts_max = retries.attempts_max.max(attempts);
        }
        Self {
            points: trail.points.iter().map(|point| point_view(point, runs)).collect(),
            changes: changes(&trail.points, runs),
            breakages: trail.breakages.iter().map(|one| breakage(one, runs)).collect(),
            retries,
        }
    }
}

fn started(runs: &[JudgedRun], run: u32) -> Option<String> {
    runs.get(run as usize).map(|run| run.started.to_rfc3339())
}

fn revision(runs: &[JudgedRun], run: u32) -> Option<String> {
    runs.get(run as usize).and_then(|run| run.revision.clone())
}

fn point_view(point: &Point, runs: &[JudgedRun]) -> PointView {
    PointView {
        run: point.run,
        started: started(runs, point.run).unwrap_or_default(),
        revision: revision(runs, point.run),
        flaky: rounded(point.flaky),
        broken: rounded(point.broken),
        status: point.status.map(Status::word),
    }
}

fn changes(points: &[Point], runs: &[JudgedRun]) -> Vec<StatusChange> {
    let pairs = points.iter().zip(points.iter().skip(1)).zip(1..);
    let changed = pairs.filter_map(|((before, point), place)| {
        let (from, to) = (before.status?, point.status?);
        (from != to).then(|| StatusChange {
            point: place,
            started: started(runs, point.run).unwrap_or_default(),
            revision: revision(runs, point.run),
            from: from.word(),
            to: to.word(),
            status: to,
            flaky: rounded(point.flaky),
            broken: rounded(point.broken),
        })
    });
    changed.collect()
}

fn breakage(breakage: &Breakage, runs: &[JudgedRun]) -> BreakageView {
    let last_good = breakage.last_good.and_then(|run| revision(runs, run));
    let first_bad = revision(runs, breakage.first_bad);
    BreakageView {
        since: started(runs, breakage.first_bad).unwrap_or_default(),
        until: breakage.ended_by.and_then(|run| started(runs, run)),
        runs: breakage.runs,
        range: range(last_good.as_deref(), first_bad.as_deref()),
        last_good,
        first_bad,
        commits: None,
    }
}

/// `good..bad`, where both are hashes that can be pasted into a command as they are.
fn range(good: Option<&str>, bad: Option<&str>) -> Option<String> {
    let hash = |name: &&str| (7..=64).contains(&name.len()) && is_hex(name);
    let (good, bad) = (good.filter(hash)?, bad.filter(hash)?);
    (good != bad).then(|| format!("{}..{}", sentence::revision(good), sentence::revision(bad)))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashes_make_a_range() {
        let hash = "1f3a9c0a11".repeat(4);
        let other = "98c475f0f0".repeat(4);
        assert_eq!(range(Some(&hash), Some(&other)).as_deref(), Some("1f3a9c0a11..98c475f0f0"));
        assert_eq!(range(Some(&hash), Some(&hash)), None);
        assert_eq!(range(Some(&hash), Some("main")), None);
        assert_eq!(range(None, Some(&hash)), None);
        assert_eq!(range(Some("--upload-pack=x"), Some(&hash)), None);
    }
}
