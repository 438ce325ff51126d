//! Ports that nobody else listens at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::ops::Range;

use socket2::{Domain, Socket, Type};

use super::lease::{Lease, LeaseError, Pool};

/// A port of the system's choice, held by the socket that listens there.
///
/// A number that is free now may be taken when the server starts; a socket is not. Hand over
/// [`Port::into_listener`] where the server takes one, else drop it as late as you can.
///
/// ```
/// use flakedb::testkit::parallel::Port;
/// let port = Port::bound()?;
/// assert!(std::net::TcpListener::bind(port.address()).is_err());
/// let listener = port.into_listener();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Listens at a free port of the loopback address.
    ///
    /// # Errors
    /// Where the system has none.
    pub fn bound() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.address.port()
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The socket that holds it.
    #[must_use]
    pub fn into_listener(self) -> TcpListener {
        self.listener
    }
}

/// Lends a block of `step` ports of `range`, at none of which anybody listens.
///
/// Take a range below the ports that the system gives to outgoing connections (from 32768 on Linux,
/// from 49152 elsewhere).
///
/// # Errors
/// [`LeaseError`].
pub fn ports(name: &str, range: Range<u16>, step: u16) -> Result<Lease, LeaseError> {
    let pool = Pool::new(name, range.start.into()..range.end.into()).step(step.into());
    lease_ports(&pool)
}

/// The same with a pool.
pub(super) fn lease_ports(pool: &Pool) -> Result<Lease, LeaseError> {
    let step = pool.step_of();
    pool.lease_of(&|start| {
        (start..start.saturating_add(step)).all(|port| u16::try_from(port).is_ok_and(is_free))
    })
}

/// True where nobody listens at the port, at whatever address.
fn is_free(port: u16) -> bool {
    let tries = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)].map(|at| {
        let domain = if at.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::STREAM, None)?;
        // Elsewhere the option would let two listen at one port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        if at.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&SocketAddr::new(at, port).into())
    });
    // A system without the one or the other kind of address has nobody there.
    let is_taken = |error: &std::io::Error| {
        matches!(error.kind(), std::io::ErrorKind::AddrInUse | std::io::ErrorKind::PermissionDenied)
    };
    tries.iter().all(|tried| !tried.as_ref().is_err_and(is_taken))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_port_is_held_until_it_is_given_up() {
        let (one, other) = (Port::bound().unwrap(), Port::bound().unwrap());
        assert_ne!(one.number(), other.number());
        assert!(!is_free(one.number()));
        let listener = one.into_listener();
        assert!(TcpListener::bind(listener.local_addr().unwrap()).is_err());
    }

    #[test]
    fn a_block_in_which_a_stranger_listens_is_left_out() {
        let place = tempfile::tempdir().unwrap();
        let stranger = Port::bound().unwrap();
        let number = u32::from(stranger.number());
        let pool = Pool::new("PORT", number..number + 1).at(place.path()).wait(Duration::ZERO);
        assert!(matches!(lease_ports(&pool), Err(LeaseError::Taken { .. })));
        let beyond = Pool::new("PORT", 65_536..65_537).at(place.path()).wait(Duration::ZERO);
        assert!(lease_ports(&beyond).is_err());
    }

    #[test]
    fn two_blocks_have_no_port_in_common() {
        let one = ports("test-ports", 23_000..24_000, 10).unwrap();
        let other = ports("test-ports", 23_000..24_000, 10).unwrap();
        let (one, other) = (one.numbers(), other.numbers());
        assert_eq!(one.clone().count(), 10);
        assert!(one.end() < other.start() || other.end() < one.start());
    }
}
