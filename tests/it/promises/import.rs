//! Histories and reports that are no JUnit XML.

use std::sync::Mutex;

use flakedb::import::{Account, FORMATS, Format, Run, Source};
use flakedb::model::limits;

use super::reader;

/// A document, read by each format: any of them may be named with `--format`.
pub(crate) fn check(bytes: &[u8]) {
    if let Some(detected) = Format::detect(bytes) {
        assert!(Format::from_name(detected.name).is_some());
    }
    // Half of it stands for the file that lies beside the document.
    let companion = bytes.get(bytes.len() / 2..);
    for format in FORMATS {
        for (truncated, companion, path) in
            [(false, None, None), (true, companion, Some("jobs/a/../builds/7/junitResult.xml"))]
        {
            read(format, &Source { bytes, truncated, path, companion });
        }
    }
}

fn read(format: &Format, source: &Source<'_>) -> Account {
    let runs: Mutex<Vec<Run>> = Mutex::default();
    let account = format.read(source, &|run| runs.lock().unwrap().push(run));
    let runs = runs.into_inner().unwrap();
    assert_eq!(account.runs, runs.len() as u64, "{}", format.name);
    assert!(account.findings.len() <= limits::WARNINGS_MAX);
    assert!(account.runs > 0 || !account.findings.is_empty(), "{}: without a word", format.name);
    for run in &runs {
        reader::check_report(&run.report);
        assert!(run.facts.attempt.is_none_or(|attempt| attempt > 0), "{}", format.name);
    }
    account
}
