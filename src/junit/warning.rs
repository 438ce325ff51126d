//! What a reader has to say about a document: stable codes, places and mends.

use std::fmt;

use crate::model::limits;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The document breaks the format: something was, or may have been, lost.
    Invalid,
    /// The document was read whole, but its producer should be set up better.
    Suboptimal,
    /// Worth knowing; nothing to mend.
    Note,
}

impl Level {
    /// The lower-case word used in JSON and in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Suboptimal => "sub-optimal",
            Self::Note => "note",
        }
    }
}

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

            /// The stable upper-case text, such as `COUNT_MISMATCH`.
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
    Html "HTML" Invalid "The document is a web page, most often an error page of a proxy or CDN.";
    NotXml "NOT_XML" Invalid "The document has no XML element.";
    NotJunit "NOT_JUNIT" Invalid "The root element is neither `<testsuites>` nor `<testsuite>`.";
    Entity "ENTITY" Invalid "The document declares entities, which are never expanded.";
    TooDeep "DEPTH" Invalid "Elements are nested beyond the limit.";
    Malformed "MALFORMED" Invalid "The markup is broken; only the cases before the damage were kept.";
    Truncated "TRUNCATED" Invalid "The document was cut off; only its whole cases were kept.";
    SuiteError "SUITE_ERROR" Suboptimal "A suite failed outside its tests, so some tests may not have run.";
    CountMismatch "COUNT_MISMATCH" Suboptimal "Declared counts are unreadable or exceed what the document shows.";
    NoTests "NO_TESTS" Suboptimal "The document is a report without a single test.";
    NotRun "NOT_RUN" Suboptimal "A test that could not be started is written as skipped.";
    DuplicateId "DUPLICATE_ID" Suboptimal "Several records share one test identity.";
    AmbiguousId "AMBIGUOUS_ID" Suboptimal "Records of one identity disagree in a way that no retry explains.";
    MultiRoot "MULTI_ROOT" Suboptimal "Several documents were written into one.";
    JunkBefore "JUNK_BEFORE" Suboptimal "Other output stands before the report.";
    JunkAfter "JUNK_AFTER" Suboptimal "Other output stands after the report.";
    Encoding "ENCODING" Suboptimal "The bytes are not in the encoding that the document declares.";
    InvalidUtf8 "INVALID_UTF8" Suboptimal "Bytes that are not UTF-8 were replaced by U+FFFD.";
    ControlChars "CONTROL_CHARS" Suboptimal "The document holds characters that XML 1.0 forbids.";
    Repaired "REPAIRED" Suboptimal "Broken markup was read by its evident meaning.";
    LongName "LONG_NAME" Suboptimal "A name is longer than any real one, or an element has far too many attributes.";
    Doctype "DOCTYPE" Suboptimal "A document type declaration was ignored; nothing was fetched.";
    BadTimestamp "BAD_TIMESTAMP" Suboptimal "A time of day is unreadable, impossible or in the future.";
    BadTime "BAD_TIME" Suboptimal "A duration is unreadable, negative, infinite or longer than a year.";
    NoName "NO_NAME" Suboptimal "A test without a name is counted, but has no history.";
    TooManyAttempts "TOO_MANY_ATTEMPTS" Suboptimal "One test has more records than are kept.";
    TestsFull "TESTS_FULL" Invalid "The names of the tests exceed what one report can hold.";
    NestedCase "NESTED_CASE" Note "A test stands inside another test; both are counted.";
    MissingTests "MISSING_TESTS" Note "More tests are declared than shown; some runners count other things.";
    PropertiesCut "PROPERTIES_CUT" Note "The document has more properties than are kept.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One finding and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What kind of finding it is.
    pub code: Code,
    /// Bytes before the place, in the input as given; a close guess where the input had to be
    /// decoded with replacements.
    pub offset: u64,
    /// Line of the place, from 1.
    pub line: u32,
    /// Column of the place in characters, from 1.
    pub column: u32,
    /// The element, such as `testsuites/testsuite[1]("s")/testcase[3]("t")`; empty outside.
    pub path: String,
    /// What is wrong, and the mend.
    pub message: String,
}

/// Findings as they are met, with offsets into the decoded text only.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    dropped: u64,
}

#[derive(Debug)]
struct Finding {
    code: Code,
    at: usize,
    path: String,
    message: String,
}

impl Findings {
    /// Keeps a finding; `path` is asked for only while there is room.
    pub(super) fn add(
        &mut self,
        code: Code,
        at: usize,
        path: impl FnOnce() -> String,
        message: impl Into<String>,
    ) {
        // Findings that decide the verdict are few and must never be crowded out.
        if self.kept.len() >= limits::WARNINGS_MAX && code.level() != Level::Invalid {
            self.dropped += 1;
            return;
        }
        self.kept.push(Finding { code, at, path: path(), message: message.into() });
    }

    /// True where a finding of this kind is kept.
    pub(super) fn has(&self, code: Code) -> bool {
        self.kept.iter().any(|finding| finding.code == code)
    }

    /// True where anything worse than a note was found.
    pub(super) fn is_loud(&self) -> bool {
        self.kept.iter().any(|finding| finding.code.level() != Level::Note)
    }

    /// Forgets everything but findings of `code`, once that one explains all others.
    pub(super) fn keep_only(&mut self, code: Code) {
        self.kept.retain(|finding| finding.code == code);
        self.dropped = 0;
    }

    /// Gives every finding its line and column in one pass over the text.
    ///
    /// `original` maps an offset in the decoded text to one in the input.
    pub(super) fn place(
        mut self,
        text: &str,
        original: impl Fn(usize) -> u64,
    ) -> (Vec<Warning>, u64) {
        self.kept.sort_by_key(|finding| finding.at);
        let mut cursor = Cursor { text, at: 0, line: 1, column: 1 };
        let warnings = self.kept.into_iter().map(|finding| {
            cursor.advance(finding.at);
            Warning {
                code: finding.code,
                offset: original(finding.at),
                line: cursor.line,
                column: cursor.column,
                path: finding.path,
                message: finding.message,
            }
        });
        (warnings.collect(), self.dropped)
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    column: u32,
}

impl Cursor<'_> {
    fn advance(&mut self, to: usize) {
        let to = boundary_before(self.text, to);
        let bytes = self.text.as_bytes();
        let Some(stretch) = bytes.get(self.at..to) else { return };
        for (index, &byte) in stretch.iter().enumerate() {
            let at = self.at + index;
            let after_cr = at > 0 && bytes.get(at - 1) == Some(&b'\r');
            match byte {
                b'\n' if after_cr => self.column = 1,
                b'\n' | b'\r' => {
                    self.line = self.line.saturating_add(1);
                    self.column = 1;
                }
                // Continuation bytes belong to the character before them.
                0x80..=0xBF => {}
                _ => self.column = self.column.saturating_add(1),
            }
        }
        self.at = to;
    }
}

/// The nearest character boundary at or before `index`; std's own is newer than our Rust version.
fn boundary_before(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index).rev().find(|&place| text.is_char_boundary(place)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_say_something() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.explanation().ends_with('.'), "{code}");
            assert!(
                code.as_str()
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            );
        }
    }

    #[test]
    fn levels_and_codes_are_printed_by_their_words() {
        let words = [Level::Invalid, Level::Suboptimal, Level::Note].map(Level::word);
        assert_eq!(words, ["invalid", "sub-optimal", "note"]);
        assert_eq!(Code::BadTime.to_string(), "BAD_TIME");
    }

    #[test]
    fn findings_of_one_kind_are_asked_for_and_kept_alone() {
        let mut findings = Findings::default();
        findings.add(Code::BadTime, 3, String::new, "a");
        findings.add(Code::NotXml, 5, String::new, "b");
        assert!(findings.has(Code::BadTime) && !findings.has(Code::Doctype));
        findings.keep_only(Code::NotXml);
        let (warnings, dropped) = findings.place("0123456", |at| at as u64);
        let kept: Vec<_> = warnings.iter().map(|one| (one.code, one.column)).collect();
        assert_eq!((kept.as_slice(), dropped), ([(Code::NotXml, 6)].as_slice(), 0));
    }

    #[test]
    fn places_count_characters_and_every_kind_of_line_end() {
        let text = "a\r\nüb\rc\nd";
        let mut findings = Findings::default();
        for at in [9, 0, 5, 3, 6] {
            findings.add(Code::BadTime, at, String::new, "");
        }
        let (warnings, _) = findings.place(text, |at| at as u64);
        let places: Vec<_> = warnings.iter().map(|w| (w.line, w.column)).collect();
        assert_eq!(places, [(1, 1), (2, 1), (2, 2), (2, 3), (4, 1)]);
    }

    #[test]
    fn too_many_findings_are_counted_but_the_worst_is_kept() {
        let mut findings = Findings::default();
        for _ in 0..limits::WARNINGS_MAX + 5 {
            findings.add(Code::BadTime, 0, String::new, "");
        }
        findings.add(Code::Truncated, 0, String::new, "");
        assert!(findings.has(Code::Truncated));
        let (warnings, dropped) = findings.place("", |_| 0);
        assert_eq!((warnings.len(), dropped), (limits::WARNINGS_MAX + 1, 5));
    }
}
