//! The server as a plain TCP client sees it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::testkit::mock_server::MockOllama;
use crate::testkit::mock_server::settings::CustomRoute;

fn route(path: &str, body: &'static str) -> CustomRoute {
    CustomRoute {
        method: None,
        path: path.to_owned(),
        status: 200,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: Bytes::from_static(body.as_bytes()),
    }
}

fn server() -> MockOllama {
    MockOllama::builder().route(route("/hello", "hi")).body_bytes_max(1000).start().unwrap()
}

fn ask(server: &MockOllama, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_route_answers_and_the_rest_is_as_the_real_router_has_it() {
    let server = server();
    let get = |path: &str| {
        ask(
            &server,
            &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        )
    };
    let hello = get("/hello");
    assert!(hello.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"), "{hello}");
    assert!(hello.ends_with("\r\n\r\nhi"), "{hello}");
    assert!(get("/nothing").ends_with("404 page not found"));
    let other = get("/api/chat");
    assert!(other.starts_with("HTTP/1.1 405 "), "{other}");
    assert!(other.contains("\r\nAllow: POST\r\n"), "{other}");
    assert!(get("/api/tags/").contains("\r\nLocation: /api/tags\r\n"));
    let named = get("/ns/a%20b/api/tags/?x=1");
    assert!(named.contains("\r\nLocation: /ns/a%20b/api/tags?x=1\r\n"), "{named}");
    let foreign = ask(&server, "GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n");
    assert!(foreign.starts_with("HTTP/1.0 403 "), "{foreign}");
}

#[test]
fn bodies_over_the_limit_are_refused() {
    let server = server();
    let large = "x".repeat(2000);
    for head in ["Content-Length: 2000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n7d0\r\n"] {
        let answer = ask(
            &server,
            &format!(
                "POST /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{head}{large}\r\n0\r\n\r\n"
            ),
        );
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
}

#[test]
fn it_stops_while_clients_hold_connections() {
    let server = server();
    let address = server.address();
    let mut held: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut held {
        stream.write_all(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = [0; 64];
        assert!(stream.read(&mut answer).unwrap() > 0);
    }
    // One is in the middle of a request.
    held[0].write_all(b"POST /hello HTTP/1.1\r\nContent-Length: 10\r\n\r\n").unwrap();
    let began = Instant::now();
    server.stop().unwrap();
    // No benchmark: the promise is one second, and a stop that waits for clients takes for ever.
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn it_starts_and_stops_within_an_async_runtime() {
    let server = server();
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let request = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, request).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
    assert!(answer.ends_with("hi"));
}
