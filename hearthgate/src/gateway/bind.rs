//! Binds TCP listeners, each to its own family: `0.0.0.0` and `[::]` of one port can both be had.

use crate::failure::Failure;
use crate::gateway::unbound::{Over, failure};
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// A bound listener, or the failure with its likely fix.
pub(crate) fn tcp(kind: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    bound(address).map_err(|error| failure(kind, Over::Tcp, address, &error))
}

fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.cloexec(), None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A listener that has just ended leaves connections in TIME_WAIT; they are no reason to wait.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}
