//! The same input for every call: one suite, run after run.

use std::path::Path;

use flakedb::junit::{ReadOptions, Reader, read};
use flakedb::model::{PartFacts, Report, ReportHash, RunContext, Timestamp};
use flakedb::store::query::Window;
use flakedb::store::segment::Columns;
use flakedb::store::{Batch, BatchBuilder, OpenMode, ReportMeta, SqliteStore, Store};

/// Cases of one report.
pub const CASES: usize = 1_000;
/// Runs of the history that is folded and judged.
pub const RUNS: u64 = 50;
const PROJECT: &str = "owner/project";

/// A report of one run: 2 % of its cases failed, 1 % skipped, 3 % with output.
#[must_use]
pub fn document(run: u64) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\"?><testsuites tests=\"1000\"><testsuite name=\"pytest\">\n",
    );
    for case in 0..CASES {
        let (class, line) = (case / 50, case * 17 % 400);
        let millis = (case as u64 * 7 + run * 13) % 1_000;
        text.push_str(&format!(
            "  <testcase classname=\"tests.integration.test_billing_{class}\" \
             name=\"test_rounds_half_even_for[{case}-EUR]\" \
             file=\"tests/integration/test_billing_{class}.py\" line=\"{line}\" time=\"0.{millis:03}\""
        ));
        match (case as u64 + run) % 100 {
            7 | 57 => {
                let frame = "  File \"tests/integration/test_billing.py\", line 12, in test\n";
                let trace = frame.repeat(20);
                text.push_str(&format!(
                    "><failure type=\"AssertionError\" message=\"run {run}: {case} &lt; 2\">{trace}</failure></testcase>\n"
                ));
            }
            11 => text.push_str("><skipped/></testcase>\n"),
            21 | 22 | 23 => {
                text.push_str("><system-out>one line of output\n</system-out></testcase>\n");
            }
            _ => text.push_str("/>\n"),
        }
    }
    text + "</testsuite></testsuites>\n"
}

/// A reader that has met the tests, as that of an ingest has from the second report on.
#[must_use]
pub fn experienced_reader() -> Reader {
    let mut reader = Reader::within(1 << 20);
    let _ = reader.read(document(0).as_bytes(), &ReadOptions::default());
    reader
}

/// The report of a run, read.
#[must_use]
pub fn report(run: u64) -> Report {
    read(document(run).as_bytes(), &ReadOptions::default()).report
}

/// The batch of one report.
#[must_use]
pub fn batch_of(report: &Report, run: u64) -> Batch {
    let builder = BatchBuilder::new(Timestamp(0));
    add(&builder, report, run);
    builder.finish()
}

fn add(builder: &BatchBuilder, report: &Report, run: u64) {
    let context = RunContext {
        project: PROJECT.into(),
        revision: Some(format!("{:040x}", u128::from(run) << 64)),
        branch: Some("main".into()),
        build: Some(format!("gh-{run}")),
        attempt: 1,
        ..RunContext::default()
    };
    let meta = ReportMeta {
        context,
        hash: ReportHash::of(&run.to_le_bytes()),
        source: "reports/junit.xml".into(),
        started: Timestamp(1_700_000_000_000 + run as i64 * 600_000),
        group: None,
        warnings: 0,
        part: PartFacts::default(),
    };
    builder.add(meta, report).expect("a thousand tests fit");
}

/// A history of [`RUNS`] runs.
#[must_use]
pub fn history(path: &Path) -> SqliteStore {
    let builder = BatchBuilder::new(Timestamp(0));
    for run in 0..RUNS {
        add(&builder, &report(run), run);
    }
    let mut store = SqliteStore::open(path, OpenMode::Create).expect("a new file");
    store.append(&builder.finish()).expect("an empty history takes a batch");
    store
}

/// Reads every result of a history.
pub fn fold(store: &SqliteStore) -> usize {
    let runs = store.runs(PROJECT, &Window::default()).expect("a whole history");
    let mut rows_seen = 0;
    store.fold(&runs, &mut |_, rows| rows_seen += rows.len()).expect("whole segments");
    assert_eq!(rows_seen, RUNS as usize * CASES);
    rows_seen
}

/// Judges every run of a history, of whose tests all are kept.
pub fn judge(store: &SqliteStore) -> usize {
    use flakedb::analysis::{HistoryBuilder, Settings, judge};
    let runs = store.runs(PROJECT, &Window::default()).expect("a whole history");
    let bad = store.bad_tests(PROJECT, &runs).expect("a whole history");
    let settings = Settings::default();
    let mut builder = HistoryBuilder::new(&runs, bad.into_iter().collect(), &settings.outage);
    store.fold(&runs, &mut |run, rows| builder.add(run, rows)).expect("whole segments");
    judge(&builder.finish(), &settings).expect("the default settings").verdicts.len()
}

/// The columns of a report of passed tests.
#[must_use]
pub fn columns() -> Columns {
    let report = report(1);
    Columns {
        tests: report.results.iter().map(|result| result.test.0).collect(),
        outcomes: report.results.iter().map(|_| flakedb::model::Outcome::Passed).collect(),
        durations: report.results.iter().map(|result| result.duration).collect(),
        ..Columns::default()
    }
}
