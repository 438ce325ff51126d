//! Clients that mean harm, or mean well and are broken: the mock answers an error or closes, and goes on.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use flakedb::testkit::mock_server::MockOllama;
use proptest::prelude::*;

#[path = "promises.rs"]
mod promises;

use promises::{check_alive, check_body, check_raw, connect, heard, request, status, told};

const ROUTES: [(&str, &str); 27] = [
    ("GET", "/api/tags"),
    ("GET", "/api/ps"),
    ("GET", "/api/version"),
    ("POST", "/api/generate"),
    ("POST", "/api/chat"),
    ("POST", "/api/embed"),
    ("POST", "/api/embeddings"),
    ("POST", "/api/show"),
    ("POST", "/api/pull"),
    ("POST", "/api/push"),
    ("POST", "/api/create"),
    ("POST", "/api/copy"),
    ("DELETE", "/api/delete"),
    ("POST", "/api/blobs/sha256:00"),
    ("HEAD", "/api/blobs/sha256:00"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/audio/transcriptions"),
    ("GET", "/v1/models/x"),
    ("POST", "/__admin/stubs"),
    ("POST", "/__admin/routes"),
    ("POST", "/__admin/models"),
    ("PATCH", "/__admin/settings"),
    ("PUT", "/__admin/fault"),
];

fn mock() -> MockOllama {
    MockOllama::builder().auto().body_bytes_max(1 << 20).start().unwrap()
}

/// One mock for all cases of a property: what one case leaves behind is part of the next one's test.
fn with_mock(cases: u32, property: impl Fn(SocketAddr, &mut proptest::test_runner::TestRunner)) {
    let mock = mock();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    property(mock.address(), &mut runner);
    check_alive(mock.address());
}

#[test]
fn any_bytes_give_http_or_a_close() {
    with_mock(300, |address, runner| {
        let bytes = proptest::collection::vec(any::<u8>(), 0..2000);
        runner
            .run(&bytes, |bytes| {
                check_raw(address, &bytes);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn any_bytes_after_a_good_beginning_give_http_or_a_close() {
    with_mock(300, |address, runner| {
        let beginning = prop::sample::select(vec![
            "GET ",
            "POST /api/chat HTTP/1.1\r\n",
            "POST /api/chat HTTP/1.1\r\nHost: localhost\r\n",
            "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400\r\n\r\n{\"model\":",
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ]);
        let bytes = proptest::collection::vec(any::<u8>(), 0..500);
        runner
            .run(&(beginning, bytes), |(beginning, bytes)| {
                check_raw(address, &[beginning.as_bytes(), &bytes].concat());
                Ok(())
            })
            .unwrap();
    });
}

/// JSON of any shape, with the names that requests have.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let name = prop::sample::select(vec![
        "model",
        "messages",
        "prompt",
        "role",
        "content",
        "stream",
        "format",
        "tools",
        "function",
        "options",
        "keep_alive",
        "think",
        "images",
        "input",
        "suffix",
        "name",
        "from",
        "files",
        "source",
        "destination",
        "max_tokens",
        "type",
        "text",
        "parameters",
        "properties",
        "$ref",
        "required",
        "arguments",
        "tool_calls",
        "response_format",
        "json_schema",
        "schema",
        "truncate",
        "dimensions",
        "context",
        "num_predict",
        "stop",
        "top_logprobs",
        "logprobs",
        "match",
        "reply",
        "status",
        "body",
        "path",
        "method",
        "latency_ms",
        "seed",
        "faults",
        "times",
        "paths",
        "encoding_format",
        "anyOf",
        "items",
        "pattern",
        "minItems",
        "enum",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "llama3.2",
            "user",
            "assistant",
            "tool",
            "system",
            "json",
            "object",
            "array",
            "string",
            "integer",
            "10m",
            "-1",
            "",
            "#",
            "#/properties/a",
            "\u{1F600}",
            "a/b:c",
            "sha256:0",
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..8).prop_map(|pairs| {
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

#[test]
fn any_json_is_answered_whole_on_every_route() {
    with_mock(600, |address, runner| {
        let route = prop::sample::select(ROUTES.to_vec());
        let known = prop::option::weighted(0.8, Just("llama3.2"));
        runner
            .run(&(route, known, json()), |((method, path), model, mut body)| {
                if let (Some(body), Some(model)) = (body.as_object_mut(), model) {
                    body.insert("model".to_owned(), model.into());
                }
                check_body(address, method, path, body.to_string().as_bytes());
                // What the admin API was told must not keep the mock from answering the next case.
                if path.starts_with("/__admin") {
                    check_body(address, "POST", "/__admin/reset", b"");
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn any_bytes_as_a_body_are_answered_whole_on_every_route() {
    with_mock(300, |address, runner| {
        let route = prop::sample::select(ROUTES.to_vec());
        let bytes = proptest::collection::vec(any::<u8>(), 0..300);
        runner
            .run(&(route, bytes), |((method, path), bytes)| {
                check_body(address, method, path, &bytes);
                if path.starts_with("/__admin") {
                    check_body(address, "POST", "/__admin/reset", b"");
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let mock = MockOllama::builder().body_bytes_max(1000).start().unwrap();
    let said = told(mock.address(), &request("POST", "/api/chat", "", &vec![b' '; 1001]));
    assert_eq!(status(&said), Some(413), "{}", String::from_utf8_lossy(&said));
    // The same without a length known in advance, and with one that nobody could send.
    let mut chunked =
        b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    chunked
        .extend_from_slice(format!("{:x}\r\n{}\r\n0\r\n\r\n", 1001, " ".repeat(1001)).as_bytes());
    assert_eq!(status(&told(mock.address(), &chunked)), Some(413));
    let mut stream = connect(mock.address());
    let head = "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 413");
    // At the limit it is read.
    let said = told(mock.address(), &request("POST", "/api/chat", "", &vec![b' '; 1000]));
    assert_eq!(status(&said), Some(400));
    check_alive(mock.address());
}

#[test]
fn a_client_that_sends_far_too_much_still_hears_why() {
    let mock = MockOllama::builder().body_bytes_max(1000).start().unwrap();
    let said = told(mock.address(), &request("POST", "/api/chat", "", &vec![b' '; 8 << 20]));
    assert_eq!(status(&said), Some(413), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn huge_heads_are_refused() {
    let mock = mock();
    let long = format!("X-Long: {}\r\n", "a".repeat(2 << 20));
    let many: String = (0..1000).map(|n| format!("X-{n}: y\r\n")).collect();
    let deep = format!("/{}", "a/".repeat(1 << 20));
    for bytes in [
        request("GET", "/", &long, b""),
        request("GET", "/", &many, b""),
        request("GET", &deep, "", b""),
    ] {
        let said = told(mock.address(), &bytes);
        assert!(
            said.is_empty() || status(&said).is_some_and(|status| (400..500).contains(&status)),
            "{:?}",
            String::from_utf8_lossy(&said)
        );
    }
    check_alive(mock.address());
}

#[test]
fn nested_json_ends_no_stack() {
    let mock = mock();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for path in
            ["/api/chat", "/api/generate", "/v1/responses", "/v1/messages", "/__admin/stubs"]
        {
            let body = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            check_body(mock.address(), "POST", path, body.as_bytes());
        }
    }
    // A schema that never ends: the answer made from it must.
    let endless = serde_json::json!({
        "model": "llama3.2", "stream": false, "messages": [{"role": "user", "content": "x"}],
        "format": {
            "$ref": "#/$defs/node",
            "$defs": {"node": {
                "type": "object", "required": ["next"],
                "properties": {"next": {"$ref": "#/$defs/node"}},
            }},
        },
    });
    check_body(mock.address(), "POST", "/api/chat", endless.to_string().as_bytes());
    let vast = serde_json::json!({
        "model": "llama3.2", "stream": false, "messages": [{"role": "user", "content": "x"}],
        "format": {"type": "array", "minItems": 9_000_000_000_u64, "items": {"type": "string", "minLength": 9_000_000}},
    });
    check_body(mock.address(), "POST", "/api/chat", vast.to_string().as_bytes());
    check_alive(mock.address());
}

#[test]
fn slow_heads_and_bodies_keep_nobody_waiting() {
    let mock = mock();
    let slow: Vec<TcpStream> = (0..200)
        .map(|n| {
            let mut stream = connect(mock.address());
            let begun: &[u8] = match n % 3 {
                0 => b"",
                1 => b"POST /api/chat HTTP/1.1\r\nHost: lo",
                _ => b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
            };
            stream.write_all(begun).unwrap();
            stream
        })
        .collect();
    check_alive(mock.address());
    drop(slow);
    check_alive(mock.address());
}

#[test]
fn requests_sent_at_once_are_answered_in_order() {
    let mock = mock();
    let mut all = Vec::new();
    for path in ["/api/version", "/nowhere", "/api/version", "/"] {
        all.extend_from_slice(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
    }
    let said = String::from_utf8(told(mock.address(), &all)).unwrap();
    let statuses: Vec<&str> =
        said.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect();
    assert_eq!(statuses, ["200", "404", "200", "200"], "{said}");
    assert!(said.ends_with("Ollama is running"), "{said}");
}

#[test]
fn a_half_closed_client_gets_its_whole_answer() {
    let mock = mock();
    let mut stream = connect(mock.address());
    let body = br#"{"model":"llama3.2","messages":[{"role":"user","content":"Hello"}]}"#;
    stream.write_all(&request("POST", "/api/chat", "", body)).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let said = heard(&mut stream);
    assert_eq!(status(&said), Some(200), "{}", String::from_utf8_lossy(&said));
    assert!(said.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn clients_that_leave_early_are_forgotten() {
    let mock = mock();
    let body = br#"{"model":"llama3.2","messages":[{"role":"user","content":"Hello"}]}"#;
    for cut in [0, 1, 30, 120, usize::MAX] {
        for _ in 0..20 {
            let bytes = request("POST", "/api/chat", "", body);
            let mut stream = connect(mock.address());
            let _ = stream.write_all(&bytes[..cut.min(bytes.len())]);
        }
    }
    check_alive(mock.address());
}

#[test]
fn a_thousand_connections_are_served() {
    let mock = mock();
    let mut open: Vec<TcpStream> = (0..1000).map(|_| connect(mock.address())).collect();
    let ask = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for stream in &mut open {
        stream.write_all(ask).unwrap();
    }
    for stream in &mut open {
        let mut head = [0; 15];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK");
    }
    check_alive(mock.address());
}

#[test]
fn it_listens_on_loopback_unless_told() {
    let mock = MockOllama::start().unwrap();
    assert!(mock.address().ip().is_loopback(), "{}", mock.address());
    let open = MockOllama::builder().host([0, 0, 0, 0].into()).start().unwrap();
    assert!(open.address().ip().is_unspecified(), "{}", open.address());
    check_alive(SocketAddr::from(([127, 0, 0, 1], open.address().port())));
}
