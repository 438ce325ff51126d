//! What the quarantine list says of one test, and what became of its entries.

use serde::Serialize;

use super::{QuarantineEntry, QuarantineRule};

/// What the list says of one test.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ListedView {
    /// The file of the list.
    pub list: String,
    /// Entries that mean the test, expired ones among them, in the order of the file.
    pub entries: Vec<QuarantineEntry>,
    /// Rules that mean it; `never` wins over `always`, that over entries.
    pub rules: Vec<QuarantineRule>,
    /// What became of entries that mean it, oldest first, as far as git tells.
    pub events: Vec<ListEventView>,
    /// Older commits were not looked at.
    pub events_cut: bool,
}

/// Something that happened to an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ListEventView {
    /// When it was committed; null where it is not.
    pub committed: Option<String>,
    /// The commit; null where it is not committed.
    pub revision: Option<String>,
    /// `entered`, `extended`, `shortened` or `left`.
    pub event: &'static str,
    /// The test or pattern of the entry.
    pub test: String,
    /// True where `test` is a pattern.
    pub pattern: bool,
    /// The matrix cell; empty where all are meant.
    pub variant: String,
    /// The end of its term then; null for none.
    pub expires: Option<String>,
    /// The end before, where it moved; null for none.
    pub expired_before: Option<String>,
}
