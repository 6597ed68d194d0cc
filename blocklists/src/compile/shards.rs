//! Every entry of every list, parted by the highest bits of its site's hash: a part is worked on while it lies in the cache,
//! and given back to the system as soon as its names are in the catalogue. Names whose heads are in another part (see
//! [`super::heads`]) are copied there once all lists are in.
//!
//! An entry is its source (two bytes), its bits, the length of its text, and its text. Hashes are made again when they are wanted:
//! that costs less than the memory to keep them.

use crate::catalogue::{Hasher, Memory, Spread, Suffix};

/// Parts. A power of two, so that the order of parts is the order of hashes.
pub(super) const SHARDS: usize = 64;
/// What a part asks the system for at a time, in bytes. What is not written to takes no memory.
const PAGE: usize = 256 << 10;
/// Bytes before the text of an entry.
const HEAD: usize = 4;

/// What an entry says. `HERE` and `BELOW` are its reach.
pub(super) mod bits {
    pub(crate) const HERE: u8 = 1;
    pub(crate) const BELOW: u8 = 2;
    /// The list does not mean the name, rather than means it.
    pub(crate) const EXCEPT: u8 = 4;
    /// The text is a hash and the number of a digest.
    pub(crate) const DIGEST: u8 = 8;
    /// The text is a name of three labels or more.
    pub(crate) const DEEP: u8 = 16;
}

/// One entry of one list, as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<'a> {
    /// Which source said it.
    pub(super) source: u16,
    pub(super) bits: u8,
    text: &'a [u8],
}

impl<'a> Kept<'a> {
    /// The name, if it is kept as text.
    pub(super) fn name(&self) -> Option<&'a [u8]> {
        (self.bits & bits::DIGEST == 0).then_some(self.text)
    }

    /// The number of the digest; 0 for a text.
    pub(super) fn digest(&self) -> u32 {
        self.text.get(8..).and_then(|rest| rest.first_chunk()).map_or(0, |number| u32::from_le_bytes(*number))
    }

    /// Its head. A digest is its own: see [`super::heads`].
    pub(super) fn head(&self, hasher: &Hasher, spread: &Spread) -> Suffix {
        match (self.name(), self.text.first_chunk()) {
            (None, Some(hash)) => Suffix { start: 0, hash: u64::from_le_bytes(*hash) },
            _ if self.bits & bits::DEEP == 0 => Suffix { start: 0, hash: hasher.hash(self.text) },
            _ => spread.head(hasher, self.text),
        }
    }
}

/// How far a part was filled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pages: usize,
    used: usize,
}

/// The entries whose hashes begin alike.
#[derive(Default)]
pub(super) struct Shard {
    pages: Vec<Memory>,
    /// Bytes of the last page.
    used: usize,
}

impl Shard {
    pub(super) fn push(&mut self, source: u16, bits: u8, text: &[u8]) {
        // Names have 253 bytes at most.
        let length = text.len().min(usize::from(u8::MAX));
        if self.pages.is_empty() || self.used + HEAD + length + HEAD > PAGE {
            self.pages.push(Memory::fresh(PAGE));
            self.used = 0;
        }
        let Some(page) = self.pages.last_mut() else { return };
        let place = &mut page.bytes_mut()[self.used..self.used + HEAD + length];
        place[..2].copy_from_slice(&source.to_le_bytes());
        // No entry has no bits, so that a page ends where there are none.
        place[2] = bits;
        place[3] = length as u8;
        place[HEAD..].copy_from_slice(&text[..length]);
        self.used += HEAD + length;
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { pages: self.pages.len(), used: self.used }
    }

    /// Forgets what came after a mark.
    pub(super) fn truncate(&mut self, mark: Mark) {
        self.pages.truncate(mark.pages);
        self.used = mark.used;
        if let Some(page) = self.pages.last_mut() {
            page.bytes_mut()[mark.used..].fill(0);
        }
    }

    /// The entry at a place that [`Self::places`] gave.
    pub(super) fn at(&self, place: u32) -> Kept<'_> {
        let (page, start) = (place as usize / PAGE, place as usize % PAGE);
        let bytes = &self.pages[page].bytes()[start..];
        let text = &bytes[HEAD..HEAD + usize::from(bytes[3])];
        Kept { source: u16::from_le_bytes([bytes[0], bytes[1]]), bits: bytes[2], text }
    }

    /// The places of the entries that came after a mark, in their order.
    pub(super) fn places(&self, from: Mark) -> impl Iterator<Item = u32> {
        let first = from.pages.saturating_sub(1);
        self.pages.iter().enumerate().skip(first).flat_map(move |(number, page)| {
            let mut at = if number == first && from.pages > 0 { from.used } else { 0 };
            let bytes = page.bytes();
            std::iter::from_fn(move || {
                let (here, head) = (at, bytes.get(at..at + HEAD).filter(|head| head[2] != 0)?);
                at += HEAD + usize::from(head[3]);
                u32::try_from(number * PAGE + here).ok()
            })
        })
    }

    /// Every entry.
    pub(super) fn entries(&self) -> impl Iterator<Item = Kept<'_>> {
        self.places(Mark::default()).map(|place| self.at(place))
    }

    /// Bytes asked for.
    pub(super) fn is_full(&self) -> bool {
        self.pages.len() as u64 * PAGE as u64 > u64::from(u32::MAX) - 2 * PAGE as u64
    }
}

/// The number of the part that a hash belongs to.
pub(super) const fn shard_of(hash: u64) -> usize {
    (hash >> (64 - SHARDS.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_in_their_order_and_go_again() {
        let mut shard = Shard::default();
        let text = |number: usize| format!("{number:0width$}.example", width = number % 200);
        let all = |shard: &Shard, from| {
            let entries = shard.places(from).map(|place| shard.at(place));
            entries
                .map(|k| (k.source, String::from_utf8_lossy(k.name().unwrap()).into_owned()))
                .collect::<Vec<_>>()
        };
        let mut marks = Vec::new();
        for number in 0..6_000 {
            marks.push(shard.mark());
            shard.push(number as u16, bits::HERE, text(number).as_bytes());
        }
        assert!(shard.pages.len() > 2);
        for from in [0, 1, 1_000, 3_999, 5_999] {
            let expected: Vec<_> = (from..6_000).map(|number| (number as u16, text(number))).collect();
            assert_eq!(all(&shard, marks[from]), expected, "from {from}");
        }
        for to in [5_999, 2_000, 7, 0] {
            shard.truncate(marks[to]);
            assert_eq!(shard.entries().count(), to);
            shard.push(9, bits::BELOW, b"again.example");
            assert_eq!(all(&shard, marks[to]), [(9, "again.example".to_owned())]);
            shard.truncate(marks[to]);
        }
    }
}
