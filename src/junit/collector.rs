//! Reports that did not come as XML, put together by the rules of the XML reader: what repeated
//! records of one test mean, and how long a text may be.

use crate::model::{
    Attempt, Counts, Failure, Micros, Outcome, Report, Started, TestIdentity, limits,
};

use super::assembly::{Assembly, bounded};
use super::attempts::Record;
use super::timestamp;
use super::warning::{Findings, Warning};

/// One execution of a test, as some report has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took.
    pub duration: Option<Micros>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// Collects executions into a [`Report`].
#[derive(Debug)]
pub struct Collector {
    assembly: Assembly,
}

impl Collector {
    /// An empty report of a producer, as in [`Report::producer`].
    #[must_use]
    pub fn new(producer: &'static str) -> Self {
        let mut assembly = Assembly::default();
        assembly.report.producer = producer;
        assembly.report.complete = true;
        Self { assembly }
    }

    /// The report so far, for what belongs to no test.
    pub const fn report(&mut self) -> &mut Report {
        &mut self.assembly.report
    }

    /// Adds what one record of a test says: all its attempts in order, the deciding one last.
    ///
    /// A test may be added again: in the shape *failed … failed, passed* that is a retry, as in
    /// JUnit XML.
    pub fn add(
        &mut self,
        test: &TestIdentity<'_>,
        variant: Option<(&str, &str)>,
        executions: Vec<Execution>,
    ) {
        let variant = variant.and_then(|(key, value)| self.assembly.variant(key, value));
        let mut attempts: Vec<Attempt> =
            executions.into_iter().map(|execution| self.attempt(execution)).collect();
        if attempts.len() > limits::ATTEMPTS_MAX {
            // The last one decides more than those in the middle.
            attempts.drain(limits::ATTEMPTS_MAX - 1..attempts.len() - 1);
        }
        let retried = attempts.iter().any(|attempt| attempt.outcome.is_bad());
        match attempts.last().copied() {
            Some(last) if retried && attempts.len() > 1 => {
                let record = Record { attempts, ..record(last) };
                self.assembly.add(test, variant, record, 0, String::new);
            }
            _ => {
                for attempt in attempts {
                    self.assembly.add(test, variant, record(attempt), 0, String::new);
                }
            }
        }
    }

    fn attempt(&mut self, execution: Execution) -> Attempt {
        let Execution { outcome, duration, failure } = execution;
        let failure = failure.filter(|_| outcome.is_bad());
        let failure = failure.map(|failure| self.assembly.failure(bounded(failure)));
        Attempt { outcome, duration, failure }
    }

    /// The report, and what is to be said about repeated records; places are unknown.
    #[must_use]
    pub fn finish(self) -> (Report, Vec<Warning>) {
        let mut findings = Findings::default();
        let mut report = self.assembly.finish(&mut findings);
        report.counts = report.results.iter().fold(Counts::default(), |mut counts, result| {
            counts.add(result.outcome, result.is_flaky());
            counts
        });
        (report, findings.place("", |_| 0).0)
    }
}

fn record(attempt: Attempt) -> Record {
    Record {
        outcome: attempt.outcome,
        duration: attempt.duration,
        failure: attempt.failure,
        attempts: Vec::new(),
        is_bare: false,
        is_marked: false,
    }
}

/// The point in time that a text means, in every form that reports of test runners use; `None`
/// where there is none, and for a day without a time.
#[must_use]
pub fn moment(text: &str) -> Option<Started> {
    timestamp::moment(text).started(false)
}

#[cfg(test)]
mod tests {
    use super::super::identity::{RawIdentity, identify};
    use super::*;
    use crate::model::Repeat;

    #[test]
    fn a_moment_without_a_zone_is_local() {
        let at = Started::At(crate::model::Timestamp(1_795_335_738_000));
        assert_eq!(moment("2026-11-22T08:22:18Z"), Some(at));
        assert!(matches!(moment("2026-11-22T08:22:18"), Some(Started::Local(_))));
        assert_eq!(moment("soon"), None);
    }

    fn strip(executions: &[&str]) -> (Outcome, Repeat, String) {
        let mut collector = Collector::new("unknown");
        let test = identify(&RawIdentity { classname: "a.B", name: "t", ..Default::default() });
        for record in executions {
            let one = |c| Execution {
                outcome: if c == 'F' { Outcome::Failed } else { Outcome::Passed },
                duration: None,
                failure: (c == 'F').then(Failure::default),
            };
            collector.add(&test.identity(), None, record.chars().map(one).collect());
        }
        let (report, _) = collector.finish();
        let result = &report.results[0];
        let strip = result.attempts.iter().map(|attempt| attempt.outcome.strip_char()).collect();
        (result.outcome, result.repeat, strip)
    }

    #[test]
    fn attempts_listed_and_records_repeated_mean_the_same() {
        let retried = (Outcome::Passed, Repeat::Retried, "F.".to_owned());
        assert_eq!(strip(&["F."]), retried);
        assert_eq!(strip(&["F", "."]), retried);
        assert_eq!(strip(&["FF"]), (Outcome::Failed, Repeat::Retried, "FF".to_owned()));
        assert_eq!(strip(&[".."]), (Outcome::Passed, Repeat::Repeated, "..".to_owned()));
        assert_eq!(strip(&["F"]), (Outcome::Failed, Repeat::Single, String::new()));
        let many = "F".repeat(limits::ATTEMPTS_MAX + 5) + ".";
        let (outcome, _, strip) = strip(&[&many]);
        assert_eq!((outcome, strip.len()), (Outcome::Passed, limits::ATTEMPTS_MAX));
    }

    #[test]
    fn what_belongs_to_no_test_stays_in_the_report() {
        let mut collector = Collector::new("unknown");
        collector.report().name = "nightly".to_owned();
        assert_eq!(collector.finish().0.name, "nightly");
    }
}
