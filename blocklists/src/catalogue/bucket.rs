//! The table: buckets of one cache line, each with up to 20 fingerprints and where their records begin.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | where the bucket's records begin in the blob (31 bits); the top bit says that a name of this bucket or one before stands in the next |
//! | 4..24 | for each slot, where its record begins, from there, in units of the file's shift |
//! | 24..64 | for each slot, 16 bits of the name's hash; 0 is an empty slot |
//!
//! One offset a bucket and one byte a slot find a record, because a bucket's records lie side by side.

use super::memory::Line;

/// Slots of a bucket.
pub(crate) const SLOTS: usize = 20;
/// How many buckets after its own a name may stand in.
pub(crate) const MAX_HOPS: usize = 8;
/// The largest offset of records.
pub(crate) const MAX_OFFSET: usize = (1 << 31) - 1;

/// The fingerprint of a hash: never 0, which marks empty slots.
#[inline(always)]
pub(crate) const fn fingerprint(hash: u64) -> u16 {
    let low = hash as u16;
    if low == 0 { 1 } else { low }
}

/// The bucket that a hash belongs into: by its high bits, so that the order of hashes is the order of buckets.
#[inline(always)]
pub(crate) const fn home(hash: u64, home_buckets: u64) -> usize {
    ((hash as u128 * home_buckets as u128) >> 64) as usize
}

/// A bucket while it is filled.
#[derive(Clone, Copy)]
pub(crate) struct Filling {
    bytes: [u8; Line::BYTES],
    slots: usize,
}

impl Filling {
    pub(crate) fn new(offset: usize) -> Self {
        let mut bytes = [0; Line::BYTES];
        bytes[..4].copy_from_slice(&(offset as u32).to_le_bytes());
        Self { bytes, slots: 0 }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.slots == SLOTS
    }

    pub(crate) fn push(&mut self, fingerprint: u16, start: u8) {
        self.bytes[4 + self.slots] = start;
        let at = 24 + 2 * self.slots;
        self.bytes[at..at + 2].copy_from_slice(&fingerprint.to_le_bytes());
        self.slots += 1;
    }

    /// The finished line.
    pub(crate) fn close(mut self, overflows: bool) -> Line {
        self.bytes[3] |= u8::from(overflows) << 7;
        let (words, _) = self.bytes.as_chunks::<8>();
        let mut line = Line::default();
        for (to, word) in line.0.iter_mut().zip(words) {
            *to = u64::from_ne_bytes(*word);
        }
        line
    }
}

/// Whether a name that hashes here may stand in the next bucket.
#[inline(always)]
pub(crate) const fn overflows(line: &Line) -> bool {
    line.word(0) & (1 << 31) != 0
}

/// Slots whose fingerprint is, or in rare cases only looks, the wanted one: one bit each.
///
/// Four lanes of 16 bits a word are compared at once. A borrow may mark the lane above a true one as well; that costs a
/// comparison of names and never an answer.
#[inline(always)]
pub(crate) const fn matches(line: &Line, fingerprint: u16) -> Matches {
    const LOW: u64 = 0x0001_0001_0001_0001;
    const HIGH: u64 = 0x8000_8000_8000_8000;
    let wanted = fingerprint as u64 * LOW;
    let mut bits = 0;
    let mut word = 0;
    while word < 5 {
        let x = line.word(3 + word) ^ wanted;
        bits |= (x.wrapping_sub(LOW) & !x & HIGH) >> (15 - word);
        word += 1;
    }
    Matches(bits)
}

/// Matching slots: lane `l` of word `w` is bit `16 l + w`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matches(u64);

impl Matches {
    #[inline(always)]
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Iterator for Matches {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some((bit & 15) * 4 + (bit >> 4))
    }
}

/// Where the record of a slot begins in the blob.
#[inline(always)]
pub(crate) const fn record(line: &Line, slot: usize, shift: u8) -> usize {
    let offset = line.word(0) & MAX_OFFSET as u64;
    let byte = 4 + slot;
    let start = line.word(byte >> 3) >> ((byte & 7) * 8) & 0xff;
    offset as usize + ((start as usize) << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_where_they_were_put() {
        let mut filling = Filling::new(12_345);
        for slot in 0..SLOTS {
            filling.push(7 + (slot as u16 % 5), slot as u8 * 12);
        }
        assert!(filling.is_full());
        let line = filling.close(true);
        assert!(overflows(&line));
        for wanted in 7..12u16 {
            let found: Vec<usize> = matches(&line, wanted).collect();
            for slot in (0..SLOTS).filter(|slot| slot % 5 == usize::from(wanted - 7)) {
                assert!(found.contains(&slot), "{wanted} in slot {slot}");
            }
        }
        assert!(matches(&line, 99).is_empty());
        assert_eq!(record(&line, 3, 2), 12_345 + 36 * 4);
    }

    #[test]
    fn an_empty_bucket_matches_nothing() {
        let line = Line::default();
        assert!((1..=u16::MAX).all(|fingerprint| matches(&line, fingerprint).is_empty()));
        assert!(!overflows(&line));
    }
}
