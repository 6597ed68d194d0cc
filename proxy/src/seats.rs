//! Places for connections: bounded for all together and for each client, and never all of them in a few hands.
//!
//! One who comes when every place is taken gets one from whoever has the most, who loses the oldest of theirs: somebody
//! who opens connections under many addresses closes the door to nobody.

use records::Face;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
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
    /// By what the client is counted since it was met.
    met: OnceLock<Face>,
    number: u64,
    spare: AtomicBool,
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
        let mut taken = self.taken();
        let own = taken.of(client);
        if own >= one.saturating_add(spare) || taken.all >= all && !taken.make_room(own) {
            return None;
        }
        let number = taken.next;
        taken.next += 1;
        taken.all += 1;
        taken.clients.entry(client).or_default().insert(number, cut);
        let spare = AtomicBool::new(own >= one);
        Some(Seat { seats: Arc::clone(self), client, met: OnceLock::new(), number, spare })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// How many places a client has.
    fn of(&self, client: Face) -> usize {
        self.clients.get(&client).map_or(0, BTreeMap::len)
    }

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
        // One that was taken away is given back already.
        self.all -= usize::from(self.take_out(client, number).is_some());
    }

    fn take_out(&mut self, client: Face, number: u64) -> Option<CancellationToken> {
        let places = self.clients.get_mut(&client)?;
        let cut = places.remove(&number);
        if places.is_empty() {
            self.clients.remove(&client);
        }
        cut
    }
}

impl Seat {
    /// Whether it is beyond the client's share.
    pub(crate) fn is_spare(&self) -> bool {
        self.spare.load(Ordering::Relaxed)
    }

    /// Its client was met after it had come: from now on the place is one of that device's, and no more of the whole network's of which
    /// its address is. Where the device has all of its own it stays: nobody loses for it what they have.
    pub(crate) fn is_of(&self, client: Face) {
        let is_met = matches!((self.client, client), (Face::Address(_), Face::Mac(_)));
        if !is_met || self.met.get().is_some() {
            return;
        }
        let mut taken = self.seats.taken();
        if taken.of(client) < self.seats.places.one
            && let Some(cut) = taken.take_out(self.client, self.number)
        {
            taken.clients.entry(client).or_default().insert(self.number, cut);
            // Whoever else asks for it finds it taken out.
            let _first = self.met.set(client);
            // It is within the device's share, whatever it was of the network's.
            self.spare.store(false, Ordering::Relaxed);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let client = self.met.get().copied().unwrap_or(self.client);
        self.seats.taken().give_back(client, self.number);
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
    fn whoever_is_met_later_gives_the_networks_places_back() {
        let hall = hall(30, 2, 1);
        let (mac, other) = (Face::Mac([2, 0, 0, 0, 0, 1]), Face::Mac([2, 0, 0, 0, 0, 2]));
        let all_of = |face: &str| std::iter::from_fn(|| hall.take(face)).collect::<Vec<_>>();
        let networks = all_of("2001:db8::1");
        assert_eq!(networks.len(), 3);
        assert!(networks[2].0.is_spare());
        networks.iter().rev().for_each(|(seat, _)| seat.is_of(mac));
        assert!(!networks[2].0.is_spare(), "it is among the device's own");
        // Two are all that the device may have: the third is still the network's.
        let others = all_of("2001:db8::2");
        assert_eq!((others.len(), all_of("02:00:00:00:00:01").len()), (2, 1), "and its spare one");
        // Whom the kernel forgets, or takes for another, is who they were.
        networks[2].0.is_of(other);
        networks[2].0.is_of("2001:db8::1".parse().unwrap());
        assert_eq!(all_of("02:00:00:00:00:02").len(), 3);
        drop((networks, others));
        assert!(hall.left() == 30 && hall.0.taken.lock().unwrap().clients.is_empty());
    }

    #[test]
    fn a_place_that_was_taken_away_is_nobodys_whoever_is_met() {
        let hall = hall(2, 2, 0);
        let two: Vec<_> = (0..2).map(|_| hall.take("192.0.2.1").unwrap()).collect();
        let newcomer = hall.take("192.0.2.2").unwrap();
        assert!(two[0].1.is_cancelled());
        two[0].0.is_of(Face::Mac([2, 0, 0, 0, 0, 1]));
        assert_eq!(hall.left(), 0);
        drop((two, newcomer));
        assert_eq!(hall.left(), 2);
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
