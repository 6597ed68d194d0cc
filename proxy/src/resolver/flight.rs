//! Questions on their way: whoever asks what is being asked already waits for the same answer.
//!
//! A seat is held until an upstream answers or is given up, so that names that never answer could hold them all. Each
//! client therefore has a few and no more, and protected names have seats of their own. A datagram's sender can say that it
//! is any client, so that a part of all seats is kept for those who came over a connection.

use crate::cache::{Entry, Key};
use crate::limits::network_of;
use crate::upstream::Failure;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

type Outcome = Result<Arc<Entry>, Failure>;

/// For whom an upstream is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct For {
    /// The client: an IPv4 address, or the /64 of an IPv6 one.
    client: IpAddr,
    /// Whether the name is protected for it: such names have seats of their own.
    protected: bool,
    /// Whether it came over a connection, so that the client is who it says.
    proven: bool,
}

impl For {
    /// A question of a client's, over a connection or not.
    pub(crate) fn client(address: IpAddr, protected: bool, proven: bool) -> Self {
        Self { client: network_of(address), protected, proven }
    }
}

/// One seat in so many is for clients who came over a connection.
const KEPT_FOR_THE_PROVEN: usize = 4;

/// How many questions may be on their way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// For names that are not protected, and as many again at most for those that are.
    pub(super) all: usize,
    /// For one client, of each kind.
    pub(super) of_one: usize,
}

/// The questions that are with the upstreams.
#[derive(Debug)]
pub(super) struct Flights {
    seats: Arc<Mutex<Seats>>,
    most: Most,
}

/// Who sits where. What is counted is never zero, so that neither map is larger than the number of flights.
#[derive(Debug, Default)]
struct Seats {
    flights: HashMap<Key, watch::Receiver<Option<Outcome>>>,
    taken: HashMap<For, usize>,
}

impl Seats {
    fn has_room(&self, of: For, most: Most) -> bool {
        let alike = self.taken.iter().filter(|(other, _)| other.protected == of.protected);
        let all: usize = alike.map(|(_, count)| count).sum();
        let open = if of.proven { most.all } else { most.all - most.all / KEPT_FOR_THE_PROVEN };
        all < open && self.taken.get(&of).is_none_or(|count| *count < most.of_one)
    }

    fn take(&mut self, key: Key, of: For, flight: watch::Receiver<Option<Outcome>>) {
        self.flights.insert(key, flight);
        *self.taken.entry(of).or_default() += 1;
    }

    fn leave(&mut self, key: &Key, of: For) {
        self.flights.remove(key);
        if let Some(count) = self.taken.get_mut(&of) {
            *count -= 1;
            if *count == 0 {
                self.taken.remove(&of);
            }
        }
    }
}

/// A question on its way.
#[derive(Debug)]
pub(super) struct Flight(watch::Receiver<Option<Outcome>>);

impl Flight {
    /// Waits for the answer.
    pub(super) async fn landed(mut self) -> Outcome {
        match self.0.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(Failure::NoAnswer)),
            // The task ended without an outcome.
            Err(_) => Err(Failure::NoAnswer),
        }
    }
}

/// Takes the question out of the table, however its task ends.
struct Seat(Arc<Mutex<Seats>>, Key, For);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).leave(&self.1, self.2);
    }
}

impl Flights {
    pub(super) fn new(most: Most) -> Self {
        Self { seats: Arc::default(), most }
    }

    /// Joins the flight for a question, or begins one with `ask`. It goes on when nobody waits for it any more, so that
    /// the answer is there for the client's second try. `None`: there are too many, or too many of this client's.
    pub(super) fn join<F>(&self, key: Key, of: For, ask: impl FnOnce(Key) -> F) -> Option<Flight>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = seats.flights.get(&key) {
            return Some(Flight(flight.clone()));
        }
        if !seats.has_room(of, self.most) {
            return None;
        }
        let (landed, flight) = watch::channel(None);
        seats.take(key.clone(), of, flight.clone());
        let seat = Seat(Arc::clone(&self.seats), key.clone(), of);
        let asking = ask(key);
        tokio::spawn(async move {
            let outcome = asking.await;
            // The answer is in the cache by now: whoever comes after this finds it there.
            drop(seat);
            landed.send_replace(Some(outcome));
        });
        Some(Flight(flight))
    }
}
