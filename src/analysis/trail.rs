//! The trail of one test: what it was called after each run, where it broke, what retries did.
//!
//! Kept for the tests that a history is asked about ([`History::asked`]) and for no others, since
//! only a person who looks at one test reads it. The probabilities are those of the very pass that
//! judged, as it went along; the last point is the verdict.
//!
//! [`History::asked`]: super::history::History::asked

use super::evidence::{Evidence, Reading};
use super::filter::replay::{Course, Moment};
use super::history::{Seen, Unit};
use super::method;
use super::origin::Origins;
use super::settings::Settings;
use super::streak::{Streak, StreakKind};
use super::verdict::Status;
use crate::model::Repeat;

/// Points that get a status, the latest: each is read from all results before it, so that the time
/// grows with the square of their number.
pub const STATUSES_MAX: usize = 2_000;

/// What led to a verdict, run by run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trail {
    /// What was believed after each run that says something, oldest first; empty where the method
    /// gives no probability, and for tests that never failed outside outages.
    pub points: Vec<Point>,
    /// Where the main line broke, oldest first.
    pub breakages: Vec<Breakage>,
    /// Runs in which the test was retried, oldest first.
    pub retried: Vec<Tried>,
    /// What each run's result came with, oldest first.
    pub places: Vec<Whereabouts>,
}

/// What one result came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// The run, as a place in the judgement's runs.
    pub run: u32,
    /// The machine, where known.
    pub host: Option<String>,
    /// The worker, where known.
    pub worker: Option<String>,
    /// Which part of the suite its report is, where known.
    pub shard: Option<String>,
    /// The seed of the random order, where known.
    pub seed: Option<String>,
    /// How many tests stand before it in its report, of the same worker where that is known.
    pub before: u32,
    /// How many tests the report has, of the same worker where that is known.
    pub tests: u32,
}

/// What was believed after one run, all earlier results in mind and no later ones.
///
/// Which runs were outages is what is known in the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The run, as a place in [`Judgement::runs`](super::verdict::Judgement::runs).
    pub run: u32,
    /// P(flaky at a rate of 1 % or more).
    pub flaky: f64,
    /// P(broken on the main line).
    pub broken: f64,
    /// What the test was called; `None` before the latest [`STATUSES_MAX`] points.
    pub status: Option<Status>,
}

/// Failures in a row on the main line, too many for chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breakage {
    /// The last passing run before, as a place in the judgement's runs.
    pub last_good: Option<u32>,
    /// The first failing run.
    pub first_bad: u32,
    /// The passing run that ended it; `None` while it lasts.
    pub ended_by: Option<u32>,
    /// How many runs in a row failed.
    pub runs: u32,
}

/// A run in which the test was tried more than once because it had failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// The run, as a place in the judgement's runs.
    pub run: u32,
    /// Failed attempts, at least 1, saturating.
    pub failed: u16,
    /// The last attempt passed.
    pub passed: bool,
}

impl Trail {
    /// The trail of a unit that was judged by `evidence`, and by `course` where the filter weighed.
    pub(super) fn of(
        origins: &Origins,
        reading: &Reading<'_>,
        unit: &Unit,
        evidence: &Evidence,
        course: Option<&Course>,
        status: Status,
    ) -> Self {
        let moments = course.map_or(&[][..], |course| &course.moments);
        let broken_now = matches!(status, Status::Broken | Status::NewlyBroken);
        let broke = |streak: &&Streak| {
            streak.kind == StreakKind::Breakage || (streak.ended_by.is_none() && broken_now)
        };
        let breakage = |streak: &Streak| Breakage {
            last_good: streak.last_good,
            first_bad: streak.first,
            ended_by: streak.ended_by,
            runs: streak.runs,
        };
        Self {
            points: points(reading, unit, moments),
            breakages: evidence.streaks.iter().filter(broke).map(breakage).collect(),
            retried: unit.seen.iter().filter_map(Tried::of).collect(),
            places: unit.seen.iter().filter_map(|seen| Whereabouts::of(origins, seen)).collect(),
        }
    }
}

impl Whereabouts {
    fn of(origins: &Origins, seen: &Seen) -> Option<Self> {
        let place = origins.of(seen.run, seen.position)?;
        let owned = |name: Option<&str>| name.map(str::to_owned);
        Some(Self {
            run: seen.run,
            host: owned(place.host),
            worker: owned(place.worker),
            shard: owned(place.shard),
            seed: owned(place.seed),
            before: place.before,
            tests: place.rows,
        })
    }
}

impl Tried {
    fn of(seen: &Seen) -> Option<Self> {
        let retried = seen.repeat == Repeat::Retried && seen.bad_attempts > 0;
        retried.then(|| Self {
            run: seen.run,
            failed: seen.bad_attempts,
            passed: !seen.outcome.is_bad(),
        })
    }
}

fn points(reading: &Reading<'_>, unit: &Unit, moments: &[Moment]) -> Vec<Point> {
    let unnamed = moments.len().saturating_sub(STATUSES_MAX);
    let settings: &Settings = reading.settings();
    let point = |(place, moment): (usize, &Moment)| {
        let named = || {
            // What came after a moment and before the next belongs to it: skips, unclear failures.
            let until = match moments.get(place + 1) {
                Some(next) => unit.seen.partition_point(|seen| seen.run < next.run),
                None => unit.seen.len(),
            };
            let seen = unit.seen.get(..until).unwrap_or_default();
            method::status_at(moment, &reading.of_results(seen), settings)
        };
        Point {
            run: moment.run,
            flaky: moment.score,
            broken: moment.broken,
            status: (place >= unnamed).then(named),
        }
    };
    moments.iter().enumerate().map(point).collect()
}
