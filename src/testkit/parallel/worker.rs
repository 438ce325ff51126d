//! Which of a runner's workers this process is.

use super::database::plain;

/// How a runner counts its workers.
#[derive(Clone, Copy)]
enum Form {
    /// From 0.
    FromZero,
    /// From 1.
    FromOne,
    /// From 0, behind these letters.
    Behind(&'static str),
    /// From 1, with nothing for the first.
    NothingIsFirst,
}

/// How a runner tells a process which worker it is.
struct Row {
    runner: &'static str,
    variable: &'static str,
    form: Form,
    workers: Option<&'static str>,
    run: Option<&'static str>,
    attempt: Option<&'static str>,
}

const fn row(runner: &'static str, variable: &'static str, form: Form) -> Row {
    Row { runner, variable, form, workers: None, run: None, attempt: None }
}

/// The runners; where the variables of several are set, the first is meant.
const RUNNERS: [Row; 8] = [
    Row {
        run: Some("NEXTEST_RUN_ID"),
        attempt: Some("NEXTEST_ATTEMPT"),
        ..row("nextest", "NEXTEST_TEST_GLOBAL_SLOT", Form::FromZero)
    },
    Row {
        workers: Some("PYTEST_XDIST_WORKER_COUNT"),
        run: Some("PYTEST_XDIST_TESTRUNUID"),
        ..row("pytest-xdist", "PYTEST_XDIST_WORKER", Form::Behind("gw"))
    },
    // Before Jest, whose variable it may set as well.
    row("vitest", "VITEST_POOL_ID", Form::FromOne),
    row("jest", "JEST_WORKER_ID", Form::FromOne),
    row("playwright", "TEST_PARALLEL_INDEX", Form::FromZero),
    row("mocha", "MOCHA_WORKER_ID", Form::FromZero),
    row("paratest", "TEST_TOKEN", Form::FromOne),
    Row {
        workers: Some("PARALLEL_TEST_GROUPS"),
        ..row("parallel_tests", "TEST_ENV_NUMBER", Form::NothingIsFirst)
    },
];

/// Our own workers, in each of which a runner may have workers of its own.
const OWN: Row = Row {
    workers: Some("FLAKEDB_WORKERS"),
    run: Some("FLAKEDB_RUN_ID"),
    ..row("flakedb", "FLAKEDB_WORKER", Form::FromZero)
};

/// One of the processes that a suite runs in.
///
/// ```
/// use flakedb::testkit::parallel::Worker;
///
/// let variables = |name: &str| (name == "PYTEST_XDIST_WORKER").then(|| "gw3".to_owned());
/// let worker = Worker::of(&variables);
/// assert_eq!((worker.number(), worker.runner()), (3, Some("pytest-xdist")));
/// assert_eq!(worker.id(), "3");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    number: u32,
    id: String,
    runner: Option<&'static str>,
    workers: Option<u32>,
    run: Option<String>,
    attempt: Option<u32>,
}

impl Worker {
    /// The worker that this process is, as the variables of its runner say.
    ///
    /// Where no runner says anything, it is the only one: number 0.
    #[must_use]
    pub fn current() -> Self {
        Self::of(&|name| std::env::var(name).ok())
    }

    /// The same from any variables.
    #[must_use]
    pub fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let outer = OWN.read(variable);
        let inner = RUNNERS.iter().find_map(|runner| runner.read(variable));
        match (outer, inner) {
            (Some(outer), Some(inner)) => Self {
                // Each of our workers has a first worker of the runner's.
                id: format!("{}-{}", outer.number, inner.number),
                run: outer.run.or(inner.run),
                ..inner
            },
            (one, other) => one.or(other).unwrap_or_else(|| Self::numbered(0)),
        }
    }

    /// A worker of which no more than its number, from 0, is known.
    #[must_use]
    pub fn numbered(number: u32) -> Self {
        let id = number.to_string();
        Self { number, id, runner: None, workers: None, run: None, attempt: None }
    }

    /// Its place among the workers of its runner, from 0, however the runner counts.
    ///
    /// No other worker of the same runner has it now. Where several suites run on one machine, each
    /// has such a worker: what exists only so many times is for [`lease`](super::lease()).
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// What no other worker of this run has: its number, behind that of the flakedb worker that it
    /// is in, if any (`1-3`).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The runner that said so; `None` where none did.
    #[must_use]
    pub const fn runner(&self) -> Option<&'static str> {
        self.runner
    }

    /// How many workers there are, where the runner tells.
    #[must_use]
    pub const fn workers(&self) -> Option<u32> {
        self.workers
    }

    /// What all workers of this run, and no other, have in common, where the runner tells.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        self.run.as_deref()
    }

    /// The how manieth attempt at the test this is, from 1, where the runner tells.
    #[must_use]
    pub const fn attempt(&self) -> Option<u32> {
        self.attempt
    }

    /// Its id as part of a name: lower-case letters, digits and underscores.
    #[must_use]
    pub fn name(&self) -> String {
        plain(&self.id)
    }
}

impl Row {
    fn read(&self, variable: &dyn Fn(&str) -> Option<String>) -> Option<Worker> {
        let of = |name: Option<&str>| name.and_then(variable).filter(|text| !text.is_empty());
        let text = variable(self.variable)?;
        let number = match self.form {
            Form::FromZero => text.parse().ok()?,
            Form::FromOne => text.parse::<u32>().ok()?.checked_sub(1)?,
            Form::Behind(letters) => text.strip_prefix(letters)?.parse().ok()?,
            // An empty variable says something only where the runner set another one, too.
            Form::NothingIsFirst if text.is_empty() => of(self.workers).map(|_| 0)?,
            Form::NothingIsFirst => text.parse::<u32>().ok()?.checked_sub(1)?,
        };
        Some(Worker {
            runner: Some(self.runner),
            workers: of(self.workers).and_then(|count| count.parse().ok()),
            run: of(self.run),
            attempt: of(self.attempt).and_then(|attempt| attempt.parse().ok()),
            ..Worker::numbered(number)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn worker(variables: &[(&str, &str)]) -> Worker {
        Worker::of(&|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn every_runner_counts_from_its_own_first() {
        for (variable, first, second, runner) in [
            ("NEXTEST_TEST_GLOBAL_SLOT", "0", "1", "nextest"),
            ("PYTEST_XDIST_WORKER", "gw0", "gw1", "pytest-xdist"),
            ("VITEST_POOL_ID", "1", "2", "vitest"),
            ("JEST_WORKER_ID", "1", "2", "jest"),
            ("TEST_PARALLEL_INDEX", "0", "1", "playwright"),
            ("MOCHA_WORKER_ID", "0", "1", "mocha"),
            ("TEST_TOKEN", "1", "2", "paratest"),
            ("TEST_ENV_NUMBER", "1", "2", "parallel_tests"),
            ("FLAKEDB_WORKER", "0", "1", "flakedb"),
        ] {
            for (number, text) in [(0, first), (1, second)] {
                let worker = worker(&[(variable, text)]);
                assert_eq!((worker.number(), worker.runner()), (number, Some(runner)), "{text}");
            }
            for wrong in ["", "x", "-1", "gw", "99999999999"] {
                assert_eq!(worker(&[(variable, wrong)]), Worker::numbered(0), "{variable}={wrong}");
            }
        }
    }

    #[test]
    fn the_first_of_parallel_tests_has_no_number() {
        let first = worker(&[("TEST_ENV_NUMBER", ""), ("PARALLEL_TEST_GROUPS", "4")]);
        assert_eq!((first.number(), first.workers()), (0, Some(4)));
        assert_eq!(first.runner(), Some("parallel_tests"));
    }

    #[test]
    fn run_and_attempt_are_known_where_the_runner_tells() {
        let nextest = worker(&[
            ("NEXTEST_TEST_GLOBAL_SLOT", "5"),
            ("NEXTEST_RUN_ID", "abc"),
            ("NEXTEST_ATTEMPT", "2"),
        ]);
        assert_eq!((nextest.run(), nextest.attempt()), (Some("abc"), Some(2)));
        let xdist = worker(&[
            ("PYTEST_XDIST_WORKER", "gw7"),
            ("PYTEST_XDIST_WORKER_COUNT", "8"),
            ("PYTEST_XDIST_TESTRUNUID", "u"),
        ]);
        assert_eq!((xdist.workers(), xdist.run(), xdist.attempt()), (Some(8), Some("u"), None));
    }

    #[test]
    fn workers_of_workers_have_ids_of_their_own() {
        let mut ids = BTreeSet::new();
        for outer in ["0", "1", "10"] {
            for inner in ["gw0", "gw1", "gw10"] {
                let worker = worker(&[("FLAKEDB_WORKER", outer), ("PYTEST_XDIST_WORKER", inner)]);
                ids.insert(worker.id().to_owned());
                ids.insert(worker.name());
            }
        }
        // As an id and as a name.
        assert_eq!(ids.len(), 18, "{ids:?}");
    }
}
