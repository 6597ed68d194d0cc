//! Puts names into buckets, in the order of their hashes.

use super::CompileError;
use super::dictionary::{Bits, Dictionary};
use super::encode::Name;
use crate::catalogue::{Filling, Line, MAX_HOPS, MAX_RECORD, PADDING, Place, Room, pass, place};
use std::collections::VecDeque;

/// The buckets while they are filled. A name whose bucket is full waits for the next.
pub(super) struct Table<'a> {
    dictionary: &'a Dictionary,
    lines: &'a mut [Line],
    home_buckets: u64,
    /// The bucket that is filled next.
    current: usize,
    /// The names that belong into it or before, in the order of their buckets.
    waiting: VecDeque<Waiting>,
    /// The records that are too long for a bucket.
    long: Vec<u8>,
}

/// How many lines a table of so many home buckets has.
pub(super) const fn lines(home_buckets: u64) -> usize {
    home_buckets as usize + MAX_HOPS
}

/// The longest record of a bucket, in bits.
const MAX_BITS: u32 = MAX_RECORD as u32 * 8;

/// A record of a bucket, low bit first.
#[derive(Clone, Copy, Default)]
struct Short {
    bits: u128,
    count: u32,
}

impl Short {
    /// Both, one after the other. Whoever asks has made sure that there is room.
    fn then(self, (bits, count): Bits) -> Self {
        Self { bits: self.bits | u128::from(bits) << self.count, count: self.count + count }
    }

    /// Its bytes, in an array that holds them.
    fn bytes(self, array: &mut [u8; 16]) -> &[u8] {
        *array = self.bits.to_le_bytes();
        &array[..self.count.div_ceil(8) as usize]
    }

    /// How many bytes it takes with what is put before it.
    fn bytes_after(self, (_, count): Bits) -> usize {
        (self.count + count).div_ceil(8) as usize
    }

    fn after(self, (bits, count): Bits) -> Self {
        Self { bits: self.bits << count | u128::from(bits), count: self.count + count }
    }
}

/// A name that has no place yet.
#[derive(Clone, Copy)]
struct Waiting {
    place: Place,
    record: Short,
    /// Whether it stands in the bucket that is being filled.
    fits: bool,
}

/// When a name may choose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Before all others: it stands far behind its bucket already.
    Late,
    Home,
    Early,
}

impl Turn {
    /// How many buckets a name may be behind its own before it comes first.
    const LATE: usize = 6;

    const fn of(moved: usize) -> Self {
        match moved {
            0 => Self::Home,
            1..Self::LATE => Self::Early,
            _ => Self::Late,
        }
    }
}

impl<'a> Table<'a> {
    /// A table in these lines, which are empty.
    pub(super) fn new(dictionary: &'a Dictionary, lines: &'a mut [Line], home_buckets: u64) -> Self {
        Self { dictionary, lines, home_buckets, current: 0, waiting: VecDeque::new(), long: Vec::new() }
    }

    /// Adds the next name: so many bits of its record, and its set.
    pub(super) fn add(&mut self, name: &Name, record: &[u8], set: u16) -> Result<(), CompileError> {
        let (bits, place) = (u32::from(name.bits), place(name.hash, self.home_buckets).deeper(name.deeper));
        while self.current < place.home as usize {
            self.fill_bucket()?;
        }
        let end = self.dictionary.set(set);
        let record = if bits + end.1 <= MAX_BITS {
            Short { bits: low(record), count: bits }.then(end)
        } else {
            let mut whole = record.to_vec();
            self.dictionary.write_after(bits, end, &mut whole);
            self.add_long(&whole)?
        };
        self.waiting.push_back(Waiting { place, record, fits: false });
        Ok(())
    }

    /// Puts a record among the long ones; what stands in the bucket for it.
    #[cold]
    fn add_long(&mut self, record: &[u8]) -> Result<Short, CompileError> {
        let at = u32::try_from(self.long.len()).map_err(|_| CompileError::TooManyNames)?;
        self.long.extend_from_slice(record);
        Ok(Short::default().then(self.dictionary.long(at)))
    }

    /// Fills the next bucket: with those that have waited too long, then with those that belong here, then with whatever
    /// still fits. Whoever asks for a name looks here first.
    fn fill_bucket(&mut self) -> Result<(), CompileError> {
        let current = self.current;
        if self.waiting.front().is_some_and(|name| current - name.place.home as usize > MAX_HOPS) {
            return Err(CompileError::Crowded);
        }
        let mut room = Room::default();
        for turn in [Turn::Late, Turn::Home, Turn::Early] {
            for index in 0..self.waiting.len() {
                let moved = current - self.waiting[index].place.home as usize;
                if Turn::of(moved) == turn {
                    self.prefix(index, moved)?;
                    let name = &mut self.waiting[index];
                    name.fits = room.take(name.record.bytes_after(self.dictionary.moved(moved)));
                }
            }
        }
        let mut filling = Filling::new();
        for name in self.waiting.iter().filter(|name| name.fits) {
            let home = name.place.home as usize;
            let record = name.record.after(self.dictionary.moved(current - home));
            let is_in = filling.push(name.place.fingerprint(), record.bytes(&mut [0; 16]), home < current);
            debug_assert!(is_in, "there is room for what was counted");
            self.lines[home..current].iter_mut().for_each(|line| pass(line, name.place.class()));
        }
        self.waiting.retain(|name| !name.fits);
        *self.lines.get_mut(current).ok_or(CompileError::Crowded)? = filling.close();
        self.current += 1;
        Ok(())
    }

    /// Makes room in a record for what it must say of its move, if it needs that.
    fn prefix(&mut self, index: usize, moved: usize) -> Result<(), CompileError> {
        let record = self.waiting[index].record;
        if record.count + self.dictionary.moved(moved).1 > MAX_BITS {
            self.waiting[index].record = self.add_long(record.bytes(&mut [0; 16]))?;
        }
        Ok(())
    }

    /// Closes the last bucket; the long records.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, CompileError> {
        while self.current < self.lines.len() || !self.waiting.is_empty() {
            self.fill_bucket()?;
        }
        self.long.resize(self.long.len() + PADDING, 0);
        Ok(self.long)
    }
}

/// Up to 16 bytes as a number.
fn low(bytes: &[u8]) -> u128 {
    let mut word = [0; 16];
    word[..bytes.len()].copy_from_slice(bytes);
    u128::from_le_bytes(word)
}
