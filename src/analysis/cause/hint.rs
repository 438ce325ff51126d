//! What a hint says: the kind of cause, its numbers, and the thing that it names.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::clock::When;
use super::contrast::Split;
use crate::model::Micros;
use crate::store::query::{TestNo, TestRow};

/// One hint on the cause of a test's failures.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// What it points to.
    pub cause: Cause,
    /// The chance of a difference this large where there is none; none for what was only counted.
    pub p: Option<f64>,
    /// The same, adjusted for all questions that were asked of the window.
    pub q: Option<f64>,
}

/// What failures go together with.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// Another test that ran before it in the same report, of the same worker where that is known.
    Polluter {
        /// The other test.
        test: TestNo,
        /// What it is called; empty until somebody looked it up.
        name: String,
        /// Runs in which it ran before, against the others.
        split: Split,
        /// Tests that ran before in exactly the same runs, and so may be meant as well.
        alike: Vec<TestNo>,
        /// The classes or modules of all of these, as reports name them.
        scopes: Vec<String>,
        /// Only tests of the same worker were looked at, in runs that name it.
        in_worker: bool,
    },
    /// How many tests ran before it in the same report, of the same worker where that is known.
    Position {
        /// The median where it failed.
        failed: u32,
        /// The median where it passed.
        passed: u32,
        /// Counted are those of the same worker.
        in_worker: bool,
    },
    /// The worker that ran it.
    Worker {
        /// Its name.
        worker: String,
        /// There, against the other workers.
        split: Split,
    },
    /// Other workers that ran tests at the same time.
    Company {
        /// Some of the other runs name no worker at all.
        unnamed: bool,
        /// Runs with several workers, against the others.
        split: Split,
    },
    /// The part of the suite that it ran in.
    Shard {
        /// Which part.
        shard: Shard,
        /// There, against elsewhere.
        split: Split,
    },
    /// The machine.
    Host {
        /// Its name.
        host: String,
        /// There, against elsewhere.
        split: Split,
    },
    /// The matrix cell, or a pair that several share.
    Variant {
        /// The `key=value` pairs.
        variant: String,
        /// There, against the other variants of the test.
        split: Split,
    },
    /// The time.
    Clock {
        /// Which.
        when: When,
        /// Then, against any other time.
        split: Split,
    },
    /// How long it takes.
    Duration {
        /// The median where it failed.
        failed: Micros,
        /// The median where it passed.
        passed: Micros,
    },
    /// Another test that fails in the same runs.
    Together {
        /// The other test.
        test: TestNo,
        /// What it is called; empty until somebody looked it up.
        name: String,
        /// Runs in which both failed.
        both: u32,
        /// Runs in which one of them failed, or both.
        either: u32,
        /// Further tests of which the same is true.
        others: u32,
    },
    /// The run before.
    Burst {
        /// After a failure, against after a pass.
        split: Split,
    },
    /// What the failures look like.
    Signature {
        /// Runs in which it failed with a failure to look at.
        failures: u32,
        /// Of these, how many look like the most frequent one.
        most: u32,
        /// How many different ones there are.
        kinds: u32,
        /// The headline of the most frequent one.
        headline: String,
    },
}

/// A part of a suite.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shard {
    /// The shard that somebody called so, such as `2/4`.
    Named(String),
    /// The report's file of this name.
    File(String),
    /// The reports in the folder of this name.
    Folder(String),
    /// The CI job of this name.
    Job(String),
}

impl Cause {
    /// The word for it in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Polluter { .. } | Self::Position { .. } => "order",
            Self::Worker { .. } => "worker",
            Self::Company { .. } => "company",
            Self::Shard { .. } => "shard",
            Self::Host { .. } => "host",
            Self::Variant { .. } => "variant",
            Self::Clock { .. } => "time",
            Self::Duration { .. } => "duration",
            Self::Together { .. } => "co-failure",
            Self::Burst { .. } => "burst",
            Self::Signature { .. } => "signature",
        }
    }

    /// The other test that it names.
    #[must_use]
    pub const fn test(&self) -> Option<TestNo> {
        match self {
            Self::Polluter { test, .. } | Self::Together { test, .. } => Some(*test),
            _ => None,
        }
    }

    /// All tests that may be meant.
    pub fn tests(&self) -> impl Iterator<Item = TestNo> + '_ {
        let alike = match self {
            Self::Polluter { alike, .. } => alike.as_slice(),
            _ => &[],
        };
        self.test().into_iter().chain(alike.iter().copied())
    }

    /// Gives the tests their names.
    pub fn name(&mut self, rows: &BTreeMap<TestNo, TestRow>) {
        let label = |test: &TestNo| rows.get(test).map(TestRow::label).unwrap_or_default();
        match self {
            Self::Polluter { test, name, alike, scopes, .. } => {
                *name = label(test);
                let all = std::iter::once(&*test).chain(alike.iter());
                *scopes = all.filter_map(|test| Some(rows.get(test)?.classname.clone())).collect();
                scopes.sort_unstable();
                scopes.dedup();
            }
            Self::Together { test, name, .. } => *name = label(test),
            _ => {}
        }
    }

    /// The results that it sets apart, where it does.
    #[must_use]
    pub const fn split(&self) -> Option<Split> {
        match self {
            Self::Polluter { split, .. }
            | Self::Worker { split, .. }
            | Self::Company { split, .. }
            | Self::Shard { split, .. }
            | Self::Host { split, .. }
            | Self::Variant { split, .. }
            | Self::Clock { split, .. }
            | Self::Burst { split } => Some(*split),
            _ => None,
        }
    }
}

impl Hint {
    /// The strongest first; what was only counted comes last.
    #[must_use]
    pub fn by_strength(&self, other: &Self) -> Ordering {
        let strength = |hint: &Self| hint.p.unwrap_or(2.0);
        strength(self).total_cmp(&strength(other))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Share;
    use super::*;
    use crate::model::{TestId, Timestamp};

    fn row(no: u32, classname: &str, name: &str) -> (TestNo, TestRow) {
        let row = TestRow {
            no: TestNo(no),
            id: TestId([no as u8; 16]),
            suite: String::new(),
            classname: classname.to_owned(),
            name: name.to_owned(),
            file: String::new(),
            qualified: true,
            first_seen: Timestamp(0),
        };
        (row.no, row)
    }

    #[test]
    fn a_cause_that_names_other_tests_calls_them_by_their_names() {
        let rows = BTreeMap::from([row(1, "b", "x"), row(2, "a", "y"), row(3, "b", "z")]);
        let share = Share { failed: 1, runs: 4 };
        let split = Split { inside: share, outside: share };
        let polluter = Cause::Polluter {
            test: TestNo(1),
            name: String::new(),
            split,
            alike: vec![TestNo(2), TestNo(3)],
            scopes: Vec::new(),
            in_worker: false,
        };
        let together =
            Cause::Together { test: TestNo(2), name: String::new(), both: 3, either: 3, others: 0 };
        let told = |mut cause: Cause| {
            cause.name(&rows);
            let tests: Vec<u32> = cause.tests().map(|test| test.0).collect();
            let (name, scopes) = match &cause {
                Cause::Polluter { name, scopes, .. } => (name.clone(), scopes.join(" ")),
                Cause::Together { name, .. } => (name.clone(), String::new()),
                _ => (String::new(), String::new()),
            };
            (cause.test().map(|test| test.0), tests, name, scopes)
        };
        assert_eq!(told(polluter), (Some(1), vec![1, 2, 3], "b::x".to_owned(), "a b".to_owned()));
        assert_eq!(told(together), (Some(2), vec![2], "a::y".to_owned(), String::new()));
        assert_eq!(told(Cause::Burst { split }), (None, vec![], String::new(), String::new()));
    }
}
