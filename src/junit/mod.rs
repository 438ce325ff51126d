//! L1: JUnit XML to the model and back, pure: no file, no clock, no environment.
//!
//! [`read`] takes the bytes of one document and never fails: it returns what could be read and an
//! exact account of what could not. [`writer::write`] is the way back.
//!
//! | module | knows |
//! | --- | --- |
//! | `encoding` | bytes to text |
//! | `token`, `text`, `value`, `timestamp` | markup, references, numbers, times |
//! | `prolog`, `reader`, `element`, `children`, `case` | the structure, damage and repair |
//! | `producer`, [`identity`], `attempts`, `host`, `circumstances` | the dialects: who wrote it, who a test is, what repeats mean, where it ran |
//! | `names`, `known`, `bare`, `assembly` | the report while it grows |
//! | [`collector`] | the same for reports that were no XML |
//! | [`warning`], [`writer`] | findings; the way out |
//! | [`merge`] | several documents as one, and cases that no runner wrote |

mod assembly;
mod attempts;
mod bare;
mod case;
mod children;
mod circumstances;
pub mod collector;
mod element;
mod encoding;
mod host;
pub mod identity;
mod known;
mod masks;
pub mod merge;
mod names;
mod producer;
mod prolog;
mod reader;
mod text;
mod timestamp;
mod token;
mod value;
pub mod warning;
pub mod writer;

pub use warning::{Code, Level, Warning};

use crate::model::{Report, Started, Timestamp};

use encoding::Decoded;
use known::KnownTests;
use reader::{DocumentReader, Stop};
use warning::Findings;

/// What the reader may know about a document beyond its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOptions<'a> {
    /// Where the document came from; under `bazel-testlogs` the directory is the test's label.
    pub source_path: Option<&'a str>,
    /// The directory that makes `file=` attributes relative.
    pub repository_root: Option<&'a str>,
    /// The present, to tell times in the future; without it none is.
    pub now: Option<Timestamp>,
    /// The container of the document (an archive, a stream) was cut off.
    pub truncated: bool,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Read whole, nothing to say.
    Accept,
    /// Read whole, with warnings.
    Warn,
    /// Damaged or cut off: the whole cases before the damage were kept.
    Salvage,
    /// Not a report, or none of its cases was whole.
    Reject,
}

impl Verdict {
    /// The lower-case word used in JSON and in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Warn => "warn",
            Self::Salvage => "salvage",
            Self::Reject => "reject",
        }
    }
}

/// A document as far as it could be read, and an account of what could not.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The report; empty where the verdict is [`Verdict::Reject`].
    pub report: Report,
    /// What was found, in document order.
    pub warnings: Vec<Warning>,
    /// Findings beyond [`WARNINGS_MAX`](crate::model::limits::WARNINGS_MAX), which are only counted.
    pub warnings_dropped: u64,
    /// What became of the document.
    pub verdict: Verdict,
}

impl Reading {
    /// The code that says most: the worst finding, notes left aside.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        let codes = self.warnings.iter().map(|warning| warning.code);
        codes.filter(|code| code.level() != Level::Note).min()
    }
}

/// Reads one JUnit XML document, whatever its dialect and condition.
///
/// Never fails and never panics. Time is linear in the input; memory is bounded by the input and
/// [`limits`](crate::model::limits). Valid UTF-8 is not copied.
///
/// ```
/// use flakedb::junit::{read, ReadOptions, Verdict};
/// let reading = read(br#"<testsuite><testcase name="t" classname="a.B"/></testsuite>"#, &ReadOptions::default());
/// assert_eq!(reading.verdict, Verdict::Accept);
/// assert_eq!(reading.report.counts.passed, 1);
/// ```
#[must_use]
pub fn read(bytes: &[u8], options: &ReadOptions<'_>) -> Reading {
    Reader::within(0).read(bytes, options)
}

/// Reads one document after the other, and remembers the tests that it met: a report of a suite
/// that was read before takes a fraction of the time. What is read is that of [`read`].
///
/// ```
/// use flakedb::junit::{Reader, ReadOptions};
/// let document = br#"<testsuite><testcase name="t" classname="a.B"/></testsuite>"#;
/// let mut reader = Reader::within(1 << 20);
/// let first = reader.read(document, &ReadOptions::default());
/// let second = reader.read(document, &ReadOptions::default());
/// assert_eq!(first.report.results, second.report.results);
/// ```
#[derive(Debug)]
pub struct Reader {
    known: KnownTests,
}

impl Reader {
    /// A reader that uses about so many bytes to remember tests, which take about 150 each.
    #[must_use]
    pub fn within(bytes_max: usize) -> Self {
        Self { known: KnownTests::within(bytes_max) }
    }

    /// As [`read`].
    #[must_use]
    pub fn read(&mut self, bytes: &[u8], options: &ReadOptions<'_>) -> Reading {
        if bytes.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
            let message =
                "the file is empty: its writer died before it wrote; look at the runner's log";
            return refused(Code::Empty, message);
        }
        let decoded = match encoding::decode(bytes) {
            Ok(decoded) => decoded,
            Err(encoding::Undecodable(message)) => return refused(Code::Encoding, &message),
        };
        self.known.start(options.repository_root);
        let known = std::mem::take(&mut self.known);
        let mut document = DocumentReader::new(&decoded.text, options, known);
        for (code, at, message) in &decoded.findings {
            document.note(*code, *at, message.as_str());
        }
        if let Some(at) = first_control(decoded.text.as_bytes()) {
            let message = "a character that XML forbids; strip control characters from test output";
            document.note(Code::ControlChars, at, message);
        }
        let stopped = document.document().err();
        self.known = std::mem::take(&mut document.known);
        finish(document, stopped, &decoded)
    }
}

fn refused(code: Code, message: &str) -> Reading {
    let mut findings = Findings::default();
    findings.add(code, 0, String::new, message);
    let (warnings, warnings_dropped) = findings.place("", |_| 0);
    Reading { report: Report::default(), warnings, warnings_dropped, verdict: Verdict::Reject }
}

fn finish(
    document: DocumentReader<'_, '_>,
    stopped: Option<Stop>,
    decoded: &Decoded<'_>,
) -> Reading {
    let started = document.started();
    let options = document.options;
    let DocumentReader {
        mut assembly,
        mut findings,
        counts,
        text,
        facts,
        hosts,
        circumstances,
        ..
    } = document;
    if options.truncated && stopped.is_none() {
        let message = "the container of the report was cut off; upload it again";
        findings.add(Code::Truncated, text.len(), String::new, message);
    }
    let damaged = stopped.is_some() || options.truncated;
    let is_empty = counts.cases == 0 && assembly.report.suite_failures.is_empty();
    let refused = stopped == Some(Stop::Refused) || (damaged && is_empty);
    let report = if refused {
        Report::default()
    } else {
        assembly.report.counts = counts;
        assembly.report.started = started;
        assembly.report.complete = !damaged;
        assembly.report.name = root_name(facts.root);
        if assembly.report.producer.is_empty() {
            assembly.report.producer = producer::detect(&facts);
        }
        assembly.report.host = hosts.name(assembly.report.producer);
        let (shard, seed, workers) = circumstances.finish();
        (assembly.report.shard, assembly.report.seed) = (shard, seed);
        assembly.report.workers = workers;
        assembly.finish(&mut findings)
    };
    if !refused && is_empty {
        let message =
            "no test ran; if that is not meant, look for a load error in the runner's log";
        findings.add(Code::NoTests, 0, String::new, message);
    }
    let loud = findings.is_loud();
    let (warnings, warnings_dropped) = findings.place(text, |at| decoded.origin.original(text, at));
    let verdict = match (refused, damaged, loud || warnings_dropped > 0) {
        (true, _, _) => Verdict::Reject,
        (false, true, _) => Verdict::Salvage,
        (false, false, true) => Verdict::Warn,
        (false, false, false) => Verdict::Accept,
    };
    Reading { report, warnings, warnings_dropped, verdict }
}

fn root_name(attributes: &str) -> String {
    let raw = token::Attributes::find(attributes, "name").unwrap_or_default();
    let decoded = text::attribute(raw, &mut text::Oddities::default());
    text::name(&decoded, text::Bytes::of(&decoded)).into_owned()
}

impl DocumentReader<'_, '_> {
    /// The earliest start; an instant tells more than clock time without a zone.
    fn started(&self) -> Option<Started> {
        let utc = producer::naive_is_utc(self.assembly.report.producer);
        let naive = self.earliest_naive.map(|naive| timestamp::Moment::Naive(naive).started(utc));
        match (self.earliest_at, naive.flatten()) {
            (Some(at), Some(Started::At(naive))) => Some(Started::At(at.min(naive))),
            (Some(at), _) => Some(Started::At(at)),
            (None, naive) => naive,
        }
    }
}

/// The first control character but tab and line ends; whole blocks are looked at at once.
fn first_control(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 4096;
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(*byte, b'\t' | b'\n' | b'\r');
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        // Without an early exit the compiler turns this into vector instructions.
        let found = block.iter().fold(false, |found, byte| {
            found | ((*byte < 0x20) & (*byte != b'\t') & (*byte != b'\n') & (*byte != b'\r'))
        });
        if found && let Some(place) = block.iter().position(is_control) {
            return Some(index * BLOCK + place);
        }
    }
    None
}

/// A piece of input for a message: one line, at most 80 characters.
#[must_use]
pub fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 80;
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let mut out: String = text.chars().take(CHARACTERS_MAX).map(shown).collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod reading_tests;
