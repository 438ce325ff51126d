//! Generators: a hundred messages, fifty nodes, a hundred answers, and a million messages. Beside
//! Python in `peers/generate.py`.

#![allow(missing_docs, clippy::expect_used)]

use std::hint::black_box;
use std::io::Write as _;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flakedb::testkit::generators::{
    Chats, Contexts, Generate, Graphs, Messages, Nodes, Responses, Source,
};

const MILLION: u64 = 1_000_000;

fn batch<G: Generate>(criterion: &mut Criterion, name: &str, generator: &G, count: usize) {
    let mut group = criterion.benchmark_group("generate");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(name, |b| {
        b.iter(|| generator.batch(black_box(count), &mut Source::seeded(black_box(7))));
    });
    group.finish();
}

fn batches(criterion: &mut Criterion) {
    batch(criterion, "100 messages", &Messages::new(), 100);
    batch(criterion, "50 nodes", &Nodes::new(), 50);
    batch(criterion, "100 responses", &Responses::new(), 100);
    batch(criterion, "100 chats", &Chats::new(), 100);
    batch(criterion, "50 contexts", &Contexts::new(), 50);
    batch(criterion, "10 graphs of 50 nodes", &Graphs::random(50), 10);
}

fn million(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generate");
    group.throughput(Throughput::Elements(MILLION));
    group.sample_size(10);
    let messages = Messages::new();
    group.bench_function("1000000 messages", |b| {
        b.iter(|| {
            let mut source = Source::seeded(black_box(7));
            for mut stream in source.take(Messages::KIND, MILLION) {
                black_box(messages.generate(&mut stream));
            }
        });
    });
    group.bench_function("1000000 messages as JSON lines", |b| {
        b.iter(|| {
            let mut source = Source::seeded(black_box(7));
            let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::sink());
            for mut stream in source.take(Messages::KIND, MILLION) {
                let message = messages.generate(&mut stream);
                serde_json::to_writer(&mut out, &message).expect("a sink takes all");
                out.write_all(b"\n").expect("a sink takes all");
            }
        });
    });
    group.finish();
}

criterion_group!(benches, batches, million);
criterion_main!(benches);
