//! Each fault as a plain TCP client sees it, byte for byte; the line `Date` set apart. What is
//! expected is made by hand from the answer of a server that breaks nothing.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use flakedb::testkit::mock_server::MockOllama;
use flakedb::testkit::mock_server::clock::Clock;
use flakedb::testkit::mock_server::fault::FaultRule;
use flakedb::testkit::mock_server::settings::CustomRoute;
use flakedb::testkit::mock_server::timing::Timing;
use serde_json::{Value, json};

use crate::wire::{Answer, Ended, Heard, ask, ask_until, find, request};

/// The same moment in all answers, and no waiting.
fn noon() -> Clock {
    Clock::frozen_at("2026-02-03T12:00:00Z".parse().unwrap())
}

fn rule(fault: Value) -> FaultRule {
    serde_json::from_value(fault).unwrap()
}

fn mock(faults: impl IntoIterator<Item = Value>) -> MockOllama {
    let builder = MockOllama::builder().seed(7).clock(noon());
    faults.into_iter().fold(builder, |builder, fault| builder.fault(rule(fault))).start().unwrap()
}

fn body(stream: bool) -> Value {
    json!({"model": "llama3.2", "stream": stream, "messages": [
        {"role": "user", "content": "Grüße aus 東京 😀, what is new?"}]})
}

fn chat(stream: bool) -> String {
    request("POST", "/api/chat", &body(stream).to_string())
}

fn chat_v1() -> String {
    request("POST", "/v1/chat/completions", &body(true).to_string())
}

/// What a server that breaks nothing answers, taken apart.
fn whole(request: &str) -> Answer {
    Answer::read(&ask(mock([]).address(), request))
}

/// What a server with this fault answers.
fn broken(fault: Value, request: &str) -> Heard {
    ask(mock([fault]).address(), request)
}

fn assert_heard(heard: &Heard, bytes: &[u8], ended: Ended) {
    let expected = Heard { bytes: bytes.to_vec(), ended };
    assert_eq!(*heard, expected);
}

/// A head of the server's own, for an answer known whole.
fn error(status: &str, kind: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{headers}Connection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Compares answers whose order of headers is not what matters.
fn assert_error(heard: &Heard, expected: &str) {
    let parts = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<String> = head.split("\r\n").map(str::to_lowercase).collect();
        lines[1..].sort();
        (lines, body.to_owned())
    };
    assert_eq!(heard.ended, Ended::Closed);
    assert_eq!(parts(&heard.bytes), parts(expected.as_bytes()));
}

#[test]
fn the_answer_to_break_is_a_stream_of_lines() {
    let answer = whole(&chat(true));
    assert!(answer.chunked);
    assert!(answer.frames.len() > 3, "{answer:?}");
    assert!(answer.frames.iter().all(|frame| frame.ends_with(b"\n")));
    assert_eq!(answer, whole(&chat(true)));
    assert!(!whole(&chat(false)).chunked);
}

#[test]
fn statuses_have_the_shape_of_their_api() {
    let busy = "server busy, please try again.  maximum pending requests exceeded";
    let heard = broken(json!({"kind": "status", "status": 503}), &chat(true));
    let kind = "application/json; charset=utf-8";
    let text = json!({ "error": busy }).to_string();
    assert_error(&heard, &error("503 Service Unavailable", kind, "", &text));
    let heard = broken(json!({"kind": "status", "status": 429, "retry_after": 2}), &chat(true));
    let text = json!({"error": "too many requests"}).to_string();
    let limited = error("429 Too Many Requests", kind, "Retry-After: 2\r\n", &text);
    assert_error(&heard, &limited);
    let heard = broken(json!({"kind": "status", "status": 503}), &chat_v1());
    let text = String::from_utf8(heard.bytes).unwrap();
    let (_, json) = text.split_once("\r\n\r\n").unwrap();
    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["error"]["message"], busy);
    assert_eq!(json["error"]["type"], "api_error");
    let page = json!({"kind": "status", "status": 502, "body": "<h1>no</h1>",
        "headers": {"Content-Type": "text/html", "X-Proxy": "yes"}});
    let expected = error("502 Bad Gateway", "text/html", "X-Proxy: yes\r\n", "<h1>no</h1>");
    assert_error(&broken(page, &chat(false)), &expected);
}

#[test]
fn resets_are_resets() {
    let Answer { head, frames, .. } = whole(&chat(true));
    assert_heard(&broken(json!({"kind": "reset"}), &chat(true)), b"", Ended::Reset);
    let after_head = broken(json!({"kind": "reset", "after_bytes": 0}), &chat(true));
    assert_heard(&after_head, &head, Ended::Reset);
    let sliced = broken(json!({"kind": "reset", "after_bytes": 10}), &chat(true));
    assert_heard(&sliced, &Answer::with_chunks(&head, &[&frames[0][..10]]), Ended::Reset);
    let two = broken(json!({"kind": "reset", "after_frames": 2}), &chat(true));
    assert_heard(&two, &Answer::with_chunks(&head, &frames[..2]), Ended::Reset);
    let all = broken(json!({"kind": "reset", "after_frames": 10_000}), &chat(true));
    assert_heard(&all, &Answer::with_chunks(&head, &frames), Ended::Reset);
    let plain = whole(&chat(false));
    let half = broken(json!({"kind": "reset", "after_bytes": 30}), &chat(false));
    assert_same_head(&half, &plain, &plain.frames[0][..30], Ended::Reset);
}

/// An answer with a `Content-Length` of the whole body, and only so much of it.
fn assert_same_head(heard: &Heard, plain: &Answer, body: &[u8], ended: Ended) {
    assert_eq!(heard.ended, ended, "{heard:?}");
    let end = find(&heard.bytes, b"\r\n\r\n").unwrap() + 4;
    let sorted = |head: &[u8]| {
        let text = String::from_utf8(head.to_vec()).unwrap();
        let mut lines: Vec<String> = text.split("\r\n").map(str::to_lowercase).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&heard.bytes[..end]), sorted(&plain.head));
    assert_eq!(&heard.bytes[end..], body, "{heard:?}");
}

#[test]
fn cuts_close_without_an_end() {
    let Answer { head, frames, .. } = whole(&chat(true));
    let one = Answer::with_chunks(&head, &frames[..1]);
    assert_heard(&broken(json!({"kind": "cut"}), &chat(true)), &one, Ended::Closed);
    let at_byte = frames[0].len() as u64 + 5;
    let inside = broken(json!({"kind": "cut", "after_bytes": at_byte}), &chat(true));
    let chunks = [&frames[0][..], &frames[1][..5]];
    assert_heard(&inside, &Answer::with_chunks(&head, &chunks), Ended::Closed);
    let nothing = broken(json!({"kind": "cut", "after_bytes": 0}), &chat(true));
    assert_heard(&nothing, &head, Ended::Closed);
    let plain = whole(&chat(false));
    let half = broken(json!({"kind": "cut", "after_bytes": 30}), &chat(false));
    assert_same_head(&half, &plain, &plain.frames[0][..30], Ended::Closed);
    assert_heard(&broken(json!({"kind": "empty"}), &chat(true)), b"", Ended::Closed);
}

/// A server with this fault says just these bytes, and then nothing, for as long as one cares.
fn assert_silent_after(fault: Value, request: &str, bytes: &[u8]) {
    let heard = ask_until(mock([fault]).address(), request, bytes.len());
    assert_heard(&heard, bytes, Ended::Silent);
}

#[test]
fn stalls_say_nothing_more_and_stay_open() {
    let Answer { head, frames, .. } = whole(&chat(true));
    assert_silent_after(json!({"kind": "stall"}), &chat(true), b"");
    let one = Answer::with_chunks(&head, &frames[..1]);
    assert_silent_after(json!({"kind": "stall", "after_tokens": 1}), &chat(true), &one);
    let plain = whole(&chat(false));
    let server = mock([json!({"kind": "stall", "after_bytes": 8})]);
    let some = ask_until(server.address(), &chat(false), plain.head.len() + 8);
    assert_same_head(&some, &plain, &plain.frames[0][..8], Ended::Silent);
    // Over a frozen clock a stall of some time is none.
    let for_a_time = broken(json!({"kind": "stall", "after_tokens": 1, "for": "1h"}), &chat(true));
    assert_heard(&for_a_time, &Answer::complete(&head, &frames), Ended::Closed);
}

#[test]
fn garbage_is_no_http_and_the_same_each_time() {
    let fault = json!({"kind": "garbage", "bytes": 48});
    let heard = broken(fault.clone(), &chat(true));
    assert_eq!((heard.bytes.len(), heard.ended), (48, Ended::Closed));
    assert!(!heard.bytes[0].is_ascii());
    assert_eq!(heard, broken(fault, &chat(true)));
}

#[test]
fn framing_changes_chunks_and_no_data() {
    let Answer { head, frames, .. } = whole(&chat(true));
    let sliced: Vec<Vec<u8>> =
        frames.iter().flat_map(|frame| frame.chunks(7)).map(<[u8]>::to_vec).collect();
    let slice = json!({"kind": "slice", "bytes": 7});
    let heard = broken(slice.clone(), &chat(true));
    assert_heard(&heard, &Answer::complete(&head, &sliced), Ended::Closed);
    // Some slice ends inside of a character, or the answer has none to cut.
    let text = frames.concat();
    let cut = sliced.iter().any(|slice| std::str::from_utf8(slice).is_err());
    assert!(cut || text.is_ascii(), "no slice falls into a character");
    let pairs: Vec<Vec<u8>> = frames.chunks(2).map(<[Vec<u8>]>::concat).collect();
    let merged = broken(json!({"kind": "merge"}), &chat(true));
    assert_heard(&merged, &Answer::complete(&head, &pairs), Ended::Closed);
    let crlf: Vec<Vec<u8>> =
        frames.iter().map(|frame| [&frame[..frame.len() - 1], b"\r\n"].concat()).collect();
    let heard = broken(json!({"kind": "crlf"}), &chat(true));
    assert_heard(&heard, &Answer::complete(&head, &crlf), Ended::Closed);
    let mut bom = frames.clone();
    bom[0] = [b"\xef\xbb\xbf", &frames[0][..]].concat();
    let heard = broken(json!({"kind": "bom"}), &chat(true));
    assert_heard(&heard, &Answer::complete(&head, &bom), Ended::Closed);
    let mut open = frames.clone();
    open.last_mut().unwrap().pop();
    let heard = broken(json!({"kind": "no_last_newline"}), &chat(true));
    assert_heard(&heard, &Answer::complete(&head, &open), Ended::Closed);
    // A body known whole becomes chunks.
    let plain = whole(&chat(false));
    let chunks: Vec<&[u8]> = plain.frames[0].chunks(7).collect();
    let heard = broken(slice, &chat(false));
    let sent = Answer::read(&heard);
    assert!(sent.chunked);
    assert_eq!(sent.frames, chunks);
}

#[test]
fn streams_end_wrong() {
    let Answer { head, frames, .. } = whole(&chat(true));
    let last = frames.len() - 1;
    let heard = broken(json!({"kind": "no_done"}), &chat(true));
    assert_heard(&heard, &Answer::complete(&head, &frames[..last]), Ended::Closed);
    let twice = [&frames[..], &frames[last..]].concat();
    let heard = broken(json!({"kind": "duplicate_done"}), &chat(true));
    assert_heard(&heard, &Answer::complete(&head, &twice), Ended::Closed);
    let more = [&frames[..], &frames[..1]].concat();
    let heard = broken(json!({"kind": "data_after_done"}), &chat(true));
    assert_heard(&heard, &Answer::complete(&head, &more), Ended::Closed);
    let line = b"{\"error\":\"out of memory\"}\n".to_vec();
    let failed = [&frames[..2], &[line]].concat();
    let fault = json!({"kind": "error_line", "after_frames": 2, "message": "out of memory"});
    let heard = broken(fault, &chat(true));
    assert_heard(&heard, &Answer::complete(&head, &failed), Ended::Closed);
    let open = whole(&chat_v1());
    let fault = json!({"kind": "error_line", "message": "boom", "style": "openai"});
    let heard = broken(fault, &chat_v1());
    let line =
        b"data: {\"error\":{\"message\":\"boom\",\"type\":\"api_error\",\"param\":null,\"code\":null}}\n\n";
    let failed = [open.frames[0].clone(), line.to_vec()];
    assert_heard(&heard, &Answer::complete(&open.head, &failed), Ended::Closed);
}

#[test]
fn contents_are_wrong() {
    let Answer { head, frames, .. } = whole(&chat(true));
    let heard = broken(json!({"kind": "content_type", "content_type": "text/plain"}), &chat(true));
    let text = String::from_utf8(head.clone()).unwrap();
    let plain = text.replace("application/x-ndjson", "text/plain");
    assert_heard(&heard, &Answer::complete(plain.as_bytes(), &frames), Ended::Closed);
    let heard = broken(json!({"kind": "malformed_json"}), &chat(true));
    let sent = Answer::read(&heard).frames;
    assert_eq!(sent.len(), frames.len());
    let half = sent[1].strip_suffix(b"\n").unwrap();
    assert!(frames[1].starts_with(half) && serde_json::from_slice::<Value>(half).is_err());
    assert_eq!((&sent[0], &sent[2..]), (&frames[0], &frames[2..]));
    let heard = broken(json!({"kind": "long_line"}), &chat(true));
    let sent = Answer::read(&heard).frames;
    let long = sent.concat();
    let lines: Vec<&[u8]> = long.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines[1].len(), 9_000_000);
    for (sent, line) in lines.iter().zip(&frames) {
        let read = |bytes| serde_json::from_slice::<Value>(bytes).unwrap();
        assert_eq!(read(sent), read(line));
    }
}

#[test]
fn a_refusal_closes_the_port_for_its_time() {
    let mock = mock([json!({"kind": "refuse", "for": "600ms", "first": 1})]);
    let started = Instant::now();
    assert_heard(&ask(mock.address(), &chat(true)), b"", Ended::Reset);
    let refused = TcpStream::connect(mock.address()).map_err(|error| error.kind());
    assert_eq!(refused.map(|_| ()), Err(ErrorKind::ConnectionRefused));
    while TcpStream::connect(mock.address()).is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "the port stays closed");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(started.elapsed() >= Duration::from_millis(500), "the port opened early");
    assert!(Answer::read(&ask(mock.address(), &chat(true))).frames.len() > 1);
}

/// How the answers to the same request end, one after another.
fn endings(address: SocketAddr, times: usize) -> Vec<Ended> {
    (0..times).map(|_| ask(address, &chat(false)).ended).collect()
}

#[test]
fn schedules_count_each_request_by_itself() {
    use Ended::{Closed, Reset};
    let server = mock([json!({"kind": "reset", "first": 2})]);
    assert_eq!(endings(server.address(), 3), [Reset, Reset, Closed]);
    let other = request("POST", "/api/chat", &body(true).to_string().replace("new", "old"));
    assert_eq!(ask(server.address(), &other).ended, Reset);
    // Spelt otherwise, it is the same request.
    let spaced = request("POST", "/api/chat", &format!(" {} ", body(false)));
    assert_eq!(ask(server.address(), &spaced).ended, Closed);
    let server = mock([json!({"kind": "reset", "every": 2})]);
    assert_eq!(endings(server.address(), 4), [Closed, Reset, Closed, Reset]);
    let server = mock([json!({"kind": "reset", "paths": ["/v1/*"]})]);
    assert_eq!(endings(server.address(), 1), [Closed]);
    assert_eq!(ask(server.address(), &chat_v1()).ended, Reset);
}

#[test]
fn a_slow_stream_comes_in_its_time() {
    let builder = MockOllama::builder().seed(7);
    let rule = rule(json!({"kind": "dribble", "chunks": 4, "over": "200ms"}));
    let mock = builder.fault(rule).start().unwrap();
    let started = Instant::now();
    let sent = Answer::read(&ask(mock.address(), &chat(true)));
    assert!(started.elapsed() >= Duration::from_millis(190));
    assert_eq!(sent.frames.len(), 4);
}

#[test]
fn what_a_fault_answers_in_place_of_is_not_done() {
    let server = mock([json!({"kind": "status", "status": 503, "first": 1, "paths": "/api/*e*"})]);
    let delete = request("DELETE", "/api/delete", r#"{"model":"llama3.2"}"#);
    let status = |request: &str| ask(server.address(), request).bytes[9..12].to_vec();
    assert_eq!(status(&delete), b"503");
    assert_eq!(status(&delete), b"200");
    assert_eq!(status(&delete), b"404");
}

#[test]
fn rules_strike_routes_of_ones_own() {
    let route = CustomRoute {
        method: None,
        path: "/health".to_owned(),
        status: 200,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: "well".into(),
    };
    let rule = rule(json!({"kind": "status", "status": 500, "body": "ill", "first": 1}));
    let mock = MockOllama::builder().route(route).fault(rule).start().unwrap();
    let health = request("GET", "/health", "");
    assert!(ask(mock.address(), &health).bytes.ends_with(b"\r\n\r\nill"));
    assert!(ask(mock.address(), &health).bytes.ends_with(b"\r\n\r\nwell"));
}

#[test]
fn latency_is_waited_for_before_any_answer() {
    let timing: Timing = serde_json::from_value(json!({"latency": "80ms"})).unwrap();
    let mock = MockOllama::builder().timing(&timing).start().unwrap();
    for request in [
        request("GET", "/api/tags", ""),
        request("POST", "/api/chat", r#"{"model":"nobody","messages":[]}"#),
        request("POST", "/api/embed", r#"{"model":"llama3.2","input":"x"}"#),
        request("POST", "/v1/embeddings", r#"{"model":"llama3.2","input":"x"}"#),
        chat(false),
        chat(true),
    ] {
        let started = Instant::now();
        ask(mock.address(), &request);
        assert!(started.elapsed() >= Duration::from_millis(79), "{request}");
    }
}
