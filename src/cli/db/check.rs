//! `flakedb db check`: is every page, reference and segment whole?

use std::path::Path;

use serde::Serialize;

use super::{Plain, Said, exit, said};
use crate::cli::failure::Failure;
use crate::store::sqlite::SqliteStore;

/// What `db check --format json` prints.
#[derive(Debug, Serialize)]
struct CheckView {
    schema: &'static str,
    history: String,
    findings: Vec<FindingView>,
}

#[derive(Debug, Serialize)]
struct FindingView {
    place: String,
    problem: String,
}

pub(super) fn check(store: &SqliteStore, db: &Path, format: Plain) -> Result<Said, Failure> {
    let findings = store.check().map_err(Failure::history)?.into_iter();
    let findings = findings
        .map(|finding| FindingView { place: finding.place, problem: finding.problem })
        .collect();
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
