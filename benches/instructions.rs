//! How many instructions the steps of an ingest and of a judgement take, by valgrind: the same number
//! on a busy machine as on a quiet one. Run by
//! `python3 benches/instructions/run_instructions.py`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use flakedb::junit::{ReadOptions, Reader, Reading, read};
use flakedb::model::hash::{KeyHasher, key_within};
use flakedb::model::{Report, ReportHash};
use flakedb::store::segment::{Columns, Decoder, Encoder};
use flakedb::store::{Batch, OpenMode, SqliteStore, Store};
use flakedb_instructions as corpus;
use gungraun::{library_benchmark, library_benchmark_group, main};
use tempfile::TempDir;

#[library_benchmark]
#[bench::first(corpus::document(1))]
fn parse(text: String) -> Reading {
    black_box(read(text.as_bytes(), &ReadOptions::default()))
}

#[library_benchmark]
#[bench::again((corpus::experienced_reader(), corpus::document(1)))]
fn parse_again((mut reader, text): (Reader, String)) -> Reading {
    black_box(reader.read(text.as_bytes(), &ReadOptions::default()))
}

#[library_benchmark]
#[bench::report(corpus::document(1))]
fn report_hash(text: String) -> ReportHash {
    black_box(ReportHash::of(text.as_bytes()))
}

#[library_benchmark]
#[bench::thousand(corpus::report(1))]
fn identity_hash(report: Report) -> u8 {
    let scope = KeyHasher::new("test.1").part(b"tests.integration.test_billing_1").finish::<16>();
    let keys = report.tests.iter().map(|test| key_within(&scope, test.name.as_bytes())[0]);
    black_box(keys.fold(0, |sum, first| sum ^ first))
}

#[library_benchmark]
#[bench::report(corpus::report(1))]
fn batch(report: Report) -> Batch {
    black_box(corpus::batch_of(&report, 1))
}

fn store_with_one_run() -> (TempDir, SqliteStore, Batch) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("history.db"), OpenMode::Create).unwrap();
    store.append(&corpus::batch_of(&corpus::report(0), 0)).unwrap();
    (folder, store, corpus::batch_of(&corpus::report(1), 1))
}

#[library_benchmark]
#[bench::known_tests(store_with_one_run())]
fn append((folder, mut store, batch): (TempDir, SqliteStore, Batch)) -> (TempDir, SqliteStore) {
    store.append(&batch).unwrap();
    black_box((folder, store))
}

#[library_benchmark]
#[bench::passed(corpus::columns())]
fn encode(columns: Columns) -> Vec<u8> {
    let mut encoder = Encoder::default();
    let body = encoder.body(&columns);
    black_box(encoder.segment(&columns.tests, &columns.failures, &body))
}

fn segment() -> Vec<u8> {
    encode_columns(&corpus::columns())
}

fn encode_columns(columns: &Columns) -> Vec<u8> {
    let mut encoder = Encoder::default();
    let body = encoder.body(columns);
    encoder.segment(&columns.tests, &columns.failures, &body)
}

#[library_benchmark]
#[bench::passed(segment())]
fn decode(segment: Vec<u8>) -> Columns {
    let mut columns = Columns::default();
    Decoder::default().decode(&segment, &mut columns).unwrap();
    black_box(columns)
}

fn history() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = corpus::history(&folder.path().join("history.db"));
    (folder, store)
}

#[library_benchmark]
#[bench::fifty_runs(history())]
fn fold((folder, store): (TempDir, SqliteStore)) -> (TempDir, SqliteStore) {
    black_box(corpus::fold(&store));
    (folder, store)
}

#[library_benchmark]
#[bench::fifty_runs(history())]
fn judge((folder, store): (TempDir, SqliteStore)) -> (TempDir, SqliteStore) {
    black_box(corpus::judge(&store));
    (folder, store)
}

library_benchmark_group!(
    name = steps,
    benchmarks = [
        parse,
        parse_again,
        report_hash,
        identity_hash,
        batch,
        append,
        encode,
        decode,
        fold,
        judge
    ]
);
main!(library_benchmark_groups = steps);
