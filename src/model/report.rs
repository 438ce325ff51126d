//! What one JUnit XML document says, once repeated records have been understood.

use std::num::NonZeroU16;
use std::ops::Deref;

use super::failure::Failure;
use super::outcome::{Counts, Outcome};
use super::run::Variant;
use super::tests::{TestIndex, TestTable};
use super::time::{Micros, Started};
use super::workers::Workers;

/// One JUnit XML document.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The runner that wrote it, such as `pytest`; `unknown` where nothing tells.
    pub producer: &'static str,
    /// The name of the root element, or empty.
    pub name: String,
    /// The earliest start that the document gives.
    pub started: Option<Started>,
    /// The machine that its tests ran on; empty where the document does not say.
    pub host: String,
    /// Which part of the suite it is, such as `2/4`; empty where the document does not say.
    pub shard: String,
    /// The seed of its random order; empty where the document does not say.
    pub seed: String,
    /// Which worker ran which result, where the document says.
    pub workers: Workers,
    /// False where the document was cut off or damaged and only its whole cases were kept.
    pub complete: bool,
    /// Distinct tests, in document order.
    pub tests: TestTable,
    /// One result for each test and dialect variant, in document order.
    pub results: Vec<TestResult>,
    /// The failures that results and attempts point to.
    pub failures: Vec<Failure>,
    /// Dialect variants (a Playwright project, a browser) that results point to; results without
    /// one belong to the run's own variant.
    pub variants: Vec<Variant>,
    /// Errors of whole suites, which belong to no test.
    pub suite_failures: Vec<SuiteFailure>,
    /// Cases by outcome as the document shows them.
    pub counts: Counts,
    /// Cases without a usable name: counted, but without an identity.
    pub nameless: u64,
    /// Properties of the root and its suites, secrets and environment left out.
    pub properties: Vec<(String, String)>,
}

/// What became of one test in one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// The test, in [`Report::tests`].
    pub test: TestIndex,
    /// The dialect variant, one of [`Report::variants`].
    pub variant: Option<VariantIndex>,
    /// The outcome after all attempts.
    pub outcome: Outcome,
    /// How repeated records of this test were understood.
    pub repeat: Repeat,
    /// The time of the last attempt, where the report gives it.
    pub duration: Option<Micros>,
    /// The failure of the last attempt, as a place in [`Report::failures`].
    pub failure: Option<u32>,
    /// All attempts in order, the last one included; empty where there was only one.
    pub attempts: Attempts,
}

/// A variant's place in [`Report::variants`].
// One off, so that a result without a variant, which most are, takes no more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariantIndex(NonZeroU16);

impl VariantIndex {
    /// The variant at a place; `None` beyond 65,534, the last one that a report can hold.
    ///
    /// ```
    /// use flakedb::model::VariantIndex;
    /// assert_eq!(VariantIndex::new(7).map(VariantIndex::place), Some(7));
    /// assert_eq!(VariantIndex::new(65_535), None);
    /// ```
    #[must_use]
    pub fn new(place: usize) -> Option<Self> {
        u16::try_from(place).ok()?.checked_add(1).and_then(NonZeroU16::new).map(Self)
    }

    /// The place itself.
    #[must_use]
    pub fn place(self) -> usize {
        usize::from(self.0.get()) - 1
    }
}

/// The attempts of one result, read as a slice; a single word where there are none, as almost
/// always.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attempts(Option<Box<Listed>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    attempts: Vec<Attempt>,
}

impl Attempts {
    /// The attempts in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Attempt] {
        self.0.as_ref().map_or(&[], |listed| &listed.attempts)
    }

    /// The attempts as a vector.
    #[must_use]
    pub fn into_vec(self) -> Vec<Attempt> {
        self.0.map(|listed| listed.attempts).unwrap_or_default()
    }
}

impl From<Vec<Attempt>> for Attempts {
    fn from(attempts: Vec<Attempt>) -> Self {
        Self((!attempts.is_empty()).then(|| Box::new(Listed { attempts })))
    }
}

impl Deref for Attempts {
    type Target = [Attempt];

    fn deref(&self) -> &[Attempt] {
        self.as_slice()
    }
}

impl<'a> IntoIterator for &'a Attempts {
    type Item = &'a Attempt;
    type IntoIter = std::slice::Iter<'a, Attempt>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}

impl TestResult {
    /// Passed, but only after a failed attempt in the same run.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        self.repeat == Repeat::Retried && self.outcome == Outcome::Passed
    }
}

/// One execution of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took, where the report says.
    pub duration: Option<Micros>,
    /// Why it failed, as a place in [`Report::failures`].
    pub failure: Option<u32>,
}

/// How several records of one test in one run were understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[repr(u8)]
pub enum Repeat {
    /// One record.
    #[default]
    Single = 0,
    /// A failed attempt was tried again.
    Retried = 1,
    /// The test was run several times on purpose, with one outcome.
    Repeated = 2,
    /// Different tests that share a name, or an unordered merge: no evidence of flakiness.
    Ambiguous = 3,
}

impl Repeat {
    /// The repeat of a stored code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Single),
            1 => Some(Self::Retried),
            2 => Some(Self::Repeated),
            3 => Some(Self::Ambiguous),
            _ => None,
        }
    }

    /// True for an outcome that is a pass on retry: so many of its attempts failed, one at least.
    ///
    /// ```
    /// use flakedb::model::{Outcome, Repeat};
    /// assert!(Repeat::Retried.is_pass_on_retry(Outcome::Passed, 1));
    /// assert!(!Repeat::Retried.is_pass_on_retry(Outcome::Passed, 0));
    /// assert!(!Repeat::Retried.is_pass_on_retry(Outcome::Failed, 1));
    /// ```
    #[must_use]
    pub const fn is_pass_on_retry(self, outcome: Outcome, bad_attempts: u32) -> bool {
        matches!((self, outcome, bad_attempts), (Self::Retried, Outcome::Passed, 1..))
    }
}

/// An error of a whole suite: a script that crashed before its first test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteFailure {
    /// Names of the enclosing suites, joined by [`SUITE_SEPARATOR`](super::tests::SUITE_SEPARATOR).
    pub suite: String,
    /// What happened, as a place in [`Report::failures`].
    pub failure: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_a_variant_reads_back_up_to_the_last_that_fits() {
        for place in [0, 1, 65_534] {
            assert_eq!(VariantIndex::new(place).unwrap().place(), place);
        }
        assert_eq!((VariantIndex::new(65_535), VariantIndex::new(65_536)), (None, None));
    }

    #[test]
    fn attempts_are_those_that_were_given() {
        let attempt = |failure| Attempt { outcome: Outcome::Failed, duration: None, failure };
        let listed = vec![attempt(Some(1)), attempt(None)];
        let attempts = Attempts::from(listed.clone());
        assert_eq!(attempts.as_slice(), listed);
        assert_eq!(attempts.len(), 2);
        assert_eq!((&attempts).into_iter().copied().collect::<Vec<_>>(), listed);
        assert_eq!(attempts.into_vec(), listed);
        assert_eq!(Attempts::from(Vec::new()), Attempts::default());
        assert!(Attempts::default().into_vec().is_empty());
    }

    #[test]
    fn a_pass_on_retry_was_retried_after_a_failure() {
        let is = |repeat: Repeat, outcome, bad| repeat.is_pass_on_retry(outcome, bad);
        assert!(is(Repeat::Retried, Outcome::Passed, 1) && is(Repeat::Retried, Outcome::Passed, 9));
        assert!(!is(Repeat::Retried, Outcome::Passed, 0), "no attempt failed");
        assert!(!is(Repeat::Retried, Outcome::Failed, 1), "the last one failed as well");
        assert!(!is(Repeat::Repeated, Outcome::Passed, 1), "run again for other reasons");
    }

    #[test]
    fn only_a_pass_on_retry_is_flaky() {
        for (code, repeat) in [Repeat::Single, Repeat::Retried, Repeat::Repeated, Repeat::Ambiguous]
            .into_iter()
            .enumerate()
        {
            assert_eq!(Repeat::from_code(code as u8), Some(repeat));
            for outcome in Outcome::ALL {
                let result = TestResult {
                    test: TestIndex(0),
                    variant: None,
                    outcome,
                    repeat,
                    duration: None,
                    failure: None,
                    attempts: Attempts::default(),
                };
                let flaky = (outcome, repeat) == (Outcome::Passed, Repeat::Retried);
                assert_eq!(result.is_flaky(), flaky, "{outcome:?} {repeat:?}");
            }
        }
        assert_eq!(Repeat::from_code(4), None);
    }
}
