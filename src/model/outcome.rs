//! What became of a test.

use serde::{Deserialize, Serialize};

/// The outcome of one attempt, or of a test in a run after all its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Outcome {
    /// The test ran and held.
    Passed = 0,
    /// An assertion did not hold.
    Failed = 1,
    /// The test could not be carried out: crash, timeout, set-up error.
    Errored = 2,
    /// The test was not run.
    Skipped = 3,
}

impl Outcome {
    /// All outcomes, in the order of their stored codes.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Errored, Self::Skipped];

    /// The code stored in segments and tables.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The outcome of a stored code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Passed),
            1 => Some(Self::Failed),
            2 => Some(Self::Errored),
            3 => Some(Self::Skipped),
            _ => None,
        }
    }

    /// Failed or errored: what blocks a merge.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Errored)
    }

    /// The character of an outcome strip: `.` `F` `E` `s`.
    #[must_use]
    pub const fn strip_char(self) -> char {
        match self {
            Self::Passed => '.',
            Self::Failed => 'F',
            Self::Errored => 'E',
            Self::Skipped => 's',
        }
    }

    /// The lower-case word used in JSON and in sentences.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
        }
    }
}

/// How many results had each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counts {
    /// All results.
    pub cases: u64,
    /// Results that passed, flaky ones included.
    pub passed: u64,
    /// Results with a failed assertion.
    pub failed: u64,
    /// Results that could not be carried out.
    pub errored: u64,
    /// Results that were not run.
    pub skipped: u64,
    /// Results that passed only after a failed attempt.
    pub flaky: u64,
}

impl Counts {
    /// Counts one more result.
    pub fn add(&mut self, outcome: Outcome, flaky: bool) {
        self.cases += 1;
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Errored => self.errored += 1,
            Outcome::Skipped => self.skipped += 1,
        }
        self.flaky += u64::from(flaky);
    }

    /// Adds the counts of another set of results.
    pub fn merge(&mut self, other: &Self) {
        self.cases += other.cases;
        self.passed += other.passed;
        self.failed += other.failed;
        self.errored += other.errored;
        self.skipped += other.skipped;
        self.flaky += other.flaky;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_code_word_and_sign() {
        for (code, outcome, word, sign, bad) in [
            (0, Outcome::Passed, "passed", '.', false),
            (1, Outcome::Failed, "failed", 'F', true),
            (2, Outcome::Errored, "errored", 'E', true),
            (3, Outcome::Skipped, "skipped", 's', false),
        ] {
            assert_eq!(outcome.code(), code);
            assert_eq!(Outcome::from_code(code), Some(outcome));
            assert_eq!((outcome.word(), outcome.strip_char()), (word, sign));
            assert_eq!(outcome.is_bad(), bad, "{word}");
            assert_eq!(Outcome::ALL[usize::from(code)], outcome);
        }
        assert_eq!(Outcome::from_code(4), None);
    }

    #[test]
    fn counts_add_up_by_outcome() {
        let mut counts = Counts::default();
        for (times, outcome) in [
            (1, Outcome::Passed),
            (2, Outcome::Failed),
            (3, Outcome::Errored),
            (4, Outcome::Skipped),
        ] {
            (0..times).for_each(|_| counts.add(outcome, false));
        }
        counts.add(Outcome::Passed, true);
        let wanted = Counts { cases: 11, passed: 2, failed: 2, errored: 3, skipped: 4, flaky: 1 };
        assert_eq!(counts, wanted);
        counts.merge(&Counts {
            cases: 100,
            passed: 10,
            failed: 20,
            errored: 30,
            skipped: 40,
            flaky: 50,
        });
        assert_eq!(
            counts,
            Counts { cases: 111, passed: 12, failed: 22, errored: 33, skipped: 44, flaky: 51 }
        );
    }
}
