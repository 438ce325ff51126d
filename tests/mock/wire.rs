//! A plain TCP client: it sends bytes, and tells what came back and how that ended.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer takes as long as this, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Once everything expected has come, silence is silence after this.
const SILENCE: Duration = Duration::from_millis(300);

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ended {
    /// FIN.
    Closed,
    /// RST.
    Reset,
    /// Not at all: nothing more came.
    Silent,
}

/// What came back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ended: Ended,
}

impl std::fmt::Debug for Heard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?} after \"{}\"", self.ended, self.bytes.escape_ascii())
    }
}

/// A request that asks for its connection to be closed after the answer.
pub(crate) fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a request on a connection of its own and hears its answer out.
pub(crate) fn ask(address: SocketAddr, request: &str) -> Heard {
    ask_until(address, request, usize::MAX)
}

/// The same, where nothing more is to come after so many bytes, the line `Date` not among them.
pub(crate) fn ask_until(address: SocketAddr, request: &str, expected: usize) -> Heard {
    let mut stream = TcpStream::connect(address).expect("the mock listens");
    stream.write_all(request.as_bytes()).expect("the mock reads");
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    let ended = loop {
        let complete = without_date(&bytes).len() >= expected;
        let timeout = if complete { SILENCE } else { PATIENCE };
        stream.set_read_timeout(Some(timeout)).expect("a timeout");
        match stream.read(&mut buffer) {
            Ok(0) => break Ended::Closed,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => break Ended::Silent,
                ErrorKind::ConnectionReset => break Ended::Reset,
                _ => panic!("neither bytes nor an end: {error}"),
            },
        }
    };
    Heard { bytes: without_date(&bytes), ended }
}

/// The bytes without the line `Date`, which differs from second to second.
fn without_date(bytes: &[u8]) -> Vec<u8> {
    let head = find(bytes, b"\r\n\r\n").unwrap_or(0);
    match find(&bytes[..head], b"\r\nDate: ") {
        None => bytes.to_vec(),
        Some(start) => {
            let end = start + 2 + find(&bytes[start + 2..], b"\r\n").expect("the line's end");
            [&bytes[..start], &bytes[end..]].concat()
        }
    }
}

/// A whole answer, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Up to and with its blank line.
    pub(crate) head: Vec<u8>,
    /// Its chunks, or its body as one.
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) chunked: bool,
}

impl Answer {
    /// Reads an answer that HTTP/1.1 calls complete.
    pub(crate) fn read(heard: &Heard) -> Self {
        assert_eq!(heard.ended, Ended::Closed, "{heard:?}");
        let end =
            find(&heard.bytes, b"\r\n\r\n").unwrap_or_else(|| panic!("a head: {heard:?}")) + 4;
        let (head, mut rest) = (heard.bytes[..end].to_vec(), &heard.bytes[end..]);
        let chunked = find(&head, b"Transfer-Encoding: chunked\r\n").is_some();
        if !chunked {
            let length = format!("Content-Length: {}\r\n", rest.len());
            assert!(find(&head, length.as_bytes()).is_some(), "{heard:?}");
            return Self { head, frames: vec![rest.to_vec()], chunked };
        }
        let mut frames = Vec::new();
        loop {
            let line = find(rest, b"\r\n").unwrap_or_else(|| panic!("a chunk: {heard:?}"));
            let text = std::str::from_utf8(&rest[..line]).unwrap();
            let length = usize::from_str_radix(text, 16).unwrap();
            let start = line + 2;
            let chunk = rest[start..start + length].to_vec();
            assert_eq!(&rest[start + length..start + length + 2], b"\r\n", "{heard:?}");
            rest = &rest[start + length + 2..];
            if chunk.is_empty() {
                assert!(rest.is_empty(), "{heard:?}");
                return Self { head, frames, chunked };
            }
            frames.push(chunk);
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        self.frames.concat()
    }

    /// The bytes of a head and these chunks, the last chunk not among them.
    pub(crate) fn with_chunks<C: AsRef<[u8]>>(head: &[u8], chunks: &[C]) -> Vec<u8> {
        let mut bytes = head.to_vec();
        for chunk in chunks.iter().map(AsRef::as_ref) {
            bytes.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }

    /// The same with the last chunk: a complete answer.
    pub(crate) fn complete<C: AsRef<[u8]>>(head: &[u8], chunks: &[C]) -> Vec<u8> {
        [Self::with_chunks(head, chunks).as_slice(), b"0\r\n\r\n"].concat()
    }
}

pub(crate) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
