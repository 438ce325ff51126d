//! The generator of histories: what happens in them.

use super::fate::{Course, Player};
use super::play;
use super::written::History;
use crate::testkit::generators::junit::Dialect;
use crate::testkit::generators::junit::words::{self, Cause};
use crate::testkit::generators::{COUNT_MAX, Generate, Stream};

/// Tests of one module.
const MODULE_TESTS: usize = 8;
/// The most builds and retries.
pub(in crate::testkit::generators) const RUNS_MAX: usize = 10_000;
pub(in crate::testkit::generators) const RETRIES_MAX: usize = 100;
/// The most attempts of all tests in all builds, before any build is repeated: some gigabytes.
const ATTEMPTS_MAX: usize = 2_000_000;

/// A generator of CI histories.
///
/// A history is a main line of revisions. Each build tests a new one, or in one of eight cases the
/// last one again (a nightly build), or in one of six a pull request. A red build is built again
/// in three of four cases, one that the machine ruined always. What breaks or changes does so with a revision, never between two builds
/// of one. A test whose history is too short for its change is healthy.
///
/// A history is held in memory as a whole: it has no more than 100,000 tests of one fate, 10,000
/// builds and 100 retries, and no more builds than 2,000,000 attempts are enough for
/// ([`Histories::fits`]).
///
/// ```
/// use flakedb::testkit::generators::history::Histories;
/// use flakedb::testkit::generators::junit::Dialect;
/// use flakedb::testkit::generators::{Generate, Source};
///
/// let histories = Histories::of(Dialect::named("pytest")?).runs(40).flaky(3).outages(0);
/// let history = histories.one(&mut Source::seeded(7));
/// assert_eq!(history.truth.tests.iter().filter(|test| test.statuses[0] == "flaky").count(), 3);
/// # Ok::<(), flakedb::testkit::generators::junit::UnknownDialect>(())
/// ```
#[derive(Debug, Clone)]
pub struct Histories {
    pub(super) dialect: &'static Dialect,
    pub(super) project: String,
    pub(super) runs: usize,
    healthy: usize,
    flaky: usize,
    rate: f64,
    broken: usize,
    fixed: usize,
    renamed: usize,
    slow: usize,
    pub(super) outages: usize,
    pub(super) retries: usize,
}

impl Histories {
    /// Histories of 60 builds with 24 healthy tests, two flaky ones that fail in 15 % of their runs,
    /// and one each that is broken, fixed, renamed and slow; the machine ruins one build.
    #[must_use]
    pub fn of(dialect: &'static Dialect) -> Self {
        Self {
            dialect,
            project: "shop".into(),
            runs: 60,
            healthy: 24,
            flaky: 2,
            rate: 0.15,
            broken: 1,
            fixed: 1,
            renamed: 1,
            slow: 1,
            outages: 1,
            retries: 0,
        }
    }

    /// How many builds there are, at least 1; those that are built again come on top. Below 30 there is hardly
    /// a tool that could tell the truth from the reports.
    #[must_use]
    pub const fn runs(mut self, count: usize) -> Self {
        self.runs = at_most(count, RUNS_MAX);
        self
    }

    /// How many tests always pass.
    #[must_use]
    pub const fn healthy(mut self, count: usize) -> Self {
        self.healthy = at_most(count, COUNT_MAX);
        self
    }

    /// How many tests are flaky.
    #[must_use]
    pub const fn flaky(mut self, count: usize) -> Self {
        self.flaky = at_most(count, COUNT_MAX);
        self
    }

    /// The probability that an attempt at a flaky test fails.
    #[must_use]
    pub const fn rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// How many tests break for good, in the fourth fifth of the history.
    #[must_use]
    pub const fn broken(mut self, count: usize) -> Self {
        self.broken = at_most(count, COUNT_MAX);
        self
    }

    /// How many tests break in the second fifth and are fixed in the third.
    #[must_use]
    pub const fn fixed(mut self, count: usize) -> Self {
        self.fixed = at_most(count, COUNT_MAX);
        self
    }

    /// How many tests get another name, in the third fifth.
    #[must_use]
    pub const fn renamed(mut self, count: usize) -> Self {
        self.renamed = at_most(count, COUNT_MAX);
        self
    }

    /// How many tests become four times as slow, in the third fifth.
    #[must_use]
    pub const fn slow(mut self, count: usize) -> Self {
        self.slow = at_most(count, COUNT_MAX);
        self
    }

    /// How many builds of the main line the machine ruins: most tests err, out of nothing.
    #[must_use]
    pub const fn outages(mut self, count: usize) -> Self {
        self.outages = at_most(count, COUNT_MAX);
        self
    }

    /// How often the runner tries a failed test again within a run; what its report tells of that
    /// is up to the dialect.
    #[must_use]
    pub const fn retries(mut self, count: usize) -> Self {
        self.retries = at_most(count, RETRIES_MAX);
        self
    }

    /// What is tested: the name of the project, in lower-case letters.
    #[must_use]
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = name.into();
        self
    }

    /// False where there are more builds than attempts are enough for; then there are fewer.
    ///
    /// ```
    /// use flakedb::testkit::generators::history::Histories;
    /// use flakedb::testkit::generators::junit::Dialect;
    ///
    /// let histories = Histories::of(Dialect::named("pytest")?).healthy(10_000);
    /// assert!(histories.clone().runs(100).fits());
    /// assert!(!histories.runs(1_000).fits());
    /// # Ok::<(), flakedb::testkit::generators::junit::UnknownDialect>(())
    /// ```
    #[must_use]
    pub fn fits(&self) -> bool {
        self.size().0 >= self.runs
    }

    /// The builds and the retries, as far as there is room for them.
    pub(super) fn size(&self) -> (usize, usize) {
        let fates = [self.healthy, self.flaky, self.broken, self.fixed, self.renamed, self.slow];
        let tests = fates.iter().sum::<usize>().max(1);
        let runs = ATTEMPTS_MAX / (tests * (self.retries + 1));
        (self.runs.min(runs).max(1), self.retries)
    }

    /// The dialect of the reports.
    #[must_use]
    pub const fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// The tests, module by module, for a main line of so many revisions.
    pub(super) fn players(&self, revisions: usize, stream: &mut Stream) -> Vec<Vec<Player>> {
        let mut courses: Vec<Course> = Vec::new();
        courses.extend((0..self.flaky).map(|_| Course::Flaky(self.rate)));
        let at = |fifth, stream: &mut Stream| within(revisions, fifth, stream);
        // A main line that is too short for a change has none: the test is healthy.
        for _ in 0..self.broken {
            courses.push(at(3, stream).map_or(Course::Healthy, |since| Course::Broken { since }));
        }
        for _ in 0..self.fixed {
            let (since, until) = (at(1, stream), at(2, stream));
            let course = since.zip(until).and_then(|(since, until)| {
                let until = until.max(since + 1);
                (until < revisions).then_some(Course::Fixed { since, until })
            });
            courses.push(course.unwrap_or(Course::Healthy));
        }
        for _ in 0..self.renamed {
            courses.push(at(2, stream).map_or(Course::Healthy, |since| Course::Renamed { since }));
        }
        for _ in 0..self.slow {
            courses.push(at(2, stream).map_or(Course::Healthy, |since| Course::Slow { since }));
        }
        courses.extend((0..self.healthy).map(|_| Course::Healthy));
        shuffle(&mut courses, stream);
        courses.chunks(MODULE_TESTS).map(|courses| module(courses, stream)).collect()
    }
}

const fn at_most(count: usize, greatest: usize) -> usize {
    if count < greatest { count } else { greatest }
}

/// A revision in one of the five fifths of a main line, never its first; none where it has no other.
fn within(revisions: usize, fifth: usize, stream: &mut Stream) -> Option<usize> {
    let (start, end) = (revisions * fifth / 5, revisions * (fifth + 1) / 5);
    let drawn = start + stream.below((end - start).max(1) as u64) as usize;
    (revisions > 1).then(|| drawn.clamp(1, revisions - 1))
}

fn module(courses: &[Course], stream: &mut Stream) -> Vec<Player> {
    // Twice as many behaviours as tests: the second half holds what renamed tests were called.
    let mut behaviours = words::behaviours(courses.len() * 2, stream);
    let former = behaviours.split_off(courses.len());
    let tests = courses.iter().zip(behaviours).zip(former);
    tests
        .map(|((&course, behaviour), former)| {
            let errs = stream.chance(0.3);
            Player {
                behaviour,
                was: matches!(course, Course::Renamed { .. }).then_some(former),
                course,
                cause: if errs { Cause::of_error(stream) } else { Cause::of_failure(stream) },
                errs,
                usual_ms: 20 + stream.below(30) * stream.below(30),
            }
        })
        .collect()
}

/// Fisher and Yates's shuffle.
pub(super) fn shuffle<T>(items: &mut [T], stream: &mut Stream) {
    for last in (1..items.len()).rev() {
        items.swap(last, stream.below(last as u64 + 1) as usize);
    }
}

impl Generate for Histories {
    type Output = History;
    const KIND: &'static str = "history";

    fn generate(&self, stream: &mut Stream) -> History {
        play::history(self, stream)
    }
}
