use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::{Answer, BYTES_MAX, Decision, Entry, Journal, MatchedStub};
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::fault::{Decisions, Fault};

fn exchange(body: impl Into<Bytes>, headers: &[(&str, &[u8])], query: &str) -> Exchange {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value).unwrap());
    }
    Exchange {
        method: "POST".to_owned(),
        path: "/api/chat".to_owned(),
        prefix: String::new(),
        query: query.to_owned(),
        headers: map,
        body: body.into(),
        json: Some(json!({})),
        parameter: None,
        received_at: "2026-11-26T14:00:00.123456Z".parse::<DateTime<Utc>>().unwrap(),
    }
}

fn push(journal: &mut Journal, entry: Entry) -> Arc<Entry> {
    let place = journal.arrive();
    journal.push(place, entry);
    Arc::clone(journal.entries().next_back().unwrap())
}

fn entry(exchange: Exchange) -> Entry {
    Entry {
        index: 0,
        exchange,
        route: Some("/api/chat"),
        model: None,
        matched: None,
        decision: Decision {
            identity: [0xAB; 16],
            n: 2,
            answer: Answer::Default,
            latency: Duration::from_micros(1500),
            faults: Vec::new(),
        },
        status: Some(200),
        near_misses: Vec::new(),
    }
}

#[test]
fn an_entry_reads_as_json_with_its_secrets_masked() {
    let mut chat = entry(exchange(
        r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":false}"#,
        &[
            ("authorization", b"Bearer sk-secret-1"),
            ("x-api-key", b"sk secret 2"),
            ("accept", b"a"),
            ("accept", b"b"),
            ("x-odd", b"\xff"),
        ],
        "a=1&API_KEY=sk-secret-3&b",
    ));
    chat.matched = Some(MatchedStub { id: 3, name: "weather".to_owned() });
    chat.near_misses = vec!["stub 4 differs".to_owned()];
    let mut journal = Journal::default();
    let shown = push(&mut journal, chat).to_json();
    let text = shown.to_string();
    assert!(!text.contains("secret"), "{text}");
    insta::assert_json_snapshot!(shown, @r##"
{
  "index": 1,
  "method": "POST",
  "path": "/api/chat",
  "route": "/api/chat",
  "query": "a=1&API_KEY=***&b",
  "headers": {
    "authorization": "Bearer ***",
    "x-api-key": "***",
    "accept": "a, b",
    "x-odd": "�"
  },
  "body": {
    "model": "m",
    "messages": [
      {
        "role": "user",
        "content": "Hi"
      }
    ],
    "stream": false
  },
  "body_kind": "json",
  "received_at": "2026-11-26T14:00:00.123456Z",
  "model": "m",
  "matched": {
    "id": 3,
    "name": "weather"
  },
  "decision": {
    "request": "abababababababababababababababab",
    "n": 2,
    "answer": "default",
    "latency_ms": 1.5,
    "faults": []
  },
  "status": 200,
  "notes": [],
  "near_misses": [
    "stub 4 differs"
  ]
}
"##);
}

#[test]
fn a_body_that_is_no_json_is_text_and_one_that_is_no_text_is_base64() {
    for (body, kind, shown) in [
        (Bytes::from_static(b""), "empty", json!(null)),
        (Bytes::from_static(b"null"), "json", json!(null)),
        (Bytes::from_static(b"\"a\""), "json", json!("a")),
        (Bytes::from_static(b"{\"a\":"), "text", json!("{\"a\":")),
        (Bytes::from_static(b"\xff\x00"), "base64", json!("/wA=")),
    ] {
        let json = entry(exchange(body.clone(), &[], "")).to_json();
        assert_eq!((&json["body_kind"], &json["body"]), (&json!(kind), &shown), "{body:?}");
    }
}

#[test]
fn a_full_journal_drops_the_oldest_and_says_how_many() {
    let mut journal = Journal::with_capacity(2);
    for _ in 0..5 {
        push(&mut journal, entry(exchange("", &[], "")));
    }
    let kept: Vec<u64> = journal.entries().map(|entry| entry.index).collect();
    assert_eq!((kept, journal.dropped(), journal.len()), (vec![4, 5], 3, 2));
    journal.clear();
    assert_eq!((journal.is_empty(), journal.dropped()), (true, 0));
    assert_eq!(push(&mut journal, entry(exchange("", &[], ""))).index, 1);
}

#[test]
fn large_bodies_drop_older_entries_before_the_memory_is_full() {
    let mut journal = Journal::default();
    // One buffer, shared by all: the journal counts it each time, as distinct bodies would weigh.
    let body = Bytes::from(vec![b'x'; super::BYTES_MAX / 4]);
    for _ in 0..5 {
        push(&mut journal, entry(exchange(body.clone(), &[], "")));
    }
    let kept: Vec<u64> = journal.entries().map(|entry| entry.index).collect();
    assert_eq!((kept, journal.dropped()), (vec![3, 4, 5], 2));
}

#[test]
fn a_summary_names_model_text_and_who_answered() {
    let said = "What is the \"weather\"? ".repeat(4);
    let body = json!({"model": "llama3.2", "messages": [{"role": "user", "content": said}]});
    let mut chat = entry(exchange(body.to_string(), &[], ""));
    chat.index = 7;
    insta::assert_snapshot!(chat.summary(), @r#"7. POST /api/chat llama3.2 "What is the \"weather\"? What is the \"weather\"? What is the \"w…" -> 200 (default)"#);
    chat.matched = Some(MatchedStub { id: 3, name: "weather".to_owned() });
    chat.exchange.body = Bytes::from_static(b"{}");
    chat.status = None;
    insta::assert_snapshot!(chat.summary(), @"7. POST /api/chat -> broken off (weather)");
}

#[test]
fn headers_and_faults_weigh_as_bodies_do() {
    let long = "x".repeat(BYTES_MAX / 10);
    let headers: Vec<(&str, &[u8])> = vec![("x-long", long.as_bytes()); 4];
    let mut struck = entry(exchange("", &headers, ""));
    let fault = json!({"kind": "status", "status": 503, "body": long});
    struck.decision.faults = vec![serde_json::from_value::<Fault>(fault).unwrap()];
    let mut journal = Journal::default();
    for _ in 0..3 {
        push(&mut journal, struck.clone());
    }
    assert_eq!((journal.len(), journal.dropped()), (1, 2));
}

#[test]
fn what_was_said_is_found_in_every_api() {
    for (body, said) in [
        (
            json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}),
            "a",
        ),
        (json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "c"}]}]}), "c"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": "d"}]}]}),
            "d",
        ),
        (json!({"input": "e"}), "e"),
        (json!({"input": ["f", "g"]}), "f"),
        (json!({"prompt": "h"}), "h"),
    ] {
        let summary = entry(exchange(body.to_string(), &[], "")).summary();
        assert!(summary.contains(&format!(" {said:?} ->")), "{summary}");
    }
}

#[test]
fn the_model_is_read_from_the_body_where_nothing_was_asked() {
    for (body, model) in [
        (r#"{"model":"a"}"#, Some("a")),
        (r#"{"name":"b"}"#, Some("b")),
        (r#"{"model":1}"#, None),
        ("[]", None),
        ("", None),
    ] {
        assert_eq!(entry(exchange(body, &[], "")).model().as_deref(), model, "{body}");
    }
}

#[test]
fn requests_decided_out_of_order_stand_in_order_of_arrival() {
    let mut journal = Journal::default();
    let places: Vec<_> = (0..4).map(|_| journal.arrive()).collect();
    for at in [1, 3, 0, 2] {
        journal.push(places[at], entry(exchange("", &[], "")));
    }
    let kept: Vec<u64> = journal.entries().map(|entry| entry.index).collect();
    assert_eq!(kept, [1, 2, 3, 4]);
}

#[test]
fn a_request_under_way_while_the_journal_is_cleared_is_forgotten() {
    let mut journal = Journal::default();
    let before = journal.arrive();
    journal.clear();
    let after = journal.arrive();
    journal.push(before, entry(exchange("", &[], "")));
    journal.push(after, entry(exchange("", &[], "")));
    let kept: Vec<u64> = journal.entries().map(|entry| entry.index).collect();
    assert_eq!(kept, [1]);
}

#[test]
fn what_a_journal_says_decides_the_same_again() {
    let mut struck = entry(exchange("{}", &[], ""));
    struck.decision.faults = vec![Fault::status(503), Fault::slice(7)];
    struck.decision.latency = Duration::from_nanos(123_456_789);
    let journal = json!({ "requests": [struck.to_json()] }).to_string();
    let decisions = Decisions::from_journal(&journal).unwrap();
    let again = decisions.of(&struck.decision.identity, struck.decision.n).unwrap();
    assert_eq!(again.faults, struck.decision.faults);
    assert_eq!(again.latency.map(|latency| latency.0), Some(struck.decision.latency));
}
