//! One connection: requests in, deliveries out, until either side ends it.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};

use crate::testkit::mock_server::script::{Delivery, End};
use crate::testkit::mock_server::world::World;

use super::Order;
use super::intake::{self, Answered};
use super::play::{self, Playing};
use super::socket::{Socket, Takeover, Wire};

/// The head of a request, at most, in bytes.
const HEAD_BYTES_MAX: usize = 1 << 20;
const HEADERS_MAX: usize = 256;

/// Serves one connection.
pub(super) async fn serve(
    stream: TcpStream,
    world: Arc<World>,
    orders: mpsc::UnboundedSender<Order>,
    mut stop: watch::Receiver<bool>,
) {
    // What goes out is seen at once, as with the real server.
    let _ = stream.set_nodelay(true);
    let wire = Arc::new(Wire::default());
    let io = TokioIo::new(Socket::new(stream, Arc::clone(&wire)));
    let service = service_fn(|request| answer(request, &world, &wire, &orders));
    let mut connection = http1::Builder::new()
        // As the real server: nothing hurries a client, nor closes a connection that idles.
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .half_close(true)
        .title_case_headers(true)
        // A client that has sent all and closed its side still reads.
        .half_close(true)
        .serve_connection(io, service);
    let mut stopping = *stop.borrow();
    let takeover = loop {
        tokio::select! {
            _ = &mut connection => return,
            takeover = wire.due() => break takeover,
            _ = stop.changed(), if !stopping => {
                stopping = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let socket = connection.into_parts().io.into_inner();
    let leave = async { while !stopping && stop.changed().await.is_ok() && !*stop.borrow() {} };
    socket.end(takeover, leave).await;
}

async fn answer(
    request: Request<Incoming>,
    world: &Arc<World>,
    wire: &Arc<Wire>,
    orders: &mpsc::UnboundedSender<Order>,
) -> Result<Response<Playing>, std::convert::Infallible> {
    let (answered, began) = intake::respond(request, world).await;
    let clock = world.clock();
    let delivery = match answered {
        Answered::Decided(delivery) => delivery,
        Answered::Forwarded(forwarded) => return Ok(play::forwarded(forwarded, wire)),
    };
    match delivery {
        Delivery::Http(script) => {
            if !script.head_at.is_zero() {
                clock.sleep_until(began, script.head_at).await;
            }
            Ok(play::response(script, began, clock, wire))
        }
        Delivery::Raw { at, bytes, end } => {
            clock.sleep_until(began, at).await;
            wire.take_over(Takeover { bytes, end });
            std::future::pending().await
        }
        Delivery::Refuse(span) => {
            // Only once the port is closed: a client that tries again at once is refused.
            let (refusing, refused) = oneshot::channel();
            if orders.send(Order::Refuse(span, refusing)).is_ok() {
                let _ = refused.await;
            }
            wire.take_over(Takeover { bytes: Bytes::new(), end: End::Reset });
            std::future::pending().await
        }
    }
}
