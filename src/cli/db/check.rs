//! `flakedb db check`: is every page, reference and segment whole?

use std::path::Path;

use serde::Serialize;

use super::{Plain, Said, exit, said};
use crate::cli::failure::Failure;
use crate::ops::Watcher;
use crate::store::sqlite::{Finding, SqliteStore};

/// What `db check --format json` prints.
#[derive(Debug, Serialize)]
struct CheckView {
    schema: &'static str,
    history: String,
    findings: Vec<FindingView>,
}

/// One thing that is wrong, or lost.
#[derive(Debug, Serialize)]
pub(super) struct FindingView {
    pub(super) place: String,
    pub(super) problem: String,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        Self { place: finding.place, problem: finding.problem }
    }
}

pub(super) fn check(
    store: &SqliteStore,
    db: &Path,
    format: Plain,
    watcher: &dyn Watcher,
) -> Result<Said, Failure> {
    let findings = store.check_watched(watcher).map_err(Failure::history)?.into_iter();
    let findings = findings.map(FindingView::from).collect();
    let history = db.display().to_string();
    let view = CheckView { schema: "flakedb.db-check.v1", history, findings };
    if view.findings.is_empty() {
        let text = format!("{}: whole\n", view.history);
        return said(format, &view, text, exit::FINE);
    }
    let line = |finding: &FindingView| {
        format!("{}: {}: {}\n", view.history, finding.place, finding.problem)
    };
    let text = view.findings.iter().map(line).collect();
    said(format, &view, text, exit::FINDINGS)
}
