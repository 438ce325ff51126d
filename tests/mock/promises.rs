//! What the mock promises of any bytes at all that come over its socket. For the property tests here and for the fuzzer.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// No answer takes as long as this; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that gives up in the end.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("the mock listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// Everything that the mock says until it closes. A reset ends it as well: bytes were left unread.
pub(crate) fn heard(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return said,
            Ok(read) => said.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return said,
            // A process that was stopped and goes on.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("neither an answer nor a close: {error}"),
        }
    }
}

/// Sends these bytes and no more, and hears the answer out.
pub(crate) fn told(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // The mock may have had enough before the last byte.
    if stream.write_all(bytes).is_ok() {
        let _ = stream.shutdown(Shutdown::Write);
    }
    heard(&mut stream)
}

/// A whole request that closes its connection.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// The status of an answer.
pub(crate) fn status(said: &[u8]) -> Option<u16> {
    let code =
        said.strip_prefix(b"HTTP/1.1 ").or_else(|| said.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}

/// The mock still answers.
pub(crate) fn check_alive(address: SocketAddr) {
    let said = told(address, &request("GET", "/", "", b""));
    assert_eq!(status(&said), Some(200), "{:?}", String::from_utf8_lossy(&said));
    assert!(said.ends_with(b"Ollama is running"));
}

/// Bytes as they are: HTTP comes back, or nothing.
pub(crate) fn check_raw(address: SocketAddr, bytes: &[u8]) {
    let said = told(address, bytes);
    assert!(said.is_empty() || status(&said).is_some(), "{:?}", String::from_utf8_lossy(&said));
}

/// Bytes as the body of a well-formed request: the answer is a whole one.
pub(crate) fn check_body(address: SocketAddr, method: &str, path: &str, body: &[u8]) {
    let said = told(address, &request(method, path, "", body));
    let status = status(&said);
    let text = String::from_utf8_lossy(&said);
    assert!(status.is_some_and(|status| (200..600).contains(&status)), "{method} {path}: {text:?}");
    let (head, rest) =
        text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {text:?}"));
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") && method != "HEAD" {
        assert!(rest.ends_with("0\r\n\r\n"), "{method} {path}: a stream without its end: {text:?}");
    }
}
