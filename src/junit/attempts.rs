//! Several records of one test in one report: a retry, a repeat, or different tests of one name?

use crate::model::{Attempt, Micros, Outcome, Repeat};

/// One `<testcase>` after its own children were understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The outcome after the attempts inside the record.
    pub(super) outcome: Outcome,
    /// The time that the record gives.
    pub(super) duration: Option<Micros>,
    /// The failure of the last attempt.
    pub(super) failure: Option<u32>,
    /// The attempts inside the record, the last one included; empty where there was one.
    pub(super) attempts: Vec<Attempt>,
    /// Passed without any child: pytest writes failed attempts like that.
    pub(super) is_bare: bool,
    /// The record calls itself an attempt (`repetition`, `retry`, `attempt`).
    pub(super) is_marked: bool,
}

impl Record {
    /// Passed on a retry that the record itself tells of.
    pub(super) fn is_flaky(&self) -> bool {
        self.outcome == Outcome::Passed && !self.attempts.is_empty()
    }

    fn own_attempts(&self) -> impl Iterator<Item = Attempt> {
        let single =
            Attempt { outcome: self.outcome, duration: self.duration, failure: self.failure };
        let single = self.attempts.is_empty().then_some(single);
        self.attempts.iter().copied().chain(single)
    }
}

/// How records of a producer are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Custom {
    /// Nothing is known but the shape.
    General,
    /// Leading records without children are failed attempts (pytest-rerunfailures ≥ 16.6.1).
    EmptyRecordsAreFailures,
    /// The test was run several times on purpose.
    DeliberateRepeats,
    /// A retry never shows as a record: records are different tests that share a name.
    DifferentTests,
}

/// What became of a test with several records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Understood {
    pub(super) outcome: Outcome,
    pub(super) repeat: Repeat,
    pub(super) duration: Option<Micros>,
    pub(super) failure: Option<u32>,
    pub(super) attempts: Vec<Attempt>,
    /// Leading records that showed as passed but were failed attempts.
    pub(super) hidden_failures: u64,
}

/// The shape of a sequence of outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// No failure at all.
    Good,
    /// Nothing but failures.
    Bad,
    /// Failures, then one pass: what a retry looks like.
    BadThenGood,
    /// Anything else.
    Mixed,
}

/// Understands the records of one test, in document order; there are two at least.
pub(super) fn understand(records: &[Record], custom: Custom) -> Understood {
    if records.iter().any(|record| record.is_marked) {
        // Xcode marks each round of a test that it runs several times, whether one failed or not.
        let mut attempts = records.iter().flat_map(Record::own_attempts);
        let is_retry = attempts.any(|attempt| attempt.outcome.is_bad());
        let repeat = if is_retry { Repeat::Retried } else { Repeat::Repeated };
        return last_decides(records, repeat);
    }
    let hidden = match custom {
        Custom::EmptyRecordsAreFailures => hidden_failures(records),
        _ => 0,
    };
    match (hidden, records) {
        (0, _) => {}
        // The call passed and its teardown failed: two records of one execution.
        (1, [_, teardown]) if teardown.outcome == Outcome::Errored => {
            return one_execution(records);
        }
        (hidden, _) => return empty_then_last(records, hidden),
    }
    match (shape(records), custom) {
        (Shape::Good, _) => worst_of(records, Repeat::Repeated),
        // A failing call and its failing teardown are two records of one execution.
        (Shape::Bad, Custom::EmptyRecordsAreFailures) => one_execution(records),
        (Shape::Bad, _) => worst_of(records, Repeat::Repeated),
        (Shape::BadThenGood, Custom::DifferentTests) => worst_of(records, Repeat::Ambiguous),
        (Shape::BadThenGood, _) => last_decides(records, Repeat::Retried),
        (Shape::Mixed, Custom::DeliberateRepeats) => worst_of(records, Repeat::Retried),
        (Shape::Mixed, _) => worst_of(records, Repeat::Ambiguous),
    }
}

fn shape(records: &[Record]) -> Shape {
    let count = |wanted: fn(Outcome) -> bool| records.iter().filter(|r| wanted(r.outcome)).count();
    let (bad, passed) = (count(Outcome::is_bad), count(|outcome| outcome == Outcome::Passed));
    let last_passed = records.last().is_some_and(|record| record.outcome == Outcome::Passed);
    match (bad, passed) {
        (0, _) => Shape::Good,
        (bad, 0) if bad == records.len() => Shape::Bad,
        (bad, 1) if last_passed && bad + 1 == records.len() => Shape::BadThenGood,
        _ => Shape::Mixed,
    }
}

fn hidden_failures(records: &[Record]) -> u64 {
    let leading = records.iter().take(records.len().saturating_sub(1));
    leading.take_while(|record| record.is_bare).count() as u64
}

/// Leading empty records are failed attempts. A teardown that keeps failing is written like that by
/// every version, beside cases that did pass, so there the counts stay as shown.
fn empty_then_last(records: &[Record], hidden: u64) -> Understood {
    let mut understood = last_decides(records, Repeat::Retried);
    let empty = usize::try_from(hidden).unwrap_or(usize::MAX);
    for attempt in understood.attempts.iter_mut().take(empty) {
        attempt.outcome = Outcome::Failed;
    }
    if understood.outcome != Outcome::Errored {
        understood.hidden_failures = hidden;
    }
    understood
}

fn last_decides(records: &[Record], repeat: Repeat) -> Understood {
    let attempts = records.iter().flat_map(Record::own_attempts).collect();
    let last = records.last();
    Understood {
        outcome: last.map_or(Outcome::Passed, |record| record.outcome),
        repeat,
        duration: last.and_then(|record| record.duration),
        failure: last.and_then(|record| record.failure),
        attempts,
        hidden_failures: 0,
    }
}

fn worst_of(records: &[Record], repeat: Repeat) -> Understood {
    let rank = |outcome| match outcome {
        Outcome::Failed => 3,
        Outcome::Errored => 2,
        Outcome::Passed => 1,
        Outcome::Skipped => 0,
    };
    // Of equally bad records the last one stands for the test.
    let worst = records.iter().max_by_key(|record| rank(record.outcome));
    Understood {
        outcome: worst.map_or(Outcome::Passed, |record| record.outcome),
        duration: worst.and_then(|record| record.duration),
        failure: worst.and_then(|record| record.failure),
        ..last_decides(records, repeat)
    }
}

fn one_execution(records: &[Record]) -> Understood {
    let first_failure = records.iter().find_map(|record| record.failure);
    Understood { attempts: Vec::new(), failure: first_failure, ..worst_of(records, Repeat::Single) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(shape: &str) -> Vec<Record> {
        let record = |(index, letter): (usize, char)| Record {
            outcome: match letter {
                'F' => Outcome::Failed,
                'E' => Outcome::Errored,
                's' => Outcome::Skipped,
                _ => Outcome::Passed,
            },
            duration: Some(Micros(index as u64)),
            failure: "FE".contains(letter).then_some(index as u32),
            attempts: Vec::new(),
            is_bare: letter == '.',
            is_marked: letter == 'm',
        };
        shape.chars().enumerate().map(record).collect()
    }

    fn read(shape: &str, custom: Custom) -> String {
        let test = understand(&records(shape), custom);
        let strip: String = test.attempts.iter().map(|a| a.outcome.strip_char()).collect();
        format!("{:?} {:?} {strip}", test.outcome, test.repeat)
    }

    #[test]
    fn shapes_are_understood_as_the_dialects_write_them() {
        use Custom::{DeliberateRepeats, DifferentTests, EmptyRecordsAreFailures, General};
        for (shape, custom, expected) in [
            ("F.", General, "Passed Retried F."),
            ("FEF.", General, "Passed Retried FEF."),
            ("..", General, "Passed Repeated .."),
            ("FF", General, "Failed Repeated FF"),
            (".F", General, "Failed Ambiguous .F"),
            ("F..", General, "Failed Ambiguous F.."),
            ("Fs", General, "Failed Ambiguous Fs"),
            ("s.", General, "Passed Repeated s."),
            ("F.", DifferentTests, "Failed Ambiguous F."),
            (".F.", DeliberateRepeats, "Failed Retried .F."),
            ("..F", EmptyRecordsAreFailures, "Failed Retried FFF"),
            ("..", EmptyRecordsAreFailures, "Passed Retried F."),
            ("FE", EmptyRecordsAreFailures, "Failed Single "),
            (".E", EmptyRecordsAreFailures, "Errored Single "),
            ("Fm", General, "Passed Retried F."),
            ("mF", General, "Failed Retried .F"),
            ("mmm", General, "Passed Repeated ..."),
            ("sm", General, "Passed Repeated s."),
        ] {
            assert_eq!(read(shape, custom), expected, "{shape} {custom:?}");
        }
    }

    #[test]
    fn hidden_failures_are_told_so_that_counts_can_follow() {
        let test = understand(&records("..F"), Custom::EmptyRecordsAreFailures);
        assert_eq!(
            (test.hidden_failures, test.failure, test.duration),
            (2, Some(2), Some(Micros(2)))
        );
        assert_eq!(understand(&records("FE"), Custom::EmptyRecordsAreFailures).failure, Some(0));
    }

    #[test]
    fn one_execution_is_blamed_on_what_failed_first() {
        for shape in ["FE", "EF", "FF"] {
            let test = understand(&records(shape), Custom::EmptyRecordsAreFailures);
            assert_eq!((test.repeat, test.failure), (Repeat::Single, Some(0)), "{shape}");
        }
    }
}
