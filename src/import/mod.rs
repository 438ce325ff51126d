//! L1: histories and reports that are no JUnit XML, from bytes to runs, pure.
//!
//! [`Format::detect`] tells by content what a document is, [`Format::read`] hands out its runs one
//! by one and ends with an account of what could not be read. What is wrong with one run never
//! hides the others. One file for each format and one row of [`FORMATS`].
//!
//! Identity and the meaning of repeats are those of `junit`, so that a test has one history whether
//! its results came as XML or by one of these ways. Knows nothing of files, of the environment, of
//! the run that is going on now, or of the store.

mod ctrf;
mod draft;
pub mod finding;
pub mod jenkins;
mod jsonl;
mod lenient;
mod name;
mod pytest_flaky;
mod pytest_json;
mod shape;
mod tree;

pub use finding::{Code, Finding};

use crate::junit::{Level, Verdict};
use crate::model::{Facts, Report, ReportHash, Started};

use finding::Findings;
use shape::Shape;

/// One document to be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source<'a> {
    /// Its bytes, unpacked.
    pub bytes: &'a [u8],
    /// The container of the document (an archive, a stream) was cut off.
    pub truncated: bool,
    /// Where it came from, for formats whose folders say something.
    pub path: Option<&'a str>,
    /// The file that [`Format::companion`] names, from beside it.
    pub companion: Option<&'a [u8]>,
}

/// One run, as a document tells of it.
#[derive(Debug, Clone)]
pub struct Run {
    /// What the document says about the run, its start aside.
    pub facts: Facts,
    /// When it started.
    pub started: Option<Started>,
    /// Its place in the document, which orders runs without a start.
    pub place: u32,
    /// The hash of everything that it was made of: the same run read again is known.
    pub hash: ReportHash,
    /// What became of its tests.
    pub report: Report,
}

/// Takes over one run; called from many threads, in no order.
pub type Sink<'a> = &'a (dyn Fn(Run) + Sync);

/// How a document was read.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// What was found, in document order.
    pub findings: Vec<Finding>,
    /// Findings beyond [`WARNINGS_MAX`](crate::model::limits::WARNINGS_MAX), which are only counted.
    pub findings_dropped: u64,
    /// The runs that were handed out.
    pub runs: u64,
}

impl Account {
    /// The worst that happened, in the words of the XML reader.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let worst = self.findings.iter().map(|finding| finding.code.level()).min();
        match (self.runs, worst) {
            (0, _) => Verdict::Reject,
            (_, Some(Level::Invalid)) => Verdict::Salvage,
            (_, Some(Level::Suboptimal)) => Verdict::Warn,
            (_, Some(Level::Note) | None) => Verdict::Accept,
        }
    }
}

/// What a document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The report of one run, most often of the one that is going on now.
    Report,
    /// One run of the past.
    Past,
    /// Runs of the past.
    History,
}

type Reader = fn(&Source<'_>, &mut Findings, Sink<'_>) -> u64;

/// A format, as a row of [`FORMATS`].
#[derive(Debug)]
pub struct Format {
    /// The word that selects it.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// What one document of it holds.
    pub extent: Extent,
    /// How the names of such files end; a name that is listed as a whole may begin with a dot.
    pub file_names: &'static [&'static str],
    /// A file that lies beside such a document and says more about its run.
    pub companion: Option<&'static str>,
    sniff: fn(&Shape) -> bool,
    reader: Reader,
}

/// All formats but JUnit XML, in the order in which they are tried.
pub const FORMATS: &[Format] =
    &[jsonl::FORMAT, ctrf::FORMAT, pytest_json::FORMAT, pytest_flaky::FORMAT, jenkins::FORMAT];

impl Format {
    /// The format of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// The format that a document looks like; `None` where it is none of these.
    #[must_use]
    pub fn detect(bytes: &[u8]) -> Option<&'static Self> {
        if jenkins::is_result(bytes) {
            return Self::from_name(jenkins::FORMAT.name);
        }
        let shape = Shape::of(bytes)?;
        FORMATS.iter().find(|format| (format.sniff)(&shape))
    }

    /// Reads a document and hands each of its runs to `sink`.
    ///
    /// Never fails and never panics.
    #[must_use]
    pub fn read(&self, source: &Source<'_>, sink: Sink<'_>) -> Account {
        let mut findings = Findings::default();
        let bytes = shape::utf8(source.bytes);
        let runs = if bytes.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
            let message = "the file is empty: its writer died before it wrote; write it again";
            findings.add(Code::Empty, 0, 0, message);
            0
        } else {
            (self.reader)(&Source { bytes: &bytes, ..*source }, &mut findings, sink)
        };
        let (findings, findings_dropped) = findings.finish();
        Account { findings, findings_dropped, runs }
    }
}

/// True for a file that stands beside documents and is none itself.
#[must_use]
pub fn is_companion(bytes: &[u8]) -> bool {
    jenkins::is_record(bytes)
}

#[cfg(test)]
mod tests;
