//! Places for connections: bounded for all together and for each client, and never all of them in a few hands.
//!
//! One who comes when every place is taken gets one from whoever has the most, who loses the oldest of theirs: somebody
//! who opens connections under many addresses closes the door to nobody.

use records::Face;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// For everybody together.
    pub all: usize,
    /// For one client.
    pub one: usize,
    /// For one client beyond its share, marked as such.
    pub spare: usize,
}

/// Who has which places. A client is told apart as [`Face::counted`] says.
#[derive(Debug)]
pub struct Seats {
    places: Places,
    taken: Mutex<Taken>,
}

#[derive(Debug)]
struct Taken {
    /// Each client's places, the oldest first, with what ends the connection.
    clients: HashMap<Face, BTreeMap<u64, CancellationToken>>,
    all: usize,
    next: u64,
}

/// A connection's place; it is given back when dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    client: Face,
    number: u64,
    spare: bool,
}

impl Seats {
    /// So many places, all free.
    pub fn new(places: Places) -> Arc<Self> {
        Arc::new(Self { places, taken: Mutex::new(Taken { clients: HashMap::new(), all: 0, next: 0 }) })
    }

    /// Takes a place for a connection that `cut` ends, unless its client has all of its own already. Somebody else's
    /// connection may be ended for it.
    pub fn take(self: &Arc<Self>, client: Face, cut: CancellationToken) -> Option<Seat> {
        let (client, Places { all, one, spare }) = (client.counted(), self.places);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.clients.get(&client).map_or(0, BTreeMap::len);
        if own >= one.saturating_add(spare) || taken.all >= all && !taken.make_room(own) {
            return None;
        }
        let number = taken.next;
        taken.next += 1;
        taken.all += 1;
        taken.clients.entry(client).or_default().insert(number, cut);
        Some(Seat { seats: Arc::clone(self), client, number, spare: own >= one })
    }
}

impl Taken {
    /// Ends the oldest connection of the client that has the most, if that is more than `own`.
    fn make_room(&mut self, own: usize) -> bool {
        let greatest = self.clients.iter().max_by_key(|(_, places)| places.len());
        let Some((&client, places)) = greatest.filter(|(_, places)| places.len() > own) else { return false };
        let Some((&oldest, cut)) = places.first_key_value() else { return false };
        cut.cancel();
        self.give_back(client, oldest);
        true
    }

    fn give_back(&mut self, client: Face, number: u64) {
        let Some(places) = self.clients.get_mut(&client) else { return };
        // One that was taken away is given back already.
        self.all -= usize::from(places.remove(&number).is_some());
        if places.is_empty() {
            self.clients.remove(&client);
        }
    }
}

impl Seat {
    /// Whether it is beyond the client's share.
    pub(crate) fn is_spare(&self) -> bool {
        self.spare
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.give_back(self.client, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hall(Arc<Seats>);

    impl Hall {
        fn take(&self, face: &str) -> Option<(Seat, CancellationToken)> {
            let cut = CancellationToken::new();
            self.0.take(face.parse().unwrap(), cut.clone()).map(|seat| (seat, cut))
        }

        fn left(&self) -> usize {
            let taken = self.0.taken.lock().unwrap();
            assert_eq!(taken.all, taken.clients.values().map(BTreeMap::len).sum::<usize>());
            self.0.places.all - taken.all
        }
    }

    fn hall(all: usize, one: usize, spare: usize) -> Hall {
        Hall(Seats::new(Places { all, one, spare }))
    }

    #[test]
    fn a_client_has_at_most_its_share_and_gives_it_back() {
        let hall = hall(30, 2, 3);
        let mut held: Vec<_> = ["192.0.2.1", "::ffff:192.0.2.1"].map(|a| hall.take(a).unwrap()).into();
        assert!(held.iter().all(|(seat, _)| !seat.is_spare()));
        let spare: Vec<_> = std::iter::from_fn(|| hall.take("192.0.2.1")).collect();
        assert!(spare.len() == 3 && spare.iter().all(|(seat, _)| seat.is_spare()));
        held.extend(["2001:db8::1", "2001:db8::2"].map(|a| hall.take(a).unwrap()));
        assert!(hall.take("2001:db8::3").unwrap().0.is_spare());
        assert!(!hall.take("2001:db8:0:1::3").unwrap().0.is_spare());
        assert_eq!(hall.left(), 30 - 7);
        assert!(!held.iter().chain(&spare).any(|(_, cut)| cut.is_cancelled()), "there is room");
        drop((held, spare));
        assert_eq!(hall.left(), 30);
        assert!(hall.0.taken.lock().unwrap().clients.is_empty());
    }

    #[test]
    fn who_comes_last_gets_a_place_of_whoever_has_the_most() {
        let hall = hall(6, 4, 0);
        let many: Vec<_> = (0..4).map(|_| hall.take("192.0.2.1").unwrap()).collect();
        let two: Vec<_> = (0..2).map(|_| hall.take("192.0.2.2").unwrap()).collect();
        assert!(hall.take("192.0.2.1").is_none(), "one who has the most gets no more");
        let third = hall.take("192.0.2.3").expect("a newcomer");
        assert_eq!(
            many.iter().map(|(_, cut)| cut.is_cancelled()).collect::<Vec<_>>(),
            [true, false, false, false]
        );
        let fourth = hall.take("192.0.2.3").expect("one who has fewer");
        assert!(hall.take("192.0.2.3").is_none(), "two are as many as anybody has");
        assert!(many[1].1.is_cancelled() && !many[2].1.is_cancelled());
        assert!(![&two[0], &two[1], &third, &fourth].iter().any(|(_, cut)| cut.is_cancelled()));
        assert_eq!(hall.left(), 0);
        // What was taken away is not given back a second time.
        drop(many);
        assert_eq!(hall.left(), 2);
    }
}
