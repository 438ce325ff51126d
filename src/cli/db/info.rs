//! `flakedb db info`: what is in the history, and how large it is.

use std::path::Path;

use serde::Serialize;

use super::{Plain, Said, exit, said};
use crate::cli::failure::Failure;
use crate::store::sqlite::SqliteStore;

/// What `db info --format json` prints.
#[derive(Debug, Serialize)]
struct InfoView {
    schema: &'static str,
    history: String,
    database_version: u32,
    bytes: u64,
    bytes_free: u64,
    runs: u64,
    reports: u64,
    results: u64,
    tests: u64,
    failures: u64,
    projects: Vec<ProjectView>,
}

#[derive(Debug, Serialize)]
struct ProjectView {
    name: String,
    runs: u64,
    last_started: Option<String>,
}

pub(super) fn info(store: &SqliteStore, db: &Path, format: Plain) -> Result<Said, Failure> {
    use crate::store::Store as _;
    let info = store.info().map_err(Failure::history)?;
    let projects = store.projects().map_err(Failure::history)?;
    let view = InfoView {
        schema: "flakedb.db-info.v1",
        history: db.display().to_string(),
        database_version: info.schema,
        bytes: info.file_bytes,
        bytes_free: info.free_bytes,
        runs: info.runs,
        reports: info.reports,
        results: info.results,
        tests: info.tests,
        failures: info.failures,
        projects: projects
            .into_iter()
            .map(|project| ProjectView {
                name: project.name,
                runs: project.runs,
                last_started: project.last_started.map(crate::model::Timestamp::to_rfc3339),
            })
            .collect(),
    };
    let text = info_text(&view);
    said(format, &view, text, exit::FINE)
}

fn info_text(view: &InfoView) -> String {
    let per_result = match view.results {
        0 => String::new(),
        results => format!(", {:.1} bytes per result", view.bytes as f64 / results as f64),
    };
    let free = match view.bytes_free {
        0 => String::new(),
        free => format!(", {free} of them free"),
    };
    let mut text = format!(
        "{}\n  version   {}\n  size      {} bytes{per_result}{free}\n  runs      {}\n  reports   {}\n  \
         results   {}\n  tests     {}\n  failures  {} distinct\n",
        view.history,
        view.database_version,
        view.bytes,
        view.runs,
        view.reports,
        view.results,
        view.tests,
        view.failures
    );
    for project in &view.projects {
        let last = project.last_started.as_deref().unwrap_or("never");
        text += &format!("  project   {}: {} runs, last {last}\n", project.name, project.runs);
    }
    text
}
