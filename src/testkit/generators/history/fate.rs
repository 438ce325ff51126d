//! What a test of a history really is.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::testkit::generators::Stream;
use crate::testkit::generators::junit::Shown;
use crate::testkit::generators::junit::words::Cause;

/// What a test really is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fate {
    /// It always passes, outages aside.
    Healthy,
    /// Each attempt fails at this rate, whatever the code.
    Flaky {
        /// The probability that an attempt fails.
        rate: f64,
    },
    /// It fails from a revision of the main line on.
    Broken {
        /// The first revision with the fault.
        since: String,
    },
    /// It failed from a revision of the main line on, until another one.
    Fixed {
        /// The first revision with the fault.
        since: String,
        /// The first revision without it.
        until: String,
    },
    /// It always passes, and has another name from a revision of the main line on.
    Renamed {
        /// The first revision with the new name.
        since: String,
    },
    /// It always passes, and takes longer from a revision of the main line on.
    Slow {
        /// The first slow revision.
        since: String,
        /// How many times as long it takes.
        factor: u64,
    },
}

/// A test and what it really is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestFate {
    /// The test as flakedb prints it.
    pub test: String,
    /// What it was called before it was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub fate: Fate,
    /// The runs in which its report says that it failed.
    pub failures: usize,
    /// What flakedb may call it in the end, by what its reports show; the most fitting one first.
    pub statuses: Vec<&'static str>,
}

/// A fate before revisions have their names: revisions are counted from 0 on the main line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Course {
    Healthy,
    Flaky(f64),
    Broken { since: usize },
    Fixed { since: usize, until: usize },
    Renamed { since: usize },
    Slow { since: usize },
}

/// How many times as long a slow test takes.
pub(super) const SLOW_FACTOR: u64 = 4;

impl Course {
    /// The fate, with the names of the revisions.
    pub(super) fn fate(self, revisions: &[String]) -> Fate {
        let name = |place: usize| revisions.get(place).cloned().unwrap_or_default();
        match self {
            Self::Healthy => Fate::Healthy,
            Self::Flaky(rate) => Fate::Flaky { rate },
            Self::Broken { since } => Fate::Broken { since: name(since) },
            Self::Fixed { since, until } => Fate::Fixed { since: name(since), until: name(until) },
            Self::Renamed { since } => Fate::Renamed { since: name(since) },
            Self::Slow { since } => Fate::Slow { since: name(since), factor: SLOW_FACTOR },
        }
    }

    /// The statuses that are no mistake at the end of a history that showed `record`.
    pub(super) fn statuses(self, record: &Record) -> Vec<&'static str> {
        let mut statuses = match self {
            Self::Healthy | Self::Renamed { .. } | Self::Slow { .. } => {
                return vec!["healthy", "new"];
            }
            // What it never showed cannot be seen.
            Self::Flaky(_) if !record.has_failed() => return vec!["healthy", "new"],
            Self::Flaky(_) if record.passes == 0 => vec!["broken", "newly-broken"],
            Self::Flaky(_) => vec!["flaky", "suspect", "recovering", "healthy"],
            Self::Broken { .. } => vec!["broken", "newly-broken"],
            Self::Fixed { .. } => vec!["fixed", "recovering", "healthy"],
        };
        if matches!(self, Self::Flaky(_)) && record.passes > 0 && record.last_row >= BREAKAGE {
            // By chance it looks like one that broke, or was fixed.
            match record.row {
                0 => statuses.push("fixed"),
                _ => statuses.extend(["broken", "newly-broken"]),
            }
        }
        if !matches!(self, Self::Flaky(_)) && record.failures < BREAKAGE {
            // A single failure may be anything.
            statuses.extend(["suspect", "healthy"]);
        }
        if record.runs < TELLING {
            statuses.extend(["suspect", "new"]);
        }
        let mut known = BTreeSet::new();
        statuses.retain(|status| known.insert(*status));
        statuses
    }

    /// True where the test fails at a revision of the main line for certain.
    pub(super) const fn is_broken(self, revision: usize) -> bool {
        match self {
            Self::Broken { since } => since <= revision,
            Self::Fixed { since, until } => since <= revision && revision < until,
            Self::Healthy | Self::Flaky(_) | Self::Renamed { .. } | Self::Slow { .. } => false,
        }
    }
}

/// Runs that have to fail one after another before a test counts as broken.
const BREAKAGE: usize = 2;
/// Runs below which a test may count as new.
const TELLING: usize = 5;

/// What the reports of a history show of a test. Outages count in `reported` only.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Record {
    /// Runs whose report says that it failed.
    pub(super) reported: usize,
    runs: usize,
    failures: usize,
    passes: usize,
    /// Passes after an attempt that failed.
    flakes: usize,
    /// How many of the last runs failed, one after another.
    row: usize,
    /// The length of the last row of failures.
    last_row: usize,
}

impl Record {
    /// Counts what one more report shows.
    pub(super) fn add(&mut self, shown: Shown, is_outage: bool) {
        let failed = shown.outcome.is_bad();
        self.reported += usize::from(failed);
        if is_outage {
            return;
        }
        self.runs += 1;
        if failed {
            self.failures += 1;
            self.row += 1;
            self.last_row = self.row;
        } else {
            self.passes += 1;
            self.flakes += usize::from(shown.flaky);
            self.row = 0;
        }
    }

    const fn has_failed(&self) -> bool {
        self.failures + self.flakes > 0
    }
}

/// A test of a history.
#[derive(Debug, Clone)]
pub(super) struct Player {
    pub(super) behaviour: String,
    /// What the test was called before it was renamed.
    pub(super) was: Option<String>,
    pub(super) course: Course,
    pub(super) cause: Cause,
    /// True where it errs rather than fails.
    pub(super) errs: bool,
    pub(super) usual_ms: u64,
}

impl Player {
    /// The name of the test at a revision.
    pub(super) fn behaviour_at(&self, revision: usize) -> &str {
        match (self.course, &self.was) {
            (Course::Renamed { since }, Some(was)) if revision < since => was,
            _ => &self.behaviour,
        }
    }

    /// How long one attempt takes at a revision: within a fifth of the usual time.
    pub(super) fn duration_ms(&self, revision: usize, stream: &mut Stream) -> u64 {
        let usual = match self.course {
            Course::Slow { since } if since <= revision => self.usual_ms * SLOW_FACTOR,
            _ => self.usual_ms,
        };
        usual * 4 / 5 + stream.below(usual * 2 / 5 + 1)
    }
}
