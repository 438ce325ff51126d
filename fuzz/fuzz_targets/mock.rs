//! Any bytes on the socket: the mock answers HTTP or closes, and goes on. libFuzzer ends at a panic of any thread.
//! Its main is not Rust's, which ignores SIGPIPE: run it after `trap '' PIPE`, or a client that leaves early ends it.
#![no_main]

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use flakedb::testkit::mock_server::MockOllama;
use flakedb::testkit::mock_server::clock::Clock;

#[path = "../../tests/mock/promises.rs"]
mod promises;

/// Where the bytes of one case go.
const PATHS: [(&str, &str); 23] = [
    ("POST", "/api/chat"),
    ("POST", "/api/generate"),
    ("POST", "/api/embed"),
    ("POST", "/api/embeddings"),
    ("POST", "/api/show"),
    ("POST", "/api/create"),
    ("POST", "/api/pull"),
    ("POST", "/api/copy"),
    ("DELETE", "/api/delete"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/audio/transcriptions"),
    // What follows changes how all others are answered.
    ("POST", "/__admin/stubs"),
    ("PATCH", "/__admin/settings"),
    ("PUT", "/__admin/fault"),
    ("POST", "/__admin/routes"),
    ("POST", "/__admin/models"),
    ("POST", "/__admin/verify"),
    ("POST", "/__admin/clock"),
    ("PATCH", "/ns/other/__admin/settings"),
];
/// What is asked under settings, stubs and faults that the fuzzer chose.
const ASKED: [(&str, &[u8]); 4] = [
    ("/api/chat", br#"{"model":"llama3.2","messages":[{"role":"user","content":"Hi"}]}"#),
    ("/api/embed", br#"{"model":"all-minilm","input":["a","b"]}"#),
    ("/v1/responses", br#"{"model":"llama3.2","input":"Hi","stream":true}"#),
    (
        "/v1/messages",
        br#"{"model":"llama3.2","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#,
    ),
];
/// An answer that was told to stand still is not waited for.
const GLANCE: Duration = Duration::from_millis(20);

/// One mock for all cases: what one leaves behind is part of the next one's. Its clock is virtual, so slow answers take
/// no time.
fn mock() -> &'static MockOllama {
    static MOCK: OnceLock<MockOllama> = OnceLock::new();
    MOCK.get_or_init(|| {
        let began = "2026-11-26T12:00:00Z".parse().expect("a time");
        let builder = MockOllama::builder().auto().body_bytes_max(1 << 20);
        builder.clock(Clock::virtual_from(began)).start().expect("a mock")
    })
}

/// Asks under whatever was set; any end of the connection will do.
fn glance(address: SocketAddr, path: &str, body: &[u8]) {
    let mut stream = promises::connect(address);
    stream.set_read_timeout(Some(GLANCE)).expect("a timeout");
    if stream.write_all(&promises::request("POST", path, "", body)).is_ok() {
        let mut said = [0; 4 << 10];
        while stream.read(&mut said).is_ok_and(|read| read > 0) {}
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let address = mock().address();
    match PATHS.get(usize::from(*first)) {
        Some((method, path)) => {
            promises::check_body(address, method, path, rest);
            if let Some((namespace, _)) = path.split_once("/__admin") {
                for (asked, body) in ASKED {
                    glance(address, &format!("{namespace}{asked}"), body);
                }
                promises::check_body(address, "GET", &format!("{namespace}/__admin/requests"), b"");
                promises::check_body(address, "POST", "/__admin/reset?all=true", b"");
            }
        }
        None => promises::check_raw(address, rest),
    }
    promises::check_alive(address);
});
