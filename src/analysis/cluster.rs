//! Clusters: the failures of one test, grouped by what they share.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::verdict::{FailureCluster, OtherText};
use crate::model::failure::mask;
use crate::model::hash::FailureId;
use crate::model::{Failure, SignatureId, Timestamp};
use crate::store::query::{BadRow, FailureNo, FailureRow, RunNo};

/// Distinct texts of one group that are compared with each other: nobody reads more, and a test that
/// prints a random number has as many texts as failures.
pub const TEXTS_COMPARED_MAX: usize = 200;

/// Groups the bad attempts of one test by the signature of their failures, the largest group first,
/// then the latest.
///
/// `started` tells when a run started and in which variant. Attempts without a failure, or whose
/// failure or run is not given, belong to no group.
#[must_use]
pub fn cluster<'a>(
    bad: &[BadRow],
    failures: &[FailureRow],
    started: &dyn Fn(RunNo) -> Option<(Timestamp, &'a str)>,
) -> Vec<FailureCluster> {
    let by_no: BTreeMap<FailureNo, &FailureRow> =
        failures.iter().map(|failure| (failure.no, failure)).collect();
    let mut groups: BTreeMap<SignatureId, Group<'_>> = BTreeMap::new();
    for row in bad {
        let failure = row.failure.and_then(|no| by_no.get(&no));
        let (Some(failure), Some((time, variant))) = (failure, started(row.run)) else { continue };
        groups.entry(failure.signature).or_default().add(failure, time, variant);
    }
    let finish = |(signature, group): (SignatureId, Group<'_>)| group.finish(signature);
    let mut clusters: Vec<FailureCluster> = groups.into_iter().filter_map(finish).collect();
    clusters.sort_by_key(|cluster| std::cmp::Reverse((cluster.count, cluster.last)));
    clusters
}

/// The failures of one signature.
#[derive(Default)]
struct Group<'a> {
    count: u32,
    first: Option<Timestamp>,
    variants: BTreeMap<&'a str, u32>,
    /// Each distinct failure, with when it was seen last.
    texts: BTreeMap<FailureId, (Timestamp, &'a FailureRow)>,
}

impl<'a> Group<'a> {
    fn add(&mut self, failure: &'a FailureRow, time: Timestamp, variant: &'a str) {
        self.count += 1;
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        *self.variants.entry(variant).or_default() += 1;
        let seen = self.texts.entry(failure.id).or_insert((time, failure));
        seen.0 = seen.0.max(time);
    }

    fn finish(self, signature: SignatureId) -> Option<FailureCluster> {
        let texts = self.texts.len() as u32;
        // Of one time, the smallest id: the order of rows must not matter.
        let mut latest: Vec<(Timestamp, &FailureRow)> = self.texts.into_values().collect();
        latest.sort_by_key(|(time, failure)| (std::cmp::Reverse(*time), failure.id));
        let ((last, example), earlier) = latest.split_first()?;
        let text = whole(example);
        let masked = masked(&text);
        let compared = earlier.get(..TEXTS_COMPARED_MAX).unwrap_or(earlier);
        let differs = compared.iter().find(|(_, failure)| self::masked(&whole(failure)) != masked);
        let other = differs.or(earlier.first()).map(|(last, failure)| OtherText {
            last: *last,
            text: whole(failure).into_owned(),
            alike: differs.is_none(),
        });
        let mut variants: Vec<(String, u32)> =
            self.variants.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        variants.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let failure = Failure {
            kind: example.kind.clone(),
            message: example.message.clone(),
            text: example.text.clone(),
        };
        Some(FailureCluster {
            signature,
            count: self.count,
            first: self.first?,
            last: *last,
            headline: failure.headline().to_owned(),
            kind: failure.kind,
            masked,
            whole: text.into_owned(),
            text: failure.text,
            variants,
            texts,
            other,
        })
    }
}

/// Everything that a failure says: its text, and its message where the text does not repeat it.
fn whole(failure: &FailureRow) -> Cow<'_, str> {
    let (message, text) = (failure.message.trim_end(), failure.text.as_str());
    match (message.is_empty() || text.contains(message), text.trim().is_empty()) {
        (true, _) => Cow::Borrowed(text),
        (false, true) => Cow::Borrowed(message),
        (false, false) => Cow::Owned(format!("{message}\n{text}")),
    }
}

/// The text with everything masked that changes from run to run, line by line.
fn masked(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = text.lines().map(mask).collect();
    lines.join("\n")
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
        let started = |run: RunNo| {
            let variant = if run.0 == 1 { "os=mac" } else { "" };
            (run.0 < 9).then_some((Timestamp(i64::from(run.0) * 10), variant))
        };
        let clusters = cluster(&rows, &failures, &started);
        let seen: Vec<_> = clusters
            .iter()
            .map(|group| (group.count, group.first.0, group.last.0, group.headline.as_str()))
            .collect();
        assert_eq!(seen, [(2, 10, 30, "port 81 is taken"), (1, 20, 20, "no disk")]);
        assert_eq!(clusters[0].text, "port 81 is taken\nat line 1");
        assert_eq!(clusters[0].masked, "port # is taken\nat line #");
        assert_eq!(clusters[0].variants, [(String::new(), 1), ("os=mac".to_owned(), 1)]);
        let other = clusters[0].other.as_ref().unwrap();
        assert_eq!((other.last.0, other.alike, clusters[0].texts), (10, true, 2));
        assert_eq!(other.text, "port 80 is taken\nat line 1");
        assert_eq!((clusters[1].texts, &clusters[1].other), (1, &None));
        rows.reverse();
        assert_eq!(cluster(&rows, &failures, &started), clusters);
    }

    #[test]
    fn of_one_signature_the_text_that_differs_most_is_shown_against_the_latest() {
        let mut failures = [failure(1, "no disk"), failure(2, "no disk"), failure(3, "no disk")];
        for (failure, text) in failures.iter_mut().zip(["at a", "at b:1", "at b:2"]) {
            failure.text = text.to_owned();
            failure.id = FailureId([failure.no.0 as u8; 16]);
        }
        let rows = [bad(1, Some(1)), bad(2, Some(2)), bad(3, Some(3))];
        let started = |run: RunNo| Some((Timestamp(i64::from(run.0)), ""));
        let clusters = cluster(&rows, &failures, &started);
        assert_eq!((clusters.len(), clusters[0].texts), (1, 3));
        assert_eq!(clusters[0].whole, "no disk\nat b:2");
        let other = clusters[0].other.as_ref().unwrap();
        assert_eq!((other.text.as_str(), other.alike), ("no disk\nat a", false));
    }
}
