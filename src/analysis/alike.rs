//! Failures of all tests that look alike: which are likely one and the same cause.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::verdict::JudgedRun;
use crate::model::{FailureId, SignatureId, Timestamp};
use crate::store::query::{BadRow, FailureNo, RunNo, TestNo};

/// What a stored failure looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What it shares with failures of the same cause.
    pub signature: SignatureId,
    /// Its identity.
    pub id: FailureId,
}

/// Failures that look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// What they share.
    pub signature: SignatureId,
    /// Failed attempts.
    pub failures: u32,
    /// Runs with one of them.
    pub runs: u32,
    /// The tests with how often each failed so, the most frequent first.
    pub tests: Vec<(TestNo, u32)>,
    /// The variants of these runs, sorted.
    pub variants: Vec<String>,
    /// When the first such run started.
    pub first: Timestamp,
    /// When the last such run started.
    pub last: Timestamp,
    /// The failure of the last.
    pub example: FailureNo,
}

/// All failures of a window by what they look like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlikeFailures {
    /// The groups, the one with most failures first.
    pub groups: Vec<Alike>,
    /// Failed attempts in these groups.
    pub failures: u32,
    /// Failed attempts of which no report says why.
    pub unexplained: u32,
    /// Failed attempts in outages, which are left out.
    pub in_outages: u32,
    /// The outages that these were in.
    pub outages: u32,
}

/// Groups failed attempts by signature; what is in no run of `runs` is left out.
#[must_use]
pub fn alike(
    bad: &[BadRow],
    looks: &HashMap<FailureNo, Look>,
    runs: &[JudgedRun],
) -> AlikeFailures {
    let by_no: HashMap<RunNo, &JudgedRun> = runs.iter().map(|run| (run.no, run)).collect();
    let mut found = AlikeFailures::default();
    let mut outages: BTreeSet<RunNo> = BTreeSet::new();
    let mut groups: BTreeMap<SignatureId, Group<'_>> = BTreeMap::new();
    for row in bad {
        let Some(run) = by_no.get(&row.run) else { continue };
        if run.outage {
            outages.insert(run.no);
            found.in_outages += 1;
            continue;
        }
        let look = row.failure.and_then(|no| Some((no, *looks.get(&no)?)));
        let Some((no, look)) = look else {
            found.unexplained += 1;
            continue;
        };
        found.failures += 1;
        groups
            .entry(look.signature)
            .or_insert_with(|| Group::new(run, no, look.id))
            .add(run, row.test, no, look.id);
    }
    found.outages = outages.len() as u32;
    found.groups = groups.into_iter().map(|(signature, group)| group.finish(signature)).collect();
    found.groups.sort_by_key(|group| std::cmp::Reverse((group.failures, group.last)));
    found
}

struct Group<'a> {
    tests: BTreeMap<TestNo, u32>,
    runs: BTreeSet<RunNo>,
    variants: BTreeSet<&'a str>,
    failures: u32,
    first: Timestamp,
    last: Timestamp,
    example: (FailureNo, FailureId),
}

impl<'a> Group<'a> {
    fn new(run: &JudgedRun, no: FailureNo, id: FailureId) -> Self {
        Self {
            tests: BTreeMap::new(),
            runs: BTreeSet::new(),
            variants: BTreeSet::new(),
            failures: 0,
            first: run.started,
            last: run.started,
            example: (no, id),
        }
    }

    fn add(&mut self, run: &'a JudgedRun, test: TestNo, no: FailureNo, id: FailureId) {
        *self.tests.entry(test).or_insert(0) += 1;
        self.runs.insert(run.no);
        self.variants.insert(&run.variant);
        self.failures += 1;
        self.first = self.first.min(run.started);
        // Of one time, the smallest id: the order of rows must not matter.
        let newer = (run.started, std::cmp::Reverse(id));
        if newer > (self.last, std::cmp::Reverse(self.example.1)) {
            self.example = (no, id);
        }
        self.last = self.last.max(run.started);
    }

    fn finish(self, signature: SignatureId) -> Alike {
        let mut tests: Vec<(TestNo, u32)> = self.tests.into_iter().collect();
        tests.sort_by_key(|(test, failures)| (std::cmp::Reverse(*failures), *test));
        Alike {
            signature,
            failures: self.failures,
            runs: self.runs.len() as u32,
            tests,
            variants: self
                .variants
                .into_iter()
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            first: self.first,
            last: self.last,
            example: self.example.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Outcome;

    fn run(no: u32, variant: &str, outage: bool) -> JudgedRun {
        JudgedRun {
            started: Timestamp(i64::from(no) * 10),
            variant: variant.to_owned(),
            executed: 9,
            bad: 1,
            outage,
            ..JudgedRun::bare(no)
        }
    }

    fn bad(run: u32, test: u32, failure: Option<u32>) -> BadRow {
        let failure = failure.map(FailureNo);
        BadRow {
            run: RunNo(run),
            test: TestNo(test),
            attempt: 0,
            outcome: Outcome::Failed,
            failure,
        }
    }

    #[test]
    fn failures_of_several_tests_are_counted_by_what_they_look_like() {
        let look = |signature: u8, id: u8| Look {
            signature: SignatureId([signature; 16]),
            id: FailureId([id; 16]),
        };
        let looks: HashMap<FailureNo, Look> = [(1, look(7, 9)), (2, look(7, 3)), (3, look(8, 1))]
            .map(|(no, look)| (FailureNo(no), look))
            .into();
        let runs = [
            run(1, "os=linux", false),
            run(2, "", false),
            run(3, "os=mac", false),
            run(4, "", true),
        ];
        let mut rows = vec![
            bad(1, 5, Some(1)),
            bad(1, 6, Some(1)),
            bad(3, 6, Some(1)),
            bad(3, 6, Some(2)),
            bad(2, 5, Some(3)),
            bad(2, 5, None),
            bad(2, 5, Some(99)),
            bad(4, 5, Some(1)),
            bad(4, 6, Some(1)),
            bad(77, 5, Some(1)),
        ];
        let found = alike(&rows, &looks, &runs);
        assert_eq!((found.failures, found.unexplained), (5, 2));
        assert_eq!((found.in_outages, found.outages), (2, 1));
        let group = &found.groups[0];
        assert_eq!((group.failures, group.runs, group.example), (4, 2, FailureNo(2)));
        assert_eq!(group.tests, [(TestNo(6), 3), (TestNo(5), 1)]);
        assert_eq!(group.variants, ["os=linux", "os=mac"]);
        assert_eq!((group.first, group.last), (Timestamp(10), Timestamp(30)));
        assert_eq!(found.groups[1].failures, 1);
        rows.reverse();
        assert_eq!(alike(&rows, &looks, &runs), found);
    }
}
