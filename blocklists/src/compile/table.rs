//! Puts names into buckets, in the order of their hashes.

use super::CompileError;
use super::encode::Name;
use crate::catalogue::{Code, Filling, Line, MAX_HOPS, MAX_RECORD, Place, Room, pass, place, triplets};
use std::collections::VecDeque;

/// The buckets while they are filled. A name whose bucket is full waits for the next.
pub(super) struct Table<'a> {
    code: &'a Code,
    lines: &'a mut [Line],
    home_buckets: u64,
    /// The bucket that is filled next.
    current: usize,
    /// The names that belong into it or before, in the order of their buckets.
    waiting: VecDeque<Waiting>,
    /// The records of names that have none in a bucket.
    long: Vec<u8>,
}

/// How many lines a table of so many home buckets has.
pub(super) const fn lines(home_buckets: u64) -> usize {
    home_buckets as usize + MAX_HOPS
}

/// How many bytes a record has.
pub(super) const fn bytes(record: u128) -> usize {
    let bytes = (u128::BITS - record.leading_zeros()).div_ceil(8) as usize;
    if bytes == 0 { 1 } else { bytes }
}

/// A name that has no place yet.
struct Waiting {
    place: Place,
    packed: u128,
    set: u16,
    /// Its text, where the record may be too long once it must say how far the name stands behind its bucket.
    text: Box<[u8]>,
    /// Its record in the bucket that is being filled, and whether it stands there.
    record: u128,
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
    pub(super) fn new(code: &'a Code, lines: &'a mut [Line], home_buckets: u64) -> Self {
        Self { code, lines, home_buckets, current: 0, waiting: VecDeque::new(), long: Vec::new() }
    }

    /// Adds the next name, whose text (or digest's number) is this, and its set.
    pub(super) fn add(&mut self, name: &Name, text: &[u8], set: u16) -> Result<(), CompileError> {
        let home = place(name.hash, self.home_buckets);
        let place = if name.is_below { home.below() } else { home };
        while self.current < place.home as usize {
            self.fill_bucket()?;
        }
        let fits = |moved| {
            let record = self.code.record(Code::moved(name.packed, moved), set);
            record.is_some_and(|record| bytes(record) <= MAX_RECORD)
        };
        let (packed, set, text) = match (fits(0), fits(2)) {
            (true, true) => (name.packed, set, Box::default()),
            (true, false) => (name.packed, set, Box::from(text)),
            (false, _) => (self.add_long(name.length, set, text)?, 0, Box::default()),
        };
        self.waiting.push_back(Waiting { place, packed, set, text, record: 0, fits: false });
        Ok(())
    }

    /// Writes a long record; what stands in the bucket for it.
    #[cold]
    fn add_long(&mut self, length: u8, set: u16, text: &[u8]) -> Result<u128, CompileError> {
        let at = u32::try_from(self.long.len()).map_err(|_| CompileError::TooManyNames)?;
        self.long.push(length);
        self.long.extend_from_slice(&set.to_le_bytes());
        match length {
            0 => self.long.extend_from_slice(text),
            _ => self.long.extend(triplets(text).flat_map(u16::to_le_bytes)),
        }
        Ok(Code::long_at(at))
    }

    /// Fills the next bucket: with those that have waited too long, then with those that belong here, then with whatever
    /// still fits. Whoever asks for a name looks here first.
    fn fill_bucket(&mut self) -> Result<(), CompileError> {
        let current = self.current;
        if self.waiting.front().is_some_and(|name| current - name.place.home as usize > MAX_HOPS) {
            return Err(CompileError::Crowded);
        }
        let mut room = Room::new();
        let mut sizes: Vec<(usize, usize)> = Vec::new();
        for turn in [Turn::Late, Turn::Home, Turn::Early] {
            sizes.clear();
            for index in 0..self.waiting.len() {
                let moved = current - self.waiting[index].place.home as usize;
                if Turn::of(moved) == turn {
                    let record = self.record(index, moved)?;
                    self.waiting[index].record = record;
                    sizes.push((bytes(record), index));
                }
            }
            // The more names stand in their own bucket, the fewer have to be looked for behind it.
            if turn == Turn::Home {
                sizes.sort_unstable();
            }
            for (size, index) in &sizes {
                self.waiting[*index].fits = room.take(*size);
            }
        }
        let mut filling = Filling::new();
        for name in self.waiting.iter().filter(|name| name.fits) {
            let home = name.place.home as usize;
            let record = &name.record.to_le_bytes()[..bytes(name.record)];
            let is_in = filling.push(name.place.fingerprint(), record, home < current);
            debug_assert!(is_in, "there is room for what was counted");
            self.lines[home..current].iter_mut().for_each(|line| pass(line, name.place.class()));
        }
        self.waiting.retain(|name| !name.fits);
        *self.lines.get_mut(current).ok_or(CompileError::Crowded)? = filling.close();
        self.current += 1;
        Ok(())
    }

    /// The record of a name that stands so many buckets behind its own.
    fn record(&mut self, index: usize, moved: usize) -> Result<u128, CompileError> {
        let name = &mut self.waiting[index];
        if moved > 1 && !name.text.is_empty() {
            let (set, text) = (std::mem::take(&mut name.set), std::mem::take(&mut name.text));
            let packed = self.add_long(text.len() as u8, set, &text)?;
            self.waiting[index].packed = packed;
        }
        let name = &self.waiting[index];
        // Where a long record stands is said alike in every bucket: the name there is whole.
        let packed = if Code::is_long(name.packed) { name.packed } else { Code::moved(name.packed, moved) };
        Ok(self.code.record(packed, name.set).expect("it was seen to fit when the name came in"))
    }

    /// Closes the last bucket; the long records.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, CompileError> {
        while self.current < self.lines.len() || !self.waiting.is_empty() {
            self.fill_bucket()?;
        }
        Ok(self.long)
    }
}
