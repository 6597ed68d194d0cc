//! One client connection and its place among the others: caps for the whole proxy and for each client.

use super::counters::{Counter, Counters, One};
use crate::limits::network_of;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedSemaphorePermit;
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
    /// Its place; given back when the last user of the visit is gone.
    pub(super) place: Place,
}

/// How many connections each client has open.
#[derive(Default)]
pub(super) struct Clients {
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// So many connections beyond its share has a client for what is protected for it: a browser opens six at once.
const SPARE: usize = 8;

/// A connection's place under the caps.
pub(crate) struct Place {
    client: IpAddr,
    spare: bool,
    clients: Arc<Clients>,
    _of_all: OwnedSemaphorePermit,
    _one: One,
}

impl Place {
    /// Whether it is beyond the client's share, and good only for what is protected for it.
    pub(super) fn is_spare(&self) -> bool {
        self.spare
    }
}

impl Clients {
    /// Takes a place for a client, unless it has `most` and the spare ones already.
    pub(super) fn enter(
        self: &Arc<Self>,
        peer: IpAddr,
        most: usize,
        of_all: OwnedSemaphorePermit,
        counters: &Arc<Counters>,
    ) -> Option<Place> {
        let client = network_of(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_insert(0);
        if *count >= most.saturating_add(SPARE) {
            return None;
        }
        let spare = *count >= most;
        *count += 1;
        let one = Counter::one(counters, |c| &c.connections_open);
        Some(Place { client, spare, clients: Arc::clone(self), _of_all: of_all, _one: one })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.clients.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;

    #[test]
    fn a_client_has_at_most_its_share_and_gives_it_back() {
        let (clients, counters) = (Arc::new(Clients::default()), Arc::new(Counters::default()));
        let all = Arc::new(Semaphore::new(30));
        let enter = |address: &str| {
            let permit = Arc::clone(&all).try_acquire_owned().unwrap();
            clients.enter(address.parse().unwrap(), 2, permit, &counters)
        };
        let (one, two) = (enter("192.0.2.1").unwrap(), enter("::ffff:192.0.2.1").unwrap());
        let spare: Vec<_> = std::iter::from_fn(|| enter("192.0.2.1")).collect();
        assert!(spare.len() == SPARE && spare.iter().all(Place::is_spare));
        assert!(!one.is_spare() && !two.is_spare());
        let six = [enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap()];
        assert!(enter("2001:db8::3").unwrap().is_spare() && !enter("2001:db8:0:1::3").unwrap().is_spare());
        assert_eq!(counters.connections_open.get(), 4 + SPARE as u64);
        drop((one, two, six, spare));
        assert!(clients.open.lock().unwrap().is_empty());
        assert_eq!(counters.connections_open.get(), 0);
        assert_eq!(all.available_permits(), 30);
    }
}
