use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::testkit::mock_server::clock::Clock;
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::script::{Body, Frame};
use crate::testkit::mock_server::stub::Stub;

const SECRET: &str = "Bearer sk-very-secret";

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A server that takes one request, and answers with these parts, 20 ms apart; gives what it read.
async fn answering(parts: Vec<Vec<u8>>) -> (Upstream, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}/base/", listener.local_addr().unwrap()).parse().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"}") {
            let mut more = [0; 4096];
            let count = stream.read(&mut more).await.unwrap();
            assert_ne!(count, 0);
            read.extend_from_slice(&more[..count]);
        }
        for part in parts {
            stream.write_all(&part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        String::from_utf8(read).unwrap()
    });
    (upstream, server)
}

fn chat() -> Exchange {
    let body = json!({"model": "m", "messages": [
        {"role": "system", "content": "be brief"}, {"role": "user", "content": "weather?"}
    ]});
    let mut exchange = Exchange::bare("POST", "/api/chat", &body.to_string());
    exchange.query = "a=1".to_owned();
    exchange.headers.insert("authorization", SECRET.parse().unwrap());
    exchange.headers.insert("host", "127.0.0.1:1".parse().unwrap());
    exchange.headers.insert("accept-encoding", "gzip".parse().unwrap());
    exchange
}

#[test]
fn an_answer_streams_through_and_is_kept_with_its_times() {
    run(async {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nDate: now\r\n\
            Set-Cookie: s=1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let parts: [&[u8]; 4] =
            [head, b"6\r\n{\"a\":1\r\n", b"3\r\n}\n{\r\n", b"a\r\n\"done\":1}\n\r\n0\r\n\r\n"];
        let (upstream, server) = answering(parts.iter().map(|part| part.to_vec()).collect()).await;
        let exchange = chat();
        let mut forwarded = forward(&upstream, &exchange, &Clock::system()).await.unwrap();
        assert_eq!(forwarded.status, 200);
        let first = forwarded.pieces.recv().await.unwrap().unwrap();
        // It is passed on before the rest has come.
        assert_eq!(first.bytes, "{\"a\":1");
        assert!(forwarded.tape.try_recv().is_err());
        let mut bytes = first.bytes.to_vec();
        while let Some(piece) = forwarded.pieces.recv().await {
            bytes.extend_from_slice(&piece.unwrap().bytes);
        }
        assert_eq!(bytes, b"{\"a\":1}\n{\"done\":1}\n");
        let tape = forwarded.tape.await.unwrap();
        let texts: Vec<_> = tape.frames.iter().map(|frame| frame.bytes().unwrap()).collect();
        assert_eq!(texts, ["{\"a\":1}\n", "{\"done\":1}\n"]);
        assert!(tape.stream);
        assert_eq!(tape.headers, [("content-type".to_owned(), "application/x-ndjson".to_owned())]);
        let times: Vec<Duration> = tape.frames.iter().map(|frame| frame.at.0).collect();
        assert!(times[1] >= times[0] + Duration::from_millis(10), "{times:?}");
        let asked = server.await.unwrap();
        assert!(asked.starts_with("POST /base/api/chat?a=1 HTTP/1.1\r\n"), "{asked}");
        // The real server is to see the key; the cassette is not.
        assert!(
            asked.contains(SECRET) && !asked.contains("gzip") && !asked.contains("127.0.0.1:1\r")
        );
        let mut cassette = Cassette::default();
        cassette.add(Said::of(&exchange), tape);
        assert!(!cassette.to_rules().to_string().contains("secret"));
    });
}

#[test]
fn an_answer_that_breaks_off_is_passed_on_and_not_kept() {
    run(async {
        let part = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec();
        let (upstream, server) = answering(vec![part]).await;
        let mut forwarded = forward(&upstream, &chat(), &Clock::system()).await.unwrap();
        assert_eq!(forwarded.pieces.recv().await.unwrap().unwrap().bytes, "half");
        let broken = forwarded.pieces.recv().await.unwrap().unwrap_err();
        assert!(broken.to_string().contains("broke off"), "{broken}");
        assert!(forwarded.tape.await.is_err());
        server.await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody: Upstream = listener.local_addr().unwrap().to_string().parse().unwrap();
        drop(listener);
        let refused = forward(&nobody, &chat(), &Clock::system()).await.unwrap_err();
        assert!(refused.to_string().contains("is the real server running there?"), "{refused}");
    });
}

#[test]
fn upstreams_are_spelt_like_this() {
    let read = |text: &str| text.parse::<Upstream>();
    assert_eq!(read("http://localhost:11434/").unwrap(), read("localhost").unwrap());
    assert_ne!(read("localhost:1").unwrap(), read("localhost:1/v1").unwrap());
    let secret = read("http://me:secret@host").unwrap_err().to_string();
    assert!(!secret.contains("secret"), "{secret}");
    for wrong in ["host:99999", "http://host:abc", "http://host:0"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    for wrong in ["https://localhost", "http://", "", "http://me@host", "http://a b", "host?x=1"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_was_asked_is_read_from_each_api() {
    let said = |path: &str, body: serde_json::Value| {
        let Said { model, user, tool_result, stream, .. } =
            Said::of(&Exchange::bare("POST", path, &body.to_string()));
        (model.unwrap_or_default(), user, tool_result, stream)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        said("/api/generate", json!({"model": "m", "prompt": "p"})),
        ("m".to_owned(), some("p"), None, Some(true))
    );
    let turn = json!({"model": "m", "stream": false, "messages": [
        {"role": "user", "content": "q"}, {"role": "tool", "content": "12 C"}]});
    assert_eq!(said("/api/chat", turn), ("m".to_owned(), None, some("12 C"), Some(false)));
    let parts = json!({"model": "m", "messages": [
        {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image_url"}]}]});
    assert_eq!(
        said("/v1/chat/completions", parts),
        ("m".to_owned(), some("look"), None, Some(false))
    );
    let result = json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "12 C"}]}]}]});
    assert_eq!(said("/v1/messages", result).2, some("12 C"));
    let items = json!({"model": "m", "stream": true, "input": [
        {"role": "user", "content": "q"}, {"type": "function_call_output", "output": "ok"}]});
    assert_eq!(said("/v1/responses", items), ("m".to_owned(), None, some("ok"), Some(true)));
    let embed = json!({"model": "m", "input": ["a", "b"]}).to_string();
    let Said { user, inputs, .. } = Said::of(&Exchange::bare("POST", "/api/embed", &embed));
    assert_eq!((user, inputs), (None, Some(vec!["a".to_owned(), "b".to_owned()])));
    assert_eq!(said("/api/show", json!({"name": "m"})), ("m".to_owned(), None, None, None));
    assert_eq!(said("/api/chat", json!([1])), (String::new(), None, None, Some(true)));
}

fn frame(at: u64, bytes: &[u8]) -> Frame {
    Frame { at: Duration::from_millis(at), bytes: bytes.to_vec().into() }
}

#[test]
fn a_cassette_is_a_rule_file() {
    let headers = || vec![("content-type".to_owned(), "text/event-stream".to_owned())];
    let answer = |text: &str, at: u64| {
        let pieces = [frame(at, text.as_bytes()), frame(at + 5, b"data: [DONE]\n\n")];
        Tape::new(200, headers(), Duration::from_millis(at), true, &pieces)
    };
    let said = Said::of(&chat());
    let mut cassette = Cassette::default();
    cassette.add(said.clone(), answer("data: one\n\n", 10));
    cassette.add(said.clone(), answer("data: one\n\n", 30));
    cassette.add(said.clone(), answer("data: two\n\n", 12));
    let whole =
        Tape::new(200, Vec::new(), Duration::from_micros(1500), false, &[frame(2, b"\xff")]);
    cassette.add(Said::of(&Exchange::bare("GET", "/api/tags", "")), whole);
    let embed = Exchange::bare("POST", "/api/embed", r#"{"model":"m","input":["a","b"]}"#);
    let vectors = Tape::new(200, Vec::new(), Duration::ZERO, false, &[frame(1, b"{}")]);
    cassette.add(Said::of(&embed), Tape { instant: true, ..vectors });
    insta::assert_json_snapshot!(cassette.to_rules());
    assert_eq!(Cassette::from_rules(&cassette.to_rules()).unwrap(), cassette);
    let (_, tapes) = cassette.recorded().next().unwrap();
    assert_eq!(tapes.len(), 2);
    let script = tapes[0].script();
    assert_eq!(
        script.body,
        Body::Stream(vec![frame(10, b"data: one\n\n"), frame(15, b"data: [DONE]\n\n")])
    );
    assert_eq!(tapes[0].instant_script().bytes(), script.bytes());
    // The server reads it as it reads any rule file, and says the same of it.
    for stub in cassette.to_rules()["stubs"].as_array().unwrap() {
        let read = Stub::from_json(stub).unwrap();
        assert_eq!(Stub::from_json(&read.to_json()).unwrap(), read);
        assert!(read.to_json().to_string().contains("replay"));
    }
    let wrong = Cassette::from_rules(&json!({"stubs": [{"reply": "x"}]})).unwrap_err();
    assert_eq!(wrong.to_string(), "cassette: stubs[0]: it has no `replay`");
}

proptest! {
    #[test]
    fn a_tape_keeps_every_byte(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6),
        kind in prop::sample::select(vec!["application/x-ndjson", "text/event-stream", "text/plain"]),
        stream in any::<bool>(),
    ) {
        let frames: Vec<Frame> =
            pieces.iter().zip(1..).map(|(bytes, at)| frame(at, bytes)).collect();
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        let tape = Tape::new(200, headers, Duration::ZERO, stream, &frames);
        let text = serde_json::to_string(&tape).unwrap();
        let read: Tape = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &tape);
        prop_assert_eq!(read.script().bytes(), pieces.concat());
        prop_assert_eq!(read.instant_script().bytes(), pieces.concat());
    }
}
