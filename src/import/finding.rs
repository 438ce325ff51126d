//! What is to be said about an imported document: stable codes, places and mends.

use std::fmt;

use crate::junit::Level;
use crate::model::limits;

macro_rules! codes {
    ($($name:ident $text:literal $level:ident $explanation:literal;)*) => {
        /// A kind of finding; its text never changes once released.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $explanation] $name,)*
        }

        impl Code {
            /// All codes, worst first.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable upper-case text, such as `BAD_LINE`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How bad findings of this kind are.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)* }
            }

            /// One sentence on what the code means.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => $explanation,)* }
            }
        }
    };
}

codes! {
    Empty "EMPTY" Invalid "The document has no content; its writer died before the first byte.";
    WrongFormat "WRONG_FORMAT" Invalid "The document is not of the format that it is read as.";
    Truncated "TRUNCATED" Invalid "The document was cut off; only what was whole was kept.";
    Malformed "MALFORMED" Invalid "The document is no valid JSON or XML; only what came before the damage was kept.";
    BadLine "BAD_LINE" Invalid "A line is no run and was left out; the others were read.";
    BadResult "BAD_RESULT" Invalid "A result cannot be understood and was left out.";
    TestsFull "TESTS_FULL" Invalid "The names of the tests exceed what one run can hold.";
    NoRuns "NO_RUNS" Invalid "The document holds no run.";
    NoTests "NO_TESTS" Suboptimal "A run without a single test.";
    NoBuild "NO_BUILD" Suboptimal "The record of the build is not beside its results.";
    NoStart "NO_START" Suboptimal "A run does not say when it started, so its place in the document orders it.";
    BadTime "BAD_TIME" Suboptimal "A duration is negative or longer than a year.";
    NoName "NO_NAME" Suboptimal "A test without a name is counted, but has no history.";
    AmbiguousId "AMBIGUOUS_ID" Suboptimal "Results of one test disagree in a way that no retry explains.";
    InvalidUtf8 "INVALID_UTF8" Suboptimal "Bytes that are not UTF-8 were replaced by U+FFFD.";
    MadeUp "MADE_UP" Note "The document does not say something that a history needs, so it was made up.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One finding and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is.
    pub code: Code,
    /// Line of the place, from 1; 0 where the whole document is meant.
    pub line: u32,
    /// Column of the place in characters, from 1; 0 where the whole line is meant.
    pub column: u32,
    /// What is wrong, and the mend.
    pub message: String,
}

/// Findings as they are met.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    dropped: u64,
}

impl Findings {
    pub(super) fn add(&mut self, code: Code, line: u32, column: u32, message: impl Into<String>) {
        self.push(Finding { code, line, column, message: message.into() });
    }

    pub(super) fn push(&mut self, finding: Finding) {
        if self.kept.len() < limits::WARNINGS_MAX {
            self.kept.push(finding);
        } else {
            self.dropped += 1;
        }
    }

    /// True where a finding of this kind is kept.
    pub(super) fn has(&self, code: Code) -> bool {
        self.kept.iter().any(|finding| finding.code == code)
    }

    /// True where something was lost.
    pub(super) fn is_invalid(&self) -> bool {
        self.kept.iter().any(|finding| finding.code.level() == Level::Invalid)
    }

    pub(super) fn finish(mut self) -> (Vec<Finding>, u64) {
        self.kept.sort_by_key(|finding| (finding.line, finding.column));
        (self.kept, self.dropped)
    }
}
