//! Hashes of names, and what they tell of them.
//!
//! A name's *end* is what stands before its last dot, at most five bytes of it (of `first.example` all five, of `x.co.uk` the
//! four `x.co`). All but the end is hashed; the end is made a number, permuted, and added at the top of that hash. So for one rest, no
//! two ends ever get hashes closer than 2^64 / (40 * 2^22): where a name stands in the table tells its end exactly, and its
//! record does not repeat it (see [`told`]).
//!
//! The rest is hashed as NH does (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC", CRYPTO 1999): words of 32 bits, counted from
//! the end of the name, each with a key added, and the products of neighbours summed up; then one multiplication more, so that every bit
//! depends on all.
//!
//! The keys come from a random seed that only the catalogue's file knows, so that a stranger can neither craft names that
//! crowd one bucket nor names that share a fingerprint. Exactness does not rest on it: a hit is always compared with the
//! stored name.

use super::lanes::{Help, Lanes, Portable, WIDE, Work, work};

/// The most bytes before the last dot that only a name's place may tell.
pub(crate) const END: usize = 5;
/// Four symbols are permuted as so many bits; the fifth takes one of so many values.
const FOUR_BITS: u32 = 22;
const FIFTH: u64 = 40;
/// How far apart two ends are at least, for one rest.
const APART: u64 = u64::MAX / (FIFTH << FOUR_BITS);

/// How many bytes before its last dot a name's place tells, where a hash is cut into this many cells (bucket and fingerprint).
pub(crate) const fn told(cells: u64) -> usize {
    if cells >= cells_to_tell(5) {
        5
    } else if cells >= cells_to_tell(4) {
        4
    } else {
        0
    }
}

/// How many cells a hash must be cut into for so many bytes to be told: cells must not be wider than ends are apart. (A few more
/// than the powers of two, since the distance is rounded down.)
pub(crate) const fn cells_to_tell(bytes: usize) -> u64 {
    match bytes {
        0 => 0,
        1..=4 => (1 << FOUR_BITS) + 256,
        _ => (FIFTH << FOUR_BITS) + 256,
    }
}

/// The eight bytes before `end`, zeros before them where there are not so many. No branch asks how many there are.
#[inline(always)]
pub(crate) fn before(bytes: &[u8], end: usize) -> u64 {
    let at = end.saturating_sub(8);
    match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        // In two steps, since a shift by all 64 bits is none.
        Some(chunk) => {
            let lacking = (8 - (end - at)) * 4;
            u64::from_le_bytes(*chunk) << lacking << lacking
        }
        None => tiny(bytes, end),
    }
}

/// The same for a text of fewer than eight bytes.
#[cold]
fn tiny(bytes: &[u8], end: usize) -> u64 {
    let part = bytes.get(..end).unwrap_or_default();
    part.iter().fold(0, |word, byte| word >> 8 | u64::from(*byte) << 56)
}

/// From `KEPT[n]` on: what keeps the last `n` bytes; from `KEPT[64 - n]` on: what keeps the first.
static KEPT: [u8; 3 * WIDE] = {
    let mut masks = [0; 3 * WIDE];
    let mut at = WIDE;
    while at < 2 * WIDE {
        masks[at] = 0xff;
        at += 1;
    }
    masks
};

/// From `UNTOLD[n]` on: what takes away five bytes, behind which there are `n`.
static UNTOLD: [u8; 3 * WIDE] = {
    let mut masks = [0xff; 3 * WIDE];
    let mut at = WIDE - END;
    while at < WIDE {
        masks[at] = 0;
        at += 1;
    }
    masks
};

/// The mask from a byte on. No branch asks whether that is in the table: of larger numbers the low six bits count.
#[inline(always)]
fn mask(masks: &'static [u8; 3 * WIDE], at: usize) -> &'static [u8; WIDE] {
    masks[at & (2 * WIDE - 1)..].first_chunk().unwrap_or(&[0; WIDE])
}

/// What keeps the last so many (at most 32) of 32 bytes.
#[inline(always)]
fn keep_last(count: usize) -> &'static [u8; WIDE] {
    mask(&KEPT, count)
}

/// What keeps the first so many (at most 32) of 32 bytes.
#[inline(always)]
pub(crate) fn keep_first(count: usize) -> &'static [u8; WIDE] {
    mask(&KEPT, (2 * WIDE).wrapping_sub(count))
}

/// What keeps the last so many bytes of a word, which are its highest; five at most.
#[inline(always)]
const fn keep_high(count: usize) -> u64 {
    const HIGH: [u64; END + 1] = [0, !0 << 56, !0 << 48, !0 << 40, !0 << 32, !0 << 24];
    HIGH[if count < END { count } else { END }]
}

#[inline(always)]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// The keyed hash of one catalogue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hasher {
    seed: u64,
    keys: [u64; 6],
    words: [u32; 8],
    help: Option<Help>,
    /// The bits of the rest's hash that count: tests take some away to make names collide.
    #[cfg(test)]
    pub(crate) kept: u64,
    /// How much is told, where tests say so.
    #[cfg(test)]
    pub(crate) told: Option<usize>,
}

impl Hasher {
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            fold(state, state ^ 0xd6e8_feb8_6659_fd93) ^ state.rotate_left(29)
        };
        // Odd, so that a product with one of them tells its other factor.
        let (keys, words) = (std::array::from_fn(|_| next() | 1), std::array::from_fn(|_| next() as u32));
        Self {
            seed,
            keys,
            words,
            help: Help::of_this_processor(),
            #[cfg(test)]
            kept: u64::MAX,
            #[cfg(test)]
            told: None,
        }
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// How many bytes before its last dot a name's place tells in a catalogue of about so many cells.
    pub(crate) fn told(&self, cells: u64) -> usize {
        #[cfg(test)]
        if let Some(told) = self.told {
            return told;
        }
        told(cells)
    }

    /// How this processor looks at names.
    #[inline(always)]
    pub(crate) const fn help(&self) -> Option<Help> {
        self.help
    }

    /// The hash of a whole name.
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        match name.len() {
            0..=WIDE => work(self.help, Short { hasher: self, name }),
            _ => self.hash_long(name),
        }
    }

    /// The hash of the last `length` bytes of a name, of which `behind` stand behind what may be told (with the dot): `bytes` are
    /// the name's last 32.
    #[inline(always)]
    pub(crate) fn head<L: Lanes>(
        &self,
        lanes: L,
        bytes: L::Bytes,
        name: &[u8],
        length: usize,
        behind: usize,
    ) -> u64 {
        let rest = lanes.keep(lanes.keep(bytes, keep_last(length)), mask(&UNTOLD, behind));
        let state = self.absorb(self.keys[5], lanes.products(rest, &self.words));
        let end = before(name, name.len().saturating_sub(behind)) & keep_high(length.saturating_sub(behind));
        self.finish(state, lanes.end(end))
    }

    /// The hash of a name of more than 32 bytes: window by window, from the right.
    #[cold]
    fn hash_long(&self, name: &[u8]) -> u64 {
        let dot = memchr::memrchr(b'.', name).unwrap_or(name.len());
        let told = dot.saturating_sub(END)..dot;
        let (mut state, mut end) = (self.keys[5], name.len());
        while end > 0 {
            let start = end.saturating_sub(WIDE);
            let mut bytes = Portable.last_of(&name[start..end]);
            for at in told.clone().filter(|at| (start..end).contains(at)) {
                bytes[WIDE - (end - at)] = 0;
            }
            state = self.absorb(state, Portable.products(bytes, &self.words));
            end = start;
        }
        self.finish(state, Portable.end(before(name, dot) & keep_high(told.len())))
    }

    #[inline(always)]
    const fn absorb(&self, state: u64, sum: u64) -> u64 {
        fold(sum ^ state, self.keys[4])
    }

    /// A permutation of 22 bits for each fifth symbol. One multiplication would do, but would leave numbered names (`s01`, `s02`)
    /// in few places.
    #[inline(always)]
    const fn permute(&self, four: u64, fifth: u64) -> u64 {
        const ALL: u64 = (1 << FOUR_BITS) - 1;
        let keys = &self.keys;
        let mixed = four.wrapping_add(fifth.wrapping_mul(keys[0])).wrapping_mul(keys[1]) & ALL;
        (mixed ^ mixed >> (FOUR_BITS / 2)).wrapping_mul(keys[2]) & ALL
    }

    #[inline(always)]
    const fn finish(&self, state: u64, (four, fifth): (u32, u32)) -> u64 {
        #[cfg(test)]
        let state = state & self.kept;
        let place = self.permute(four as u64, fifth as u64) * FIFTH + fifth as u64;
        state.wrapping_add(place.wrapping_mul(APART))
    }
}

/// A name of at most 32 bytes, to be hashed.
struct Short<'a> {
    hasher: &'a Hasher,
    name: &'a [u8],
}

impl Work for Short<'_> {
    type Output = u64;

    #[inline(always)]
    fn with<L: Lanes>(self, lanes: L) -> u64 {
        let bytes = lanes.last_of(self.name);
        let dots = lanes.equal(bytes, b'.');
        // From the last dot on; of a name without one nothing.
        let behind = if dots == 0 { 0 } else { dots.leading_zeros() as usize + 1 };
        self.hasher.head(lanes, bytes, self.name, self.name.len(), behind)
    }
}

/// A suffix of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suffix {
    /// Its first byte in the name.
    pub(crate) start: usize,
    /// Its hash.
    pub(crate) hash: u64,
}

/// Where the suffixes of a name begin: the top-level domain's first, the whole name's last.
pub(crate) fn starts(name: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memrchr_iter(b'.', name).map(|dot| dot + 1).chain(std::iter::once(0))
}

#[cfg(test)]
mod tests;
