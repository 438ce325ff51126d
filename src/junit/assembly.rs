//! The report while it grows: tests are interned, records gathered, repeats understood at the end.

use std::collections::{BTreeMap, HashMap};

use crate::model::{
    Failure, Repeat, Report, TestIdentity, TestIndex, TestResult, Variant, VariantIndex, limits,
};

use super::attempts::{Custom, Record, understand};
use super::producer;
use super::warning::{Code, Findings};

/// No result yet.
const NONE: u32 = u32::MAX;

/// A report that is being put together.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    pub(super) report: Report,
    /// The first result of each test without a variant, by the test's place; `None` while the two
    /// places are the same, which is as long as no result has a variant.
    first: Option<Vec<u32>>,
    /// The first result of each test with a variant.
    first_in_variant: HashMap<(u32, VariantIndex), u32>,
    /// Tests with several records, by the place of their result.
    repeated: BTreeMap<u32, Repeated>,
    /// What results do not say about the record they came from, in the same order.
    signs: Vec<Signs>,
    property_places: HashMap<String, usize>,
    is_full: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Signs {
    is_bare: bool,
    is_marked: bool,
}

#[derive(Debug)]
struct Repeated {
    at: usize,
    path: String,
    records: Vec<Record>,
    dropped: u64,
}

impl Assembly {
    /// Makes room for so many results.
    pub(super) fn reserve(&mut self, results: usize) {
        const NAME_BYTES: usize = 48;
        self.report.results.reserve(results);
        self.signs.reserve(results);
        self.report.tests.reserve(results, results * NAME_BYTES);
    }

    /// Adds one record of a test; `path` names the element, should the test be known already.
    pub(super) fn add(
        &mut self,
        test: &TestIdentity<'_>,
        variant: Option<VariantIndex>,
        record: Record,
        at: usize,
        path: impl FnOnce() -> String,
    ) {
        let Ok(index) = self.report.tests.intern(test) else {
            self.is_full = true;
            return;
        };
        let place = u32::try_from(self.report.results.len()).unwrap_or(NONE);
        let Some(first) = self.known(index, variant) else {
            self.remember(index, variant, place);
            self.signs.push(Signs { is_bare: record.is_bare, is_marked: record.is_marked });
            self.report.results.push(result(index, variant, record));
            return;
        };
        let Some(known) = self.report.results.get_mut(first as usize) else { return };
        let signs = self.signs.get(first as usize).copied().unwrap_or_default();
        let repeated = self.repeated.entry(first).or_insert_with(|| Repeated {
            at,
            path: path(),
            records: vec![take_record(known, signs)],
            dropped: 0,
        });
        if repeated.records.len() >= limits::ATTEMPTS_MAX {
            // The last record decides more than those in the middle.
            repeated.records.pop();
            repeated.dropped += 1;
        }
        repeated.records.push(record);
    }

    /// The place of a test's first result.
    fn known(&self, index: TestIndex, variant: Option<VariantIndex>) -> Option<u32> {
        match (variant, &self.first) {
            (Some(variant), _) => self.first_in_variant.get(&(index.0, variant)).copied(),
            (None, None) => ((index.0 as usize) < self.report.results.len()).then_some(index.0),
            (None, Some(first)) => {
                first.get(index.0 as usize).copied().filter(|place| *place != NONE)
            }
        }
    }

    fn remember(&mut self, index: TestIndex, variant: Option<VariantIndex>, place: u32) {
        match (variant, &mut self.first) {
            (Some(variant), first) => {
                // From here on there may be more results than tests.
                first.get_or_insert_with(|| (0..place).collect());
                self.first_in_variant.insert((index.0, variant), place);
            }
            (None, None) => {}
            (None, Some(first)) => {
                let at = index.0 as usize;
                if first.len() <= at {
                    first.resize(at + 1, NONE);
                }
                if let Some(known) = first.get_mut(at) {
                    *known = place;
                }
            }
        }
    }

    /// Keeps a failure and returns its place.
    pub(super) fn failure(&mut self, failure: Failure) -> u32 {
        let place = u32::try_from(self.report.failures.len()).unwrap_or(NONE);
        self.report.failures.push(failure);
        place
    }

    /// One failure for several assertions of one case: all messages are kept, in order.
    pub(super) fn joined(&mut self, failures: &[u32]) -> Option<u32> {
        let (&first, rest) = failures.split_first()?;
        if rest.is_empty() {
            return Some(first);
        }
        let of = |place: &u32| self.report.failures.get(*place as usize);
        let head = of(&first)?;
        let mut text = String::new();
        for failure in failures.iter().filter_map(of) {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&failure.message);
            if !failure.message.is_empty() && !failure.text.is_empty() {
                text.push('\n');
            }
            text.push_str(&failure.text);
        }
        let joined = Failure {
            kind: head.kind.clone(),
            message: head.message.clone(),
            text: clip(text, limits::FAILURE_TEXT_BYTES_MAX),
        };
        Some(self.failure(joined))
    }

    /// The place of a dialect variant.
    pub(super) fn variant(&mut self, key: &str, value: &str) -> Option<VariantIndex> {
        let variant = Variant::default().with(key, value);
        let known = self.report.variants.iter().position(|known| *known == variant);
        let place = known.unwrap_or(self.report.variants.len());
        let place = VariantIndex::new(place)?;
        if known.is_none() {
            self.report.variants.push(variant);
        }
        Some(place)
    }

    /// Keeps a property unless it may hold a secret; the last of equal names wins. False where
    /// there are too many already.
    pub(super) fn property(&mut self, name: &str, value: &str) -> bool {
        if is_secret(name) {
            return true;
        }
        if let Some(place) = self.property_places.get(name)
            && let Some(known) = self.report.properties.get_mut(*place)
        {
            value.clone_into(&mut known.1);
            return true;
        }
        if self.report.properties.len() >= limits::PROPERTIES_MAX {
            return false;
        }
        self.property_places.insert(name.to_owned(), self.report.properties.len());
        self.report.properties.push((name.to_owned(), value.to_owned()));
        true
    }

    /// Understands repeated records and hands out the report.
    pub(super) fn finish(mut self, findings: &mut Findings) -> Report {
        let custom = custom(self.report.producer);
        for (place, repeated) in std::mem::take(&mut self.repeated) {
            self.settle(place, &repeated, custom, findings);
        }
        if self.is_full {
            let message = "more than 4 GiB of test names; split the report";
            findings.add(Code::TestsFull, 0, String::new, message);
        }
        self.report
    }

    fn settle(&mut self, place: u32, repeated: &Repeated, custom: Custom, findings: &mut Findings) {
        let understood = understand(&repeated.records, custom);
        let Some(result) = self.report.results.get_mut(place as usize) else { return };
        result.outcome = understood.outcome;
        result.repeat = understood.repeat;
        result.duration = understood.duration;
        result.failure = understood.failure;
        let mut attempts = understood.attempts;
        attempts.truncate(limits::ATTEMPTS_MAX);
        result.attempts = attempts.into();
        let is_flaky = result.is_flaky();
        if understood.hidden_failures > 0 {
            // The document shows each failed attempt as a passed case of its own.
            let counts = &mut self.report.counts;
            counts.cases = counts.cases.saturating_sub(understood.hidden_failures);
            counts.passed = counts.passed.saturating_sub(understood.hidden_failures);
            let was_counted = repeated.records.last().is_some_and(Record::is_flaky);
            counts.flaky += u64::from(is_flaky && !was_counted);
        }
        let label = self.report.tests.get(result.test).map(|test| test.label());
        let label = label.unwrap_or_default();
        let records = repeated.records.len() as u64 + repeated.dropped;
        let path = || repeated.path.clone();
        let message = format!("{records} records of `{label}`, {}", reading(&understood.repeat));
        findings.add(Code::DuplicateId, repeated.at, path, message);
        if understood.repeat == Repeat::Ambiguous {
            let message = format!(
                "records of `{label}` disagree and are no retry; {}",
                advice(self.report.producer)
            );
            findings.add(Code::AmbiguousId, repeated.at, path, message);
        }
        if repeated.dropped > 0 {
            let message = format!(
                "{records} records of `{label}`; {} are kept, so end the loop sooner",
                repeated.records.len()
            );
            findings.add(Code::TooManyAttempts, repeated.at, path, message);
        }
    }
}

fn reading(repeat: &Repeat) -> &'static str {
    match repeat {
        Repeat::Single => "read as one execution",
        Repeat::Retried => "read as attempts",
        Repeat::Repeated => "read as repeats with one outcome",
        Repeat::Ambiguous => "which may be different tests",
    }
}

pub(super) fn advice(producer: &str) -> &'static str {
    match producer {
        "testng" => "put the parameters into the test name (ITest)",
        "vitest" => "put the project into `classnameTemplate`",
        "jest-junit" => "put the file into `classNameTemplate`",
        "minitest" => "update minitest-reporters, whose class names collide",
        "catch2" | "doctest" => "give sections and cases names of their own",
        _ => "give each test a name of its own",
    }
}

fn custom(producer: &str) -> Custom {
    match producer {
        "pytest" => Custom::EmptyRecordsAreFailures,
        "pytest-repeat" => Custom::DeliberateRepeats,
        _ if producer::repeats_are_different_tests(producer) => Custom::DifferentTests,
        _ => Custom::General,
    }
}

fn result(test: TestIndex, variant: Option<VariantIndex>, record: Record) -> TestResult {
    TestResult {
        test,
        variant,
        outcome: record.outcome,
        repeat: if record.attempts.is_empty() { Repeat::Single } else { Repeat::Retried },
        duration: record.duration,
        failure: record.failure,
        attempts: record.attempts.into(),
    }
}

fn take_record(result: &mut TestResult, signs: Signs) -> Record {
    Record {
        outcome: result.outcome,
        duration: result.duration,
        failure: result.failure,
        attempts: std::mem::take(&mut result.attempts).into_vec(),
        is_bare: signs.is_bare,
        is_marked: signs.is_marked,
    }
}

/// Environment and what looks like a secret is dropped: kyua and ant dump everything they see.
fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 4] = ["TOKEN", "SECRET", "PASSWORD", "KEY"];
    let upper = name.to_ascii_uppercase();
    upper.starts_with("ENV.") || WORDS.iter().any(|word| upper.contains(word))
}

/// A failure with all its texts within limits; what is cut off the message stays in the text.
pub(super) fn bounded(mut failure: Failure) -> Failure {
    if failure.message.len() > limits::FAILURE_MESSAGE_BYTES_MAX {
        failure.text = format!("{}\n{}", failure.message, failure.text);
        failure.message = clip(failure.message, limits::FAILURE_MESSAGE_BYTES_MAX);
    }
    failure.kind = clip(failure.kind, limits::FAILURE_MESSAGE_BYTES_MAX);
    failure.text = clip(failure.text, limits::FAILURE_TEXT_BYTES_MAX);
    failure
}

/// A text of at most `limit` bytes, the middle cut out where it was longer.
pub(super) fn clip(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let mark = format!("\n… {} bytes cut out …\n", text.len() - limit);
    let half = limit.saturating_sub(mark.len()) / 2;
    let head = (0..=half).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let tail = (text.len() - half..=text.len()).find(|&at| text.is_char_boundary(at));
    let (head, tail) = (text.get(..head), tail.and_then(|tail| text.get(tail..)));
    format!("{}{mark}{}", head.unwrap_or_default(), tail.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_keep_head_and_tail() {
        let text = format!("head{}tail", "é".repeat(1000));
        let clipped = clip(text, 200);
        assert!(clipped.len() <= 200 && clipped.starts_with("head") && clipped.ends_with("tail"));
        assert_eq!(clip("short".into(), 200), "short");
    }

    #[test]
    fn secrets_are_dropped_and_the_last_property_wins() {
        let mut assembly = Assembly::default();
        for (name, value) in [("env.HOME", "x"), ("API_Token", "x"), ("os", "a"), ("os", "b")] {
            assert!(assembly.property(name, value));
        }
        assert_eq!(assembly.report.properties, [("os".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn results_of_a_test_are_found_again_with_and_without_a_variant() {
        let mut assembly = Assembly::default();
        let mut add = |name: &str, variant: Option<usize>| {
            let id = crate::model::TestId([name.as_bytes()[0]; 16]);
            let test =
                TestIdentity { id, suite: "", classname: "", name, file: "", qualified: true };
            let record = Record {
                outcome: crate::model::Outcome::Passed,
                duration: None,
                failure: None,
                attempts: Vec::new(),
                is_bare: true,
                is_marked: false,
            };
            assembly.add(&test, variant.and_then(VariantIndex::new), record, 0, String::new);
            let results = assembly.report.results.iter();
            let places =
                results.map(|result| (result.test.0, result.variant.map(VariantIndex::place)));
            places.collect::<Vec<_>>()
        };
        assert_eq!(add("a", None), [(0, None)]);
        assert_eq!(add("a", None), [(0, None)]);
        add("b", None);
        add("c", Some(0));
        add("a", Some(0));
        let all = [(0, None), (1, None), (2, Some(0)), (0, Some(0)), (2, None), (3, None)];
        add("c", None);
        assert_eq!(add("d", None), all);
        for (name, variant) in
            [("a", None), ("b", None), ("c", Some(0)), ("a", Some(0)), ("c", None)]
        {
            assert_eq!(add(name, variant), all);
        }
    }
}
