//! How a test last failed, and where.

use serde::Serialize;

use super::super::location::{self, Location};
use crate::model::{Failure, Outcome};

/// How a test last failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LatestFailureView {
    /// When the run started.
    pub started: String,
    /// Failed or errored.
    pub outcome: Outcome,
    /// The exception or assertion type; may be empty.
    pub kind: String,
    /// The line that says most; may be empty.
    pub headline: String,
    /// Where the failure's text names the file of the test; null where it does not.
    pub location: Option<Location>,
    /// The failure's whole text, for formats that hold it; JSON has it in `flakedb show`.
    #[serde(skip)]
    pub text: String,
}

impl LatestFailureView {
    /// Describes the failure of a test that stands in `file`, or where that is empty in what
    /// `classname` names.
    #[must_use]
    pub fn new(
        failure: &Failure,
        outcome: Outcome,
        started: String,
        file: &str,
        classname: &str,
    ) -> Self {
        let location = location::find(&failure.text, file, classname)
            .or_else(|| location::find(&failure.message, file, classname));
        Self {
            started,
            outcome,
            kind: failure.kind.clone(),
            headline: failure.headline().to_owned(),
            location,
            text: if failure.text.is_empty() { &failure.message } else { &failure.text }.clone(),
        }
    }
}
