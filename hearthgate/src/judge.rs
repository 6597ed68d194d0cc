//! A home, a catalogue and what staff decided, on the bench: for commands that ask without running a gateway.

use crate::asked::Asked;
use crate::catalogue;
use crate::desk::Decided;
use crate::failure::Failure;
use crate::home::Loaded;
use crate::people;
use agreements::{Explanation, House, PersonId, Request, Snapshot};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// All that a decision needs.
pub(crate) struct Bench {
    /// The home and the catalogue.
    pub(crate) snapshot: Snapshot,
    decided: Decided,
    /// The home's day that the standing's minutes are of.
    counted: DateTime<Utc>,
}

impl Bench {
    /// Prepares a home as it is in force, with the catalogue that the gateway compiled, else one of the built-in
    /// tables and the lists at hand.
    pub(crate) fn of(loaded: Loaded, now: DateTime<Utc>) -> Result<Self, Failure> {
        let loaded = loaded.in_force(now);
        let state = loaded.state();
        let catalogue = catalogue::for_command(&loaded, state.as_ref(), now)?;
        let decided = Decided::read(&loaded);
        let snapshot = Snapshot { house: loaded.reading.house, catalogue: catalogue.into() };
        Ok(Self { snapshot, decided, counted: now })
    }

    /// The home's zone.
    pub(crate) fn zone(&self) -> Tz {
        self.snapshot.house.home().timezone
    }

    /// Somebody by id; `baseline` is nobody in particular.
    pub(crate) fn person(&self, id: &str) -> Result<PersonId, Failure> {
        people::known_or_baseline(&self.snapshot.house, id)
    }

    /// The device of somebody that their agreement calls so, by its place among the house's.
    pub(crate) fn device(&self, who: PersonId, name: &str) -> Result<u16, Failure> {
        let house = &self.snapshot.house;
        house.devices_called(who, name).next().ok_or_else(|| {
            let theirs: Vec<&str> = house
                .each_device()
                .filter_map(|(_, ways)| ways.first().filter(|device| device.person == who))
                .map(|device| device.known.name.as_str())
                .collect();
            let there_are = match theirs.as_slice() {
                [] => "Their agreement names none.".to_owned(),
                names => format!("There are: {}.", names.join(", ")),
            };
            Failure::cannot_read(format!("they have no device called `{name}`")).help(there_are)
        })
    }

    /// The answer in the shape of `explain --json`. `device` is where it is asked from: what is open there alone, and that it
    /// is lost, counts there and nowhere else.
    pub(crate) fn explain(
        &self,
        who: PersonId,
        device: Option<u16>,
        at: DateTime<Utc>,
        asked: &Asked,
    ) -> Explanation {
        let tags = self.snapshot.tags(asked.host());
        let request = Request { host: asked.host(), tags, path: asked.path.as_deref() };
        let house = &self.snapshot.house;
        // Minutes used today say nothing of another day.
        let today = house.day_of(at) == house.day_of(self.counted);
        let standing = if today { &self.decided.today } else { &self.decided.other_day };
        let who = if standing.is_lost(device) { House::LOST } else { who };
        house.explain(who, at, &request, &standing.on(device))
    }
}
