//! Minutes really used: one bit a minute a key a person.

use agreements::{Counts, House, PersonId};
use std::sync::atomic::{AtomicU64, Ordering};

/// Which keys were in use in the running minute, by the people of one house. Marking is one atomic operation.
#[derive(Debug)]
pub struct Sheet {
    counted: Vec<AtomicU64>,
    estimated: Vec<AtomicU64>,
}

impl Sheet {
    /// An empty sheet for a house's people.
    pub fn new(house: &House) -> Self {
        let people = house.people().count() + 1;
        let blank = || (0..people).map(|_| AtomicU64::new(0)).collect();
        Self { counted: blank(), estimated: blank() }
    }

    /// Traffic that the person caused passed: the running minute counts for these keys.
    pub fn mark(&self, who: PersonId, counts: Counts) {
        if let Some(bits) = self.counted.get(usize::from(who.0)) {
            bits.fetch_or(counts.0, Ordering::Relaxed);
        }
    }

    /// Only a name was looked up, and it reads like use: the running minute is estimated for these keys.
    pub fn estimate(&self, who: PersonId, counts: Counts) {
        if let Some(bits) = self.estimated.get(usize::from(who.0)) {
            bits.fetch_or(counts.0, Ordering::Relaxed);
        }
    }
}
