//! What the history costs: a million results written, folded, and at rest.

#![allow(missing_docs, clippy::unwrap_used)]
#![expect(clippy::print_stderr, reason = "a benchmark says what it measured")]

use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use flakedb::model::hash::KeyHasher;
use flakedb::model::{
    Failure, Micros, Outcome, PartFacts, Repeat, Report, ReportHash, RunContext, TestId,
    TestIdentity, TestResult, Timestamp,
};
use flakedb::store::query::Window;
use flakedb::store::{Batch, BatchBuilder, OpenMode, ReportMeta, SqliteStore, Store};

const REPORTS: u64 = 1_000;
const CASES: u64 = 1_000;
/// Reports come from so many shards of one suite.
const SHARDS: u64 = 20;

/// A fixed generator: the same history every time, without a dependency.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Log-normal around 20 ms, as durations of real suites are.
    fn micros(&mut self) -> u64 {
        let normal = (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0;
        (20_000.0 * (1.5 * normal).exp()) as u64
    }
}

fn report(number: u64, unit_micros: u64, bad_share: f64) -> Report {
    let mut random = Random(number);
    let mut report = Report { producer: "pytest", complete: true, ..Report::default() };
    for case in 0..CASES {
        let name = format!("test_that_something_holds_{:05}", (number % SHARDS) * CASES + case);
        let id = TestId(KeyHasher::new("t").part(name.as_bytes()).finish());
        let classname = "tests.integration.test_module.TestClass";
        let suite = "pytest";
        let file = "tests/integration/test_module.py";
        let identity = TestIdentity { id, suite, classname, name: &name, file, qualified: true };
        let test = report.tests.intern(&identity).unwrap();
        let bad = random.uniform() < bad_share;
        let outcome = if bad { Outcome::Failed } else { Outcome::Passed };
        let failure = bad.then_some(report.failures.len() as u32);
        if bad {
            let message = format!("expected {} but was {case}", number + case);
            let text =
                format!("{message}\n{}", "  at tests.integration.frame(module.py:12)\n".repeat(40));
            report.failures.push(Failure { kind: "AssertionError".into(), message, text });
        }
        report.counts.add(outcome, false);
        let duration = Some(Micros(random.micros() / unit_micros * unit_micros));
        report.results.push(TestResult {
            test,
            variant: None,
            outcome,
            repeat: Repeat::Single,
            duration,
            failure,
            attempts: Vec::new().into(),
        });
    }
    report
}

fn meta(number: u64) -> ReportMeta {
    let run = number / SHARDS;
    ReportMeta {
        context: RunContext {
            project: "owner/project".into(),
            revision: Some(format!("{:040x}", u128::from(run) << 64)),
            branch: Some("main".into()),
            build: Some(format!("gh-{}", 9_000_000 + run)),
            attempt: 1,
            ..RunContext::default()
        },
        hash: ReportHash::of(&number.to_le_bytes()),
        source: format!("reports/shard-{}/junit.xml", number % SHARDS),
        started: Timestamp(1_700_000_000_000 + run as i64 * 600_000),
        group: None,
        warnings: 0,
        part: PartFacts::default(),
    }
}

fn reports(unit_micros: u64, bad_share: f64) -> Vec<Report> {
    (0..REPORTS).map(|number| report(number, unit_micros, bad_share)).collect()
}

fn batch(reports: &[Report]) -> Batch {
    let builder = BatchBuilder::new(Timestamp(0));
    for (number, report) in (0..).zip(reports) {
        builder.add(meta(number), report).unwrap();
    }
    builder.finish()
}

fn filled(path: &Path, batch: &Batch) -> SqliteStore {
    let mut store = SqliteStore::open(path, OpenMode::Create).unwrap();
    store.append(batch).unwrap();
    store
}

fn bench(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    for (unit, unit_micros) in [("milliseconds", 1_000), ("microseconds", 1)] {
        let path = folder.path().join(unit);
        drop(filled(&path, &batch(&reports(unit_micros, 0.0))));
        let bytes = std::fs::metadata(&path).unwrap().len() as f64;
        eprintln!("passing results in {unit}: {:.2} bytes each", bytes / (REPORTS * CASES) as f64);
    }
    let reports = reports(1_000, 0.02);
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10).throughput(Throughput::Elements(REPORTS * CASES));
    group.bench_function("batch", |bencher| bencher.iter(|| batch(&reports)));
    let batch = batch(&reports);
    group.bench_function("append", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir().unwrap(),
            |folder| {
                drop(filled(&folder.path().join("history.db"), &batch));
                folder
            },
            BatchSize::PerIteration,
        );
    });
    let store = filled(&folder.path().join("history.db"), &batch);
    let runs = store.runs("owner/project", &Window::default()).unwrap();
    group.bench_function("fold", |bencher| {
        bencher.iter(|| {
            let mut rows_seen = 0;
            store.fold(&runs, &mut |_, rows| rows_seen += rows.len()).unwrap();
            assert_eq!(rows_seen as u64, REPORTS * CASES);
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
