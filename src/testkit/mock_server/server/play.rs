//! Playing a script: its frames at their times, and its end.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::body::{Frame as HttpFrame, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::mpsc;

use crate::testkit::mock_server::clock::Clock;
use crate::testkit::mock_server::record::{ForwardError, Forwarded};
use crate::testkit::mock_server::script::{Body, End, Frame, Script};

use super::socket::{Takeover, Wire};

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Headers that say how the other server's connection goes on, not ours.
const OF_ITS_CONNECTION: [&str; 3] = ["connection", "keep-alive", "transfer-encoding"];

/// A body on its way.
pub(super) enum Playing {
    /// All at once.
    Whole(Option<Bytes>),
    /// Frame by frame.
    Frames(Frames),
    /// As another server sends it.
    Forwarded(mpsc::Receiver<Result<Frame, ForwardError>>, Arc<Wire>),
}

pub(super) struct Frames {
    left: std::vec::IntoIter<Frame>,
    next: Option<Frame>,
    began: DateTime<Utc>,
    clock: Clock,
    waiting: Option<Sleep>,
    /// A frame has been given and is not flushed yet.
    flushing: bool,
    end: End,
    wire: Arc<Wire>,
}

/// An answer of another server, while it comes.
pub(super) fn forwarded(forwarded: Forwarded, wire: &Arc<Wire>) -> Response<Playing> {
    let body = Playing::Forwarded(forwarded.pieces, Arc::clone(wire));
    let mut headers = forwarded.headers;
    headers.retain(|(name, _)| !OF_ITS_CONNECTION.contains(&name.as_str()));
    with_head(body, forwarded.status, headers)
}

/// The head and body of a script. Headers that HTTP does not allow are left out.
pub(super) fn response(
    script: Script,
    began: DateTime<Utc>,
    clock: &Clock,
    wire: &Arc<Wire>,
) -> Response<Playing> {
    let end = script.end;
    let body = match script.body {
        Body::Whole(bytes) if end == End::Complete => Playing::Whole(Some(bytes)),
        Body::Whole(bytes) => {
            Playing::frames(vec![Frame { at: script.head_at, bytes }], end, began, clock, wire)
        }
        Body::Stream(frames) => Playing::frames(frames, end, began, clock, wire),
    };
    with_head(body, script.status, script.headers)
}

fn with_head(body: Playing, status: u16, headers: Vec<(String, String)>) -> Response<Playing> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    for (name, value) in headers {
        let name = HeaderName::try_from(name.as_str());
        let value = HeaderValue::try_from(value.as_str());
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

impl Playing {
    fn frames(
        frames: Vec<Frame>,
        end: End,
        began: DateTime<Utc>,
        clock: &Clock,
        wire: &Arc<Wire>,
    ) -> Self {
        Self::Frames(Frames {
            left: frames.into_iter(),
            next: None,
            began,
            clock: clock.clone(),
            waiting: None,
            flushing: false,
            end,
            wire: Arc::clone(wire),
        })
    }
}

impl hyper::body::Body for Playing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(HttpFrame::data(bytes)))),
            Self::Frames(frames) => frames.poll(context),
            Self::Forwarded(pieces, wire) => match std::task::ready!(pieces.poll_recv(context)) {
                Some(Ok(piece)) => Poll::Ready(Some(Ok(HttpFrame::data(piece.bytes)))),
                // It broke off there, so it does here.
                Some(Err(_)) => {
                    let end = End::Close;
                    wire.take_over_when_flushed(Takeover { bytes: Bytes::new(), end });
                    Poll::Pending
                }
                None => Poll::Ready(None),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Frames(_) | Self::Forwarded(..) => SizeHint::default(),
        }
    }
}

impl Frames {
    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, Infallible>>> {
        if std::mem::take(&mut self.flushing) {
            // Not ready for one turn: the connection flushes, and each frame is a write of its own.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(waiting) = &mut self.waiting {
                std::task::ready!(waiting.as_mut().poll(context));
                self.waiting = None;
            }
            if let Some(frame) = self.next.take() {
                if frame.bytes.is_empty() {
                    continue;
                }
                self.flushing = true;
                return Poll::Ready(Some(Ok(HttpFrame::data(frame.bytes))));
            }
            let Some(frame) = self.left.next() else { return self.poll_end() };
            if !frame.at.is_zero() {
                let clock = self.clock.clone();
                let (began, at) = (self.began, frame.at);
                self.waiting = Some(Box::pin(async move { clock.sleep_until(began, at).await }));
            }
            self.next = Some(frame);
        }
    }

    fn poll_end(&mut self) -> Poll<Option<Result<HttpFrame<Bytes>, Infallible>>> {
        match self.end {
            End::Complete => Poll::Ready(None),
            // Not by HTTP: it would not see a client leave that has nothing more to hear.
            end @ (End::Close | End::Reset | End::Stall) => {
                self.wire.take_over_when_flushed(Takeover { bytes: Bytes::new(), end });
                Poll::Pending
            }
        }
    }
}
