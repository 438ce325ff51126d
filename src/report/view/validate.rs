//! What is wrong with some reports.

use serde::Serialize;

use crate::model::Counts;

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FileVerdict {
    /// Nothing of it can be used.
    Reject,
    /// Its whole cases can be used; something is missing.
    Salvage,
    /// All of it can be used; something is odd.
    Warn,
    /// Fine.
    Accept,
}

impl FileVerdict {
    /// All of them, most severe first.
    pub const ALL: [Self; 4] = [Self::Reject, Self::Salvage, Self::Warn, Self::Accept];

    /// The word used in JSON and on screens.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Salvage => "salvage",
            Self::Warn => "warn",
            Self::Accept => "accept",
        }
    }
}

/// How much a warning matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Against the format: other tools refuse it, or data is lost.
    Invalid,
    /// Readable, but less useful than it could be.
    SubOptimal,
    /// Worth knowing.
    Note,
}

impl Level {
    /// The word used in JSON and on screens.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::SubOptimal => "sub-optimal",
            Self::Note => "note",
        }
    }
}

/// One thing that is wrong, where, and the mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WarningView {
    /// The stable code.
    pub code: String,
    /// How much it matters.
    pub level: Level,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: u32,
    /// The character in the line, from 1; 0 where the whole file is meant.
    pub column: u32,
    /// The place in bytes.
    pub offset: u64,
    /// The path of elements.
    pub path: String,
    /// What is wrong, and the mend.
    pub message: String,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileView {
    /// The file, archives as `a.zip!/b.xml`.
    pub file: String,
    /// What becomes of it.
    pub verdict: FileVerdict,
    /// The most severe code; empty where there is none.
    pub code: String,
    /// The runner that wrote it; `unknown` where nothing tells.
    pub producer: String,
    /// Records of test cases; null where the file was refused, as are all counts.
    pub cases: Option<u64>,
    /// Cases that passed, flaky ones included.
    pub passed: Option<u64>,
    /// Cases with a failed assertion.
    pub failed: Option<u64>,
    /// Cases that could not be carried out.
    pub errored: Option<u64>,
    /// Cases that were not run.
    pub skipped: Option<u64>,
    /// Cases that passed only after a failed attempt.
    pub flaky: Option<u64>,
    /// What is wrong, in order of place.
    pub warnings: Vec<WarningView>,
    /// Warnings beyond the limit, which were only counted.
    pub warnings_dropped: u64,
}

impl FileView {
    /// A file without warnings; `counts` is `None` where it was refused.
    #[must_use]
    pub fn new(file: String, verdict: FileVerdict, counts: Option<Counts>) -> Self {
        Self {
            file,
            verdict,
            code: String::new(),
            producer: "unknown".to_owned(),
            cases: counts.map(|counts| counts.cases),
            passed: counts.map(|counts| counts.passed),
            failed: counts.map(|counts| counts.failed),
            errored: counts.map(|counts| counts.errored),
            skipped: counts.map(|counts| counts.skipped),
            flaky: counts.map(|counts| counts.flaky),
            warnings: Vec::new(),
            warnings_dropped: 0,
        }
    }
}

/// What is wrong with some reports: `flakedb validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ValidateView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// Files that are fine.
    pub accepted: u64,
    /// Files with warnings, all of which can be used.
    pub warned: u64,
    /// Files of which only the whole cases can be used.
    pub salvaged: u64,
    /// Files that were refused.
    pub rejected: u64,
    /// The files, in the order given.
    pub files: Vec<FileView>,
}

impl ValidateView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.validate.v1";

    /// Sums up the files.
    #[must_use]
    pub fn new(files: Vec<FileView>) -> Self {
        let count = |verdict| files.iter().filter(|file| file.verdict == verdict).count() as u64;
        Self {
            schema: Self::SCHEMA,
            accepted: count(FileVerdict::Accept),
            warned: count(FileVerdict::Warn),
            salvaged: count(FileVerdict::Salvage),
            rejected: count(FileVerdict::Reject),
            files,
        }
    }
}
