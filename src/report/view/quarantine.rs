//! The quarantine list.

use serde::Serialize;

/// One line of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct QuarantineEntry {
    /// The test, or the pattern, as it is printed and typed.
    pub test: String,
    /// The matrix cell; empty where all are meant.
    pub variant: String,
    /// The test's identity in hexadecimal; empty for a pattern.
    pub id: String,
    /// The test's source file; empty where unknown.
    pub file: String,
    /// Who cares for it.
    pub owner: Option<String>,
    /// Why it is here.
    pub reason: String,
    /// Where the repair is tracked.
    pub ticket: Option<String>,
    /// The day it came in.
    pub since: Option<String>,
    /// The day it must be out.
    pub expires: Option<String>,
}

/// The quarantine list: `flakedb quarantine`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// Which runs were looked at, in words.
    pub window: String,
    /// Where the list comes from: a file, or the method's recommendation.
    pub source: String,
    /// The entries, most harmful first.
    pub entries: Vec<QuarantineEntry>,
    /// Tests that qualify but exceed the cap.
    pub left_out: u64,
    /// The cap.
    pub cap: Option<u64>,
    /// Remarks, such as entries that a runner cannot express.
    pub notes: Vec<String>,
}

impl QuarantineView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.quarantine.v1";
}

impl Default for QuarantineView {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA,
            project: String::new(),
            window: String::new(),
            source: String::new(),
            entries: Vec::new(),
            left_out: 0,
            cap: None,
            notes: Vec::new(),
        }
    }
}
