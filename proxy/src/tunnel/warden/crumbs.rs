//! What passed through tunnels and exchanges that were each too small to make a minute.

use super::{Made, TOGETHER_BYTES};
use agreements::{Counts, PersonId};
use std::collections::HashMap;

/// Bytes of the running minute, by person and by what they count for.
#[derive(Debug, Default)]
pub(crate) struct Crumbs {
    minute: i64,
    generation: u64,
    /// No more than the house has people.
    bytes: HashMap<PersonId, Box<[u64; KEYS]>>,
}

/// Keys that a person's minutes can count for: the bits of [`Counts`].
const KEYS: usize = 64;

impl Crumbs {
    /// Adds what passed within a minute. What it makes a minute of use for: once in the minute, then it is one.
    pub(crate) fn add(&mut self, made: &Made, minute: i64, passed: u64) -> Counts {
        if (self.minute, self.generation) != (minute, made.generation) {
            // Another house numbers its people anew.
            (self.minute, self.generation) = (minute, made.generation);
            self.bytes.clear();
        }
        let sums = self.bytes.entry(made.person).or_insert_with(|| Box::new([0; KEYS]));
        let mut now_enough = 0;
        for (key, sum) in sums.iter_mut().enumerate().filter(|(key, _)| made.counts.0 >> key & 1 != 0) {
            let before = *sum;
            *sum += passed;
            now_enough |= u64::from(before < TOGETHER_BYTES && *sum >= TOGETHER_BYTES) << key;
        }
        Counts(now_enough)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use records::ClockState;

    fn made(person: u16, counts: u64, generation: u64) -> Made {
        let at = DateTime::UNIX_EPOCH;
        let (person, clock, counts) = (PersonId(person), ClockState::Right, Counts(counts));
        Made { generation, person, device: None, clock, at, until: None, counts }
    }

    #[test]
    fn small_things_make_a_minute_together_and_once() {
        let mut crumbs = Crumbs::default();
        let quarter = TOGETHER_BYTES / 4;
        for (generation, person, counts, minute, meant) in [
            (1, 1, 0b1, 7, 0),
            (1, 1, 0b1, 7, 0),
            (1, 1, 0b11, 7, 0),
            // Somebody else's are not these.
            (1, 2, 0b1, 7, 0),
            (1, 1, 0b1, 7, 0b1),
            (1, 1, 0b11, 7, 0),
            (1, 1, 0b10, 7, 0),
            (1, 1, 0b110, 7, 0b10),
            // The next minute begins with nothing, and so does another house.
            (1, 1, 0b1, 8, 0),
            (1, 1, 0b1, 8, 0),
            (1, 1, 0b1, 8, 0),
            (2, 1, 0b1, 8, 0),
        ] {
            let told = crumbs.add(&made(person, counts, generation), minute, quarter);
            assert_eq!(told, Counts(meant), "{generation} {person} {counts} {minute}");
        }
    }
}
