//! Clusters: the failures of one test, grouped by what they share.

use std::collections::BTreeMap;

use super::verdict::FailureCluster;
use crate::model::{Failure, SignatureId, Timestamp};
use crate::store::query::{BadRow, FailureNo, FailureRow, RunNo};

/// Groups the bad attempts of one test by the signature of their failures, the largest group first,
/// then the latest.
///
/// `started` tells when a run started. Attempts without a failure, or whose failure or run is not
/// given, belong to no group.
#[must_use]
pub fn cluster(
    bad: &[BadRow],
    failures: &[FailureRow],
    started: &dyn Fn(RunNo) -> Option<Timestamp>,
) -> Vec<FailureCluster> {
    let by_no: BTreeMap<FailureNo, &FailureRow> =
        failures.iter().map(|failure| (failure.no, failure)).collect();
    let mut groups: BTreeMap<SignatureId, Group<'_>> = BTreeMap::new();
    for row in bad {
        let failure = row.failure.and_then(|no| by_no.get(&no));
        let (Some(failure), Some(time)) = (failure, started(row.run)) else { continue };
        groups
            .entry(failure.signature)
            .and_modify(|group| group.add(failure, time))
            .or_insert_with(|| Group { count: 1, first: time, last: time, example: failure });
    }
    let mut clusters: Vec<FailureCluster> =
        groups.into_iter().map(|(signature, group)| group.finish(signature)).collect();
    clusters.sort_by_key(|cluster| std::cmp::Reverse((cluster.count, cluster.last)));
    clusters
}

struct Group<'a> {
    count: u32,
    first: Timestamp,
    last: Timestamp,
    example: &'a FailureRow,
}

impl<'a> Group<'a> {
    fn add(&mut self, failure: &'a FailureRow, time: Timestamp) {
        self.count += 1;
        self.first = self.first.min(time);
        // Of one time, the smallest id: the order of rows must not matter.
        if (time, std::cmp::Reverse(failure.id)) > (self.last, std::cmp::Reverse(self.example.id)) {
            self.example = failure;
        }
        self.last = self.last.max(time);
    }

    fn finish(self, signature: SignatureId) -> FailureCluster {
        let example = Failure {
            kind: self.example.kind.clone(),
            message: self.example.message.clone(),
            text: self.example.text.clone(),
        };
        FailureCluster {
            signature,
            count: self.count,
            first: self.first,
            last: self.last,
            headline: example.headline().to_owned(),
            kind: example.kind,
            text: example.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Outcome;
    use crate::store::query::TestNo;

    fn failure(no: u32, message: &str) -> FailureRow {
        let failure = Failure {
            kind: "OSError".into(),
            message: message.into(),
            text: format!("{message}\nat line 1"),
        };
        FailureRow {
            no: FailureNo(no),
            id: failure.id(),
            signature: failure.signature(),
            kind: failure.kind,
            message: failure.message,
            text: failure.text,
        }
    }

    fn bad(run: u32, failure: Option<u32>) -> BadRow {
        let failure = failure.map(FailureNo);
        BadRow { run: RunNo(run), test: TestNo(1), attempt: 0, outcome: Outcome::Failed, failure }
    }

    #[test]
    fn failures_that_differ_in_numbers_are_one_group_with_the_latest_example() {
        let failures =
            [failure(1, "port 80 is taken"), failure(2, "port 81 is taken"), failure(3, "no disk")];
        let mut rows =
            vec![bad(1, Some(1)), bad(2, Some(3)), bad(3, Some(2)), bad(4, None), bad(5, Some(9))];
        let started = |run: RunNo| (run.0 < 9).then_some(Timestamp(i64::from(run.0) * 10));
        let clusters = cluster(&rows, &failures, &started);
        let seen: Vec<_> = clusters
            .iter()
            .map(|group| (group.count, group.first.0, group.last.0, group.headline.as_str()))
            .collect();
        assert_eq!(seen, [(2, 10, 30, "port 81 is taken"), (1, 20, 20, "no disk")]);
        assert_eq!(clusters[0].text, "port 81 is taken\nat line 1");
        rows.reverse();
        assert_eq!(cluster(&rows, &failures, &started), clusters);
    }
}
