//! The generator of reports: a run of tests, written by a runner, with what it means beside it.

use std::io::{self, Write};

use serde::Serialize;

use super::dialect::{Dialect, Shown};
use super::report::{Attempt, Case, Module, TestRun};
use super::words::{self, Cause};
use crate::model::{Outcome, Timestamp};
use crate::testkit::generators::{COUNT_MAX, Generate, Stream};

/// 2026-01-01T00:00:00Z: the year of generated reports.
const YEAR_BEGINS: i64 = 1_767_225_600_000;
const YEAR_SECONDS: i64 = 365 * 86_400;
/// The most attempts at one test.
const ATTEMPTS_MAX: u64 = 3;

/// A generator of reports in the dialect of a runner.
///
/// ```
/// use flakedb::testkit::generators::junit::{Dialect, Reports};
/// use flakedb::testkit::generators::{Generate, Source};
///
/// let reports = Reports::of(Dialect::named("pytest")?).tests(12).retried(0.3);
/// let report = reports.one(&mut Source::seeded(7));
/// assert_eq!(report.truth.len(), 12);
/// assert!(report.files[0].content.contains("<testsuite name=\"pytest\""));
/// # Ok::<(), flakedb::testkit::generators::junit::UnknownDialect>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reports {
    dialect: &'static Dialect,
    project: String,
    tests: usize,
    modules: Option<usize>,
    failed: f64,
    errored: f64,
    skipped: f64,
    retried: f64,
}

impl Reports {
    /// Reports in a dialect: twelve tests, of which a tenth fails or errs, a twentieth is skipped
    /// and a tenth is tried again.
    #[must_use]
    pub fn of(dialect: &'static Dialect) -> Self {
        Self {
            dialect,
            project: "shop".into(),
            tests: 12,
            modules: None,
            failed: 0.08,
            errored: 0.02,
            skipped: 0.05,
            retried: 0.1,
        }
    }

    /// How many tests each report has, at most [`COUNT_MAX`].
    #[must_use]
    pub fn tests(mut self, count: usize) -> Self {
        self.tests = count.min(COUNT_MAX);
        self
    }

    /// How many modules the tests are spread over; one for each eight tests where it is not said,
    /// and a single one in dialects with a file for each module. 1 to [`COUNT_MAX`].
    #[must_use]
    pub fn modules(mut self, count: usize) -> Self {
        self.modules = Some(count.clamp(1, COUNT_MAX));
        self
    }

    /// The probability that a test fails in the end.
    #[must_use]
    pub const fn failed(mut self, probability: f64) -> Self {
        self.failed = probability;
        self
    }

    /// The probability that a test errs in the end: a timeout, a broken setup.
    #[must_use]
    pub const fn errored(mut self, probability: f64) -> Self {
        self.errored = probability;
        self
    }

    /// The probability that a test is skipped.
    #[must_use]
    pub const fn skipped(mut self, probability: f64) -> Self {
        self.skipped = probability;
        self
    }

    /// The probability that a test is tried again: one that failed in the end failed before, too,
    /// and one that passed failed before it.
    #[must_use]
    pub const fn retried(mut self, probability: f64) -> Self {
        self.retried = probability;
        self
    }

    /// What is tested: the name of the project, in lower-case letters.
    #[must_use]
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = name.into();
        self
    }

    /// The dialect.
    #[must_use]
    pub const fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// The same with at least two tests in each module.
    pub(super) fn filled(&self) -> Self {
        let least = 2 * self.modules.unwrap_or(1);
        self.clone().tests(self.tests.max(least))
    }

    /// A run before it is written down.
    fn run(&self, stream: &mut Stream) -> TestRun {
        let count = match self.modules {
            Some(count) => count,
            None if self.dialect.file_per_module => 1,
            None => self.tests.div_ceil(8).max(1),
        };
        let started = YEAR_BEGINS + 1000 * stream.integer(0, YEAR_SECONDS - 1);
        let host = format!("ci-worker-{}", stream.integer(1, 9));
        let id = stream.uuid();
        let modules = words::modules(count)
            .enumerate()
            .map(|(index, name)| {
                // The remainder goes to the first ones.
                let tests = self.tests / count + usize::from(index < self.tests % count);
                let cases = words::behaviours(tests, stream)
                    .into_iter()
                    .enumerate()
                    .map(|(at, behaviour)| self.case(at, behaviour, stream))
                    .collect();
                Module { name, cases }
            })
            .collect();
        TestRun { project: self.project.clone(), started: Timestamp(started), host, id, modules }
    }

    fn case(&self, at: usize, behaviour: String, stream: &mut Stream) -> Case {
        let chance = stream.uniform();
        let bad = self.failed + self.errored;
        let outcome = if chance < self.failed {
            Outcome::Failed
        } else if chance < bad {
            Outcome::Errored
        } else if chance < bad + self.skipped {
            Outcome::Skipped
        } else {
            Outcome::Passed
        };
        let is_retried = stream.chance(self.retried) && outcome != Outcome::Skipped;
        let before = if is_retried { 1 + stream.below(ATTEMPTS_MAX - 1) } else { 0 };
        // Attempts of one test fail alike.
        let bad = match outcome {
            Outcome::Errored => Outcome::Errored,
            _ => Outcome::Failed,
        };
        let cause = match bad {
            Outcome::Errored => Cause::of_error(stream),
            _ => Cause::of_failure(stream),
        };
        let earlier = (0..before).map(|_| attempt(bad, cause, stream)).collect();
        let last = attempt(outcome, cause, stream);
        Case { behaviour, line: 12 + 9 * u32::try_from(at).unwrap_or(0), earlier, last }
    }
}

/// One attempt with a likely duration: most are short, few are long.
fn attempt(outcome: Outcome, cause: Cause, stream: &mut Stream) -> Attempt {
    let length = stream.integer(0, 40) * stream.integer(0, 40) + stream.integer(1, 9);
    let (duration_ms, message) = match outcome {
        Outcome::Passed => (length.unsigned_abs(), String::new()),
        Outcome::Skipped => (0, words::skip(stream).to_owned()),
        Outcome::Failed | Outcome::Errored => (length.unsigned_abs(), cause.message(stream)),
    };
    Attempt { outcome, duration_ms, message }
}

impl Generate for Reports {
    type Output = Report;
    const KIND: &'static str = "report";

    fn generate(&self, stream: &mut Stream) -> Report {
        Report::new(self.dialect, &self.run(stream))
    }
}

/// A report as a runner wrote it, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The dialect.
    pub dialect: &'static str,
    /// When the run started.
    pub started: Timestamp,
    /// The machine that it ran on.
    pub host: String,
    /// The files: one, or one for each module.
    pub files: Vec<File>,
    /// What the files tell of each test, and what they cannot.
    pub truth: Vec<TestTruth>,
}

/// A file with its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// The path, its parts separated by `/`.
    pub path: String,
    /// The text of the file.
    pub content: String,
}

/// What became of one test, and what its report tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestTruth {
    /// The test as flakedb prints it.
    pub test: String,
    /// The outcomes of all attempts, whether the report tells of them or not.
    pub attempts: Vec<Outcome>,
    /// What the report tells; nothing where the dialect leaves out such tests.
    pub shown: Option<Shown>,
    /// Why the deciding attempt failed or was skipped; empty where it passed.
    pub message: String,
}

impl Report {
    /// Writes a run in a dialect.
    #[must_use]
    pub fn new(dialect: &'static Dialect, run: &TestRun) -> Self {
        let truth = run
            .cases()
            .map(|(module, case)| TestTruth {
                test: dialect.label(&run.project, &module.name, &case.behaviour),
                attempts: case.attempts().map(|attempt| attempt.outcome).collect(),
                shown: dialect.shown(case),
                message: case.last.message.clone(),
            })
            .collect();
        Self {
            dialect: dialect.name,
            started: run.started,
            host: run.host.clone(),
            files: files(dialect, run),
            truth,
        }
    }
}

/// The files that a runner writes for a run.
#[must_use]
pub fn files(dialect: &Dialect, run: &TestRun) -> Vec<File> {
    if !dialect.file_per_module {
        return vec![file(dialect, run)];
    }
    let alone = |module: &Module| TestRun { modules: vec![module.clone()], ..run.clone() };
    run.modules.iter().map(|module| file(dialect, &alone(module))).collect()
}

fn file(dialect: &Dialect, run: &TestRun) -> File {
    let mut bytes = Vec::new();
    // Writing to a vector never fails.
    let _: io::Result<()> = (dialect.write)(run, &mut bytes as &mut dyn Write);
    let module = run.modules.first().map_or("", |module| &module.name);
    File {
        path: (dialect.file)(&run.project, module),
        content: String::from_utf8_lossy(&bytes).into_owned(),
    }
}
