//! The server on the socket: it listens, reads requests, and plays what was decided.

mod connection;
mod cors;
mod intake;
mod play;
mod socket;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::world::World;

/// How long exchanges under way may take to end once the server stops.
const GRACE: Duration = Duration::from_millis(250);
/// A refusal of connections lasts so long at most: nobody can end it from outside.
const REFUSAL_MAX: Duration = Duration::from_secs(60);
/// After an `accept` that failed (too many open files), before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What is asked of the accept loop from within exchanges.
pub(super) enum Order {
    /// Refuse connections for so long; say so once they are.
    Refuse(Duration, oneshot::Sender<()>),
}

/// Serves until `stop` says so, and until the exchanges under way have ended, or their grace has.
pub(super) async fn serve(
    listener: std::net::TcpListener,
    world: Arc<World>,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let address = listener.local_addr()?;
    let mut open = Some(TcpListener::from_std(listener)?);
    let (orders, mut ordered) = mpsc::unbounded_channel();
    let mut connections = JoinSet::new();
    let mut refused_until = Instant::now();
    loop {
        let Some(listener) = &open else {
            tokio::select! {
                _ = stop.changed() => break,
                Some(Order::Refuse(span, refusing)) = ordered.recv() => {
                    refused_until = refused_until.max(Instant::now() + span.min(REFUSAL_MAX));
                    let _ = refusing.send(());
                }
                () = tokio::time::sleep_until(refused_until) => {
                    open = listen_again(address, &stop).await;
                }
            }
            continue;
        };
        tokio::select! {
            _ = stop.changed() => break,
            Some(Order::Refuse(span, refusing)) = ordered.recv() => {
                refused_until = Instant::now() + span.min(REFUSAL_MAX);
                open = None;
                let _ = refusing.send(());
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(
                        stream,
                        Arc::clone(&world),
                        orders.clone(),
                        stop.clone(),
                    ));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(open);
    let ended = async { while connections.join_next().await.is_some() {} };
    // Past the grace they are dropped, and with them their sockets.
    let _ = tokio::time::timeout(GRACE, ended).await;
    Ok(())
}

/// The same address again, as soon as it is free: others may have taken it for a moment. `None`
/// where the server is to stop.
async fn listen_again(address: SocketAddr, stop: &watch::Receiver<bool>) -> Option<TcpListener> {
    while !*stop.borrow() {
        if let Ok(listener) = TcpListener::bind(address).await {
            return Some(listener);
        }
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
    None
}

/// Opens the port.
pub(super) fn bind(host: std::net::IpAddr, port: u16) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind((host, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Where it listens unless told otherwise: loopback.
pub(super) const HOST: std::net::IpAddr = std::net::IpAddr::V4(Ipv4Addr::LOCALHOST);
