//! One client connection.

use super::counters::One;
use crate::seats::Seat;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// One client connection, for as long as it or the tunnel that it became is open.
pub(crate) struct Visit {
    /// The client's address.
    pub(crate) peer: SocketAddr,
    /// Our own address that it came in at.
    pub(crate) local: Option<SocketAddr>,
    /// Where it meant to connect to, if the router redirected it here.
    pub(crate) meant: Option<SocketAddr>,
    /// Ends the connection, whatever it is doing.
    pub(crate) cut: CancellationToken,
    /// Its place, and its count among those that are open; given back when the last user of the visit is gone.
    pub(super) place: (Seat, One),
}

impl Visit {
    /// Whether it is beyond the client's share, and good only for what is protected for it.
    pub(super) fn is_spare(&self) -> bool {
        self.place.0.is_spare()
    }
}
