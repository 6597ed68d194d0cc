//! A bucket: one cache line with everything that answers a question, so that nothing waits for a second line.
//!
//! | bytes | what |
//! |---|---|
//! | 0..2 | which of sixteen classes of hashes have a name that found no room here or before and stands in a later bucket |
//! | 2 | names here (low four bits); how many of them, the first ones, belong before this bucket (high four) |
//! | 3.. | for each name, eight bits of its hash: the fingerprint |
//! | then | for each name, four bits: how many bytes its record has |
//! | to 64, from the end | the records, little-endian: the first name's ends the line |
//!
//! Bucket and fingerprint together are the cell that a hash falls into. The hash is that of a name's head; names below a head share
//! another fingerprint. So a name's bucket and fingerprint, how far it stands from its bucket, and its record are the whole
//! name: see [`super::hash`], [`super::spread`] and [`super::code`].

use super::lanes::{Lanes, equal};
use super::memory::Line;

/// How many buckets after its own a name may stand in.
pub(crate) const MAX_HOPS: usize = 15;
/// Names that a bucket has room for, however short.
pub(crate) const MAX_NAMES: usize = 13;
/// The longest record inside a bucket, in bytes.
pub(crate) const MAX_RECORD: usize = 15;
/// Fingerprints of a bucket: a hash falls into one of buckets times this many cells.
pub(crate) const FINGERPRINTS: u64 = 256;
/// What makes the fingerprint of a head that of the names below it.
pub(crate) const BELOW: u8 = 0x80;
/// Where the fingerprints begin.
const HEAD: usize = 3;
/// A record ends behind so many bytes at least, so that 16 bytes that end with it lie in the line.
const LEAST_END: usize = 16;

/// Where a hash belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The bucket: by the high bits, so that the order of hashes is the order of buckets.
    pub(crate) home: u32,
    /// The eight bits that follow.
    fingerprint: u8,
    /// The four bits that follow these, as a bit.
    class: u16,
}

impl Place {
    #[inline(always)]
    pub(crate) const fn fingerprint(self) -> u8 {
        self.fingerprint
    }

    /// The place of the names below this one.
    #[inline(always)]
    pub(crate) const fn below(self) -> Self {
        Self { fingerprint: self.fingerprint ^ BELOW, ..self }
    }

    /// As a bit of a bucket's first two bytes.
    #[inline(always)]
    pub(crate) const fn class(self) -> u16 {
        self.class
    }
}

/// Where a hash belongs in a table of so many buckets (at most 2^32).
#[inline(always)]
pub(crate) const fn place(hash: u64, home_buckets: u64) -> Place {
    let scaled = hash as u128 * home_buckets as u128;
    let below = scaled as u64 >> 48;
    Place { home: (scaled >> 64) as u32, fingerprint: (below >> 8) as u8, class: 1 << (below >> 4 & 15) }
}

/// Bytes of a bucket that a number of names with records of so many bytes take.
const fn size(names: usize, records: usize) -> usize {
    HEAD + names + names.div_ceil(2) + records
}

/// What is left of a bucket while names are chosen for it.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    names: usize,
    used: usize,
    shortest: usize,
}

impl Room {
    pub(crate) const fn new() -> Self {
        Self { names: 0, used: 0, shortest: MAX_RECORD }
    }

    /// Takes room for a record of so many bytes, if there is some. In which order records are put in does not matter.
    pub(crate) fn take(&mut self, record: usize) -> bool {
        let Self { names, used, shortest } = *self;
        let after = Self { names: names + 1, used: used + record, shortest: shortest.min(record) };
        let fits = names < MAX_NAMES
            && (1..=MAX_RECORD).contains(&record)
            && size(after.names, after.used) <= Line::BYTES
            // Whichever is the last.
            && Line::BYTES - (after.used - after.shortest) >= LEAST_END;
        if fits {
            *self = after;
        }
        fits
    }
}

/// A bucket while it is filled.
#[derive(Clone, Copy)]
pub(crate) struct Filling {
    fingerprints: [u8; MAX_NAMES],
    lengths: [u8; MAX_NAMES],
    records: [u8; Line::BYTES],
    room: Room,
    moved: usize,
}

impl Filling {
    pub(crate) const fn new() -> Self {
        let (fingerprints, lengths) = ([0; MAX_NAMES], [0; MAX_NAMES]);
        Self { fingerprints, lengths, records: [0; Line::BYTES], room: Room::new(), moved: 0 }
    }

    /// Adds a name, unless there is no room. Names that belong before this bucket come first.
    pub(crate) fn push(&mut self, fingerprint: u8, record: &[u8], is_moved: bool) -> bool {
        let Room { names, used, .. } = self.room;
        if !self.room.take(record.len()) {
            return false;
        }
        let end = Line::BYTES - used;
        self.fingerprints[names] = fingerprint;
        self.lengths[names] = record.len() as u8;
        self.records[end - record.len()..end].copy_from_slice(record);
        self.moved += usize::from(is_moved);
        true
    }

    /// The finished line. Classes of names that stand later are added to it when they do.
    pub(crate) fn close(&self) -> Line {
        let mut line = Line::default();
        let bytes = zerocopy::IntoBytes::as_mut_bytes(&mut line);
        let Room { names, used, .. } = self.room;
        bytes[2] = (names | self.moved << 4) as u8;
        bytes[HEAD..HEAD + names].copy_from_slice(&self.fingerprints[..names]);
        let lengths = HEAD + names;
        for (index, length) in self.lengths[..names].iter().enumerate() {
            bytes[lengths + index / 2] |= length << (index % 2 * 4);
        }
        let records = Line::BYTES - used;
        bytes[records..].copy_from_slice(&self.records[records..]);
        line
    }
}

/// Says in a bucket that a name of this class passed it.
pub(crate) fn pass(line: &mut Line, class: u16) {
    let bytes = zerocopy::IntoBytes::as_mut_bytes(line);
    bytes[0] |= class as u8;
    bytes[1] |= (class >> 8) as u8;
}

/// Whether a name of this class that is not here may stand in the next bucket.
#[inline(always)]
pub(crate) const fn passed(line: &Line, class: u16) -> bool {
    line.word(0) as u16 & class != 0
}

/// The names here with this fingerprint, one bit each: those that belong here, or those that belong before.
#[inline(always)]
pub(crate) fn matches(line: &Line, fingerprint: u8, moved: bool) -> u32 {
    let counts = (line.word(0) >> 16) as u32 & 0xff;
    let (all, before) = ((1u32 << (counts & 15)) - 1, (1u32 << (counts >> 4)) - 1);
    let wanted = if moved { before } else { all & !before };
    equal([line.word(0), line.word(1)], fingerprint) >> HEAD & wanted & ((1 << MAX_NAMES) - 1)
}

/// [`matches`] for a fingerprint, and above it for that of the names below: 16 bits each.
#[inline(always)]
pub(crate) fn matches_two<L: Lanes>(lanes: L, line: &Line, fingerprint: u8, moved: bool) -> u32 {
    let counts = (line.word(0) >> 16) as u32 & 0xff;
    let (all, before) = ((1u32 << (counts & 15)) - 1, (1u32 << (counts >> 4)) - 1);
    let wanted = if moved { before } else { all & !before } & ((1 << MAX_NAMES) - 1);
    lanes.equal_two([line.word(0), line.word(1)], fingerprint, fingerprint ^ BELOW) >> HEAD
        & (wanted | wanted << 16)
}

/// The record of a name, whatever the line holds; something that is no record where there is no such name.
#[inline(always)]
pub(crate) fn record(line: &Line, slot: usize) -> u128 {
    let bytes = line.bytes();
    let names = (line.word(0) >> 16) as usize & 15;
    // The head, the fingerprints of 15 and a word fit into a line.
    let lengths = bytes
        .get(HEAD + names..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |word| u64::from_le_bytes(*word));
    let shift = (slot as u32 * 4) & 63;
    let before = lengths & ((1 << shift) - 1);
    let pairs = (before & 0x0f0f_0f0f_0f0f_0f0f) + (before >> 4 & 0x0f0f_0f0f_0f0f_0f0f);
    let sum = (pairs.wrapping_mul(0x0101_0101_0101_0101) >> 56) as usize;
    let own = (lengths >> shift) as u32 & 15;
    // The 16 bytes that end with it: what is not its own is shifted out.
    let start = (Line::BYTES - LEAST_END).saturating_sub(sum);
    let word =
        bytes.get(start..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u128::from_le_bytes(*word));
    word >> (((16 - own) * 8) & 127)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::lanes::Portable;

    fn number(record: &[u8]) -> u128 {
        record.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte))
    }

    #[test]
    fn names_are_found_where_they_were_put() {
        let mut filling = Filling::new();
        let mut pushed = Vec::new();
        for slot in 0..MAX_NAMES {
            let record = vec![slot as u8 + 100; 1 + slot % 4];
            if filling.push(7 + slot as u8 % 5, &record, slot < 3) {
                pushed.push(record);
            }
        }
        assert!(pushed.len() > 8 && !filling.push(1, &[0; MAX_RECORD], false), "it is full by now");
        let line = filling.close();
        for (slot, content) in pushed.iter().enumerate() {
            assert_eq!(record(&line, slot), number(content), "slot {slot}");
            let (fingerprint, moved) = (7 + slot as u8 % 5, slot < 3);
            assert!(matches(&line, fingerprint, moved) & 1 << slot != 0);
            assert!(matches(&line, fingerprint, !moved) & 1 << slot == 0);
        }
        for (fingerprint, moved) in
            [(7, false), (7 ^ BELOW, false), (8, true), (8 ^ BELOW, true), (99, false)]
        {
            let two = matches(&line, fingerprint, moved) | matches(&line, fingerprint ^ BELOW, moved) << 16;
            assert_eq!(matches_two(Portable, &line, fingerprint, moved), two);
        }
        assert_eq!(matches(&line, 99, false) | matches(&line, 99, true), 0);
    }

    #[test]
    fn a_bucket_of_the_longest_records_counts_them() {
        let mut filling = Filling::new();
        let count = (0..9).take_while(|slot| filling.push(*slot, &[*slot + 1; MAX_RECORD], false)).count();
        assert_eq!(count, 3);
        let line = filling.close();
        assert_eq!(
            [0, 1, 2].map(|slot| record(&line, slot)),
            [1, 2, 3].map(|byte| number(&[byte; MAX_RECORD]))
        );
    }

    #[test]
    fn no_record_ends_where_sixteen_bytes_before_it_are_not_all_in_the_line() {
        for longest in 1..=MAX_RECORD {
            for last in 1..=longest {
                let (mut filling, mut room, mut pushed) = (Filling::new(), Room::new(), Vec::new());
                for length in std::iter::repeat_n(longest, MAX_NAMES).chain([last, last, 1]) {
                    let content = vec![pushed.len() as u8 + 1; length];
                    let is_in = filling.push(9, &content, false);
                    assert_eq!(is_in, room.take(length));
                    pushed.extend(is_in.then_some(content));
                }
                let line = filling.close();
                for (slot, content) in pushed.iter().enumerate() {
                    assert_eq!(record(&line, slot), number(content), "{slot} of {pushed:?}");
                }
            }
        }
    }

    #[test]
    fn an_empty_bucket_matches_nothing() {
        let line = Line::default();
        assert!((0..=255).all(|f| matches(&line, f, false) == 0 && matches(&line, f, true) == 0));
        assert_eq!(matches_two(Portable, &line, 0, false), 0);
        assert!(!passed(&line, u16::MAX));
    }

    #[test]
    fn whatever_a_line_holds_it_is_read_without_a_panic() {
        for byte in 0..=255u8 {
            let line = Line([u64::from(byte) * 0x0101_0101_0101_0101; 8]);
            for slot in 0..16 {
                let _any = record(&line, slot);
            }
            assert!(matches(&line, byte, true) < 1 << MAX_NAMES);
        }
    }

    #[test]
    fn a_passed_name_leaves_its_class() {
        let mut line = Filling::new().close();
        let there = place(0x1234_5678_9abc_def0, 1000);
        pass(&mut line, there.class());
        assert!(passed(&line, there.class()) && !passed(&line, there.class().rotate_left(1)));
        assert_eq!(there.home, 71);
    }
}
