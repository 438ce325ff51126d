//! The elements that are open while a document is read, and the path to the innermost.

use crate::model::VariantIndex;

use super::case::OpenCase;
use super::circumstances::Worker;
use super::text::{self, Oddities};

/// An open element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    Root,
    Suite,
    Case,
    Properties,
    /// An element without a meaning of its own: what stands in it counts.
    Other,
}

/// An open suite.
#[derive(Debug, Default)]
pub(super) struct OpenSuite<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) hostname: Option<&'a str>,
    pub(super) file: Option<&'a str>,
    pub(super) attributes: &'a str,
    pub(super) ordinal: u32,
    /// How many suites and cases stood directly in it so far.
    pub(super) suites: u32,
    pub(super) cases: u32,
    /// The dialect variant of its cases, once one was met.
    pub(super) variant: Option<Option<VariantIndex>>,
    /// The worker of its cases, where it names one.
    pub(super) worker: Worker,
    /// How many results there were when it began.
    pub(super) first_result: usize,
}

/// The open elements, such as `testsuites/testsuite[1]("s")/testcase[3]("t")`.
pub(super) fn path(frames: &[Frame], suites: &[OpenSuite<'_>], cases: &[OpenCase<'_>]) -> String {
    let mut parts = Vec::with_capacity(frames.len());
    let (mut suites, mut cases) = (suites.iter(), cases.iter());
    for frame in frames {
        let (element, ordinal, name) = match frame {
            Frame::Root => {
                parts.push("testsuites".to_owned());
                continue;
            }
            Frame::Suite => match suites.next() {
                Some(suite) => ("testsuite", suite.ordinal, suite.name),
                None => continue,
            },
            Frame::Case => match cases.next() {
                Some(case) => ("testcase", case.ordinal, case.name),
                None => continue,
            },
            Frame::Properties | Frame::Other => continue,
        };
        let name = text::attribute(name.unwrap_or_default(), &mut Oddities::default());
        parts.push(format!("{element}[{ordinal}](\"{}\")", super::shortened(&name)));
    }
    parts.join("/")
}
