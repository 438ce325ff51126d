//! `flakedb db repair`: what is whole in a damaged history, into a new file.

use std::path::Path;

use serde::Serialize;

use super::check::FindingView;
use super::{Plain, Said, exit, said};
use crate::cli::failure::Failure;
use crate::store::sqlite::repair::{self, Repaired};
use crate::store::sqlite::{Info, OpenMode, SqliteStore};

/// What `db repair --format json` prints.
#[derive(Debug, Serialize)]
struct RepairView {
    schema: &'static str,
    history: String,
    /// The repaired file; none where nothing had to be, or nothing should be written.
    written: Option<String>,
    /// What the damaged file is called now.
    damaged: Option<String>,
    kept: KeptView,
    lost: Vec<FindingView>,
}

#[derive(Debug, Serialize)]
struct KeptView {
    runs: u64,
    reports: u64,
    results: u64,
    tests: u64,
    failures: u64,
}

impl KeptView {
    fn of(info: &Info) -> Self {
        Self {
            runs: info.runs,
            reports: info.reports,
            results: info.results,
            tests: info.tests,
            failures: info.failures,
        }
    }
}

/// What is to be written.
pub(super) struct Wanted<'a> {
    /// The new file, where the damaged one stays in its place.
    pub(super) to: Option<&'a Path>,
    /// Only say what would be kept and lost.
    pub(super) dry_run: bool,
}

pub(super) fn repair(db: &Path, wanted: &Wanted<'_>, format: Plain) -> Result<Said, Failure> {
    let history = db.display().to_string();
    if let Some(info) = whole(db) {
        let text = format!("{history}: whole, nothing to repair\n");
        let view = RepairView {
            schema: "flakedb.db-repair.v1",
            history,
            written: None,
            damaged: None,
            kept: KeptView::of(&info),
            lost: Vec::new(),
        };
        return said(format, &view, text, exit::FINE);
    }
    let (repaired, written, damaged) = match wanted {
        Wanted { dry_run: true, .. } => {
            let mut name = db.as_os_str().to_owned();
            name.push(format!(".{}.dry-run", std::process::id()));
            let repaired = repair::repair_to(db, Path::new(&name)).map_err(Failure::history)?;
            let _ = std::fs::remove_file(&name);
            (repaired, None, None)
        }
        Wanted { to: Some(target), .. } => {
            let repaired = repair::repair_to(db, target).map_err(Failure::history)?;
            (repaired, Some(target.display().to_string()), None)
        }
        Wanted { to: None, .. } => {
            let (repaired, damaged) = repair::repair_in_place(db).map_err(Failure::history)?;
            (repaired, Some(history.clone()), Some(damaged.display().to_string()))
        }
    };
    let Repaired { kept, lost } = repaired;
    let view = RepairView {
        schema: "flakedb.db-repair.v1",
        history,
        written,
        damaged,
        kept: KeptView::of(&kept),
        lost: lost.into_iter().map(FindingView::from).collect(),
    };
    let code = if view.lost.is_empty() { exit::FINE } else { exit::FINDINGS };
    said(format, &view, text(&view), code)
}

/// How large the history is, where it is whole.
fn whole(db: &Path) -> Option<Info> {
    let store = SqliteStore::open(db, OpenMode::ReadOnly).ok()?;
    let is_whole = store.check().is_ok_and(|findings| findings.is_empty());
    store.info().ok().filter(|_| is_whole)
}

fn text(view: &RepairView) -> String {
    let KeptView { runs, reports, results, tests, failures } = &view.kept;
    let what = format!(
        "{runs} runs, {reports} reports, {results} results, {tests} tests, {failures} failures"
    );
    let mut text = match &view.written {
        Some(written) => format!("wrote {written}: {what}\n"),
        None => format!("would keep {what}; nothing was written\n"),
    };
    if let Some(damaged) = &view.damaged {
        text += &format!("the damaged file is now {damaged}\n");
    }
    for finding in &view.lost {
        text += &format!("lost: {}: {}\n", finding.place, finding.problem);
    }
    if view.lost.is_empty() {
        text += "nothing is lost\n";
    }
    text
}
