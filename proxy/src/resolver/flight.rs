//! Questions on their way: whoever asks what is being asked already waits for the same answer.
//!
//! A seat is held until an upstream answers or is given up, so that names that never answer could hold them all. Each
//! client therefore has a few and no more (a forwarder that names no clients has more, and never all), and protected names
//! have seats of their own. A datagram's sender can say that it
//! is any client, so that a part of all seats is kept for those who came over a connection.

use crate::cache::{Entry, Key};
use crate::limits::Counted;
use crate::upstream::Failure;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

type Outcome = Result<Arc<Entry>, Failure>;

/// For whom an upstream is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct For {
    /// By what the client is counted.
    client: Counted,
    /// Whether the name is protected for it: such names have seats of their own.
    protected: bool,
    /// Whether it came over a connection, so that the client is who it says.
    proven: bool,
}

impl For {
    /// A question of a client's, over a connection or not.
    pub(crate) fn client(client: Counted, protected: bool, proven: bool) -> Self {
        Self { client, protected, proven }
    }
}

/// One seat in so many is for clients who came over a connection.
const KEPT_FOR_THE_PROVEN: usize = 4;

/// How many clients' seats a forwarder has that names none; at most half of all.
const OF_A_FORWARDER: usize = 4;

/// How many questions may be on their way.
#[derive(Clone, Debug)]
pub(super) struct Most {
    /// For names that are not protected, and as many again at most for those that are.
    pub(super) all: usize,
    /// For one client, of each kind.
    pub(super) of_one: usize,
}

impl Most {
    fn of(&self, of: For) -> usize {
        match of.client.stands_for_many() {
            true => (self.of_one * OF_A_FORWARDER).min(self.all / 2).max(self.of_one),
            false => self.of_one,
        }
    }
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
    fn has_room(&self, of: For, most: &Most) -> bool {
        let alike = self.taken.iter().filter(|(other, _)| other.protected == of.protected);
        let all: usize = alike.map(|(_, count)| count).sum();
        let open = if of.proven { most.all } else { most.all - most.all / KEPT_FOR_THE_PROVEN };
        all < open && self.taken.get(&of).is_none_or(|count| *count < most.of(of))
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
        if !seats.has_room(of, &self.most) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::wire::WireName;
    use blocklists::Name;

    const MOST: usize = 40;

    fn flights() -> Flights {
        Flights::new(Most { all: MOST, of_one: 4 })
    }

    /// How many of a hundred questions to which no answer comes find a seat.
    fn seated(flights: &Flights, client: &str, protected: bool, proven: bool) -> usize {
        let face = client.parse().unwrap();
        let counted = if client.ends_with("53") { Counted::many(face) } else { Counted::one(face) };
        let of = For::client(counted, protected, proven);
        let key = |n: usize| {
            let name = WireName::from_name(Name::trusted(&format!("{n}.{client}.example").replace(':', "-")));
            Key::from(crate::cache::Asking { name: &name, qtype: 1, flags: u8::from(protected) })
        };
        (0..100).filter(|n| flights.join(key(*n), of, |_| std::future::pending()).is_some()).count()
    }

    #[tokio::test]
    async fn who_sits_where() {
        let flights = flights();
        for (what, client, protected, proven, seats) in [
            ("a client has its few", "192.0.2.1", false, true, 4),
            ("and as many for what is protected", "192.0.2.1", true, true, 4),
            ("a forwarder has more", "192.0.2.53", false, false, 16),
            ("and as many for what is protected", "192.0.2.53", true, false, 16),
            ("another forwarder finds what datagrams may take", "2001:db8::53", false, false, 10),
            ("who came over a connection finds more", "2001:db8:0:1::1", false, true, 4),
            ("and the next the same", "192.0.2.2", false, true, 4),
            ("and the next", "192.0.2.3", false, true, 2),
            ("until all are taken", "192.0.2.4", false, true, 0),
            ("but not for what is protected", "192.0.2.4", true, true, 4),
        ] {
            assert_eq!(seated(&flights, client, protected, proven), seats, "{what}");
        }
    }
}
