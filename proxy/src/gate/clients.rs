//! Whom a worker has just answered: the next question of the same client finds in one place everything that does not
//! change from question to question.

use super::{Gate, Round, Sentences, Who, crowd};
use crate::identify::Shown;
use crate::limits::{Allowance, Counted, Limits};
use agreements::{Moment, PersonId};
use foldhash::fast::RandomState;
use records::ClockState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Arc;

/// Who asks, and their running moment.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Who it is.
    pub(crate) who: Who,
    /// Whose rules apply: nobody's own while the clock cannot be believed.
    pub(crate) person: PersonId,
    /// Their moment. It holds at the round that the client was made out for.
    pub(crate) moment: Arc<Moment>,
    /// What was said to them of late.
    pub(crate) sentences: Arc<Sentences>,
    /// Whether the kernel may know more of them once it is asked ([`Gate::meet`]).
    pub(crate) to_be_met: bool,
    /// By what they are counted.
    pub(crate) counted: Counted,
}

#[derive(Debug)]
struct Known<T> {
    address: IpAddr,
    hardware: Option<[u8; 6]>,
    client: Client,
    allowance: Option<Arc<Allowance>>,
    good: Good,
    notes: T,
}

/// What the knowledge of a client is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Good {
    generation: u64,
    neighbours: u64,
    state: ClockState,
    /// Each day everybody is looked at anew.
    day: u64,
}

/// The clients of late, each in the one place that its address hashes to, with the worker's notes on it, which are good for
/// as long as its moment. A forged address puts out no more than one.
#[derive(Debug)]
pub(crate) struct Clients<T> {
    places: Box<[Option<Known<T>>]>,
    hasher: RandomState,
}

impl<T: Default> Clients<T> {
    /// Room for so many, or a few more.
    pub(crate) fn new(room: usize) -> Self {
        let places = (0..room.next_power_of_two()).map(|_| None).collect();
        Self { places, hasher: RandomState::default() }
    }

    /// Who shows this, the notes on it, and whether the client that it is counted as may ask one more question.
    pub(crate) fn find(
        &mut self,
        gate: &Gate,
        round: &Round,
        shown: &Shown<'_>,
        limits: &Limits,
    ) -> (&Client, &mut T, bool) {
        let good = Good {
            generation: round.current.generation,
            neighbours: round.neighbours,
            state: round.state,
            day: crowd::day(round.steady),
        };
        let place = self.hasher.hash_one(shown.address) as usize & (self.places.len() - 1);
        let place = &mut self.places[place];
        let is_known = place.as_ref().is_some_and(|known| {
            shown.token.is_none()
                && known.address == shown.address
                && known.hardware == shown.hardware
                && known.good == good
                && known.client.moment.holds(round.now)
        });
        if !is_known {
            *place = None;
        }
        let known = place.get_or_insert_with(|| {
            let client = gate.client(round, shown);
            let allowance = limits.of(client.counted);
            let Shown { address, hardware, .. } = *shown;
            Known { address, hardware, client, allowance, good, notes: T::default() }
        });
        let allows = known.allowance.as_ref().is_none_or(|allowance| allowance.check().is_ok());
        (&known.client, &mut known.notes, allows)
    }
}
