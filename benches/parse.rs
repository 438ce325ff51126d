//! `junit::read` beside a bare quick-xml pass that only extracts the attributes of cases.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flakedb::junit::{ReadOptions, Reader, read};
use quick_xml::Reader as Pull;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

fn document(cases: usize) -> String {
    let mut text = String::from("<?xml version=\"1.0\"?><testsuites><testsuite name=\"pytest\">");
    for case in 0..cases {
        let open = format!(
            "<testcase classname=\"tests.integration.test_billing_{}\" name=\"test_rounds_half_even_for[{case}-EUR]\" \
             file=\"tests/integration/test_billing.py\" line=\"{case}\" time=\"0.{:03}\"",
            case / 50,
            case % 1000
        );
        text.push_str(&open);
        match case % 50 {
            7 => {
                let line =
                    "  File \"tests/integration/test_billing.py\", line 12, in test\n".repeat(12);
                text.push_str(&format!(
                    "><failure message=\"assert 1 == 2\">{line}</failure></testcase>"
                ));
            }
            11 => text.push_str("><skipped/></testcase>"),
            13..23 => text.push_str("><system-out>one line of output\n</system-out></testcase>"),
            _ => text.push_str("/>"),
        }
        text.push('\n');
    }
    text + "</testsuite></testsuites>"
}

fn attribute_pass(text: &str) -> usize {
    let mut reader = Pull::from_str(text);
    let mut bytes = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                for attribute in tag.attributes().flatten() {
                    let value = std::str::from_utf8(&attribute.value).unwrap_or_default();
                    bytes += unescape(value).map_or(0, |value| value.len());
                }
            }
            Ok(Event::Eof) | Err(_) => return bytes,
            Ok(_) => {}
        }
    }
}

fn parse(criterion: &mut Criterion) {
    let text = document(20_000);
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.sample_size(20);
    group.bench_function("quick-xml attributes", |b| b.iter(|| attribute_pass(black_box(&text))));
    group.bench_function("junit::read", |b| {
        b.iter(|| read(black_box(text.as_bytes()), &ReadOptions::default()));
    });
    let mut reader = Reader::within(16 << 20);
    group.bench_function("junit::Reader, tests met before", |b| {
        b.iter(|| reader.read(black_box(text.as_bytes()), &ReadOptions::default()));
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
