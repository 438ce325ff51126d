//! A socket that can be taken out of HTTP's hands: what it has written is known to be written, and
//! then it can be reset, closed, or given bytes that are no HTTP.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::testkit::mock_server::script::End;

/// How long a reset waits for what was written before it.
const SENT_TIMEOUT: Duration = Duration::from_secs(1);

/// What is to happen to the connection outside of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Takeover {
    /// Bytes to write first.
    pub(super) bytes: Bytes,
    /// How the connection ends.
    pub(super) end: End,
}

/// What the exchange under way tells its connection.
#[derive(Default)]
pub(super) struct Wire {
    wanted: Mutex<Option<Takeover>>,
    due: Notify,
}

impl Wire {
    /// Takes the connection over as soon as everything written so far is on its way.
    pub(super) fn take_over_when_flushed(&self, takeover: Takeover) {
        *self.wanted() = Some(takeover);
    }

    /// Takes the connection over now; nothing of this answer has been written.
    pub(super) fn take_over(&self, takeover: Takeover) {
        *self.wanted() = Some(takeover);
        self.due.notify_one();
    }

    /// Waits for a takeover that is due.
    pub(super) async fn due(&self) -> Takeover {
        loop {
            self.due.notified().await;
            if let Some(takeover) = self.wanted().take() {
                return takeover;
            }
        }
    }

    fn flushed(&self) {
        if self.wanted().is_some() {
            self.due.notify_one();
        }
    }

    fn wanted(&self) -> std::sync::MutexGuard<'_, Option<Takeover>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that tells its [`Wire`] when all that was written has gone to the kernel.
pub(super) struct Socket {
    stream: TcpStream,
    wire: Arc<Wire>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, wire: Arc<Wire>) -> Self {
        Self { stream, wire }
    }

    /// Ends the connection as a takeover has it.
    pub(super) async fn end(mut self, takeover: Takeover, leave: impl Future<Output = ()>) {
        if !takeover.bytes.is_empty() && self.stream.write_all(&takeover.bytes).await.is_err() {
            return;
        }
        match takeover.end {
            End::Complete | End::Close => self.close().await,
            End::Reset => {
                let Some(stream) = sent(self.stream).await else { return };
                // Zero seconds of lingering: closing sends RST, not FIN.
                let _ = stream.set_zero_linger();
            }
            End::Stall => {
                tokio::select! {
                    () = leave => {}
                    () = self.until_client_leaves() => {}
                }
            }
        }
    }

    /// FIN, and then what the client still sends is read for a moment: data left unread would make
    /// the kernel send RST, which can overtake what the client has not read yet.
    async fn close(&mut self) {
        if self.stream.shutdown().await.is_ok() {
            let _ =
                tokio::time::timeout(Duration::from_millis(200), self.until_client_leaves()).await;
        }
    }

    async fn until_client_leaves(&mut self) {
        let mut unread = [0; 4096];
        while let Ok(read) = tokio::io::AsyncReadExt::read(&mut self.stream, &mut unread).await {
            if read == 0 {
                break;
            }
        }
    }
}

/// Waits until nothing that was written waits in the kernel any more (it paces many small writes):
/// a reset would take that back. `None`: the socket is gone.
#[cfg(any(target_os = "linux", target_os = "android"))]
async fn sent(stream: TcpStream) -> Option<TcpStream> {
    let stream = stream.into_std().ok()?;
    // Writable means that nothing is unsent now, and a new registration asks whether it is.
    let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(1);
    let stream = TcpStream::from_std(stream).ok()?;
    // A client that does not read is not waited for.
    let _ = tokio::time::timeout(SENT_TIMEOUT, stream.writable()).await;
    Some(stream)
}

/// Other systems do not tell: a moment, in which it mostly is sent.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
async fn sent(stream: TcpStream) -> Option<TcpStream> {
    tokio::time::sleep(SENT_TIMEOUT / 10).await;
    Some(stream)
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.wire.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
