//! A bucket: one cache line with everything that answers a question, so that nothing waits for a second line.
//!
//! | bytes | what |
//! |---|---|
//! | 0..2 | which of sixteen classes of hashes have a name that found no room here or before and stands in a later bucket |
//! | 2 | names here (low four bits); how many of them, the first ones, belong before this bucket (high four) |
//! | 3.. | for each name, eight bits of its hash: the fingerprint |
//! | then | for each name, four bits: how many bytes its record has |
//! | then | the records |
//!
//! Bucket and fingerprint together are the cell that a hash falls into. The hash is that of a name's head; for a deeper name,
//! something is added to the fingerprint that only depends on what stands before the head. So a name's bucket and fingerprint,
//! how far it stands from its bucket, and its record are the whole name: see [`super::hash`] and [`super::spread`].

use super::memory::{Line, equal, equal_four};

/// How many buckets after its own a name may stand in.
pub(crate) const MAX_HOPS: usize = 15;
/// Names that a bucket has room for, however short.
pub(crate) const MAX_NAMES: usize = 13;
/// The longest record inside a bucket, in bytes.
pub(crate) const MAX_RECORD: usize = 15;
/// Fingerprints of a bucket: a hash falls into one of buckets times this many cells.
pub(crate) const FINGERPRINTS: u64 = 256;
/// Where the fingerprints begin.
const HEAD: usize = 3;

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
    pub(crate) const fn new(home: u32, fingerprint: u8, class: u16) -> Self {
        Self { home, fingerprint, class }
    }

    #[inline(always)]
    pub(crate) const fn fingerprint(self) -> u8 {
        self.fingerprint
    }

    /// The place of a deeper name, whose labels before this name add so much to the fingerprint.
    #[inline(always)]
    pub(crate) const fn deeper(self, more: u8) -> Self {
        Self { fingerprint: self.fingerprint.wrapping_add(more), ..self }
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
#[derive(Clone, Copy, Default)]
pub(crate) struct Room {
    names: usize,
    used: usize,
}

impl Room {
    /// Takes room for a record of so many bytes, if there is some.
    pub(crate) fn take(&mut self, record: usize) -> bool {
        let fits = self.names < MAX_NAMES
            && record <= MAX_RECORD
            && size(self.names + 1, self.used + record) <= Line::BYTES;
        if fits {
            self.names += 1;
            self.used += record;
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
    names: usize,
    moved: usize,
    used: usize,
}

impl Filling {
    pub(crate) const fn new() -> Self {
        let (fingerprints, lengths) = ([0; MAX_NAMES], [0; MAX_NAMES]);
        Self { fingerprints, lengths, records: [0; Line::BYTES], names: 0, moved: 0, used: 0 }
    }

    /// Adds a name, unless there is no room. Names that belong before this bucket come first.
    pub(crate) fn push(&mut self, fingerprint: u8, record: &[u8], is_moved: bool) -> bool {
        let end = self.used + record.len();
        if self.names == MAX_NAMES || record.len() > MAX_RECORD || size(self.names + 1, end) > Line::BYTES {
            return false;
        }
        self.fingerprints[self.names] = fingerprint;
        self.lengths[self.names] = record.len() as u8;
        self.records[self.used..end].copy_from_slice(record);
        self.names += 1;
        self.moved += usize::from(is_moved);
        self.used = end;
        true
    }

    /// The finished line. Classes of names that stand later are added to it when they do.
    pub(crate) fn close(&self) -> Line {
        let mut line = Line::default();
        let bytes = zerocopy::IntoBytes::as_mut_bytes(&mut line);
        bytes[2] = (self.names | self.moved << 4) as u8;
        bytes[HEAD..HEAD + self.names].copy_from_slice(&self.fingerprints[..self.names]);
        let lengths = HEAD + self.names;
        for (index, length) in self.lengths[..self.names].iter().enumerate() {
            bytes[lengths + index / 2] |= length << (index % 2 * 4);
        }
        let records = size(self.names, 0);
        bytes[records..records + self.used].copy_from_slice(&self.records[..self.used]);
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

/// For each of four fingerprints (the bytes of a word), the names here that have it: 16 bits each. They are those that belong
/// here, or those that belong before.
#[inline(always)]
pub(crate) fn matches_four(line: &Line, fingerprints: u32, moved: bool) -> u64 {
    let counts = (line.word(0) >> 16) as u32 & 0xff;
    let (all, before) = ((1u64 << (counts & 15)) - 1, (1u64 << (counts >> 4)) - 1);
    let wanted = if moved { before } else { all & !before } & ((1 << MAX_NAMES) - 1);
    equal_four([line.word(0), line.word(1)], fingerprints) >> HEAD
        & wanted.wrapping_mul(0x0001_0001_0001_0001)
}

/// Where the record of a name begins, in bytes of the line; 64 at most, whatever the line holds.
#[inline(always)]
pub(crate) fn record(bytes: &[u8; Line::BYTES], slot: usize) -> usize {
    let names = usize::from(bytes[2] & 15);
    // The head, the fingerprints of 15 and a word fit into a line.
    let lengths = bytes
        .get(HEAD + names..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |word| u64::from_le_bytes(*word));
    let before = lengths & ((1 << (slot as u32 * 4)) - 1);
    let pairs = (before & 0x0f0f_0f0f_0f0f_0f0f) + (before >> 4 & 0x0f0f_0f0f_0f0f_0f0f);
    let sum = (pairs.wrapping_mul(0x0101_0101_0101_0101) >> 56) as usize;
    (size(names, 0) + sum).min(Line::BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let bytes: &[u8; 64] = zerocopy::IntoBytes::as_bytes(&line).first_chunk().unwrap();
        for (slot, content) in pushed.iter().enumerate() {
            let at = record(bytes, slot);
            assert_eq!(&bytes[at..at + content.len()], content, "slot {slot}");
            let (fingerprint, moved) = (7 + slot as u8 % 5, slot < 3);
            assert!(matches(&line, fingerprint, moved) & 1 << slot != 0);
            assert!(matches(&line, fingerprint, !moved) & 1 << slot == 0);
        }
        let four = [7, 8, 99, 11];
        let each = four.into_iter().rev().fold(0, |all, f| all << 16 | u64::from(matches(&line, f, false)));
        assert_eq!(matches_four(&line, u32::from_le_bytes(four), false), each);
        assert_eq!(matches(&line, 99, false) | matches(&line, 99, true), 0);
    }

    #[test]
    fn a_bucket_of_the_longest_records_counts_them() {
        let mut filling = Filling::new();
        let count = (0..9).take_while(|slot| filling.push(*slot, &[*slot; MAX_RECORD], false)).count();
        assert_eq!(count, 3);
        let line = filling.close();
        let bytes = zerocopy::IntoBytes::as_bytes(&line).first_chunk().unwrap();
        assert_eq!([0, 1, 2].map(|slot| record(bytes, slot)), [8, 23, 38]);
    }

    #[test]
    fn an_empty_bucket_matches_nothing() {
        let line = Line::default();
        assert!((0..=255).all(|f| matches(&line, f, false) == 0 && matches(&line, f, true) == 0));
        assert_eq!(matches_four(&line, 0xff02_0100, false), 0);
        assert!(!passed(&line, u16::MAX));
    }

    #[test]
    fn whatever_a_line_holds_it_is_read_without_a_panic() {
        for byte in 0..=255u8 {
            let line = Line([u64::from(byte) * 0x0101_0101_0101_0101; 8]);
            let bytes = zerocopy::IntoBytes::as_bytes(&line).first_chunk().unwrap();
            for slot in 0..MAX_NAMES {
                assert!(record(bytes, slot) <= 64);
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
