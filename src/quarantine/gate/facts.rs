//! What the gate knows about a run: plain data, collected elsewhere.

use crate::model::{Outcome, TestId, Timestamp, in_variant};

use super::expected::Expected;
use super::news::News;
use super::record::Record;
use super::runners::RunnerFact;

/// A shell reports a child that a signal ended as this much and the signal's number.
const SIGNAL_BASE: i32 = 128;
/// The largest signal number of Linux.
const SIGNAL_MAX: i32 = 64;
/// What `timeout` of GNU coreutils exits with when the time is up.
const TIMED_OUT: u8 = 124;
/// What a shell, `env` and `timeout` exit with where a command was found and could not be started.
const NOT_EXECUTABLE: u8 = 126;
/// And where it was not found.
const NOT_FOUND: u8 = 127;

/// How a runner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal, or with the code by which a shell reports it.
    Signalled(i32),
    /// It was stopped because its time was up.
    TimedOut,
    /// It was found and could not be started.
    NotExecutable,
    /// It was not found.
    NotFound,
}

impl Ending {
    /// What an exit code says by the conventions of shells and of `timeout`: 124 is a timeout, 126
    /// and 127 a command that never ran, 129 to 192 a signal.
    ///
    /// ```
    /// use flakedb::quarantine::gate::Ending;
    /// assert_eq!(Ending::of_code(1), Ending::Exited(1));
    /// assert_eq!(Ending::of_code(137), Ending::Signalled(9));
    /// assert_eq!(Ending::of_code(124), Ending::TimedOut);
    /// ```
    #[must_use]
    pub const fn of_code(code: i32) -> Self {
        match code {
            124 => Self::TimedOut,
            126 => Self::NotExecutable,
            127 => Self::NotFound,
            code if code > SIGNAL_BASE && code <= SIGNAL_BASE + SIGNAL_MAX => {
                Self::Signalled(code - SIGNAL_BASE)
            }
            code => Self::Exited(code),
        }
    }

    /// The exit code that passes this ending on; 0 only for a runner that exited with 0.
    ///
    /// What does not fit into the eight bits of a POSIX exit code becomes 255.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(code) => u8::try_from(code).unwrap_or(u8::MAX),
            Self::Signalled(signal) => {
                let code = signal.saturating_add(SIGNAL_BASE);
                u8::try_from(code).ok().filter(|code| *code > 0).unwrap_or(u8::MAX)
            }
            Self::TimedOut => TIMED_OUT,
            Self::NotExecutable => NOT_EXECUTABLE,
            Self::NotFound => NOT_FOUND,
        }
    }
}

/// Everything that the decision rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// How the runner ended.
    pub ending: Ending,
    /// How each retry of what had failed ended, in order.
    pub retries: Vec<Ending>,
    /// Which runner it was, as far as that is known.
    pub runner: RunnerFact,
    /// When the tests started, where somebody said so.
    pub started: Option<Timestamp>,
    /// Every report, and every input that should have been one.
    pub reports: Vec<ReportFact>,
    /// Tests that failed or were retried, by name.
    pub tests: Vec<TestFact>,
    /// What became of the list.
    pub list: ListFact,
    /// What became of the history.
    pub history: HistoryFact,
    /// The tests that should have run.
    pub expected: Expected,
    /// What kept us from our own work (an unreadable configuration), in words.
    pub trouble: Vec<String>,
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFact {
    /// The file, as named to people.
    pub file: String,
    /// Whether it was written by this run.
    pub freshness: Freshness,
    /// What is wrong with it, the worst first.
    pub flaws: Vec<Flaw>,
}

/// Whether a report was written by this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// All that is known of it is later than the start.
    Fresh,
    /// The file was last written before the start.
    OldFile {
        /// When it was written.
        written: Timestamp,
    },
    /// The report itself says that its tests started before the start.
    OldClock {
        /// What the report says, in its own words.
        says: String,
    },
    /// The history has the same bytes from an earlier run.
    KnownBytes {
        /// When that run started.
        run: Timestamp,
    },
    /// Nothing tells, as for a pipe, or because no start was given.
    Unknown,
}

/// What is wrong with a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing of it can be used.
    Unreadable {
        /// The stable code of the reader.
        code: String,
        /// What is wrong, and the mend.
        message: String,
    },
    /// Cut off or damaged: some tests were lost.
    Damaged {
        /// The stable code of the reader.
        code: String,
        /// What is wrong, and the mend.
        message: String,
    },
    /// Not a single test.
    Empty,
    /// Declared counts differ from what it shows.
    Counts {
        /// How they differ.
        message: String,
    },
    /// A suite failed outside its tests.
    SuiteError {
        /// The suite, or empty.
        suite: String,
        /// What happened, in one line.
        message: String,
    },
    /// So many cases without a name, which no entry can cover.
    Nameless(u64),
}

/// One test that failed or was retried.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFact {
    /// Its identity.
    pub id: TestId,
    /// As it is printed and typed.
    pub label: String,
    /// The matrix cell as printed; empty for none.
    pub variant: String,
    /// Its source file, or empty.
    pub file: String,
    /// The line of the failure in that file, where its text names it.
    pub line: Option<u32>,
    /// Who owns it, by the entry or else by CODEOWNERS.
    pub owners: Vec<String>,
    /// The outcome of the first round, before anything was retried by us.
    pub first: Outcome,
    /// The outcome in the end.
    pub outcome: Outcome,
    /// Why it failed, in one line; empty where the report does not say.
    pub headline: String,
    /// Whether an entry covers it.
    pub cover: CoverFact,
    /// What it did before, this run included.
    pub record: Record,
    /// What is new about it.
    pub news: News,
}

impl TestFact {
    /// True where it failed in the end.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        self.outcome.is_bad()
    }

    /// The test with its variant, as it is printed.
    #[must_use]
    pub fn name(&self) -> String {
        in_variant(&self.label, &self.variant)
    }
}

/// Whether an entry covers a test.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CoverFact {
    /// No entry names it.
    #[default]
    None,
    /// A rule says that it may never be quarantined.
    Never(Entry),
    /// A rule says that it always is.
    Always(Entry),
    /// A live entry.
    Live(Entry),
    /// An entry that has expired.
    Expired(Entry),
}

impl CoverFact {
    /// True where a failure of the test is excused.
    #[must_use]
    pub const fn excuses(&self) -> bool {
        matches!(self, Self::Always(_) | Self::Live(_))
    }

    /// The entry or rule, whatever it says.
    #[must_use]
    pub const fn entry(&self) -> Option<&Entry> {
        match self {
            Self::None => None,
            Self::Never(entry) | Self::Always(entry) | Self::Live(entry) | Self::Expired(entry) => {
                Some(entry)
            }
        }
    }
}

/// An entry or a rule of the list, as far as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Where it stands, `quarantine.toml:12`; empty where it stands in no file.
    pub place: String,
    /// Who should mend the test.
    pub owner: Option<String>,
    /// Why it is there.
    pub reason: String,
    /// Where the work is tracked.
    pub ticket: Option<String>,
    /// The last day on which it holds, such as `2026-12-01`.
    pub expires: Option<String>,
}

/// What became of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListFact {
    /// It was read.
    Read {
        /// Where it stands, as people type it.
        file: String,
    },
    /// There is none.
    Absent,
    /// It is there and cannot be used.
    Unreadable {
        /// What is wrong, with file and line.
        message: String,
    },
}

/// What became of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryFact {
    /// It was read.
    Read,
    /// There is none.
    Absent,
    /// It is there and cannot be used.
    Unusable {
        /// What is wrong, and the mend.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_mean_what_shells_mean_by_them() {
        for (code, ending) in [
            (0, Ending::Exited(0)),
            (1, Ending::Exited(1)),
            (123, Ending::Exited(123)),
            (124, Ending::TimedOut),
            (125, Ending::Exited(125)),
            (126, Ending::NotExecutable),
            (127, Ending::NotFound),
            (128, Ending::Exited(128)),
            (129, Ending::Signalled(1)),
            (137, Ending::Signalled(9)),
            (139, Ending::Signalled(11)),
            (143, Ending::Signalled(15)),
            (192, Ending::Signalled(64)),
            (193, Ending::Exited(193)),
            (255, Ending::Exited(255)),
        ] {
            assert_eq!(Ending::of_code(code), ending);
            assert_eq!(i32::from(ending.code()), code);
        }
    }

    #[test]
    fn what_does_not_fit_is_never_zero() {
        for code in [256, 512, -1, -256, i32::MIN, i32::MAX, -1_073_741_819] {
            assert_eq!(Ending::of_code(code).code(), 255, "{code}");
        }
        for signal in [-128, 128, i32::MAX, i32::MIN] {
            assert_eq!(Ending::Signalled(signal).code(), 255, "{signal}");
        }
    }

    proptest! {
        #[test]
        fn only_zero_is_zero(code in any::<i32>(), signal in any::<i32>()) {
            prop_assert_eq!(Ending::of_code(code).code() == 0, code == 0);
            prop_assert_ne!(Ending::Signalled(signal).code(), 0);
        }
    }

    #[test]
    fn only_live_entries_and_standing_rules_excuse() {
        let entry = Entry::default;
        let covers = [
            (CoverFact::None, false),
            (CoverFact::Never(entry()), false),
            (CoverFact::Always(entry()), true),
            (CoverFact::Live(entry()), true),
            (CoverFact::Expired(entry()), false),
        ];
        for (cover, excuses) in covers {
            assert_eq!(cover.excuses(), excuses, "{cover:?}");
            assert_eq!(cover.entry().is_some(), cover != CoverFact::None);
        }
    }
}
