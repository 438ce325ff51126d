//! `flakedb db merge`: other histories into this one.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Plain, Said, exit, said};
use crate::cli::failure::Failure;
use crate::ops::Watcher;
use crate::store::sqlite::SqliteStore;

/// What `db merge --format json` prints.
#[derive(Debug, Serialize)]
struct MergeView {
    schema: &'static str,
    history: String,
    sources: Vec<MergedView>,
}

#[derive(Debug, Serialize)]
struct MergedView {
    history: String,
    runs_new: u64,
    reports_new: u64,
    reports_known: u64,
}

pub(super) fn merge(
    store: &mut SqliteStore,
    sources: &[PathBuf],
    db: &Path,
    format: Plain,
    watcher: &dyn Watcher,
) -> Result<Said, Failure> {
    let mut merged = Vec::new();
    for source in sources {
        let appended = store.merge_watched(source, watcher).map_err(Failure::history)?;
        merged.push(MergedView {
            history: source.display().to_string(),
            runs_new: appended.runs_new,
            reports_new: appended.reports_new,
            reports_known: appended.reports_known,
        });
    }
    let history = db.display().to_string();
    let view = MergeView { schema: "flakedb.db-merge.v1", history, sources: merged };
    let line = |one: &MergedView| {
        let MergedView { history, runs_new, reports_new, reports_known } = one;
        format!(
            "{history}: {runs_new} new runs, {reports_new} new reports, {reports_known} known \
             reports into {}\n",
            view.history
        )
    };
    let text = view.sources.iter().map(line).collect();
    said(format, &view, text, exit::FINE)
}
