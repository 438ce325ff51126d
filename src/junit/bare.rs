//! The short way for what nearly all of a report is: `<testcase …/>`, passed, of a test that was met
//! before.
//!
//! Whatever is odd about a case in any way is left to the long way, before anything is changed.

use crate::model::{Outcome, limits};

use super::attempts::Record;
use super::circumstances::Worker;
use super::element::path;
use super::known::RawNames;
use super::reader::DocumentReader;
use super::value;

impl DocumentReader<'_, '_> {
    /// Reads the case that comes next, where it is such a one.
    #[inline]
    pub(super) fn bare_case(&mut self) -> bool {
        let is_place = !self.frames.is_empty()
            && self.frames.len() < limits::DEPTH_MAX
            && self.cases.is_empty()
            && !self.names.is_odd();
        let Some(suites) = self.names.suites_no.filter(|_| is_place) else { return false };
        let Some((case, length)) = self.tokens.bare_case() else { return false };
        let raw = RawNames { class: case.classname, file: case.file, name: case.name };
        let longest = raw.class.len().max(raw.name.len());
        let time = value::seconds(case.time);
        if time.oddity.is_some() || longest > limits::NAME_BYTES_MAX {
            return false;
        }
        let Some(test) = self.known.find(suites, raw) else {
            self.names.unknown_at = Some(case.at);
            return false;
        };
        let record = Record {
            outcome: Outcome::Passed,
            duration: time.value,
            failure: None,
            attempts: Vec::new(),
            is_bare: true,
            is_marked: false,
        };
        let place = self.assembly.report.results.len();
        let siblings =
            self.suites.last_mut().map_or(&mut self.root_cases, |suite| &mut suite.cases);
        *siblings = siblings.saturating_add(1);
        self.counts.add(Outcome::Passed, false);
        let path = || path(&self.frames, &self.suites, &self.cases);
        self.assembly.add(&test, None, record, case.at, path);
        if self.assembly.report.results.len() > place {
            self.circumstances.place(place, Worker::default(), &self.suites);
        }
        self.tokens.skip(length);
        true
    }
}
