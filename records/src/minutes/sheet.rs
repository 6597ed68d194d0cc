//! What the packet path marks: one bit a key a person.

use crate::monitoring::Watch;
use agreements::{Counts, Device, House, PersonId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Which keys were in use in the running minute, by the people of one house. Marking is one atomic operation.
#[derive(Debug)]
pub struct Sheet {
    counted: Vec<AtomicU64>,
    estimated: Vec<AtomicU64>,
    /// Of who is monitored beyond breaches.
    watches: Vec<Option<Box<Watch>>>,
    /// When each device of the house was last in use, in seconds since 1970; 0 for never. It is kept nowhere else.
    devices: Vec<AtomicI64>,
}

impl Sheet {
    /// An empty sheet for a house's people.
    pub fn new(house: &House) -> Self {
        let people = house.people().count() + 1;
        let blank = || (0..people).map(|_| AtomicU64::new(0)).collect();
        let watch = |(_, person)| Watch::new(house, person).map(Box::new);
        let watches = std::iter::once(None).chain(house.people().map(watch)).collect();
        let devices = house.devices().iter().map(|_| AtomicI64::new(0)).collect();
        Self { counted: blank(), estimated: blank(), watches, devices }
    }

    /// Traffic that the person caused passed: the running minute counts for these keys.
    pub fn mark(&self, who: PersonId, counts: Counts) {
        mark(&self.counted, who, counts);
    }

    /// Only a name was looked up, and it reads like use: the running minute is estimated for these keys.
    pub fn estimate(&self, who: PersonId, counts: Counts) {
        mark(&self.estimated, who, counts);
    }

    /// A device (by its place among the house's) is in use.
    pub(crate) fn used(&self, device: u16, at: i64) {
        if let Some(last) = self.devices.get(usize::from(device)) {
            last.store(at, Ordering::Relaxed);
        }
    }

    /// When a device was last in use, in seconds since 1970.
    pub(crate) fn last_used(&self, device: u16) -> Option<i64> {
        let last = self.devices.get(usize::from(device))?.load(Ordering::Relaxed);
        (last > 0).then_some(last)
    }

    /// Takes over when each device was last in use that is still the same person's and still known by the same: another file,
    /// or another catalogue, put nobody's device away.
    pub(crate) fn goes_on_from(&self, house: &House, old: &Self, before: &House) {
        let owner = |house: &House, device: &Device| house.agreement(device.person).map(|p| p.id.clone());
        let known: HashMap<_, _> =
            before.devices().iter().zip(0..).map(|(d, at)| (&d.known.by, (d, at))).collect();
        for (device, place) in house.devices().iter().zip(0..) {
            let Some((was, at)) = known.get(&device.known.by) else { continue };
            if owner(before, was) == owner(house, device)
                && let Some(last) = old.last_used(*at)
            {
                self.used(place, last);
            }
        }
    }

    /// What monitoring looks at; none for nearly everybody.
    pub(crate) fn watch(&self, who: PersonId) -> Option<&Watch> {
        self.watches.get(usize::from(who.0))?.as_deref()
    }

    /// Takes a person's marks: counted, estimated.
    pub(crate) fn take(&self, who: PersonId) -> (Counts, Counts) {
        (take(&self.counted, who), take(&self.estimated, who))
    }
}

fn mark(bits: &[AtomicU64], who: PersonId, counts: Counts) {
    let Some(bits) = bits.get(usize::from(who.0)) else { return };
    // Most marks of a minute find it marked already; reading first leaves the cache line shared between cores.
    if bits.load(Ordering::Relaxed) & counts.0 != counts.0 {
        bits.fetch_or(counts.0, Ordering::Relaxed);
    }
}

fn take(bits: &[AtomicU64], who: PersonId) -> Counts {
    match bits.get(usize::from(who.0)) {
        Some(bits) if bits.load(Ordering::Relaxed) != 0 => Counts(bits.swap(0, Ordering::Relaxed)),
        Some(_) | None => Counts(0),
    }
}
