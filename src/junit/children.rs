//! What stands inside cases and suites: failures, skips, reruns, properties; and a case's end.

use memchr::memmem;

use crate::model::tests::SUITE_SEPARATOR;
use crate::model::{Attempt, Failure, Outcome, SuiteFailure, Timestamp, limits};

use super::assembly::{bounded, clip};
use super::case::FailureStyle;
use super::producer;
use super::reader::{DocumentReader, Stop};
use super::text::{self, Oddities};
use super::timestamp::{self, Moment};
use super::token::{Attributes, Tag};
use super::value;
use super::warning::Code;

/// What ctest says of a test whose program is missing; `ctest` itself fails on it.
const CTEST_NOT_FOUND: &str = "Unable to find executable";

impl<'a> DocumentReader<'a, '_> {
    /// Reads a failure-like element whole.
    fn failure(&mut self, tag: &Tag<'a>) -> Result<u32, Stop> {
        let raw = self.body(tag)?;
        let mut oddities = Oddities::default();
        let mut failure = Failure::default();
        for (name, value) in Attributes::new(tag.attributes) {
            match name {
                "type" => failure.kind = text::body(value, &mut oddities),
                "message" => failure.message = text::body(value, &mut oddities),
                _ => {}
            }
        }
        // Reruns wrap their trace; the element's own text is what is left for the others.
        let raw = stack_trace(raw).unwrap_or(raw);
        let body = text::body(raw, &mut oddities);
        failure.text = trimmed(body);
        self.odd(oddities, tag.at);
        Ok(self.assembly.failure(bounded(failure)))
    }

    pub(super) fn case_failure(&mut self, tag: &Tag<'a>) -> Result<(), Stop> {
        let place = self.failure(tag)?;
        // TestNG writes a skip as an error of this type.
        let kind = Attributes::find(tag.attributes, "type");
        let Some(case) = self.cases.last_mut() else { return Ok(()) };
        if kind == Some("org.testng.SkipException") {
            case.dialect = Some(Outcome::Skipped);
        }
        let count = if tag.name == "failure" { &mut case.failed } else { &mut case.errored };
        *count = count.saturating_add(1);
        if case.failures.len() < limits::ATTEMPTS_MAX {
            case.failures.push(place);
        }
        Ok(())
    }

    pub(super) fn case_skip(&mut self, tag: &Tag<'a>) -> Result<(), Stop> {
        self.body(tag)?;
        let message = Attributes::find(tag.attributes, "message").unwrap_or_default();
        let not_found = message.starts_with(CTEST_NOT_FOUND);
        // EUnit writes a test that it had to kill as skipped.
        let is_timeout = self.assembly.report.producer == "eunit"
            && Attributes::find(tag.attributes, "type") == Some("timeout");
        if let Some(case) = self.cases.last_mut() {
            case.is_skipped = true;
            if is_timeout {
                case.dialect = Some(Outcome::Errored);
            }
            if not_found {
                case.skip_means = Some(Outcome::Errored);
            }
        }
        if not_found {
            let message = "the test's program is missing, which is an error though written as skipped; build it";
            self.note(Code::NotRun, tag.at, message);
        }
        Ok(())
    }

    pub(super) fn case_rerun(&mut self, tag: &Tag<'a>) -> Result<(), Stop> {
        let place = self.failure(tag)?;
        let time = Attributes::find(tag.attributes, "time").unwrap_or_default();
        let outcome = if tag.name.ends_with("Error") { Outcome::Errored } else { Outcome::Failed };
        let attempt =
            Attempt { outcome, duration: value::seconds(time).value, failure: Some(place) };
        if let Some(case) = self.cases.last_mut()
            && case.reruns.len() < limits::ATTEMPTS_MAX - 1
        {
            case.reruns.push(attempt);
        }
        Ok(())
    }

    pub(super) fn suite_failure(&mut self, tag: &Tag<'a>) -> Result<(), Stop> {
        let failure = self.failure(tag)?;
        let mut suite = String::new();
        for (index, open) in self.suites.iter().enumerate() {
            if index > 0 {
                suite.push(SUITE_SEPARATOR);
            }
            suite.push_str(&text::attribute(
                open.name.unwrap_or_default(),
                &mut Oddities::default(),
            ));
        }
        self.assembly.report.suite_failures.push(SuiteFailure { suite, failure });
        self.evidence += 1;
        let message = "the suite failed outside its tests; tests behind it may be missing";
        self.note(Code::SuiteError, tag.at, message);
        Ok(())
    }

    pub(super) fn property(&mut self, tag: &Tag<'a>, in_case: bool) -> Result<(), Stop> {
        let raw = self.body(tag)?;
        let name = Attributes::find(tag.attributes, "name").unwrap_or_default();
        let name = self.value(name, tag.at);
        let value = match Attributes::find(tag.attributes, "value") {
            Some(value) => self.value(value, tag.at),
            None => text::body(raw, &mut Oddities::default()).into(),
        };
        if !in_case {
            self.facts.named = self.facts.named.or_else(|| producer::of_property(&name));
            let results = self.assembly.report.results.len();
            self.circumstances.see(&name, &value, self.suites.last_mut(), results);
            let value = clip(value.into_owned(), limits::FAILURE_MESSAGE_BYTES_MAX);
            if !self.assembly.property(&name, &value) && !self.findings.has(Code::PropertiesCut) {
                let message = format!(
                    "more than {} properties; the rest was left out",
                    limits::PROPERTIES_MAX
                );
                self.note(Code::PropertiesCut, tag.at, message);
            }
            return Ok(());
        }
        if let Some(case) = self.cases.last_mut() {
            self.circumstances.see_in_case(&name, &value, &mut case.worker);
            match &*name {
                "test_id" if !value.trim().is_empty() => case.explicit_id = Some(value),
                "repetition" | "retry" | "attempt" => case.is_marked = true,
                _ => {}
            }
        }
        Ok(())
    }

    /// The innermost case has ended: counts it and adds it to the report.
    pub(super) fn finish_case(&mut self) {
        let Some(case) = self.cases.last_mut() else { return };
        let at = case.at;
        let (outcome, is_flaky) = case.outcome();
        self.counts.add(outcome, is_flaky);
        self.evidence += case.bad_evidence();
        let time = case.time.map(value::seconds);
        if let Some(oddity) = time.and_then(|time| time.oddity) {
            let shown = super::shortened(case.time.unwrap_or_default());
            self.note(
                Code::BadTime,
                at,
                format!("`time=\"{shown}\"` is {oddity}; write seconds, as 1.5"),
            );
        }
        self.check_length();
        let Some(case) = self.cases.last_mut() else { return };
        let worker = case.worker;
        let style = match self.assembly.report.producer {
            "vitest" => FailureStyle::OnePerAttempt,
            _ => FailureStyle::OnePerAssertion,
        };
        let joined = if case.failures.is_empty() || (style == FailureStyle::OnePerAttempt) {
            case.failures.first().copied()
        } else {
            self.assembly.joined(&case.failures)
        };
        let record = case.record(joined, time.and_then(|time| time.value), style);
        if let Some(timestamp) = case.timestamp {
            self.see_time(timestamp, at);
        }
        let result = self.assembly.report.results.len();
        if self.add_record(record) {
            if self.assembly.report.results.len() > result {
                self.circumstances.place(result, worker, &self.suites);
            }
        } else {
            self.assembly.report.nameless += 1;
            let message = "a test without a name is counted, but has no history; name it";
            self.note(Code::NoName, at, message);
        }
        self.cases.pop();
    }

    /// Takes a timestamp into account for the start of the report.
    pub(super) fn see_time(&mut self, raw: &'a str, at: usize) {
        const DAY_MS: i64 = Timestamp::DAY_MS;
        let message = match (timestamp::moment(raw), self.options.now) {
            (Moment::At(time), Some(now)) if time.0 > now.0.saturating_add(DAY_MS) => {
                "in the future"
            }
            (Moment::Naive(time), Some(now))
                if time.and_utc().timestamp_millis() > now.0.saturating_add(DAY_MS) =>
            {
                "in the future"
            }
            (Moment::At(time), _) => {
                self.earliest_at = Some(self.earliest_at.map_or(time, |known| known.min(time)));
                return;
            }
            (Moment::Naive(time), _) => {
                self.earliest_naive =
                    Some(self.earliest_naive.map_or(time, |known| known.min(time)));
                return;
            }
            (Moment::Day | Moment::None, _) => return,
            (Moment::Bad, _) => "no point in time",
        };
        let shown = super::shortened(raw);
        self.note(
            Code::BadTimestamp,
            at,
            format!("`timestamp=\"{shown}\"` is {message}; write 2026-11-22T08:22:18Z"),
        );
    }
}

/// What stands in the `<stackTrace>` of a rerun.
fn stack_trace(raw: &str) -> Option<&str> {
    let start = memmem::find(raw.as_bytes(), b"<stackTrace>")? + "<stackTrace>".len();
    let rest = raw.get(start..)?;
    rest.get(..memmem::find(rest.as_bytes(), b"</stackTrace>")?)
}

fn trimmed(text: String) -> String {
    let trimmed = text.trim_end().trim_start_matches(['\n', '\r']);
    if trimmed.len() == text.len() { text } else { trimmed.to_owned() }
}
