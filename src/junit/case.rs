//! One `<testcase>` while it is read: its attributes, its children, and what they add up to.

use std::borrow::Cow;

use crate::model::{Attempt, Micros, Outcome};

use super::attempts::Record;
use super::circumstances::Worker;
use super::token::Attribute;

/// A case whose end tag was not met yet; texts are raw slices of the document.
#[derive(Debug)]
pub(super) struct OpenCase<'a> {
    pub(super) at: usize,
    pub(super) name: Option<&'a str>,
    pub(super) classname: Option<&'a str>,
    pub(super) file: Option<&'a str>,
    pub(super) time: Option<&'a str>,
    pub(super) timestamp: Option<&'a str>,
    /// The outcome that a status attribute names; it counts only where no child tells.
    status: Option<Outcome>,
    /// `flaky="true"` (Flank): passed after a failure that is still shown.
    is_flaky: bool,
    pub(super) is_skipped: bool,
    /// What a skip really was, by the producer's dialect.
    pub(super) skip_means: Option<Outcome>,
    /// What the case really was, where its producer is known to write it otherwise. Counts follow
    /// the document, results this.
    pub(super) dialect: Option<Outcome>,
    pub(super) failed: u32,
    pub(super) errored: u32,
    /// Every failure and error, as places in the report's failures.
    pub(super) failures: Vec<u32>,
    /// `flaky*` and `rerun*` children.
    pub(super) reruns: Vec<Attempt>,
    pub(super) explicit_id: Option<Cow<'a, str>>,
    pub(super) is_marked: bool,
    /// The worker that ran it, where it names one itself.
    pub(super) worker: Worker,
    /// More attributes than any real case has.
    pub(super) has_long_tag: bool,
    /// Any element stands inside.
    pub(super) has_child: bool,
    pub(super) ordinal: u32,
}

/// What several failures in one case are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureStyle {
    /// Assertions of one attempt.
    OnePerAssertion,
    /// One for each attempt (vitest).
    OnePerAttempt,
}

/// A status attribute's outcome; words that name none leave it to the children.
fn status(word: &str) -> Option<Outcome> {
    const WORDS: &[(&str, Outcome)] = &[
        ("notrun", Outcome::Skipped),
        ("suppressed", Outcome::Skipped),
        ("disabled", Outcome::Skipped),
        ("skipped", Outcome::Skipped),
        ("skip", Outcome::Skipped),
        ("ignored", Outcome::Skipped),
        ("pending", Outcome::Skipped),
        ("xfail", Outcome::Skipped),
        ("bskip", Outcome::Skipped),
        ("excluded", Outcome::Skipped),
        ("fail", Outcome::Failed),
        ("failed", Outcome::Failed),
        ("failure", Outcome::Failed),
        ("xpass", Outcome::Failed),
        ("bfail", Outcome::Failed),
        ("error", Outcome::Errored),
        ("errored", Outcome::Errored),
    ];
    let word = word.trim();
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, outcome)| *outcome)
}

/// Of several status attributes, "skipped" beats "failed" beats "errored", as among children.
fn stronger(one: Option<Outcome>, other: Option<Outcome>) -> Option<Outcome> {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Skipped => 3,
        Outcome::Failed => 2,
        Outcome::Errored => 1,
        Outcome::Passed => 0,
    };
    one.into_iter().chain(other).max_by_key(rank)
}

impl<'a> OpenCase<'a> {
    /// Reads the attributes of a case.
    #[inline]
    pub(super) fn new(
        at: usize,
        attributes: impl Iterator<Item = Attribute<'a>>,
        attributes_max: usize,
    ) -> Self {
        let mut case = Self {
            at,
            name: None,
            classname: None,
            file: None,
            time: None,
            timestamp: None,
            status: None,
            is_flaky: false,
            is_skipped: false,
            skip_means: None,
            dialect: None,
            failed: 0,
            errored: 0,
            failures: Vec::new(),
            reruns: Vec::new(),
            explicit_id: None,
            is_marked: false,
            worker: Worker::default(),
            has_long_tag: false,
            has_child: false,
            ordinal: 0,
        };
        let mut class = None;
        for (index, (name, value)) in attributes.enumerate() {
            case.has_long_tag |= index >= attributes_max;
            match name {
                "name" => case.name = Some(value),
                "classname" => case.classname = Some(value),
                "class" => class = Some(value),
                "time" => case.time = Some(value),
                "file" => case.file = Some(value),
                "timestamp" => case.timestamp = Some(value),
                "status" | "result" | "outcome" => {
                    case.status = stronger(case.status, status(value));
                }
                "flaky" => case.is_flaky = value.eq_ignore_ascii_case("true"),
                _ => {}
            }
        }
        case.classname = case.classname.or(class);
        case
    }

    /// The outcome as the document shows it, whatever the dialect: skipped beats failure beats
    /// error, and a status attribute counts only where no child tells.
    fn shown(&self) -> Outcome {
        match (self.is_skipped, self.failed, self.errored) {
            (true, _, _) => self.skip_means.unwrap_or(Outcome::Skipped),
            (false, 0, 0) => self.status.unwrap_or(Outcome::Passed),
            (false, 0, _) => Outcome::Errored,
            (false, _, _) => Outcome::Failed,
        }
    }

    /// The outcome after retries, and whether the case passed only on a retry.
    pub(super) fn outcome(&self) -> (Outcome, bool) {
        match (self.shown(), self.is_flaky, self.reruns.is_empty()) {
            (Outcome::Passed, true, _) | (Outcome::Passed, _, false) => (Outcome::Passed, true),
            // Flank keeps the failure of the first run and marks the case as flaky.
            (outcome, true, _) if outcome.is_bad() => (Outcome::Passed, true),
            (outcome, _, _) => (outcome, false),
        }
    }

    /// Declared failures that this case accounts for, a skip's and a retry's included.
    pub(super) fn bad_evidence(&self) -> u64 {
        let children = u64::from(self.failed) + u64::from(self.errored) + self.reruns.len() as u64;
        children.max(u64::from(self.shown().is_bad()))
    }

    /// The record of the case; `joined` is all its failures in one.
    pub(super) fn record(
        &mut self,
        joined: Option<u32>,
        duration: Option<Micros>,
        style: FailureStyle,
    ) -> Record {
        let (outcome, is_flaky) = self.outcome();
        let outcome = self.dialect.unwrap_or(outcome);
        let final_attempt = Attempt { outcome, duration, failure: joined };
        let reruns = std::mem::take(&mut self.reruns);
        let mut attempts = Vec::new();
        let mut failure = if outcome.is_bad() { joined } else { None };
        match (is_flaky, outcome.is_bad(), reruns.is_empty()) {
            (true, _, _) => {
                attempts = reruns;
                if attempts.is_empty() {
                    let failed = if self.failed > 0 { Outcome::Failed } else { Outcome::Errored };
                    attempts.push(Attempt { outcome: failed, duration: None, failure: joined });
                }
                attempts.push(Attempt { failure: None, ..final_attempt });
            }
            (false, true, false) => {
                // The failure is the first attempt's; each rerun follows it.
                attempts.push(Attempt { duration: None, ..final_attempt });
                attempts.extend(reruns);
                failure = attempts.last().and_then(|last| last.failure).or(joined);
                if let Some(last) = attempts.last_mut() {
                    last.duration = last.duration.or(duration);
                }
            }
            (false, true, true)
                if style == FailureStyle::OnePerAttempt && self.failures.len() > 1 =>
            {
                // vitest writes one failure for each attempt.
                attempts.extend(self.failures.iter().map(|&failure| Attempt {
                    outcome,
                    duration: None,
                    failure: Some(failure),
                }));
                if let Some(last) = attempts.last_mut() {
                    last.duration = duration;
                    failure = last.failure;
                }
            }
            _ => {}
        }
        Record {
            outcome,
            duration,
            failure,
            attempts,
            is_bare: outcome == Outcome::Passed && !self.has_child && !is_flaky,
            is_marked: self.is_marked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::Attributes;
    use super::*;

    fn case(attributes: &str) -> OpenCase<'_> {
        OpenCase::new(0, Attributes::new(attributes), 10)
    }

    #[test]
    fn skips_beat_failures_beat_errors_beat_the_status() {
        let outcome = |skipped, failed, errored, status: &'static str| {
            let mut case = case(status);
            (case.is_skipped, case.failed, case.errored) = (skipped, failed, errored);
            case.outcome().0
        };
        assert_eq!(outcome(true, 1, 1, ""), Outcome::Skipped);
        assert_eq!(outcome(false, 1, 1, "status='skipped'"), Outcome::Failed);
        assert_eq!(outcome(false, 0, 1, ""), Outcome::Errored);
        assert_eq!(outcome(false, 0, 0, "status='FAILED'"), Outcome::Failed);
        assert_eq!(outcome(false, 0, 0, "status='run' result='suppressed'"), Outcome::Skipped);
        assert_eq!(outcome(false, 0, 0, "status='run' result='completed'"), Outcome::Passed);
    }

    #[test]
    fn reruns_become_attempts_in_order() {
        let strip = |record: &Record| -> String {
            record.attempts.iter().map(|attempt| attempt.outcome.strip_char()).collect()
        };
        let rerun = Attempt { outcome: Outcome::Errored, duration: None, failure: Some(7) };
        let mut flaky = case("time='1'");
        flaky.reruns.push(rerun);
        assert_eq!(strip(&flaky.record(None, None, FailureStyle::OnePerAssertion)), "E.");
        let mut broken = case("time='1'");
        broken.failed = 1;
        broken.reruns.push(rerun);
        let record = broken.record(Some(3), None, FailureStyle::OnePerAssertion);
        assert_eq!((strip(&record).as_str(), record.failure), ("FE", Some(7)));
        let mut flank = case("flaky='true'");
        flank.failed = 1;
        let record = flank.record(Some(0), None, FailureStyle::OnePerAssertion);
        assert_eq!((strip(&record).as_str(), record.outcome), ("F.", Outcome::Passed));
    }

    #[test]
    fn a_case_accounts_for_each_failure_that_it_shows() {
        let rerun = Attempt { outcome: Outcome::Failed, duration: None, failure: None };
        let mut case = case("");
        assert_eq!(case.bad_evidence(), 0);
        (case.failed, case.errored) = (2, 1);
        case.reruns = vec![rerun, rerun];
        assert_eq!(case.bad_evidence(), 5);
        assert_eq!(self::case("status='FAILED'").bad_evidence(), 1);
    }

    #[test]
    fn a_flaky_mark_makes_no_pass_of_a_skip_and_keeps_the_kind_of_its_failure() {
        let mut skipped = case("flaky='true'");
        skipped.is_skipped = true;
        assert_eq!(skipped.outcome(), (Outcome::Skipped, false));
        let mut errored = case("flaky='true'");
        errored.errored = 1;
        let record = errored.record(Some(0), None, FailureStyle::OnePerAssertion);
        let outcomes: Vec<_> = record.attempts.iter().map(|attempt| attempt.outcome).collect();
        assert_eq!(outcomes, [Outcome::Errored, Outcome::Passed]);
    }

    #[test]
    fn a_record_is_bare_where_it_passed_and_holds_nothing() {
        let is_bare = |attributes: &'static str, has_child| {
            let mut case = case(attributes);
            case.has_child = has_child;
            case.record(None, None, FailureStyle::OnePerAssertion).is_bare
        };
        assert!(is_bare("", false));
        assert!(!is_bare("", true) && !is_bare("status='failed'", false));
    }
}
