//! Which tests failed in the end of all rounds so far.

use std::collections::{BTreeMap, BTreeSet};

use super::Round;
use crate::junit::Reading;
use crate::model::{Outcome, TestId};
use crate::ops::Unwatched;
use crate::ops::reading::{Input, InputFormat, ReadRequest, read_all};
use crate::quarantine::emit::TestName;

/// The failing tests among all that were reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failing {
    /// The failing tests by identity.
    pub tests: BTreeMap<TestId, TestName>,
    /// All tests of the first round.
    pub known: Vec<TestName>,
    /// The runners that wrote the reports.
    pub producers: Vec<String>,
}

#[derive(Default)]
struct Told {
    outcomes: Vec<(TestId, TestName, Outcome)>,
    producer: String,
}

impl Failing {
    /// What failed in the last round that it ran in; within one round the worst outcome counts.
    pub(super) fn after(rounds: &[Round], repository_root: Option<&str>) -> Self {
        let mut failing = Self::default();
        let mut producers = BTreeSet::new();
        for round in rounds {
            let request = ReadRequest {
                documents: round.reports.clone(),
                format: InputFormat::Junit,
                repository_root: repository_root.map(str::to_owned),
                ..ReadRequest::default()
            };
            let told = read_all(&request, &Unwatched, &|input| match input {
                Input::Read(read) => tell(&read.1),
                Input::Import(_) | Input::Problem(_) => Told::default(),
            });
            let mut last: BTreeMap<TestId, (TestName, bool)> = BTreeMap::new();
            for one in told {
                producers.insert(one.producer);
                for (id, name, outcome) in one.outcomes {
                    if round.retried.is_none() {
                        failing.known.push(name.clone());
                    }
                    if outcome != Outcome::Skipped {
                        last.entry(id).or_insert((name, false)).1 |= outcome.is_bad();
                    }
                }
            }
            for (id, (name, bad)) in last {
                match bad {
                    true => _ = failing.tests.insert(id, name),
                    false => _ = failing.tests.remove(&id),
                }
            }
        }
        producers.remove("");
        failing.producers = producers.into_iter().collect();
        failing
    }

    /// True where nothing failed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// The failing tests by identity.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<TestId> {
        self.tests.keys().copied().collect()
    }
}

fn tell(reading: &Reading) -> Told {
    let report = &reading.report;
    let outcomes = report.results.iter().filter_map(|result| {
        let test = report.tests.get(result.test)?;
        let name = TestName::of(&test);
        Some((test.id, name, result.outcome))
    });
    Told { outcomes: outcomes.collect(), producer: report.producer.to_owned() }
}
