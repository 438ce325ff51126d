//! What an ingest did.

use serde::Serialize;

use super::FileVerdict;
use crate::model::{Counts, RunContext};

/// A file that could not be read, or not in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileProblem {
    /// The file as it was found, archives as `a.zip!/b.xml`.
    pub file: String,
    /// What became of it.
    pub verdict: FileVerdict,
    /// The stable code of the problem.
    pub code: String,
    /// Where in the file, from 1; 0 where the whole file is meant.
    pub line: u32,
    /// The character in that line, from 1; 0 where the whole file is meant.
    pub column: u32,
    /// What is wrong, and the mend.
    pub message: String,
}

/// Where time went.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Phase {
    /// What was done, such as `read and parse`.
    pub name: &'static str,
    /// How long it took, in seconds of wall-clock time.
    pub seconds: f64,
}

/// What an ingest did: `flakedb ingest`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IngestView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The history that it went to.
    pub history: String,
    /// The projects it went to, sorted.
    pub projects: Vec<String>,
    /// The run, where all reports belong to one by the same context.
    pub run: Option<RunContext>,
    /// Reports that were found.
    pub files: u64,
    /// Their size after decompression.
    pub bytes: u64,
    /// The formats other than JUnit XML that were among them, sorted.
    pub formats: Vec<&'static str>,
    /// Reports that were refused.
    pub rejected: u64,
    /// Reports of which only the whole cases were kept.
    pub salvaged: u64,
    /// Files that are no JUnit reports and were found, not named.
    pub passed_over: u64,
    /// Reports that are new in the history.
    pub reports_new: u64,
    /// Reports that were there already.
    pub reports_known: u64,
    /// Runs that are new in the history.
    pub runs_new: u64,
    /// Runs that got more reports.
    pub runs_extended: u64,
    /// Tests that are new in the history.
    pub tests_new: u64,
    /// Distinct failures that are new in the history.
    pub failures_new: u64,
    /// The results of all readable reports by outcome.
    pub results: Counts,
    /// Warnings about the reports.
    pub warnings: u64,
    /// What went wrong, most severe first.
    pub problems: Vec<FileProblem>,
    /// Remarks about the context, such as where the revision came from.
    pub notes: Vec<String>,
    /// Where time went; printed when asked for.
    pub phases: Vec<Phase>,
}

impl IngestView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.ingest.v1";
}

impl Default for IngestView {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA,
            history: String::new(),
            projects: Vec::new(),
            run: None,
            files: 0,
            bytes: 0,
            formats: Vec::new(),
            rejected: 0,
            salvaged: 0,
            passed_over: 0,
            reports_new: 0,
            reports_known: 0,
            runs_new: 0,
            runs_extended: 0,
            tests_new: 0,
            failures_new: 0,
            results: Counts::default(),
            warnings: 0,
            problems: Vec::new(),
            notes: Vec::new(),
            phases: Vec::new(),
        }
    }
}
