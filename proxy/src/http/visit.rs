//! One client connection.

use super::counters::One;
use crate::seats::Seat;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// One client connection.
pub(crate) struct Visit {
    /// The client's address.
    pub(crate) peer: SocketAddr,
    /// Our own address that it came in at.
    pub(crate) local: Option<SocketAddr>,
    /// Where it meant to connect to, if the router redirected it here.
    pub(crate) meant: Option<SocketAddr>,
    /// Ends the connection, whatever it is doing.
    pub(crate) cut: CancellationToken,
    /// Its place. A tunnel that it became keeps that and nothing else of the visit.
    pub(crate) place: Arc<Place>,
}

/// A connection's place, and its count among those that are open; given back when the last user is gone.
pub(crate) struct Place {
    pub(super) seat: Seat,
    pub(super) _open: One,
}

impl Visit {
    /// Whether it is beyond the client's share, and good only for what is protected for it.
    pub(super) fn is_spare(&self) -> bool {
        self.place.seat.is_spare()
    }
}
