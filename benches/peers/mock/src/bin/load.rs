//! Requests over and over on connections that stay open.
//! Usage: load ADDRESS REQUEST_FILE CONNECTIONS SECONDS
//! Prints one line of JSON: answers, seconds, and what the middle and the slowest answers took, in microseconds.
//!
//! It writes the same bytes each time and reads an answer's `Content-Length` only, so that it costs far less than any
//! server that it asks.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, request, connections, seconds] = &arguments[..] else {
        panic!("usage: load ADDRESS REQUEST_FILE CONNECTIONS SECONDS");
    };
    let request: &'static [u8] = std::fs::read(request).expect("the request").leak();
    let connections: usize = connections.parse().expect("connections");
    let span = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (mut took, elapsed) = runtime.block_on(async {
        let began = Instant::now();
        let asking: Vec<_> = (0..connections)
            .map(|_| tokio::spawn(ask(address.clone(), request, began + span)))
            .collect();
        let mut took = Vec::new();
        for one in asking {
            took.extend(one.await.expect("a connection"));
        }
        (took, began.elapsed())
    });
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!(
        r#"{{"answers":{},"seconds":{:.6},"p50":{:.1},"p99":{:.1}}}"#,
        took.len(), elapsed.as_secs_f64(), at(0.5), at(0.99)
    );
}

/// What each answer took on one connection, until `end`.
async fn ask(address: String, request: &'static [u8], end: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("no delay");
    let mut took = Vec::with_capacity(1 << 16);
    let mut buffer = vec![0; 64 << 10];
    while Instant::now() < end {
        let began = Instant::now();
        stream.write_all(request).await.expect("written");
        let mut have = 0;
        loop {
            let read = stream.read(&mut buffer[have..]).await.expect("an answer");
            assert!(read > 0, "the server closed");
            have += read;
            if whole(&buffer[..have]).is_some_and(|length| have >= length) {
                break;
            }
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..have]));
        took.push(began.elapsed());
    }
    took
}

/// The length of an answer, head and body, once its head is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    for line in bytes[..head].split(|byte| *byte == b'\n') {
        if line.len() > 15 && line[..15].eq_ignore_ascii_case(b"content-length:") {
            let value = std::str::from_utf8(&line[15..]).ok()?;
            return Some(head + value.trim().parse::<usize>().ok()?);
        }
    }
    panic!("an answer without Content-Length: {}", String::from_utf8_lossy(&bytes[..head]));
}
