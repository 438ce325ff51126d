//! What is wrong with the quarantine list.

use serde::Serialize;

use crate::quarantine::lint::Finding;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingView {
    /// The line of the file, from 1.
    pub line: u64,
    /// The stable code.
    pub code: &'static str,
    /// The test or the pattern; empty for the list as a whole.
    pub test: String,
    /// What is wrong, as a sentence.
    pub message: String,
    /// What would be right.
    pub mend: String,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        Self {
            line: finding.line as u64,
            code: finding.code.word(),
            test: finding.target.clone(),
            message: finding.message.clone(),
            mend: finding.mend.clone(),
        }
    }
}

/// What is wrong with the list: `flakedb quarantine lint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LintView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The file.
    pub list: String,
    /// The day on which terms were looked at, in UTC.
    pub today: String,
    /// Entries of the file.
    pub entries: u64,
    /// Rules of the file.
    pub rules: u64,
    /// What is wrong, in the order of the file.
    pub findings: Vec<FindingView>,
    /// What could not be looked at.
    pub notes: Vec<String>,
}

impl LintView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.quarantine-lint.v1";
}

impl Default for LintView {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA,
            list: String::new(),
            today: String::new(),
            entries: 0,
            rules: 0,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }
}
