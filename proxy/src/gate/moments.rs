//! The running moments of everybody, made when they are first asked for and kept until time or staff change them.

use super::sentences::Sentences;
use agreements::{House, Moment, PersonId};
use arc_swap::{ArcSwap, ArcSwapOption};
use chrono::{DateTime, Utc};
use records::Current;
use std::borrow::Cow;
use std::sync::Arc;

/// One moment a person, for what is in force. Reading takes no lock; whoever finds none that holds makes it.
#[derive(Debug, Default)]
pub(super) struct Moments {
    table: ArcSwap<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// The generation of [`Current`] that the moments are of; 0 before the first.
    generation: u64,
    /// By the person's number.
    of: Box<[Place]>,
    /// Everybody's while the clock cannot be believed, and unknown devices'.
    without_clock: [Place; 2],
}

/// A person's place: their moment, and what was said to them in it.
#[derive(Debug, Default)]
struct Place {
    moment: ArcSwapOption<Moment>,
    sentences: Arc<Sentences>,
}

impl Moments {
    /// The moment of a person on a device at an instant, and what is said to them.
    pub(super) fn of(
        &self,
        current: &Current,
        (who, device): (PersonId, Option<u16>),
        at: DateTime<Utc>,
    ) -> (Arc<Moment>, Arc<Sentences>) {
        // Something is open on this device alone: rare, and made anew each time.
        if let Cow::Owned(here) = current.standing.on(device) {
            return (Arc::new(current.snapshot.house.moment(who, at, &here)), Arc::default());
        }
        let mut table = self.table.load();
        if table.generation < current.generation {
            self.table.store(Arc::new(Table::new(current)));
            table = self.table.load();
        }
        let make = || Arc::new(current.snapshot.house.moment(who, at, &current.standing));
        let place = match who {
            House::NO_CLOCK => Some(&table.without_clock[0]),
            House::NOBODY_NO_CLOCK => Some(&table.without_clock[1]),
            _ => table.of.get(usize::from(who.0)),
        };
        // What a caller still holds of an older generation is not this table's business.
        let Some(place) = place.filter(|_| table.generation == current.generation) else {
            return (make(), Arc::default());
        };
        let kept = place.moment.load_full().filter(|moment| moment.holds(at)).unwrap_or_else(|| {
            let new = make();
            place.moment.store(Some(Arc::clone(&new)));
            new
        });
        (kept, Arc::clone(&place.sentences))
    }
}

impl Table {
    fn new(current: &Current) -> Self {
        let people = current.snapshot.house.people().len() + 1;
        Self {
            generation: current.generation,
            of: (0..people).map(|_| Place::default()).collect(),
            without_clock: Default::default(),
        }
    }
}
