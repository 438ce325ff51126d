//! An earlier run again: its decisions from its journal, its answers from its cassette.

use std::time::{Duration, Instant};

use flakedb::testkit::mock_server::MockOllama;
use flakedb::testkit::mock_server::clock::Clock;
use flakedb::testkit::mock_server::fault::{Decisions, FaultRule, chaos};
use flakedb::testkit::mock_server::stub::Stub;
use serde_json::{Value, json};

use crate::wire::{Answer, Heard, ask, request};

fn noon() -> Clock {
    Clock::frozen_at("2026-02-03T12:00:00Z".parse().unwrap())
}

fn chat(text: &str, stream: bool) -> String {
    let body = json!({"model": "llama3.2", "stream": stream,
        "messages": [{"role": "user", "content": text}]});
    request("POST", "/api/chat", &body.to_string())
}

/// The body of what a server's own page says.
fn admin(mock: &MockOllama, path: &str) -> String {
    String::from_utf8(Answer::read(&ask(mock.address(), &request("GET", path, ""))).body()).unwrap()
}

#[test]
fn a_journal_decides_again_what_was_decided() {
    let chaotic = |seed: u64| {
        let mut rules = chaos("overload:0.4,flaky-network:0.4,framing:0.5").unwrap();
        let garbage: FaultRule =
            serde_json::from_value(json!({"kind": "garbage", "probability": 0.2})).unwrap();
        rules.push(garbage);
        let builder = MockOllama::builder().seed(seed).clock(noon());
        rules.into_iter().fold(builder, |builder, rule| builder.fault(rule))
    };
    let requests: Vec<String> =
        (0..24).map(|index| chat(&format!("question {}", index % 9), index % 2 == 0)).collect();
    let hear = |mock: &MockOllama| -> Vec<Heard> {
        requests.iter().map(|request| ask(mock.address(), request)).collect()
    };
    let first = chaotic(1).start().unwrap();
    let heard = hear(&first);
    let journal = admin(&first, "/__admin/requests");
    let decisions = Decisions::from_journal(&journal).unwrap();
    assert_eq!(decisions.len(), requests.len());
    // The same seed without any rules: all faults come from the journal.
    let plain = MockOllama::builder().seed(1).clock(noon()).decisions(decisions.clone());
    assert_eq!(hear(&plain.start().unwrap()), heard);
    // Another seed would decide otherwise; the journal is what counts.
    let other = chaotic(2).start().unwrap();
    assert_ne!(hear(&other), heard);
    let replayed = chaotic(2).decisions(decisions).start().unwrap();
    hear(&replayed);
    let faults = |journal: &str| -> Vec<Value> {
        let journal: Value = serde_json::from_str(journal).unwrap();
        let entries = journal["requests"].as_array().unwrap();
        entries.iter().map(|entry| entry["decision"]["faults"].clone()).collect()
    };
    assert_eq!(faults(&admin(&replayed, "/__admin/requests")), faults(&journal));
}

/// Answers that are the same but for the moments and ids in them.
fn lines(heard: &Heard) -> Vec<Value> {
    let body = Answer::read(heard).body();
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn what_was_recorded_is_answered_again() {
    let slow = Stub::from_json(&json!({"user_contains": "slow", "reply": "one two three",
        "per_token": "60ms"}));
    let real = MockOllama::builder().stub(slow.unwrap()).start().unwrap();
    let recording = MockOllama::builder().record(real.url().parse().unwrap()).start().unwrap();
    let requests = [
        chat("slow and steady", true),
        chat("slow and steady", false),
        request("POST", "/v1/embeddings", r#"{"model":"llama3.2","input":["a","b"]}"#),
        request("GET", "/api/tags", ""),
        request("POST", "/api/show", r#"{"model":"nobody"}"#),
    ];
    let said: Vec<Vec<Value>> =
        requests.iter().map(|request| lines(&ask(recording.address(), request))).collect();
    assert!(said[0].len() > 3, "{said:?}");
    // A tape is kept once its answer is whole, a moment after the client has it.
    let started = Instant::now();
    let cassette = loop {
        let cassette = recording.cassette().unwrap();
        if cassette.len() == requests.len() {
            break cassette.to_rules();
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", cassette.to_rules());
        std::thread::sleep(Duration::from_millis(5));
    };
    drop((recording, real));
    let again = |cassette: &Value| {
        let stubs = cassette["stubs"].as_array().unwrap();
        let builder = MockOllama::builder().strict();
        let stubs = stubs.iter().map(|stub| Stub::from_json(stub).unwrap());
        stubs.fold(builder, flakedb::testkit::mock_server::Builder::stub).start().unwrap()
    };
    let replaying = again(&cassette);
    let started = Instant::now();
    assert_eq!(lines(&ask(replaying.address(), &requests[0])), said[0]);
    assert!(started.elapsed() >= Duration::from_millis(100), "it did not take its time");
    for (request, said) in requests.iter().zip(&said).skip(1) {
        assert_eq!(&lines(&ask(replaying.address(), request)), said);
    }
}
